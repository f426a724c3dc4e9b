"""Elementwise primitives: arithmetic, functions, comparisons and choices."""

from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

from purenet.prove.interpret.tensor import Need, Tensor, Unknown, elementwise, guarded, moved
from purenet.prove.kernel import algebra, bounds, conditions, functions
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.terms import (
    MINUS_INFINITY,
    ONE,
    Poly,
    add,
    number,
    scale,
    subtract,
)

Rule = Callable[..., Tensor]
NOT_NEGATIVE = Interval(0, inf, True)


def _kind(*tensors: Tensor) -> str:
    return tensors[0].kind


def _add(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return _or(x, y)
    if MINUS_INFINITY in x.body.factors:
        _finite(y)
    return elementwise(add, x, y, kind=_kind(x), range=bounds._plus(x.range, y.range))


def _sub(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    _finite(y)
    minus = Interval(-y.range.high, -y.range.low, y.range.high_closed, y.range.low_closed)
    return elementwise(subtract, x, y, kind=_kind(x), range=bounds._plus(x.range, minus))


def _finite(*operands: Tensor) -> None:
    """Refuse infinities where only real numbers have a meaning: 0·inf is no number."""
    if any(MINUS_INFINITY in t.body.factors for t in operands):
        raise Unknown("arithmetic with an infinity; a mask by -inf belongs in a maximum or an exp")


def _mul(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if not all(bounds.positive(t.body) for t in (x, y) if MINUS_INFINITY not in t.body.factors):
        _finite(x, y)
    if x.kind == "boolean":
        return _and(x, y)
    found = bounds._times(x.range, y.range)
    if x.slots == y.slots and x.body == y.body:
        found = _square_range(x)
    return elementwise(algebra.multiply, x, y, kind=_kind(x), range=found)


def _square_range(x: Tensor) -> Interval:
    away = x.range.low > 0 or x.range.high < 0 or (x.range.low == 0 and not x.range.low_closed)
    return Interval(0, inf, not away)


def _div(x: Tensor, y: Tensor, *, nonzero: bool = True, **_: Any) -> Tensor:
    if x.kind == "integer":
        return _floor_divide(x, y)
    _finite(*((x, y) if not bounds.positive(y.body) else (y,)))

    def needs(_: Poly, below: Poly) -> list[Need]:
        return [] if _nonzero(y) else [Need("!=", below)]

    inverse = bounds.ANY
    if y.range.low > 0 or (y.range.low == 0 and not y.range.low_closed):
        inverse = Interval(0, inf)
    return elementwise(
        lambda a, b: algebra.multiply(a, algebra.power(b, -1)),
        x,
        y,
        needs=needs,
        range=bounds._times(x.range, inverse),
    )


def _nonzero(t: Tensor) -> bool:
    return not bounds._holds_zero(t.range) or bounds.nonzero(t.body)


def _floor_divide(x: Tensor, y: Tensor) -> Tensor:
    def quotient(a: Poly, b: Poly) -> Poly:
        divisor = b.constant()
        exact = None if not divisor else scale(a, Fraction(1) / Fraction(divisor))
        if exact is None or any(Fraction(c).denominator != 1 for c in exact.terms.values()):
            raise Unknown("integer division")
        return exact

    return elementwise(quotient, x, y, kind="integer")


def _neg(x: Tensor, **_: Any) -> Tensor:
    minus = Interval(-x.range.high, -x.range.low, x.range.high_closed, x.range.low_closed)
    return elementwise(lambda a: scale(a, -1), x, kind=_kind(x), range=minus)


def _integer_pow(x: Tensor, *, y: int, **_: Any) -> Tensor:
    _finite(x)

    def needs(base: Poly) -> list[Need]:
        return [Need("!=", base)] if y < 0 and not _nonzero(x) else []

    found = _square_range(x) if y % 2 == 0 and y > 0 else bounds.ANY
    return elementwise(lambda a: algebra.power(a, y), x, kind=_kind(x), needs=needs, range=found)


def _root(exponent: Fraction) -> Rule:
    """x ** exponent for a fraction: defined from 0 on, smooth above it."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        above = x.range.low > 0 or (x.range.low == 0 and not x.range.low_closed)

        def needs(base: Poly) -> list[Need]:
            if above:
                return []
            if exponent < 0:
                return [Need(">", base)]
            low = [] if x.range.low >= 0 else [Need(">=", base)]
            return [*low, Need(">", base, smooth=True)]

        found = Interval(0, inf, not above)
        return elementwise(lambda a: algebra.power(a, exponent), x, needs=needs, range=found)

    return rule


def _pow(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    _finite(x, y)
    constant = y.body.constant() if not y.shape or not y.body.free else None
    if constant is not None and Fraction(constant).denominator == 1:
        return _integer_pow(x, y=int(constant))
    if constant is not None and Fraction(constant).denominator == 2:
        return _root(Fraction(constant))(x)

    def needs(base: Poly, _: Poly) -> list[Need]:
        return [] if bounds.positive(base) or x.range.low > 0 else [Need(">", base)]

    def power(base: Poly, exponent: Poly) -> Poly:
        known = exponent.constant()
        if known is not None:
            return algebra.power(base, known)
        return functions.exp(algebra.multiply(exponent, functions.log(base)))

    return elementwise(power, x, y, needs=needs, range=Interval(0, inf, True))


def _function(name: str) -> Rule:
    found = bounds.FUNCTION_RANGES.get(name, bounds.ANY)

    def rule(x: Tensor, **_: Any) -> Tensor:
        masked = MINUS_INFINITY in x.body.factors
        own = Interval(found.low, found.high, True, True) if masked else found
        return elementwise(lambda a: functions.call(name, a), x, range=own)

    return rule


def _round(x: Tensor, *, rounding_method: Any, **_: Any) -> Tensor:
    if int(rounding_method) != 1:
        raise Unknown("rounding away from zero")
    return _rounded("round")(x)


def _above_zero(name: str) -> Rule:
    """A function that is read for positive numbers only."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        return elementwise(
            lambda a: functions.call(name, a),
            x,
            needs=lambda a: [] if bounds.positive(a) else [Need(">", a)],
        )

    return rule


def _rounded(name: str) -> Rule:
    """A step function: its derivative is 0 where it does not jump."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        def needs(a: Poly) -> list[Need]:
            value = functions.call(name, a)
            return [] if value.constant() is not None else [Need("step", value, smooth=True)]

        return elementwise(lambda a: functions.call(name, a), x, needs=needs)

    return rule


def _log(shift: int) -> Rule:
    """log(x + shift)."""

    def rule(x: Tensor, **_: Any) -> Tensor:
        above = x.range.low > -shift or (x.range.low == -shift and not x.range.low_closed)

        def needs(a: Poly) -> list[Need]:
            return [] if above else [Need(">", add(a, number(shift)))]

        return elementwise(lambda a: functions.log(add(a, number(shift))), x, needs=needs)

    return rule


def _sign(a: Poly) -> Poly:
    return subtract(conditions.is_positive(a), conditions.is_positive(scale(a, -1)))


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


def _abs(x: Tensor, **_: Any) -> Tensor:
    return elementwise(conditions.absolute, x, kind=_kind(x), range=NOT_NEGATIVE)


def _max(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return _or(x, y)
    if x.kind == "integer":
        return _integer_max(x, y, 1)
    low = max(x.range, y.range, key=lambda r: (r.low, not r.low_closed))
    found = Interval(low.low, inf, low.low_closed)
    return elementwise(conditions.maximum, x, y, range=found)


def _min(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return _and(x, y)
    if x.kind == "integer":
        return _integer_max(x, y, -1)
    return elementwise(lambda a, b: scale(conditions.maximum(scale(a, -1), scale(b, -1)), -1), x, y)


def _integer_max(x: Tensor, y: Tensor, sign: int) -> Tensor:
    def largest(a: Poly, b: Poly) -> Poly:
        return conditions.choose(conditions.at_least_zero(scale(subtract(a, b), sign)), a, b)

    return elementwise(largest, x, y, kind="integer")


def _clamp(low: Tensor, x: Tensor, high: Tensor, **_: Any) -> Tensor:
    return _min(_max(x, low), high)


def _compare(relation: str) -> Rule:
    """x relation y; strict and not strict ones are complements of each other."""

    def condition(a: Poly, b: Poly, kind: str) -> Poly:
        if relation in ("eq", "ne"):
            zero = conditions.equals_zero if kind == "real" else conditions.integer_zero
            same = _same_boolean(a, b) if kind == "boolean" else zero(subtract(a, b))
            return same if relation == "eq" else subtract(ONE, same)
        if relation in ("gt", "le"):
            a, b = b, a
        if kind == "real":
            less = conditions.is_positive(subtract(b, a))
            return less if relation in ("lt", "gt") else subtract(ONE, less)
        difference = subtract(b, a)
        if relation in ("lt", "gt"):
            return conditions.at_least_zero(subtract(difference, ONE))
        return conditions.at_least_zero(subtract(a, b))

    def rule(x: Tensor, y: Tensor, **_: Any) -> Tensor:
        return elementwise(lambda a, b: condition(a, b, x.kind), x, y, kind="boolean")

    return rule


def _same_boolean(a: Poly, b: Poly) -> Poly:
    both = algebra.multiply(a, b)
    return add(ONE, scale(a, -1), scale(b, -1), scale(both, 2))


def _and(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    return elementwise(algebra.multiply, x, y, kind="boolean")


def _or(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    def either(a: Poly, b: Poly) -> Poly:
        return subtract(ONE, algebra.multiply(conditions.complement(a), conditions.complement(b)))

    return elementwise(either, x, y, kind="boolean")


def _xor(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a, b: subtract(ONE, _same_boolean(a, b)), x, y, kind="boolean")


def _not(x: Tensor, **_: Any) -> Tensor:
    if x.kind != "boolean":
        raise Unknown("bitwise not of integers")
    return elementwise(conditions.complement, x, kind="boolean")


def _select(which: Tensor, *cases: Tensor, **_: Any) -> Tensor:
    """cases[which]; each case's needs are asked for only where it is chosen."""
    if which.kind != "boolean" or len(cases) != 2:
        raise Unknown("select_n with an integer selector")
    no, yes = cases
    if which.body in (ONE, number(0)):
        chosen = yes if which.body == ONE else no
        same = elementwise(lambda a, _: a, chosen, which, kind=chosen.kind, range=chosen.range)
        return same if same.shape == chosen.shape or not chosen.shape else chosen
    result = elementwise(conditions.choose, which, yes, no, kind=yes.kind)
    place = tuple(atom_of(v) for v in result.slots)
    condition = which.at(place if which.shape else ())
    needs = (
        moved(which, place if which.shape else ())
        | guarded(moved(yes, place if yes.shape else ()), condition)
        | guarded(moved(no, place if no.shape else ()), conditions.complement(condition))
    )
    low = min(yes.range, no.range, key=lambda r: (r.low, not r.low_closed))
    high = max(yes.range, no.range, key=lambda r: (r.high, r.high_closed))
    found = Interval(low.low, high.high, low.low_closed, high.high_closed)
    both = bounds.interval(result.body)
    better = found if (found.low, not found.low_closed) > (both.low, not both.low_closed) else both
    return result._replace(needs=needs, range=better)


def atom_of(var: Any) -> Poly:
    """The index term of a slot; 0 on an axis of size 1."""
    from purenet.prove.kernel.terms import ZERO, index

    return ZERO if var.size == ONE else index(var)


def _convert(x: Tensor, *, new_dtype: Any, **_: Any) -> Tensor:
    from purenet.prove.interpret.shapes import kind_of

    kind = kind_of(new_dtype)
    if kind == x.kind or (x.kind != "real" and kind != "boolean"):
        return x._replace(kind=kind)
    if kind == "boolean":
        zero = conditions.equals_zero if x.kind == "real" else conditions.integer_zero
        return elementwise(lambda a: subtract(ONE, zero(a)), x, kind="boolean")
    raise Unknown("rounding of a real number to an integer")


def _same(x: Tensor, **_: Any) -> Tensor:
    return x


def _is_finite(x: Tensor, **_: Any) -> Tensor:
    def finite(a: Poly) -> Poly:
        infinite = conditions.piecewise(
            a, lambda p: ONE if MINUS_INFINITY in p.factors else number(0)
        )
        return subtract(ONE, infinite)

    return elementwise(finite, x, kind="boolean")


def _rem(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    raise Unknown("rem")


def _opaque(x: Tensor, *, name: str, order: int, **_: Any) -> Tensor:
    return elementwise(lambda a: functions.call(f"@{name}", a, order), x)


def _erfc(x: Tensor, **_: Any) -> Tensor:
    found = Interval(0, 2)
    return elementwise(lambda a: subtract(ONE, functions.call("erf", a)), x, range=found)


def _expm1(x: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a: subtract(functions.exp(a), ONE), x, range=Interval(-1, inf))


def _exp2(x: Tensor, **_: Any) -> Tensor:
    return elementwise(lambda a: functions.exp(algebra.multiply(a, functions.log(number(2)))), x)


RULES: dict[str, Rule] = {
    "add": _add,
    "add_any": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "rem": _rem,
    "neg": _neg,
    "integer_pow": _integer_pow,
    "square": lambda x, **_: _integer_pow(x, y=2),
    "pow": _pow,
    "sqrt": _root(Fraction(1, 2)),
    "rsqrt": _root(Fraction(-1, 2)),
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
    "sign": lambda x, **_: elementwise(_sign, x, kind=_kind(x)),
    "abs": _abs,
    "max": _max,
    "min": _min,
    "clamp": _clamp,
    "eq": _compare("eq"),
    "ne": _compare("ne"),
    "lt": _compare("lt"),
    "le": _compare("le"),
    "gt": _compare("gt"),
    "ge": _compare("ge"),
    "and": _and,
    "or": _or,
    "xor": _xor,
    "not": _not,
    "select_n": _select,
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
