"""The slope of the sigmoid without a subtraction: equal on paper, better in floating point."""

import math

from sympy import exp

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

z, sigma_z, sigma_minus_z = numbers("z σ(z) σ(−z)")


def _sigmoid(z):
    return 1 / (1 + math.exp(-z))


def _rounded_slopes():
    subtracting = _sigmoid(37.0) * (1 - _sigmoid(37.0))
    multiplying = _sigmoid(37.0) * _sigmoid(-37.0)
    exact = float((exp(-37) / (1 + exp(-37)) ** 2).evalf(30))
    return (subtracting, f"{multiplying:.12e}"), (0.0, f"{exact:.12e}")


theorem = Derivation(
    name="sigmoid_accurate",
    title="The slope of the sigmoid without a subtraction: σ′(z) = σ(z) σ(−z)",
    quantifiers=("every real z",),
    intuition="What is missing to 1 on the one side of the sigmoid is what has been reached on the "
    "other: 1 − σ(z) = σ(−z). So the slope is a product of two sigmoids, the same for z and −z.",
    definitions={
        sigma_z: lambda: 1 / (1 + exp(-z)),
        sigma_minus_z: lambda: 1 / (1 + exp(z)),
    },
    chains=(
        Chain(
            "1 − σ(z)",
            1 - 1 / (1 + exp(-z)),
            "σ written out",
            (
                Step(exp(-z) / (1 + exp(-z)), "put over a common denominator"),
                Step(1 / (exp(z) + 1), "above and below times e^z"),
                Step(sigma_minus_z, "1/(1 + e^(−v)) at v = −z"),
            ),
        ),
        Chain(
            "σ′(z)",
            partial(sigma_z, z),
            "the slope of the sigmoid",
            (
                Step(sigma_z * (1 - sigma_z), "the theorem 'sigmoid'"),
                Step(sigma_z * sigma_minus_z, "1 − σ(z) = σ(−z)"),
            ),
        ),
        Chain(
            "σ′(−z)",
            sigma_minus_z * (1 - sigma_minus_z),
            "the theorem 'sigmoid' at −z",
            (Step(sigma_z * sigma_minus_z, "1 − σ(−z) = σ(z): the slope is an even function"),),
        ),
    ),
    facts=(
        Fact(
            "with 53 binary digits σ(37) is 1, so σ(37) (1 − σ(37)) is 0; "
            "σ(37) σ(−37) is 8.533047625744e-17, right to the digits shown",
            _rounded_slopes,
        ),
    ),
    remark="Why bother, if both are equal? 1 − σ(z) subtracts two nearly equal numbers, and what "
    "was rounded off in σ(z) is all that is left. σ(−z) is computed as a small number from the "
    "start and has all its digits.",
    sources=("S1-E42",),
)
