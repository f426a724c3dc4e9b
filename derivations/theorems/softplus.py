"""Softplus, the smooth ReLU: its slope is the sigmoid, and how to compute it without overflow."""

from sympy import Abs, Max, exp, log

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

(u,) = numbers("u", positive=True)
z, a, sigma_z, right, left = numbers("z a σ(z) z₊ z₋")


def stable(z):
    """Return the form in which every exponential is at most 1."""
    return Max(z, 0) + log(1 + exp(-Abs(z)))


theorem = Derivation(
    name="softplus",
    title="Softplus: log(1 + e^z) has the slope σ(z)",
    quantifiers=("every real z", "every u > 0: z₊ = u lies to the right of 0, z₋ = −u to the left"),
    intuition="Softplus is ReLU with the kink rounded off, so its slope climbs from 0 to 1 without "
    "a jump. The climb is the sigmoid.",
    definitions={
        sigma_z: lambda: 1 / (1 + exp(-z)),
        a: lambda: log(1 + exp(z)),
        right: lambda: u,
        left: lambda: -u,
    },
    chains=(
        Chain(
            "softplus′(z)",
            partial(log(1 + exp(z)), z),
            "by its definition",
            (
                Step(exp(z) / (1 + exp(z)), "chain rule: (log v)′ = v′/v"),
                Step(1 / (1 + exp(-z)), "above and below times e^(−z)"),
                Step(sigma_z, "the sigmoid"),
            ),
        ),
        Chain(
            "softplus′(z) from the output",
            exp(z) / (1 + exp(z)),
            "what was just shown",
            (
                Step(1 - 1 / (1 + exp(z)), "e^z = (1 + e^z) − 1, divided"),
                Step(1 - exp(-a), "e^a = 1 + e^z"),
            ),
        ),
        Chain(
            "softplus(z), right of 0",
            log(1 + exp(right)),
            "by its definition",
            (
                Step(log(exp(right) * (1 + exp(-right))), "e^z₊ taken out"),
                Step(right + log(1 + exp(-right)), "the log of a product is the sum of the logs"),
                Step(stable(right), "|z₊| = z₊ and max(z₊, 0) = z₊"),
            ),
        ),
        Chain(
            "softplus(z), left of 0",
            log(1 + exp(left)),
            "by its definition",
            (Step(stable(left), "−|z₋| = z₋ and max(z₋, 0) = 0"),),
        ),
    ),
    facts=(Fact("at 0 both forms are log 2", lambda: (stable(z).subs(z, 0), log(2))),),
    remark="Why the second form? e^1000 is too large for floating point, so log(1 + e^1000) comes "
    "out as infinity. e^(−|z|) is never above 1, and 1000 comes out as 1000.",
)
