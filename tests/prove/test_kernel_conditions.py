"""Conditions are 1 where they hold and 0 elsewhere; functions of pieces are pieces."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from construction import CONCRETE, N
from grid import POINTS, X, Y, Z, at_points, product

from purenet.prove.kernel import algebra, conditions, functions, signs, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.linear import ZERO, add, index, number, scale, subtract

INTEGERS = [(a, b, c) for a in (-2, -1, 1, 3) for b in (-1, 0, 2) for c in (-3, -1, 2)]


@pytest.mark.parametrize("relation", [">=", "=="])
def test_an_integer_condition_and_its_complement_at_every_index(relation):
    i, j = sums.fresh(N), sums.fresh(N)
    for a, b, c in INTEGERS:
        poly = add(scale(index(i), a), scale(index(j), b), number(c))
        condition = signs.holds(relation, poly)
        opposite = conditions.complement(condition)
        for n, _ in CONCRETE:
            places = {i: np.arange(n)[:, None], j: np.arange(n)}
            whole = a * np.arange(n)[:, None] + b * np.arange(n) + c
            true = whole >= 0 if relation == ">=" else whole == 0
            np.testing.assert_array_equal(evaluate(condition, {"n": n}, {}, places), true)
            np.testing.assert_array_equal(evaluate(opposite, {"n": n}, {}, places), ~true)


def test_bounds_with_sizes_at_every_index():
    i = sums.fresh(N)
    for a, s, c in itertools.product((-1, 1, 2), (-2, -1, 1), (-2, 0, 1)):
        condition = conditions.at_least_zero(add(scale(index(i), a), scale(N, s), number(c)))
        for n, _ in CONCRETE:
            found = evaluate(condition, {"n": n}, {}, {i: np.arange(n)})
            np.testing.assert_array_equal(found, a * np.arange(n) + s * n + c >= 0)


@pytest.mark.parametrize("name", ["exp", "tanh", "logistic", "cos", "erf", "atan"])
def test_a_function_of_pieces_is_the_pieces_of_the_function(name):
    pieces = conditions.choose(signs.is_positive(X), Y, subtract(Z, signs.absolute(Y)))
    x, y, _z = POINTS.T
    inside = np.where(x > 0, at_points(functions.call(name, Y)), 0)
    inside += np.where(x > 0, 0, at_points(functions.call(name, subtract(Z, Y))) * (y >= 0))
    inside += np.where(x > 0, 0, at_points(functions.call(name, add(Z, Y))) * (y < 0))
    np.testing.assert_allclose(at_points(functions.call(name, pieces)), inside, atol=1e-12)


def test_a_power_of_pieces_is_the_pieces_of_the_power():
    relu = signs.maximum(X, ZERO)
    assert algebra.power(relu, Fraction(1, 2)) == product(
        signs.is_positive(X), algebra.power(X, Fraction(1, 2))
    )
    assert algebra.power(relu, -2) == product(signs.is_positive(X), algebra.power(X, -2))
