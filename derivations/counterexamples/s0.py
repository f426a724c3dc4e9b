"""What the first notes (S0) say about units, depth and descent, with numbers in it."""

from fractions import Fraction as F
from itertools import pairwise

import sympy
from mpmath import mpf

from derivations.counterexamples.compare import Comparison, digits, dot, product, relu, sign, slopes

TENTH, QUARTER, HALF = F(1, 10), F(1, 4), F(1, 2)


def bias_in_the_sum() -> Comparison:
    """A bias under the sum sign is added once per input."""
    x, w, b = (F(1), F(2)), (F(3), F(4)), HALF
    inside = sum(xi * wi + b for xi, wi in zip(x, w, strict=True))
    return Comparison(
        "z for x = (1,2), w = (3,4), b = 1/2, the bias under the sum sign",
        inside,
        dot(x, w) + b,
        F(1 * 3 + 2 * 4) + b,
    )


def input_layers() -> Comparison:
    """A network with n input nodes has one input layer."""
    sizes, wires = (784, 10, 10), ((0, 1), (1, 2))
    unfed = [layer for layer in range(len(sizes)) if all(to != layer for _, to in wires)]
    return Comparison(
        "how many input layers 784-10-10 has, n taken as their number",
        sizes[0],
        len(sizes[:1]),
        len(unfed),
    )


def affine_bricks() -> Comparison:
    """Affine functions alone do not make XOR; two ReLUs do."""
    points, wanted = ((0, 0), (0, 1), (1, 0), (1, 1)), (0, 1, 1, 0)
    design = sympy.Matrix([[1, *point] for point in points])
    target = sympy.Matrix(wanted)
    best = (design.T * design).inv() * design.T * target
    rest = design * best - target
    bent = [relu(a + b) - 2 * relu(a + b - 1) for a, b in points]
    return Comparison(
        "least mean squared error on XOR with affine bricks, and with ReLU of them",
        F(str(rest.dot(rest) / 4)),
        sum(F(f - y) ** 2 for f, y in zip(bent, wanted, strict=True)) / 4,
        F(0),
    )


def dead_layer() -> Comparison:
    """A further layer can leave one linear piece."""
    once = pieces(relu, F(-2), F(2))
    twice = pieces(lambda x: relu(-relu(x) - 1), F(-2), F(2))
    return Comparison(
        "linear pieces of ReLU(x) and of ReLU(−ReLU(x) − 1), if each layer adds one",
        (2, 3),
        (2, 1),
        (once, twice),
    )


def tent_pieces() -> Comparison:
    """The pieces of a composed tent double with each layer: no proportion."""

    def folded(x: F, layers: int) -> F:
        for _ in range(layers):
            x = 2 * relu(x) - 4 * relu(x - HALF)
        return x

    depths = range(1, 7)
    counted = tuple(pieces(lambda x, k=k: folded(x, k), F(0), F(1)) for k in depths)
    return Comparison(
        "linear pieces on [0,1] of a tent composed 1 to 6 times, in proportion to the first",
        tuple(counted[0] * k for k in depths),
        tuple(2**k for k in depths),
        counted,
    )


def last_unit_dropped() -> Comparison:
    """`range(1, n)` stops before n."""
    units = ("first", "second", "third")
    return Comparison(
        "the units of a layer of three, numbered by range(1, 3)",
        tuple(range(1, len(units))),
        tuple(range(1, len(units) + 1)),
        tuple(number for number, _ in enumerate(units, 1)),
    )


def outer_product() -> Comparison:
    """A column times a row is a matrix, not a weighted sum."""
    x, w, b = (F(1), F(2)), (F(3), F(4)), (HALF, HALF)
    outer = product(tuple((xi,) for xi in x), (w,))
    added = tuple(tuple(entry + bi for entry in row) for row, bi in zip(outer, b, strict=True))
    return Comparison(
        "x wᵀ + b for x = (1,2), w = (3,4), b = 1/2 each, b added to every column",
        added,
        product((w,), tuple((xi,) for xi in x))[0][0] + b[0],
        F(3) + F(8) + HALF,
    )


def relu_at_the_output() -> Comparison:
    """ReLU at the output cannot come near a negative target."""
    target, grid = F(-1), [F(i, 4) for i in range(-20, 21)]
    return Comparison(
        "least (−1 − a)² over z, with a = ReLU(z) and with a = z",
        min((target - relu(z)) ** 2 for z in grid),
        min((target - z) ** 2 for z in grid),
        (target - target) ** 2,
    )


def plain_sum_of_relus() -> Comparison:
    """ReLUs have to be weighted before they are added."""
    knots = ((F(0), F(1)), (F(1), F(3)), (F(5, 2), F(-1)), (F(4), F(0)))
    slope = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(knots)]
    weights = [slope[0], *(b - a for a, b in pairwise(slope))]

    def curve(x: F, v: list[F]) -> F:
        bent = zip(v, knots, strict=False)
        return knots[0][1] + sum(vj * relu(x - place) for vj, (place, _) in bent)

    return Comparison(
        "three ReLUs added to pass through (0,1), (1,3), (5/2,−1), (4,0)",
        tuple(curve(x, [F(1)] * 3) for x, _ in knots),
        tuple(curve(x, weights) for x, _ in knots),
        tuple(y for _, y in knots),
    )


def ambient_space() -> Comparison:
    """A point of the graph of two inputs and one output has three coordinates."""
    point = (*(F(1), F(2)), F(1) + F(2))
    return Comparison(
        "coordinates of a point of the graph, 2 inputs and 1 output", 2 + 1, 3, len(point)
    )


