"""Sums over the same ranges, times the same, as one sum; a sum of products as nested sums.

Nothing that is decided depends on this module.
"""

from fractions import Fraction
from itertools import permutations

from purenet.prove.kernel import algebra
from purenet.prove.kernel.factorisation import factorised, times
from purenet.prove.kernel.factors import Binder, Constant, Size
from purenet.prove.kernel.linear import ZERO, add, index, ordered, rational, scale
from purenet.prove.kernel.terms import Monomial, Number, Poly, Var


def join_sums(poly: Poly) -> Poly:
    """Sums over the same ranges, times the same, become one sum of several terms."""
    groups: dict[tuple[Monomial, tuple[bytes, ...]], list[tuple[Binder, Monomial, Number]]] = {}
    plain: list[Poly] = []
    for monomial, coefficient in poly.terms.items():
        inside = [f for f, e in monomial if isinstance(f, Binder) and f.tag == "sum" and e == 1]
        if not inside:
            plain.append(Poly({monomial: coefficient}))
            continue
        whole = max(inside, key=lambda f: (len(f.bound), f.height, f.digest))
        others, binder = [pair for pair in monomial if pair[0] != whole], _nested(whole)
        sizes = ordered(pair for pair in others if isinstance(pair[0], Size | Constant))
        key = ordered(set(others) - set(sizes)), tuple(sorted(v.size.digest for v in binder.bound))
        groups.setdefault(key, []).append((binder, sizes, coefficient))
    for (rest, _), members in groups.items():
        joined, content, coefficient = _together(members)
        if coefficient:
            plain.append(Poly({times(times(rest, content), [(joined, 1)]): coefficient}))
    return add(*plain)


def open_binder(binder: Binder) -> tuple[tuple[Var, ...], Poly]:
    """The body with names that are the same in every run: the order of factors uses them."""
    own = binder.digest.hex()[:12]
    new = tuple(Var(f"{own}#{k}", v.size) for k, v in enumerate(binder.bound))
    values = {v: index(w) for v, w in zip(binder.bound, new, strict=True)}
    return new, algebra.substitute(binder.body, values)


def _together(members: list[tuple[Binder, Monomial, Number]]) -> tuple[Binder, Monomial, Number]:
    """One sum, and what stands before it."""
    first, sizes, by = min(members, key=lambda member: member[0].digest)
    if len(members) == 1:
        return first, sizes, by
    bound, body = open_binder(first)
    total = ZERO
    for binder, sizes, by in members:
        own = body if binder == first else _aligned(bound, body, binder)
        factor = Poly({times(m, sizes): c for m, c in own.terms.items()})
        total = add(total, scale(factor, by))
    if total.is_zero:
        return first, (), 0
    content, common, _ = factorised(total)
    outside = ordered(pair for pair in content if not pair[0].free & set(bound))
    inverse = [(f, -e) for f, e in outside]
    terms = {times(m, inverse): rational(c / Fraction(common)) for m, c in total.terms.items()}
    return _closed(bound, Poly(terms)), outside, common


def _aligned(bound: tuple[Var, ...], total: Poly, binder: Binder) -> Poly:
    """The body with the variables `bound`, in the order that shares most factors with `total`."""
    bodies = [
        algebra.substitute(
            binder.body, {v: index(w) for v, w in zip(binder.bound, order, strict=True)}
        )
        for order in permutations(bound)
        if all(v.size == w.size for v, w in zip(binder.bound, order, strict=True))
    ]
    return max(bodies, key=lambda p: len(p.factors & total.factors))


def _closed(bound: tuple[Var, ...], body: Poly) -> Binder:
    """A sum of several terms, its variables named by its height as in `sums`."""
    names = tuple(Var(f"β{body.height + 1}.{k}", v.size) for k, v in enumerate(bound))
    values = {v: index(w) for v, w in zip(bound, names, strict=True)}
    return Binder("sum", names, algebra.substitute(body, values))


def _nested(binder: Binder) -> Binder:
    """Σ_{j,k} f(k) g(j,k) as Σ_k f(k) Σ_j g(j,k), for an index that is in one factor only."""
    single = binder.body.single()
    if len(binder.bound) == 1 or single is None:
        return binder
    bound, body = open_binder(binder)
    opened = body.single()
    if opened is None:
        return binder
    monomial = opened[0]
    for var in bound:
        inside = [pair for pair in monomial if var in pair[0].free]
        others = tuple(v for v in bound if v != var)
        outside = [pair for pair in monomial if pair not in inside]
        if len(inside) != 1 or not all(
            any(f.free & set(others) for f, _ in part) for part in (inside, outside)
        ):
            continue
        inner = _closed((var,), Poly({tuple(inside): 1}))
        rest = ordered([*outside, (inner, 1)])
        return _nested(_closed(others, Poly({rest: 1})))
    return binder
