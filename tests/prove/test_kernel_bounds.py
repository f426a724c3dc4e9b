"""What bounds say of a term is true wherever the term is evaluated."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from construction import (
    ARRAYS,
    CONCRETE,
    EVERYTHING,
    SCOPE,
    Draw,
    M,
    N,
    Outside,
    built,
    exact,
    numbers,
    size_of,
    slots,
    value,
)

from purenet.prove.kernel import algebra, bounds, conditions, digits, functions, sums
from purenet.prove.kernel.factors import Entry, Size
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, number, scale, subtract
from purenet.prove.kernel.terms import Array

C = atom(Entry(ARRAYS["c"], ()))
SIGNED = (
    "times",
    "add",
    "square",
    "absolute",
    "larger",
    "sum",
    "call",
    "inverse",
    "flag",
    "max",
    "bound",
)
INDICES = ("i", "j", "l")


def of_array(low=-math.inf, high=math.inf, **more):
    """A number of a domain."""
    return atom(
        Entry(Array(f"{low} {high} {more}", (), low=float(low), high=float(high), **more), ())
    )


def check_claims(tree):
    """Every claim about the tree's term holds for the tree's own value."""
    poly = built(tree, slots())
    found = bounds.interval(poly)
    for seed, (n, m) in enumerate(CONCRETE):
        sizes = {"n": n, "m": m}
        for small in (True, False):
            arrays = exact(numbers(31 * seed + small, sizes, small=small))
            place = {v: (seed + k) % size_of(s, sizes) for k, (v, s) in enumerate(SCOPE.items())}
            try:
                number_there = value(tree, sizes, arrays, place)
            except (Outside, OverflowError, IndexError):
                continue
            slack = 1e-9 * (1 + abs(number_there))
            assert found.low - slack <= number_there <= found.high + slack, (tree, found)
            if bounds.nonzero(poly):
                assert number_there != 0, tree
            if bounds.positive(poly):
                assert number_there > 0 or abs(number_there) < 1e-300, tree


@pytest.mark.parametrize("block", range(4))
def test_claims_about_random_terms_hold(block):
    for seed in range(9 * block, 9 * block + 9):
        check_claims(Draw(seed, SIGNED if seed % 2 else EVERYTHING).real(2, SCOPE))


@pytest.mark.parametrize("name", sorted(bounds.FUNCTION_RANGES))
def test_the_range_of_a_function_holds_at_every_distance(name):
    value_of = {
        "logistic": lambda x: 1 / (1 + mpmath.exp(-x)), "exp": mpmath.exp, "tanh": mpmath.tanh,
        "erf": mpmath.erf, "sin": mpmath.sin, "cos": mpmath.cos, "atan": mpmath.atan,
    }[name]  # fmt: skip
    found = bounds.FUNCTION_RANGES[name]
    with mpmath.workdps(1000):
        for x in (0, 1e-9, 0.3, 1, 5, 20, mpmath.pi / 2, mpmath.pi):
            for at in (x, -x):
                there = value_of(mpmath.mpf(at))
                assert found.low < there or (found.low_closed and found.low == there)
                assert there < found.high or (found.high_closed and found.high == there)


def intervals():
    """Intervals with ends of every kind."""
    ends = (-math.inf, -2, -1, 0, 1, 3, math.inf)
    for low, high in itertools.product(ends, ends):
        if low < high:
            for closed in itertools.product((False, True), (False, True)):
                if not (closed[0] and math.isinf(low)) and not (closed[1] and math.isinf(high)):
                    yield bounds.Interval(low, high, *closed)


def members(found):
    """Numbers in an interval, some of them near its ends."""
    low = found.low if not math.isinf(found.low) else -1e3
    high = found.high if not math.isinf(found.high) else 1e3
    inner = [low + (high - low) * t for t in (1e-6, 0.2, 0.5, 0.9, 1 - 1e-6)]
    ends = [low] * found.low_closed + [high] * found.high_closed
    return [*inner, *ends, *([0.0] if low < 0 < high else [])]


def within(x, found):
    above = found.low < x or (found.low_closed and found.low == x)
    return above and (x < found.high or (found.high_closed and found.high == x))


def test_sums_and_products_of_intervals_hold_every_sum_and_product():
    every = list(intervals())
    for a, b in itertools.product(every[::5], every[::6]):
        added, product = bounds._plus(a, b), bounds._times(a, b)
        for x, y in itertools.product(members(a), members(b)):
            assert (
                within(x + y, added)
                or math.isclose(x + y, added.low)
                or math.isclose(x + y, added.high)
            )
            assert within(x * y, product), (a, b, x, y, product)


@pytest.mark.parametrize(
    "domain", [(-math.inf, math.inf), (0, math.inf), (0, 1), (-1, 1), (-2, 0.5), (1, 3), (-3, -1)]
)
@pytest.mark.parametrize("exponent", [-3, -2, -1, 2, 3, 4])
def test_a_power_of_a_number_of_a_domain(domain, exponent):
    x = of_array(*domain)
    found = bounds.interval(algebra.power(x, exponent))
    for at in members(bounds.Interval(*domain)):
        assert within(0.0 if at == 0 else at**exponent, found), (at, found)


def test_a_number_that_is_not_zero_has_no_sign():
    x = of_array(nonzero=True)
    assert bounds.nonzero(x)
    assert bounds.nonzero(algebra.power(x, -1))
    assert bounds.positive(algebra.power(x, 2))
    assert not bounds.positive(x)
    assert not bounds.nonnegative(x)
    assert not bounds.nonzero(add(x, ONE))
    assert not bounds.nonzero(C)


def test_zero_is_not_positive_and_a_square_may_be_zero():
    assert not bounds.positive(ZERO)
    assert bounds.nonnegative(ZERO)
    assert not bounds.nonzero(ZERO)
    assert bounds.nonnegative(algebra.power(C, 2))
    assert not bounds.positive(algebra.power(C, 2))
    assert not bounds.nonzero(algebra.power(C, -2))


def test_a_sum_over_a_range_that_may_be_empty_is_not_positive():
    i, j = sums.fresh(subtract(N, ONE)), sums.fresh(N)
    maybe = sums.total((i,), functions.exp(atom(Entry(ARRAYS["x"], (index(i),)))))
    surely = sums.total((j,), functions.exp(atom(Entry(ARRAYS["x"], (index(j),)))))
    assert bounds.nonnegative(maybe)
    assert not bounds.positive(maybe)
    assert bounds.positive(surely)


def test_a_masked_sum_is_positive_only_if_an_entry_is_kept():
    i, k = sums.fresh(N), sums.fresh(N)
    e = functions.exp(atom(Entry(ARRAYS["x"], (index(i),))))
    flag = atom(Entry(ARRAYS["b"], (index(i),)))
    causal = conditions.at_least_zero(subtract(index(k), index(i)))
    strict = conditions.at_least_zero(subtract(subtract(index(k), index(i)), ONE))
    assert not bounds.positive(sums.total((i,), algebra.multiply(flag, e)))
    assert bounds.positive(sums.total((i,), algebra.multiply(causal, e)))
    assert not bounds.positive(sums.total((i,), algebra.multiply(strict, e)))


def test_the_spread_of_numbers_is_not_negative_and_its_opposite_is_not_known():
    i = sums.fresh(N)
    x = atom(Entry(ARRAYS["x"], (index(i),)))
    mean = algebra.multiply(sums.total((i,), x), algebra.power(N, -1))
    variance = subtract(
        algebra.multiply(sums.total((i,), algebra.power(x, 2)), algebra.power(N, -1)),
        algebra.power(mean, 2),
    )
    spread = subtract(
        algebra.multiply(N, sums.total((i,), algebra.power(x, 2))),
        algebra.power(sums.total((i,), x), 2),
    )
    assert bounds.nonnegative(spread)
    assert not bounds.positive(spread)
    assert not bounds.nonnegative(scale(spread, -1))
    assert not bounds.nonnegative(subtract(spread, ONE))
    less = subtract(sums.total((i,), algebra.power(x, 2)), algebra.power(sums.total((i,), x), 2))
    assert not bounds.nonnegative(less)
    assert not bounds.nonnegative(scale(variance, -1))


# --- integers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(50))
def test_lower_bounds_of_random_integer_terms_hold(seed):
    draw = Draw(seed, ())
    tree = draw.whole(SCOPE)
    if seed % 3 == 0:  # a size beside an index
        tree = ("add", tree, ("times", ("size", draw.random.choice("nm")), draw.whole(SCOPE)))
    claimed = bounds._lowest(built(tree, slots()))
    if claimed is None:
        return
    for n, m in itertools.product((1, 2, 3, 4), repeat=2):
        sizes = {"n": n, "m": m}
        for place in itertools.product(range(n), range(n), range(m)):
            for label in range(n):
                given = {"k": np.full(n, label)}
                there = value(tree, sizes, given, dict(zip(INDICES, place, strict=True)))
                assert there >= claimed, (tree, sizes, place, label)


def test_lower_bounds_that_are_known():
    i = sums.fresh(N)
    last = subtract(subtract(N, ONE), index(i))
    assert bounds.at_least(last, 0)
    assert not bounds.at_least(last, 1)
    assert bounds.at_least(index(i), 0)
    assert not bounds.at_least(index(i), 1)
    assert not bounds.at_least(subtract(N, number(2)), 0)
    assert bounds.at_least(subtract(atom(Size("wide", 2)), number(2)), 0)
    assert not bounds.at_least(subtract(M, N), 0)
    assert not bounds.at_least(subtract(index(i), index(sums.fresh(N))), 0)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("by", [1, 2, 3])
def test_bounds_of_digits_hold_also_where_the_size_does_not_divide(rows, by):
    i = sums.fresh(number(rows))
    top = digits.quotient(index(i), number(by))
    low = digits.remainder(index(i), number(by))
    quotients, remainders = zip(*(divmod(k, by) for k in range(rows)), strict=True)
    for scaled in (1, 2, 3, -1, -2, -3):
        for bound in range(-12, 12):
            if bounds.at_least(scale(top, scaled), bound):
                assert min(scaled * q for q in quotients) >= bound
            if bounds.at_least(scale(low, scaled), bound):
                assert min(scaled * r for r in remainders) >= bound


def test_a_quotient_of_a_negative_index_is_negative():
    below = digits.quotient(number(-1), N)
    assert not bounds.nonnegative(below)
