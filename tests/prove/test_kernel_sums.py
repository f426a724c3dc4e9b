"""Sums, maxima and positions of maxima: bound variables, ranges, components."""

import random

import numpy as np
import pytest
from construction import (
    ARRAYS,
    SCOPE,
    SIZES,
    Draw,
    M,
    N,
    built,
    differs,
    rewritten,
    same_value,
    slots,
)

from purenet.prove.kernel import algebra, conditions, digits, functions, signs, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.factors import Binder, Entry
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, number, scale, subtract
from purenet.prove.kernel.terms import Array

SUMS = ("sum", "sum", "times", "add", "bound", "bound", "shifted", "merged")
LAST = subtract(N, ONE)


def entry(name, *at):
    return atom(Entry(ARRAYS[name], tuple(p if hasattr(p, "terms") else index(p) for p in at)))


def total(body, *sizes):
    """Σ of body(i, …) with i < size."""
    bound = tuple(sums.fresh(s) for s in sizes)
    return sums.total(bound, body(*bound))


def numbers_of(poly, **given):
    """The value for arrays by name."""
    n = max((len(v) for v in given.values() if np.ndim(v)), default=1)
    return float(
        evaluate(poly, {"n": n, "m": 2}, {k: np.asarray(v, float) for k, v in given.items()}, {})
    )


def test_sums_that_differ_in_a_bound_name_are_equal():
    assert total(lambda i: entry("x", i), N) == sums.total(
        (v := sums.fresh(N, "other"),), entry("x", v)
    )


def test_the_order_of_two_sums_does_not_matter():
    i, j = sums.fresh(N), sums.fresh(N)
    body = algebra.multiply(entry("s", i, j), entry("x", i))
    one = sums.total((i,), sums.total((j,), body))
    assert one == sums.total((j,), sums.total((i,), body)) == sums.total((i, j), body)


def test_a_row_and_a_column_sum_of_the_same_array_differ():
    def weighted(body):
        return total(lambda i, j: algebra.multiply(body(i, j), entry("x", i), entry("y", j)), N, N)

    assert weighted(lambda i, j: entry("s", i, j)) != weighted(lambda i, j: entry("s", j, i))


def test_nested_sums_with_the_same_canonical_name_do_not_capture():
    i, j, k = (sums.fresh(N) for _ in range(3))
    inner = functions.exp(sums.total((k,), entry("s", j, k)))
    middle = functions.exp(sums.total((j,), algebra.multiply(inner, entry("s", i, j))))
    outer = sums.total((i,), middle)
    rng = np.random.default_rng(0)
    s = rng.normal(size=(3, 3))
    true = np.exp((s * np.exp(s.sum(1))).sum(1)).sum()
    assert numbers_of(outer, s=s) == pytest.approx(true)


def test_the_diagonal_is_not_a_row():
    i, k = sums.fresh(N), sums.fresh(N)
    row = functions.exp(sums.total((k,), entry("s", i, k)))
    pair = sums.total(
        (i,), algebra.multiply(row, functions.exp(sums.total((k,), entry("s", k, i))))
    )
    s = np.arange(9.0).reshape(3, 3) / 10
    assert numbers_of(pair, s=s) == pytest.approx((np.exp(s.sum(1)) * np.exp(s.sum(0))).sum())


def test_a_product_of_equal_sums_is_the_square_and_not_the_sum_of_squares():
    one = total(lambda i: entry("x", i), N)
    assert algebra.multiply(one, one) == algebra.power(one, 2)
    assert algebra.power(one, 2) == total(
        lambda i, j: algebra.multiply(entry("x", i), entry("x", j)), N, N
    )
    assert algebra.power(one, 2) != total(lambda i: algebra.power(entry("x", i), 2), N)


def test_a_sum_of_products_of_separate_indices_is_a_product_of_sums():
    body = total(lambda i, j: algebra.multiply(entry("x", i), entry("u", j)), N, M)
    assert body == algebra.multiply(
        total(lambda i: entry("x", i), N), total(lambda j: entry("u", j), M)
    )


def test_a_power_of_a_sum_under_a_sum():
    i, j = sums.fresh(N), sums.fresh(N)
    cube = sums.total((i,), algebra.power(sums.total((j,), entry("s", i, j)), 3))
    s = np.arange(9.0).reshape(3, 3)
    assert numbers_of(cube, s=s) == (s.sum(1) ** 3).sum()


def test_a_sum_of_a_constant_is_the_number_of_indices():
    assert total(lambda i: ONE, N) == N
    assert total(lambda i, j: entry("c"), N, M) == algebra.multiply(N, M, entry("c"))
    assert total(lambda i: index(i), N).constant() is None


