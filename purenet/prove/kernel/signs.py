"""The sign of a real term: `>` (0) and `=` (0) as conditions, absolute values and maxima."""

from functools import lru_cache

from purenet.prove.kernel import algebra, bounds, budget, conditions, functions
from purenet.prove.kernel.factors import Call, Iverson
from purenet.prove.kernel.linear import (
    MINUS_INFINITY,
    ONE,
    ZERO,
    add,
    atom,
    leading,
    magnitude,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Factor, Poly


def is_positive(poly: Poly) -> Poly:
    """[poly > 0] of a real term."""
    return conditions.piecewise(poly, _is_positive)


@lru_cache(maxsize=20_000)
def _is_positive(poly: Poly) -> Poly:
    if (sign := _sign_of_infinity(poly)) is not None:
        return ONE if sign > 0 else ZERO
    if bounds.positive(poly):
        return ONE
    if bounds.nonnegative(scale(poly, -1)):
        return ZERO
    if bounds.nonnegative(poly):
        return subtract(ONE, _equals_zero(poly))
    _, primitive = algebra.primitive_part(poly, signed=False)
    simpler = _logarithm_of_ratio(primitive)
    if simpler is not None:
        return is_positive(simpler)
    if primitive.terms[leading(primitive)] > 0:
        return atom(Iverson(">", primitive))
    opposite = scale(primitive, -1)
    return subtract(subtract(ONE, atom(Iverson(">", opposite))), _equals_zero(opposite))


def equals_zero(poly: Poly) -> Poly:
    """[poly = 0] of a real term."""
    return conditions.piecewise(poly, _equals_zero)


@lru_cache(maxsize=20_000)
def _equals_zero(poly: Poly) -> Poly:
    if poly.is_zero:
        return ONE
    if _sign_of_infinity(poly) is not None or bounds.nonzero(poly):
        return ZERO
    single = poly.single()
    if single:
        parts = [_factor_zero(f) for f, e in single[0]]
        nonzero = [subtract(ONE, p) for p in parts]
        return subtract(ONE, algebra.multiply(*nonzero))
    _, primitive = algebra.primitive_part(poly, signed=False)
    simpler = _logarithm_of_ratio(primitive)
    if simpler is not None:
        return equals_zero(simpler)
    sign = 1 if primitive.terms[leading(primitive)] > 0 else -1
    return atom(Iverson("=", scale(primitive, sign)))


def holds(relation: str, poly: Poly) -> Poly:
    """The condition `poly relation 0`."""
    return {
        ">": is_positive,
        "=": equals_zero,
        ">=": conditions.at_least_zero,
        "==": conditions.integer_zero,
    }[relation](poly)


def absolute(poly: Poly) -> Poly:
    """|poly| = (2 [poly > 0] - 1) poly; at 0 it is 0 either way."""
    if bounds.nonnegative(poly):
        return poly
    return algebra.multiply(subtract(scale(is_positive(poly), 2), ONE), poly)


def maximum(left: Poly, right: Poly) -> Poly:
    """right + [left - right > 0] (left - right)."""
    for one, other in ((left, right), (right, left)):
        if _sign_of_infinity_or_none(one) == -1:
            return other
    difference = subtract(left, right)
    return add(right, algebra.multiply(is_positive(difference), difference))


def _sign_of_infinity(poly: Poly) -> int | None:
    """The sign of a term with an infinite part, None if it is finite."""
    signs = set()
    for monomial, coefficient in poly.terms.items():
        if any(f == MINUS_INFINITY for f, _ in monomial):
            if any(
                e != 1 if f == MINUS_INFINITY else not bounds.positive(atom(f)) for f, e in monomial
            ):
                raise budget.TooLarge("an infinity of unknown sign")
            signs.add(coefficient > 0)
    if not signs:
        return None
    if len(signs) == 2:
        raise budget.TooLarge("a difference of infinities")
    return -1 if signs.pop() else 1


def _sign_of_infinity_or_none(poly: Poly) -> int | None:
    plain = all(f == MINUS_INFINITY for f in poly.factors)
    return _sign_of_infinity(poly) if plain else None


def _logarithm_of_ratio(poly: Poly) -> Poly | None:
    """a·exp(p) - b·exp(q) has the sign of p - q + log(a/b), √p - √q that of p - q."""
    if len(poly.terms) != 2:
        return None
    (one, a), (other, b) = poly.terms.items()
    both = (*one, *other)
    if (
        (a > 0) != (b > 0)
        and any(e.denominator == 2 for _, e in both)
        and all(bounds.nonnegative(atom(f, e)) for f, e in both)
    ):
        first, second = (
            algebra.power(Poly({m: magnitude(c)}), 2) for m, c in ((one, a), (other, b))
        )
        return subtract(first, second) if a > 0 else subtract(second, first)
    exponentials = all(isinstance(f, Call) and f.name == "exp" for f, _ in (*one, *other))
    if not exponentials or (a > 0) == (b > 0):
        return None
    first, second = (functions.log(Poly({m: magnitude(c)})) for m, c in ((one, a), (other, b)))
    return subtract(first, second) if a > 0 else subtract(second, first)


def _factor_zero(factor: Factor) -> Poly:
    if bounds.nonzero(atom(factor)):
        return ZERO
    if isinstance(factor, Iverson):
        return subtract(ONE, atom(factor))
    return atom(Iverson("=", atom(factor)))
