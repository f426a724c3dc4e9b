"""Binary cross-entropy from the logit, in the form in which no exponential can overflow."""

import sympy
from sympy import Abs, Max, exp, log

from derivations.language import numbers
from derivations.proof import Chain, Condition, Derivation, Fact, Step

z, y, a = numbers("z y a")


def _not_negative(world):
    world.values[z] = abs(world.number(z))


def _negative(world):
    world.values[z] = -abs(world.number(z))


above = (
    Condition(Max(z, 0), z, "max(z, 0) = z and |z| = z for z ≥ 0", _not_negative),
    Condition(Abs(z), z, "max(z, 0) = z and |z| = z for z ≥ 0", _not_negative),
)
below = (
    Condition(Max(z, 0), sympy.S.Zero, "max(z, 0) = 0 and |z| = −z for z < 0", _negative),
    Condition(Abs(z), -z, "max(z, 0) = 0 and |z| = −z for z < 0", _negative),
)
by_a = -y * log(a) - (1 - y) * log(1 - a)
by_z = (1 - y) * z + log(1 + exp(-z))
stable = Max(z, 0) - y * z + log(1 + exp(-Abs(z)))

theorem = Derivation(
    name="binary_cross_entropy_stable",
    title="Binary cross-entropy from the logit: ℓ = max(z, 0) − y z + log(1 + e^(−|z|))",
    quantifiers=(
        "every logit z",
        "every target y",
        "one output; the loss of an example adds its outputs",
    ),
    intuition="The loss is nearly a straight line far from 0 on either side: z or 0, less y z. The "
    "logarithm is the rounding of the corner, and its exponential is never above 1.",
    definitions={a: lambda: 1 / (1 + exp(-z))},
    chains=(
        Chain(
            "ℓ",
            by_a,
            "the definition, with a = σ(z)",
            (
                Step(
                    y * log(1 + exp(-z)) - (1 - y) * log(exp(-z) / (1 + exp(-z))),
                    "1 − a = e^(−z)/(1 + e^(−z))",
                ),
                Step(
                    y * log(1 + exp(-z)) + (1 - y) * (z + log(1 + exp(-z))),
                    "log of a quotient",
                ),
                Step(by_z, "y + (1 − y) = 1"),
            ),
        ),
        Chain(
            "ℓ for z ≥ 0",
            by_z,
            "the first claim; e^(−z) is at most 1",
            (
                Step(z - y * z + log(1 + exp(-z)), "multiplied out"),
                Step(stable, "max(z, 0) = z, |z| = z", above),
            ),
        ),
        Chain(
            "ℓ for z < 0",
            by_z,
            "the first claim; e^(−z) is above 1 and may overflow",
            (
                Step(z - y * z + log(exp(-z) * (1 + exp(z))), "take e^(−z) out"),
                Step(-y * z + log(1 + exp(z)), "log of a product: log e^(−z) = −z"),
                Step(stable, "max(z, 0) = 0, |z| = −z", below),
            ),
        ),
    ),
    facts=(
        Fact(
            "the smallest double above 1 is 1 + 2⁻⁵², and e^(−38) is below half of that step: 1 "
            "+ e^(−38) is rounded to 1, so a is 1 and log(1 − a) is −∞, while ℓ for y = 0 is 38",
            lambda: (bool(exp(-38) < sympy.Rational(1, 2**53)), True),
        ),
    ),
    remark="Does the corner of max and |z| at 0 harm the derivative? No: both sides meet there "
    "with the same slope 1/2 − y, as the function is the smooth one of the first claim. The "
    "delta is σ(z) − y everywhere, and it is not taken from this form.",
    sources=("S1-C25",),
)
