"""Whether the program at a coincidence of sizes is the general one all the same."""

import functools
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend.core import Literal

from purenet.prove.domains import polynomial, size_text
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import Traced

RULES = {
    "custom_jvp_call": {"jvp_jaxpr_fun"},
    "custom_vjp_call": {"fwd_jaxpr_thunk", "bwd", "out_trees"},
}
"""Parameters that only differentiation by JAX would use, and that differ from trace to trace."""

_Constants = dict[Any, np.ndarray]


def same_program(general: Traced, special: Traced, coincidence: Sizes) -> bool:
    """Return whether the program at a coincidence is the general one with the sizes replaced.

    Primitives, parameters, constants, shapes and dtypes are compared one by one; a size that
    became a number may have become a constant. False where it is not plain to see. The derivative
    rules that `custom_jvp_call` and `custom_vjp_call` carry are not compared, only their values.
    """
    try:
        return (
            _same_closed(general.jaxpr, special.jaxpr, coincidence)
            and general.out_tree == special.out_tree
            and general.in_paths == special.in_paths
        )
    except (ValueError, TypeError, AttributeError):
        return False


def _same_closed(general: Any, special: Any, sizes: Sizes) -> bool:
    """Compare two jaxprs, closed or not."""
    if general is special:
        return True
    consts = [list(getattr(closed, "consts", ())) for closed in (general, special)]
    bodies = [getattr(closed, "jaxpr", closed) for closed in (general, special)]
    return (
        len(consts[0]) == len(consts[1])
        and all(map(_same_array, *consts))
        and _same_jaxpr(bodies[0], bodies[1], sizes)
    )


def _same_jaxpr(general: Any, special: Any, sizes: Sizes) -> bool:
    """Walk both programs in step; `partner` maps each variable to that of the other program."""
    ours, our_constants = _folded(general, sizes)
    theirs, their_constants = _folded(special, sizes)
    partner: dict[Any, Any] = {}

    def bind(variables: Any, others: Any) -> bool:
        partner.update(zip(variables, others, strict=True))
        return all(
            _same_aval(a.aval, b.aval, sizes) for a, b in zip(variables, others, strict=True)
        )

    def same(atoms: Any, others: Any) -> bool:
        pairs = zip(atoms, others, strict=True)
        return all(_same_atom(a, b, partner, our_constants, their_constants) for a, b in pairs)

    return (
        bind([*general.constvars, *general.invars], [*special.constvars, *special.invars])
        and len(ours) == len(theirs)
        and all(
            a.primitive is b.primitive
            and same(a.invars, b.invars)
            and _same_params(a, b, sizes)
            and bind(a.outvars, b.outvars)
            for a, b in zip(ours, theirs, strict=True)
        )
        and same(general.outvars, special.outvars)
    )


def _folded(jaxpr: Any, sizes: Sizes) -> tuple[list[Any], _Constants]:
    """The equations that are left when sizes that are numbers are constants, and those."""
    equations, constants = [], _Constants()
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        if name == "dim_as_value" and (size := _text(eqn.params["dim"], sizes)).isdigit():
            constants[eqn.outvars[0]] = np.asarray(int(size), eqn.outvars[0].aval.dtype)
        elif (
            name == "convert_element_type"
            and (value := _constant(eqn.invars[0], constants)) is not None
            and value.shape == ()
        ):
            constants[eqn.outvars[0]] = value.astype(eqn.params["new_dtype"])
        else:
            equations.append(eqn)
    return equations, constants


def _constant(atom: Any, constants: _Constants) -> np.ndarray | None:
    if isinstance(atom, Literal):
        aval: Any = atom.aval
        return np.asarray(atom.val, aval.dtype)
    return constants.get(atom)


def _same_atom(
    atom: Any, other: Any, partner: dict[Any, Any], ours: _Constants, theirs: _Constants
) -> bool:
    value, value_there = _constant(atom, ours), _constant(other, theirs)
    if value is None or value_there is None:
        return value is None and value_there is None and partner.get(atom) is other
    return _same_array(value, value_there)


def _same_params(eqn: Any, other: Any, sizes: Sizes) -> bool:
    skipped = RULES.get(eqn.primitive.name, set())
    return eqn.params.keys() == other.params.keys() and all(
        _same_value(value, other.params[key], sizes)
        for key, value in eqn.params.items()
        if key not in skipped
    )


def _same_value(value: Any, other: Any, sizes: Sizes) -> bool:
    """Compare two parameters; what is not known to be equal is not."""
    if _is_dim(value) and _is_dim(other):
        return _text(value, sizes) == size_text(polynomial(str(other)))
    if hasattr(value, "eqns") and hasattr(other, "eqns"):
        return _same_closed(value, other, sizes)
    if type(value) is not type(other):
        return False
    if isinstance(value, tuple | list):
        pairs = zip(value, other, strict=False)
        return len(value) == len(other) and all(_same_value(a, b, sizes) for a, b in pairs)
    if isinstance(value, np.ndarray | jax.Array):
        return _same_array(value, other)
    return value is other or bool(value == other)


def _is_dim(value: Any) -> bool:
    return export.is_symbolic_dim(value) or (isinstance(value, int) and not isinstance(value, bool))


def _text(dim: Any, sizes: Sizes) -> str:
    return str(dim) if isinstance(dim, int) else _replaced(str(dim), sizes)


@functools.lru_cache(4096)
def _replaced(size: str, sizes: Sizes) -> str:
    return sizes.of(size)


def _same_aval(aval: Any, other: Any, sizes: Sizes) -> bool:
    # A weak type decides promotion while tracing; in a program that is traced it means nothing.
    return (
        aval.dtype == other.dtype
        and len(aval.shape) == len(other.shape)
        and all(map(functools.partial(_same_value, sizes=sizes), aval.shape, other.shape))
    )


def _same_array(value: Any, other: Any) -> bool:
    a, b = np.asarray(value), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
