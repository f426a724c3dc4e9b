"""The best line in closed form: where both slopes of the average loss are 0."""

from fractions import Fraction

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Condition, Derivation, Fact, Step

n, m = sizes("n m")
(p,) = indices("p")
x, y, X, A, r, beta, loss = arrays("x y X A r w ℓ")
w, b, h, k, AL, v, c = numbers("w b h k AL v c")
sums = numbers("Sx Sy Sxx Sxy")
Sx, Sy, Sxx, Sxy = sums

AREAS, PRICES = (1, 2, 3), (2, 3, 5)
SUMMANDS = {
    Sx: lambda i: x[i],
    Sy: lambda i: y[i],
    Sxx: lambda i: x[i] ** 2,
    Sxy: lambda i: x[i] * y[i],
}


def _named(name, summand):
    """The condition that a letter stands for a sum over the points."""

    def impose(world):
        places = range(1, world.size(n) + 1)
        xs, ys = ([world.entry(base, (i,)) for i in places] for base in (x, y))
        products = {
            Sx: xs,
            Sy: ys,
            Sxx: [u * u for u in xs],
            Sxy: [u * t for u, t in zip(xs, ys, strict=True)],
        }
        world.values[name] = sum(products[name])

    words = "Sx = Σ x[i], Sy = Σ y[i], Sxx = Σ x[i]², Sxy = Σ x[i] y[i]"
    return Condition(total(n, summand, "i"), name, words, impose)


named = tuple(_named(name, summand) for name, summand in SUMMANDS.items())


def _best(areas, prices):
    """v and c of the theorem."""
    n, sx, sy = len(areas), sum(areas), sum(prices)
    sxy = sum(x * y for x, y in zip(areas, prices, strict=True))
    v = Fraction(n * sxy - sx * sy, n * sum(x * x for x in areas) - sx**2)
    return v, (sy - v * sx) / n


def _slopes(w, b, areas, prices):
    errors = [y - w * x - b for x, y in zip(areas, prices, strict=True)]
    return sum(e * x for e, x in zip(errors, areas, strict=True)), sum(errors)


theorem = Derivation(
    name="normal_equations",
    title="The best line: w = (n Sxy − Sx Sy) / (n Sxx − Sx²), b = (Sy − w Sx) / n",
    quantifiers=(
        "every number of points n",
        "every number of inputs m",
        "all points whose x are not all the same",
    ),
    intuition="The average loss is a bowl in w and b, and at its bottom no direction goes down, "
    "so both slopes are 0. These are two linear equations for two numbers.",
    ranges={p: m},
    definitions={
        AL: lambda: total(n, lambda i: (y[i] - w * x[i] - b) ** 2) / n,
        v: lambda: (n * Sxy - Sx * Sy) / (n * Sxx - Sx**2),
        c: lambda: (Sy - v * Sx) / n,
        A: lambda p, j: total(n, lambda s: X[s, p] * X[s, j]),
        r: lambda p: total(n, lambda s: X[s, p] * y[s]),
    },
    chains=(
        Chain(
            "∂AL/∂w",
            partial(AL, w),
            "the average loss of the line",
            (
                Step(
                    -2 / n * total(n, lambda i: (y[i] - w * x[i] - b) * x[i]),
                    "the linear model",
                ),
                Step(-2 / n * (Sxy - w * Sxx - b * Sx), "summed term by term", named),
            ),
        ),
        Chain(
            "∂AL/∂b",
            partial(AL, b),
            "the same",
            (
                Step(
                    -2 / n * total(n, lambda i: y[i] - w * x[i] - b),
                    "the linear model",
                ),
                Step(-2 / n * (Sy - w * Sx - n * b), "summed term by term; Σ_i b = n b", named),
            ),
        ),
        Chain(
            "∂AL/∂b at w = v, b = c",
            -2 / n * (Sy - v * Sx - n * c),
            "v and c put in",
            (
                Step(-2 / n * (Sy - v * Sx - (Sy - v * Sx)), "n c = Sy − v Sx"),
            ),
        ),
        Chain(
            "∂AL/∂w at w = v, b = c",
            -2 / n * (Sxy - v * Sxx - c * Sx),
            "v and c put in",
            (
                Step(
                    -2 / n**2 * (n * Sxy - n * v * Sxx - (Sy - v * Sx) * Sx),
                    "n c = Sy − v Sx",
                ),
                Step(
                    -2 / n**2 * (n * Sxy - Sx * Sy - v * (n * Sxx - Sx**2)),
                    "the terms with v together",
                ),
                Step(
                    -2 / n**2 * (n * Sxy - Sx * Sy - (n * Sxy - Sx * Sy)),
                    "the definition of v",
                ),
            ),
        ),
        Chain(
            "AL at (w + h, b + k), less AL at (w, b)",
            total(n, lambda i: (y[i] - (w + h) * x[i] - (b + k)) ** 2) / n - AL,
            "any other line",
            (
                Step(
                    total(n, lambda i: (h * x[i] + k) ** 2) / n
                    + h * partial(AL, w) + k * partial(AL, b),
                    "(u − t)² = u² − 2 u t + t² with t = h x[i] + k",
                ),
            ),
        ),
        Chain(
            "∂C/∂w[p] with m inputs",
            partial(
                total(n, lambda s: (total(m, lambda j: X[s, j] * beta[j]) - y[s]) ** 2) / n,
                beta[p],
            ),
            "C = |X w − y|²/n; a column of ones in X is the bias",
            (
                Step(
                    2 / n * total(n, lambda s: X[s, p] * (
                        total(m, lambda j: X[s, j] * beta[j]) - y[s])),
                    "chain rule; Σ_j with δ_jp keeps j = p",
                ),
                Step(
                    2 / n * (total(m, lambda j: A[p, j] * beta[j]) - r[p]),
                    "the sums exchanged: A = XᵀX, r = Xᵀy, so XᵀX w = Xᵀy",
                ),
            ),
        ),
    ),
    facts=(
        Fact(
            "areas 1, 2, 3, prices 2, 3, 5: w = 3/2, b = 1/3, and both slopes are 0 there",
            lambda: (
                (_best(AREAS, PRICES), _slopes(*_best(AREAS, PRICES), AREAS, PRICES)),
                ((Fraction(3, 2), Fraction(1, 3)), (0, 0)),
            ),
        ),
    ),
    remark="Is a point with both slopes 0 the lowest one? Here yes: where they are 0, every "
    "other line is worse by (1/n) Σ (h x + k)², which is above 0 unless all x are the same. And "
    "n Sxx − Sx² is 0 only in that case, too. For a network with activations no such formula is "
    "known.",
    sources=("S0-C29", "S0-C30", "S0-E31"),
)  # fmt: skip
