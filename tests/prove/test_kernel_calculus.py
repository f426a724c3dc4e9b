"""Derivatives of terms against differences of their values, and coefficients of linear terms."""

import math

import numpy as np
import pytest
from construction import (
    ARRAYS,
    CONCRETE,
    SCOPE,
    Draw,
    M,
    N,
    Outside,
    built,
    numbers,
    size_of,
    slots,
    value,
)

from purenet.prove.kernel import algebra, calculus, conditions, functions, signs, sums
from purenet.prove.kernel.calculus import NoDerivative, NotLinear
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.factors import Definition, Entry, Named
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, index, scale, subtract
from purenet.prove.kernel.terms import Array, Var

DX = Array("dx", (N,))
X = ARRAYS["x"]
SMOOTH = (
    "add",
    "times",
    "times",
    "sum",
    "sum",
    "square",
    "call",
    "exp",
    "inverse",
    "shifted",
    "flag",
)


def x(at):
    return atom(Entry(X, (index(at),)))


def gradient(poly, at):
    """∂ poly / ∂ x[at]."""
    return calculus.coefficient(calculus.tangent(poly, X, DX), DX, (at,))


def test_the_derivative_of_a_sum_is_one_for_every_index():
    i, k = sums.fresh(N), sums.fresh(N)
    assert gradient(sums.total((i,), x(i)), k) == ONE


def test_the_derivative_of_an_entry_is_a_delta():
    i, k = sums.fresh(N), sums.fresh(N)
    assert gradient(x(i), k) == conditions.integer_zero(subtract(index(i), index(k)))


def test_the_derivative_of_softmax_in_the_variable_of_its_own_sum():
    i, j, k = (sums.fresh(N) for _ in range(3))
    below = sums.total((j,), functions.exp(x(j)))
    p = algebra.multiply(functions.exp(x(i)), algebra.power(below, -1))
    q = algebra.substitute(p, {i: index(k)})
    delta = conditions.integer_zero(subtract(index(i), index(k)))
    assert gradient(p, k) == subtract(algebra.multiply(delta, p), algebra.multiply(p, q))
    own = algebra.substitute(gradient(p, k), {k: index(i)})
    assert own == subtract(p, algebra.power(p, 2))
    assert not own.is_zero


def test_the_derivative_of_a_square_of_a_sum():
    i, k = sums.fresh(N), sums.fresh(N)
    total = sums.total((i,), x(i))
    assert gradient(algebra.power(total, 2), k) == scale(total, 2)


def test_a_bilinear_form_is_differentiated_in_both_places():
    i, j, k = (sums.fresh(N) for _ in range(3))
    s = ARRAYS["s"]

    def at(a, b):
        return atom(Entry(s, (index(a), index(b))))

    form = sums.total((i, j), algebra.multiply(x(i), at(i, j), x(j)))
    row = sums.total((j,), algebra.multiply(at(k, j), x(j)))
    column = sums.total((j,), algebra.multiply(at(j, k), x(j)))
    assert gradient(form, k) == add(row, column)


def test_through_a_definition():
    i, k, slot = sums.fresh(N), sums.fresh(N), Var("slot0", N)
    body = sums.total(
        (i,), algebra.multiply(atom(Entry(ARRAYS["s"], (index(slot), index(i)))), x(i))
    )
    z = Definition((slot,), body)
    o = sums.fresh(N)
    poly = algebra.power(atom(Named(z, (index(o),))), 2)
    plain = calculus.unfolded(poly)
    assert calculus.unfolded(gradient(poly, k)) == gradient(plain, k)


def test_a_maximum_passes_the_change_at_its_position_only():
    i, k = sums.fresh(N), sums.fresh(N)
    peak = gradient(sums.largest((i,), x(i)), k)
    values = np.asarray([1.0, 4.0, -2.0])
    assert evaluate(peak, {"n": 3}, {"x": values}, {k: np.arange(3)}).tolist() == [0, 1, 0]


def test_a_maximum_over_repeated_entries_is_not_counted_twice():
    i, j, k = sums.fresh(N), sums.fresh(M), sums.fresh(N)
    values = np.asarray([1.0, 4.0, -2.0])
    try:
        peak = gradient(sums.largest((i, j), x(i)), k)
    except NoDerivative:
        return
    assert evaluate(peak, {"n": 3, "m": 2}, {"x": values}, {k: np.arange(3)}).tolist() == [0, 1, 0]


