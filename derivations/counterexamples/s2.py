"""What the third notes (S2) write for a dense layer and its loss, with numbers in it."""

from fractions import Fraction as F

import mpmath

from derivations.counterexamples.compare import (
    Comparison,
    digits,
    dot,
    product,
    real,
    slopes,
    softmax,
    turned,
)

# The notes' own layer: two inputs, three outputs, E = ½ Σ (Y − T)², W[out,in].
W = ((F(1), F(2)), (F(3), F(4)), (F(5), F(6)))
X, B, T = (F(1), F(-1)), (F(1, 2), F(0), F(-1, 2)), (F(0), F(1), F(-2))


def outputs(w=W, x=X, b=B):
    """Return Y = W x + B."""
    return tuple(dot(row, x) + bias for row, bias in zip(w, b, strict=True))


def error(w=W, x=X, b=B):
    """Return E = ½ Σ_j (Y_j − T_j)²."""
    return sum((y - t) ** 2 for y, t in zip(outputs(w, x, b), T, strict=True)) / 2


def output_gradient():
    """Return ∂E/∂Y = Y − T."""
    return tuple(y - t for y, t in zip(outputs(), T, strict=True))


def chain_rule_weight() -> Comparison:
    """The last factor is ∂Y/∂W."""
    w, x = F(2), F(3)
    true = slopes(lambda p: (p[0] * x - 1) ** 2 / 2, (w,))[0]
    return Comparison(
        "∂E/∂W for E = ½(WX − 1)², W = 2, X = 3, as ∂E/∂Y times ∂E/∂W",
        (w * x - 1) * true,
        (w * x - 1) * x,
        true,
    )


def chain_rule_input() -> Comparison:
    """The last factor is ∂Y/∂X."""
    w, x = F(2), F(3)
    true = slopes(lambda p: (w * p[0] - 1) ** 2 / 2, (x,))[0]
    return Comparison(
        "∂E/∂X for E = ½(WX − 1)², W = 2, X = 3, as ∂E/∂Y times ∂E/∂X",
        (w * x - 1) * true,
        (w * x - 1) * w,
        true,
    )


def chain_rule_x1() -> Comparison:
    """Over three outputs, the second factors are ∂Y_j/∂X1."""
    gradient = output_gradient()
    true = slopes(lambda x: error(x=x), X)[0]
    return Comparison(
        "∂E/∂X1 for the layer of three outputs, ∂E/∂X1 in each second factor",
        sum(g * true for g in gradient),
        sum(g * row[0] for g, row in zip(gradient, W, strict=True)),
        true,
    )


def local_derivatives_x1() -> Comparison:
    """X1 feeds every output, not only the first."""
    return Comparison(
        "(∂Y1/∂X1, ∂Y2/∂X1, ∂Y3/∂X1) as W11, 0, 0",
        (W[0][0], F(0), F(0)),
        tuple(row[0] for row in W),
        tuple(slopes(lambda x, j=j: outputs(x=x)[j], X)[0] for j in range(3)),
    )


def local_derivatives_w21() -> Comparison:
    """W21 feeds the second output alone."""

    def moved(j):
        return lambda p: outputs(w=(W[0], (p[0], W[1][1]), W[2]))[j]

    local = tuple(slopes(moved(j), (W[1][0],))[0] for j in range(3))
    return Comparison(
        "(∂Y1/∂W21, ∂Y2/∂W21, ∂Y3/∂W21) as 0, X1, 0",
        (F(0), X[0], F(0)),
        tuple(X[0] if j == 1 else F(0) for j in range(3)),
        local,
    )


def chain_rule_w21() -> Comparison:
    """Over three outputs, the second factors are ∂Y_j/∂W21."""
    gradient = output_gradient()
    true = slopes(lambda p: error(w=(W[0], (p[0], W[1][1]), W[2])), (W[1][0],))[0]
    return Comparison(
        "∂E/∂W21 for the layer of three outputs, ∂E/∂W21 in each second factor",
        sum(g * true for g in gradient),
        dot(gradient, (F(0), X[0], F(0))),
        true,
    )


def chain_rule_b1() -> Comparison:
    """Over three outputs, the second factors are 1, 0, 0."""
    gradient = output_gradient()
    true = slopes(lambda b: error(b=b), B)[0]
    return Comparison(
        "∂E/∂B1 for the layer of three outputs, ∂E/∂B1 in each second factor",
        sum(g * true for g in gradient),
        dot(gradient, (F(1), F(0), F(0))),
        true,
    )


