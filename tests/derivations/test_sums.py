"""Equality of expressions with sums: what is true is shown, and nothing wrong ever is."""

import random

import pytest
from sympy import KroneckerDelta as same
from sympy import Sum, Symbol, exp, log

from derivations import sums, witness
from derivations.language import arrays, functions, indices, numbers, partial, sizes, total
from derivations.witness import World

n, m = sizes("n m")
p, q, r = indices("p q r")
x, y, w, W = arrays("x y w W")
(t,) = numbers("t")
(sigma,) = functions("sigma")
RANGES = {p: n, q: n, r: m}


def softmax(i):
    return exp(x[i]) / total(n, lambda j: exp(x[j]))


TRUE = {
    "names of bound indices": (total(n, lambda i: x[i]), total(n, lambda k: x[k])),
    "order of sums": (
        total(n, lambda i: total(m, lambda j: W[i, j])),
        total(m, lambda j: total(n, lambda i: W[i, j])),
    ),
    "a constant in front": (total(n, lambda i: t * x[i]), t * total(n, lambda i: x[i])),
    "an idle index": (total(n, lambda i: t), n * t),
    "a product of sums": (
        total(n, lambda i: x[i]) ** 2,
        total(n, lambda i: total(n, lambda j: x[i] * x[j])),
    ),
    "δ picks": (total(n, lambda i: x[i] * same(i, q)), x[q]),
    "δ twice": (total(n, lambda i: x[i] * same(i, q) ** 2), x[q]),
    "δ of free indices": (same(p, q) * x[p], same(p, q) * x[q]),
    "softmax sums to 1": (total(n, softmax), 1),
    "softmax sums to 1 inside": (
        total(n, lambda i: total(n, lambda k: softmax(k) * y[i])),
        total(n, lambda i: y[i]),
    ),
    "a shift of exponents": (
        exp(x[q] + t) / total(n, lambda j: exp(x[j] + t)),
        softmax(q),
    ),
    "derivative of a sum": (partial(total(n, lambda i: x[i] * w[i]), w[q]), x[q]),
    "derivative through a function": (
        partial(total(n, lambda i: log(1 + exp(x[i]))), x[q]),
        exp(x[q]) / (1 + exp(x[q])),
    ),
    "summands that cancel only together": (
        total(n, lambda i: y[i] / (1 + exp(x[i])) + y[i] * exp(x[i]) / (1 + exp(x[i]))),
        total(n, lambda i: y[i]),
    ),
}

FALSE = {
    "another array": (total(n, lambda i: x[i]), total(n, lambda i: y[i])),
    "another size": (total(n, lambda i: x[i]), total(m, lambda i: x[i])),
    "a transpose": (
        total(n, lambda i: total(n, lambda j: W[i, j] * x[j] * y[i])),
        total(n, lambda i: total(n, lambda j: W[j, i] * x[j] * y[i])),
    ),
    "a square of a sum": (total(n, lambda i: x[i]) ** 2, total(n, lambda i: x[i] ** 2)),
    "a captured index": (
        total(n, lambda i: x[i] * total(n, lambda j: y[j])),
        total(n, lambda i: x[i] * y[i]),
    ),
    "δ out of range": (total(n, lambda i: x[i] * same(i, r)), x[r]),
    "size off by one": (total(n, lambda i: t), (n - 1) * t),
    "a sign": (partial(total(n, lambda i: x[i] * w[i]), w[q]), -x[q]),
    "softmax with a factor": (total(n, lambda i: softmax(i) * y[i]), 1),
    "softmax of another": (total(n, lambda i: exp(y[i])) / total(n, lambda j: exp(x[j])), 1),
    "a partial softmax": (total(m, lambda i: exp(x[i])) / total(n, lambda j: exp(x[j])), 1),
    "sums of quotients": (
        total(n, lambda i: x[i] / (1 + y[i] ** 2)),
        total(n, lambda i: x[i]) / total(n, lambda i: 1 + y[i] ** 2),
    ),
}


@pytest.mark.parametrize("case", TRUE)
def test_what_is_equal_is_shown(case):
    assert sums.equal(*TRUE[case], RANGES)


@pytest.mark.parametrize("case", FALSE)
def test_what_differs_is_not_shown(case):
    assert not sums.equal(*FALSE[case], RANGES)


@pytest.mark.parametrize("case", [*TRUE, *FALSE])
def test_the_cases_are_what_they_say_by_numbers(case):
    worlds = [World(random.Random(seed)) for seed in range(6)]
    for world in worlds:
        # Sizes apart, so that n and m are not equal by chance.
        world.values |= {n: 3, m: 2, p: 1, q: 2, r: 2}
    if case == "δ out of range":
        worlds[0].values |= {n: 1, r: 2}
    left, right = {**TRUE, **FALSE}[case]
    assert (witness.agree(left, right, worlds) is None) == (case in TRUE)


def test_a_delta_is_contracted_only_where_the_range_is_stated():
    picked = total(n, lambda i: x[i] * same(i, q))
    assert sums.equal(picked, x[q], {q: n})
    assert not sums.equal(picked, x[q], {})
    assert not sums.equal(picked, x[q], {q: m})


def test_a_derivative_by_a_bound_index_is_refused():
    i = Symbol("i", integer=True, positive=True)
    with pytest.raises(ValueError, match="an index that is bound"):
        sums.canonical(partial(Sum(x[i] * w[i], (i, 1, n)), w[i]), {})


def test_equal_sums_inside_functions_have_one_form():
    left = sigma(total(n, lambda i: x[i] * t))
    right = sigma(t * total(n, lambda k: x[k]))
    assert sums.canonical(left, {}) == sums.canonical(right, {})


def test_nested_sums_do_not_capture_one_another():
    nested = total(n, lambda i: sigma(total(n, lambda j: W[i, j])) * x[i])
    swapped = total(n, lambda i: sigma(total(n, lambda j: W[j, i])) * x[i])
    assert not sums.equal(nested, swapped, {})


def test_a_delta_in_a_denominator_is_not_a_delta():
    (s,) = indices("s")
    assert not sums.equal(1 / same(q, s), same(q, s), {q: n, s: n})
    assert not sums.equal(total(n, lambda i: x[i] / same(i, s)), x[s], {s: n})


def test_a_sum_that_may_be_complex_is_not_taken_for_real():
    may_be = total(n, lambda i: log(x[i]))
    assert not sums.equal(log(exp(may_be)), may_be, {})
    assert not sums.equal(exp(may_be) ** t, exp(t * may_be), {})


REFUSED = {
    "a size that depends on an index": total(n, lambda i: total(i, lambda j: x[j])),
    "a size that may be negative": total(n - 2, lambda i: x[i]),
    "a sum from 0": Sum(x[p], (p, 0, n)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_sums_outside_the_rules_are_refused(what):
    with pytest.raises(ValueError, match=r"size|run from 1"):
        sums.canonical(REFUSED[what], {})


def test_a_function_of_two_numbers_is_refused():
    (f,) = functions("f")
    with pytest.raises(ValueError, match="one argument"):
        sums.canonical(partial(f(x[q], t), x[q]), {})
