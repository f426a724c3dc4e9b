"""Sums, products, quotients and powers of entries."""

from fractions import Fraction
from math import inf
from typing import Any

from purenet.prove.interpret.logic import conjunction, disjunction
from purenet.prove.interpret.tensor import Need, Rule, Tensor, Unknown, elementwise
from purenet.prove.kernel import algebra, bounds, functions
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.linear import MINUS_INFINITY, add, scale, subtract
from purenet.prove.kernel.terms import Poly


def _add(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if x.kind == "boolean":
        return disjunction(x, y)
    if MINUS_INFINITY in x.body.factors:
        _finite(y)
    return elementwise(add, x, y, kind=x.kind, range=bounds._plus(x.range, y.range))


def _sub(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    _finite(y)
    minus = Interval(-y.range.high, -y.range.low, y.range.high_closed, y.range.low_closed)
    return elementwise(subtract, x, y, kind=x.kind, range=bounds._plus(x.range, minus))


def _mul(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    if not all(bounds.positive(t.body) for t in (x, y) if MINUS_INFINITY not in t.body.factors):
        _finite(x, y)
    if x.kind == "boolean":
        return conjunction(x, y)
    found = bounds._times(x.range, y.range)
    if x.slots == y.slots and x.body == y.body:
        found = _square_range(x)
    return elementwise(algebra.multiply, x, y, kind=x.kind, range=found)


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


def _rem(x: Tensor, y: Tensor, **_: Any) -> Tensor:
    raise Unknown("rem")


def _neg(x: Tensor, **_: Any) -> Tensor:
    minus = Interval(-x.range.high, -x.range.low, x.range.high_closed, x.range.low_closed)
    return elementwise(lambda a: scale(a, -1), x, kind=x.kind, range=minus)


def _integer_pow(x: Tensor, *, y: int, **_: Any) -> Tensor:
    _finite(x)

    def needs(base: Poly) -> list[Need]:
        return [Need("!=", base)] if y < 0 and not _nonzero(x) else []

    found = _square_range(x) if y % 2 == 0 and y > 0 else bounds.ANY
    return elementwise(lambda a: algebra.power(a, y), x, kind=x.kind, needs=needs, range=found)


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


def _square_range(x: Tensor) -> Interval:
    away = x.range.low > 0 or x.range.high < 0 or (x.range.low == 0 and not x.range.low_closed)
    return Interval(0, inf, not away)


def _finite(*operands: Tensor) -> None:
    """Refuse infinities where only real numbers have a meaning: 0·inf is no number."""
    if any(MINUS_INFINITY in t.body.factors for t in operands):
        raise Unknown("arithmetic with an infinity; a mask by -inf belongs in a maximum or an exp")


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
}
