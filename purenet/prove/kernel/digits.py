"""Digits of an index: an axis of size m·n read as a pair of axes."""

from purenet.prove.kernel import algebra, bounds
from purenet.prove.kernel.factors import Digit, Index
from purenet.prove.kernel.linear import ONE, add, atom, is_whole, subtract
from purenet.prove.kernel.terms import Poly


def quotient(flat: Poly, size: Poly) -> Poly:
    """flat // size, where the whole part can be seen."""
    whole, rest = _parts(flat, size)
    if _is_digit(rest, size):
        return whole
    inner = _inner(rest, size)
    if inner is not None:
        high, _, _, rows = inner
        return add(whole, quotient(high, rows))
    return add(whole, atom(Digit("quotient", rest, size)))


def remainder(flat: Poly, size: Poly) -> Poly:
    """flat % size."""
    _, rest = _parts(flat, size)
    if _is_digit(rest, size):
        return rest
    inner = _inner(rest, size)
    if inner is not None:
        high, low, stride, rows = inner
        return add(algebra.multiply(stride, remainder(high, rows)), low)
    return atom(Digit("remainder", rest, size))


def _inner(flat: Poly, size: Poly) -> tuple[Poly, Poly, Poly, Poly] | None:
    """(a, b, s, k) with flat = s·a + b, 0 <= b < s and size = s·k: (s·a + b) // (s·k) = a // k."""
    for factor in size.factors:
        stride = atom(factor)
        rows = algebra.multiply(size, algebra.power(stride, -1))
        high, low = _parts(flat, stride)
        if rows.constant() != 1 and is_whole(rows) and not high.is_zero and _is_digit(low, stride):
            return high, low, stride, rows
    return None


def _is_digit(rest: Poly, size: Poly) -> bool:
    return bounds.at_least(rest, 0) and bounds.at_least(subtract(subtract(size, ONE), rest), 0)


def _parts(flat: Poly, size: Poly) -> tuple[Poly, Poly]:
    """The terms of which `size` is a factor, divided by it, and the others."""
    inverse = algebra.power(size, -1)
    whole: list[Poly] = []
    rest: list[Poly] = []
    for monomial, coefficient in flat.terms.items():
        part = Poly({monomial: coefficient})
        divided = algebra.multiply(part, inverse)
        (rest, whole)[is_whole(divided)].append(divided if is_whole(divided) else part)
    return add(*whole), add(*rest)


def split_index(factor: Digit) -> tuple[Index, Poly] | None:
    """The index whose digit this is, and the size by which it is divided."""
    single = factor.polys[0].single()
    if single and single[1] == 1 and len(single[0]) == 1 and isinstance(single[0][0][0], Index):
        return single[0][0][0], factor.polys[1]
    return None
