"""What the forward pass keeps of the hidden layers, and what the backward pass computes again.

One array per hidden layer is enough: a = σ(z) where it determines σ′(z), else z, from which the
weight gradient's a = σ(z) is computed a second time. With `checkpoint_every=k` only one layer in k
is kept, and the layers between are run a second time from there:

| kept | arrays at the peak, L − 1 hidden layers | computed a second time |
|---|---|---|
| a: sigmoid, tanh, relu, leaky_relu, softplus, elu | L − 1 | nothing |
| z: silu, gelu, an own activation by default | L − 1 | a = σ(z), elementwise |
| every k-th of either | about (L − 1) / k + k | up to (k − 1)/k of the forward pass |

A second computation saves memory only if it is made late. A compiler that sees the first one in it
merges the two, and one whose inputs are all there may be made early: `after` prevents both.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from purenet.activations import Activation, identity
from purenet.network import Network, Params, weighted_input

Kept = tuple[Any, ...]  # an array per layer, or None where it is computed again


def hidden_layers(
    net: Network, params: Params, a: Float[Array, "batch units"], first: int, last: int
) -> tuple[Float[Array, "batch above"], list[Array]]:
    """Return a_last and what is kept of the hidden layers first + 1 … last, from a = a_first."""
    kept = []
    for layer, activation in zip(params[first:last], net.hidden[first:last], strict=True):
        z = weighted_input(net, layer, a)
        a = activation(z)
        kept.append(activation.kept(z, a))
    return a, kept


def thinned(net: Network, kept: list[Array]) -> Kept:
    """Return a_0 and the hidden layers, `None` in the place of those to compute again.

    Layers 0, k, 2k, … stay, and all after the last of them, which the backward pass begins with.

    >>> from purenet.network import mlp
    >>> layers = [jnp.full((1, 1), n) for n in range(9)]
    >>> kept = thinned(mlp([2] * 10, checkpoint_every=3), layers)
    >>> [n for n, array in enumerate(kept) if array is not None]
    [0, 3, 6, 7, 8]
    """
    every = net.checkpoint_every or 1
    last = (len(kept) - 1) // every * every
    return tuple(array if n % every == 0 or n > last else None for n, array in enumerate(kept))


def refilled(
    net: Network, params: Params, kept: Kept, layer: int, delta: Float[Array, "batch above"]
) -> Kept:
    """Return `kept` with `layer` and what is missing below it, computed after `delta`."""
    if kept[layer] is not None:
        return kept
    first = max(n for n in range(layer) if kept[n] is not None)
    in_time = after(kept[first], jnp.sum(delta, axis=1, keepdims=True))
    a = activation_of(net, first).output(in_time)
    _, again = hidden_layers(net, params, a, first, layer)
    return (*kept[: first + 1], *again, *kept[layer + 1 :])


def activation_of(net: Network, layer: int) -> Activation:
    """Return σ_layer; of layer 0, the scaled inputs, it is the identity."""
    return net.hidden[layer - 1] if layer else identity


def output_of(
    activation: Activation,
    kept: Float[Array, "batch units"],
    received: Float[Array, "batch units"],
) -> Float[Array, "batch units"]:
    """Return a = σ(z) for the weight gradient, from what is kept and ∂C/∂a."""
    # What σ(z) and σ′(z) have in common would be written to memory and read again: with another
    # condition than that of `delta_of` they are two passes, each of which reads z once.
    return kept if activation.keeps == "output" else activation(after(kept, -received))


def delta_of(
    activation: Activation,
    kept: Float[Array, "batch units"],
    received: Float[Array, "batch units"],
) -> Float[Array, "batch units"]:
    """Return δ = ∂C/∂z from what is kept and ∂C/∂a."""
    z_in_time = activation.keeps == "weighted_input"
    return activation.delta(after(kept, received) if z_in_time else kept, received)


def after(
    array: Float[Array, "batch units"], cotangent: Float[Array, "#batch #units"]
) -> Float[Array, "batch units"]:
    """Return `array`, bit for bit, in a form that needs `cotangent` to be computed first.

    No number is both equal and unequal to itself, NaN included, and XLA does not see that.
    `jax.lax.optimization_barrier` says the same in fewer words, but up to jaxlib 0.10 the CPU
    compiler takes it away before it decides what to fuse and in which order to compute.

    >>> after(jnp.array([[1.0, 2.0]]), jnp.array([[jnp.nan]])).tolist()
    [[1.0, 2.0]]
    """
    never = (cotangent == cotangent) & (cotangent != cotangent)
    return jnp.where(never, jnp.zeros_like(array), array)