def test_a_sum_divided_by_itself_is_one_where_it_is_positive():
    i, k = sums.fresh(N), sums.fresh(N)
    e = functions.exp(entry("x", i))
    below = sums.total((k,), functions.exp(entry("x", k)))
    assert sums.total((i,), algebra.multiply(e, algebra.power(below, -1))) == ONE
    x = entry("x", i)
    below = sums.total((k,), entry("x", k))
    assert sums.total((i,), algebra.multiply(x, algebra.power(below, -1))) == subtract(
        ONE, signs.equals_zero(below)
    )


def test_a_row_of_a_distribution_sums_to_one_and_nothing_else_does():
    p = Array("p", (M, N), low=0.0, distribution=True)
    i, j = sums.fresh(M), sums.fresh(N)
    cell = atom(Entry(p, (index(i), index(j))))
    assert sums.total((j,), cell) == ONE
    assert sums.total((i, j), cell) == M
    for other in (algebra.power(cell, 2), algebra.multiply(cell, entry("x", j))):
        assert sums.total((j,), other).constant() is None
    assert sums.total((i,), cell).constant() is None
    short = sums.fresh(subtract(N, ONE))
    assert sums.total((short,), atom(Entry(p, (ZERO, index(short))))).constant() is None


# --- ranges ---------------------------------------------------------------------------------------


def test_an_equation_picks_one_summand_if_it_is_in_range():
    i, k = sums.fresh(N), sums.fresh(N)
    here = conditions.integer_zero(subtract(index(i), index(k)))
    assert sums.total((i,), algebra.multiply(here, entry("x", i))) == entry("x", k)
    after = conditions.integer_zero(subtract(index(i), add(index(k), ONE)))
    found = sums.total((i,), algebra.multiply(after, entry("x", i)))
    x = np.asarray([2.0, 3.0, 5.0])
    assert evaluate(found, {"n": 3}, {"x": x}, {k: np.arange(3)}).tolist() == [3, 5, 0]
    never = conditions.integer_zero(subtract(index(i), N))
    assert sums.total((i,), algebra.multiply(never, entry("x", i))).is_zero


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_shifted_range_and_an_empty_one(n):
    i = sums.fresh(N)
    x = np.arange(1.0, n + 1)
    for start in (-1, 0, 1, 2):
        guard = conditions.at_least_zero(subtract(index(i), number(start)))
        inside = conditions.at_least_zero(subtract(LAST, subtract(index(i), number(start))))
        shifted = algebra.multiply(guard, inside, entry("x", subtract(index(i), number(start))))
        true = sum(x[k - start] for k in range(n) if 0 <= k - start < n)
        assert numbers_of(sums.total((i,), shifted), x=x) == true


@pytest.mark.parametrize("cut", [0, 1])
def test_a_range_of_symbolic_size_may_be_empty(cut):
    i = sums.fresh(subtract(N, ONE))
    body = sums.total((i,), ONE if cut else entry("x", i))
    assert numbers_of(body, x=[7.0]) == 0
    assert not body.is_zero


def test_a_reversed_sum_is_the_sum():
    i = sums.fresh(N)
    assert sums.total((i,), entry("x", subtract(LAST, index(i)))) == total(
        lambda k: entry("x", k), N
    )
    mixed = algebra.multiply(entry("x", subtract(LAST, index(i))), entry("y", i))
    flipped = algebra.multiply(entry("x", i), entry("y", subtract(LAST, index(i))))
    assert sums.total((i,), mixed) == sums.total((i,), flipped)
    assert sums.total((i,), mixed) != total(
        lambda k: algebra.multiply(entry("x", k), entry("y", k)), N
    )


def test_neighbours_from_both_sides_are_the_same_sum():
    i = sums.fresh(N)
    low = conditions.at_least_zero(subtract(index(i), ONE))
    high = conditions.at_least_zero(subtract(subtract(N, number(2)), index(i)))
    before = algebra.multiply(low, entry("x", i), entry("y", subtract(index(i), ONE)))
    after = algebra.multiply(high, entry("x", add(index(i), ONE)), entry("y", i))
    assert sums.total((i,), before) == sums.total((i,), after)


def merged(size):
    k = sums.fresh(size)
    high, low = digits.quotient(index(k), M), digits.remainder(index(k), M)
    return k, entry("w", high, low)


