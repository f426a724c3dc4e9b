"""What is known of the sign of a term, by interval arithmetic over its factors.

An interval is open: `positive` means that the lower end is above 0, or is 0 and not attained.
"""

from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import NamedTuple

from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Digit,
    Entry,
    Index,
    Iverson,
    Named,
    Size,
)
from purenet.prove.kernel.linear import MINUS_INFINITY, add, atom, is_whole, number, ordered, scale
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly


class Interval(NamedTuple):
    """low <= value <= high; an end that is not `closed` is not attained."""

    low: float | Number
    high: float | Number
    low_closed: bool = False
    high_closed: bool = False


ANY = Interval(-inf, inf)
FUNCTION_RANGES = {
    "exp": Interval(0, inf),
    "logistic": Interval(0, 1),
    "tanh": Interval(-1, 1),
    "erf": Interval(-1, 1),
    "sin": Interval(-1, 1, True, True),
    "cos": Interval(-1, 1, True, True),
    "atan": Interval(-2, 2),
}


def positive(poly: Poly) -> bool:
    """Known to be > 0 everywhere."""
    low = interval(poly)
    return low.low > 0 or (low.low == 0 and not low.low_closed)


def nonnegative(poly: Poly) -> bool:
    """Known to be >= 0 everywhere."""
    return interval(poly).low >= 0


def nonzero(poly: Poly) -> bool:
    """Known to be different from 0 everywhere."""
    found = interval(poly)
    if found.low > 0 or found.high < 0:
        return True
    if (found.low == 0 and not found.low_closed) or (found.high == 0 and not found.high_closed):
        return True
    single = poly.single()
    return single is not None and all(_nonzero_factor(f) for f, _ in single[0])


def _nonzero_factor(factor: Factor) -> bool:
    if isinstance(factor, Entry):
        return factor.array.nonzero or not _holds_zero(_of_factor(factor))
    return not _holds_zero(_of_factor(factor))


def _holds_zero(found: Interval) -> bool:
    above = found.low < 0 or (found.low == 0 and found.low_closed)
    below = found.high > 0 or (found.high == 0 and found.high_closed)
    return above and below


@lru_cache(maxsize=50_000)
def interval(poly: Poly) -> Interval:
    """Between which numbers the value lies."""
    total = Interval(0, 0, True, True)
    spread = _spread(poly)
    if spread is not None:
        poly, total = spread, Interval(0, inf, True)
    under_sum, rest = _gathered(poly)
    if under_sum is not None:
        poly, total = rest, _plus(total, under_sum)
    for monomial, coefficient in poly.terms.items():
        total = _plus(total, _times(_of_monomial(monomial), number_interval(coefficient)))
    return total


def _spread(poly: Poly) -> Poly | None:
    """What is left without c·(n Σ f² - (Σ f)²), which is not negative (Cauchy-Schwarz)."""
    from purenet.prove.kernel import algebra, sums

    for monomial, coefficient in poly.terms.items():
        squared = [f for f, e in monomial if isinstance(f, Binder) and f.tag == "sum" and e == 2]
        if coefficient >= 0 or len(squared) != 1:
            continue
        bound, body = sums.opened(squared[0])
        others = Poly({ordered(pair for pair in monomial if pair[0] != squared[0]): 1})
        count = algebra.multiply(*(v.size for v in bound))
        partner = algebra.multiply(
            others, count, sums.total(bound, algebra.power(body, 2))
        ).single()
        if partner is None or partner[1] != 1 or not nonnegative(others):
            continue
        if poly.terms.get(partner[0], 0) < -coefficient:
            continue
        pair = scale(add(Poly({partner[0]: 1}), Poly({monomial: -1})), -coefficient)
        return add(poly, scale(pair, -1))
    return None


def _gathered(poly: Poly) -> tuple[Interval | None, Poly]:
    """Sums over one range as one: not negative if the summand is a square, or in each case."""
    from purenet.prove.kernel import algebra, conditions, sums

    alone = {
        m: c
        for m, c in poly.terms.items()
        if len(m) == 1 and m[0][1] == 1 and isinstance(m[0][0], Binder) and m[0][0].tag == "sum"
    }
    if len(alone) < 2 or len(alone) > 12 or all(c > 0 for c in alone.values()):
        return None, poly
    shapes = {tuple(v.size for v in m[0][0].bound) for m in alone}  # type: ignore[attr-defined]
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        return None, poly
    var = sums.fresh(next(iter(shapes))[0])
    summand = add(
        *(
            scale(algebra.substitute(m[0][0].body, {m[0][0].bound[0]: atom(Index(var))}), c)  # type: ignore[attr-defined]
            for m, c in alone.items()
        )
    )
    rest = Poly({m: c for m, c in poly.terms.items() if m not in alone})
    content, primitive = algebra.primitive_part(summand, signed=False)
    if algebra.square_root(primitive) is not None and nonnegative(content):
        return Interval(0, inf, True), rest
    if not any(conditions.is_condition(f) for f in primitive.factors):
        return None, poly
    negative = conditions.piecewise(primitive, lambda p: number(0 if nonnegative(p) else 1))
    if not negative.is_zero:
        return None, poly
    zero = conditions.piecewise(primitive, lambda p: number(0 if positive(p) else 1))
    filled = zero.is_zero and positive(content) and at_least(var.size, 1)
    return Interval(0, inf, not filled), rest


