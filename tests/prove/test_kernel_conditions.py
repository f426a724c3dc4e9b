"""Conditions are 1 where they hold and 0 elsewhere, whatever they are simplified to."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from construction import ARRAYS, CONCRETE, SCOPE, Draw, N, differs

from purenet.prove.kernel import algebra, conditions, functions, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.terms import (
    ONE,
    ZERO,
    Array,
    Entry,
    add,
    atom,
    index,
    number,
    scale,
    subtract,
)

POINTS = np.asarray(list(itertools.product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=3)))
POINT = sums.fresh(number(len(POINTS)))
X, Y, Z = (atom(Entry(Array(name, (POINT.size,)), (index(POINT),))) for name in ("cx", "cy", "cz"))
EQUATIONS = ("positive", "positive", "times", "add", "larger", "absolute", "inverse", "sum", "flag")


def at_points(poly):
    """The values at every point of a grid of three numbers."""
    arrays = dict(zip(("cx", "cy", "cz"), POINTS.T, strict=True))
    return evaluate(poly, {}, arrays, {POINT: np.arange(len(POINTS))})


def product(*polys):
    return algebra.multiply(*polys)


REAL = {
    "a factor that may be 0": add(product(X, Y), product(X, Z)),
    "a square": algebra.power(subtract(X, Y), 2),
    "a product": product(X, Y, number(-3)),
    "a sum": add(X, scale(Y, 2), number(-1)),
    "a relu": add(conditions.maximum(X, ZERO), conditions.maximum(Y, ZERO)),
    "two exponentials": subtract(functions.exp(X), functions.exp(Y)),
    "an exponential and a number": add(scale(functions.exp(X), -1), ONE),
    "a positive factor": product(functions.exp(X), subtract(Y, Z)),
    "a power": subtract(algebra.power(X, 3), product(X, Y, Y)),
    "an inverse": subtract(algebra.power(X, -1), Y),
    "an absolute value": subtract(conditions.absolute(X), conditions.absolute(Y)),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("relation", [">", "="])
def test_a_real_condition_holds_where_its_term_says(name, relation):
    poly = REAL[name]
    there = np.round(at_points(poly), 9)
    true = there > 0 if relation == ">" else there == 0
    np.testing.assert_array_equal(at_points(conditions.holds(relation, poly)), true)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("other", [X, product(X, Y), algebra.power(X, -1), add(product(X, Z), Y)])
def test_a_product_with_an_equation_has_the_value_of_its_factors(name, other):
    equation = conditions.equals_zero(REAL[name])
    expected = at_points(other) * at_points(equation) * (POINTS[:, 0] + POINTS[:, 1])
    np.testing.assert_allclose(at_points(product(other, equation, add(X, Y))), expected)


INTEGERS = [(a, b, c) for a in (-2, -1, 1, 3) for b in (-1, 0, 2) for c in (-3, -1, 2)]


@pytest.mark.parametrize("relation", [">=", "=="])
def test_an_integer_condition_and_its_complement_at_every_index(relation):
    i, j = sums.fresh(N), sums.fresh(N)
    for a, b, c in INTEGERS:
        poly = add(scale(index(i), a), scale(index(j), b), number(c))
        condition = conditions.holds(relation, poly)
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


@pytest.mark.parametrize("order", [(X, Y), (Y, X), (X, scale(X, 2)), (X, scale(X, -1)), (X, ZERO)])
def test_a_maximum_at_every_sign(order):
    larger = np.maximum(*map(at_points, order))
    np.testing.assert_array_equal(at_points(conditions.maximum(*order)), larger)


@pytest.mark.parametrize("name", ["exp", "tanh", "logistic", "cos", "erf", "atan"])
def test_a_function_of_pieces_is_the_pieces_of_the_function(name):
    pieces = conditions.choose(conditions.is_positive(X), Y, subtract(Z, conditions.absolute(Y)))
    x, y, _z = POINTS.T
    inside = np.where(x > 0, at_points(functions.call(name, Y)), 0)
    inside += np.where(x > 0, 0, at_points(functions.call(name, subtract(Z, Y))) * (y >= 0))
    inside += np.where(x > 0, 0, at_points(functions.call(name, add(Z, Y))) * (y < 0))
    np.testing.assert_allclose(at_points(functions.call(name, pieces)), inside, atol=1e-12)


def test_a_power_of_pieces_is_the_pieces_of_the_power():
    relu = conditions.maximum(X, ZERO)
    assert algebra.power(relu, Fraction(1, 2)) == product(
        conditions.is_positive(X), algebra.power(X, Fraction(1, 2))
    )
    assert algebra.power(relu, -2) == product(conditions.is_positive(X), algebra.power(X, -2))


@pytest.mark.parametrize("block", range(2))
def test_random_products_with_conditions_have_the_value_of_their_construction(block):
    wrong = [
        differs(Draw(seed, EQUATIONS).real(3, SCOPE)) for seed in range(6 * block, 6 * block + 6)
    ]
    assert not any(wrong), wrong
