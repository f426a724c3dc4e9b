"""What the second notes (S1) derive for a sigmoid perceptron, with numbers in it."""

from fractions import Fraction as F

from derivations.counterexamples.compare import (
    Comparison,
    digits,
    dot,
    nearest,
    real,
    sigmoid,
    slopes,
    tangents,
)

# Three samples of two features.
X = ((F(1), F(2)), (F(-1), F(1, 2)), (F(3, 10), F(-2)))
Y = (F(1), F(0), F(1))
W, BIAS = (F(1, 5), F(-2, 5)), F(1, 10)


def influence() -> Comparison:
    """The size of a weight counts, not its sign."""
    w = (F(1), F(-5))
    moves = [abs(move) for move in slopes(lambda x: dot(x, w) + 1, (F(0), F(0)))]
    return Comparison(
        "which input moves z most for w = (1,−5), by the larger weight",
        1 + w.index(max(w)),
        1 + w.index(max(w, key=abs)),
        1 + moves.index(max(moves)),
    )


def centre_of_the_sigmoid() -> Comparison:
    """A bias moves the curve to the left by b/w."""
    w, b = F(2), F(3)
    crossing = next(F(i, 4) for i in range(-20, 20) if w * F(i, 4) + b == 0)
    return Comparison("where σ(2x + 3) is 1/2: 3/2 to the left of 0", -F(3, 2), -b / w, crossing)


@digits
def out_of_reach() -> Comparison:
    """A sigmoid never reaches a target of 2."""
    return Comparison(
        "least (2 − σ(z))², if a regression to y = 2 can be learnt",
        0,
        (2 - 1) ** 2,
        min((2 - sigmoid(z)) ** 2 for z in range(-100, 101, 10)),
    )


@digits
def product_of_sums() -> Comparison:
    """The chain rule over several samples is a sum of products."""
    x, y, n = (1, -1), (1, 0), 2
    error = [2 * (sigmoid(0) - t) / n for t in y]
    slope = sigmoid(0) * (1 - sigmoid(0))

    def cost(p):
        return sum((t - sigmoid(p[0] * v)) ** 2 for t, v in zip(y, x, strict=True)) / n

    return Comparison(
        "∂C/∂w for x = (1,−1), y = (1,0), w = b = 0, each factor summed by itself",
        sum(error) * slope * sum(x),
        sum(e * slope * v for e, v in zip(error, x, strict=True)),
        tangents(cost, (0,))[0],
    )


def square_kept() -> Comparison:
    """The derivative of a square is twice the base, times the inner derivative −1."""
    y, guess, n = (F(1), F(0)), (F(1, 2), F(4, 5)), 2
    squares = sum((t - g) ** 2 for t, g in zip(y, guess, strict=True))
    return Comparison(
        "∂C/∂ŷ for y = (1,0), ŷ = (1/2,4/5), the square kept, the same for both entries",
        (2 * squares / n,) * n,
        tuple(-F(2, n) * (t - g) for t, g in zip(y, guess, strict=True)),
        slopes(lambda p: sum((t - g) ** 2 for t, g in zip(y, p, strict=True)) / n, guess),
    )


def sum_for_vector() -> Comparison:
    """∂C/∂ŷ has an entry per sample, and the other sign."""
    y, guess, n = (F(1), F(0)), (F(1, 2), F(4, 5)), 2
    summed = sum(t - g for t, g in zip(y, guess, strict=True))
    return Comparison(
        "∂C/∂ŷ for y = (1,0), ŷ = (1/2,4/5), as (2/n) sum(y − ŷ) for both entries",
        (F(2, n) * summed,) * n,
        tuple(F(2, n) * (g - t) for t, g in zip(y, guess, strict=True)),
        slopes(lambda p: sum((t - g) ** 2 for t, g in zip(y, p, strict=True)) / n, guess),
    )


def bias_inside_the_derivative() -> Comparison:
    """With b under the sum sign ∂z/∂b is n."""
    x, w, n = (F(1), F(2), F(3)), (F(1), F(1), F(2)), 3
    return Comparison(
        "∂z/∂b for three inputs, from Σ (x_i w_i + b)",
        slopes(lambda p: sum(x[i] * w[i] + p[0] for i in range(n)), (F(0),))[0],
        F(1),
        slopes(lambda p: dot(x, w) + p[0], (F(0),))[0],
    )


@digits
def perceptron_weights() -> Comparison:
    """σ′ and x belong to their sample, and the sign is the other."""
    errors, slope = _errors_and_slopes()
    true = tangents(lambda w: _cost(w, BIAS), W)
    factor = 2 * sum(errors) / len(X)
    readings = [tuple(factor * s * real(v) for v in x) for s, x in zip(slope, X, strict=True)]
    right = tuple(
        -2 * sum(e * s * real(x[i]) for e, s, x in zip(errors, slope, X, strict=True)) / len(X)
        for i in range(2)
    )
    return Comparison(
        "∂C/∂w for three samples, (2/n) sum(y−ŷ) σ′(z) x with the best choice of a sample",
        nearest(readings, true),
        right,
        true,
    )


@digits
def perceptron_bias() -> Comparison:
    """The same for the bias."""
    errors, slope = _errors_and_slopes()
    true = tangents(lambda p: _cost(W, p[0]), (BIAS,))[0]
    factor = 2 * sum(errors) / len(X)
    return Comparison(
        "∂C/∂b for three samples, (2/n) sum(y−ŷ) σ′(z) with the best choice of a sample",
        nearest([factor * s for s in slope], true),
        -2 * dot(errors, slope) / len(X),
        true,
    )


def _errors_and_slopes():
    guesses = [sigmoid(real(dot(x, W) + BIAS)) for x in X]
    errors = [real(t) - g for t, g in zip(Y, guesses, strict=True)]
    return errors, [g * (1 - g) for g in guesses]


def _cost(w, b):
    guesses = [sigmoid(sum(real(v) * wi for v, wi in zip(x, map(real, w), strict=True)) + real(b))
               for x in X]  # fmt: skip
    return sum((real(t) - g) ** 2 for t, g in zip(Y, guesses, strict=True)) / len(X)


CHECKS = (
    influence, centre_of_the_sigmoid, out_of_reach, product_of_sums, square_kept, sum_for_vector,
    bias_inside_the_derivative, perceptron_weights, perceptron_bias,
)  # fmt: skip
