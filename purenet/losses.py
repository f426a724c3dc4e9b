"""Losses: the value and the hand gradient of each, side by side, and the fused output deltas.

A `Loss` is a frozen value made of functions of one batch that give a number or a row per example;
the mean over the batch, with example weights w (1 if left out), is taken in one place:

    C = Σ_b w_b ℓ(a_b, y_b) / Σ_b w_b,        ∂C/∂a_b = w_b / Σ w · ∂ℓ/∂a_b.

| loss | ℓ of one example | ∂ℓ/∂a | output | fused δ = ∂ℓ/∂z | source |
|---|---|---|---|---|---|
| mean_squared_error | Σ_k (y_k − a_k)² | 2 (a − y) | any | – | S0-E27, S1-E29 |
| half_mean_squared_error | ½ Σ_k (y_k − a_k)² | a − y | any | – | S4-E34 |
| cross_entropy | −Σ_k y_k log a_k | −y / a | softmax | (Σ_k y_k) p − y | S2-E34, S3-E34 |
| binary_cross_entropy | −Σ y log a + (1−y) log(1−a) | (a−y)/(a(1−a)) | sigmoid | a − y | S1-C25 |

The fused δ of cross-entropy is p − y when the targets of an example sum to 1. Integer labels
(batch,) are read as one-hot rows (S3-E39). A label outside 0 … classes − 1 is an all-zero row here;
`purenet.fit`, which sees values, refuses it.
"""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float, Num, Shaped

from purenet import activations
from purenet.activations import Activation
from purenet.words import look_up

PerExample = Callable[[Array, Array], Array]
Targets = Shaped[ArrayLike, "..."]
Weights = Shaped[ArrayLike, "..."] | None


@dataclasses.dataclass(frozen=True)
class Fused:
    """A loss taken together with the one output activation that it belongs to.

    Attributes:
        output: the output activation, a = output(z).
        value: (z, y) to ℓ(output(z), y) of each example, shape (batch,), in a stable form.
        delta: (z, y) to ∂ℓ/∂z, shape (batch, outputs).
    """

    output: Activation
    value: PerExample
    delta: PerExample


@dataclasses.dataclass(frozen=True)
class Loss:
    """The mean over a batch of a loss per example, with its hand gradient.

    An own loss needs a name, its value and its gradient per example, and then works like ours:

    >>> quartic = Loss("quartic", lambda a, y: jnp.sum((a - y) ** 4, -1),
    ...                lambda a, y: 4 * (a - y) ** 3)
    >>> a, y = jnp.array([[1.0], [2.0]]), jnp.array([[0.0], [0.0]])
    >>> float(quartic(a, y)), quartic.gradient(a, y).tolist()
    (8.5, [[2.0], [16.0]])

    Attributes:
        name: what errors, model files and tables call it.
        value: (a, y) to ℓ of each example, shape (batch,); a is (batch, outputs).
        derivative: (a, y) to ∂ℓ/∂a, shape (batch, outputs).
        fused: with it, the loss goes with that output activation alone and is computed from z.
        labels: whether integer targets (batch,) are class labels; else they are numbers.
    """

    name: str
    value: PerExample
    derivative: PerExample
    fused: Fused | None = None
    labels: bool = False

    def __call__(
        self, a: Num[ArrayLike, "..."], y: Targets, weights: Weights = None
    ) -> Float[Array, ""]:
        """Return C = Σ_b w_b ℓ(a_b, y_b) / Σ_b w_b from the activated output (batch, outputs).

        Raises:
            ValueError: `a` is not floating or not (batch, outputs); the shape or dtype of `y` or
                `weights` does not fit it; a function of an own loss returns another shape.
        """
        a = jnp.asarray(a)
        return mean(self._rows(self.value, a, y, a.shape[:1]), weights)

    def gradient(
        self, a: Num[ArrayLike, "..."], y: Targets, weights: Weights = None
    ) -> Float[Array, "batch outputs"]:
        """Return ∂C/∂a; raises as the loss itself does."""
        a = jnp.asarray(a)
        return spread(self._rows(self.derivative, a, y, a.shape), weights)

    def from_logits(
        self, z: Num[ArrayLike, "..."], y: Targets, weights: Weights = None
    ) -> Float[Array, ""]:
        """Return the loss at a = output(z) without computing a, in the stable form.

        Raises:
            ValueError: the loss has no output activation of its own; or as the loss itself does.
        """
        z = jnp.asarray(z)
        return mean(self._rows(self._fused().value, z, y, z.shape[:1]), weights)

    def delta(
        self, z: Num[ArrayLike, "..."], y: Targets, weights: Weights = None
    ) -> Float[Array, "batch outputs"]:
        """Return the fused output delta ∂C/∂z of `from_logits`; raises as `from_logits` does."""
        z = jnp.asarray(z)
        return spread(self._rows(self._fused().delta, z, y, z.shape), weights)

    def from_logits_of_each(
        self, z: Num[ArrayLike, "..."], y: Targets
    ) -> tuple[Float[Array, " batch"], Float[Array, "batch outputs"]]:
        """Return ℓ and ∂ℓ/∂z of each example, before the mean; raises as `from_logits` does."""
        z, fused = jnp.asarray(z), self._fused()
        value = self._rows(fused.value, z, y, z.shape[:1])
        return value, self._rows(fused.delta, z, y, z.shape)

    def _rows(self, function: PerExample, a: Array, y: Targets, shape: tuple[int, ...]) -> Array:
        rows = function(a, targets(self, a, y))
        # An own loss that takes the mean itself would be averaged twice, without a word.
        if jnp.shape(rows) != shape:
            raise ValueError(
                f"loss {self.name!r}: its {_role(self, function)} has to return shape {shape} for "
                f"outputs of shape {a.shape}, got {jnp.shape(rows)}"
            )
        return rows

    def _fused(self) -> Fused:
        if self.fused is None:
            raise ValueError(
                f"loss {self.name!r} goes with every output activation, so it has no form in the "
                f"logits; call it on the activated output a"
            )
        return self.fused


