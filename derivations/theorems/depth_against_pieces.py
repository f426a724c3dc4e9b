"""Depth against the number of straight pieces: it can double with each layer, or stay at one."""

from fractions import Fraction
from itertools import pairwise

from sympy import Piecewise, Rational

from derivations.calculus import prime
from derivations.language import functions, numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

(x,) = numbers("x")
(u,) = functions("u")
half = Rational(1, 2)

Curve = list[tuple[Fraction, Fraction]]


def when(condition, value):
    """The value where the condition holds, and 0 elsewhere."""
    return Piecewise((value, condition), (0, True))


def relu_of(curve: Curve, weight: int, bias: Fraction) -> Curve:
    """relu(weight · curve + bias) as corners, one more wherever it crosses 0."""
    line = [(x, weight * y + bias) for x, y in curve]
    corners = [line[0]]
    for (x0, y0), (x1, y1) in pairwise(line):
        if y0 * y1 < 0:
            corners.append((x0 - y0 * (x1 - x0) / (y1 - y0), Fraction(0)))
        corners.append((x1, y1))
    return [(x, max(y, Fraction(0))) for x, y in corners]


def value(curve: Curve, x: Fraction) -> Fraction:
    """The height of a curve at x."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    raise ValueError(f"{x} is outside of the curve")


def tent(curve: Curve) -> Curve:
    """2 relu(u) − 4 relu(u − 1/2) of a curve u: one layer of two ReLUs."""
    first, second = relu_of(curve, 1, Fraction(0)), relu_of(curve, 1, Fraction(-1, 2))
    places = sorted({x for x, _ in first + second})
    return [(x, 2 * value(first, x) - 4 * value(second, x)) for x in places]


def pieces(curve: Curve) -> int:
    """How many straight pieces a curve has."""
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(curve)]
    return 1 + sum(a != b for a, b in pairwise(slopes))


def counted(layer, depth: int) -> list[int]:
    """The number of pieces on [0, 1] after 1, 2, …, depth layers."""
    curve, counts = [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(1))], []
    for _ in range(depth):
        curve = layer(curve)
        counts.append(pieces(curve))
    return counts


def _identity(curve: Curve) -> Curve:
    return relu_of(curve, 1, Fraction(0))


def _dead(curve: Curve) -> Curve:
    return relu_of(curve, -1, Fraction(-1))


theorem = Derivation(
    name="depth_against_pieces",
    title="Depth against pieces: a tent doubles them with every layer, an idle layer adds none",
    quantifiers=("every curve u that is differentiable where it is used",),
    intuition="A tent folds its input in the middle, so whatever the next layer draws is drawn "
    "twice. A layer that folds nothing leaves the curve as it was, however many there are.",
    conditions=("a tent is 2 relu(u) − 4 relu(u − 1/2): two ReLUs, one layer",),
    chains=(
        Chain(
            "∂/∂x tent(u(x))",
            partial(2 * when(u(x) > 0, u(x)) - 4 * when(u(x) > half, u(x) - half), x),
            "away from the corners",
            (
                Step(
                    2 * when(u(x) > 0, prime(u)(x)) - 4 * when(u(x) > half, prime(u)(x)),
                    "2 u′ for u below 1/2, 2 u′ − 4 u′ = −2 u′ above: twice as steep",
                ),
            ),
        ),
    ),
    facts=(
        Fact("1 to 6 tents have 2, 4, 8, 16, 32 and 64 straight pieces on [0, 1]",
             lambda: (counted(tent, 6), [2, 4, 8, 16, 32, 64])),
        Fact("1 to 6 layers that pass everything (relu of what is not negative) have 1 piece",
             lambda: (counted(_identity, 6), [1] * 6)),
        Fact("1 to 6 layers relu(−u − 1), which are dead on [0, 1], have 1 piece",
             lambda: (counted(_dead, 6), [1] * 6)),
    ),
    remark="So depth is not proportional to complexity: it raises what is possible, here to two to "
    "the power of the depth, and demands nothing. Why 2, 4, 8? Each tent goes up from 0 to 1 and "
    "down again, twice as steep as the one before, so it passes 1/2 twice as often.",
    sources=("S0-C11", "S0-E12"),
    fixed="pieces are counted with exact fractions, for depths 1 to 6; the slope is for every u",
)  # fmt: skip
