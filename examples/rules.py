"""Four hand-written rules, and what `purenet.prove` says of them.

A right one is proved, a wrong one is refuted by arrays, one that needs a condition is proved with
it, and one with a primitive that the prover does not know is unknown. The section "Prove your own
gradient" of the README goes through them one by one.
"""

import argparse
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax.scipy.special import i0e, i1e

from purenet import prove


@jax.custom_vjp
def softmax(z):
    e = jnp.exp(z - jnp.max(z, axis=-1, keepdims=True))
    return e / jnp.sum(e, axis=-1, keepdims=True)


def forward(z):
    p = softmax(z)
    return p, p


def backward(p, cotangent):
    return (p * (cotangent - jnp.sum(p * cotangent, axis=-1, keepdims=True)),)


softmax.defvjp(forward, backward)


def diagonal(z, cotangent):
    p = softmax(z)
    return (p * (1 - p) * cotangent,)


def relu(z):
    return jnp.maximum(z, 0)


def relu_pullback(z, cotangent):
    return (jnp.where(z > 0, cotangent, 0),)


def bessel(x):
    return i0e(x)


def bessel_pullback(x, cotangent):
    return ((i1e(x) - jnp.sign(x) * i0e(x)) * cotangent,)


def textbook(z):
    return jnp.exp(z) / jnp.sum(jnp.exp(z), axis=-1, keepdims=True)


def theorems() -> tuple[prove.Theorem, ...]:
    """One theorem for each kind of answer."""
    return (
        prove.rule(softmax, prove.real("batch k")),
        prove.vjp(softmax, diagonal, prove.real("batch k"), name="diagonal"),
        prove.vjp(relu, relu_pullback, prove.real("n")),
        prove.vjp(bessel, bessel_pullback, prove.real("n")),
    )


def main(arguments: Sequence[str] | None = None) -> tuple[prove.Theorem, ...]:
    """Print the four reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args(arguments)
    found = theorems()
    print(*found, sep="\n\n")
    return found


if __name__ == "__main__":
    main()
