"""Metrics of predictions: numbers to read and to choose by, never differentiated.

With activated outputs a (batch, outputs), targets y and example weights w:

| metric | value | better |
|---|---|---|
| accuracy | Σ w [argmax a = argmax y] / Σ w; of one output: binary_accuracy | higher |
| balanced_accuracy | the mean over the classes that occur of their own accuracy (recall) | higher |
| binary_accuracy | Σ w [(a ≥ ½) = (y ≥ ½)] / Σ w, over all outputs | higher |
| rmse | √(Σ w (y − a)² / Σ w), over all outputs | lower |
| r_squared | 1 − Σ w (y − a)² / Σ w (y − ȳ)², ȳ the weighted mean of each output | higher |

y is a row per example; integer labels are read as one-hot rows.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, Num

from purenet.losses import Loss
from purenet.losses import targets as fit_targets
from purenet.words import look_up


@dataclasses.dataclass(frozen=True)
class Metric:
    """A number for predictions, and which direction is better.

    Attributes:
        name: what histories, tables and stop rules call it.
        value: (a, y, weights) to a number; y is (batch,) for labels, else (batch, outputs).
        better: "higher" or "lower".
    """

    name: str
    value: Callable[[Array, Array, Array], Array]
    better: Literal["higher", "lower"]

    def improves(self, new: float, old: float) -> bool:
        """Return whether `new` is strictly better than `old`; NaN is no better than a number."""
        return new > old if self.better == "higher" else new < old


def measure(
    metric: Metric,
    loss: Loss,
    a: Float[Array, "batch outputs"],
    y: Num[Array, "..."],
    weights: Float[Array, " batch"] | None = None,
) -> Float[Array, ""]:
    """Return the metric, with targets read as `loss` reads them.

    >>> from purenet import losses
    >>> a, y = jnp.array([[0.9, 0.1], [0.6, 0.4]]), jnp.array([0, 1])
    >>> float(measure(accuracy, losses.cross_entropy, a, y))
    0.5

    Raises:
        ValueError: the shape or dtype of y does not fit a.
    """
    w = jnp.ones(a.shape[0], a.dtype) if weights is None else weights.astype(a.dtype)
    return metric.value(a, fit_targets(loss, a, y), w)


def classes(a: Float[Array | np.ndarray, "batch outputs"]) -> Int[Array | np.ndarray, " batch"]:
    """Return the predicted class of each row: the largest output, or of one output a ≥ ½.

    An array of NumPy gives one of NumPy, one of JAX one of JAX.

    >>> classes(np.array([[0.2], [0.5]])).tolist(), classes(np.array([[0.1, 0.7, 0.2]])).tolist()
    ([0, 1], [1])
    """
    found = a[:, 0] >= 0.5 if a.shape[1] == 1 else a.argmax(axis=1)
    return found.astype(np.int32)


def confusion_matrix(
    labels: Int[ArrayLike, " batch"], predicted: Int[ArrayLike, " batch"], classes: int
) -> Int[Array, "classes classes"]:
    """Return the counts [true class, predicted class].

    >>> confusion_matrix(jnp.array([0, 1, 1]), jnp.array([0, 1, 0]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    counts = jnp.zeros((classes, classes), jnp.int32)
    return counts.at[labels, predicted].add(1)


def fitting(loss: Loss) -> Metric:
    """Return the metric reported by default: accuracy for classes, else rmse."""
    if loss.fused is None:
        return rmse
    return accuracy if loss.labels else binary_accuracy


def from_name(metric: str | Metric, argument: str = "metric") -> Metric:
    """Return one of ours by its name; a `Metric` is returned as it is.

    Raises:
        ValueError: the name is unknown; the message has the nearest known one.
    """
    return look_up(metric, METRICS, Metric, "metric", argument)


def _accuracy(a: Array, y: Array, weights: Array) -> Array:
    if y.ndim == 2 and y.shape[1] == 1:
        return _binary_accuracy(a, y, weights)
    labels = y if y.ndim == 1 else jnp.argmax(y, axis=-1)
    right = (jnp.argmax(a, axis=-1).astype(labels.dtype) == labels).astype(a.dtype)
    return jnp.sum(weights * right) / jnp.sum(weights)


def _balanced_accuracy(a: Array, y: Array, weights: Array) -> Array:
    single = a.shape[1] == 1
    labels = y if y.ndim == 1 else (y[:, 0] >= 0.5 if single else jnp.argmax(y, axis=-1))
    labels = labels.astype(jnp.int32)
    every = jnp.arange(2 if single else a.shape[1], dtype=jnp.int32)[None, :]
    member = (labels[:, None] == every).astype(a.dtype) * weights[:, None]
    right = (labels == classes(a)).astype(a.dtype)
    mass = jnp.sum(member, axis=0)
    recall = jnp.sum(member * right[:, None], axis=0) / jnp.where(
        mass == 0, jnp.ones_like(mass), mass
    )
    return jnp.sum(recall) / jnp.sum((mass > 0).astype(a.dtype))


def _binary_accuracy(a: Array, y: Array, weights: Array) -> Array:
    right = jnp.mean(((a >= 0.5) == (_rows(y, a) >= 0.5)).astype(a.dtype), axis=-1)
    return jnp.sum(weights * right) / jnp.sum(weights)


def _rmse(a: Array, y: Array, weights: Array) -> Array:
    error = jnp.mean(jnp.square(a - _rows(y, a)), axis=-1)
    return jnp.sqrt(jnp.sum(weights * error) / jnp.sum(weights))


def _r_squared(a: Array, y: Array, weights: Array) -> Array:
    y, w = _rows(y, a), weights[:, None]
    centre = jnp.sum(w * y, axis=0, keepdims=True) / jnp.sum(w)
    return 1 - jnp.sum(w * jnp.square(y - a)) / jnp.sum(w * jnp.square(y - centre))


def _rows(y: Array, a: Array) -> Array:
    return jax.nn.one_hot(y, a.shape[-1], dtype=a.dtype) if y.ndim == 1 else y


accuracy = Metric("accuracy", _accuracy, "higher")
balanced_accuracy = Metric("balanced_accuracy", _balanced_accuracy, "higher")
binary_accuracy = Metric("binary_accuracy", _binary_accuracy, "higher")
rmse = Metric("rmse", _rmse, "lower")
r_squared = Metric("r_squared", _r_squared, "higher")

METRICS = {
    metric.name: metric
    for metric in (accuracy, balanced_accuracy, binary_accuracy, rmse, r_squared)
}
