"""A network applied to any number of rows, a bounded piece at a time, and scored."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int

from purenet import batches, losses, metrics, sharding
from purenet.batches import Data
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, as_inputs

ROWS_AT_ONCE = 8192


class Spread(NamedTuple):
    """Data that is checked and spread over the devices of a mesh.

    Attributes:
        mesh: the mesh.
        pieces: returns the data, a bounded number of rows per device at a time.
        there: which rows of all pieces together are examples; the others fill up.
    """

    mesh: Mesh
    pieces: Callable[[], Iterator[Data]]
    there: Int[np.ndarray, " n"]


def predict(net: Network, params: Params, x: Any) -> Float[Array, "n out"]:
    """Return `net.apply(params, x)` for any number of rows, compiled.

    Raises:
        ValueError: the shape of x does not fit the network.
    """
    if np.ndim(x) != 2:
        raise ValueError(f"x: expected shape (n, {net.sizes[0]}), got {np.shape(x)}")
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    found = [_compiled_apply(net, params, as_inputs(piece)) for piece in _pieces(x)]
    return found[0] if len(found) == 1 else jnp.concatenate(found)


def evaluate(
    net: Network,
    loss: str | Loss,
    params: Params,
    data: tuple,
    metric: str | Metric | None = None,
) -> tuple[float, float]:
    """Return (loss, metric) of the network on (x, y) or (x, y, weights).

    The metric is by default the one that fits the loss: accuracy for classes, else rmse.

    Raises:
        ValueError: data or names that cannot be used, as in `purenet.fit`.
    """
    loss = losses.from_name(loss)
    metric = metrics.fitting(loss) if metric is None else metrics.from_name(metric)
    if loss.fused is not None:
        losses.check_output(loss, net.output)
    return scores(net, loss, metric, params, batches.parse(net, loss, data))


def scores(
    net: Network, loss: Loss, metric: Metric, params: Params, data: Data | Spread
) -> tuple[float, float]:
    """Return (loss, metric) on data that is already checked."""
    if isinstance(data, Spread):
        return _scores_on_mesh(net, loss, metric, params, data)
    z = tuple(_compiled_logits(net, params, jax.device_put(x)) for x in _pieces(data.x))
    value, measured = jax.device_get(_scores(net, loss, metric, z, data.y, data.weights))
    return float(value), float(measured)


def _pieces(x: Any) -> Iterator[Any]:
    """Yield the rows in as few pieces as can be, of one length if that is possible."""
    count = max(1, -(-len(x) // ROWS_AT_ONCE))
    rows = max(1, -(-len(x) // count))
    return (x[i : i + rows] for i in range(0, max(len(x), 1), rows))


def _scores_on_mesh(
    net: Network, loss: Loss, metric: Metric, params: Params, data: Spread
) -> tuple[float, float]:
    with sharding.within(data.mesh):
        rows = [(_compiled_logits(net, params, p.x), p.y, p.weights) for p in data.pieces()]
        found = _scores_of_all(net, loss, metric, data.mesh, tuple(rows), data.there)
    value, measured = jax.device_get(found)
    return float(value), float(measured)


@functools.partial(jax.jit, static_argnames="net")
def _compiled_apply(net: Network, params: Params, x: Array) -> Array:
    return net.apply(params, x)


@functools.partial(jax.jit, static_argnames="net")
def _compiled_logits(net: Network, params: Params, x: Array) -> Array:
    return net.logits(params, x)


@functools.partial(jax.jit, static_argnames=("net", "loss", "metric"))
def _scores(
    net: Network, loss: Loss, metric: Metric, pieces: tuple[Array, ...], y: Array, weights: Array
) -> tuple[Array, Array]:
    z = pieces[0] if len(pieces) == 1 else jnp.concatenate(pieces)
    a = net.output(z)
    value = loss(a, y, weights) if loss.fused is None else loss.from_logits(z, y, weights)
    return value, metrics.measure(metric, loss, a, y, weights)


@functools.partial(jax.jit, static_argnames=("net", "loss", "metric", "mesh"))
def _scores_of_all(
    net: Network,
    loss: Loss,
    metric: Metric,
    mesh: Mesh,
    rows: tuple[tuple[Array, Array, Array], ...],
    there: Array,
) -> tuple[Array, Array]:
    # A metric of one's own may look at all examples at once, so that every device sees them all.
    rows = jax.lax.with_sharding_constraint(rows, sharding.whole(mesh))
    z, y, weights = (jnp.concatenate(each)[there] for each in zip(*rows, strict=True))
    return _scores(net, loss, metric, (z,), y, weights)