def graph_dimension() -> Comparison:
    """The graph of n inputs is n-dimensional, in a space of n + m dimensions."""
    x, y = sympy.symbols("x y")
    graph = sympy.Matrix([x, y, 3 * x - 2 * y + 1])
    return Comparison(
        "independent directions in the graph of 2 inputs and 1 output",
        2 + 1,
        2,
        graph.jacobian([x, y]).rank(),
    )


def weights_and_biases() -> Comparison:
    """There is one bias per unit, not one per weight."""
    sizes = (784, 10, 10)
    pairs = list(pairwise(sizes))
    return Comparison(
        "biases of 784-10-10, if each weight w_i has a bias b_i",
        sum(rows * columns for rows, columns in pairs),
        sum(sizes[1:]),
        len([unit for _, columns in pairs for unit in range(columns)]),
    )


def partial_at_the_optimum() -> Comparison:
    """The other variables are held where they are, not at their optimum."""

    def loss(p):
        return (p[0] + p[1] - 2) ** 2

    return Comparison(
        "∂AL/∂w at (0,0) for AL = (w + b − 2)², b put at its best value 2",
        slopes(loss, (F(0), F(2)))[0],
        2 * (F(0) + F(0) - 2),
        slopes(loss, (F(0), F(0)))[0],
    )


def swapped_axes() -> Comparison:
    """With AL on the x axis the slope is the reciprocal."""
    w, near = F(5), F(1, 2)
    low, high = ((w - near - 3) ** 2, (w + near - 3) ** 2)
    return Comparison(
        "∂AL/∂w at w = 5 for AL = (w − 3)², read off with AL on the x axis",
        (2 * near) / (high - low),
        2 * (w - 3),
        (high - low) / (2 * near),
    )


def positive_but_falling() -> Comparison:
    """A positive derivative may be falling."""

    def derivative(w: F) -> F:
        return 2 * w / (1 + w**2)

    w, further = F(2), F(21, 10)
    return Comparison(
        "sign of the change of ∂AL/∂w from w = 2 to 2.1, AL = ln(1 + w²), from ∂AL/∂w > 0",
        sign(derivative(w)),
        sign(2 * (1 - w**2) / (1 + w**2) ** 2),
        sign(derivative(further) - derivative(w)),
    )


def overshoot() -> Comparison:
    """With too large a rate descent runs away."""
    w, rate = F(1), F(11, 10)
    for _ in range(4):
        w -= rate * slopes(lambda p: p[0] ** 2, (w,))[0]
    return Comparison(
        "w after 4 steps from 1 on AL = w² with α = 1.1, if it nears the lowest point",
        F(0),
        (1 - 2 * rate) ** 4,
        w,
    )


@digits
def local_minimum() -> Comparison:
    """Descent ends in the valley in which it began."""
    a = sympy.Symbol("a")
    loss = a**4 - 2 * a**2 + sympy.Rational(3, 10) * a
    low, _, near = (mpf(root) for root in sympy.Poly(loss.diff(a)).nroots(n=40))
    w = mpf(3) / 2
    for _ in range(1500):
        w -= (4 * w**3 - 4 * w + mpf(3) / 10) / 100

    def height(v: mpf) -> mpf:
        return v**4 - 2 * v**2 + 3 * v / 10

    return Comparison(
        "AL = w⁴ − 2w² + 0.3w where descent from 1.5 ends, if that is the optimum",
        height(low),
        height(near),
        height(w),
    )


def wrong_way() -> Comparison:
    """Adding α times a negative derivative raises the loss."""
    w, rate = F(1), TENTH
    slope = slopes(lambda p: (p[0] - 3) ** 2, (w,))[0]
    return Comparison(
        "AL = (w − 3)² after a step from w = 1 with α = 0.1 and ∂AL/∂w = −4",
        (w + rate * slope - 3) ** 2,
        (w - rate * slope - 3) ** 2,
        ((1 - 2 * rate) * (w - 3)) ** 2,
    )


def one_after_the_other() -> Comparison:
    """Gradients are taken at one point, then everything is updated."""

    def loss(p):
        return (p[0] + p[1] - 2) ** 2

    start = (F(0), F(0))
    both = tuple(v - QUARTER * g for v, g in zip(start, slopes(loss, start), strict=True))
    first = (both[0], start[1])
    then = (both[0], start[1] - QUARTER * slopes(loss, first)[1])
    return Comparison(
        "AL = (w + b − 2)² after a step from (0,0) with α = 1/4, w before b",
        loss(then),
        loss(both),
        (2 * QUARTER * 2 + 2 * QUARTER * 2 - 2) ** 2,
    )


def pieces(f, low: F, high: F, cells: int = 256) -> int:
    """Count linear pieces: changes of slope on a grid that holds every bend, and one more."""
    step = (high - low) / cells
    values = [f(low + i * step) for i in range(cells + 1)]
    slope = [b - a for a, b in pairwise(values)]
    return 1 + sum(a != b for a, b in pairwise(slope))


CHECKS = (
    bias_in_the_sum, input_layers, affine_bricks, dead_layer, tent_pieces, last_unit_dropped,
    outer_product, relu_at_the_output, plain_sum_of_relus, ambient_space, graph_dimension,
    weights_and_biases, partial_at_the_optimum, swapped_axes, positive_but_falling, overshoot,
    local_minimum, wrong_way, one_after_the_other,
)  # fmt: skip
