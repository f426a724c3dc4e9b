"""The axioms about functions of one number, with 40 digits, against mpmath."""

import random
from fractions import Fraction

import mpmath
import pytest

from purenet.prove.interpret.tensor import scalar
from purenet.prove.interpret.unary import RULES
from purenet.prove.kernel import algebra, bounds, budget, functions
from purenet.prove.kernel.factors import Base, Call, Constant, Entry, Iverson
from purenet.prove.kernel.functions import FUNCTIONS
from purenet.prove.kernel.linear import (
    MINUS_INFINITY,
    ONE,
    PI,
    ZERO,
    add,
    atom,
    number,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Array

T = atom(Entry(Array("t", ()), ()))
P = atom(Entry(Array("q", (), low=0.0), ()))
HALF = Fraction(1, 2)
VALUES = {
    "exp": mpmath.exp, "log": mpmath.log, "tanh": mpmath.tanh, "erf": mpmath.erf, "sin": mpmath.sin,
    "cos": mpmath.cos, "atan": mpmath.atan, "asinh": mpmath.asinh, "lgamma": mpmath.loggamma,
    "digamma": mpmath.digamma, "floor": mpmath.floor, "ceil": mpmath.ceil, "round": mpmath.nint,
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
}  # fmt: skip
POSITIVE_ONLY = {"log", "lgamma", "digamma"}


@pytest.fixture(autouse=True)
def forty_digits():
    with mpmath.workdps(40):
        yield


def points(count=12, low=-4.0, high=4.0):
    """Numbers at which functions are tried; none is special."""
    draw = random.Random(f"{count} {low} {high}")
    return [mpmath.mpf(draw.uniform(low, high)) for _ in range(count)]


def exactly(poly, **given):
    """The value of a term in t and q with 40 digits."""
    total = mpmath.mpf(0)
    for monomial, coefficient in poly.terms.items():
        part = mpmath.mpf(coefficient.numerator) / coefficient.denominator
        for factor, exponent in monomial:
            base = _factor(factor, given)
            if base == 0 and exponent < 0:
                part *= 0
            elif exponent.denominator == 1:
                part *= base ** int(exponent)
            else:
                assert base >= 0, (factor, exponent)
                part *= mpmath.power(base, mpmath.mpf(exponent.numerator) / exponent.denominator)
        total += part
    return total


def _factor(factor, given):
    if isinstance(factor, Entry):
        return given[factor.array.name]
    if isinstance(factor, Call):
        return VALUES[factor.name](exactly(factor.argument, **given))
    if isinstance(factor, Base):
        return exactly(factor.poly, **given)
    if isinstance(factor, Iverson):
        inside = exactly(factor.poly, **given)
        return mpmath.mpf(inside > 0 if factor.relation == ">" else inside == 0)
    assert isinstance(factor, Constant)
    if factor == PI:
        return +mpmath.pi
    return (
        mpmath.log(int(factor.name[4:]))
        if factor.name.startswith("log ")
        else mpmath.mpf(factor.name)
    )


def close(one, other):
    return abs(one - other) <= mpmath.mpf(10) ** -30 * (1 + abs(other))


# --- the rows of the table ------------------------------------------------------------------------


def test_every_function_of_the_table_is_checked_here():
    assert set(FUNCTIONS) <= set(VALUES)


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, "exp", "log"}))
def test_a_derivative_is_the_limit_of_differences(name):
    (factor,) = [f for f in functions.call(name, T).factors if isinstance(f, Call)]
    derivative = functions.derivative(factor)
    for t in points(6, 0.2, 4.0) if name in POSITIVE_ONLY else points(6):
        with mpmath.workdps(90):
            true = mpmath.diff(VALUES[name], t, h=mpmath.mpf(10) ** -25)
        assert abs(exactly(derivative, t=t) - true) < mpmath.mpf(10) ** -20 * (1 + abs(true)), t


def test_a_function_without_a_derivative_has_none():
    assert functions.derivative(Call("digamma", T)) is None


