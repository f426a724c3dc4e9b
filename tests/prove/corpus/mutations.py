"""The systematic changes: what can go wrong at one place of a hand-written backward rule.

Each function takes a program and the place of one equation in it and yields `Mutation`s. What is
the same for many primitives is a table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from .changes import (
    applied,
    divided,
    literal,
    mirrored,
    operand,
    plus,
    reduced,
    reversed_operands,
    spread,
    turned,
)  # fmt: skip
from .program import Change, Equation, Path, Program, is_literal

DROPPED = "dropped term"
FLIPPED = "flipped sign"
SIZE = "1/n against 1/(n-1)"
MEAN = "mean for sum"
SUM = "sum for mean"
AXIS = "wrong axis"
TRANSPOSE = "missing transpose"
SWAPPED = "swapped operands"
COTANGENT = "forgotten cotangent"
FACTOR = "forgotten chain factor"
EPS = "misplaced eps"
BRANCH = "wrong branch"
FUNCTION = "wrong function"
CONSTANT = "wrong constant"
INDEX = "index off by one"
KINDS = (
    DROPPED, FLIPPED, SIZE, MEAN, SUM, AXIS, TRANSPOSE, SWAPPED, COTANGENT, FACTOR, EPS, BRANCH,
    FUNCTION, CONSTANT, INDEX,
)  # fmt: skip


class Mutation(NamedTuple):
    """Changes of equations, of the arguments (`before`) or of the results (`after`)."""

    kind: str
    detail: str
    place: str
    changes: Mapping[Path, Change] = {}
    before: Callable[[list[Any]], list[Any]] = list
    after: Callable[[list[Any]], list[Any]] = list


def mutations(program: Program, cotangents: Sequence[int]) -> Iterator[Mutation]:
    """Every change of a program whose arguments number `cotangents` are the cotangent's leaves."""
    yield from _forgotten_cotangents(program, cotangents)
    yield from _changed_outputs(program)
    yield from _changed_equations(program, ())


def _changed_equations(program: Program, path: Path) -> Iterator[Mutation]:
    from_sizes, constants = _from_sizes(program), _constants(program)
    for place, eqn in enumerate(program.equations):
        here = (*path, place)
        where = f"{'.'.join(map(str, here))} {eqn.name}"
        for rule in SINGLE:
            for kind, detail, change in rule(eqn, from_sizes):
                yield Mutation(kind, detail, where, {here: change})
        for rule in COMPOUND:
            for kind, detail, changes in rule(program, place, constants):
                placed = {(*path, p): change for p, change in changes.items()}
                yield Mutation(kind, detail, where, placed)
        for number, body in enumerate(eqn.bodies):
            yield from _changed_equations(body, (*here, number))


# Arguments and results ----------------------------------------------------------------------------


def _forgotten_cotangents(program: Program, cotangents: Sequence[int]) -> Iterator[Mutation]:
    for number in cotangents:
        yield Mutation(COTANGENT, "ones in its place", f"argument {number}", {},
                       before=_replaced(number, jnp.ones_like))  # fmt: skip


def _changed_outputs(program: Program) -> Iterator[Mutation]:
    avals = program.out_avals
    for number, aval in enumerate(avals):
        where = f"output {number}"
        yield Mutation(FLIPPED, "negated", where, after=_replaced(number, jnp.negative))
        yield Mutation(DROPPED, "zeros", where, after=_replaced(number, jnp.zeros_like))
        if aval.ndim >= 2 and aval.shape[-1] == aval.shape[-2]:
            yield Mutation(TRANSPOSE, "transposed", where, after=_replaced(number, _turned_over))
        for other in range(number + 1, len(avals)):
            if avals[other].shape == aval.shape:
                yield Mutation(SWAPPED, f"with output {other}", where,
                               after=_exchanged(number, other))  # fmt: skip


