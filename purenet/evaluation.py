"""A network applied to any number of rows, a bounded piece at a time, and scored."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from purenet import batches, losses, metrics
from purenet.batches import Data
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, as_inputs

ROWS_AT_ONCE = 8192


def predict(net: Network, params: Params, x: Any) -> Float[Array, "n out"]:
    """Return `net.apply(params, x)` for any number of rows, compiled.

    Raises:
        ValueError: the shape of x does not fit the network.
    """
    if np.ndim(x) != 2:
        raise ValueError(f"x: expected shape (n, {net.sizes[0]}), got {np.shape(x)}")
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    pieces = [x[i : i + ROWS_AT_ONCE] for i in range(0, max(len(x), 1), ROWS_AT_ONCE)]
    return jnp.concatenate([_compiled_apply(net, params, as_inputs(p)) for p in pieces])


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
    net: Network, loss: Loss, metric: Metric, params: Params, data: Data
) -> tuple[float, float]:
    """Return (loss, metric) on data that is already checked."""
    starts = range(0, len(data.x), ROWS_AT_ONCE)
    z = [_compiled_logits(net, params, jnp.asarray(data.x[i : i + ROWS_AT_ONCE])) for i in starts]
    whole = z[0] if len(z) == 1 else jnp.concatenate(z)
    value, measured = jax.device_get(_scores(net, loss, metric, whole, data.y, data.weights))
    return float(value), float(measured)


@functools.partial(jax.jit, static_argnames="net")
def _compiled_apply(net: Network, params: Params, x: Array) -> Array:
    return net.apply(params, x)


@functools.partial(jax.jit, static_argnames="net")
def _compiled_logits(net: Network, params: Params, x: Array) -> Array:
    return net.logits(params, x)


@functools.partial(jax.jit, static_argnames=("net", "loss", "metric"))
def _scores(
    net: Network, loss: Loss, metric: Metric, z: Array, y: Array, weights: Array
) -> tuple[Array, Array]:
    a = net.output(z)
    value = loss(a, y, weights) if loss.fused is None else loss.from_logits(z, y, weights)
    return value, metrics.evaluate(metric, loss, a, y, weights)