def number_interval(value: Number) -> Interval:
    """A single number."""
    return Interval(value, value, True, True)


def _plus(a: Interval, b: Interval) -> Interval:
    return Interval(
        a.low + b.low,
        a.high + b.high,
        a.low_closed and b.low_closed,
        a.high_closed and b.high_closed,
    )


def _times(a: Interval, b: Interval) -> Interval:
    corners = [
        (_multiply(x, y), (cx and cy) or (x == 0 and cx) or (y == 0 and cy))
        for x, cx in ((a.low, a.low_closed), (a.high, a.high_closed))
        for y, cy in ((b.low, b.low_closed), (b.high, b.high_closed))
    ]
    low, high = min(v for v, _ in corners), max(v for v, _ in corners)
    return Interval(
        low, high, any(c for v, c in corners if v == low), any(c for v, c in corners if v == high)
    )


def _multiply(x: float | Number, y: float | Number) -> float | Number:
    return 0 if x == 0 or y == 0 else x * y


def _of_monomial(monomial: Monomial) -> Interval:
    total = number_interval(1)
    for factor, exponent in monomial:
        total = _times(total, _of_power(factor, exponent))
    return total


def _of_power(factor: Factor, exponent: Number) -> Interval:
    base = _of_factor(factor)
    if exponent == 1:
        return base
    above_zero = base.low > 0 or (base.low == 0 and not base.low_closed)
    if above_zero:
        return Interval(0, inf) if exponent < 0 or base.high > 1 else Interval(0, 1, False, True)
    if exponent.denominator % 2 == 0:
        return Interval(0, inf, True)
    if isinstance(exponent, int) and exponent % 2 == 0:
        attained = _holds_zero(base) and not (isinstance(factor, Entry) and factor.array.nonzero)
        small = base.low >= -1 and base.high <= 1
        high = 1 if exponent > 0 and small else inf
        return Interval(0, high, attained, high == 1)
    return ANY if base.low < 0 else Interval(0, inf, True)


def _of_factor(factor: Factor) -> Interval:
    if isinstance(factor, Size):
        return Interval(factor.low, inf, True)
    if isinstance(factor, Iverson):
        return Interval(0, 1, True, True)
    if isinstance(factor, Constant):
        value = Fraction(factor.value) if factor.value > 0 else None  # to 15 digits
        return ANY if value is None else Interval(value * 999999999999999 / 10**15, value * 2)
    if isinstance(factor, Call):
        known = factor.order < 0 and MINUS_INFINITY not in factor.argument.factors
        return FUNCTION_RANGES.get(factor.name, ANY) if known else ANY
    if isinstance(factor, Index):
        return Interval(0, inf, True)
    if isinstance(factor, Digit):
        below = factor.tag == "quotient" and not at_least(factor.polys[0], 0)
        return ANY if below else Interval(0, inf, True)
    if isinstance(factor, Entry):
        return _of_entry(factor)
    if isinstance(factor, Named):
        return interval(factor.definition.body)
    if isinstance(factor, Binder):
        return _of_binder(factor)
    assert isinstance(factor, Base)
    return interval(factor.poly)


def _of_entry(entry: Entry) -> Interval:
    array = entry.array
    if array.binary:
        return Interval(0, 1, True, True)
    if array.kind == "integer":
        return Interval(0, inf, True) if array.limit is not None else ANY
    return Interval(_exact(array.low), _exact(array.high))


def _exact(value: float) -> float | Number:
    return value if value in (inf, -inf) else Fraction(value)