def _role(loss: Loss, function: PerExample) -> str:
    roles = {loss.value: "value", loss.derivative: "derivative"}
    if loss.fused is not None:
        roles |= {loss.fused.value: "fused value", loss.fused.delta: "fused delta"}
    return roles[function]


def mean(per_example: Float[Array, " batch"], weights: Weights) -> Float[Array, ""]:
    """Return Σ_b w_b ℓ_b / Σ_b w_b, or the plain mean where `weights` is None."""
    if weights is None:
        return jnp.mean(per_example)
    return jnp.sum(_shares(weights, per_example) * per_example)


def spread(rows: Float[Array, "batch outputs"], weights: Weights) -> Array:
    """Return w_b / Σ w times each row: the derivative of `mean`, carried to the rows."""
    if weights is None:
        return rows * (1 / rows.shape[0])
    return rows * _shares(weights, rows)[:, None]


def _shares(weights: ArrayLike, like: Array) -> Array:
    weights = jnp.asarray(weights)
    if weights.shape != like.shape[:1]:
        raise ValueError(
            f"weights: one number per example is expected, shape {like.shape[:1]}, "
            f"got shape {weights.shape}"
        )
    w = weights.astype(like.dtype)
    total = jnp.sum(w)
    # A batch without weight has cost 0 and gradient 0: it must not turn the parameters into NaN.
    return w / jnp.where(total == 0, jnp.ones_like(total), total)


def targets(loss: Loss, output: Num[Array, "..."], y: Targets) -> Array:
    """Return `y` as the loss reads it: labels (batch,) as integers, numbers (batch, outputs).

    A target (batch,) for one output unit becomes (batch, 1), so that it is never broadcast to
    (batch, batch).

    Raises:
        ValueError: the shape or dtype does not fit; the message says what was expected.
    """
    y = jnp.asarray(y)
    if output.ndim != 2 or not jnp.issubdtype(output.dtype, jnp.floating):
        raise ValueError(
            f"outputs: {loss.name} takes a floating array of shape (batch, outputs), got "
            f"{output.dtype} of shape {output.shape}"
        )
    whole = jnp.issubdtype(y.dtype, jnp.integer)
    if loss.labels and whole:
        if y.shape != output.shape[:1]:
            raise ValueError(
                f"y: {loss.name} takes integer labels of shape {output.shape[:1]} or a float "
                f"distribution of shape {output.shape}, got {y.dtype} of shape {y.shape}"
                + ("; one-hot rows have to be float" if y.shape == output.shape else "")
            )
        return y.astype(jnp.int32)
    if y.shape == output.shape[:1] and output.shape[1] == 1:
        y = y[:, None]
    if y.shape != output.shape:
        labels = f"integer labels of shape {output.shape[:1]} or " if loss.labels else ""
        raise ValueError(
            f"y: {loss.name} with outputs of shape {output.shape} takes {labels}targets of shape "
            f"{output.shape}, got {y.dtype} of shape {y.shape}"
        )
    return y.astype(output.dtype)


