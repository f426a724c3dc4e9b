"""The second opinion is right by itself."""

import random

import mpmath
import pytest
from sympy import Max, Piecewise, Rational, exp, tanh

from derivations import witness
from derivations.calculus import prime
from derivations.language import arrays, functions, indices, numbers, partial, sizes, total
from derivations.witness import World

(n,) = sizes("n")
(q,) = indices("q")
x, y = arrays("x y")
(t,) = numbers("t")
(sigma,) = functions("sigma")


def world(**values):
    drawn = World(random.Random(0))
    drawn.values |= {n: 3, **{(x, (k,)): mpmath.mpf(k) for k in (1, 2, 3)}}
    return drawn


def test_sums_are_added_up():
    assert witness.value(total(n, lambda i: x[i] ** 2), world()) == 14


def test_a_derivative_is_that_of_the_function():
    w = world()
    w.values[t] = mpmath.mpf("0.3")
    with mpmath.workdps(witness.DIGITS):
        slope = witness.value(partial(exp(2 * t), t), w)
        assert abs(slope - 2 * mpmath.exp(2 * w.values[t])) < mpmath.mpf(10) ** -30


def test_a_derivative_by_an_entry_leaves_the_entry_as_it_was():
    w = world()
    w.values[q] = 2
    with mpmath.workdps(witness.DIGITS):
        assert abs(witness.value(partial(total(n, lambda i: x[i] ** 2), x[q]), w) - 4) < 1e-30
    assert w.values[x, (2,)] == 2


def test_the_prime_of_an_arbitrary_function_is_its_derivative():
    with mpmath.workdps(witness.DIGITS):
        w = world()
        assert witness.agree(partial(sigma(t), t), prime(sigma)(t), [w]) is None
        assert witness.agree(partial(sigma(t), t), sigma(t), [w]) is w


def test_branches_are_chosen_by_their_condition():
    w = world()
    w.values[t] = mpmath.mpf(-2)
    assert witness.value(Piecewise((t, t > 0), (0, True)), w) == 0
    assert witness.value(Max(0, -t), w) == 2


def test_positive_numbers_are_drawn_positive():
    (u,) = numbers("u", positive=True)
    assert all(World(random.Random(seed)).number(u) > 0 for seed in range(20))


def test_a_function_without_a_meaning_is_named():
    from sympy import zeta

    with pytest.raises(ValueError, match="no numeric meaning is given to zeta"):
        witness.value(zeta(t), world())


def test_digits_enough_to_tell_nearly_equal_functions_apart():
    w = world()
    w.values[t] = mpmath.mpf("0.3")
    assert witness.agree(tanh(t), tanh(t) * (1 + Rational(1, 10**20)), [w]) is w
