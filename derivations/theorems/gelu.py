"""GELU, the input times the chance that a standard normal number is below it."""

from sympy import Rational, erf, exp, limit, oo, pi, sqrt

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

z, below, density, complement = numbers("z Φ(z) φ(z) erfc(−z/√2)")
half = Rational(1, 2)


def _far_out():
    part, height = (1 + erf(z / sqrt(2))) / 2, exp(-(z**2) / 2) / sqrt(2 * pi)
    slope = part + z * height
    return (limit(z * part, z, -oo), limit(slope, z, -oo), limit(slope, z, oo)), (0, 0, 1)


theorem = Derivation(
    name="gelu",
    title="GELU: z Φ(z) has the slope Φ(z) + z φ(z)",
    quantifiers=("every real z",),
    intuition="Φ(z) is the part of the bell curve to the left of z, and it grows by the height of "
    "the curve there, φ(z). The slope has one part for what passes and one for that growth.",
    definitions={
        below: lambda: (1 + erf(z / sqrt(2))) / 2,
        density: lambda: exp(-(z**2) / 2) / sqrt(2 * pi),
        complement: lambda: 1 - erf(-z / sqrt(2)),
    },
    chains=(
        Chain(
            "Φ′(z)",
            partial(below, z),
            "the slope of the distribution function",
            (
                Step(half * partial(erf(z / sqrt(2)), z), "the constant falls away"),
                Step(
                    half * (2 / sqrt(pi)) * exp(-(z**2) / 2) * (1 / sqrt(2)),
                    "chain rule: erf′(v) = 2 e^(−v²)/√π at v = z/√2",
                ),
                Step(density, "the density"),
            ),
        ),
        Chain(
            "Φ(z)",
            half * (1 + erf(z / sqrt(2))),
            "by its definition",
            (Step(half * complement, "erfc(v) = 1 − erf(v), and erf is odd"),),
        ),
        Chain(
            "gelu(z)",
            z * (1 + erf(z / sqrt(2))) / 2,
            "by its definition",
            (Step(z * below, "the distribution function"),),
        ),
        Chain(
            "gelu′(z)",
            partial(z * below, z),
            "what was just shown",
            (
                Step(below + z * partial(below, z), "product rule"),
                Step(below + z * density, "Φ′ = φ"),
            ),
        ),
    ),
    facts=(Fact("far left the value and the slope go to 0, far right the slope to 1", _far_out),),
    remark="Why erfc? For z far below 0 Φ(z) is tiny, and 1 + erf(z/√2) would be the difference of "
    "two nearly equal numbers; erfc(−z/√2) has all its digits there.",
)