def check_output(loss: Loss, output: Activation) -> None:
    """Raise a `ValueError` that names the right partner unless loss and output go together."""
    if not output.differentiable:
        raise ValueError(f"output: {activations.no_derivative(output)}")
    if loss.fused is None or loss.fused.output == output:
        return
    own = loss.fused.output.name
    partners = [
        other.name
        for other in LOSSES.values()
        if other.fused is not None and other.fused.output == output
    ]
    instead = [*partners, "mean_squared_error"][0]
    raise ValueError(
        f"loss {loss.name!r} goes with output={own!r}, the network has output={output.name!r}: "
        f"use output={own!r}, or {instead!r} as the loss"
    )


def from_name(loss: str | Loss, argument: str = "loss") -> Loss:
    """Return one of ours by its name; a `Loss` is returned as it is.

    >>> from_name("cross_entropy").fused.output.name
    'softmax'

    Raises:
        ValueError: the name is unknown; the message has the nearest known one.
    """
    return look_up(loss, LOSSES, Loss, "loss", argument)


def _times_log(y: Array, a: Array) -> Array:
    # y log a with its limit 0 at y = 0, also where a = 0 and log a = −∞.
    return jnp.where(y == 0, jnp.zeros_like(a), y * jnp.log(jnp.where(y == 0, 1.0, a)))


def _over(y: Array, a: Array) -> Array:
    return jnp.where(y == 0, jnp.zeros_like(a), y / jnp.where(y == 0, 1.0, a))


def _squared_error(a: Array, y: Array) -> Array:
    return jnp.sum(jnp.square(a - y), axis=-1)


def _squared_error_derivative(a: Array, y: Array) -> Array:
    return 2 * (a - y)


def _half_squared_error(a: Array, y: Array) -> Array:
    return 0.5 * _squared_error(a, y)


def _half_squared_error_derivative(a: Array, y: Array) -> Array:
    return a - y


def _distribution(y: Array, like: Array) -> Array:
    if jnp.issubdtype(y.dtype, jnp.floating):
        return y
    classes = lax.broadcasted_iota(y.dtype, like.shape, 1)
    return (classes == y[:, None]).astype(like.dtype)


def _cross_entropy(a: Array, y: Array) -> Array:
    return -jnp.sum(_times_log(_distribution(y, a), a), axis=-1)


def _cross_entropy_derivative(a: Array, y: Array) -> Array:
    return -_over(_distribution(y, a), a)


def _log_softmax(z: Array) -> Array:
    s = activations.shifted(z)
    return s - jnp.log(jnp.sum(jnp.exp(s), axis=-1, keepdims=True))


def _softmax_cross_entropy(z: Array, y: Array) -> Array:
    y = _distribution(y, z)
    return -jnp.sum(jnp.where(y == 0, jnp.zeros_like(z), y * _log_softmax(z)), axis=-1)


def _softmax_cross_entropy_delta(z: Array, y: Array) -> Array:
    p = activations.softmax(z)
    if jnp.issubdtype(y.dtype, jnp.integer):
        there = ((y >= 0) & (y < z.shape[-1]))[:, None]
        return jnp.where(there, p, jnp.zeros_like(p)) - _distribution(y, z)
    return jnp.sum(y, axis=-1, keepdims=True) * p - y


def _binary_cross_entropy(a: Array, y: Array) -> Array:
    return -jnp.sum(_times_log(y, a) + _times_log(1 - y, 1 - a), axis=-1)


def _binary_cross_entropy_derivative(a: Array, y: Array) -> Array:
    return _over(1 - y, 1 - a) - _over(y, a)


def _sigmoid_cross_entropy(z: Array, y: Array) -> Array:
    z = activations.finite(z)
    return jnp.sum(jnp.maximum(z, 0) - y * z + jnp.log1p(jnp.exp(-jnp.abs(z))), axis=-1)


def _sigmoid_cross_entropy_delta(z: Array, y: Array) -> Array:
    return activations.sigmoid(z) - y


mean_squared_error = Loss("mean_squared_error", _squared_error, _squared_error_derivative)
half_mean_squared_error = Loss(
    "half_mean_squared_error", _half_squared_error, _half_squared_error_derivative
)
cross_entropy = Loss(
    "cross_entropy",
    _cross_entropy,
    _cross_entropy_derivative,
    Fused(activations.softmax, _softmax_cross_entropy, _softmax_cross_entropy_delta),
    labels=True,
)
binary_cross_entropy = Loss(
    "binary_cross_entropy",
    _binary_cross_entropy,
    _binary_cross_entropy_derivative,
    Fused(activations.sigmoid, _sigmoid_cross_entropy, _sigmoid_cross_entropy_delta),
)

LOSSES = {
    loss.name: loss
    for loss in (mean_squared_error, half_mean_squared_error, cross_entropy, binary_cross_entropy)
}