@pytest.mark.parametrize("name", sorted(n for n, f in FUNCTIONS.items() if f.reflection))
def test_a_reflection_holds(name):
    constant, sign = FUNCTIONS[name].reflection
    for t in points():
        assert close(VALUES[name](-t), constant + sign * VALUES[name](t))
        assert close(exactly(functions.call(name, scale(T, -1)), t=t), VALUES[name](-t))


@pytest.mark.parametrize("name", sorted(n for n, f in FUNCTIONS.items() if f.at_zero))
def test_a_value_at_zero_holds(name):
    assert close(exactly(functions.call(name, ZERO)), VALUES[name](mpmath.mpf(0)))


@pytest.mark.parametrize("name", sorted(n for n, f in FUNCTIONS.items() if f.definition))
def test_a_definition_by_exp_holds(name):
    for t in points():
        assert close(exactly(FUNCTIONS[name].definition(T), t=t), VALUES[name](t))


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, "exp"} - POSITIVE_ONLY))
@pytest.mark.parametrize("argument", [
    scale(T, 2), scale(T, -3), scale(T, 4), scale(T, HALF), add(T, number(2)), subtract(ONE, T),
    algebra.power(T, 2), scale(add(T, ONE), -6), add(scale(T, 2), scale(P, -4)), number(-2),
], ids=str)  # fmt: skip
def test_a_call_has_the_value_of_the_function(name, argument):
    for t in points(4):
        given = {"t": t, "q": abs(t) + 1}
        assert close(
            exactly(functions.call(name, argument), **given),
            VALUES[name](exactly(argument, **given)),
        )


# --- exp and log ----------------------------------------------------------------------------------

