"""Data on its way into training: checked once, then cut into batches by seed and epoch.

An epoch visits every example once in an order that is a function of (key, epoch) alone, and of the
stripes in which several processes hold the data. Its rows of indices (updates, batch) end with −1
where a batch is short; such a place has weight 0.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, Num, Shaped

from purenet.losses import Loss
from purenet.network import Network


class Data(NamedTuple):
    """Aligned examples: inputs, targets and a weight per example."""

    x: Num[Array, "n features"] | np.ndarray
    y: Num[Array, "n ..."] | np.ndarray
    weights: Float[Array, " n"] | np.ndarray


def parse(net: Network, loss: Loss, data: Any, name: str = "data") -> Data:
    """Return (x, y) or (x, y, weights) as checked NumPy arrays; uint8 inputs stay uint8.

    Raises:
        ValueError: it is not such a tuple; shapes do not fit the network; lengths differ; nothing
            in it; NaN or infinity; a label out of range; a weight that is negative, or all
            weights 0. The message says where the first offender is.
    """
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise ValueError(f"{name}: a tuple (x, y) or (x, y, weights) is expected, got {type(data)}")
    x, y = _array(data[0]), _array(data[1])
    _check_array(f"{name} x", x)
    _check_array(f"{name} y", y)
    if x.ndim != 2 or x.shape[1] != net.sizes[0]:
        raise ValueError(
            f"{name} x: expected shape (n, {net.sizes[0]}), got {x.shape}"
            + ("; reshape it to (n, -1)" if x.ndim > 2 else "")
        )
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"{name}: as many targets as examples are expected, got x of shape {x.shape} and y of "
            f"shape {y.shape}"
        )
    y = _targets(net, loss, y, name)
    weights = np.ones(len(x), np.float32) if len(data) == 2 else _weights(data[2], len(x), name)
    return Data(_inputs(x), y, weights)


def check_classes(loss: Loss, data: Data, name: str = "data") -> None:
    """Raise a `ValueError` if the examples to train a classifier on are all of one class."""
    classes = _classes(loss, np.asarray(data.y))
    if classes is not None and len(classes) > 1 and (classes == classes[0]).all():
        raise ValueError(
            f"{name} y: all {len(classes)} labels are class {int(classes[0])}; a classifier is "
            "trained on two classes or more"
        )


def order(
    key: jax.Array, epoch: int, examples: int | tuple[int, ...], batch: int
) -> Int[np.ndarray, "updates batch"]:
    """Return the epoch's rows of indices: ⌈n / batch⌉ updates, −1 behind the last example.

    >>> rows = order(jax.random.key(0), 0, examples=5, batch=2)
    >>> rows.shape, sorted(rows.ravel().tolist())
    ((3, 2), [-1, 0, 1, 2, 3, 4])

    Args:
        key: with `epoch`, what the order is a function of.
        epoch: its number.
        examples: how many; or the lengths of the stripes in which they lie one after the other.
            Then each batch has `shares` of every stripe, side by side, and each stripe is
            shuffled by itself; an epoch ends with the last stripe, the others give −1 before.
        batch: examples per update.
    """
    stripes = (examples,) if isinstance(examples, int) else examples
    count, start, columns = updates(stripes, batch), 0, []
    for stripe, width in enumerate(shares(batch, len(stripes))):
        own = stripe_order(key, epoch, stripe, stripes[stripe], count, width)
        columns.append(np.where(own < 0, own, own + np.int32(start)))
        start += stripes[stripe]
    return np.hstack(columns)


def stripe_order(
    key: jax.Array, epoch: int, stripe: int, examples: int, updates: int, width: int
) -> Int[np.ndarray, "updates width"]:
    """Return the columns of `order` that belong to one stripe, as indices into the stripe."""
    words = np.asarray(jax.random.key_data(key)).ravel().tolist()
    # NumPy permutes 60,000 indices in under 1 ms where jax.random takes 10 on a CPU.
    shuffled = np.random.default_rng([*words, epoch, stripe]).permutation(examples)
    rows = np.full(updates * width, -1, np.int32)
    rows[:examples] = shuffled
    return rows.reshape(updates, width)


def updates(stripes: tuple[int, ...], batch: int) -> int:
    """Return the updates of an epoch: as many as the stripe needs that lasts longest."""
    widths = shares(batch, len(stripes))
    return max(-(-n // width) for n, width in zip(stripes, widths, strict=True))


def shares(batch: int, stripes: int) -> tuple[int, ...]:
    """Return how many examples of a batch come from each stripe: the same, or one more.

    >>> shares(128, 3)
    (43, 43, 42)
    """
    return tuple(batch // stripes + (stripe < batch % stripes) for stripe in range(stripes))


def chunks(
    data: Data, rows: Int[np.ndarray, "updates batch"], limit: int
) -> Iterator[tuple[Data, Int[np.ndarray, "updates batch"]]]:
    """Yield the epoch in pieces of whole updates, each at most `limit` bytes of x (or one update).

    Each piece holds its own examples in order, and its rows of indices point into the piece.
    """
    row_bytes = max(1, data.x.nbytes // len(data.x))
    per_chunk = max(1, limit // (row_bytes * rows.shape[1]))
    for start in range(0, len(rows), per_chunk):
        piece = rows[start : start + per_chunk]
        picked = np.maximum(piece.ravel(), 0)
        local = np.where(piece < 0, -1, np.arange(piece.size, dtype=np.int32).reshape(piece.shape))
        yield Data(data.x[picked], data.y[picked], data.weights[picked]), local.astype(np.int32)


def class_weights(
    labels: Shaped[ArrayLike, " n"], classes: int, given: dict[int, float] | None = None
) -> Float[np.ndarray, " n"]:
    """Return a weight per example from its class: n / (classes · count) by default ("balanced").

    >>> class_weights(np.array([0, 0, 1, 0, 0, 1, 1, 0, 0, 1]), 2, {1: 1.5}).tolist()[:3]
    [1.0, 1.0, 1.5]

    Args:
        labels: the class of each example.
        classes: the number of classes.
        given: a weight for some classes; the others have 1.

    Raises:
        ValueError: a class outside 0 … classes − 1, or a weight that is negative or not finite.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "ui":
        raise ValueError(f"labels: integers are expected, got {labels.dtype}")
    _labels(labels, classes, "class weights")
    counts = np.bincount(labels, minlength=classes)
    per_class = len(labels) / (classes * np.maximum(counts, 1))
    if given is not None:
        per_class = np.ones(classes)
        for label, weight in given.items():
            if not 0 <= label < classes or not 0 <= weight < np.inf:
                raise ValueError(
                    f"class weights: class {label} has weight {weight}; expected classes "
                    f"0 … {classes - 1} and finite weights of at least 0"
                )
            per_class[label] = weight
    return per_class[labels].astype(np.float32)


