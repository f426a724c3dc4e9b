"""Is a term 0 for all values? A sequence of rewritings, each of which keeps the value.

`vanishes` answers with the equations P = 0 on which it says nothing (a set without interior, where
a condition changes), or with None if the term was not shown to be 0 elsewhere.
"""

from fractions import Fraction
from itertools import count, permutations, product

from purenet.prove.kernel import (
    algebra,
    bounds,
    calculus,
    conditions,
    digits,
    equations,
    functions,
    sums,
)
from purenet.prove.kernel.factors import Base, Binder, Call, Digit, Entry, Iverson, Named
from purenet.prove.kernel.linear import (
    ONE,
    ZERO,
    add,
    atom,
    index,
    is_whole,
    number,
    ordered,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Array, Factor, Monomial, Number, Poly, Var

Skipped = frozenset[Poly]
Facts = tuple[Poly, ...]
NOTHING: Skipped = frozenset()
MOST_SPLITS = 7
MOST_PLACES = 500
_names = count()


def vanishes(poly: Poly, facts: Facts = (), splits: int = MOST_SPLITS) -> Skipped | None:
    """The equations on which the term may differ from 0; None if it was not shown to be 0.

    `facts` are terms that are not 0, whatever the values of their free indices.
    """
    poly, skipped = off_equations(on_simplex(poly))
    if poly.is_zero:
        return skipped
    rest = _elsewhere(poly, facts, splits)
    return None if rest is None else rest | skipped


def _elsewhere(poly: Poly, facts: Facts, splits: int) -> Skipped | None:
    if "Named" in poly.marks:
        if _over_common_denominator(poly, facts).is_zero:
            return NOTHING
        return vanishes(_unfolded_once(poly), tuple(map(calculus.unfolded, facts)), splits)
    poly = _one_sign(poly)
    if _over_common_denominator(poly, facts).is_zero:
        return NOTHING
    expanded = by_exp(poly, facts)
    if expanded != poly:
        return vanishes(expanded, tuple(by_exp(f, facts) for f in facts), splits)
    written_out = _written_out(poly)
    if written_out is not None:
        return _all(written_out, facts, splits)
    split = _split_indices(poly)
    if split is not None:
        return vanishes(split, facts, splits)
    for attempt in (_in_each_order, _in_each_sign):
        if splits and (found := attempt(poly, facts, splits - 1)) is not None:
            return found
    return _under_one_sum(poly, facts, splits)


def _unfolded_once(poly: Poly) -> Poly:
    """The intermediates that were named last by their definitions."""
    names = {f for f in _everywhere(poly) if isinstance(f, Named)}
    last = max(map(_depth, names))
    return algebra.rewrite(
        poly,
        lambda f: calculus.unfold(f) if isinstance(f, Named) and _depth(f) == last else None,
    )


def _depth(named: Named) -> int:
    """How many definitions are nested in it."""
    inner = [_depth(f) for f in _everywhere(named.definition.body) if isinstance(f, Named)]
    return 1 + max(inner, default=0)


def _one_sign(poly: Poly) -> Poly:
    """(-p)^k for a whole k as ±p^k, where a root of p occurs."""
    roots = {f.poly for m in poly.terms for f, e in m if isinstance(f, Base) and e.denominator != 1}
    terms = []
    for monomial, coefficient in poly.terms.items():
        powers, sign = [], 1
        for factor, exponent in monomial:
            if isinstance(factor, Base) and isinstance(exponent, int):
                opposite = scale(factor.poly, -1)
                if opposite in roots and factor.poly not in roots:
                    factor, sign = Base(opposite), sign * (-1) ** (exponent % 2)
            powers.append((factor, exponent))
        terms.append(scale(algebra.multiply(*(atom(f, e) for f, e in powers)), coefficient * sign))
    return add(*terms) if roots else poly


def on_simplex(poly: Poly) -> Poly:
    """The term with the knowledge that rows of distributions sum to 1: after all derivatives."""
    if not any(a.simplex for a in poly.arrays):
        return poly

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Entry) and factor.array.simplex:
            return atom(Entry(factor.array.summing(), factor.polys))
        return None

    return algebra.rewrite(poly, rule)


