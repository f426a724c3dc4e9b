"""The value of a term: each kind of factor, empty ranges, and the conventions of the kernel."""

import math
from fractions import Fraction

import jax
import numpy as np
import pytest

from purenet.prove.interpret.tensor import Tensor
from purenet.prove.kernel import algebra, conditions, digits, evaluate, functions, sums
from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Definition,
    Digit,
    Entry,
    Iverson,
    Named,
    Size,
)
from purenet.prove.kernel.linear import (
    MINUS_INFINITY,
    ONE,
    PI,
    ZERO,
    add,
    atom,
    index,
    number,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Array, Var
from purenet.prove.opaque import Opaque

N, M = atom(Size("n")), atom(Size("m"))
I, J, K = Var("i", N), Var("j", M), Var("k", N)  # noqa: E741
X, Y = Array("x", (N, M)), Array("y", (N,))
SIZES = {"n": 2, "m": 3}
ARRAYS = {
    "x": np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.75]]),
    "y": np.array([1.5, -2.0]),
    "label": np.array([2, 0]),
    "mask": np.array([True, False]),
    "zero": np.zeros(2),
}


def x(i, j):
    return atom(Entry(X, (i, j)))


def y(i):
    return atom(Entry(Y, (i,)))


def value(poly, **place):
    by_name = {v.name: v for v in (I, J, K)}
    return evaluate.evaluate(poly, SIZES, ARRAYS, {by_name[n]: a for n, a in place.items()})


ROWS, COLUMNS = np.arange(2)[:, None], np.arange(3)


# --- factors --------------------------------------------------------------------------------------


def test_each_index_variable_is_an_axis():
    assert np.array_equal(value(x(index(I), index(J)), i=ROWS, j=COLUMNS), ARRAYS["x"])
    assert np.array_equal(
        value(x(index(I), index(J)), j=COLUMNS[:, None], i=np.arange(2)), ARRAYS["x"].T
    )
    assert value(x(index(I), index(J)), i=1, j=2) == -0.75


def test_a_term_without_an_index_fills_the_common_shape():
    assert np.array_equal(value(N, i=ROWS, j=COLUMNS), np.full((2, 3), 2.0))


def test_sizes_indices_and_constants_are_numbers():
    term = add(algebra.multiply(N, M), index(I), atom(PI), number(Fraction(1, 3)))

    assert np.allclose(value(term, i=np.arange(2)), 6 + np.arange(2) + math.pi + 1 / 3, rtol=1e-15)
    assert value(atom(Constant("2", 2.0), Fraction(1, 2))) == pytest.approx(math.sqrt(2), rel=1e-15)


def test_labels_pick_entries():
    label = atom(Entry(Array("label", (N,), kind="integer", limit=M), (index(I),)))

    assert np.array_equal(value(x(index(I), label), i=np.arange(2)), [2.0, 3.0])


@pytest.mark.parametrize("shift", [-5, 5])
def test_an_index_outside_its_range_is_moved_inside(shift):
    end = ARRAYS["y"][0 if shift < 0 else -1]

    assert np.array_equal(value(y(add(index(I), number(shift))), i=np.arange(2)), [end, end])


def test_digits_of_an_index():
    flat = Var("k", algebra.multiply(N, M))
    at = {flat: np.arange(6)}

    for tag, expected in (("quotient", [0, 0, 0, 1, 1, 1]), ("remainder", [0, 1, 2, 0, 1, 2])):
        assert np.array_equal(
            evaluate.evaluate(atom(Digit(tag, index(flat), M)), SIZES, {}, at), expected
        )
    whole = x(digits.quotient(index(flat), M), digits.remainder(index(flat), M))
    assert np.array_equal(evaluate.evaluate(whole, SIZES, ARRAYS, at), ARRAYS["x"].ravel())


def test_a_named_array_is_its_definition():
    slots = (Var("slot0", N), Var("slot1", M))
    body = algebra.multiply(x(index(slots[0]), index(slots[1])), add(index(slots[1]), ONE))
    named = atom(Named(Definition(slots, body), (index(I), subtract(subtract(M, ONE), index(J)))))

    expected = (ARRAYS["x"] * np.array([1, 2, 3]))[:, ::-1]
    assert np.array_equal(value(named, i=ROWS, j=COLUMNS), expected)
    assert value(sums.total((J,), named), i=1) == pytest.approx(expected[1].sum())


