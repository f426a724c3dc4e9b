"""Products with conditions, simplified by them: 0 if they contradict one another.

The other factors are simplified by an equation; bounds of integers are compared in pairs.
"""

from contextvars import ContextVar
from fractions import Fraction

from purenet.prove.kernel import algebra, bounds, conditions
from purenet.prove.kernel.equations import solution, thick
from purenet.prove.kernel.factors import Base, Binder, Entry, Index, Iverson
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, leading, ordered, scale, subtract
from purenet.prove.kernel.terms import Factor, Monomial, Poly

DEEPEST = 40
_active: ContextVar[tuple[Monomial, ...]] = ContextVar("active", default=())


def consistent(monomial: Monomial) -> Poly:
    """A product with conditions, simplified by them: 0 if they contradict one another.

    Where simplifying comes back to a product that it started from, that one stays as it is.
    """
    active = _active.get()
    if len(active) > DEEPEST and monomial in active:
        return Poly({monomial: 1})
    token = _active.set((*active, monomial))
    try:
        return _consistent(monomial)
    finally:
        _active.reset(token)


def _consistent(monomial: Monomial) -> Poly:
    for factor, _ in monomial:
        if isinstance(factor, Iverson) and factor.relation in ("=", "=="):
            others = ordered(pair for pair in monomial if pair[0] != factor)
            simpler = _by_equation(factor, others)
            if simpler is not None:
                return algebra.multiply(simpler, atom(factor))
            if factor.relation == "==" and (missing := _implied(factor, others)) is not None:
                return algebra.multiply(Poly({monomial: 1}), missing)
    if _contradictory(monomial) or _summand_of_zero(monomial):
        return ZERO
    opposite = _opposite_bounds(monomial)
    if opposite is not None:
        return opposite
    return _weaker_dropped(monomial)


def _by_equation(equation: Iverson, others: Monomial) -> Poly | None:
    """The other factors with the equation solved for one of its terms; None if nothing changes."""
    solved = solution(equation)
    if solved is None:
        return _divided_by_equation(equation, others)
    target, value = solved
    product = Poly({others: 1})
    if isinstance(target, Index):
        if target.var not in product.free:
            return None
        return algebra.substitute(product, {target.var: value})
    new = algebra.rewrite(product, lambda f: value if f == target else None)
    return None if new == product else new


def _divided_by_equation(equation: Iverson, others: Monomial) -> Poly | None:
    """A product of which the leading product of the equation is a part, with the rest for it."""
    if equation.relation != "=" or thick(equation):
        return None
    lead = max(
        equation.poly.terms, key=lambda m: (sum(e for _, e in m), m == leading(equation.poly))
    )
    powers = dict(others)
    if len(lead) < 1 or any(
        not isinstance(e, int) or e < 1 or powers.get(f, 0) < e for f, e in lead
    ):
        return None
    rest = Poly({m: c for m, c in equation.poly.terms.items() if m != lead})
    if any(f in rest.factors for f, _ in lead) and any(
        all(dict(m).get(f, 0) >= e for f, e in lead) for m in rest.terms
    ):
        return None
    left = {f: e - dict(lead).get(f, 0) for f, e in others}
    value = scale(rest, Fraction(-1) / Fraction(equation.poly.terms[lead]))
    return algebra.multiply(Poly({ordered((f, e) for f, e in left.items() if e): 1}), value)


def _implied(equation: Iverson, others: Monomial) -> Poly | None:
    """The bounds on the other indices that follow from the range of the solved one."""
    solved = solution(equation)
    if solved is None:
        return None
    target, value = solved
    if not isinstance(target, Index):
        return None
    implied = algebra.multiply(
        conditions.at_least_zero(value),
        conditions.at_least_zero(subtract(subtract(target.var.size, ONE), value)),
    )
    present = {f for f, _ in others}
    if implied == ONE or implied.factors <= present or not implied.terms:
        return None if implied.terms else implied
    product = algebra.multiply(Poly({others: 1}), implied)
    return None if product == Poly({others: 1}) else implied


