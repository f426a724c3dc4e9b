"""What a computed check is: the notes' formula and the right one, beside the truth.

The truth comes by a way of its own, from the definition: explicit sums, differences, counting.
Numbers are exact fractions; where an exponential occurs they have 50 digits.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
from mpmath import mp, mpf

DIGITS = 50
NEAR = mpf(10) ** -15

Vector = tuple[Any, ...]
Matrix = tuple[Vector, ...]


class Comparison(NamedTuple):
    """A formula of the notes with numbers in it.

    Attributes:
        words: what is computed, and with which numbers.
        document: what the notes' formula gives.
        corrected: what the ledger's right statement gives.
        truth: what the definition gives, without either formula.
    """

    words: str
    document: Any
    corrected: Any
    truth: Any

    @property
    def refutes(self) -> bool:
        """Whether the notes' formula misses the truth and the right statement hits it."""
        return same(self.corrected, self.truth) and not same(self.document, self.truth)

    @property
    def confirms(self) -> bool:
        """Whether both the notes' formula and the right statement hit the truth."""
        return same(self.corrected, self.truth) and same(self.document, self.truth)


def same(a: Any, b: Any) -> bool:
    """Return whether two values are equal: exactly, or to 15 digits where mpmath computed one."""
    if isinstance(a, tuple) or isinstance(b, tuple):
        alike = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b)
        return alike and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, mpf) or isinstance(b, mpf):
        return bool(abs(real(a) - real(b)) <= NEAR * max(1, abs(real(a))))
    return bool(a == b)


def real(value: Any) -> mpf:
    """Return a number with 50 digits."""
    if isinstance(value, Fraction):
        return mpf(value.numerator) / value.denominator
    return mpf(value)


def digits(compute: Callable[[], Comparison]) -> Callable[[], Comparison]:
    """Return the check, computed with 50 digits."""

    def with_digits() -> Comparison:
        with mp.workdps(DIGITS):
            return compute()

    with_digits.__name__, with_digits.__doc__ = compute.__name__, compute.__doc__
    return with_digits


def product(a: Matrix, b: Matrix) -> Any:
    """Return the matrix product, or in words that there is none."""
    if len(a[0]) != len(b):
        return f"no product of {len(a)}×{len(a[0])} and {len(b)}×{len(b[0])}"
    return tuple(tuple(dot(row, column) for column in turned(b)) for row in a)


def turned(a: Matrix) -> Matrix:
    """Return the transpose."""
    return tuple(zip(*a, strict=True))


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Return Σ_i a_i b_i."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def relu(z: Any) -> Any:
    """Return max(0, z)."""
    return z if z > 0 else 0 * z


def sign(value: Any) -> int:
    """Return −1, 0 or 1."""
    return int(value > 0) - int(value < 0)


def sigmoid(z: Any) -> mpf:
    """Return 1/(1 + e^(−z))."""
    return 1 / (1 + mpmath.exp(-real(z)))


def softmax(z: Sequence[Any]) -> Vector:
    """Return e^(z_i) / Σ_j e^(z_j)."""
    powers = [mpmath.exp(real(v)) for v in z]
    return tuple(power / sum(powers) for power in powers)


def slopes(f: Callable[[Vector], Any], at: Sequence[Any], step: Fraction = Fraction(1)) -> Vector:
    """Return every partial derivative as a central difference, exact for a quadratic f."""
    return tuple(_difference(f, at, place, step) for place in range(len(at)))


def tangents(f: Callable[[Vector], Any], at: Sequence[Any]) -> Vector:
    """Return every partial derivative as a difference over 10⁻¹⁵, good to 30 digits of 50."""
    return slopes(f, tuple(real(v) for v in at), real(10) ** -15)


def nearest(readings: Sequence[Any], truth: Any) -> Any:
    """Return the reading of an ambiguous formula that comes closest to the truth."""
    return min(readings, key=lambda reading: _distance(reading, truth))


def _difference(f: Callable[[Vector], Any], at: Sequence[Any], place: int, step: Any) -> Any:
    def moved(by: Any) -> Vector:
        return (*at[:place], at[place] + by, *at[place + 1 :])

    return (f(moved(step)) - f(moved(-step))) / (2 * step)


def _distance(a: Any, b: Any) -> mpf:
    if isinstance(a, tuple):
        return sum(_distance(x, y) for x, y in zip(a, b, strict=True))
    return abs(real(a) - real(b))
