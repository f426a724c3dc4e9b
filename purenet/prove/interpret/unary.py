"""Functions of one number: exp and log, those with a table of axioms, rounding, conversions."""

from fractions import Fraction
from math import inf
from typing import Any

from purenet.prove.interpret.shapes import kind_of
from purenet.prove.interpret.tensor import Need, Rule, Tensor, Unknown, elementwise
from purenet.prove.kernel import algebra, bounds, conditions, functions, signs
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.linear import MINUS_INFINITY, ONE, add, number, scale, subtract
from purenet.prove.kernel.terms import Poly

NOT_NEGATIVE = Interval(0, inf, True)


def _function(name: str) -> Rule:
    found = bounds.FUNCTION_RANGES.get(name, bounds.ANY)

    def rule(x: Tensor, **_: Any) -> Tensor:
        masked = MINUS_INFINITY in x.body.factors
        own = Interval(found.low, found.high, True, True) if masked else found
        return elementwise(lambda a: functions.call(name, a), x, range=own)

    return rule


def _above_zero(name: str) -> Rule:
    """A function that is read for positive numbers only."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        return elementwise(
            lambda a: functions.call(name, a),
            x,
            needs=lambda a: [] if bounds.positive(a) else [Need(">", a)],
        )

    return rule


def _log(shift: int) -> Rule:
    """log(x + shift)."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        above = x.range.low > -shift or (x.range.low == -shift and not x.range.low_closed)

        def needs(a: Poly) -> list[Need]:
            return [] if above else [Need(">", add(a, number(shift)))]

        return elementwise(lambda a: functions.log(add(a, number(shift))), x, needs=needs)

    return rule


def _by_exp(plus: int, minus: int, *, inverse: bool = False) -> Rule:
    """(plus e^x + minus e^-x) / 2: cosh and sinh."""

    def value(a: Poly) -> Poly:
        up, down = functions.exp(a), functions.exp(scale(a, -1))
        return add(scale(up, Fraction(plus, 2)), scale(down, Fraction(minus, 2)))

    def rule(x: Tensor, **_: Any) -> Tensor:
        return elementwise(value, x)

    return rule


def _tan(x: Tensor, **_: Any) -> Tensor:
    return elementwise(
        lambda a: algebra.multiply(
            functions.call("sin", a), algebra.power(functions.call("cos", a), -1)
        ),
        x,
        needs=lambda a: [Need("!=", functions.call("cos", a))],
    )


def _opaque(x: Tensor, *, name: str, order: int, **_: Any) -> Tensor:
    return elementwise(lambda a: functions.call(f"@{name}", a, order), x)


def _erfc(x: Tensor, **_: Any) -> Tensor:
    found = Interval(0, 2)
    return elementwise(lambda a: subtract(ONE, functions.call("erf", a)), x, range=found)


def _expm1(x: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a: subtract(functions.exp(a), ONE), x, range=Interval(-1, inf))


def _exp2(x: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a: functions.exp(algebra.multiply(a, functions.log(number(2)))), x)


def _rounded(name: str) -> Rule:
    """A step function: its derivative is 0 where it does not jump."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        def needs(a: Poly) -> list[Need]:
            value = functions.call(name, a)
            return [] if value.constant() is not None else [Need("step", value, smooth=True)]

        return elementwise(lambda a: functions.call(name, a), x, needs=needs)

    return rule


def _round(x: Tensor, *, rounding_method: Any, **_: Any) -> Tensor:
    if int(rounding_method) != 1:
        raise Unknown("rounding away from zero")
    return _rounded("round")(x)


def _abs(x: Tensor, **_: Any) -> Tensor:
    return elementwise(signs.absolute, x, kind=x.kind, range=NOT_NEGATIVE)


def _sign(a: Poly) -> Poly:
    return subtract(signs.is_positive(a), signs.is_positive(scale(a, -1)))


def _convert(x: Tensor, *, new_dtype: Any, **_: Any) -> Tensor:
    kind = kind_of(new_dtype)
    if kind == x.kind or (x.kind != "real" and kind != "boolean"):
        return x._replace(kind=kind)
    if kind == "boolean":
        zero = signs.equals_zero if x.kind == "real" else conditions.integer_zero
        return elementwise(lambda a: subtract(ONE, zero(a)), x, kind="boolean")
    raise Unknown("rounding of a real number to an integer")


def _is_finite(x: Tensor, **_: Any) -> Tensor:
    def finite(a: Poly) -> Poly:
        infinite = conditions.piecewise(
            a, lambda p: ONE if MINUS_INFINITY in p.factors else number(0)
        )
        return subtract(ONE, infinite)

    return elementwise(finite, x, kind="boolean")


def _same(x: Tensor, **_: Any) -> Tensor:
    return x


RULES: dict[str, Rule] = {
    "exp": _function("exp"),
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log(0),
    "log1p": _log(1),
    "logistic": _function("logistic"),
    "tanh": _function("tanh"),
    "erf": _function("erf"),
    "erfc": _erfc,
    "sin": _function("sin"),
    "cos": _function("cos"),
    "tan": _tan,
    "atan": _function("atan"),
    "asinh": _function("asinh"),
    "lgamma": _above_zero("lgamma"),
    "digamma": _above_zero("digamma"),
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "round": _round,
    "cosh": _by_exp(1, 1),
    "sinh": _by_exp(1, -1),
    "sign": lambda x, **_: elementwise(_sign, x, kind=x.kind),
    "abs": _abs,
    "convert_element_type": _convert,
    "is_finite": _is_finite,
    "opaque": _opaque,
    "copy": _same,
    "copy_p": _same,
    "stop_gradient": _same,
    "optimization_barrier": _same,
    "reduce_precision": _same,
    "real": _same,
}