def _of_binder(binder: Binder) -> Interval:
    body = interval(binder.body)
    if binder.tag == "argmax":
        return Interval(0, inf, True)
    if binder.tag == "max":
        return body
    filled = all(at_least(v.size, 1) for v in binder.bound)
    if body.low >= 0:
        above = body.low > 0 or not body.low_closed
        return Interval(0, inf, not ((above and filled) or _one_is_positive(binder)))
    if body.high <= 0:
        below = body.high < 0 or not body.high_closed
        return Interval(-inf, 0, False, not (below and filled))
    return ANY


def _one_is_positive(binder: Binder) -> bool:
    """A sum of what is not negative is positive if one summand is: at an end, or on a diagonal."""
    from purenet.prove.kernel import algebra

    if len(binder.bound) != 1 or not any(isinstance(f, Iverson) for f in binder.body.factors):
        return False
    (var,) = binder.bound
    places = [atom(Index(v)) for v in binder.free if v.size == var.size]
    if at_least(var.size, 1):
        places += [number(0), _minus_one(var.size)]
    return any(positive(algebra.substitute(binder.body, {var: place})) for place in places)


def at_least(poly: Poly, low: Number) -> bool:
    """An integer term in sizes and indices is at least `low` for all sizes and all index values."""
    shifted = _lowest(poly)
    return shifted is not None and shifted >= low


def _lowest(poly: Poly) -> Number | None:
    """The least value: each index at an end of its range, each size at its least."""
    for factor in poly.factors:
        extreme = _range(factor)
        if extreme is None:
            continue
        replaced = _at_extreme(poly, factor, extreme)
        return None if replaced is None else _lowest(replaced)
    return _lowest_in_sizes(poly)


def _range(factor: Factor) -> tuple[Poly, Poly] | None:
    """The least and the greatest value of an index or an integer entry."""
    if isinstance(factor, Index):
        return number(0), _minus_one(factor.var.size)
    if isinstance(factor, Entry) and factor.array.limit is not None:
        return number(0), _minus_one(factor.array.limit)
    if isinstance(factor, Binder) and factor.tag == "argmax":
        return number(0), _minus_one(factor.bound[0].size)
    if isinstance(factor, Digit):
        return _range_of_digit(factor)
    return None


def _range_of_digit(digit: Digit) -> tuple[Poly, Poly] | None:
    from purenet.prove.kernel import algebra, digits

    if digit.tag == "remainder":
        return number(0), _minus_one(digit.polys[1])
    found = digits.split_index(digit)
    if found is None:
        return None
    rows = algebra.multiply(found[0].var.size, algebra.power(found[1], -1))
    return (number(0), _minus_one(rows)) if is_whole(rows) else None


def _minus_one(poly: Poly) -> Poly:
    terms = dict(poly.terms)
    terms[()] = terms.get((), 0) - 1
    return Poly({m: c for m, c in terms.items() if c})


def _at_extreme(poly: Poly, factor: Factor, extreme: tuple[Poly, Poly]) -> Poly | None:
    """The term with `factor`, which must be linear with a coefficient of known sign, at an end."""
    rest: dict[Monomial, Number] = {}
    moved: list[Poly] = []
    signs = set()
    for monomial, coefficient in poly.terms.items():
        powers = dict(monomial)
        exponent = powers.pop(factor, 0)
        if exponent == 0:
            rest[monomial] = coefficient
        elif exponent == 1 and all(isinstance(f, Size) for f in powers):
            signs.add(coefficient > 0)
            moved.append(scale(Poly({ordered(powers.items()): 1}), coefficient))
        else:
            return None
    if len(signs) != 1:
        return None
    end = extreme[0] if signs.pop() else extreme[1]
    return add(Poly(rest), *(_times_size(m, end) for m in moved))


def _times_size(left: Poly, right: Poly) -> Poly:
    """A product of terms in which nothing needs normalising: sizes and indices."""
    parts = []
    for m, c in left.terms.items():
        for n, d in right.terms.items():
            powers = dict(m)
            for factor, exponent in n:
                powers[factor] = powers.get(factor, 0) + exponent
            parts.append(Poly({ordered(powers.items()): c * d}))
    return add(*parts)


def _lowest_in_sizes(poly: Poly) -> Number | None:
    """Written in n' = n - least >= 0, a term whose coefficients are not negative is least at 0."""
    shifted = []
    for monomial, coefficient in poly.terms.items():
        part = number(coefficient)
        for factor, exponent in monomial:
            if not isinstance(factor, Size) or not isinstance(exponent, int) or exponent < 0:
                return None
            for _ in range(exponent):
                part = _times_size(part, add(atom(factor), number(factor.low)))
        shifted.append(part)
    total = add(*shifted)
    if any(c < 0 for m, c in total.terms.items() if m):
        return None
    return total.terms.get((), 0)
