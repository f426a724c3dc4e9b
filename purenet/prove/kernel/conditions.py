"""Conditions as terms that are 1 or 0, terms that are defined in pieces, and bounds of integers.

A function of a term in pieces becomes the pieces of the function. `>=` (0) and `==` (0) are about
integers; for `>` and `=` of real terms see `signs`.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import floor, gcd

from purenet.prove.kernel import algebra, bounds, budget
from purenet.prove.kernel.factors import Entry, Iverson, Size
from purenet.prove.kernel.linear import (
    ONE,
    ZERO,
    add,
    atom,
    is_whole,
    leading,
    magnitude,
    number,
    ordered,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Factor, Poly


def complement(condition: Poly) -> Poly:
    """1 - condition; for an integer bound that stands alone, the opposite bound."""
    single = condition.single()
    if single and single[1] == 1 and len(single[0]) == 1:
        factor = single[0][0][0]
        if isinstance(factor, Iverson) and factor.relation == ">=":
            return at_least_zero(subtract(scale(factor.poly, -1), ONE))
    return subtract(ONE, condition)


def choose(condition: Poly, yes: Poly, no: Poly) -> Poly:
    """yes where the condition holds, else no."""
    return add(algebra.multiply(condition, yes), algebra.multiply(complement(condition), no))


def piecewise(poly: Poly, function: Callable[[Poly], Poly]) -> Poly:
    """function(poly), with the conditions in `poly` taken outside."""
    condition = _first_condition(poly)
    if condition is None:
        return function(poly)
    budget.check(len(poly.terms))
    yes = piecewise(_where(poly, condition), function)
    no = piecewise(_without(poly, condition), function)
    return choose(atom(condition), yes, no)


def piecewise_index(place: tuple[Poly, ...], entry: Callable[[tuple[Poly, ...]], Poly]) -> Poly:
    """An entry at an index, with the conditions in the index taken outside."""
    for axis, part in enumerate(place):
        condition = _first_condition(part)
        if condition is not None:
            yes = (*place[:axis], _where(part, condition), *place[axis + 1 :])
            no = (*place[:axis], _without(part, condition), *place[axis + 1 :])
            return choose(atom(condition), piecewise_index(yes, entry), piecewise_index(no, entry))
    return entry(place)


def is_condition(factor: Factor) -> bool:
    """A factor that is 0 or 1: a relation or an entry of a boolean array."""
    return isinstance(factor, Iverson) or (isinstance(factor, Entry) and factor.array.binary)


def _first_condition(poly: Poly) -> Factor | None:
    found = [f for f in poly.factors if is_condition(f)]
    return min(found, key=lambda f: f.digest, default=None)


def _where(poly: Poly, condition: Factor) -> Poly:
    """The term where the condition holds."""
    product = algebra.multiply(poly, atom(condition))
    return add(
        *(
            Poly({ordered(pair for pair in m if pair[0] != condition): c})
            for m, c in product.terms.items()
        )
    )


def _without(poly: Poly, condition: Factor) -> Poly:
    """The term where the condition does not hold: there the opposite bound holds."""
    rest = Poly({m: c for m, c in poly.terms.items() if all(f != condition for f, _ in m)})
    opposite = complement(atom(condition)).single()
    known = opposite is not None and len(opposite[0]) == 1 and opposite[0][0][0] in rest.factors
    return _where(rest, opposite[0][0][0]) if known and opposite else rest


def at_least_zero(poly: Poly) -> Poly:
    """[poly >= 0] of an integer term."""
    return piecewise(poly, _at_least_zero)


@lru_cache(maxsize=20_000)
def _at_least_zero(poly: Poly) -> Poly:
    if bounds.at_least(poly, 0):
        return ONE
    if bounds.at_least(scale(poly, -1), 1):
        return ZERO
    if not is_whole(poly):
        return atom(Iverson(">=", poly))
    if bounds.at_least(scale(poly, -1), 0):
        return integer_zero(poly)
    digits = _digits(poly)
    if digits is not None:
        high, low = digits
        return add(
            at_least_zero(subtract(high, ONE)),
            algebra.multiply(integer_zero(high), at_least_zero(low)),
        )
    divisor = gcd(*(int(c) for m, c in poly.terms.items() if m)) or 1
    terms = {m: (c // divisor if m else floor(Fraction(c, divisor))) for m, c in poly.terms.items()}
    return atom(Iverson(">=", Poly({m: c for m, c in terms.items() if c})))


def integer_zero(poly: Poly) -> Poly:
    """[poly == 0] of an integer term."""
    return piecewise(poly, _integer_zero)


@lru_cache(maxsize=20_000)
def _integer_zero(poly: Poly) -> Poly:
    if poly.is_zero:
        return ONE
    if bounds.at_least(poly, 1) or bounds.at_least(scale(poly, -1), 1):
        return ZERO
    if not is_whole(poly):
        return atom(Iverson("==", poly))
    digits = _digits(poly)
    if digits is not None:
        return algebra.multiply(*map(integer_zero, digits))
    divisor = gcd(*(int(c) for m, c in poly.terms.items() if m))
    if divisor and int(poly.terms.get((), 0)) % divisor:
        return ZERO
    sign = -1 if poly.terms[leading(poly)] < 0 else 1
    return atom(Iverson("==", scale(poly, Fraction(sign, divisor or 1))))


def _digits(poly: Poly) -> tuple[Poly, Poly] | None:
    """(a, b) with poly = s·a + b and |b| < s for a size s that stands before an index."""
    for size in _strides(poly):
        inverse = algebra.power(size, -1)
        high: list[Poly] = []
        low: list[Poly] = []
        for monomial, coefficient in poly.terms.items():
            part = Poly({monomial: coefficient})
            divided = algebra.multiply(part, inverse)
            (high if is_whole(divided) else low).append(divided if is_whole(divided) else part)
        if not high or not low:
            continue
        for carried in (0, 1, -1):
            rest = add(*low, scale(size, carried))
            if all(bounds.at_least(subtract(size, add(ONE, scale(rest, s))), 0) for s in (1, -1)):
                return subtract(add(*high), number(carried)), rest
    return None


def _strides(poly: Poly) -> list[Poly]:
    """The sizes and numbers by which indices are multiplied."""
    found = {}
    for monomial, coefficient in poly.terms.items():
        sizes = ordered(pair for pair in monomial if isinstance(pair[0], Size))
        if len(sizes) < len(monomial) and (sizes or magnitude(coefficient) > 1):
            stride = Poly({sizes: magnitude(coefficient)})
            found[stride.digest] = stride
    return list(found.values())
