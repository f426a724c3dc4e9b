"""Each stable form is the same function of real numbers as the textbook form."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
from jax import Array, lax

from purenet import activations, losses
from purenet.activations import Activation
from purenet.losses import Loss
from purenet.prove.builtin.claim import Claim, equal
from purenet.prove.builtin.losses import ROWS, forms
from purenet.prove.domains import positive, real

Z = real("batch units")

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: 1 / (1 + jnp.exp(-z)),
    "tanh": lambda z: (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z)),
    "relu": lambda z: jnp.maximum(0, z),
    "softmax": lambda z: jnp.exp(z) / jnp.sum(jnp.exp(z), axis=-1, keepdims=True),
    "softplus": lambda z: jnp.log(1 + jnp.exp(z)),
    "leaky_relu": lambda z: jnp.maximum(z, 0.01 * z),
    "elu": lambda z: jnp.where(z > 0, z, jnp.exp(z) - 1),
    "silu": lambda z: z / (1 + jnp.exp(-z)),
    "gelu": lambda z: z * (1 + lax.erf(z / jnp.sqrt(2.0))) / 2,
}

# The derivatives as the notes write them, from the value.
DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: activations.sigmoid(z) * (1 - activations.sigmoid(z)),
    "tanh": lambda z: 1 - jnp.tanh(z) ** 2,
}


def claims() -> Iterator[Claim]:
    """`softmax.textbook`, `sigmoid.derivative.textbook`, `cross_entropy.textbook.labels`, …"""
    for name, written in ACTIVATIONS.items():
        yield equal(f"{name}.textbook", activations.ACTIVATIONS[name], written, Z)
    for name, written in DERIVATIVES.items():
        if (shipped := activations.ACTIVATIONS[name].derivative) is not None:
            yield equal(f"{name}.derivative.textbook", shipped, written, Z)
    for loss, in_z in (
        (losses.cross_entropy, cross_entropy),
        (losses.binary_cross_entropy, binary_cross_entropy),
    ):
        if loss.fused is not None:
            yield from of_logits(loss, loss.fused.output, in_z)


def of_logits(loss: Loss, output: Activation, written: Callable[..., Array]) -> Iterator[Claim]:
    """The fused value is the loss of the activated output, and the textbook formula in z."""

    def of_activated(z: Array, y: Array, *weights: Array) -> Array:
        return loss(output(z), y, *weights)

    for words, given in forms(loss, positive("batch")):
        name = f"{loss.name}.from_logits{words}"
        yield equal(name, loss.from_logits, of_activated, real(ROWS), *given)
        if len(given) == 1:
            yield equal(f"{name}.textbook", loss.from_logits, written, real(ROWS), *given)


def cross_entropy(z: Array, y: Array) -> Array:
    """−Σ_k y_k log(e^z_k / Σ_j e^z_j), the mean over the batch; a label is its one-hot row."""
    if jnp.issubdtype(y.dtype, jnp.integer):
        y = jax.nn.one_hot(y, z.shape[-1], dtype=z.dtype)
    p = jnp.exp(z) / jnp.sum(jnp.exp(z), axis=-1, keepdims=True)
    return jnp.mean(-jnp.sum(y * jnp.log(p), axis=-1))


def binary_cross_entropy(z: Array, y: Array) -> Array:
    """−Σ (y log a + (1 − y) log(1 − a)) with a = 1 / (1 + e^−z), the mean over the batch."""
    a = 1 / (1 + jnp.exp(-z))
    return jnp.mean(-jnp.sum(y * jnp.log(a) + (1 - y) * jnp.log(1 - a), axis=-1))
