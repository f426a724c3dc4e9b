"""A jaxpr as terms: each equation in turn, by the table of primitives."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from jax.extend.core import Literal

from purenet.prove.interpret import arithmetic, control, indexing, logic, reductions, shapes, unary
from purenet.prove.interpret.constants import exact
from purenet.prove.interpret.shapes import Dimensions, kind_of
from purenet.prove.interpret.tensor import Tensor, Unknown, named, places, scalar
from purenet.prove.kernel import algebra, bounds, conditions
from purenet.prove.kernel.factors import Iverson
from purenet.prove.kernel.linear import add, number, subtract
from purenet.prove.kernel.terms import Poly

TABLES = (arithmetic, unary, logic, shapes, reductions, indexing)
RULES = {name: rule for table in TABLES for name, rule in table.RULES.items()}
PRIMITIVES = tuple(sorted({*RULES, *control.INLINED, "cond", "platform_index", "scan"}))
MOST_CONSTANTS = 64


def run(jaxpr: Any, operands: Sequence[Tensor], dims: Dimensions) -> list[Tensor]:
    """The outputs of a closed or open jaxpr as tensors.

    Raises:
        Unknown: for a primitive, or a use of one, that has no meaning here.
    """
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    values: dict[Any, Tensor] = {}
    for var, value in zip(inner.constvars, getattr(jaxpr, "consts", ()), strict=True):
        values[var] = constant(value)
    values.update(zip(inner.invars, operands, strict=True))

    def read(var: Any) -> Tensor:
        return constant(var.val) if isinstance(var, Literal) else values[var]

    for equation in inner.eqns:
        outputs = apply(equation, [read(v) for v in equation.invars], dims)
        values.update(zip(equation.outvars, map(named, outputs), strict=True))
        note_conditions(outputs)
    return [read(v) for v in inner.outvars]


_conditions: ContextVar[set[Poly] | None] = ContextVar("conditions", default=None)


@contextmanager
def noted_conditions() -> Iterator[set[Poly]]:
    """Inside, the P of every condition on real values that a program asks about are collected."""
    found: set[Poly] = set()
    token = _conditions.set(found)
    try:
        yield found
    finally:
        _conditions.reset(token)


def note_conditions(outputs: list[Tensor]) -> None:
    """Write down the real conditions in boolean results."""
    found = _conditions.get()
    if found is None:
        return
    for tensor in outputs:
        if tensor.kind == "boolean":
            found.update(
                f.poly
                for f in tensor.body.factors
                if isinstance(f, Iverson) and f.relation in (">", "=")
            )


def apply(equation: Any, operands: list[Tensor], dims: Dimensions) -> list[Tensor]:
    """One equation."""
    name = equation.primitive.name
    if name in control.INLINED:
        return run(equation.params[control.INLINED[name]], operands, dims)
    if name == "scan":
        return control.scan(
            lambda jaxpr, inputs: run(jaxpr, inputs, dims), operands, dims=dims, **equation.params
        )
    if name == "cond":
        return control.cond(lambda j, inputs: run(j, inputs, dims), operands, **equation.params)
    if name == "platform_index":
        return [scalar(number(_here(equation.params["platforms"])), "integer")]
    rule = RULES.get(name)
    if rule is None:
        raise Unknown(f"the primitive {name}")
    result = rule(*operands, dims=dims, **equation.params)
    return list(result) if isinstance(result, list) else [result]


def _here(platforms: Any) -> int:
    """Programs for several platforms are the same function; take that for CPU, or the default."""
    for place, names in enumerate(platforms):
        if names is None or "cpu" in names:
            return place
    return 0


def constant(value: Any) -> Tensor:
    """A number, or a small array of numbers, in the program."""
    array = np.asarray(value)
    kind = kind_of(array.dtype)
    if array.ndim == 0:
        return scalar(exact(array.item()), kind)
    entries = np.unique(array)
    shape = tuple(number(n) for n in array.shape)
    if len(entries) == 1:
        slots, _ = places(shape)
        body = exact(entries[0].item())
        return Tensor(shape, kind, slots, body, frozenset(), bounds.interval(body))
    if array.size > MOST_CONSTANTS:
        raise Unknown(f"a constant array of {array.size} entries in the program")
    slots, place = places(shape)
    body = add(*(_entry(place, where, array) for where in np.ndindex(array.shape)))
    return Tensor(shape, kind, slots, body, frozenset(), bounds.interval(body))


def _entry(place: tuple[Poly, ...], where: tuple[int, ...], array: np.ndarray) -> Poly:
    here = [
        conditions.integer_zero(subtract(p, number(w))) for p, w in zip(place, where, strict=True)
    ]
    return algebra.multiply(exact(array[where].item()), *here)