def off_equations(poly: Poly) -> tuple[Poly, Skipped]:
    """The term off the sets P = 0, and these P; where P is 0 by its indices it is kept."""
    skipped = {p for m in poly.terms for f, _ in m for p in confined(f)}
    if not skipped:
        return poly, NOTHING

    def rule(factor: Factor) -> Poly | None:
        return diagonal(factor.poly) if _is_thin(factor) else None  # type: ignore[attr-defined]

    return algebra.rewrite(poly, rule), frozenset(skipped)


def _is_thin(factor: Factor) -> bool:
    return isinstance(factor, Iverson) and factor.relation == "=" and not equations.thick(factor)


def confined(factor: Factor) -> set[Poly]:
    """The P of thin equations P = 0 in a factor, at any depth."""
    if "=" not in factor.marks:
        return set()
    own = {factor.poly} if _is_thin(factor) else set()  # type: ignore[attr-defined]
    if isinstance(factor, Binder):
        _, body = sums.opened(factor)
        return own | {p for f in body.factors for p in confined(f)}
    return own | {p for part in factor.polys for f in part.factors for p in confined(f)}


def open_coincidences(poly: Poly) -> list[Poly]:
    """The conditions for equal indices that can't be solved, so that nothing is known there."""
    return [
        c
        for c in _coincidences(poly)
        if not algebra.multiply(poly, c).is_zero and not equations.solved(c)
    ]


def diagonal(poly: Poly) -> Poly:
    """1 where equal indices make the term 0 whatever its values: x[i] - x[j] where i = j."""
    rest = ONE
    for coincidence in _coincidences(poly):
        if algebra.multiply(poly, coincidence).is_zero:
            rest = algebra.multiply(rest, subtract(ONE, coincidence))
    return subtract(ONE, rest)


def _coincidences(poly: Poly) -> list[Poly]:
    """For every two entries of one array: the condition that their indices are equal."""
    places: dict[object, set[tuple[Poly, ...]]] = {}
    for factor in _everywhere(poly):
        if isinstance(factor, Entry | Named):
            key = factor.array if isinstance(factor, Entry) else factor.definition
            places.setdefault(key, set()).add(factor.polys)
    free = poly.free
    found = []
    for one, other in (pair for ps in places.values() for pair in permutations(ps, 2)):
        differences = [subtract(a, b) for a, b in zip(one, other, strict=True)]
        if all(d.free <= free for d in differences):
            found.append(algebra.multiply(*map(conditions.integer_zero, differences)))
    return list({p.digest: p for p in found if not p.is_zero}.values())


def _everywhere(poly: Poly) -> list[Factor]:
    return [g for f in poly.factors for g in (f, *(h for p in f.polys for h in _everywhere(p)))]


def by_exp(poly: Poly, facts: Facts = ()) -> Poly:
    """Functions by their definitions by exp; what stands in a log or a power over one divisor."""

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Call) and (d := functions.definition(factor)) is not None:
            return by_exp(d, facts)
        if isinstance(factor, Call) and factor.name == "log":
            return functions.log(together(by_exp(factor.argument, facts), facts))
        if (
            isinstance(factor, Base)
            and (new := together(by_exp(factor.poly, facts), facts)) != factor.poly
        ):
            return new
        return None

    return algebra.rewrite(poly, rule)


def together(poly: Poly, facts: Facts = ()) -> Poly:
    """A sum of fractions as one fraction, where the divisors are never 0."""
    divisors = _divisors(poly, facts)
    if len(poly.terms) < 2 or not divisors:
        return poly
    below = algebra.multiply(*(algebra.power(f.poly, -e) for f, e in divisors.items()))
    above = poly
    for base, exponent in divisors.items():
        above = add(*(_raised(m, c, base, -exponent) for m, c in above.terms.items()))
    return algebra.multiply(_cancelled(above), algebra.power(below, -1))


def _cancelled(poly: Poly) -> Poly:
    content, primitive = algebra.primitive_part(poly, signed=False) if poly.terms else (poly, poly)
    return algebra.multiply(content, primitive) if poly.terms else poly


