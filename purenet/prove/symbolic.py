"""Domains as the abstract arrays that a function is traced with: their dims are symbolic sizes.

Everything is float64, whatever the global flags say.
"""

import functools
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import ShapeDtypeStruct, export

from purenet.prove.domains import Domain, Polynomial, polynomial, size_text
from purenet.prove.opaque import Opaque
from purenet.prove.sizes import Sizes, at_least_zero

DTYPES = {"real": "float64", "distribution": "float64", "label": "int64", "boolean": "bool"}


def abstract(domains: Any, sizes: Sizes) -> Any:
    """Return the domains' pytree with what is passed to the function.

    An array is a ShapeDtypeStruct whose dims are ints or symbolic, a function is an `Opaque`, a
    static value is itself.
    """
    with jax.enable_x64(True):
        return jax.tree_util.tree_map(lambda domain: abstract_value(domain, sizes), domains)


def abstract_value(leaf: Any, sizes: Sizes) -> Any:
    """What is passed to the function for one domain; anything else is passed as it is."""
    if not isinstance(leaf, Domain):
        return leaf
    if leaf.kind == "static":
        return leaf.value
    if leaf.kind == "function":
        return Opaque(leaf.name)
    return ShapeDtypeStruct(
        tuple(_dim(size, sizes) for size in leaf.shape), jnp.dtype(DTYPES[leaf.kind])
    )


def domain_of(leaf: Any, sizes: Sizes) -> Domain:
    """The domain of an array input, at the sizes."""
    if isinstance(leaf, Domain):
        classes = sizes.of(leaf.classes) if leaf.classes else ""
        return replace(leaf, shape=tuple(map(sizes.of, leaf.shape)), classes=classes)
    kind = {"b": "boolean", "i": "label", "u": "label"}.get(np.dtype(leaf.dtype).kind, "real")
    return Domain(kind, tuple(map(str, leaf.shape)))


def inequality(difference: Polynomial) -> str:
    """`n - 2` as "n >= 2"; the empty text where no size is in it."""
    if not any(difference):
        return ""
    more = {names: factor for names, factor in difference.items() if factor > 0}
    less = {names: -factor for names, factor in difference.items() if factor < 0}
    return f"{size_text(more)} >= {size_text(less)}"


@functools.lru_cache
def _dim(size: str, sizes: Sizes) -> Any:
    """A size as an int or a JAX dimension, by arithmetic on the scope's names."""
    scope = _scope(tuple(filter(None, map(inequality, at_least_zero(sizes)))))
    total: Any = 0
    for names, factor in polynomial(sizes.of(size)).items():
        dims = (export.symbolic_shape(name, scope=scope)[0] for name in names)
        total = total + functools.reduce(lambda a, b: a * b, dims, factor)
    return total


@functools.lru_cache
def _scope(constraints: tuple[str, ...]) -> Any:
    """One scope per set of constraints, so that JAX's caches hold from one trace to the next."""
    return export.SymbolicScope(constraints)
