"""Comparisons, what is made of them by and, or and not, and choices between two values."""

from math import inf
from typing import Any

from purenet.prove.interpret.tensor import (
    Rule,
    Tensor,
    Unknown,
    atom_of,
    elementwise,
    guarded,
    moved,
)
from purenet.prove.kernel import algebra, bounds, conditions, signs
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.linear import ONE, add, number, scale, subtract
from purenet.prove.kernel.terms import Poly


def _compare(relation: str) -> Rule:
    """x relation y; strict and not strict ones are complements of each other."""

    def condition(a: Poly, b: Poly, kind: str) -> Poly:
        if relation in ("eq", "ne"):
            zero = signs.equals_zero if kind == "real" else conditions.integer_zero
            same = _same_boolean(a, b) if kind == "boolean" else zero(subtract(a, b))
            return same if relation == "eq" else subtract(ONE, same)
        if relation in ("gt", "le"):
            a, b = b, a
        if kind == "real":
            less = signs.is_positive(subtract(b, a))
            return less if relation in ("lt", "gt") else subtract(ONE, less)
        difference = subtract(b, a)
        if relation in ("lt", "gt"):
            return conditions.at_least_zero(subtract(difference, ONE))
        return conditions.at_least_zero(subtract(a, b))

    def rule(x: Tensor, y: Tensor, **_: Any) -> Tensor:
        return elementwise(lambda a, b: condition(a, b, x.kind), x, y, kind="boolean")

    return rule


def _same_boolean(a: Poly, b: Poly) -> Poly:
    both = algebra.multiply(a, b)
    return add(ONE, scale(a, -1), scale(b, -1), scale(both, 2))


def conjunction(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    """x and y."""
    return elementwise(algebra.multiply, x, y, kind="boolean")


def disjunction(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    """x or y."""

    def either(a: Poly, b: Poly) -> Poly:
        return subtract(ONE, algebra.multiply(conditions.complement(a), conditions.complement(b)))

    return elementwise(either, x, y, kind="boolean")


def _xor(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a, b: subtract(ONE, _same_boolean(a, b)), x, y, kind="boolean")


def _not(x: Tensor, **_: Any) -> Tensor:
    if x.kind != "boolean":
        raise Unknown("bitwise not of integers")
    return elementwise(conditions.complement, x, kind="boolean")


def _select(which: Tensor, *cases: Tensor, **_: Any) -> Tensor:
    """cases[which]; each case's needs are asked for only where it is chosen."""
    if which.kind != "boolean" or len(cases) != 2:
        raise Unknown("select_n with an integer selector")
    no, yes = cases
    if which.body in (ONE, number(0)):
        chosen = yes if which.body == ONE else no
        same = elementwise(lambda a, _: a, chosen, which, kind=chosen.kind, range=chosen.range)
        return same if same.shape == chosen.shape or not chosen.shape else chosen
    result = elementwise(conditions.choose, which, yes, no, kind=yes.kind)
    place = tuple(atom_of(v) for v in result.slots)
    condition = which.at(place if which.shape else ())
    needs = (
        moved(which, place if which.shape else ())
        | guarded(moved(yes, place if yes.shape else ()), condition)
        | guarded(moved(no, place if no.shape else ()), conditions.complement(condition))
    )
    low = min(yes.range, no.range, key=lambda r: (r.low, not r.low_closed))
    high = max(yes.range, no.range, key=lambda r: (r.high, r.high_closed))
    found = Interval(low.low, high.high, low.low_closed, high.high_closed)
    both = bounds.interval(result.body)
    better = found if (found.low, not found.low_closed) > (both.low, not both.low_closed) else both
    return result._replace(needs=needs, range=better)


def _max(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return disjunction(x, y)
    if x.kind == "integer":
        return _integer_max(x, y, 1)
    low = max(x.range, y.range, key=lambda r: (r.low, not r.low_closed))
    found = Interval(low.low, inf, low.low_closed)
    return elementwise(signs.maximum, x, y, range=found)


def _min(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return conjunction(x, y)
    if x.kind == "integer":
        return _integer_max(x, y, -1)
    return elementwise(lambda a, b: scale(signs.maximum(scale(a, -1), scale(b, -1)), -1), x, y)


def _integer_max(x: Tensor, y: Tensor, sign: int) -> Tensor:
    def largest(a: Poly, b: Poly) -> Poly:
        return conditions.choose(conditions.at_least_zero(scale(subtract(a, b), sign)), a, b)

    return elementwise(largest, x, y, kind="integer")


def _clamp(low: Tensor, x: Tensor, high: Tensor, **_: Any) -> Tensor:
    return _min(_max(x, low), high)


RULES: dict[str, Rule] = {
    "max": _max,
    "min": _min,
    "clamp": _clamp,
    "eq": _compare("eq"),
    "ne": _compare("ne"),
    "lt": _compare("lt"),
    "le": _compare("le"),
    "gt": _compare("gt"),
    "ge": _compare("ge"),
    "and": conjunction,
    "or": disjunction,
    "xor": _xor,
    "not": _not,
    "select_n": _select,
}
