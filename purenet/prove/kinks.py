"""Where a function made of pieces is not differentiable, and what a rule gives there.

A condition changes at P = 0. If the function and its derivative go through P = 0 without a jump,
the rule must be right there too; if one of them jumps, P = 0 is a kink: a condition of the theorem.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import permutations

from purenet.prove.kernel import algebra, conditions, signs, sums, zero
from purenet.prove.kernel.factors import Binder, Call, Entry, Iverson, Named
from purenet.prove.kernel.linear import add, atom, index, ordered, scale
from purenet.prove.kernel.terms import Factor, Monomial, Poly, Var

MOST_NAMES = 4


def families(poly: Poly) -> dict[bytes, Poly]:
    """The P of conditions on real values, one for each form; sums and definitions looked into.

    Of those that differ in names only it is the same one each time, whatever the order of sets.
    """
    found = sorted({f.poly for f in conditions_in(poly) if not is_peak(f)}, key=lambda p: p.digest)
    return {pattern(p): p for p in found}


def is_peak(condition: Iverson) -> bool:
    """x[k] = max x: it holds at one k always, and changes where the maximum moves."""
    return condition.relation == "=" and any(
        isinstance(f, Binder)
        and f.tag == "max"
        and abs(condition.poly.terms.get(((f, 1),), 0)) == 1
        for f in condition.poly.factors
    )


@lru_cache(maxsize=20_000)
def pattern(poly: Poly) -> bytes:
    """What is the same for terms that differ in the names of their free indices only."""
    names = sorted(poly.free, key=lambda v: v.name)
    if len(names) > MOST_NAMES:
        return poly.digest
    return min(
        algebra.substitute(
            poly, {v: index(Var(f"any#{k}", v.size)) for k, v in enumerate(order)}
        ).digest
        for order in permutations(names)
    )


def conditions_in(poly: Poly) -> Iterator[Iverson]:
    """The real conditions of a term at any depth."""
    for factor in poly.factors:
        yield from _in_factor(factor)


def _in_factor(factor: Factor) -> Iterator[Iverson]:
    if isinstance(factor, Iverson) and factor.relation in (">", "="):
        yield factor
    for part in factor.polys:
        yield from conditions_in(part)
    if isinstance(factor, Named):
        yield from conditions_in(factor.definition.body)


def definitions(poly: Poly) -> set[Poly]:
    """The bodies of the named intermediates, at any depth."""
    found: set[Poly] = set()
    for factor in poly.factors:
        if isinstance(factor, Named) and factor.definition.body not in found:
            found |= {factor.definition.body} | definitions(factor.definition.body)
        for part in factor.polys:
            found |= definitions(part)
    return found


def jump(poly: Poly, family: bytes, *, hidden: bool = True) -> Poly:
    """By how much the term changes where a P of the family goes through 0.

    What changes inside a function is an atom of its own, or left out if not `hidden`.
    """
    parts = []
    for monomial, coefficient in poly.terms.items():
        for factor, exponent in monomial:
            rest = Poly({ordered(pair for pair in monomial if pair[0] != factor): coefficient})
            if isinstance(factor, Iverson) and pattern(factor.poly) == family:
                parts.append(_at_zero(rest, factor))
            elif isinstance(factor, Binder) and factor.tag == "sum":
                bound, body = sums.opened(factor)
                inner = jump(body, family, hidden=hidden)
                if not inner.is_zero:
                    outer = scale(algebra.power(atom(factor), exponent - 1), exponent)
                    parts.append(algebra.multiply(rest, outer, sums.total(bound, inner)))
            elif hidden and _hidden(factor, family):
                parts.append(algebra.multiply(rest, atom(Call("jump", atom(factor, exponent)))))
    return add(*parts)


def _at_zero(rest: Poly, condition: Iverson) -> Poly:
    """The coefficient of a condition where P = 0."""
    return algebra.multiply(rest, signs.equals_zero(condition.poly))


def _hidden(factor: Factor, family: bytes) -> bool:
    """A condition inside a function or a power: whether it jumps is not looked into."""
    if isinstance(factor, Named | Iverson):
        return False
    return any(pattern(f.poly) == family for p in factor.polys for f in conditions_in(p))


def smooth(family: bytes, values: Iterable[Poly], derivatives: Iterable[Poly]) -> bool:
    """Whether a function and its derivative go through P = 0 without a jump."""
    every = [*values, *(d for v in values for d in definitions(v)), *derivatives]
    return all(_is_nothing(jump(p, family)) for p in every)


def _is_nothing(change: Poly) -> bool:
    """0, or 0 under one sum: x Σ_k [x = y[k]] - Σ_k y[k] [x = y[k]]."""
    joined = None if change.is_zero else zero.summand(change)
    return change.is_zero or (joined is not None and joined.is_zero)


def within(equation: Poly, kink: Poly) -> bool:
    """Whether P = 0 implies that an entry of the kink is 0, under some names of its indices."""
    where = signs.equals_zero(equation)
    names = sorted(kink.free, key=lambda v: v.name)
    return any(
        algebra.multiply(
            where,
            conditions.complement(
                signs.equals_zero(
                    algebra.substitute(kink, dict(zip(names, map(index, order), strict=True)))
                )
            ),
        ).is_zero
        for order in permutations(equation.free, len(names))
        if all(v.size == w.size for v, w in zip(names, order, strict=True))
    )


def on_equation(poly: Poly, zero: Poly) -> Poly:
    """The term on the set P = 0."""
    equation = signs.equals_zero(zero)
    product = algebra.multiply(poly, equation)
    return add(
        *(
            Poly({ordered(pair for pair in m if pair[0] not in equation.factors): c})
            for m, c in product.terms.items()
        )
    )


def jumps_in_sight(family: bytes, values: Iterable[Poly], derivatives: Iterable[Poly]) -> bool:
    """Whether a value or a derivative jumps by a term that can be seen."""
    return any(
        not _is_nothing(jump(p, family, hidden=False))
        for p in (*values, *(d for v in values for d in definitions(v)), *derivatives)
    )


def is_simple(poly: Poly) -> bool:
    """Whether P = 0 is one surface, on all of which a jump is a jump.

    P is linear in an entry with a constant rate, or a bilinear sum, or a product or a sum of
    squares beside a number. A product such as x (x - 1)² has parts on which nothing need jump.
    """
    for monomial in poly.terms:
        entry = monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None
        others = [m for m in poly.terms if m != monomial]
        if isinstance(entry, Entry) and not any(_occurs(entry, m) for m in others):
            return True
    parts = [m for m in poly.terms if m]
    if len(parts) == 1 and all(e == 1 for _, e in parts[0]):
        beside = () in poly.terms
        factor = parts[0][0][0] if len(parts[0]) == 1 else None
        if isinstance(factor, Binder) and factor.tag == "sum":
            (body,) = factor.body.terms
            bilinear = len(body) > 1 and all(e == 1 and isinstance(f, Entry) for f, e in body)
            square = len(body) == 1 and body[0][1] == 2 and isinstance(body[0][0], Entry)
            return bilinear or square
        return beside and all(isinstance(f, Entry) for f, _ in parts[0])
    return False


def _occurs(entry: Entry, monomial: Monomial) -> bool:
    return any(f == entry or _inside(entry, f) for f, _ in monomial)


def _inside(entry: Entry, factor: Factor) -> bool:
    return any(f == entry or _inside(entry, f) for p in factor.polys for f in p.factors)
