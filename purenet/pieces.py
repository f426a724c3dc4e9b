"""Softmax and cross-entropy over many classes, in pieces of the outputs.

The last layer, z = a W + b, is the largest array of a network with 50,000 outputs. With
`classes_at_once=c` it is never there: c columns of it are computed at a time, twice.

First, what the whole row decides, updated piece by piece (Milakov & Gimelshein 2018; the gap in
the same way, so that no large numbers cancel):

    m = max_k z_k,    s = Σ_k e^(z_k − m),    n = Σ_k y_k,    g = Σ_k y_k (m − z_k)
    ℓ = Σ_k y_k (log Σ_j e^z_j − z_k) = n log s + g

Then δ = n e^(z − m) / s − y of each piece, which gives its columns of ∂C/∂W = aᵀ δ and of
∂C/∂b = Σ_b δ[b], and its part of ∂C/∂a = Σ_pieces δ Wᵀ.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from purenet import losses
from purenet.activations import finite
from purenet.losses import Loss, Targets, Weights
from purenet.network import Dense, Network, matmul, weighted_input
from purenet.products import transposed_product

Carry = TypeVar("Carry")


class Row(NamedTuple):
    """What the classes seen so far say of each example: m, s, n and g, each (batch,)."""

    peak: Array
    total: Array
    mass: Array
    gap: Array


def cross_entropy(
    net: Network, layer: Dense, a: Float[Array, "batch in"], y: Targets, weights: Weights
) -> tuple[Float[Array, ""], Dense, Float[Array, "batch in"]]:
    """Return the cost, the gradient of the last layer and ∂C/∂a, from the last layer's input.

    Raises:
        ValueError: the shape or dtype of `y` or `weights` does not fit.
    """
    y, product = _targets(net, layer, a, y), functools.partial(matmul, net, (layer,))
    lowest = jnp.full_like(a[:, 0], -jnp.finfo(a.dtype).max)
    nothing = jnp.zeros_like(lowest)

    def seen(row: Row, start: Int[Array, ""] | int, size: int) -> Row:
        piece = _columns(layer, start, size)
        return _updated(row, finite(weighted_input(net, piece, a)), _part(y, start, size, a))

    def derived(carry: tuple[Dense, Array], start: Int[Array, ""] | int, size: int) -> tuple:
        grads, received = carry
        piece = _columns(layer, start, size)
        z = finite(weighted_input(net, piece, a))
        delta = losses.spread(_delta(row, z, _part(y, start, size, a)), weights)
        found = Dense(transposed_product(product, a, delta), jnp.sum(delta, axis=0))
        received = received + product(delta, piece.weight.T)
        return _written(grads, found, start), received

    row = _over_pieces(net, seen, Row(lowest, nothing, nothing, nothing))
    value = losses.mean(row.mass * jnp.log(row.total) + row.gap, weights)
    empty = jax.tree.map(jnp.zeros_like, layer)
    return value, *_over_pieces(net, derived, (empty, jnp.zeros_like(a)))


def needed(net: Network) -> bool:
    """Return whether the outputs are more than `classes_at_once`."""
    return net.classes_at_once is not None and net.classes_at_once < net.sizes[-1]


def check_loss(net: Network, loss: Loss) -> None:
    """Raise a `ValueError` if the network's outputs are taken in pieces and `loss` cannot be."""
    if net.classes_at_once is not None and loss != losses.cross_entropy:
        raise ValueError(
            f"classes_at_once: it goes with the loss 'cross_entropy', got {loss.name!r}; leave it "
            f"out of the description"
        )


def _over_pieces(net: Network, step: Callable[..., Carry], carry: Carry) -> Carry:
    # All pieces have the same size, which a compiled loop needs, but for a smaller last one.
    size = net.classes_at_once or net.sizes[-1]
    whole, rest = divmod(net.sizes[-1], size)
    starts = size * jnp.arange(whole, dtype=jnp.int32)
    carry, _ = lax.scan(lambda c, start: (step(c, start, size), None), carry, starts)
    return step(carry, whole * size, rest) if rest else carry


def _updated(row: Row, z: Float[Array, "batch piece"], y: Float[Array, "batch piece"]) -> Row:
    # The peak is any number near the largest: nothing depends on it but rounding.
    peak = lax.stop_gradient(jnp.maximum(row.peak, jnp.max(z, axis=1)))
    rise = peak - row.peak
    above = peak[:, None] - z
    return Row(
        peak,
        row.total * jnp.exp(-rise) + jnp.sum(jnp.exp(-above), axis=1),
        row.mass + jnp.sum(y, axis=1),
        row.gap + _times(row.mass, rise) + jnp.sum(_times(y, above), axis=1),
    )


def _delta(row: Row, z: Float[Array, "batch piece"], y: Float[Array, "batch piece"]) -> Array:
    p = jnp.exp(z - row.peak[:, None]) / row.total[:, None]
    return row.mass[:, None] * p - y


def _times(share: Array, distance: Array) -> Array:
    # A class without a share in the target adds nothing, however far it is.
    return jnp.where(share == 0, jnp.zeros_like(distance), share * distance)


def _columns(layer: Dense, start: Int[Array, ""] | int, size: int) -> Dense:
    return Dense(
        lax.dynamic_slice_in_dim(layer.weight, start, size, axis=1),
        lax.dynamic_slice_in_dim(layer.bias, start, size),
    )


def _written(grads: Dense, found: Dense, start: Int[Array, ""] | int) -> Dense:
    weight, bias = (new.astype(old.dtype) for new, old in zip(found, grads, strict=True))
    return Dense(
        lax.dynamic_update_slice_in_dim(grads.weight, weight, start, axis=1),
        lax.dynamic_update_slice_in_dim(grads.bias, bias, start, axis=0),
    )


def _part(y: Array, start: Int[Array, ""] | int, size: int, like: Array) -> Array:
    if jnp.issubdtype(y.dtype, jnp.floating):
        return lax.dynamic_slice_in_dim(y, start, size, axis=1).astype(like.dtype)
    classes = start + lax.broadcasted_iota(jnp.int32, (y.shape[0], size), 1)
    return (classes == y[:, None]).astype(like.dtype)


def _targets(net: Network, layer: Dense, a: Array, y: Targets) -> Array:
    # Shapes and dtypes alone: distributions are not copied.
    def checked(a: Array) -> Array:
        return losses.targets(losses.cross_entropy, weighted_input(net, layer, a), y)

    y, read = jnp.asarray(y), jax.eval_shape(checked, a)
    return y.astype(read.dtype) if jnp.issubdtype(read.dtype, jnp.integer) else y