# --- binders --------------------------------------------------------------------------------------


def test_sums_maxima_and_positions():
    entry = x(index(I), index(J))

    assert np.array_equal(value(atom(Binder("sum", (I, J), entry))), ARRAYS["x"].sum())
    assert np.array_equal(
        value(atom(Binder("sum", (J,), entry)), i=np.arange(2)), ARRAYS["x"].sum(1)
    )
    assert np.array_equal(value(atom(Binder("max", (I,), entry)), j=COLUMNS), ARRAYS["x"].max(0))
    assert np.array_equal(value(atom(Binder("argmax", (J,), entry)), i=np.arange(2)), [2, 0])


def test_of_equal_entries_the_first_is_the_position_of_the_maximum():
    assert value(atom(Binder("argmax", (J,), algebra.multiply(index(I), N))), i=1) == 0


def test_a_variable_that_the_body_does_not_use_still_counts():
    assert value(atom(Binder("sum", (I, J), y(index(I))))) == pytest.approx(3 * -0.5)


@pytest.mark.parametrize("size", [ZERO, number(-2), subtract(N, number(5))])
def test_a_sum_over_an_empty_range_is_zero(size):
    empty = Var("i", size)

    assert value(atom(Binder("sum", (empty,), y(index(empty))))) == 0
    assert value(atom(Binder("sum", (empty, J), x(index(empty), index(J))))) == 0
    assert value(atom(Binder("max", (empty,), y(index(empty))))) == -np.inf


def test_nested_binders_with_the_same_bound_names():
    inner = atom(Binder("sum", (J,), x(index(I), index(J))))
    other = atom(Binder("max", (J,), x(index(K), index(J))))
    both = atom(Binder("sum", (I, K), algebra.multiply(inner, other)))

    assert value(both) == pytest.approx(ARRAYS["x"].sum() * ARRAYS["x"].max(1).sum())


# --- conditions and conventions -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relation", "expected"),
    [(">", [0, 0, 1]), ("=", [0, 1, 0]), (">=", [0, 1, 1]), ("==", [0, 1, 0])],
)
def test_relations_with_zero(relation, expected):
    shifted = subtract(index(J), ONE)

    assert np.array_equal(value(atom(Iverson(relation, shifted)), j=COLUMNS), expected)


def test_real_numbers_that_differ_by_rounding_are_equal():
    rounded = subtract(y(index(I)), y(index(K)))
    arrays = {"y": np.array([0.1 + 0.2, 0.3])}

    def holds(relation):
        return evaluate.evaluate(atom(Iverson(relation, rounded)), SIZES, arrays, {I: 0, K: 1})

    assert arrays["y"][0] > arrays["y"][1]
    assert (holds(">"), holds("=")) == (0, 1)


def test_small_numbers_are_not_zero():
    arrays = {"y": np.array([1e-200, -1e-200])}

    found = evaluate.evaluate(atom(Iverson(">", y(index(I)))), SIZES, arrays, {I: np.arange(2)})
    assert np.array_equal(found, [1, 0])


def test_a_condition_that_fails_switches_off_what_has_no_value():
    condition = atom(Iverson(">", y(index(I))))
    logarithm = conditions.choose(condition, functions.log(y(index(I))), number(7))

    assert np.allclose(value(logarithm, i=np.arange(2)), [math.log(1.5), 7])


def test_zero_to_a_negative_power_is_zero():
    zero = atom(Entry(Array("zero", (N,)), (index(I),)), -1)

    assert np.array_equal(value(zero, i=np.arange(2)), [0, 0])
    assert np.array_equal(value(atom(Base(subtract(index(I), ONE)), -1), i=np.arange(2)), [-1, 0])


def test_minus_infinity_as_a_mask():
    mask = atom(Entry(Array("mask", (N,), kind="boolean"), (index(I),)))
    masked = conditions.choose(mask, y(index(I)), atom(MINUS_INFINITY))

    assert np.array_equal(value(masked, i=np.arange(2)), [1.5, -np.inf])
    assert value(sums.largest((I,), masked)) == 1.5
    assert value(sums.total((I,), functions.exp(masked))) == pytest.approx(math.exp(1.5))