def test_a_merged_axis_is_two_axes():
    k, cell = merged(SIZES["n*m"])
    assert sums.total((k,), cell) == total(lambda i, j: entry("w", i, j), N, M)


def test_a_part_of_a_merged_axis_is_not_a_number_of_rows():
    k, cell = merged(subtract(SIZES["n*m"], ONE))
    w = np.arange(1.0, 7).reshape(3, 2)
    value = evaluate(sums.total((k,), cell), {"n": 3, "m": 2}, {"w": w}, {})
    assert float(value) == w.ravel()[:-1].sum()
    k, cell = merged(SIZES["n*m"])
    inside = conditions.at_least_zero(subtract(subtract(SIZES["n*m"], number(2)), index(k)))
    cut = sums.total((k,), algebra.multiply(inside, cell))
    assert float(evaluate(cut, {"n": 3, "m": 2}, {"w": w}, {})) == w.ravel()[:-1].sum()


@pytest.mark.parametrize("flat", range(-3, 12))
def test_digits_of_numbers_round_down(flat):
    for by in (1, 2, 3):
        pair = digits.quotient(number(flat), number(by)), digits.remainder(number(flat), number(by))
        assert tuple(float(evaluate(p, {}, {}, {})) for p in pair) == divmod(flat, by)


# --- maxima ---------------------------------------------------------------------------------------


def test_a_maximum_moves_with_what_is_added_and_scales_with_what_is_positive():
    i = sums.fresh(N)
    peak = sums.largest((i,), entry("x", i))
    shifted = add(scale(entry("x", i), 3), entry("c"))
    assert sums.largest((i,), shifted) == add(scale(peak, 3), entry("c"))
    lowest = sums.largest((i,), scale(entry("x", i), -2))
    assert lowest != scale(peak, -2)
    assert numbers_of(lowest, x=[1, 5, -3]) == 6
    by_c = sums.largest((i,), algebra.multiply(entry("c"), entry("x", i)))
    assert by_c != algebra.multiply(entry("c"), peak)
    assert numbers_of(by_c, x=[1, 5, -3], c=-1) == 3


def test_the_position_of_a_maximum_is_the_first_one_and_is_not_read_from_the_end():
    i = sums.fresh(N)
    place = sums.position((i,), entry("x", i))
    assert numbers_of(place, x=[1, 4, 4]) == 1
    backwards = sums.position((i,), entry("x", subtract(LAST, index(i))))
    assert numbers_of(backwards, x=[1, 4, 4]) == 0
    assert numbers_of(sums.position((i,), scale(entry("x", i), -1)), x=[3, 1, 2]) == 1


# --- all of it ------------------------------------------------------------------------------------


def binders(poly):
    for factor in poly.factors:
        if isinstance(factor, Binder):
            yield factor
        for part in factor.polys:
            yield from binders(part)


@pytest.mark.parametrize("block", range(3))
def test_random_sums_have_the_value_of_their_construction(block):
    wrong = [
        differs(("sum", "top", "n", Draw(seed, SUMS).real(2, SCOPE | {"top": "n"})))
        for seed in range(8 * block, 8 * block + 8)
    ]
    assert not any(wrong), wrong


@pytest.mark.parametrize("seed", range(10))
def test_random_sums_do_not_depend_on_names_and_order(seed):
    tree = (
        "sum",
        "top",
        "n",
        Draw(seed, ("sum", "times", "add", "shifted", "exp")).real(3, SCOPE | {"top": "n"}),
    )
    place = slots()
    one, other = built(tree, place), built(rewritten(tree, random.Random(seed)), place)
    assert one == other, (tree, one, other)
    assert same_value(one, other, place)


@pytest.mark.parametrize("seed", range(8))
def test_no_bound_name_of_a_random_term_leaks_or_is_bound_twice(seed):
    place = slots()
    poly = built(Draw(seed, (*SUMS, "exp", "max", "inverse")).real(4, SCOPE), place)
    assert poly.free <= set(place.values())
    for binder in binders(poly):
        inside = {v for inner in binders(binder.body) for v in inner.bound}
        assert not inside & set(binder.bound)


def test_the_part_of_an_index_is_that_of_its_place_and_not_of_its_name():
    i, j = sums.fresh(N), sums.fresh(N)
    one, other = entry("s", i, j), entry("s", j, i)
    assert one.seen(i) == other.seen(j)
    assert one.seen(j) == other.seen(i)
    assert one.seen(i) != one.seen(j)
    assert one.blind == other.blind
    row = sums.total((j,), algebra.multiply(one, entry("x", j)))
    assert row.seen(j) == row.blind != row.seen(i)
