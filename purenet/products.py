"""aᵀ δ, the product of a weight gradient, in the form that each platform computes fastest.

A matrix product has three forms in a dense network: a W forward, δ Wᵀ for the layer below, aᵀ δ for
the weights. XLA's fast CPU library takes the first two; for a transposed left factor it falls back
to a slower loop, five times as slow for an output of ten units. There the same numbers come out of
a product whose left factor lies as it is read, and is small:

    aᵀ δ = (copy(δᵀ) · a)ᵀ            for 2 to 64 units

An accelerator's library takes every form, so nothing is copied there. Measured by
`benchmarks/products.py`; `docs/performance.md` has what was tried for wider layers.
"""

import functools
from collections.abc import Callable
from typing import Any

from jax import lax
from jaxtyping import Array, Float

from purenet.recompute import after

Product = Callable[[Any, Any], Any]

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
    forms = {"cpu": on_cpu(delta.shape[1]), "default": plain}
    return lax.platform_dependent(
        a, delta, **{name: functools.partial(form, product) for name, form in forms.items()}
    )


def on_cpu(width: Any) -> Callable[[Product, Array, Array], Array]:
    """Return the form for a CPU. The prover's widths are symbols, which cannot be compared."""
    if not isinstance(width, int):
        return plain
    return narrow if 1 < width <= NARROW else plain


def plain(product: Product, a: Array, delta: Array) -> Array:
    """Return aᵀ δ as it is written."""
    return product(a.T, delta)


def narrow(product: Product, a: Array, delta: Array) -> Array:
    """Return (copy(δᵀ) · a)ᵀ."""
    # A barrier around a product that `vmap` has batched gives it a layout that XLA's CPU compiler
    # (jaxlib 0.10) stops the process at.
    return after_itself(product(after_itself(delta.T), a)).T


def after_itself(array: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
    """Return the array, in a form that XLA does not fold into a product."""
    return after(array, array)
