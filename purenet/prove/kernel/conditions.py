"""Conditions as terms that are 1 or 0, and terms that are defined in pieces.

`>` and `=` are about real terms, `>=` (0) and `==` (0) about integers. A product with an equation
is simplified by the equation; a function of a term in pieces becomes the pieces of the function.
"""

from collections.abc import Callable
from contextvars import ContextVar
from fractions import Fraction
from functools import lru_cache
from math import floor, gcd

from purenet.prove.kernel import algebra, bounds, budget, functions
from purenet.prove.kernel.terms import (
    MINUS_INFINITY,
    ONE,
    ZERO,
    Base,
    Binder,
    Call,
    Entry,
    Factor,
    Index,
    Iverson,
    Monomial,
    Number,
    Poly,
    Size,
    add,
    atom,
    leading,
    magnitude,
    number,
    ordered,
    scale,
    subtract,
)


def holds(relation: str, poly: Poly) -> Poly:
    """The condition `poly relation 0`."""
    return {">": is_positive, "=": equals_zero, ">=": at_least_zero, "==": integer_zero}[relation](
        poly
    )


def complement(condition: Poly) -> Poly:
    """1 - condition; for an integer bound that stands alone, the opposite bound."""
    single = condition.single()
    if single and single[1] == 1 and len(single[0]) == 1:
        factor = single[0][0][0]
        if isinstance(factor, Iverson) and factor.relation == ">=":
            return at_least_zero(subtract(scale(factor.poly, -1), ONE))
    return subtract(ONE, condition)


def is_positive(poly: Poly) -> Poly:
    """[poly > 0] of a real term."""
    return piecewise(poly, _is_positive)


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


def equals_zero(poly: Poly) -> Poly:
    """[poly = 0] of a real term."""
    return piecewise(poly, _equals_zero)


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
            algebra.power(_term(m, magnitude(c)), 2) for m, c in ((one, a), (other, b))
        )
        return subtract(first, second) if a > 0 else subtract(second, first)
    exponentials = all(isinstance(f, Call) and f.name == "exp" for f, _ in (*one, *other))
    if not exponentials or (a > 0) == (b > 0):
        return None
    first, second = (functions.log(_term(m, magnitude(c))) for m, c in ((one, a), (other, b)))
    return subtract(first, second) if a > 0 else subtract(second, first)


def _term(monomial: Monomial, coefficient: Number) -> Poly:
    return Poly({monomial: coefficient})


def _factor_zero(factor: Factor) -> Poly:
    if bounds.nonzero(atom(factor)):
        return ZERO
    if isinstance(factor, Iverson):
        return subtract(ONE, atom(factor))
    return atom(Iverson("=", atom(factor)))


def at_least_zero(poly: Poly) -> Poly:
    """[poly >= 0] of an integer term."""
    return piecewise(poly, _at_least_zero)


