"""aᵀ δ, the product of a weight gradient, in the form that each platform computes fastest.

A matrix product has three forms in a dense network: a W forward, δ Wᵀ for the layer below, aᵀ δ for
the weights. XLA's fast CPU library takes the first two; for a transposed left factor it falls back
to a slower loop, four times as slow for an output of ten units. The same numbers come out of a
product whose left factor lies as it is read:

    aᵀ δ = copy(aᵀ) · δ                for a wide δ
    aᵀ δ = (copy(δᵀ) · a)ᵀ             for a narrow δ, whose copy is small

An accelerator's library takes every form, so nothing is copied there. Measured by
`benchmarks/products.py`.
"""

import functools
from collections.abc import Callable
from typing import Any

from jax import lax
from jaxtyping import Array, Float

Product = Callable[[Any, Any], Any]

# Up to here copying δᵀ and turning the result round is cheaper than copying aᵀ.
NARROW = 64


def transposed_product(
    product: Product, a: Float[Array, "batch in"], delta: Float[Array, "batch out"]
) -> Float[Array, "in out"]:
    """Return aᵀ δ.

    >>> import jax.numpy as jnp
    >>> a, delta = jnp.ones((3, 2)), jnp.ones((3, 4))
    >>> transposed_product(jnp.matmul, a, delta).tolist()
    [[3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]]

    Args:
        product: (left, right) to their matrix product, with the precision and dtypes wanted.
        a: the left factor, to be transposed.
        delta: the right factor.
    """
    # The prover's sizes are symbols, for which the form of a wide layer stands.
    width = delta.shape[1]
    on_cpu = narrow if isinstance(width, int) and width <= NARROW else wide
    forms = {"cpu": on_cpu, "default": plain}
    return lax.platform_dependent(
        a, delta, **{name: functools.partial(form, product) for name, form in forms.items()}
    )


def plain(product: Product, a: Array, delta: Array) -> Array:
    """Return aᵀ δ as it is written."""
    return product(a.T, delta)


def wide(product: Product, a: Array, delta: Array) -> Array:
    """Return copy(aᵀ) · δ; without the barrier the copy is folded into the product again."""
    return product(lax.optimization_barrier(a.T), delta)


def narrow(product: Product, a: Array, delta: Array) -> Array:
    """Return (copy(δᵀ) · a)ᵀ."""
    return lax.optimization_barrier(product(lax.optimization_barrier(delta.T), a)).T
