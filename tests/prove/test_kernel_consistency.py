"""A product with conditions keeps its value, whatever it is simplified to."""

import numpy as np
import pytest
from construction import ARRAYS, SCOPE, Draw, N, differs
from grid import POINTS, REAL, X, Y, Z, at_points, product

from purenet.prove.kernel import algebra, conditions, signs, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import ONE, add, atom, index, number, subtract

EQUATIONS = ("positive", "positive", "times", "add", "larger", "absolute", "inverse", "sum", "flag")


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("other", [X, product(X, Y), algebra.power(X, -1), add(product(X, Z), Y)])
def test_a_product_with_an_equation_has_the_value_of_its_factors(name, other):
    equation = signs.equals_zero(REAL[name])
    expected = at_points(other) * at_points(equation) * (POINTS[:, 0] + POINTS[:, 1])
    np.testing.assert_allclose(at_points(product(other, equation, add(X, Y))), expected)


def test_contradictory_bounds_are_zero_and_only_those():
    i = sums.fresh(N)
    low, high = conditions.at_least_zero, subtract(number(1), index(i))
    assert product(low(high), low(subtract(index(i), number(2)))).is_zero
    assert not product(low(high), low(subtract(index(i), ONE))).is_zero


def test_an_equation_moves_an_index_into_its_range():
    i, j = sums.fresh(N), sums.fresh(N)
    x = atom(Entry(ARRAYS["x"], (index(i),)))
    same = conditions.integer_zero(subtract(add(index(j), ONE), index(i)))
    term = product(same, x)  # [i == j + 1] x[i]
    given = np.asarray([2.0, 3.0, 5.0])
    places = {i: np.arange(3)[:, None], j: np.arange(3)}
    true = np.where(np.arange(3)[:, None] == np.arange(3) + 1, given[:, None], 0)
    np.testing.assert_array_equal(evaluate(term, {"n": 3}, {"x": given}, places), true)


@pytest.mark.parametrize("block", range(2))
def test_random_products_with_conditions_have_the_value_of_their_construction(block):
    wrong = [
        differs(Draw(seed, EQUATIONS).real(3, SCOPE)) for seed in range(6 * block, 6 * block + 6)
    ]
    assert not any(wrong), wrong
