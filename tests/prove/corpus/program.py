"""A flat copy of a jaxpr: calls inlined, dead equations dropped, sizes to be put in later.

A program is made once, with a symbol for every size, so that the position of an equation does not
depend on the sizes. `run` evaluates it with JAX's own primitives, on arrays or on tracers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import export, lax
from jax.extend import core

from purenet.prove.scans import divided

INLINED = {
    "jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call",
    "custom_vjp_call_jaxpr", "checkpoint", "remat", "remat2",
}  # fmt: skip
BODIES = {"scan": ("jaxpr",), "while": ("cond_jaxpr", "body_jaxpr"), "cond": ("branches",)}

Path = tuple[int, ...]  # the place of an equation; more than one number inside a body
Bind = Callable[..., list[Any]]
Change = Callable[[Bind, Sequence[Any]], list[Any]]  # what replaces one equation


class Equation(NamedTuple):
    primitive: Any
    params: dict[str, Any]
    inputs: tuple[Any, ...]  # each a number of a value, or a Literal
    outputs: tuple[int, ...]
    in_avals: tuple[Any, ...]
    out_avals: tuple[Any, ...]
    bodies: tuple["Program", ...] = ()

    @property
    def name(self) -> str:
        return str(self.primitive.name)


class Program(NamedTuple):
    inputs: tuple[int, ...]
    in_avals: tuple[Any, ...]
    out_avals: tuple[Any, ...]
    constants: dict[int, Any]
    equations: tuple[Equation, ...]
    outputs: tuple[Any, ...]


def flatten(closed: core.ClosedJaxpr) -> Program:
    """The program of a jaxpr, with every call inlined."""
    names: dict[Any, Any] = {}
    constants: dict[int, Any] = {}
    equations: list[Equation] = []
    count = iter(range(10**9))

    def read(atom: Any) -> Any:
        return atom if isinstance(atom, core.Literal) else names[atom]

    def define(variables: Sequence[Any]) -> tuple[int, ...]:
        numbers = tuple(next(count) for _ in variables)
        names.update(zip(variables, numbers, strict=True))
        return numbers

    def inline(jaxpr: Any, consts: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
        constants.update(zip(define(jaxpr.constvars), consts, strict=True))
        names.update(zip(jaxpr.invars, arguments, strict=True))
        for eqn in jaxpr.eqns:
            inputs = tuple(read(v) for v in eqn.invars)
            inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
            if eqn.primitive.name in INLINED and inner is not None:
                body, consts = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
                results = inline(body, consts, inputs)
                names.update(zip(eqn.outvars, results, strict=True))
            else:
                avals = tuple(v.aval for v in eqn.invars), tuple(v.aval for v in eqn.outvars)
                equations.append(
                    Equation(eqn.primitive, eqn.params, inputs, define(eqn.outvars), *avals,
                             _bodies(eqn))
                )  # fmt: skip
        return [read(v) for v in jaxpr.outvars]

    inputs = define(closed.jaxpr.invars)
    outputs = inline(closed.jaxpr, closed.consts, inputs)
    avals = tuple(closed.in_avals), tuple(closed.out_avals)
    return Program(inputs, *avals, constants, _living(equations, outputs), tuple(outputs))


def at(program: Program, sizes: Mapping[str, Any]) -> Program:
    """The program with every symbolic size replaced; a size may be another symbol."""
    return program._replace(
        equations=tuple(
            eqn._replace(
                params={name: _substitute(value, sizes) for name, value in eqn.params.items()},
                bodies=tuple(at(body, sizes) for body in eqn.bodies),
            )
            for eqn in program.equations
        )
    )


def run(program: Program, arguments: Sequence[Any], changes: Mapping[Path, Change]) -> list[Any]:
    """Evaluate, with a change in the place of each equation that `changes` names."""
    values = dict(program.constants)
    values.update(zip(program.inputs, arguments, strict=True))

    def read(atom: Any) -> Any:
        return jnp.asarray(atom.val, atom.aval.dtype) if is_literal(atom) else values[atom]

    for place, eqn in enumerate(program.equations):
        inside = {path[1:]: c for path, c in changes.items() if path[0] == place and path[1:]}
        operands = [read(atom) for atom in eqn.inputs]
        change, bind = changes.get((place,)), binder(eqn, inside)
        results = change(bind, operands) if change else bind(*operands)
        values.update(zip(eqn.outputs, results, strict=True))
    return [read(atom) for atom in program.outputs]


def text(program: Program) -> str:
    """The program in words that two programs share exactly if they compute the same steps."""
    names: dict[Any, str] = {}

    def name(atom: Any) -> str:
        if is_literal(atom):
            return f"{atom.val}:{atom.aval}"
        constant = program.constants.get(atom)
        return names.setdefault(atom, f"v{len(names)}" if constant is None else f"c{constant}")

    lines = [" ".join(map(name, program.inputs))]
    for eqn in program.equations:
        params = {key: value for key, value in eqn.params.items() if key not in BODIES}
        bodies = "".join(f"{{{text(body)}}}" for body in eqn.bodies)
        inputs = " ".join(map(name, eqn.inputs))
        lines.append(f"{' '.join(map(name, eqn.outputs))} = {eqn.name} {inputs} {params} {bodies}")
    return "\n".join([*lines, " ".join(map(name, program.outputs))])


def binder(eqn: Equation, inside: Mapping[Path, Change]) -> Bind:
    """What the equation computes, as a function of its operands and of changed parameters."""

    def bind(*operands: Any, **params: Any) -> list[Any]:
        if eqn.name in BODIES:
            return _loop(eqn, operands, inside)
        if eqn.name == "dim_as_value" and not export.is_symbolic_dim(eqn.params["dim"]):
            return [jnp.asarray(eqn.params["dim"], eqn.out_avals[0].dtype)]
        results = eqn.primitive.bind(*operands, **{**eqn.params, **params})
        return list(results) if eqn.primitive.multiple_results else [results]

    return bind


def _loop(eqn: Equation, operands: Sequence[Any], inside: Mapping[Path, Change]) -> list[Any]:
    """Rebuild a loop or a branch: the avals of its bodies follow from the operands."""

    def body(number: int) -> Callable[..., list[Any]]:
        changes = {path[1:]: c for path, c in inside.items() if path[0] == number}
        return lambda *a: run(eqn.bodies[number], a, changes)

    p = eqn.params
    if eqn.name == "cond":
        index, *rest = operands
        return list(lax.switch(index, [body(i) for i in range(len(eqn.bodies))], *rest))
    if eqn.name == "while":
        a, b = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
        return list(
            lax.while_loop(
                lambda carry: body(0)(*operands[:a], *carry)[0],
                lambda carry: body(1)(*operands[a:b], *carry),
                list(operands[b:]),
            )
        )
    constants, carries = divided(p)
    a, b = constants, constants + carries

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        results = body(0)(*operands[:a], *carry, *x)
        return results[: b - a], results[b - a :]

    xs = list(operands[b:])
    length = None if xs else p["length"]  # where there is an x, its axis may be a symbol
    carry, stacked = lax.scan(step, list(operands[a:b]), xs, length, reverse=p["reverse"])
    return [*carry, *stacked]


def _bodies(eqn: Any) -> tuple[Program, ...]:
    found: list[Program] = []
    for name in BODIES.get(eqn.primitive.name, ()):
        value = eqn.params[name]
        found += [flatten(c) for c in (value if isinstance(value, tuple) else (value,))]
    return tuple(found)


def _living(equations: Sequence[Equation], outputs: Sequence[Any]) -> tuple[Equation, ...]:
    needed = {atom for atom in outputs if not is_literal(atom)}
    living = []
    for eqn in reversed(equations):
        if needed.intersection(eqn.outputs):
            living.append(eqn)
            needed.update(atom for atom in eqn.inputs if not is_literal(atom))
    return tuple(reversed(living))


def is_literal(atom: Any) -> bool:
    return isinstance(atom, core.Literal)


def _substitute(value: Any, sizes: Mapping[str, Any]) -> Any:
    if export.is_symbolic_dim(value):
        return value._evaluate(sizes)  # JAX has no public name for this
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_substitute(v, sizes) for v in value))
    if isinstance(value, tuple | list):
        return type(value)(_substitute(v, sizes) for v in value)
    return value
