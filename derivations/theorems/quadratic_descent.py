"""Gradient descent where it can be followed exactly: when it converges, and when it can't."""

from decimal import Decimal
from fractions import Fraction

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

w, c, alpha, start, now, r, power, next_power = numbers("w c alpha w₀ wₜ r rᵗ rᵗ⁺¹")
(t,) = numbers("t", integer=True, positive=True)


def _too_far():
    """w² from 1 with α = 1.1: r = −1.2, so every step ends further away."""
    path, rate = [Fraction(1)], Fraction(11, 10)
    for _ in range(4):
        path.append(path[-1] - rate * 2 * path[-1])
    return [float(p) for p in path], [1, -1.2, 1.44, -1.728, 2.0736]


def _rates():
    """w² from 1, 100 steps: the distance left, as a fraction, for several rates."""
    left = {}
    for rate in (Fraction(1, 10**6), Fraction(1, 100), Fraction(1, 2), Fraction(11, 10)):
        w = Fraction(1)
        for _ in range(100):
            w -= rate * 2 * w
        left[float(rate)] = (float(rate), w < 1, w < Fraction(1, 2), w == 0)
    return list(left.values()), [
        (1e-6, True, False, False), (0.01, True, True, False),
        (0.5, True, True, True), (1.1, False, False, False),
    ]  # fmt: skip


def _two_valleys():
    """w⁴ − 2w² + 0.3w from both sides with α = 0.01: two ends, and only one is the lowest."""
    ends = []
    for w in (Decimal("1.5"), Decimal("-1.5")):
        for _ in range(2000):
            w -= Decimal("0.01") * (4 * w**3 - 4 * w + Decimal("0.3"))
        ends += [round(w, 3), round(w**4 - 2 * w**2 + Decimal("0.3") * w, 3)]
    return [str(e) for e in ends], ["0.960", "-0.706", "-1.036", "-1.305"]


theorem = Derivation(
    name="quadratic_descent",
    title="Descent on (w − c)²: wₜ = c + (1 − 2α)ᵗ (w₀ − c), so it converges for 0 < α < 1 alone",
    quantifiers=("every start w₀", "every minimum c", "every learning rate α", "every step t"),
    intuition="On a parabola the slope is twice the distance, so each step removes the same share "
    "of what is left. A share above 1 lands on the other side, and above 2 further away than "
    "before.",
    definitions={
        r: lambda: 1 - 2 * alpha,
        power: lambda: r**t,
        next_power: lambda: r ** (t + 1),
        now: lambda: c + power * (start - c),
    },
    conditions=("AL = (w − c)²", "a step is w − α ∂AL/∂w"),
    chains=(
        Chain(
            "∂AL/∂w",
            partial((w - c) ** 2, w),
            "AL = (w − c)²",
            (Step(2 * (w - c), "power rule"),),
        ),
        Chain(
            "w after one step",
            w - alpha * partial((w - c) ** 2, w),
            "the rule of descent",
            (
                Step(w - alpha * 2 * (w - c), "the slope from above"),
                Step(c + r * (w - c), "add and subtract c; r = 1 − 2α is what is left of w − c"),
            ),
        ),
        Chain(
            "w₁",
            start - alpha * 2 * (start - c),
            "BASE, t = 1: the first step, from w₀",
            (Step(c + r * (start - c), "as above: the formula with t = 1"),),
        ),
        Chain(
            "wₜ₊₁",
            now - alpha * 2 * (now - c),
            "STEP, suppose that wₜ is right",
            (
                Step(c + r * (now - c), "as above"),
                Step(c + r * power * (start - c), "wₜ − c = rᵗ (w₀ − c), which was supposed"),
                Step(c + next_power * (start - c), "r · rᵗ = rᵗ⁺¹: the formula with t + 1"),
            ),
        ),
        Chain(
            "fall of AL in one step",
            (w - c) ** 2 - (r * (w - c)) ** 2,
            "the loss before and after",
            (
                Step((1 - r**2) * (w - c) ** 2, "(w − c)² is in both"),
                Step(
                    4 * alpha * (1 - alpha) * (w - c) ** 2,
                    "1 − (1 − 2α)² = 4α − 4α²: positive only for 0 < α < 1",
                ),
            ),
        ),
    ),
    facts=(
        Fact("with α = 1.1 on w², descent goes 1, −1.2, 1.44, −1.728, 2.0736: it diverges",
             _too_far),
        Fact("100 steps on w² from 1: α = 0.000001 hardly moves, 0.01 gets nearer, 0.5 is there, "
             "1.1 is further away than at the start", _rates),
        Fact("on w⁴ − 2w² + 0.3w descent from 1.5 ends at 0.960 with −0.706, from −1.5 at −1.036 "
             "with −1.305: not every end is the lowest point", _two_valleys),
    ),
    remark="Is a low rate better then? At α = 1/2 the factor r is 0 and one step is enough; both "
    "lower and higher rates leave more. With r below 0 descent jumps from side to side, with r at "
    "−1 for ever, and below −1 it runs away.",
    sources=(
        *("S0-E44", "S0-C45", "S0-C48", "S1-C50", "S3-E56", "S3-C57", "S4-C29"),
    ),
    fixed="the three examples alone are computed with numbers; the formula is for every α and t",
)  # fmt: skip
