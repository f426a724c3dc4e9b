"""What the fourth notes (S3) write for the 784-10-10 network, with numbers in it."""

from fractions import Fraction as F

import mpmath
from mpmath import mpf

from derivations.counterexamples.compare import (
    Comparison,
    digits,
    dot,
    product,
    real,
    relu,
    sigmoid,
    slopes,
    softmax,
    tangents,
    turned,
)

HALF = F(1, 2)


def pixels() -> Comparison:
    """An image of 28 rows of 28 pixels has 784."""
    counted = len([(row, column) for row in range(28) for column in range(28)])
    return Comparison("pixels of an image of 28 × 28", 784, 28 * 28, counted)


def its_own_transpose() -> Comparison:
    """A matrix and its transpose are two matrices."""
    rows = ((F(1), F(2), F(3)), (F(4), F(5), F(6)))
    columns = tuple(tuple(row[i] for row in rows) for i in range(3))
    return Comparison("two images of three pixels, in columns", rows, turned(rows), columns)


def all_connections_no_activation() -> Comparison:
    """A network without activation has every connection."""
    first, second = ((F(1), F(2)), (F(3), F(4))), ((F(1), F(1)), (F(2), F(5)))

    def network(x):
        hidden = [dot(row, x) for row in first]
        return [dot(row, hidden) for row in second]

    fed = [slopes(lambda x, k=k: network(x)[k], (F(1), F(1))) for k in range(2)]
    return Comparison(
        "connections from input to output of a linear 2-2-2 network, if activation makes them",
        0,
        2 * 2,
        sum(slope != 0 for row in fed for slope in row),
    )


def one_connection_each() -> Comparison:
    """A chain of single connections with ReLU is not linear."""
    at = F(0)
    return Comparison(
        "f(1) − 2 f(0) + f(−1) of one ReLU with one connection, if that is linear regression",
        F(0),
        F(1),
        relu(at + 1) - 2 * relu(at) + relu(at - 1),
    )


def shapes() -> Comparison:
    """The weights have a row per unit."""
    images, hidden, examples = 5, 3, 4
    x = tuple((F(1),) * examples for _ in range(images))
    written = tuple((F(1),) * hidden for _ in range(images))
    z = tuple((F(images),) * examples for _ in range(hidden))
    return Comparison(
        "W A for 5 pixels, 3 units and 4 images of ones, W as pixels × units",
        product(written, x),
        product(turned(written), x),
        z,
    )


def square_activation() -> Comparison:
    """With x² as activation every network of one hidden layer is a parabola."""
    hidden = ((F(2), F(1)), (F(-3), F(5)), (F(1, 2), F(-7)))
    weights = (F(3), F(-2), F(11))

    def network(x):
        return sum(v * (w * x + b) ** 2 for v, (w, b) in zip(weights, hidden, strict=True)) + 4

    target = (F(0), F(0), F(0), F(1))
    return Comparison(
        "third difference of the outputs at 0, 1, 2, 3, if x² can learn the targets 0, 0, 0, 1",
        third_difference(target),
        F(0),
        third_difference([network(F(x)) for x in range(4)]),
    )


@digits
def never_certain() -> Comparison:
    """Softmax of finite numbers is never 1."""
    return Comparison(
        "the larger entry of softmax(0, 10), as certainty",
        mpf(1),
        softmax((0, 10))[1],
        1 / (1 + mpmath.exp(-10)),
    )


@digits
def another_loss() -> Comparison:
    """With half the squared error the output delta is not A − Y."""
    z, y = (0, 0), (F(1), F(0))
    a = softmax(z)
    pull = [p - real(t) for p, t in zip(a, y, strict=True)]
    mean = dot(pull, a)

    def loss(v):
        return sum((p - real(t)) ** 2 for p, t in zip(softmax(v), y, strict=True)) / 2

    return Comparison(
        "dZ for softmax, z = (0,0), y = (1,0), loss ½ Σ (a − y)², as A − Y",
        tuple(pull),
        tuple(p * (g - mean) for p, g in zip(a, pull, strict=True)),
        tangents(loss, z),
    )


def signed_not_absolute() -> Comparison:
    """The bias gradient is the mean of signed errors."""
    errors = (HALF, -HALF)
    true = slopes(lambda b: sum((e + b[0]) ** 2 for e in errors) / 2 / len(errors), (F(0),))[0]
    return Comparison(
        "db for two examples with errors 1/2 and −1/2, as the mean absolute error",
        sum(abs(e) for e in errors) / len(errors),
        sum(errors) / len(errors),
        true,
    )


