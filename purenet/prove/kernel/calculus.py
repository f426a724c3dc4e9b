"""Derivatives of terms: the tangent along an array, and the coefficients of a linear term."""

from purenet.prove.kernel import algebra, budget, conditions, functions, sums
from purenet.prove.kernel.factors import Base, Binder, Call, Entry, Iverson, Named
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, ordered, scale, subtract
from purenet.prove.kernel.terms import Array, Factor, Monomial, Number, Poly, Var


class NoDerivative(Exception):
    """A factor whose derivative is not known."""


def tangent(
    poly: Poly, along: Array, direction: Array, memo: dict[Factor, Poly] | None = None
) -> Poly:
    """The derivative of a term along one array: entries of `direction` stand for its change."""
    memo = {} if memo is None else memo
    if along not in poly.arrays:
        return ZERO
    parts = []
    for monomial, coefficient in poly.terms.items():
        for factor, exponent in monomial:
            if along not in factor.arrays or isinstance(factor, Iverson):
                continue
            if factor not in memo:
                memo[factor] = _of_factor(factor, along, direction, memo)
            rest = {f: e for f, e in monomial if f != factor}
            lowered = algebra.power(atom(factor), exponent - 1) if exponent != 1 else ONE
            parts.append(
                algebra.multiply(
                    scale(Poly({ordered(rest.items()): 1}), coefficient * exponent),
                    lowered,
                    memo[factor],
                )
            )
    return add(*parts)


def _of_factor(factor: Factor, along: Array, direction: Array, memo: dict[Factor, Poly]) -> Poly:
    if isinstance(factor, Entry):
        return atom(Entry(direction, factor.polys)) if factor.array == along else ZERO
    if isinstance(factor, Named):
        inner = tangent(factor.definition.body, along, direction, memo)
        return algebra.substitute(
            inner, dict(zip(factor.definition.slots, factor.polys, strict=True))
        )
    if isinstance(factor, Base):
        return tangent(factor.poly, along, direction, memo)
    if isinstance(factor, Call):
        outer = functions.derivative(factor)
        if outer is None:
            raise NoDerivative(f"the derivative of {factor.name}")
        return algebra.multiply(outer, tangent(factor.argument, along, direction, memo))
    if isinstance(factor, Binder):
        return _of_binder(factor, along, direction)
    raise NoDerivative(type(factor).__name__)


def _of_binder(binder: Binder, along: Array, direction: Array) -> Poly:
    if binder.tag == "argmax":
        return ZERO
    bound, body = sums.opened(binder)
    inner = tangent(body, along, direction)
    if binder.tag == "sum":
        return sums.total(bound, inner)
    if len(bound) != 1:
        raise NoDerivative("a maximum over several axes at once")
    peak = sums.position(bound, body)  # where the maximum is attained once
    return algebra.substitute(inner, {bound[0]: peak})


class NotLinear(Exception):
    """A term is not linear in an array."""


def coefficient(poly: Poly, of: Array, at: tuple[Var, ...]) -> Poly:
    """The coefficient of `of[at]` in a term that is linear in the array."""
    return add(*(scale(_coefficient(m, of, at), c) for m, c in poly.terms.items()))


def _coefficient(monomial: Monomial, of: Array, at: tuple[Var, ...]) -> Poly:
    parts = []
    for bound, inner, factor in _exposed(monomial, of):
        entries = [f for f, _ in inner if of in f.arrays]
        if len(entries) != 1 or dict(inner)[entries[0]] != 1 or not isinstance(entries[0], Entry):
            raise NotLinear(f"not linear in {of.name}")
        rest = Poly({ordered(pair for pair in inner if pair[0] != entries[0]): factor})
        places = [
            conditions.integer_zero(subtract(p, index(v)))
            for p, v in zip(entries[0].polys, at, strict=True)
            if v.size != ONE
        ]
        parts.append(sums.total(bound, algebra.multiply(rest, *places)))
    return add(*parts)


def _exposed(monomial: Monomial, of: Array) -> list[tuple[tuple[Var, ...], Monomial, Number]]:
    """The product as (bound variables, monomial, coefficient), no sum left around the array."""
    budget.check(0)
    for factor, exponent in monomial:
        if of not in factor.arrays:
            continue
        if isinstance(factor, Named):
            bound: tuple[Var, ...] = ()
            body = unfold(factor)
        elif isinstance(factor, Binder) and factor.tag == "sum":
            bound, body = sums.opened(factor)
        else:
            continue
        if exponent != 1:
            raise NotLinear(f"not linear in {of.name}")
        rest = Poly({ordered(pair for pair in monomial if pair[0] != factor): 1})
        return [
            ((*bound, *inner), m, c * d)
            for n, c in algebra.multiply(rest, body).terms.items()
            for inner, m, d in _exposed(n, of)
        ]
    return [((), monomial, 1)]


def unfold(named: Named) -> Poly:
    """The definition of a named intermediate at its index."""
    return algebra.substitute(
        named.definition.body, dict(zip(named.definition.slots, named.polys, strict=True))
    )


def unfolded(poly: Poly) -> Poly:
    """No named intermediates at any depth."""
    return algebra.rewrite(poly, lambda f: unfolded(unfold(f)) if isinstance(f, Named) else None)
