"""Products, powers and rewriting keep the value of a term and do not depend on how it was made."""

import random
from fractions import Fraction

import pytest
from construction import (
    ARRAYS,
    EVERYTHING,
    SCOPE,
    SMOOTH,
    Draw,
    N,
    built,
    differs,
    rewritten,
    same_value,
    slots,
)

from purenet.prove.kernel import algebra, signs, sums
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, number, scale, subtract

HALF = Fraction(1, 2)
C = atom(Entry(ARRAYS["c"], ()))


def entry(name, *at):
    return atom(Entry(ARRAYS[name], tuple(map(index, at))))


@pytest.mark.parametrize("block", range(2))
def test_random_terms_have_the_value_of_their_construction(block):
    wrong = [
        differs(Draw(seed, EVERYTHING).real(2 + seed % 2, SCOPE))
        for seed in range(8 * block, 8 * block + 8)
    ]
    assert not any(wrong), wrong


@pytest.mark.slow
@pytest.mark.parametrize("block", range(100))
def test_many_random_terms_have_the_value_of_their_construction(block):
    wrong = [
        differs(Draw(s, EVERYTHING).real(3, SCOPE))
        for s in range(1000 + 20 * block, 1020 + 20 * block)
    ]
    assert not any(wrong), wrong


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_construction_and_the_names_do_not_matter(seed):
    tree = Draw(seed, (*SMOOTH, "flag", "shifted")).real(3, SCOPE)
    place = slots()
    other = rewritten(tree, random.Random(seed))
    assert built(tree, place) == built(other, place), (tree, other)


def test_a_number_times_its_inverse_is_one_unless_it_is_zero():
    product = algebra.multiply(C, algebra.power(C, -1))
    assert product == subtract(ONE, signs.equals_zero(C))
    assert algebra.multiply(C, product) == C


def test_zero_to_a_negative_power_is_zero():
    assert algebra.power(ZERO, -1) == ZERO
    assert algebra.power(subtract(C, C), Fraction(-1, 2)) == ZERO


def test_a_positive_number_cancels():
    (i,) = (sums.fresh(N),)
    x = entry("p", i)
    assert algebra.multiply(x, algebra.power(x, -1)) == ONE
    root = algebra.power(x, HALF)
    assert algebra.multiply(root, root) == x


def test_the_root_of_a_square_is_the_absolute_value():
    assert algebra.power(algebra.power(C, 2), HALF) == signs.absolute(C)
    assert algebra.power(algebra.power(C, 2), HALF) != C


def test_the_root_of_a_perfect_square_of_a_sum_keeps_its_sign_open():
    square = algebra.power(add(C, ONE), 2)
    assert algebra.power(square, -1) == algebra.power(add(C, ONE), -2)
    assert algebra.power(square, HALF) != add(C, ONE)


@pytest.mark.parametrize(("base", "exponent", "expected"), [
    (8, HALF, [(2, 2), (1, 0)]),
    (Fraction(1, 4), HALF, None),
])  # fmt: skip
def test_roots_of_rational_numbers(base, exponent, expected):
    root = algebra.power(number(base), exponent)
    assert algebra.power(root, 2) == number(base)
    assert (root.constant() is None) == (expected is not None)


def test_content_is_taken_out_of_a_power_with_its_sign():
    base = scale(add(C, ONE), -2)
    assert algebra.power(base, -1) == scale(algebra.power(add(C, ONE), -1), Fraction(-1, 2))
    assert algebra.power(base, -2) == scale(algebra.power(add(C, ONE), -2), Fraction(1, 4))


def test_a_factor_that_may_be_zero_leaves_a_negative_power_only_with_its_own():
    x, y = (entry("x", sums.fresh(N)) for _ in range(2))
    base = add(algebra.multiply(x, y), algebra.multiply(x, C))
    product = algebra.multiply(algebra.power(base, -1), base)
    for zero in (x, add(y, C)):
        assert algebra.multiply(product, signs.equals_zero(zero)).is_zero


def test_substitution_of_an_index_does_not_capture_a_bound_one():
    i, j = sums.fresh(N), sums.fresh(N)
    row = sums.total((i,), entry("s", i, j))  # Σ_i s[i,j]
    assert algebra.substitute(row, {j: index(i)}) == sums.total((j,), entry("s", j, i))
    trace = sums.total((i,), entry("s", i, i))
    assert algebra.substitute(row, {j: index(i)}) != trace


def test_indices_are_exchanged_at_once():
    i, j = sums.fresh(N), sums.fresh(N)
    assert algebra.substitute(entry("s", i, j), {i: index(j), j: index(i)}) == entry("s", j, i)


def test_expansion_agrees_with_the_factorised_value():
    i, j = sums.fresh(N, "i"), sums.fresh(N, "j")
    x, y = entry("x", i), entry("y", j)
    cube = algebra.power(add(x, scale(y, -2), ONE), 3)
    steps = algebra.multiply(*[add(x, scale(y, -2), ONE)] * 3)
    assert cube == steps
    assert same_value(cube, steps, {"i": i, "j": j})