def _over_common_denominator(poly: Poly, facts: Facts) -> Poly:
    """The term times powers of what it is divided by, where that is never 0."""
    for _ in range(12):
        divisors = _divisors(poly, facts)
        if not divisors:
            return poly
        base = max(divisors, key=lambda f: (f.height, len(f.poly.terms), f.digest))
        poly = add(*(_raised(m, c, base, -divisors[base]) for m, c in poly.terms.items()))
        if poly.is_zero:
            return poly
    return poly


def _divisors(poly: Poly, facts: Facts) -> dict[Base, Number]:
    """The sums that are divided by, known not to be 0, with their lowest power."""
    lowest: dict[Base, Number] = {}
    for monomial in poly.terms:
        for factor, exponent in monomial:
            if isinstance(factor, Base) and exponent < 0:
                lowest[factor] = min(lowest.get(factor, 0), exponent)
    return {f: e for f, e in lowest.items() if bounds.nonzero(f.poly) or known(f.poly, facts)}


def known(poly: Poly, facts: Facts) -> bool:
    """Whether the term is a fact under other names of indices, or a factor of one."""
    return any(instance(part, poly) for fact in facts for part in _parts(fact))


def _parts(fact: Poly) -> list[Poly]:
    inverse = algebra.power(fact, -1).single()
    return (
        []
        if inverse is None
        else [f.poly if isinstance(f, Base) else atom(f) for f, _ in inverse[0]]
    )


def instance(general: Poly, special: Poly) -> bool:
    """Whether a term is another one at some values of its free indices."""
    if general == special:
        return True
    names = sorted(general.free, key=lambda v: v.name)
    places = {index(v) for v in special.free}
    places |= {p for f in _everywhere(special) if isinstance(f, Entry | Named) for p in f.polys}
    places = {p for p in places if p.free <= special.free}
    if len(places) ** len(names) > MOST_PLACES:
        return False
    return any(
        algebra.substitute(general, dict(zip(names, choice, strict=True))) == special
        for choice in product(sorted(places, key=lambda p: p.digest), repeat=len(names))
    )


def _raised(monomial: Monomial, coefficient: Number, base: Base, by: Number) -> Poly:
    """A monomial times base**by; whole powers are multiplied out."""
    powers = dict(monomial)
    exponent = Fraction(powers.pop(base, 0)) + Fraction(by)
    whole = exponent.numerator // exponent.denominator
    rest = Poly({ordered(powers.items()): coefficient})
    left = exponent - whole
    if left:
        rest = algebra.multiply(rest, atom(base, left))
    return algebra.multiply(rest, algebra.power(base.poly, whole))


def _all(polys: list[Poly], facts: Facts, splits: int) -> Skipped | None:
    skipped = NOTHING
    for poly in polys:
        found = vanishes(poly, facts, splits)
        if found is None:
            return None
        skipped |= found
    return skipped


def _written_out(poly: Poly) -> list[Poly] | None:
    """The term at each value of a free index of an axis of a few entries."""
    for var in sorted(poly.free, key=lambda v: v.name):
        size = var.size.constant()
        if size is not None and size <= sums.MOST_WRITTEN_OUT:
            return [algebra.substitute(poly, {var: number(k)}) for k in range(int(size))]
    return None


def _split_indices(poly: Poly) -> Poly | None:
    """A free index of a merged axis, of which digits are used, written as its two digits."""
    if "Digit" not in poly.marks:
        return None
    for factor in _everywhere(poly):
        found = digits.split_index(factor) if isinstance(factor, Digit) else None
        if found is None or found[0].var not in poly.free:
            continue
        var, size = found[0].var, found[1]
        rows = algebra.multiply(var.size, algebra.power(size, -1))
        if is_whole(rows):
            high, low = sums.fresh(rows), sums.fresh(size)
            flat = add(algebra.multiply(index(high), size), index(low))
            return algebra.substitute(poly, {var: flat})
    return None


def _in_each_order(poly: Poly, facts: Facts, splits: int) -> Skipped | None:
    """0 where a bound on indices holds and 0 where it does not."""
    found = [f for f in poly.factors if isinstance(f, Iverson) and f.relation == ">="]
    for condition in sorted(found, key=lambda f: f.digest):
        opposite = conditions.complement(atom(condition))
        yes = vanishes(_given(poly, atom(condition)), facts, splits)
        no = vanishes(_given(poly, opposite), facts, splits) if yes is not None else None
        return None if yes is None or no is None else yes | no
    return None