def _array(given: Any) -> np.ndarray:
    array = np.asarray(given)
    # NumPy does not count bfloat16 among its floating dtypes.
    return array.astype(np.float32) if array.dtype == jnp.bfloat16 else array


def _inputs(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.bool_:
        return x.astype(np.float32)
    # JAX would take the low 32 bits of a wide integer.
    return x.astype(np.float64) if x.dtype.kind in "ui" and x.dtype.itemsize > 4 else x


def _check_array(name: str, array: np.ndarray) -> None:
    if array.dtype == object or array.dtype.kind not in "buif":
        raise ValueError(f"{name}: numbers are expected, got dtype {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{name}: there is no example in it, shape {array.shape}")
    seen = _as_seen(array)
    if array.dtype.kind == "f" and not np.isfinite(seen).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(seen))[0])
        raise ValueError(
            f"{name}: {array[where]} at index {where}; finite numbers of {seen.dtype} are expected"
        )


def _as_seen(array: np.ndarray) -> np.ndarray:
    """The numbers as JAX will hold them: without x64 a float64 becomes a float32."""
    if jax.dtypes.canonicalize_dtype(array.dtype) == array.dtype:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _targets(net: Network, loss: Loss, y: np.ndarray, name: str) -> np.ndarray:
    outputs = net.sizes[-1]
    if loss.labels and y.dtype.kind in "ui":
        return _labels(y, outputs, f"{name} y")
    if y.shape != (len(y), outputs) and not (outputs == 1 and y.ndim == 1):
        labels = "integer labels (n,) or " if loss.labels else ""
        raise ValueError(
            f"{name} y: {loss.name} with {outputs} outputs takes {labels}targets of shape "
            f"({len(y)}, {outputs}), got {y.dtype} of shape {y.shape}"
        )
    if loss.fused is not None and (y.min() < 0 or (not loss.labels and y.max() > 1)):
        raise ValueError(
            f"{name} y: {loss.name} takes targets from 0 to 1, got values from {y.min()} to "
            f"{y.max()}"
        )
    return y.astype(np.float64 if y.dtype == np.float64 else np.float32).reshape(len(y), outputs)


def _labels(y: np.ndarray, classes: int, name: str) -> np.ndarray:
    if y.ndim != 1:
        raise ValueError(f"{name}: integer labels have shape (n,), got {y.shape}")
    bad = np.flatnonzero((y < 0) | (y >= classes))
    if bad.size:
        raise ValueError(
            f"{name}: label {y[bad[0]]} at index {bad[0]}; the network has {classes} outputs, so "
            f"labels are 0 … {classes - 1}"
        )
    return y.astype(np.int32)


def _classes(loss: Loss, y: np.ndarray) -> np.ndarray | None:
    if y.ndim == 1:
        return y
    if not np.isin(y, (0, 1)).all():
        return None
    if loss.labels:
        return y.argmax(axis=1)
    return y[:, 0] if loss.fused is not None and y.shape[1] == 1 else None


def _weights(weights: Any, examples: int, name: str) -> np.ndarray:
    w = _array(weights)
    _check_array(f"{name} weights", w)
    if w.shape != (examples,):
        raise ValueError(f"{name} weights: expected shape ({examples},), got {w.shape}")
    if (w < 0).any() or not (_as_seen(w) > 0).any():
        raise ValueError(f"{name} weights: at least 0, and not all 0, is expected; got {w.min()}")
    return w.astype(np.float64 if w.dtype == np.float64 else np.float32)