def test_the_position_of_a_maximum_among_entries_that_are_left():
    mask = atom(Entry(Array("mask", (N,), kind="boolean"), (index(I),)))
    masked = conditions.choose(conditions.complement(mask), y(index(I)), atom(MINUS_INFINITY))

    assert value(sums.position((I,), masked)) == 1


def test_the_error_tells_what_cancels():
    large = functions.exp(scale(y(ZERO), 20))
    same = atom(Binder("sum", (Var("t", ONE),), large))

    plain = evaluate.measure(large, SIZES, ARRAYS, {})
    assert plain.error < 1e-13 * plain.value
    found = evaluate.measure(subtract(add(large, ONE), same), SIZES, ARRAYS, {})
    assert abs(found.value - 1) <= found.error
    assert found.error > 1e-4


def test_a_quotient_by_what_may_be_zero_is_not_known():
    large = functions.exp(scale(y(ZERO), 20))
    same = atom(Binder("sum", (Var("t", ONE),), large))
    inverse = atom(Base(subtract(add(large, number(Fraction(1, 10**9))), same)), -1)

    assert np.isinf(evaluate.measure(inverse, SIZES, ARRAYS, {}).error)


def test_numbers_beyond_floats_are_not_known():
    huge = functions.exp(scale(y(ZERO), 1000))
    term = algebra.multiply(huge, algebra.power(add(huge, ONE), -1))

    assert np.isinf(evaluate.measure(term, SIZES, ARRAYS, {}).error)
    inverse = algebra.power(functions.exp(add(scale(y(ZERO), -1000), N)), -1)
    assert np.isinf(evaluate.measure(inverse, SIZES, ARRAYS, {}).error)


# --- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(evaluate.FUNCTIONS))
def test_functions_are_those_of_mpmath(name):
    mpmath = pytest.importorskip("mpmath")
    witness = {
        "logistic": lambda t: 1 / (1 + mpmath.exp(-t)),
        "lgamma": mpmath.loggamma,
        "digamma": mpmath.digamma,
        "round": mpmath.nint,
    }.get(name) or getattr(mpmath, name, None)
    points = [0.3, 1.7, 4.2, 12.5, 0.01]
    points += [] if name in ("log", "lgamma") else [-0.4, -2.3]

    found = evaluate.FUNCTIONS[name](np.array(points))
    assert np.allclose(found, [float(witness(p)) for p in points], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("order", range(4))
def test_an_arbitrary_function_is_its_stand_in(order):
    name = functions_name(Opaque("sigma"))
    found = value(functions.call(name, y(index(I)), order), i=np.arange(2))

    with jax.enable_x64(True):
        assert np.allclose(found, Opaque("sigma", order)(ARRAYS["y"]), rtol=1e-14)


def functions_name(function):
    """What the interpreter calls an arbitrary function."""
    from purenet.prove import domains as d
    from purenet.prove.programs import read
    from purenet.prove.sizes import Sizes
    from purenet.prove.tracing import trace

    body = read(trace(function, (d.real(),), Sizes()), Sizes()).outputs[0].body
    (call,) = body.factors
    return call.name


# --- tensors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "dtype"), [("real", np.float64), ("integer", np.int64), ("boolean", np.bool_)]
)
def test_a_tensor_has_the_dtype_of_its_kind(kind, dtype):
    found = evaluate.of_tensor(Tensor((N, M), kind, (I, J), index(I)), SIZES, ARRAYS)

    assert found.dtype == dtype
    assert np.array_equal(found, np.broadcast_to([[0], [1]], (2, 3)))


def test_a_tensor_without_axes():
    assert evaluate.of_tensor(Tensor((), "real", (), N), SIZES, {}) == 2


# --- what is missing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (atom(Size("k")), "sizes: no value for 'k'; given: n, m"),
        (atom(Entry(Array("z", (N,)), (ZERO,))), "arrays: no value for 'z'; given: x, y"),
        (y(index(I)), "place: no value for the index 'i'"),
        (atom(Call("gudermannian", ONE)), "the function 'gudermannian' has no values; known: exp"),
    ],
)
def test_what_has_no_value_is_named(term, words):
    with pytest.raises(ValueError, match=words):
        value(term)
