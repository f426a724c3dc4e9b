"""Functions of one real number: the axioms of the prover.

A row of `FUNCTIONS` is a function that stays an atom: its derivative, whether it is odd or even
about a value, and its definition by exp where it has one. `exp` and `log` turn sums into products
and back. The rows are checked against mpmath in the tests.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from purenet.prove.kernel import algebra, bounds, conditions
from purenet.prove.kernel.factors import Call, Constant
from purenet.prove.kernel.linear import (
    MINUS_INFINITY,
    ONE,
    PI,
    ZERO,
    add,
    atom,
    leading,
    magnitude,
    number,
    ordered,
    rational,
    scale,
    subtract,
)
from purenet.prove.kernel.terms import Monomial, Number, Poly


class Function(NamedTuple):
    """What is known of a function f of one real number.

    `reflection = (c, s)` means f(-x) = c + s·f(x).
    """

    derivative: Callable[[Poly], Poly]
    reflection: tuple[int, int] | None = None
    at_zero: Poly | None = None
    definition: Callable[[Poly], Poly] | None = None


def exp(argument: Poly) -> Poly:
    """exp(Σ c m) = Π exp(m)^c; exp(c log x) = x^c; exp(-∞) = 0."""
    return conditions.piecewise(argument, _exp)


def _exp(argument: Poly) -> Poly:
    return algebra.multiply(*(_exp_of(m, c) for m, c in argument.terms.items()))


def _exp_of(monomial: Monomial, coefficient: Number) -> Poly:
    if any(f == MINUS_INFINITY for f, _ in monomial):
        return _exp_of_infinity(monomial, coefficient)
    alone = monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None
    if isinstance(alone, Call) and alone.name == "log":
        return algebra.power(alone.argument, coefficient)
    if isinstance(alone, Constant) and alone.name.startswith("log "):
        return algebra.power(number(int(alone.name[4:])), coefficient)
    return atom(Call("exp", Poly({monomial: 1})), rational(coefficient))


def _exp_of_infinity(monomial: Monomial, coefficient: Number) -> Poly:
    if coefficient > 0 and all(
        e == 1 if f == MINUS_INFINITY else bounds.positive(atom(f)) for f, e in monomial
    ):
        return ZERO
    return atom(Call("exp", Poly({monomial: coefficient})))  # only where conditions contradict


def log(argument: Poly) -> Poly:
    """log(Π f^e) = Σ e log f for what is positive."""
    return conditions.piecewise(argument, _log)


def _log(argument: Poly) -> Poly:
    single = argument.single()
    if single:
        return _log_of_monomial(*single)
    if argument.is_zero:
        return atom(Call("log", ZERO))
    content, primitive = algebra.primitive_part(argument, signed=False)
    return add(_log(content) if content != ONE else ZERO, _log_of_sum(primitive))


def _log_of_sum(primitive: Poly) -> Poly:
    return _log(primitive) if primitive.single() else atom(Call("log", primitive))


def _log_of_monomial(monomial: Monomial, coefficient: Number) -> Poly:
    known = [(f, e) for f, e in monomial if bounds.positive(atom(f))]
    unknown = [pair for pair in monomial if pair not in known]
    parts = [scale(_log_of_factor(f), e) for f, e in known]
    if not unknown and coefficient > 0:
        return add(_log_of_number(coefficient), *parts)
    if (
        coefficient > 0
        and len(unknown) == 1
        and not (isinstance(unknown[0][1], int) and unknown[0][1] % 2 == 0)
    ):
        return add(
            _log_of_number(coefficient), scale(_log_of_factor(unknown[0][0]), unknown[0][1]), *parts
        )
    sign = number(1 if coefficient > 0 else -1)
    rest = algebra.multiply(sign, Poly({ordered(unknown): 1}))
    return add(_log_of_number(magnitude(coefficient)), atom(Call("log", rest)), *parts)


def _log_of_factor(factor: object) -> Poly:
    if isinstance(factor, Call) and factor.name == "exp":
        return factor.argument
    if isinstance(factor, Constant) and factor.name.isdigit():
        return _log_of_number(int(factor.name))
    return atom(Call("log", atom(factor)))  # type: ignore[arg-type]


def _log_of_number(value: Number) -> Poly:
    """log of a positive rational number, by its primes."""
    value = Fraction(value)
    parts = []
    for whole, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime, times in algebra.factorised(whole).items():
            parts.append(scale(atom(Constant(f"log {prime}", _natural_log(prime))), sign * times))
    return add(*parts)


def _natural_log(prime: int) -> float:
    from math import log as natural

    return natural(prime)


def _sigmoid(x: Poly) -> Poly:
    return call("logistic", x)


def _rational_in_exp(numerator: Callable[[Poly], Poly]) -> Callable[[Poly], Poly]:
    def definition(x: Poly) -> Poly:
        e = exp(x)
        return algebra.multiply(numerator(e), algebra.power(add(e, ONE), -1))

    return definition


FUNCTIONS: dict[str, Function] = {
    "logistic": Function(
        derivative=lambda x: subtract(_sigmoid(x), algebra.power(_sigmoid(x), 2)),
        reflection=(1, -1),
        at_zero=number(Fraction(1, 2)),
        definition=_rational_in_exp(lambda e: e),
    ),
    "tanh": Function(
        derivative=lambda x: subtract(ONE, algebra.power(call("tanh", x), 2)),
        reflection=(0, -1),
        at_zero=ZERO,
        definition=lambda x: subtract(scale(FUNCTIONS["logistic"].definition(scale(x, 2)), 2), ONE),  # type: ignore[misc]
    ),
    "erf": Function(
        derivative=lambda x: algebra.multiply(
            number(2), atom(PI, Fraction(-1, 2)), exp(scale(algebra.power(x, 2), -1))
        ),
        reflection=(0, -1),
        at_zero=ZERO,
    ),
    "sin": Function(derivative=lambda x: call("cos", x), reflection=(0, -1), at_zero=ZERO),
    "cos": Function(derivative=lambda x: scale(call("sin", x), -1), reflection=(0, 1), at_zero=ONE),
    "atan": Function(
        derivative=lambda x: algebra.power(add(ONE, algebra.power(x, 2)), -1),
        reflection=(0, -1),
        at_zero=ZERO,
    ),
    "asinh": Function(
        derivative=lambda x: algebra.power(add(ONE, algebra.power(x, 2)), Fraction(-1, 2)),
        reflection=(0, -1),
        at_zero=ZERO,
    ),
    "lgamma": Function(derivative=lambda x: call("digamma", x)),
    "floor": Function(derivative=lambda x: ZERO),
    "ceil": Function(derivative=lambda x: ZERO),
    "round": Function(derivative=lambda x: ZERO),
}


def call(name: str, argument: Poly, order: int = -1) -> Poly:
    """A function of a term, normalised; `order` >= 0: a derivative of an arbitrary function."""
    if order < 0 and name in ("exp", "log"):
        return exp(argument) if name == "exp" else log(argument)
    return conditions.piecewise(argument, lambda p: _call(name, p, order))


def _call(name: str, argument: Poly, order: int) -> Poly:
    known = FUNCTIONS.get(name) if order < 0 else None
    if known is None:
        return atom(Call(name, argument, order))
    if argument.is_zero and known.at_zero is not None:
        return known.at_zero
    if name in ("sin", "cos") and (turned := _quarter_turns(name, argument)) is not None:
        return turned
    if name in ("sin", "cos") and all(
        c.denominator == 1 and c % 2 == 0 for c in argument.terms.values()
    ):
        return _double_angle(name, scale(argument, Fraction(1, 2)))
    if known.reflection and argument.terms and argument.terms[leading(argument)] < 0:
        constant, sign = known.reflection
        mirrored = atom(Call(name, scale(argument, -1)))
        return add(number(constant), scale(mirrored, sign))
    return atom(Call(name, argument))


def _quarter_turns(name: str, argument: Poly) -> Poly | None:
    """sin and cos of x + k π/2."""
    turns = Fraction(2 * argument.terms.get(((PI, 1),), 0))
    if not turns or turns.denominator != 1:
        return None
    rest = Poly({m: c for m, c in argument.terms.items() if m != ((PI, 1),)})
    order = ["sin", "cos", "-sin", "-cos"]
    found = order[(order.index(name) + int(turns)) % 4]
    return scale(call(found.lstrip("-"), rest), -1 if found.startswith("-") else 1)


def _double_angle(name: str, half: Poly) -> Poly:
    sine, cosine = call("sin", half), call("cos", half)
    if name == "sin":
        return scale(algebra.multiply(sine, cosine), 2)
    return subtract(ONE, scale(algebra.power(sine, 2), 2))


def derivative(function: Call) -> Poly | None:
    """The derivative at the argument of a call; None where none is known."""
    if function.order >= 0:
        return call(function.name, function.argument, function.order + 1)
    if function.name == "exp":
        return atom(function)
    if function.name == "log":
        return algebra.power(function.argument, -1)
    known = FUNCTIONS.get(function.name)
    return known.derivative(function.argument) if known else None


def definition(function: Call) -> Poly | None:
    """The function by exp, where it has such a form."""
    known = FUNCTIONS.get(function.name) if function.order < 0 else None
    return known.definition(function.argument) if known and known.definition else None