def test_a_position_and_an_array_of_integers_have_no_change():
    i = sums.fresh(N)
    assert calculus.tangent(sums.position((i,), x(i)), X, DX).is_zero
    assert calculus.tangent(atom(Entry(ARRAYS["y"], (index(i),))), X, DX).is_zero


def test_a_distribution_that_is_differentiated_is_not_taken_as_summing_to_one():
    p = Array("p", (N,), low=0.0)
    dp, i, k = Array("dp", (N,)), sums.fresh(N), sums.fresh(N)
    total = sums.total((i,), atom(Entry(p, (index(i),))))
    assert calculus.coefficient(calculus.tangent(total, p, dp), dp, (k,)) == ONE


def test_a_function_without_a_known_derivative_is_refused():
    with pytest.raises(NoDerivative, match="digamma"):
        calculus.tangent(functions.call("digamma", x(sums.fresh(N))), X, DX)


@pytest.mark.parametrize("order", [0, 1, 5])
def test_an_arbitrary_function_is_differentiated_by_its_order(order):
    k = sums.fresh(N)
    change = calculus.tangent(functions.call("sigma", x(k), order), X, DX)
    assert change == algebra.multiply(
        functions.call("sigma", x(k), order + 1), atom(Entry(DX, (index(k),)))
    )


# --- coefficients ---------------------------------------------------------------------------------


def test_the_coefficient_of_what_is_out_of_range_is_zero():
    i, k = sums.fresh(N), sums.fresh(N)
    inside = conditions.at_least_zero(subtract(subtract(N, ONE), add(index(i), ONE)))
    after = atom(Entry(DX, (add(index(i), ONE),)))
    y = atom(Entry(ARRAYS["y"], (index(i),)))
    found = calculus.coefficient(sums.total((i,), algebra.multiply(inside, after, y)), DX, (k,))
    given = np.asarray([2.0, 3.0, 5.0])
    assert evaluate(found, {"n": 3}, {"y": given}, {k: np.arange(3)}).tolist() == [0, 2, 3]


def test_what_is_not_linear_is_refused():
    i, j = sums.fresh(N), sums.fresh(N)
    dx = atom(Entry(DX, (index(i),)))
    for poly in (
        algebra.power(dx, 2),
        ONE,
        functions.exp(dx),
        algebra.power(add(dx, ONE), -1),
        algebra.power(sums.total((j,), atom(Entry(DX, (index(j),)))), 2),
        signs.maximum(dx, ZERO),
        sums.largest((i,), dx),
    ):
        with pytest.raises(NotLinear):
            calculus.coefficient(poly, DX, (sums.fresh(N),))


# --- against differences --------------------------------------------------------------------------

STEP = 1e-5


def slope(tree, sizes, arrays, place, k):
    """The central difference of a tree's own value in x[k]; None where it is not trusted."""

    def moved(step):
        other = arrays | {
            "x": np.where(np.arange(sizes["n"]) == k, arrays["x"] + step, arrays["x"])
        }
        return float(value(tree, sizes, other, place))

    try:
        wide, narrow = ((moved(h) - moved(-h)) / (2 * h) for h in (2 * STEP, STEP))
    except (Outside, OverflowError, IndexError):
        return None
    found = (4 * narrow - wide) / 3
    return found if math.isfinite(found) and abs(wide - narrow) < 1e-5 * (1 + abs(found)) else None


def check_against_differences(seed):
    tree = ("sum", "top", "n", Draw(seed, SMOOTH).real(3, SCOPE | {"top": "n"}))
    free, k = slots(), sums.fresh(N)
    poly = gradient(built(tree, free), k)
    compared = 0
    for n, m in CONCRETE:
        sizes = {"n": n, "m": m}
        arrays = {
            name: np.asarray(a, float) for name, a in numbers(seed, sizes, small=False).items()
        }
        place = {name: (n + 1) % size_of(s, sizes) for name, s in SCOPE.items()}
        given = {free[name]: at for name, at in place.items()} | {k: np.arange(n)}
        found = evaluate(poly, sizes, arrays, given)
        for at in range(n):
            true = slope(tree, sizes, arrays, place, at)
            if true is not None and math.isfinite(found[at]):
                assert found[at] == pytest.approx(true, rel=2e-4, abs=2e-4), (
                    tree,
                    sizes,
                    at,
                    str(poly),
                )
                compared += 1
    return compared


@pytest.mark.parametrize("block", range(3))
def test_derivatives_of_random_terms_are_their_slopes(block):
    assert sum(check_against_differences(seed) for seed in range(6 * block, 6 * block + 6)) > 20