def _contradictory(monomial: Monomial) -> bool:
    conditions = [f for f, _ in monomial if isinstance(f, Iverson)]
    strict = {f.poly for f in conditions if f.relation == ">"}
    if any(
        f.relation == "=" and (f.poly in strict or scale(f.poly, -1) in strict) for f in conditions
    ):
        return True
    lower = [f.poly for f in conditions if f.relation == ">="]
    return any(
        bounds.at_least(scale(add(p, q), -1), 1) for i, p in enumerate(lower) for q in lower[:i]
    )


def _opposite_bounds(monomial: Monomial) -> Poly | None:
    """p >= 0 and -p >= 0 is p == 0."""
    lower = {f.poly: f for f, _ in monomial if isinstance(f, Iverson) and f.relation == ">="}
    for poly, factor in lower.items():
        other = lower.get(scale(poly, -1))
        if other is not None:
            rest = ordered(pair for pair in monomial if pair[0] not in (factor, other))
            return algebra.multiply(Poly({rest: 1}), conditions.integer_zero(poly))
    return None


def _summand_of_zero(monomial: Monomial) -> bool:
    """A sum of what is not negative is 0 only if every summand is, so the product is 0 too."""
    for equation, _ in monomial:
        if not isinstance(equation, Iverson) or equation.relation not in ("=", ">"):
            continue
        if equation.relation == "=" and any(
            isinstance(f, Base) and f.poly in (equation.poly, scale(equation.poly, -1))
            for f, _ in monomial
        ):
            return True
        total = _small_sum(equation)
        if not (isinstance(total, Binder) and total.tag == "sum"):
            continue
        if bounds.nonnegative(total.body) and any(
            _is_summand(total, place, monomial) for place in _places(total, monomial)
        ):
            return True
    return False


def _small_sum(condition: Iverson) -> Factor | None:
    """The sum S where the condition is S = 0; or a - b·S > 0 with a <= b and a sum of 0s and 1s."""
    if condition.relation == "=":
        single = condition.poly.single()
        return single[0][0][0] if single and len(single[0]) == 1 else None
    sums = [(m[0][0], c) for m, c in condition.poly.terms.items() if len(m) == 1 and m[0][1] == 1]
    if len(condition.poly.terms) != 2 or len(sums) != 1 or () not in condition.poly.terms:
        return None
    total, rate = sums[0]
    counts = isinstance(total, Binder) and all(
        conditions.is_condition(f) for f in total.body.factors
    )
    return total if counts and rate < 0 and condition.poly.terms[()] <= -rate else None


def _places(total: Binder, monomial: Monomial) -> set[Poly]:
    if len(total.bound) != 1:
        return set()
    return {
        p
        for f, _ in monomial
        if not isinstance(f, Iverson)
        for p in f.polys
        if isinstance(f, Entry)
    }


def _is_summand(total: Binder, place: Poly, monomial: Monomial) -> bool:
    """Whether the summand at a place is a product of factors of the monomial and positive ones."""
    size = total.bound[0].size
    if not (bounds.at_least(place, 0) and bounds.at_least(subtract(subtract(size, ONE), place), 0)):
        return False
    summand = algebra.substitute(total.body, {total.bound[0]: place}).single()
    present = {f for f, _ in monomial}
    return summand is not None and all(
        f in present or bounds.positive(atom(f)) for f, _ in summand[0]
    )


def _weaker_dropped(monomial: Monomial) -> Poly:
    """Of two integer bounds one of which implies the other, the stronger only."""
    lower = [f for f, _ in monomial if isinstance(f, Iverson) and f.relation == ">="]
    weaker = {
        f
        for f in lower
        for g in lower
        if f != g
        and bounds.at_least(subtract(f.poly, g.poly), 0)
        and not (bounds.at_least(subtract(g.poly, f.poly), 0))
    }
    return Poly({ordered(pair for pair in monomial if pair[0] not in weaker): 1})
