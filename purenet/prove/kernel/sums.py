"""Sums, maxima and positions of maxima over indices, with names of bound variables that are unique.

A binder is closed under canonical names: `β{height}.{position}`. The height of a binder is above
those of the binders inside it, so no name can be captured; outside of a closed binder no canonical
name exists, because opening one gives its variables fresh names.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count, permutations, product

from purenet.prove.kernel import algebra, bounds, budget, conditions, digits
from purenet.prove.kernel.factors import Binder, Digit, Entry, Index, Iverson, Size
from purenet.prove.kernel.hashing import digest
from purenet.prove.kernel.linear import (
    MINUS_INFINITY,
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
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly, Var

_unnumbered = count()
_fresh: ContextVar[Iterator[int] | None] = ContextVar("fresh", default=None)
MOST_ORDERS = 720
MOST_WRITTEN_OUT = 4


def fresh(size: Poly, name: str = "i") -> Var:
    """A variable that occurs nowhere else."""
    return Var(f"{name}#{next(_fresh.get() or _unnumbered)}", size)


@contextmanager
def numbered() -> Iterator[None]:
    """Inside, fresh names count from 0, so that the same proof takes the same steps every time."""
    token = _fresh.set(count())
    try:
        yield
    finally:
        _fresh.reset(token)


def opened(binder: Binder) -> tuple[tuple[Var, ...], Poly]:
    """The bound variables under fresh names, and the body with them."""
    new = tuple(fresh(v.size) for v in binder.bound)
    return new, algebra.substitute(
        binder.body, {v: index(w) for v, w in zip(binder.bound, new, strict=True)}
    )


def bind(tag: str, bound: tuple[Var, ...], body: Poly) -> Poly:
    """The sum, the maximum or the position of the maximum of `body` over `bound`."""
    if tag == "sum":
        return total(bound, body)
    return largest(bound, body) if tag == "max" else position(bound, body)


def total(bound: Iterable[Var], body: Poly) -> Poly:
    """Σ over `bound` of `body`."""
    bound = tuple(bound)
    return add(*(scale(_sum(bound, m), c) for m, c in body.terms.items()))


def largest(bound: tuple[Var, ...], body: Poly) -> Poly:
    """max over `bound` of `body`; what does not depend on them is taken out."""
    if MINUS_INFINITY in body.factors:
        return _labelled("max", bound, body) if body.free & set(bound) else body
    inside = {m: c for m, c in body.terms.items() if any(f.free & set(bound) for f, _ in m)}
    outside = Poly({m: c for m, c in body.terms.items() if m not in inside})
    if not inside:
        return outside
    content, primitive = algebra.primitive_part(Poly(inside), signed=False)
    if content.free & set(bound):
        content, primitive = ONE, Poly(inside)
    return add(outside, algebra.multiply(content, _labelled("max", bound, primitive)))


def position(bound: tuple[Var, ...], body: Poly) -> Poly:
    """The index at which `body` is largest."""
    inside = {m: c for m, c in body.terms.items() if any(f.free & set(bound) for f, _ in m)}
    return _labelled("argmax", bound, Poly(inside))


def _sum(bound: tuple[Var, ...], monomial: Monomial) -> Poly:
    """Σ of a product: flattened, equations solved, ranges read off, then split into components."""
    budget.check(0)
    for simplify in (_written_out, _flattened, _contracted, _ranged, _digits):
        simpler = simplify(bound, monomial)
        if simpler is not None:
            return total(*simpler)
    outside = ordered(pair for pair in monomial if not pair[0].free & set(bound))
    inside = [pair for pair in monomial if pair[0].free & set(bound)]
    result = Poly({outside: 1})
    for variables, factors in _components(bound, inside):
        result = algebra.multiply(result, _component(variables, ordered(factors)))
    return result


def _written_out(bound: tuple[Var, ...], monomial: Monomial) -> tuple[tuple[Var, ...], Poly] | None:
    """A range of a few numbers: the sum of so many terms."""
    for var in bound:
        size = var.size.constant()
        if size is not None and size <= MOST_WRITTEN_OUT:
            left = tuple(v for v in bound if v != var)
            whole = Poly({monomial: 1})
            parts = [algebra.substitute(whole, {var: number(k)}) for k in range(int(size))]
            return left, add(*parts)
    return None


def _flattened(bound: tuple[Var, ...], monomial: Monomial) -> tuple[tuple[Var, ...], Poly] | None:
    """Inner sums that depend on the bound variables become part of the outer one."""
    for factor, exponent in monomial:
        if not (isinstance(factor, Binder) and factor.tag == "sum" and factor.free & set(bound)):
            continue
        if exponent >= 1:
            inner, body = opened(factor)
            rest = _divided(monomial, factor)
            return bound + inner, algebra.multiply(Poly({rest: 1}), body)
    return None


def _divided(monomial: Monomial, factor: Factor) -> Monomial:
    return ordered((f, e if f != factor else e - 1) for f, e in monomial if f != factor or e != 1)


def _contracted(bound: tuple[Var, ...], monomial: Monomial) -> tuple[tuple[Var, ...], Poly] | None:
    """Σ_i [i == e] f(i) = [0 <= e < n] f(e)."""
    for factor, _ in monomial:
        if not (isinstance(factor, Iverson) and factor.relation == "=="):
            continue
        for var in sorted(bound, key=lambda v: v.name):
            value = _solved_for(factor.poly, var)
            if value is not None:
                rest = Poly({ordered(pair for pair in monomial if pair[0] != factor): 1})
                inside = algebra.multiply(
                    conditions.at_least_zero(value),
                    conditions.at_least_zero(subtract(subtract(var.size, ONE), value)),
                )
                left = tuple(v for v in bound if v != var)
                return left, algebra.multiply(algebra.substitute(rest, {var: value}), inside)
    return None


def _solved_for(equation: Poly, var: Var) -> Poly | None:
    """The value of `var` where it is linear in the equation with coefficient 1 or -1."""
    own = ((Index(var), 1),)
    coefficient = equation.terms.get(own)
    rest = Poly({m: c for m, c in equation.terms.items() if m != own})
    if coefficient not in (1, -1) or var in rest.free:
        return None
    return scale(rest, -coefficient)


def _ranged(bound: tuple[Var, ...], monomial: Monomial) -> tuple[tuple[Var, ...], Poly] | None:
    """A bound on one index by sizes alone is its range: Σ_i [i >= a] f(i) = Σ_{j < n-a} f(j+a)."""
    for factor, _ in monomial:
        if not (isinstance(factor, Iverson) and factor.relation == ">="):
            continue
        for var in factor.free & set(bound):
            coefficient = factor.poly.terms.get(((Index(var), 1),))
            rest = Poly({m: c for m, c in factor.poly.terms.items() if m != ((Index(var), 1),)})
            if coefficient not in (1, -1) or not _only_sizes(rest):
                continue
            start, size = (
                (scale(rest, -1), add(var.size, rest))
                if coefficient == 1
                else (ZERO, add(rest, ONE))
            )
            if bounds.at_least(size, 0) and bounds.at_least(start, 0):
                if not bounds.at_least(subtract(var.size, add(start, size)), 0):
                    continue
                new = fresh(size)
                body = Poly({ordered(pair for pair in monomial if pair[0] != factor): 1})
                moved = algebra.substitute(body, {var: add(index(new), start)})
                return (*(v for v in bound if v != var), new), moved
    return None


def _digits(bound: tuple[Var, ...], monomial: Monomial) -> tuple[tuple[Var, ...], Poly] | None:
    """Σ over a merged axis whose digits are used = Σ over the two axes."""
    for factor, _ in monomial:
        for digit in _all_digits(factor):
            found = digits.split_index(digit)
            if found is None or found[0].var not in bound:
                continue
            var, size = found[0].var, found[1]
            rows = algebra.multiply(var.size, algebra.power(size, -1))
            if not is_whole(rows):
                continue
            high = fresh(rows)
            low = fresh(size)
            flat = add(algebra.multiply(index(high), size), index(low))
            body = algebra.substitute(Poly({monomial: 1}), {var: flat})
            return (*(v for v in bound if v != var), high, low), body
    return None


def _all_digits(factor: Factor) -> list[Digit]:
    own = [factor] if isinstance(factor, Digit) else []
    return own + [d for p in factor.polys for f in p.factors for d in _all_digits(f)]


def _only_sizes(poly: Poly) -> bool:
    return all(isinstance(f, Size) for f in poly.factors)


def _components(
    bound: tuple[Var, ...], factors: list[tuple[Factor, Number]]
) -> list[tuple[tuple[Var, ...], list[tuple[Factor, Number]]]]:
    """Bound variables that share a factor, with their factors."""
    groups: list[tuple[set[Var], list[tuple[Factor, Number]]]] = [({v}, []) for v in bound]
    for pair in factors:
        touched = [g for g in groups if g[0] & pair[0].free]
        merged = (set().union(*(g[0] for g in touched)), sum((g[1] for g in touched), [pair]))
        groups = [g for g in groups if g not in touched] + [merged]
    return [(tuple(sorted(v, key=lambda u: u.name)), f) for v, f in groups]


def _component(bound: tuple[Var, ...], factors: Monomial) -> Poly:
    """Σ of a product whose variables hang together."""
    if not factors:
        return algebra.multiply(*(v.size for v in bound))
    for var in bound:
        inner = [pair for pair in factors if var in pair[0].free]
        replaced = _summed_alone(var, ordered(inner), factors)
        if replaced is not None:
            rest = Poly({ordered(pair for pair in factors if pair not in inner): 1})
            return total((v for v in bound if v != var), algebra.multiply(rest, replaced))
    counted = _counted(bound, factors)
    return _labelled("sum", bound, Poly({factors: 1})) if counted is None else counted


def _counted(bound: tuple[Var, ...], factors: Monomial) -> Poly | None:
    """Σ_i [i >= a] = n - a, where 0 <= a <= n for all sizes and indices."""
    if len(bound) != 1 or len(factors) != 1:
        return None
    (var,), ((condition, _),) = bound, factors
    if not (isinstance(condition, Iverson) and condition.relation == ">="):
        return None
    own = ((Index(var), 1),)
    rate = condition.poly.terms.get(own)
    rest = Poly({m: c for m, c in condition.poly.terms.items() if m != own})
    if rate not in (1, -1) or var in rest.free:
        return None
    number_of = add(var.size, rest) if rate == 1 else add(rest, ONE)
    within = bounds.at_least(number_of, 0) and bounds.at_least(subtract(var.size, number_of), 0)
    return number_of if within else None


def _summed_alone(var: Var, inner: Monomial, factors: Monomial) -> Poly | None:
    """Σ_var of the factors with `var`, where it is a known number or cancels with a factor."""
    if len(inner) == 1 and _is_distribution(inner[0], var):
        return ONE
    divisors = [
        f
        for f, e in factors
        if e < 0 and isinstance(f, Binder) and f.tag == "sum" and var not in f.free
    ]
    if not divisors:
        return None
    alone = _labelled("sum", (var,), Poly({inner: 1}))
    single = alone.single()
    return alone if single and any(f in divisors for f, _ in single[0]) else None


def _is_distribution(pair: tuple[Factor, Number], var: Var) -> bool:
    """Each row of a distribution sums to 1."""
    entry, exponent = pair
    return (
        exponent == 1
        and isinstance(entry, Entry)
        and entry.array.distribution
        and entry.polys[-1] == index(var)
        and entry.array.shape[-1] == var.size
        and all(var not in p.free for p in entry.polys[:-1])
    )


def _labelled(tag: str, bound: tuple[Var, ...], body: Poly) -> Poly:
    """The binder with canonical names: the least of all orders and directions that matter."""
    height = body.height + 1
    candidates = [
        renamed
        for order in _orders(bound, body)
        for renamed in _renamings(order, body, height, mirror=tag != "argmax")
    ]
    bound, body = min(candidates, key=_preference)
    single = body.single()
    if tag == "sum" and (single is None or single[1] != 1):
        return add(*(scale(_labelled(tag, bound, Poly({m: 1})), c) for m, c in body.terms.items()))
    binder = Binder(tag, bound, body)
    binder.rigid = len(candidates) == 1
    return atom(binder)


def renamed(binder: Binder, values: dict[Var, Poly]) -> Poly:
    """The binder under other, unused names of its free variables."""
    body = algebra.substitute(binder.body, values)
    single = body.single()
    if binder.rigid and (binder.tag != "sum" or (single is not None and single[1] == 1)):
        new = Binder(binder.tag, binder.bound, body)
        new.rigid = True
        return atom(new)
    bound, body = opened(binder)
    return bind(binder.tag, bound, algebra.substitute(body, values))


def _preference(candidate: tuple[tuple[Var, ...], Poly]) -> tuple[int, bytes]:
    """Forward before backward, then by digest."""
    bound, body = candidate
    backward = sum(c < 0 for v in bound for c in _uses(v, body))
    return backward, digest(*(v.digest for v in bound), body.digest)


def _renamings(
    order: tuple[Var, ...], body: Poly, height: int, *, mirror: bool
) -> list[tuple[tuple[Var, ...], Poly]]:
    names = tuple(Var(f"β{height}.{k}", v.size) for k, v in enumerate(order))
    flips = [(False, True) if mirror and _uses(v, body) else (False,) for v in order]
    return [
        (
            names,
            algebra.substitute(
                body,
                {
                    v: subtract(subtract(w.size, ONE), index(w)) if flip else index(w)
                    for v, w, flip in zip(order, names, choice, strict=True)
                },
            ),
        )
        for choice in product(*flips)
    ]


def _uses(var: Var, body: Poly) -> list[Number]:
    """The coefficients with which the index stands beside something else."""
    own = ((Index(var), 1),)
    return [
        coefficient
        for factor in body.factors
        if var in factor.free and not isinstance(factor, Index)
        for p in factor.polys
        for coefficient in [
            *([p.terms[own]] if own in p.terms and len(p.terms) > 1 else []),
            *_uses(var, p),
        ]
    ]


def _orders(bound: tuple[Var, ...], body: Poly) -> list[tuple[Var, ...]]:
    """The orders of the bound variables that their roles in the body do not decide."""
    if len(bound) == 1:
        return [bound]
    roles: dict[bytes, list[Var]] = {}
    for var in bound:
        roles.setdefault(_role(var, body), []).append(var)
    groups = [roles[key] for key in sorted(roles)]
    orders: list[tuple[Var, ...]] = [()]
    for group in groups:
        ways = list(permutations(group))
        if len(orders) * len(ways) > MOST_ORDERS:
            ways = ways[:1]  # sound; equal terms may then look different
        orders = [(*o, *w) for o in orders for w in ways]
    return orders


def _role(var: Var, body: Poly) -> bytes:
    """What remains of the body if only this variable is visible."""
    return digest(var.size.digest, body.seen(var))
