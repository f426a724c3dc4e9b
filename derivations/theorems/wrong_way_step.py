"""The rule of descent needs no second case: with a negative slope, adding goes uphill."""

from fractions import Fraction

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

w, c, d, t = numbers("w c d t")
alpha, size = numbers("alpha s", positive=True)


def _example():
    """(w − 3)² at w = 1 with α = 0.1: the slope is −4."""
    w, rate = Fraction(1), Fraction(1, 10)
    slope = 2 * (w - 3)
    right, wrong = w - rate * slope, w + rate * slope
    found = slope, right, (right - 3) ** 2, wrong, (wrong - 3) ** 2
    claimed = -4, Fraction(14, 10), Fraction(256, 100), Fraction(6, 10), Fraction(576, 100)
    return found, claimed


theorem = Derivation(
    name="wrong_way_step",
    title="With a negative slope too the step is w − α d: w + α d goes uphill",
    quantifiers=("every positive learning rate α", "every negative slope d = −s"),
    intuition="Minus a negative number is plus: the one rule w − α d turns round by itself. To "
    "turn it round once more by hand is to walk up.",
    definitions={d: lambda: -size},
    conditions=("d = ∂C/∂w is negative, and s is its size",),
    chains=(
        Chain(
            "w − α d",
            w - alpha * d,
            "the rule, unchanged",
            (Step(w + alpha * size, "d = −s: the weight grows, as it should"),),
        ),
        Chain(
            "w + α d",
            w + alpha * d,
            "the rule of the notes",
            (Step(w - alpha * size, "d = −s: the weight shrinks"),),
        ),
        Chain(
            "dC/dt along w − t α d",
            d * partial(w - t * alpha * d, t),
            "chain rule: C moves by d dw",
            (
                Step(d * (-alpha * d), "w moves at −α d"),
                Step(-alpha * size**2, "negative: the cost falls"),
            ),
        ),
        Chain(
            "dC/dt along w + t α d",
            d * partial(w + t * alpha * d, t),
            "chain rule: C moves by d dw",
            (
                Step(d * (alpha * d), "w moves at α d"),
                Step(alpha * size**2, "positive: the cost rises"),
            ),
        ),
        Chain(
            "(w − c)² after w + α ∂/∂w",
            (w + alpha * partial((w - c) ** 2, w) - c) ** 2,
            "a parabola, where it is exact",
            (
                Step((w + alpha * 2 * (w - c) - c) ** 2, "the slope is 2(w − c)"),
                Step((1 + 2 * alpha) ** 2 * (w - c) ** 2, "w − c is in both: always a loss above"),
            ),
        ),
    ),
    facts=(
        Fact("(w − 3)² at w = 1 has the slope −4; with α = 0.1 the right step goes to 1.4 and the "
             "loss from 4 to 2.56, the other to 0.6 and the loss to 5.76", _example),
    ),
    remark="What does the sign of the slope tell? Whether the cost rises or falls as w grows, and "
    "nothing about whether the slope itself rises.",
    sources=("S0-C42", "S0-C43", "S0-E44", "S0-E46"),
    fixed="one step alone is computed with numbers; the theorem is for every α and d",
)  # fmt: skip