@lru_cache(maxsize=20_000)
def _at_least_zero(poly: Poly) -> Poly:
    if bounds.at_least(poly, 0):
        return ONE
    if bounds.at_least(scale(poly, -1), 1):
        return ZERO
    if not _is_whole(poly):
        return atom(Iverson(">=", poly))
    if bounds.at_least(scale(poly, -1), 0):
        return integer_zero(poly)
    digits = _digits(poly)
    if digits is not None:
        high, low = digits
        return add(
            at_least_zero(subtract(high, ONE)),
            algebra.multiply(integer_zero(high), at_least_zero(low)),
        )
    divisor = gcd(*(int(c) for m, c in poly.terms.items() if m)) or 1
    terms = {m: (c // divisor if m else floor(Fraction(c, divisor))) for m, c in poly.terms.items()}
    return atom(Iverson(">=", Poly({m: c for m, c in terms.items() if c})))


def integer_zero(poly: Poly) -> Poly:
    """[poly == 0] of an integer term."""
    return piecewise(poly, _integer_zero)


@lru_cache(maxsize=20_000)
def _integer_zero(poly: Poly) -> Poly:
    if poly.is_zero:
        return ONE
    if bounds.at_least(poly, 1) or bounds.at_least(scale(poly, -1), 1):
        return ZERO
    if not _is_whole(poly):
        return atom(Iverson("==", poly))
    digits = _digits(poly)
    if digits is not None:
        return algebra.multiply(*map(integer_zero, digits))
    divisor = gcd(*(int(c) for m, c in poly.terms.items() if m))
    if divisor and int(poly.terms.get((), 0)) % divisor:
        return ZERO
    sign = -1 if poly.terms[leading(poly)] < 0 else 1
    return atom(Iverson("==", scale(poly, Fraction(sign, divisor or 1))))


def _digits(poly: Poly) -> tuple[Poly, Poly] | None:
    """(a, b) with poly = s·a + b and |b| < s for a size s that stands before an index."""
    for size in _strides(poly):
        inverse = algebra.power(size, -1)
        high: list[Poly] = []
        low: list[Poly] = []
        for monomial, coefficient in poly.terms.items():
            part = Poly({monomial: coefficient})
            divided = algebra.multiply(part, inverse)
            (high if _is_whole(divided) else low).append(divided if _is_whole(divided) else part)
        if not high or not low:
            continue
        for carried in (0, 1, -1):
            rest = add(*low, scale(size, carried))
            if all(bounds.at_least(subtract(size, add(ONE, scale(rest, s))), 0) for s in (1, -1)):
                return subtract(add(*high), number(carried)), rest
    return None


def _strides(poly: Poly) -> list[Poly]:
    """The sizes and numbers by which indices are multiplied."""
    found = {}
    for monomial, coefficient in poly.terms.items():
        sizes = ordered(pair for pair in monomial if isinstance(pair[0], Size))
        if len(sizes) < len(monomial) and (sizes or magnitude(coefficient) > 1):
            stride = _term(sizes, magnitude(coefficient))
            found[stride.digest] = stride
    return list(found.values())


def _is_whole(poly: Poly) -> bool:
    return all(
        c.denominator == 1 and all(e.denominator == 1 and e > 0 for _, e in m)
        for m, c in poly.terms.items()
    )


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


def _sign_of_infinity_or_none(poly: Poly) -> int | None:
    plain = all(f == MINUS_INFINITY for f in poly.factors)
    return _sign_of_infinity(poly) if plain else None


def choose(condition: Poly, yes: Poly, no: Poly) -> Poly:
    """yes where the condition holds, else no."""
    return add(algebra.multiply(condition, yes), algebra.multiply(complement(condition), no))


def piecewise(poly: Poly, function: Callable[[Poly], Poly]) -> Poly:
    """function(poly), with the conditions in `poly` taken outside."""
    condition = _first_condition(poly)
    if condition is None:
        return function(poly)
    budget.check(len(poly.terms))
    yes = piecewise(_where(poly, condition), function)
    no = piecewise(_without(poly, condition), function)
    return choose(atom(condition), yes, no)


def is_condition(factor: Factor) -> bool:
    """A factor that is 0 or 1: a relation or an entry of a boolean array."""
    return isinstance(factor, Iverson) or (isinstance(factor, Entry) and factor.array.binary)


def _first_condition(poly: Poly) -> Factor | None:
    found = [f for f in poly.factors if is_condition(f)]
    return min(found, key=lambda f: f.digest, default=None)


def _where(poly: Poly, condition: Factor) -> Poly:
    """The term where the condition holds."""
    product = algebra.multiply(poly, atom(condition))
    return add(
        *(
            Poly({ordered(pair for pair in m if pair[0] != condition): c})
            for m, c in product.terms.items()
        )
    )


def _without(poly: Poly, condition: Factor) -> Poly:
    """The term where the condition does not hold: there the opposite bound holds."""
    rest = Poly({m: c for m, c in poly.terms.items() if all(f != condition for f, _ in m)})
    opposite = complement(atom(condition)).single()
    known = opposite is not None and len(opposite[0]) == 1 and opposite[0][0][0] in rest.factors
    return _where(rest, opposite[0][0][0]) if known and opposite else rest


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
        at_least_zero(value), at_least_zero(subtract(subtract(target.var.size, ONE), value))
    )
    present = {f for f, _ in others}
    if implied == ONE or implied.factors <= present or not implied.terms:
        return None if implied.terms else implied
    product = algebra.multiply(Poly({others: 1}), implied)
    return None if product == Poly({others: 1}) else implied


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


def _rank(factor: Factor) -> tuple[bool, bool, bytes, bytes]:
    """Which factor is replaced: indices before entries before anything else."""
    return isinstance(factor, Index), isinstance(factor, Entry), factor.blind, factor.digest


def _may_be_solved(factor: Factor, equation: Iverson) -> bool:
    monomials = equation.poly.terms
    if equation.relation == "==":
        if not isinstance(factor, Index) or abs(monomials[((factor, 1),)]) != 1:
            return False
        return all(factor.var not in f.free for m in monomials for f, _ in m if f != factor)
    if isinstance(factor, Size | Call) or _contains_maximum(equation.poly):
        return isinstance(factor, Call) and len(monomials) == 1
    return not any(_occurs(factor, f) for m in monomials for f, _ in m if m != ((factor, 1),))


def _occurs(factor: Factor, within: Factor) -> bool:
    return factor == within or any(_occurs(factor, f) for p in within.polys for f in p.factors)


def _contains_maximum(poly: Poly) -> bool:
    return any(isinstance(f, Binder) and f.tag == "max" for f in poly.factors)


def thick(equation: Iverson) -> bool:
    """An equation with a maximum in it: it can hold on an open set."""
    return equation.relation == "=" and _contains_maximum(equation.poly)


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
            return algebra.multiply(Poly({rest: 1}), integer_zero(poly))
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
    counts = isinstance(total, Binder) and all(is_condition(f) for f in total.body.factors)
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


def piecewise_index(place: tuple[Poly, ...], entry: Callable[[tuple[Poly, ...]], Poly]) -> Poly:
    """An entry at an index, with the conditions in the index taken outside."""
    for axis, part in enumerate(place):
        condition = _first_condition(part)
        if condition is not None:
            yes = (*place[:axis], _where(part, condition), *place[axis + 1 :])
            no = (*place[:axis], _without(part, condition), *place[axis + 1 :])
            return choose(atom(condition), piecewise_index(yes, entry), piecewise_index(no, entry))
    return entry(place)


def solved(condition: Poly) -> bool:
    """Whether each integer equation in a product can be solved for an index."""
    return all(
        solution(f) is not None
        for f in condition.factors
        if isinstance(f, Iverson) and f.relation == "=="
    )