def _replaced(number: int, function: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda leaves: [function(x) if i == number else x for i, x in enumerate(leaves)]


def _turned_over(x: Any) -> Any:
    return jnp.swapaxes(x, -1, -2)


def _exchanged(one: int, other: int) -> Callable[[list[Any]], list[Any]]:
    order = {one: other, other: one}
    return lambda leaves: [leaves[order.get(i, i)] for i in range(len(leaves))]


# One equation -------------------------------------------------------------------------------------

Single = Iterator[tuple[str, str, Change]]


def _sums(eqn: Equation, _: set[int]) -> Single:
    if not _is_real(eqn):
        return
    if eqn.name in ("add", "add_any"):
        yield DROPPED, "second", operand(0)
        yield DROPPED, "first", operand(1)
        yield FLIPPED, "difference", applied(jnp.subtract)
    if eqn.name == "sub":
        yield DROPPED, "second", operand(0)
        yield DROPPED, "first", operand(1, -1)
        yield FLIPPED, "sum", applied(jnp.add)
        yield SWAPPED, "", reversed_operands
    if eqn.name == "neg":
        yield FLIPPED, "no minus", operand(0)


def _products(eqn: Equation, from_sizes: set[int]) -> Single:
    if not _is_real(eqn):
        return
    sized = [not is_literal(atom) and atom in from_sizes for atom in eqn.inputs]
    if eqn.name == "mul":
        for number in (0, 1):
            if not is_literal(eqn.inputs[number]) and not sized[number]:
                yield SUM if sized[1 - number] else FACTOR, f"{number} only", operand(number)
    if eqn.name == "div":
        yield SUM if sized[1] else FACTOR, "not divided", operand(0)
        yield SWAPPED, "", reversed_operands
    if eqn.name == "pow":
        yield SWAPPED, "", reversed_operands
        yield FUNCTION, "power lowered", lambda bind, x: bind(x[0], x[1] - 1)
    if eqn.name == "integer_pow":
        y = eqn.params["y"]
        yield FUNCTION, f"power {y - 1}", lambda bind, x: bind(x[0], y=y - 1)
        yield FUNCTION, f"power {y + 1}", lambda bind, x: bind(x[0], y=y + 1)


def _sizes(eqn: Equation, _: set[int]) -> Single:
    if eqn.name == "dim_as_value":
        yield SIZE, "n - 1", lambda bind, x: [bind()[0] - 1]
        yield SIZE, "n + 1", lambda bind, x: [bind()[0] + 1]


ELEMENTWISE: dict[str, tuple[tuple[str, Callable[..., Any]], ...]] = {
    "tanh": ((FUNCTION, lax.logistic),),
    "logistic": ((FUNCTION, lax.tanh),),
    "exp": ((FUNCTION, lax.expm1),),
    "expm1": ((FUNCTION, lax.exp),),
    "exp2": ((FUNCTION, lax.exp),),
    "sin": ((FUNCTION, lax.cos),),
    "cos": ((FUNCTION, lax.sin),),
    "sinh": ((FUNCTION, lax.cosh),),
    "cosh": ((FUNCTION, lax.sinh),),
    "log": ((FUNCTION, lax.log1p),),
    "log1p": ((FUNCTION, lax.log),),
    "sqrt": ((FUNCTION, lax.rsqrt),),
    "rsqrt": ((FUNCTION, lax.sqrt),),
    "cbrt": ((FUNCTION, lax.sqrt),),
    "erf": ((FUNCTION, lax.tanh),),
    "erfc": ((FUNCTION, lax.erf),),
    "square": ((FUNCTION, lambda x: x),),
    "abs": ((FUNCTION, lambda x: x),),
    "sign": ((FUNCTION, lambda x: x), (FUNCTION, lax.abs)),
    "max": ((BRANCH, jnp.minimum),),
    "min": ((BRANCH, jnp.maximum),),
    "gt": ((BRANCH, lax.lt), (BRANCH, lax.ge)),
    "ge": ((BRANCH, lax.le), (BRANCH, lax.gt)),
    "lt": ((BRANCH, lax.gt), (BRANCH, lax.le)),
    "le": ((BRANCH, lax.ge), (BRANCH, lax.lt)),
    "eq": ((BRANCH, lax.ne),),
    "ne": ((BRANCH, lax.eq),),
    "and": ((BRANCH, lax.bitwise_or),),
    "or": ((BRANCH, lax.bitwise_and),),
    "not": ((BRANCH, lambda x: x),),
}
REDUCTIONS: dict[str, tuple[tuple[str, Callable[..., Any]], ...]] = {
    "reduce_sum": ((FUNCTION, jnp.max),),
    "reduce_max": ((BRANCH, jnp.min), (FUNCTION, jnp.sum)),
    "reduce_min": ((BRANCH, jnp.max), (FUNCTION, jnp.sum)),
    "reduce_prod": ((FUNCTION, jnp.sum),),
    "reduce_and": ((BRANCH, jnp.any),),
    "reduce_or": ((BRANCH, jnp.all),),
}


def _functions(eqn: Equation, _: set[int]) -> Single:
    boolean = eqn.out_avals and eqn.out_avals[0].dtype == jnp.bool_
    if _is_real(eqn) or boolean:
        for kind, function in ELEMENTWISE.get(eqn.name, ()):
            yield kind, _word(function), applied(function)
        for kind, function in REDUCTIONS.get(eqn.name, ()):
            yield kind, _word(function), reduced(function, eqn)
    if eqn.name == "opaque":
        for order in (eqn.params["order"] - 1, eqn.params["order"] + 1):
            if order >= 0:
                yield FUNCTION, f"derivative {order}", lambda bind, x, o=order: bind(*x, order=o)
    if eqn.name == "argmax":
        yield (
            BRANCH,
            "argmin",
            lambda bind, x: [lax.argmin(x[0], eqn.params["axes"][0], eqn.params["index_dtype"])],
        )


def _branches(eqn: Equation, _: set[int]) -> Single:
    if not _is_real(eqn):
        return
    if eqn.name == "select_n" and len(eqn.inputs) == 3:
        yield BRANCH, "exchanged", lambda bind, x: bind(x[0], x[2], x[1])
        yield BRANCH, "always the first", operand(1)
        yield BRANCH, "always the second", operand(2)
    if eqn.name in ("max", "min"):
        for number in (0, 1):
            if not is_literal(eqn.inputs[number]):
                yield BRANCH, f"always {number}", operand(number)
    if eqn.name == "clamp":
        yield BRANCH, "not clamped", operand(1)


def _axes(eqn: Equation, _: set[int]) -> Single:
    if eqn.name in REDUCTIONS:
        shape, axes = eqn.in_avals[0].shape, eqn.params["axes"]
        for a in axes:
            for b in set(range(len(shape))) - set(axes):
                if shape[a] == shape[b]:
                    moved = tuple(sorted((set(axes) - {a}) | {b}))
                    yield AXIS, f"{moved}", lambda bind, x, m=moved: bind(*x, axes=m)
    if eqn.name.startswith("cum"):
        axis, reverse = eqn.params["axis"], eqn.params["reverse"]
        yield AXIS, "other direction", lambda bind, x: bind(*x, reverse=not reverse)
        for b in set(range(eqn.in_avals[0].ndim)) - {axis}:
            yield AXIS, f"axis {b}", lambda bind, x, b=b: bind(*x, axis=b)
    if eqn.name == "rev":
        yield AXIS, "not reversed", operand(0)
    if eqn.name == "concatenate" and len({aval.shape for aval in eqn.in_avals}) == 1:
        yield SWAPPED, "", lambda bind, x: bind(*x[::-1])


def _transposes(eqn: Equation, _: set[int]) -> Single:
    if eqn.name == "transpose" and eqn.in_avals[0].shape == eqn.out_avals[0].shape:
        yield TRANSPOSE, "", operand(0)
    if eqn.name in ("dot_general", "mul") and _is_real(eqn):
        for number, aval in enumerate(eqn.in_avals):
            for a, b in _equal_axes(aval.shape):
                yield TRANSPOSE, f"operand {number}", turned(number, a, b)


def _means(eqn: Equation, _: set[int]) -> Single:
    if not _is_real(eqn):
        return
    shape = eqn.in_avals[0].shape if eqn.in_avals else ()
    if eqn.name == "reduce_sum" and _several(shape, eqn.params["axes"]):
        yield MEAN, "", divided(eqn.params["axes"])
    if eqn.name == "dot_general":
        contracted = eqn.params["dimension_numbers"][0][0]
        if _several(shape, contracted):
            yield MEAN, "", divided(contracted)


def _literals(eqn: Equation, _: set[int]) -> Single:
    for number, atom in enumerate(eqn.inputs):
        if not is_literal(atom) or not (_is_real(eqn) or eqn.name in ELEMENTWISE):
            continue
        c = float(np.asarray(atom.val))
        if not np.isfinite(c) or (_is_integer(atom.aval) and _is_integer(eqn.out_avals[0])):
            continue
        if _is_eps(c):
            yield EPS, "doubled", literal(number, 2 * c)
            yield EPS, "its root", literal(number, float(np.sqrt(c)))
            continue
        halved = () if _is_integer(atom.aval) else (c / 2,)
        for other in dict.fromkeys((c + 1, -c, *halved)):
            if other != c:
                yield CONSTANT, f"{other:.4g} for {c:.4g}", literal(number, other)


INDICES = {"gather": slice(1, 2), "scatter": slice(1, 2), "scatter-add": slice(1, 2),
           "dynamic_slice": slice(1, None), "dynamic_update_slice": slice(2, None)}  # fmt: skip


def _indices(eqn: Equation, _: set[int]) -> Single:
    if eqn.name == "iota":
        yield INDEX, "one later", lambda bind, x: [bind()[0] + 1]
    if eqn.name in INDICES:
        numbers = range(len(eqn.inputs))[INDICES[eqn.name]]
        yield (
            INDEX,
            "one earlier",
            lambda bind, x: bind(
                *(jnp.maximum(v - 1, 0) if i in numbers else v for i, v in enumerate(x))
            ),
        )
    if eqn.name == "scatter-add":
        yield (
            FUNCTION,
            "set, not added",
            lambda bind, x: [
                lax.scatter(*x, eqn.params["dimension_numbers"], mode=eqn.params["mode"])
            ],
        )
    if eqn.name == "slice":
        yield from _other_ends(eqn)
    if eqn.name == "pad":
        turned = tuple((high, low, inner) for low, high, inner in eqn.params["padding_config"])
        if turned != eqn.params["padding_config"]:
            yield INDEX, "other end", lambda bind, x: bind(*x, padding_config=turned)


def _other_ends(eqn: Equation) -> Single:
    start, limit = eqn.params["start_indices"], eqn.params["limit_indices"]
    for axis, size in enumerate(eqn.in_avals[0].shape):
        if (start[axis] == 0) != (limit[axis] == size):
            yield INDEX, f"other end of axis {axis}", mirrored(axis, start[axis] == 0)


SINGLE = (_sums, _products, _sizes, _functions, _branches, _axes, _transposes, _means, _literals,
          _indices)  # fmt: skip


# Two equations at once ----------------------------------------------------------------------------

Compound = Iterator[tuple[str, str, dict[int, Change]]]


def _kept_axes(program: Program, place: int, _: Mapping[int, float]) -> Compound:
    """A reduction along another axis, where every user of the result broadcasts it back."""
    eqn = program.equations[place]
    if eqn.name not in REDUCTIONS or len(eqn.params["axes"]) != 1 or eqn.in_avals[0].ndim < 2:
        return
    rank, (a,) = eqn.in_avals[0].ndim, eqn.params["axes"]
    users = _users(program, place)
    others = tuple(i for i in range(rank) if i != a)
    if users and all(
        u.name == "broadcast_in_dim"
        and u.params["broadcast_dimensions"] == others
        and len(u.params["shape"]) == rank
        for u in users.values()
    ):
        for b in others:
            changes: dict[int, Change] = {p: spread(b, u, a) for p, u in users.items()}
            changes[place] = lambda bind, x, b=b: bind(*x, axes=(b,))
            yield AXIS, f"axis {b} for {a}", changes


def _moved_eps(program: Program, place: int, constants: Mapping[int, float]) -> Compound:
    """`f(x + eps)` and `f(x) + eps`."""
    eqn = program.equations[place]
    if eqn.name != "add" or not _is_real(eqn):
        return
    for number, atom in enumerate(eqn.inputs):
        c = float(np.asarray(atom.val)) if is_literal(atom) else constants.get(atom, 0.0)
        if _is_eps(c):
            for p, user in _users(program, place).items():
                if len(user.outputs) == 1 and user.name in ("sqrt", "rsqrt", "log", "div", "pow"):
                    yield EPS, "outside", {place: operand(1 - number), p: plus(c)}


COMPOUND = (_kept_axes, _moved_eps)


# What a program says of its values ----------------------------------------------------------------


def _from_sizes(program: Program) -> set[int]:
    """The values that depend on the sizes alone."""
    found: set[int] = set()
    for eqn in program.equations:
        known = [atom for atom in eqn.inputs if not is_literal(atom)]
        if eqn.name == "dim_as_value" or (known and found.issuperset(known)):
            found.update(eqn.outputs)
    return found


def _constants(program: Program) -> dict[int, float]:
    """The values that are a converted or broadcast literal."""
    found: dict[int, float] = {}
    for eqn in program.equations:
        if eqn.name in ("convert_element_type", "broadcast_in_dim"):
            atom = eqn.inputs[0]
            if is_literal(atom) and np.ndim(atom.val) == 0:
                found[eqn.outputs[0]] = float(np.asarray(atom.val))
            elif not is_literal(atom) and atom in found:
                found[eqn.outputs[0]] = found[atom]
    return found


def _users(program: Program, place: int) -> dict[int, Equation]:
    outputs = program.equations[place].outputs
    if any(atom in outputs for atom in program.outputs if not is_literal(atom)):
        return {}
    return {
        p: eqn
        for p, eqn in enumerate(program.equations)
        if any(atom in outputs for atom in eqn.inputs if not is_literal(atom))
    }


def _is_real(eqn: Equation) -> bool:
    return bool(eqn.out_avals) and jnp.issubdtype(eqn.out_avals[0].dtype, jnp.floating)


def _is_integer(aval: Any) -> bool:
    return jnp.issubdtype(aval.dtype, jnp.integer)


def _is_eps(c: float) -> bool:
    return 0 < c <= 1e-3


def _several(shape: Sequence[Any], axes: Sequence[int]) -> bool:
    return bool(axes) and any(shape[a] != 1 for a in axes)


def _equal_axes(shape: Sequence[Any]) -> list[tuple[int, int]]:
    pairs = [(a, b) for b in range(len(shape)) for a in range(b)]
    return [(a, b) for a, b in pairs if shape[a] == shape[b] and shape[a] != 1]


def _word(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "")
    return "left out" if name in ("", "<lambda>") else name
