"""Equations solved for one of their factors: `=` (0) of real terms, `==` (0) of integers."""

from fractions import Fraction

from purenet.prove.kernel.factors import Binder, Call, Entry, Index, Iverson, Size
from purenet.prove.kernel.linear import scale
from purenet.prove.kernel.terms import Factor, Poly


def solution(equation: Iverson) -> tuple[Factor, Poly] | None:
    """A factor that the equation determines, and its value."""
    candidates = [
        (_rank(factor), factor, coefficient)
        for monomial, coefficient in equation.poly.terms.items()
        if len(monomial) == 1 and (factor := monomial[0][0]) and monomial[0][1] == 1
        if _may_be_solved(factor, equation)
    ]
    if not candidates:
        return None
    _, factor, coefficient = max(candidates, key=lambda c: c[0])
    rest = Poly({m: c for m, c in equation.poly.terms.items() if m != ((factor, 1),)})
    return factor, scale(rest, Fraction(-1) / Fraction(coefficient))


def solved(condition: Poly) -> bool:
    """Whether each integer equation in a product can be solved for an index."""
    return all(
        solution(f) is not None
        for f in condition.factors
        if isinstance(f, Iverson) and f.relation == "=="
    )


def thick(equation: Iverson) -> bool:
    """An equation with a maximum in it: it can hold on an open set."""
    return equation.relation == "=" and _contains_maximum(equation.poly)


def _may_be_solved(factor: Factor, equation: Iverson) -> bool:
    monomials = equation.poly.terms
    if equation.relation == "==":
        if not isinstance(factor, Index) or abs(monomials[((factor, 1),)]) != 1:
            return False
        return all(factor.var not in f.free for m in monomials for f, _ in m if f != factor)
    if isinstance(factor, Size | Call) or _contains_maximum(equation.poly):
        return isinstance(factor, Call) and len(monomials) == 1
    return not any(_occurs(factor, f) for m in monomials for f, _ in m if m != ((factor, 1),))


def _rank(factor: Factor) -> tuple[bool, bool, bytes, bytes]:
    """Which factor is replaced: indices before entries before anything else."""
    return isinstance(factor, Index), isinstance(factor, Entry), factor.blind, factor.digest


def _occurs(factor: Factor, within: Factor) -> bool:
    return factor == within or any(_occurs(factor, f) for p in within.polys for f in p.factors)


def _contains_maximum(poly: Poly) -> bool:
    return any(isinstance(f, Binder) and f.tag == "max" for f in poly.factors)
