"""Why a small step against the gradient lowers the cost, with two learning rates as with one."""

from fractions import Fraction

from derivations.language import arrays, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

n, m = sizes("n m")
w, b, g, h = arrays("w b g h")
(t,) = numbers("t")
rate_w, rate_b, rate = numbers("η_w η_b η", positive=True)


def _example():
    """One step on C = (w + b − 2)² + w², from (1, −1) with rates 1/20 and 1/5."""

    def cost(w, b):
        return (w + b - 2) ** 2 + w**2

    w, b = Fraction(1), Fraction(-1)
    by_w, by_b = 2 * (w + b - 2) + 2 * w, 2 * (w + b - 2)
    after = cost(w - Fraction(1, 20) * by_w, b - Fraction(1, 5) * by_b)
    return (by_w, by_b, cost(w, b), after), (-2, -4, 5, Fraction(242, 100))


theorem = Derivation(
    name="descent_direction",
    title="Against the gradient C starts downhill: dC/dt = −η_w Σ (∂C/∂w)² − η_b Σ (∂C/∂b)²",
    quantifiers=(
        "every differentiable cost C",
        "every number of weights n and of biases m",
        "all positive learning rates η_w and η_b",
    ),
    intuition="Each parameter moves to where the cost falls, whatever the others do. Their shares "
    "add up, and a rate only says how large a share is.",
    definitions={},
    conditions=(
        "g = ∂C/∂w and h = ∂C/∂b, all taken at the same point",
        "t goes from 0 to 1 along the step, and dC/dt is taken where it starts",
        "it is below 0 unless every slope is 0; how far one may go is another question",
    ),
    chains=(
        Chain(
            "dC/dt",
            total(n, lambda i: g[i] * partial(w[i] - rate_w * t * g[i], t))
            + total(m, lambda j: h[j] * partial(b[j] - rate_b * t * h[j], t)),
            "chain rule: C moves by Σ g dw + Σ h db",
            (
                Step(
                    total(n, lambda i: g[i] * (-rate_w * g[i]))
                    + total(m, lambda j: h[j] * (-rate_b * h[j])),
                    "each parameter moves at minus its rate times its slope",
                ),
                Step(
                    -rate_w * total(n, lambda i: g[i] ** 2)
                    - rate_b * total(m, lambda j: h[j] ** 2),
                    "the rates are the same for all; squares, so no share can be positive",
                ),
            ),
        ),
        Chain(
            "dC/dt along +gradient",
            total(n, lambda i: g[i] * partial(w[i] + rate * t * g[i], t)),
            "the sign turned, biases still",
            (Step(rate * total(n, lambda i: g[i] ** 2), "the cost rises"),),
        ),
    ),
    facts=(
        Fact("C = (w + b − 2)² + w² at (1, −1) has the gradient (−2, −4); a step with η_w = 0.05 "
             "and η_b = 0.2 takes C from 5 to 2.42", _example),
    ),
    remark="How small is small? This is the slope at the start of the step. Further along the "
    "slopes change, and too long a step can end higher than it began. Where all slopes are 0, "
    "nothing moves: at a minimum, but at a saddle as well.",
    sources=(
        *("S0-C43", "S0-E44", "S0-C47", "S1-C48", "S1-E51", "S1-E52", "S2-C36", "S2-E42"),
        *("S3-E60", "S3-E61", "S3-E62", "S3-E63", "S4-E37", "S4-E38", "S4-C39"),
    ),
    fixed="one step alone is computed with numbers; the theorem is for every cost",
)  # fmt: skip
