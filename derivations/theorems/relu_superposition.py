"""A sum of ReLUs through any number of points: each one bends the line where a point is."""

from fractions import Fraction

import sympy
from sympy import Piecewise, S

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Condition, Derivation, Fact, Step

(n,) = sizes("n")
(r,) = indices("r")
t, y, s, v, d = arrays("t y s v d")
x, c = numbers("x c")


def relu(u):
    """u above 0, and 0 elsewhere."""
    return Piecewise((u, u > 0), (0, True))


def after(u):
    """1 above 0, and 0 elsewhere."""
    return Piecewise((1, u > 0), (0, True))


def _make_flat(world):
    """Set the slope before the first knot to 0."""
    world.values[(s, (0,))] = 0


flat = Condition(s[0], S.Zero, "the curve is flat before the first knot: s[0] = 0", _make_flat)


def through(knots, values):
    """The curve through the points, as a function, from the formula of the theorem."""
    slopes = [
        (values[j + 1] - values[j]) / (knots[j + 1] - knots[j]) for j in range(len(knots) - 1)
    ]
    bends = [b - a for a, b in zip([0, *slopes[:-1]], slopes, strict=True)]
    starts = knots[:-1]
    return lambda x: (
        values[0]
        + sum(
            v * max(x - k, 0) if isinstance(x - k, Fraction) else v * sympy.Max(x - k, 0)
            for v, k in zip(bends, starts, strict=True)
        )
    )


def _four_points():
    """The points (0,1), (1,3), (2.5,−1), (4,0) and three ReLUs."""
    knots = [Fraction(k) for k in ("0", "1", "2.5", "4")]
    values = [Fraction(k) for k in (1, 3, -1, 0)]
    curve = through(knots, values)
    return [curve(k) for k in knots], values


def _five_points():
    """Five points with arbitrary heights and gaps, as symbols."""
    gaps = sympy.symbols("h1:5", positive=True)
    heights = list(sympy.symbols("y0:5", real=True))
    knots = [sympy.Add(*gaps[:k]) for k in range(5)]
    curve = through(knots, heights)
    return [sympy.simplify(curve(k) - h) for k, h in zip(knots, heights, strict=True)], [0] * 5


def _inside():
    """Superposition outside a ReLU and inside it are not the same."""
    return (max(0, 1) + max(0, -1), max(0, 1 + (-1))), (1, 0)


theorem = Derivation(
    name="relu_superposition",
    title="A weighted sum of ReLUs goes through any points: f(x) = c + Σ v[j] relu(x − t[j])",
    quantifiers=("every number of knots n", "all knots t[1] < t[2] < …", "all heights y"),
    intuition="Walking to the right, each ReLU sleeps until its knot and then adds its weight to "
    "the slope. So one chooses the weights as the changes of slope from one piece to the next.",
    ranges={r: n},
    definitions={
        v: lambda j: s[j] - s[j - 1],
        d: lambda j: (y[j + 1] - y[j]) / (t[j + 1] - t[j]),
    },
    conditions=(
        "s[j] = d[j] is the slope wanted on piece j, between t[j] and t[j+1]",
        "c = y[1], the height up to the first knot: there every relu is 0 and f(t[1]) = y[1]",
        "piece r lies between t[r] and t[r+1], for r < n; on it relu′(x − t[j]) is 1 for j ≤ r and "
        "else 0",
    ),
    chains=(
        Chain(
            "∂f/∂x",
            partial(c + total(n, lambda j: v[j] * relu(x - t[j])), x),
            "f, away from the knots",
            (
                Step(
                    total(n, lambda j: v[j] * after(x - t[j])),
                    "relu′ is 1 after the knot, 0 before: crossing t[j] adds v[j]",
                ),
            ),
        ),
        Chain(
            "slope on piece 1",
            0 * x + v[1],
            "BASE. Only t[1] is crossed",
            (
                Step(s[1] - s[0], "v[1] is a change of slope"),
                Step(s[1], "it was flat before", (flat,)),
            ),
        ),
        Chain(
            "slope on piece r+1",
            s[r] + v[r + 1],
            "STEP. Suppose it is s[r] on piece r; t[r+1] is crossed",
            (
                Step(
                    s[r + 1],
                    "v[r+1] = s[r+1] − s[r]: the slopes telescope",
                ),
            ),
        ),
        Chain(
            "f(t[r+1])",
            y[r] + d[r] * (t[r + 1] - t[r]),
            "STEP. Suppose f(t[r]) = y[r]: height plus slope times length",
            (Step(y[r + 1], "the length cancels, and so does y[r]"),),
        ),
    ),
    facts=(
        Fact("(0, 1), (1, 3), (2.5, −1), (4, 0) are hit exactly by three ReLUs", _four_points),
        Fact("five points with any heights and any positive gaps are hit by four", _five_points),
        Fact("relu(1) + relu(−1) = 1, but relu(1 + (−1)) = 0: a sum does not pass through a relu",
             _inside),
    ),
    remark="What is superposed, then? The last layer, which is linear, adds the ReLUs with "
    "weights. Both inductions start at the first knot, where f = c = y[1], and go on to the last.",
    sources=("S0-C18", "S0-C07"),
    fixed="the three examples alone; slopes and heights are proved for any number of knots",
)  # fmt: skip
