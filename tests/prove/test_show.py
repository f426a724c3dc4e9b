"""Terms as text: what a condition or a message looks like."""

from fractions import Fraction

import pytest

from purenet.prove.kernel import algebra, conditions, functions, signs, sums
from purenet.prove.kernel.factors import Definition, Entry, Named, Size
from purenet.prove.kernel.linear import ONE, PI, add, atom, index, number, scale, subtract
from purenet.prove.kernel.show import statement, text
from purenet.prove.kernel.terms import Array, Var

BATCH, N = atom(Size("batch")), atom(Size("n"))
X = Array("x", (BATCH, N))
ROW, COLUMN = sums.fresh(BATCH), sums.fresh(N)


def x(row=ROW, column=COLUMN):
    return atom(Entry(X, (index(row), index(column))))


def total(body_of):
    k = sums.fresh(N)
    return sums.total((k,), body_of(k))


EXP = functions.exp(x())
CASES = {
    "0": number(0),
    "x[b,i]²": algebra.power(x(), 2),
    "1 - x[b,i]²": subtract(ONE, algebra.power(x(), 2)),
    "x[b,i]/2": scale(x(), Fraction(1, 2)),
    "-x[b,i]/n": algebra.multiply(scale(x(), -1), algebra.power(N, -1)),
    "x[b,i]/√2": scale(
        algebra.multiply(x(), algebra.power(number(2), Fraction(1, 2))), Fraction(1, 2)
    ),
    "√π": atom(PI, Fraction(1, 2)),
    "exp(x[b,i])/Σ_j exp(x[b,j])": algebra.multiply(
        EXP, algebra.power(total(lambda k: functions.exp(x(column=k))), -1)
    ),
    "Σ_i x[b,i]": total(lambda k: x(column=k)),
    "sigmoid(x[b,i])·(1 - sigmoid(x[b,i]))": functions.derivative(
        next(iter(functions.call("logistic", x()).factors))
    ),
    "[x[b,i] > 0]": signs.is_positive(x()),
    "exp(-x[b,i]²/2)": functions.exp(scale(algebra.power(x(), 2), Fraction(-1, 2))),
}


@pytest.mark.parametrize("expected", CASES)
def test_text(expected):
    assert text(CASES[expected]) == expected


def test_sums_over_the_same_range_are_joined():
    y = Array("y", (N,))
    left = total(lambda k: x(column=k))
    right = total(lambda k: atom(Entry(y, (index(k),))))
    assert text(subtract(left, right)) == "Σ_i (x[b,i] - y[i])"


def test_an_equation_of_indices_is_a_delta():
    other = sums.fresh(N)
    delta = conditions.integer_zero(subtract(index(COLUMN), index(other)))
    assert text(delta) == "[i = j]"


def test_a_statement_has_no_negative_side():
    y = Array("y", (N,))
    difference = subtract(x(), atom(Entry(y, (index(COLUMN),))))
    assert statement(difference, ">") == "x[b,i] > y[i]"
    assert statement(subtract(ONE, x()), ">") == "x[b,i] < 1"


def test_a_name_of_an_array_is_not_an_index():
    b = Array("b", (BATCH,))
    assert text(atom(Entry(b, (index(ROW),)))) == "b[r]"


def test_a_name_that_the_user_gave_stays():
    k = Var("k", N)
    assert text(atom(Entry(X, (index(ROW), index(k))))) == "x[b,k]"


def test_a_named_intermediate_is_written_out():
    slots = (Var("slot0", BATCH), Var("slot1", N))
    shifted = Definition(slots, add(x(*slots), ONE))
    entry = atom(Named(shifted, (index(ROW), index(COLUMN))))
    assert text(algebra.power(entry, 2)) == "(1 + x[b,i])²"