def _in_each_sign(poly: Poly, facts: Facts, splits: int) -> Skipped | None:
    """0 where P > 0 and 0 where P < 0; P = 0 is left out."""
    found = [f for f in poly.factors if isinstance(f, Iverson) and f.relation == ">"]
    if not found:
        return None
    condition = min(found, key=lambda f: (len(f.poly.terms), f.digest))
    skipped = frozenset({condition.poly})
    here = diagonal(condition.poly)
    if not here.is_zero and vanishes(algebra.multiply(poly, here), facts, splits) is None:
        return None
    for sign in (1, -1):
        rest = vanishes(where_sign(poly, condition, sign), facts, splits)
        if rest is None:
            return None
        skipped |= rest
    return skipped


def where_sign(poly: Poly, condition: Iverson, sign: int) -> Poly:
    """The term where P has a sign: P becomes a positive number, or minus one."""
    solved = equations.solution(Iverson("=", condition.poly))
    given = atom(condition) if sign > 0 else subtract(atom(condition), atom(condition))
    if solved is None:
        return _decided(poly, condition, given)
    target, value = solved
    distance = atom(Entry(Array(f"distance#{next(_names)}", (), low=0.0), ()))
    rate = condition.poly.terms[((target, 1),)]
    shifted = add(value, scale(distance, Fraction(sign) / Fraction(rate)))
    return algebra.rewrite(poly, lambda f: shifted if f == target else None)


def _decided(poly: Poly, condition: Iverson, holds: Poly) -> Poly:
    value = Poly({(): 1}) if not holds.is_zero else ZERO
    return algebra.rewrite(poly, lambda f: value if f == condition else None)


def _given(poly: Poly, condition: Poly) -> Poly:
    """The term where the condition holds, without it."""
    product = algebra.multiply(poly, condition)
    known = condition.factors
    return add(
        *(
            Poly({ordered(pair for pair in m if pair[0] not in known): c})
            for m, c in product.terms.items()
        )
    )


def _under_one_sum(poly: Poly, facts: Facts, splits: int) -> Skipped | None:
    """Sums over the same ranges are 0 if their summands are 0 at every index."""
    joined = summand(poly)
    return None if joined is None else vanishes(joined, facts, splits)


def summand(poly: Poly) -> Poly | None:
    """The summand of sums over the same ranges, joined to one sum; None if they can't be."""
    opened = [_opened(m, c) for m, c in poly.terms.items()]
    if any(o is None for o in opened) or len(opened) < 2:
        return None
    shapes = {tuple(sorted(v.size.digest for v in o[0])) for o in opened if o}
    if len(shapes) != 1:
        return None
    (common, total), *rest = [o for o in opened if o is not None]
    for bound, body in rest:
        total = add(total, _aligned(common, total, bound, body))
    return total


def _opened(monomial: Monomial, coefficient: Number) -> tuple[tuple[Var, ...], Poly] | None:
    """A product with its sum opened, if it has one only."""
    inside = [f for f, e in monomial if isinstance(f, Binder) and f.tag == "sum" and e == 1]
    if not inside:
        return None
    largest = max(inside, key=lambda f: (len(f.bound), f.height))
    bound, body = sums.opened(largest)
    rest = Poly({ordered(pair for pair in monomial if pair[0] != largest): coefficient})
    return bound, algebra.multiply(rest, body)


def _aligned(common: tuple[Var, ...], total: Poly, bound: tuple[Var, ...], body: Poly) -> Poly:
    """The body with its variables called like the common ones, in the way that shares most."""
    best, score = body, -1
    for order in permutations(common):
        if any(v.size != w.size for v, w in zip(bound, order, strict=True)):
            continue
        renamed = algebra.substitute(body, {v: index(w) for v, w in zip(bound, order, strict=True)})
        shared = len(renamed.factors & total.factors)
        if shared > score:
            best, score = renamed, shared
    return best
