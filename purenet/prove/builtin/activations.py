"""Each differentiable activation: its derivative, and its pullback from what the network keeps.

What is kept is what the forward pass computes, a = σ(z) or z; it is substituted, never assumed.
"""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
from jax import Array

from purenet.activations import ACTIVATIONS, Activation, softmax
from purenet.prove.builtin.claim import Claim, vjp
from purenet.prove.domains import real

ROWS = real("batch units")


def claims() -> Iterator[Claim]:
    """Two theorems for each activation: `sigmoid.derivative`, `sigmoid.pullback`."""
    for activation in ACTIVATIONS.values():
        if activation.differentiable:
            yield vjp(f"{activation.name}.derivative", activation, by_derivative(activation), ROWS)
            yield vjp(f"{activation.name}.pullback", activation, by_pullback(activation), ROWS)


def by_derivative(activation: Activation) -> Callable[[Array, Array], tuple[Array]]:
    """Return the pullback by the public derivative: σ′(z) times the cotangent, entry by entry."""
    if activation is softmax:
        # Its derivative is the Jacobian of a row, ∂a_i/∂z_k at [..., i, k].
        return lambda z, cotangent: (
            jnp.einsum("...i,...ik->...k", cotangent, softmax.derivative(z)),
        )
    return lambda z, cotangent: (activation.derivative(z) * cotangent,)


def by_pullback(activation: Activation) -> Callable[[Array, Array], tuple[Array]]:
    """Return the pullback that a network runs, from what its forward pass keeps."""

    def pullback(z: Array, cotangent: Array) -> tuple[Array]:
        return (activation.delta(activation.kept(z, activation(z)), cotangent),)

    return pullback
