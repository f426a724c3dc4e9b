"""What the fifth notes (S4) say about softmax, training and the four equations, with numbers."""

from fractions import Fraction as F

import mpmath
from mpmath import mpf

from derivations.counterexamples.compare import (
    Comparison,
    digits,
    dot,
    nearest,
    relu,
    sigmoid,
    sign,
    slopes,
    softmax,
    tangents,
)

HALF, TENTH = F(1, 2), F(1, 10)


@digits
def without_exponentials() -> Comparison:
    """Without exponentials the outputs are not probabilities."""
    o = (2, -1)
    gap = mpmath.exp(o[1] - o[0])
    return Comparison(
        "softmax of (2,−1), as O_i / Σ O_j",
        tuple(mpf(v) / sum(o) for v in o),
        softmax(o),
        (1 / (1 + gap), gap / (1 + gap)),
    )


@digits
def same_largest() -> Comparison:
    """Before or after softmax, the same output is the largest."""
    o = (F(-1), F(3, 2), F(-4), F(1))
    p, place = softmax(o), range(4)
    return Comparison(
        "which output is largest before softmax, and after",
        max(place, key=lambda i: o[i]),
        max(place, key=lambda i: p[i]),
        next(i for i in place if all(o[i] >= v for v in o)),
    )


def gradient_is_not_the_weight() -> Comparison:
    """Where the cost is least, its gradient is 0 and the weight need not be."""
    grid = [F(i, 4) for i in range(-20, 21)]
    best = min(grid, key=lambda w: (w - 3) ** 2)
    return Comparison(
        "the weight at which C = (w − 3)² is least, as the gradient there",
        slopes(lambda p: (p[0] - 3) ** 2, (best,))[0],
        F(1) - HALF * 2 * (F(1) - 3),
        best,
    )


@digits
def vanishing_without_extremes() -> Comparison:
    """Ten layers lose a factor of a million although no unit is at an extreme."""

    def network(p):
        a = p[0]
        for _ in range(10):
            a = sigmoid(a) - mpf(1) / 2
        return a

    return Comparison(
        "∂a/∂x through 10 sigmoid layers, weights 1, every z = 0, if only extremes do harm",
        mpf(1),
        mpf(1) / 4**10,
        tangents(network, (0,))[0],
    )


def dead_unit() -> Comparison:
    """A ReLU unit below 0 passes no gradient at all."""
    return Comparison(
        "ReLU′(−3), if ReLU keeps gradients from becoming 0",
        F(1),
        F(0),
        slopes(lambda p: relu(p[0]), (F(-3),))[0],
    )


@digits
def forward_again() -> Comparison:
    """Backwards, σ is not applied again; its slope multiplies."""
    w, z, delta = 2, 0, mpf(1)
    return Comparison(
        "δ of a hidden sigmoid unit at z = 0 with weight 2 to δ = 1, as σ(wδ)",
        sigmoid(w * delta),
        w * delta * sigmoid(z) * (1 - sigmoid(z)),
        tangents(lambda p: delta * w * sigmoid(p[0]), (z,))[0],
    )


def one_update() -> Comparison:
    """One step makes the error smaller, not 0."""
    w, x, y, rate = F(0), F(1), F(1), TENTH
    moved = w - rate * slopes(lambda p: (p[0] * x - y) ** 2 / 2, (w,))[0]
    return Comparison(
        "the error after a step on ½(wx − y)², x = y = 1, from w = 0 with η = 0.1",
        F(0),
        (1 - rate) * (w * x - y),
        moved * x - y,
    )


def derivable_is_not_enough() -> Comparison:
    """On a differentiable cost that is unbounded below, descent runs away."""
    w = F(2)
    for _ in range(3):
        w -= TENTH * slopes(lambda p: -((p[0] - 3) ** 2) / 2, (w,))[0]
    return Comparison(
        "w after 3 steps on C = −½(w − 3)² from 2 with η = 0.1, if any C will bring it to 3",
        F(3),
        3 + (1 + TENTH) ** 3 * (2 - 3),
        w,
    )


def two_rates() -> Comparison:
    """Two rates, both positive, still lower the cost."""

    def cost(p):
        return (p[0] + p[1] - 2) ** 2 + p[0] ** 2

    rates, start = (F(1, 20), F(1, 5)), (F(1), F(-1))
    slope = slopes(cost, start)
    after = tuple(v - rate * g for v, rate, g in zip(start, rates, slope, strict=True))
    return Comparison(
        "sign of the change of (w+b−2)² + w² after a step from (1,−1), η_w = .05, η_b = .2",
        -1,
        sign(-sum(rate * g**2 for rate, g in zip(rates, slope, strict=True))),
        sign(cost(after) - cost(start)),
    )


def not_the_output_before() -> Comparison:
    """z is the weighted input of its own unit."""
    w, b, a = F(3), F(1), F(2)
    return Comparison(
        "z for w = 3, b = 1 and output 2 of the unit before", a, w * a + b, a + a + a + b
    )


def literal_index() -> Comparison:
    """In ½ Σ_i (y_i − a_i)² the index of a runs too."""
    y, a = (F(1), F(0)), (HALF, F(4, 5))

    def cost(p):
        return sum((t - v) ** 2 for t, v in zip(y, p, strict=True)) / 2

    return Comparison(
        "∂C/∂a_1 for y = (1,0), a = (1/2,4/5), a_1 in every term",
        slopes(lambda p: sum((t - p[0]) ** 2 for t in y) / 2, a)[0],
        a[0] - y[0],
        slopes(cost, a)[0],
    )


def one_example_bias() -> Comparison:
    """C averages over examples, so its bias gradient sums their deltas."""
    delta, true = _deltas(), _gradients()[1]
    return Comparison(
        "∂C/∂b for C = (1/2n) Σ_x (wx + b − y)², two examples, as the better δ of one",
        nearest(delta, true),
        sum(delta),
        true,
    )


def one_example_weight() -> Comparison:
    """The same for a weight: δ a is summed over the examples."""
    delta, true = _deltas(), _gradients()[0]
    return Comparison(
        "∂C/∂w for C = (1/2n) Σ_x (wx + b − y)², two examples, as the better δ a of one",
        nearest([d * x for d, x in zip(delta, EXAMPLES, strict=True)], true),
        dot(delta, EXAMPLES),
        true,
    )


EXAMPLES = (F(1), F(2))


def _deltas():
    """Return ∂C/∂z of each example, for w = 1, b = 0, y = 0."""
    return [x / len(EXAMPLES) for x in EXAMPLES]


def _gradients():
    def cost(p):
        return sum((p[0] * x + p[1]) ** 2 for x in EXAMPLES) / 2 / len(EXAMPLES)

    return slopes(cost, (F(1), F(0)))


CHECKS = (
    without_exponentials, same_largest, gradient_is_not_the_weight, vanishing_without_extremes,
    dead_unit, forward_again, one_update, derivable_is_not_enough, two_rates,
    not_the_output_before, literal_index, one_example_bias, one_example_weight,
)  # fmt: skip
