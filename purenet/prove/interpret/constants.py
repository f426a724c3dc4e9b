"""Numbers in a program as exact real numbers.

A literal is a decimal (0.044715), a small fraction (1/3 to 16 digits), or a known irrational number
(sqrt(2/pi)); a literal that is none of these stands for itself, to the last bit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from math import inf, isnan, pi

import numpy as np

from purenet.prove.kernel import algebra
from purenet.prove.kernel.factors import Constant
from purenet.prove.kernel.functions import _log_of_number
from purenet.prove.kernel.linear import MINUS_INFINITY, PI, atom, number, scale
from purenet.prove.kernel.terms import Poly

NAN = Constant("nan", float("nan"))
MOST_DIGITS = 12
LARGEST_DENOMINATOR = 4096


def exact(value: float | int | bool) -> Poly:
    """The real number that a literal stands for."""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return number(int(value))
    value = float(value)
    if isnan(value):
        return atom(NAN)
    if value in (inf, -inf):
        return scale(atom(MINUS_INFINITY), 1 if value < 0 else -1)
    if value.is_integer():
        return number(int(value))
    for digits in (17, 15):  # 0.9 - 1 is -0.09999999999999998
        decimal = Fraction(f"{value:.{digits}g}")
        close = abs(float(decimal) - value) <= float(np.spacing(abs(value)))
        if close and len(str(abs(decimal.numerator))) <= MOST_DIGITS:
            return number(decimal)
    simple = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if abs(float(simple) - value) <= 2e-16 * abs(value):
        return number(simple)
    return _irrational(value) or _of_seen(value) or number(Fraction(value))


_seen: ContextVar[list[float] | None] = ContextVar("literals", default=None)


@contextmanager
def literals() -> Iterator[None]:
    """Inside, a literal may be read as the product or quotient of two that were seen before."""
    token = _seen.set([])
    try:
        yield
    finally:
        _seen.reset(token)


def _of_seen(value: float) -> Poly | None:
    seen = _seen.get()
    if seen is None:
        return None
    for a in seen:
        for b in seen:
            if abs(a * b - value) <= 4e-16 * abs(value):
                return number(Fraction(a) * Fraction(b))
            if abs(a / b - value) <= 4e-16 * abs(value) and a != b:
                return number(Fraction(a) / Fraction(b))
    if value not in seen:
        seen.append(value)
    return None


def _irrational(value: float) -> Poly | None:
    """c · sqrt(2)^a · sqrt(pi)^b or c · log 2, log 10, with a simple rational c."""
    for a in (0, 1):
        for b in (0, 1, -1, 2, -2):
            rest = value / (2 ** (a / 2) * pi ** (b / 2))
            simple = Fraction(rest).limit_denominator(32)
            if (a or b) and simple and abs(float(simple) - rest) <= 4e-16 * abs(rest):
                root = algebra.multiply(algebra.power(number(2), Fraction(a, 2)), _pi(b))
                return scale(root, simple)
    for base in (2, 10):
        for exponent in (1, -1):
            rest = value / float(np.log(base)) ** exponent
            simple = Fraction(rest).limit_denominator(32)
            if simple and abs(float(simple) - rest) <= 4e-16 * abs(rest):
                return scale(algebra.power(_log_of_number(base), exponent), simple)
    return None


def _pi(halves: int) -> Poly:
    return atom(PI, Fraction(halves, 2)) if halves else number(1)
