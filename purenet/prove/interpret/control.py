"""Primitives that contain programs: jit, custom rules, scan, cond."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from purenet.prove.interpret.tensor import Tensor, Unknown, moved, places
from purenet.prove.kernel import algebra, bounds, conditions, signs, sums
from purenet.prove.kernel.factors import Entry, Iverson
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, number, scale, subtract
from purenet.prove.kernel.terms import Array, Factor, Poly, Var
from purenet.prove.scans import divided

Run = Callable[[Any, Sequence[Tensor]], list[Tensor]]
INLINED = {  # primitive -> the parameter that holds the program
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
    "custom_lin": "call_jaxpr",
}
MOST_STEPS = 16


def scan(
    run: Run,
    operands: Sequence[Tensor],
    *,
    dims: Any,
    jaxpr: Any,
    length: Any,
    reverse: bool,
    **params: Any,
) -> list[Tensor]:
    """A loop: unrolled where it is short, else its carries must be sums or maxima."""
    num_consts, num_carry = divided(params)
    constants = list(operands[:num_consts])
    carry = list(operands[num_consts : num_consts + num_carry])
    stacked = list(operands[num_consts + num_carry :])
    steps = dims(length)
    known = steps.constant()
    if known is not None and known <= MOST_STEPS:
        return _unrolled(run, jaxpr, constants, carry, stacked, int(known), reverse)
    return _accumulated(run, jaxpr, constants, carry, stacked, steps, reverse)


def cond(run: Run, operands: Sequence[Tensor], *, branches: Any, **_: Any) -> list[Tensor]:
    """A choice between programs that is known while tracing."""
    chosen = operands[0].body.constant()
    if chosen is None:
        raise Unknown("cond on a value")
    return run(branches[int(chosen)], operands[1:])


def _row(x: Tensor, at: Poly) -> Tensor:
    slots, place = places(x.shape[1:])
    where = ZERO if x.shape[0] == ONE else at
    return Tensor(
        x.shape[1:], x.kind, slots, x.at((where, *place)), moved(x, (where, *place)), x.range
    )


def _unrolled(
    run: Run,
    jaxpr: Any,
    constants: list[Tensor],
    carry: list[Tensor],
    stacked: list[Tensor],
    steps: int,
    reverse: bool,
) -> list[Tensor]:
    rows: dict[int, list[Tensor]] = {}
    for step in reversed(range(steps)) if reverse else range(steps):
        out = run(jaxpr, [*constants, *carry, *(_row(x, number(step)) for x in stacked)])
        carry, rows[step] = out[: len(carry)], out[len(carry) :]
    count = len(rows[0]) if rows else 0
    return [*carry, *(_stacked([rows[s][k] for s in range(steps)]) for k in range(count))]


def _stacked(rows: list[Tensor]) -> Tensor:
    shape = (number(len(rows)), *rows[0].shape)
    slots, place = places(shape)
    body = add(
        *(
            algebra.multiply(
                conditions.integer_zero(subtract(place[0], number(k))), row.at(place[1:])
            )
            for k, row in enumerate(rows)
        )
    )
    needs = frozenset().union(*(moved(r, place[1:]) for r in rows))
    return Tensor(shape, rows[0].kind, slots, body, needs, bounds.interval(body))


def _accumulated(
    run: Run,
    jaxpr: Any,
    constants: list[Tensor],
    carry: list[Tensor],
    stacked: list[Tensor],
    steps: Poly,
    reverse: bool,
) -> list[Tensor]:
    """A loop of any length: each carry is a sum or a maximum of what the steps give."""
    step = sums.fresh(steps, "t")
    time = subtract(subtract(steps, ONE), index(step)) if reverse else index(step)
    arrays = [Array(f"carry{k} {step.name}", c.shape, kind=c.kind) for k, c in enumerate(carry)]
    symbols = [_symbol(a) for a in arrays]
    out = run(jaxpr, [*constants, *symbols, *(_row(x, time) for x in stacked)])
    if any(t.needs for t in out):
        raise Unknown("scan whose step has conditions")
    states: dict[Array, Callable[[Poly, tuple[Poly, ...]], Poly]] = {}
    pending = list(range(len(carry)))
    while pending:
        solved = [k for k in pending if _solve(k, arrays, carry, out, step, states)]
        if not solved:
            raise Unknown("scan whose carry is neither a sum nor a maximum")
        pending = [k for k in pending if k not in solved]
    finals = []
    for array, start in zip(arrays, carry, strict=True):
        slots, place = places(start.shape)
        body = states[array](steps, place)
        finals.append(Tensor(start.shape, start.kind, slots, body, moved(start, place)))
    return [*finals, *(_history(t, steps, step, states, reverse) for t in out[len(carry) :])]


def _symbol(array: Array) -> Tensor:
    slots, place = places(array.shape)
    return Tensor(array.shape, array.kind, slots, atom(Entry(array, place)))


def _with_states(
    poly: Poly, at: Poly, states: dict[Array, Callable[[Poly, tuple[Poly, ...]], Poly]]
) -> Poly:
    """Carries replaced by what they are before step `at`."""

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Entry) and factor.array in states:
            return states[factor.array](at, factor.polys)
        return None

    return algebra.rewrite(poly, rule)


def _solve(
    k: int,
    arrays: list[Array],
    carry: list[Tensor],
    out: list[Tensor],
    step: Var,
    states: dict[Array, Callable[[Poly, tuple[Poly, ...]], Poly]],
) -> bool:
    """Find the state of carry k before step t: start + Σ_{s<t} g(s), or the maximum of both."""
    array, start, after = arrays[k], carry[k], out[k]
    place = tuple(ZERO if v.size == ONE else index(v) for v in after.slots)
    before = atom(Entry(array, place))
    body = _with_states(after.body, index(step), states)
    unsolved = {a for a in arrays if a not in states}
    added = subtract(body, before)
    if not (added.arrays & unsolved):
        states[array] = _prefix_sum(start, after, added, step)
        return True
    for candidate in _compared_with(before, body):
        if not candidate.arrays & unsolved and body in (
            signs.maximum(before, candidate),
            signs.maximum(candidate, before),
        ):
            states[array] = _prefix_maximum(start, after, candidate, step)
            return True
    return False


def _compared_with(before: Poly, body: Poly) -> list[Poly]:
    """What the carry is compared with in a step."""
    ((own, _),) = before.terms.items()
    return [
        subtract(before, scale(f.poly, Fraction(1) / Fraction(f.poly.terms[own])))
        for f in body.factors
        if isinstance(f, Iverson) and own in f.poly.terms
    ]


def _prefix_sum(
    start: Tensor, after: Tensor, added: Poly, step: Var
) -> Callable[[Poly, tuple[Poly, ...]], Poly]:
    def state(until: Poly, place: tuple[Poly, ...]) -> Poly:
        var = sums.fresh(step.size, "s")
        values = {**dict(zip(after.slots, place, strict=True)), step: index(var)}
        inside = conditions.at_least_zero(subtract(subtract(until, ONE), index(var)))
        summand = algebra.multiply(inside, algebra.substitute(added, values))
        return add(start.at(place), sums.total((var,), summand))

    return state


def _prefix_maximum(
    start: Tensor, after: Tensor, candidate: Poly, step: Var
) -> Callable[[Poly, tuple[Poly, ...]], Poly]:
    def state(until: Poly, place: tuple[Poly, ...]) -> Poly:
        if until != step.size:
            raise Unknown("scan that uses a running maximum")
        var = sums.fresh(step.size, "s")
        values = {**dict(zip(after.slots, place, strict=True)), step: index(var)}
        largest = sums.largest((var,), algebra.substitute(candidate, values))
        return signs.maximum(start.at(place), largest)

    return state


def _history(
    row: Tensor,
    steps: Poly,
    step: Var,
    states: dict[Array, Callable[[Poly, tuple[Poly, ...]], Poly]],
    reverse: bool,
) -> Tensor:
    """What the steps give, stacked."""
    shape = (steps, *row.shape)
    slots, place = places(shape)
    at = subtract(subtract(steps, ONE), place[0]) if reverse else place[0]
    body = _with_states(row.body, index(step), states)
    values = {**dict(zip(row.slots, place[1:], strict=True)), step: at}
    body = algebra.substitute(body, values)
    return Tensor(shape, row.kind, slots, body, frozenset(), bounds.interval(body))
