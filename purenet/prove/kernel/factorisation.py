"""A sum as a product, as far as is easily seen, and which of two terms is the simpler one.

Nothing that is decided depends on this module.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import gcd

from purenet.prove.kernel import algebra
from purenet.prove.kernel.factors import Call, Constant, Entry, Index, Iverson, Size
from purenet.prove.kernel.linear import add, ordered, rational, scale
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly


def factorised(poly: Poly) -> tuple[Monomial, Number, list[tuple[Poly, int]]]:
    """content, coefficient and sums whose product is the term: as far as is easily seen."""
    content, coefficient, primitive = _content(poly)
    if len(primitive.terms) == 1:
        return content, coefficient * primitive.terms[()], []
    root = algebra.square_root(primitive)
    if root is not None:
        return content, coefficient, [(_signed(root)[1], 2)]
    pieces = _split(primitive)
    if pieces is None:
        sign, primitive = _signed(primitive)
        plain = () not in primitive.terms or not content
        if coefficient * sign < 0 and plain and any(c < 0 for c in primitive.terms.values()):
            sign, primitive = -sign, scale(primitive, -1)
        return content, coefficient * sign, [(primitive, 1)]
    parts: list[tuple[Poly, int]] = []
    for piece in pieces:
        more, by, inner = factorised(piece)
        content, coefficient = times(content, more), coefficient * by
        parts += inner
    return content, rational(coefficient), parts


def _content(poly: Poly) -> tuple[Monomial, Number, Poly]:
    """What all monomials share, and the rest."""
    coefficients = [Fraction(c) for c in poly.terms.values()]
    numerator = gcd(*(c.numerator for c in coefficients))
    denominator = 1
    for c in coefficients:
        denominator = denominator * c.denominator // gcd(denominator, c.denominator)
    shared: dict[Factor, Number] = {}
    for factor in poly.factors:
        exponents = [dict(m).get(factor, 0) for m in poly.terms]
        if min(exponents) > 0 or max(exponents) < 0:
            shared[factor] = min(exponents, key=lambda e: max(e, -e))
    content = ordered(shared.items())
    by = Fraction(numerator, denominator)
    inverse = ordered((f, -e) for f, e in content)
    return (
        content,
        rational(by),
        Poly({times(m, inverse): rational(c / by) for m, c in poly.terms.items()}),
    )


def _split(poly: Poly) -> tuple[Poly, Poly] | None:
    """Two factors of a sum: in powers of one factor, all coefficients are multiples of one sum."""
    if len(poly.terms) < 4:
        return None
    for factor in sorted(poly.factors, key=lambda f: f.digest):
        by_power: dict[Number, dict[Monomial, Number]] = {}
        for m, c in poly.terms.items():
            rest = ordered(pair for pair in m if pair[0] != factor)
            by_power.setdefault(dict(m).get(factor, 0), {})[rest] = c
        if len(by_power) < 2 or any(len(group) < 2 for group in by_power.values()):
            continue
        quotient: list[Poly] = []
        common = None
        for exponent, group in by_power.items():
            content, coefficient, primitive = _content(Poly(group))
            sign, primitive = _signed(primitive)
            if common not in (None, primitive):
                break
            common = primitive
            quotient.append(Poly({times(content, [(factor, exponent)]): coefficient * sign}))
        else:
            assert common is not None
            return common, add(*quotient)
    return None


def _signed(poly: Poly) -> tuple[int, Poly]:
    """A constant is positive; without one, the simplest term is."""
    first = min(poly.terms, key=simplicity)
    return (1, poly) if poly.terms[first] > 0 else (-1, scale(poly, -1))


def times(
    left: Iterable[tuple[Factor, Number]], right: Iterable[tuple[Factor, Number]]
) -> Monomial:
    """The product of two monomials."""
    powers = dict(left)
    for factor, exponent in right:
        powers[factor] = rational(powers.get(factor, 0) + exponent)
    return ordered((f, e) for f, e in powers.items() if e)


def simplicity(monomial: Monomial) -> tuple[object, ...]:
    """A key of which a simpler product has the smaller one."""
    tests = sum(isinstance(f, Iverson) for f, _ in monomial)
    height = max((f.height for f, _ in monomial), default=0)
    return tests, height, len(monomial), sort_name(monomial)


def sort_name(monomial: Monomial) -> list[str]:
    """The names of the factors, to order products by."""
    return sorted(name_of(f) for f, _ in monomial)


def name_of(factor: Factor) -> str:
    """What a factor is called where factors are put in order."""
    if isinstance(factor, Entry):
        return factor.array.name
    if isinstance(factor, Index):
        return factor.var.name
    if isinstance(factor, Size | Constant | Call):
        return factor.name
    return type(factor).__name__