LOG_2 = functions.log(number(2))
ARGUMENTS = {
    "a sum": add(scale(T, 2), scale(P, HALF), number(3)),
    "a multiple of a logarithm": scale(functions.log(P), Fraction(-3, 2)),
    "a logarithm of a sum": functions.log(add(P, number(2))),
    "a product with a logarithm": algebra.multiply(T, functions.log(P)),
    "the square of a logarithm": algebra.power(functions.log(P), 2),
    "log 2": LOG_2,
    "a multiple of log 2": scale(LOG_2, Fraction(3, 2)),
    "log 2 squared": algebra.power(LOG_2, 2),
    "one by log 2": algebra.power(LOG_2, -1),
    "log 2 times log 3": algebra.multiply(LOG_2, functions.log(number(3))),
    "x log 2": algebra.multiply(T, LOG_2),
    "a number": number(Fraction(-5, 3)),
    "zero": ZERO,
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_exp_of(name):
    for t in points(5):
        given = {"t": t, "q": abs(t) + HALF}
        assert close(
            exactly(functions.exp(ARGUMENTS[name]), **given),
            mpmath.exp(exactly(ARGUMENTS[name], **given)),
        )


LOGGED = {
    "a product": algebra.multiply(P, functions.exp(T), number(12)),
    "powers": algebra.multiply(algebra.power(P, Fraction(-3, 2)), algebra.power(number(2), HALF)),
    "a square of a number of any sign": algebra.power(T, 2),
    "a fourth power and a positive factor": algebra.multiply(algebra.power(T, 4), P),
    "two signs that cancel": algebra.multiply(scale(T, -3), scale(T, -5), P),
    "an inverse square": algebra.power(T, -2),
    "a sum": add(P, functions.exp(T)),
    "a sum with a common factor": add(
        algebra.multiply(P, P), algebra.multiply(P, functions.exp(T))
    ),
    "one by a sum": algebra.power(add(ONE, functions.exp(T)), -1),
    "a rational number": number(Fraction(98, 75)),
    "a large prime": number(1_000_003),
    "pi": atom(PI),
    "a function in (0, 1)": functions.call("logistic", T),
    "an absolute value": algebra.power(algebra.power(T, 2), HALF),
}


@pytest.mark.parametrize("name", LOGGED)
def test_log_of(name):
    for t in points(6):
        given = {"t": t, "q": abs(t) + HALF}
        if (argument := exactly(LOGGED[name], **given)) > 0:
            assert close(exactly(functions.log(LOGGED[name]), **given), mpmath.log(argument)), name


def test_log_of_negative_factors_with_a_positive_product():
    product = algebra.multiply(scale(T, -1), atom(Entry(Array("r", ()), ())))
    for t, r in ((mpmath.mpf(2), mpmath.mpf(-3)), (mpmath.mpf(-2), mpmath.mpf(3))):
        assert close(exactly(functions.log(product), t=t, r=r), mpmath.log(6))


def test_exp_and_log_are_inverse_where_the_number_is_positive():
    assert functions.exp(functions.log(P)) == P
    assert functions.log(functions.exp(T)) == T
    assert functions.exp(add(T, scale(T, -1))) == ONE


def test_exp_of_minus_infinity_is_zero():
    infinity = atom(MINUS_INFINITY)
    assert functions.exp(infinity).is_zero
    assert functions.exp(add(infinity, T)).is_zero


def test_exp_of_plus_infinity_is_no_number():
    try:
        found = functions.exp(scale(atom(MINUS_INFINITY), -1))
    except budget.TooLarge:
        return
    assert found.constant() is None


@pytest.mark.parametrize("base", [2, 3, 12, Fraction(9, 8), Fraction(1, 1_000_003)])
@pytest.mark.parametrize(
    "exponent", [HALF, -HALF, Fraction(1, 3), Fraction(-5, 2), Fraction(7, 4), -3]
)
def test_powers_of_rational_numbers(base, exponent):
    true = mpmath.power(
        mpmath.mpf(base.numerator) / base.denominator,
        mpmath.mpf(exponent.numerator) / exponent.denominator,
    )
    assert close(exactly(algebra.power(number(base), exponent)), true)


POWERS = [HALF, -HALF, Fraction(3, 2), -1, -2, 2, 3, Fraction(1, 4)]
BASES = {
    "a product": algebra.multiply(number(8), P, P, P),
    "a square": algebra.power(T, 2),
    "a square of a sum": algebra.power(subtract(T, P), 2),
    "a sum with content": add(scale(P, 4), scale(algebra.multiply(P, P), 6)),
    "an inverse": algebra.multiply(algebra.power(P, -3), algebra.power(T, -4)),
    "a root": algebra.multiply(algebra.power(P, HALF), number(2)),
    "an exponential": scale(functions.exp(T), Fraction(1, 9)),
    "a sum of squares": add(algebra.power(T, 2), algebra.power(P, 2)),
}


@pytest.mark.parametrize("exponent", POWERS, ids=str)
@pytest.mark.parametrize("name", BASES)
def test_powers_of_terms(name, exponent):
    for t in [mpmath.mpf(0), *points(3)]:
        given = {"t": t, "q": abs(t) + HALF}
        base = exactly(BASES[name], **given)
        true = (
            0
            if base == 0
            else mpmath.power(base, mpmath.mpf(exponent.numerator) / exponent.denominator)
        )
        try:
            found = exactly(algebra.power(BASES[name], exponent), **given)
        except AssertionError:
            continue  # a root of the other sign stands beside a condition that is 0
        assert close(found, true), (name, t)


# --- arbitrary functions --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exp", "log", "cos", "tanh", "logistic"])
def test_an_arbitrary_function_has_no_axioms_whatever_its_name(name):
    own = RULES["opaque"](scalar(T), name=name, order=0).body
    same = own.single()[0][0][0]
    assert same.name != name
    assert same.order == 0
    assert algebra.power(own, 2) == atom(same, 2)
    assert functions.exp(own) == atom(Call("exp", own))
    assert functions.log(own) == atom(Call("log", own))
    assert RULES["opaque"](scalar(ZERO), name=name, order=0).body == atom(Call(same.name, ZERO, 0))
    assert functions.derivative(same) == atom(Call(same.name, T, 1))
    assert functions.definition(same) is None
    assert not bounds.nonnegative(own)
