"""The function that is meant: every custom derivative rule and every stop_gradient taken away.

`jax.vjp(plain(f), ...)` is the derivative of the *value* of `f`, whatever rules `f` carries.
"""

from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

# Primitives that compute what their inner program computes, with the parameter that holds it.
CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "checkpoint": "jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}
RULES = frozenset({"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr", "stop_gradient"})


def plain(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with each custom rule replaced by its primal computation, stop_gradient by the identity.

    Programs inside `jit`, `scan`, `cond`, `while_loop` and `checkpoint` are rewritten too. The
    arguments of the result are pytrees of arrays.

    >>> import jax
    >>> g = plain(lambda x: jax.lax.stop_gradient(x) * x)
    >>> float(jax.grad(g)(3.0))
    6.0
    """

    def value(*args: Any) -> Any:
        program, shape = jax.make_jaxpr(f, return_shape=True)(*args)
        outs = run(program, *jax.tree.leaves(args))
        return jax.tree.unflatten(jax.tree.structure(shape), outs)

    return value


def run(program: ClosedJaxpr, *values: Any) -> list[Any]:
    """The outputs of a program whose custom rules and stop_gradients are ignored."""
    return _run(program.jaxpr, program.consts, values)


def called(eqn: Any) -> ClosedJaxpr | None:
    """The program that an equation stands for, where it is only a call of it."""
    inner = eqn.params.get(CALLS.get(eqn.primitive.name, ""))
    return _closed(inner) if isinstance(inner, Jaxpr | ClosedJaxpr) else None


def _run(jaxpr: Jaxpr, consts: Any, values: Any) -> list[Any]:
    known = dict(zip(jaxpr.constvars, consts, strict=True))
    known.update(zip(jaxpr.invars, values, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else known[atom]

    for eqn in jaxpr.eqns:
        known.update(zip(eqn.outvars, _apply(eqn, [read(v) for v in eqn.invars]), strict=True))
    return [read(v) for v in jaxpr.outvars]


def _apply(eqn: Any, values: list[Any]) -> list[Any]:
    if eqn.primitive.name == "stop_gradient":
        return values
    inner = called(eqn)
    if inner is not None:
        return _run(inner.jaxpr, inner.consts, values)
    params = {name: _rewritten(value) for name, value in eqn.params.items()}
    params = eqn.primitive.get_bind_params(params)
    outs = eqn.primitive.bind(*values, **params)
    return list(outs) if eqn.primitive.multiple_results else [outs]


def _rewritten(value: Any) -> Any:
    """A parameter of an equation, the programs in it (branches, loop bodies) made plain."""
    if isinstance(value, tuple):
        return tuple(map(_rewritten, value)) if type(value) is tuple else value
    if not isinstance(value, Jaxpr | ClosedJaxpr) or not _has_rules(value):
        return value
    program = _closed(value)
    inputs = [
        jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype, weak_type=v.aval.weak_type)
        for v in program.jaxpr.invars
    ]
    made = jax.make_jaxpr(lambda *args: run(program, *args))(*inputs)
    # An open program has no room for constants: one that needs them stays as it is.
    return made if isinstance(value, ClosedJaxpr) else value if made.consts else made.jaxpr


def _has_rules(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_rules, value))
    if not isinstance(value, Jaxpr | ClosedJaxpr):
        return False
    return any(
        eqn.primitive.name in RULES or any(map(_has_rules, eqn.params.values()))
        for eqn in _closed(value).jaxpr.eqns
    )


def _closed(program: Any) -> ClosedJaxpr:
    return program if isinstance(program, ClosedJaxpr) else ClosedJaxpr(program, ())
