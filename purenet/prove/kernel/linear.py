"""Linear combinations of terms: numbers and single factors as terms, sums, rational multiples."""

from collections.abc import Iterable
from math import inf

from purenet.prove.kernel.factors import Constant, Index
from purenet.prove.kernel.hashing import digest
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly, Var, blind


def rational(value: Number) -> Number:
    """An int where possible: cheaper to hash than a Fraction."""
    if type(value) is int:
        return value
    return value.numerator if value.denominator == 1 else value


def number(value: Number) -> Poly:
    """A rational number as a term."""
    return Poly({(): rational(value)} if value else {})


def magnitude(value: Number) -> Number:
    """Its absolute value (abs of an int or a Fraction has no type that mypy knows)."""
    return -value if value < 0 else value


def atom(factor: Factor, exponent: Number = 1) -> Poly:
    """A single factor as a term."""
    return Poly({((factor, exponent),): 1})


def index(var: Var) -> Poly:
    """An index variable as a term."""
    return atom(Index(var))


ZERO, ONE = number(0), number(1)
MINUS_INFINITY = Constant("-oo", -inf)
PI = Constant("pi", 3.141592653589793)


def add(*polys: Poly) -> Poly:
    """The sum of terms."""
    first, *others = [poly for poly in polys if poly.terms] or [ZERO]
    if not others:
        return first
    total = dict(first.terms)
    for poly in others:
        for monomial, coefficient in poly.terms.items():
            if monomial not in total:
                total[monomial] = coefficient
            elif value := total[monomial] + coefficient:
                total[monomial] = rational(value)
            else:
                del total[monomial]
    return Poly(total)


def scale(poly: Poly, by: Number) -> Poly:
    """A rational multiple."""
    if by == 1:
        return poly
    return Poly({m: rational(c * by) for m, c in poly.terms.items()}) if by else ZERO


def subtract(left: Poly, right: Poly) -> Poly:
    """left - right."""
    return add(left, scale(right, -1))


def ordered(factors: Iterable[tuple[Factor, Number]]) -> Monomial:
    """A monomial from factors and powers, in the order of digests."""
    return tuple(sorted(factors))


def leading(poly: Poly) -> Monomial:
    """The monomial that decides about signs, whatever the names of index variables."""
    return max(poly.terms, key=lambda m: (blind(m), digest(*(f.digest for f, _ in m))))


def is_whole(poly: Poly) -> bool:
    """A polynomial in sizes and indices with whole coefficients and no divisions."""
    return all(
        c.denominator == 1 and all(e > 0 and e.denominator == 1 for _, e in m)
        for m, c in poly.terms.items()
    )