def input_gradient() -> Comparison:
    """With W[out,in] the transpose is needed even where the shapes allow to forget it."""
    w, x, t = ((F(1), F(2)), (F(3), F(4))), (F(1), F(1)), (F(2), F(7))
    gradient = tuple((dot(row, x) - v,) for row, v in zip(w, t, strict=True))

    def energy(p):
        return sum((dot(row, p) - v) ** 2 for row, v in zip(w, t, strict=True)) / 2

    return Comparison(
        "∂E/∂X for W = [[1,2],[3,4]] and ∂E/∂Y = (1,0), columns, W[out,in], as W ∂E/∂Y",
        turned(product(w, gradient))[0],
        turned(product(turned(w), gradient))[0],
        slopes(energy, x),
    )


def input_gradient_of_rows() -> Comparison:
    """With examples in rows the gradient comes first, and W is transposed."""
    w, x, t = ((F(1), F(2)), (F(3), F(4))), ((F(1), F(1)),) * 2, ((F(3), F(6)), (F(4), F(6)))
    gradient = minus(product(x, w), t)
    flat = tuple(v for row in x for v in row)
    true = slopes(lambda p: half_squares(product((p[:2], p[2:]), w), t), flat)
    return Comparison(
        "∂E/∂X for W = [[1,2],[3,4]], ∂E/∂Y = [[1,0],[0,0]], rows, as W ∂E/∂Y",
        product(w, gradient),
        product(gradient, turned(w)),
        (true[:2], true[2:]),
    )


def weight_gradient() -> Comparison:
    """For columns it is ∂E/∂Y Xᵀ."""
    x, gradient = (F(1), F(2)), (F(3), F(4))

    def energy(p):
        y = (p[0] * x[0] + p[1] * x[1], p[2] * x[0] + p[3] * x[1])
        return dot(y, gradient)

    true = slopes(energy, (F(1), F(0), F(0), F(1)))
    return Comparison(
        "∂E/∂W for X = (1,2), ∂E/∂Y = (3,4), columns, W[out,in], X first",
        tuple(tuple(v * g for g in gradient) for v in x),
        tuple(tuple(g * v for v in x) for g in gradient),
        (true[:2], true[2:]),
    )


def weight_gradient_of_rows() -> Comparison:
    """For rows it is Xᵀ ∂E/∂Y."""
    x, gradient = ((F(1), F(2)), (F(3), F(4))), ((F(1), F(0)), (F(0), F(0)))

    def energy(p):
        y = product(x, (p[:2], p[2:]))
        return sum(dot(a, b) for a, b in zip(y, gradient, strict=True))

    true = slopes(energy, (F(1), F(0), F(0), F(1)))
    return Comparison(
        "∂E/∂W for X = [[1,2],[3,4]], ∂E/∂Y = [[1,0],[0,0]], rows, as X ∂E/∂Y",
        product(x, gradient),
        product(turned(x), gradient),
        (true[:2], true[2:]),
    )


def bias_of_a_batch() -> Comparison:
    """The bias is shared by the examples, so it gets the sum of their gradients."""
    gradient = ((F(1), F(2)), (F(3), F(4)))
    true = slopes(lambda b: sum(dot(b, row) for row in gradient), (F(0), F(0)))
    return Comparison(
        "∂E/∂B for two examples with ∂E/∂Y = [[1,2],[3,4]] in rows",
        gradient,
        tuple(sum(column) for column in turned(gradient)),
        true,
    )


@digits
def only_the_denominator() -> Comparison:
    """Σ exp(y) is one number above 1, not K probabilities."""
    y = (0, 0)
    return Comparison(
        "softmax of (0,0): equal inputs share the probability 1",
        (sum(mpmath.exp(v) for v in y),) * 2,
        softmax(y),
        (F(1, 2), F(1, 2)),
    )


@digits
def integer_label() -> Comparison:
    """The one-hot formula must not be fed an integer label."""
    guess, label = (F(1, 5), F(3, 10), F(1, 2)), 2
    logs = [mpmath.log(real(p)) for p in guess]
    one_hot = [int(k == label) for k in range(3)]
    return Comparison(
        "the loss for ŷ = (.2,.3,.5), class 2 counted from 0, with y = 2 in −Σ y log ŷ",
        -sum(label * value for value in logs),
        -logs[label],
        -dot(one_hot, logs),
    )


def half_squares(y, t):
    """Return ½ Σ (y − t)²."""
    return sum(v**2 for row in minus(y, t) for v in row) / 2


def minus(a, b):
    """Return a − b, entry by entry."""
    return tuple(tuple(v - u for v, u in zip(r, s, strict=True)) for r, s in zip(a, b, strict=True))


CHECKS = (
    chain_rule_weight, chain_rule_input, chain_rule_x1, local_derivatives_x1,
    local_derivatives_w21, chain_rule_w21, chain_rule_b1, input_gradient, input_gradient_of_rows,
    weight_gradient, weight_gradient_of_rows, bias_of_a_batch, only_the_denominator, integer_label,
)  # fmt: skip