def sum_over_everything() -> Comparison:
    """Summed over units too, the bias gradient is 0."""
    a = ((HALF, F(1, 3)), (F(1, 4), F(1, 3)), (F(1, 4), F(1, 3)))
    y = ((F(1), F(0)), (F(0), F(1)), (F(0), F(0)))
    delta = tuple(
        tuple(p - t for p, t in zip(r, s, strict=True)) for r, s in zip(a, y, strict=True)
    )
    first, second = turned(delta)
    return Comparison(
        "db for 3 units and 2 examples, A − Y summed over units and examples",
        (sum(v for row in delta for v in row) / 2,) * 3,
        tuple(sum(row) / 2 for row in delta),
        tuple((u + v) / 2 for u, v in zip(first, second, strict=True)),
    )


def sum_and_product() -> Comparison:
    """A sum over examples of the whole matrix product counts each example m times."""
    x, delta, m = ((F(1), F(2)), (F(3), F(-1))), ((F(1), F(3)), (F(2), F(5))), 2

    def cost(w):
        z = product((w[:2], w[2:]), x)
        return sum(dot(a, b) for a, b in zip(z, delta, strict=True)) / m

    true = slopes(cost, (F(0),) * 4)
    whole = product(delta, turned(x))
    return Comparison(
        "dW for 2 units, 2 inputs, 2 examples, (1/m) Σ_i dZ Xᵀ with the full matrices",
        tuple(tuple(m * v / m for v in row) for row in whole),
        tuple(tuple(v / m for v in row) for row in whole),
        (true[:2], true[2:]),
    )


def slope_at_the_wrong_place() -> Comparison:
    """g′ is taken at Z of the hidden layer, not at the output's dZ."""
    z, w, t = F(-1), F(1), -HALF
    delta = w * relu(z) - t
    true = slopes(lambda p: (w * relu(p[0]) - t) ** 2 / 2, (z,), HALF)[0]
    return Comparison(
        "dZ1 for z1 = −1, W2 = 1, dZ2 = 1/2 and ReLU, with g′(dZ2)",
        w * delta * step(delta),
        w * delta * step(z),
        true,
    )


@digits
def slope_is_no_inverse() -> Comparison:
    """σ′ scales; the inverse of σ is another function."""
    half = sigmoid(0)
    return Comparison(
        "what undoes σ at z = 0: σ′(0), or ln(a/(1 − a)) at a = σ(0)",
        half * (1 - half),
        mpmath.log(half / (1 - half)),
        mpf(0),
    )


def best_rate() -> Comparison:
    """0.01 is a choice, not a value that is best."""
    return Comparison(
        "w after 100 steps on w² from 1, α = 0.01 against the best α = 1/2",
        descend(F(1, 100)),
        (1 - 2 * HALF) ** 100,
        min((descend(rate) for rate in (F(1, 10), F(3, 10), HALF, F(7, 10))), key=abs),
    )


def low_rate() -> Comparison:
    """A lower rate is not better."""
    rates = (F(1, 10**6), F(1, 100), F(1, 10), HALF)
    return Comparison(
        "rates 1e−6, 0.01, 0.1, 0.5 from best to worst after 100 steps on w², lowest best",
        rates,
        tuple(sorted(rates, key=lambda rate: abs(1 - 2 * rate))),
        tuple(sorted(rates, key=lambda rate: abs(descend(rate)))),
    )


def descend(rate: F, steps: int = 100) -> F:
    """Return w after descent on w² from 1."""
    w = F(1)
    for _ in range(steps):
        w -= rate * 2 * w
    return w


def step(z: F) -> int:
    """Return ReLU′(z), 0 at 0."""
    return int(z > 0)


def third_difference(values) -> F:
    """Return y3 − 3 y2 + 3 y1 − y0."""
    return values[3] - 3 * values[2] + 3 * values[1] - values[0]


CHECKS = (
    pixels, its_own_transpose, all_connections_no_activation, one_connection_each, shapes,
    square_activation, never_certain, another_loss, signed_not_absolute, sum_over_everything,
    sum_and_product, slope_at_the_wrong_place, slope_is_no_inverse, best_rate, low_rate,
)  # fmt: skip
