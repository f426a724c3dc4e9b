"""The price of a house from its area: a line, its average loss, and the two slopes of that."""

from fractions import Fraction

from derivations.language import arrays, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(n,) = sizes("n")
x, y, p = arrays("x y p")
w, b, AL = numbers("w b AL")

AREAS, PRICES = (1, 2, 3), (2, 3, 5)


def _loss(w, b):
    return Fraction(
        sum((y - w * x - b) ** 2 for x, y in zip(AREAS, PRICES, strict=True)), len(AREAS)
    )


theorem = Derivation(
    name="linear_model",
    title="The line p(x) = w x + b: ∂AL/∂w = −(2/n) Σ (y − p) x and ∂AL/∂b = −(2/n) Σ (y − p)",
    quantifiers=("every number of points n", "all points (x, y)", "all w and b"),
    intuition="If prices lie above the line, it has to rise. The bias hears every error alike; the "
    "weight hears an error the more, the larger the house that it was made at.",
    definitions={
        p: lambda i: w * x[i] + b,
        AL: lambda: total(n, lambda i: (y[i] - p[i]) ** 2) / n,
    },
    chains=(
        Chain(
            "∂AL/∂w",
            partial(AL, w),
            "AL is the average loss of the notes",
            (
                Step(
                    -2 / n * total(n, lambda i: (y[i] - p[i]) * partial(p[i], w)),
                    "(u²)′ = 2 u u′, and p has a minus sign",
                ),
                Step(-2 / n * total(n, lambda i: (y[i] - p[i]) * x[i]), "∂p[i]/∂w = x[i]"),
                Step(
                    -2 / n * total(n, lambda i: (y[i] - w * x[i] - b) * x[i]),
                    "the line put in",
                ),
            ),
        ),
        Chain(
            "∂AL/∂b",
            partial(AL, b),
            "the same cost; w stays where it is",
            (
                Step(
                    -2 / n * total(n, lambda i: (y[i] - p[i]) * partial(p[i], b)),
                    "(u²)′ = 2 u u′, and p has a minus sign",
                ),
                Step(-2 / n * total(n, lambda i: y[i] - p[i]), "∂p[i]/∂b = 1"),
                Step(
                    -2 / n * total(n, lambda i: y[i] - w * x[i] - b),
                    "the line put in",
                ),
            ),
        ),
    ),
    facts=(
        Fact(
            "areas 1, 2, 3, prices 2, 3, 5, at w = 1, b = 0: the slopes are −6 and −8/3, found "
            "from differences of AL, which are exact for squares",
            lambda: (
                [(_loss(2, 0) - _loss(0, 0)) / 2, (_loss(1, 1) - _loss(1, -1)) / 2],
                [-6, Fraction(-8, 3)],
            ),
        ),
    ),
    remark="What is n? The number of points; there are only two parameters, one w and one b, "
    "however many points there are. And what is held constant in a partial derivative? The other "
    "parameter, at the value that it has now, best or not.",
    sources=("S0-C25", "S0-E27", "S0-C28", "S0-E31"),
)
