"""Trace a function at named sizes.

JAX traces with symbolic dimensions, and decides `n == 1` and `n == m` as False while it does. So a
theorem about the general program says nothing of the sizes where that is wrong; the comparisons
that a program makes are kept beside it (see `coincidences`). Everything is traced in float64,
whatever the global flags say.
"""

import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import ShapeDtypeStruct
from jax._src.export.shape_poly import _DimExpr
from jax.extend.core import ClosedJaxpr

from purenet.prove.domains import Domain
from purenet.prove.sizes import Sizes
from purenet.prove.symbolic import abstract_value, domain_of
from purenet.prove.untraceable import explained, function_name

JAX = os.path.dirname(jax.__file__) + os.sep


class Traced(NamedTuple):
    """A function as a program over arrays of named sizes.

    The dims of `jaxpr` and `out_shapes` are ints or JAX dimensions; `str(dim)` is the text of a
    size, which `domains.polynomial` reads (it refuses `floordiv`, `mod`, `max` and `min`).

    Attributes:
        jaxpr: the program.
        in_domains: of each input; an input that is no argument of a domain is real.
        in_paths: what each input is called: "x", "params[0].weight".
        out_tree: the structure of the output.
        out_shapes: of each output array.
        out_dtypes: of each output array.
        compared: pairs of sizes that the program asked about with ==, and got "not equal".
    """

    jaxpr: ClosedJaxpr
    in_domains: tuple[Domain, ...]
    in_paths: tuple[str, ...]
    out_tree: Any
    out_shapes: tuple[tuple[Any, ...], ...]
    out_dtypes: tuple[Any, ...]
    compared: tuple[tuple[str, str], ...] = ()

    def output(self) -> Any:
        """Return the output as a pytree of ShapeDtypeStruct; a cotangent has the same."""
        structs = map(jax.ShapeDtypeStruct, self.out_shapes, self.out_dtypes)
        return jax.tree_util.tree_unflatten(self.out_tree, list(structs))


def trace(f: Callable[..., Any], domains: Any, sizes: Sizes, extra: Any = ()) -> Traced:
    """Return the program of `f(*domains, *extra)`, in float64.

    Args:
        f: a function of arrays and pytrees.
        domains: one domain, or pytree of domains, per argument.
        sizes: what the named sizes stand for.
        extra: more arguments, of domains or ShapeDtypeStructs at the same sizes (cotangents).

    Raises:
        CannotTrace: the program depends on an array's values, or on a size in a way that JAX
            can't decide for all sizes.
        ValueError: f does not take these arguments.
    """
    given = (*domains, *extra)
    names = argument_names(f, given)
    paths, tree = jax.tree_util.tree_flatten_with_path(given)
    with jax.enable_x64(True):
        specs = [abstract_value(leaf, sizes) for _, leaf in paths]
        arrays = [i for i, spec in enumerate(specs) if isinstance(spec, ShapeDtypeStruct)]

        def program(*values: Any) -> Any:
            filled = list(specs)
            for i, value in zip(arrays, values, strict=True):
                filled[i] = value
            return f(*jax.tree_util.tree_unflatten(tree, filled))

        structs = [specs[i] for i in arrays]
        try:
            with compared_sizes() as compared:
                jaxpr, output = jax.make_jaxpr(program, return_shape=True)(*structs)
        except Exception as error:
            raise explained(error, f, program, structs, sizes, names, given) from error
    outputs, out_tree = jax.tree_util.tree_flatten(output)
    return Traced(
        jaxpr,
        tuple(domain_of(paths[i][1], sizes) for i in arrays),
        tuple(names[paths[i][0][0].idx] + _suffix(paths[i][0][1:]) for i in arrays),
        out_tree,
        tuple(tuple(struct.shape) for struct in outputs),
        tuple(struct.dtype for struct in outputs),
        tuple(dict.fromkeys(compared)),
    )


@contextlib.contextmanager
def compared_sizes() -> Iterator[list[tuple[str, str]]]:
    """Inside, every `==` of a program on a symbolic size that comes out False is written down.

    JAX answers it for sizes in general; a program may go another way where the sizes are equal.
    """
    found: list[tuple[str, str]] = []
    original = _DimExpr.__eq__

    def observed(self: Any, other: Any) -> bool:
        same = original(self, other)
        asked_by = sys._getframe(1).f_code.co_filename
        if asked_by.startswith(JAX):  # JAX chooses between ways to compute the same thing
            return same
        if not same and isinstance(other, _DimExpr | int | np.integer):
            found.append((str(self), str(other)))
        return same

    _DimExpr.__eq__ = observed  # type: ignore[method-assign]
    try:
        yield found
    finally:
        _DimExpr.__eq__ = original  # type: ignore[method-assign]


def argument_names(f: Callable[..., Any], given: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the names of f's first arguments; x0, x1, ... where it does not say.

    Raises:
        ValueError: f takes fewer arguments than are given, or needs more.
    """
    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError):
        return tuple(f"x{i}" for i in range(len(given)))
    try:
        signature.bind(*given)
    except TypeError as error:
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        raise ValueError(
            f"domains: {function_name(f)}{inspect.Signature(bare)} can't be called with "
            f"{len(given)} argument{'s' * (len(given) != 1)} {_listed(given)}: {error}"
        ) from None
    named = [
        p.name
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return tuple(named[i] if i < len(named) else f"x{i}" for i in range(len(given)))


def _suffix(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path)


def _listed(given: tuple[Any, ...]) -> str:
    return "(" + ", ".join(map(repr, given)) + ")"
