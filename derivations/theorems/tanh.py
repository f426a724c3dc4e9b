"""The slope of tanh, which is a sigmoid drawn from −1 to 1."""

from sympy import exp

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Step

z, a, tanh_z, once, twice = numbers("z a tanh(z) σ(2z) σ(−2z)")
odd, even = exp(z) - exp(-z), exp(z) + exp(-z)

theorem = Derivation(
    name="tanh",
    title="The hyperbolic tangent: tanh′ = 1 − tanh², and tanh z = 2 σ(2z) − 1",
    quantifiers=("every real z",),
    intuition="Tanh is the sigmoid stretched from (0, 1) to (−1, 1) and run through twice as fast. "
    "So its slope is four times that of the sigmoid at 2z, and gone at both ends.",
    definitions={
        tanh_z: lambda: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
        a: lambda: tanh_z,
        once: lambda: 1 / (1 + exp(-2 * z)),
        twice: lambda: 1 / (1 + exp(2 * z)),
    },
    chains=(
        Chain(
            "tanh z",
            odd / even,
            "by its definition",
            (
                Step((1 - exp(-2 * z)) / (1 + exp(-2 * z)), "above and below times e^(−z)"),
                Step(2 / (1 + exp(-2 * z)) - 1, "1 − v = 2 − (1 + v) with v = e^(−2z)"),
                Step(2 * once - 1, "the sigmoid at 2z"),
            ),
        ),
        Chain(
            "tanh′(z)",
            partial(tanh_z, z),
            "tanh z = (e^z − e^(−z)) / (e^z + e^(−z))",
            (
                Step(
                    (even**2 - odd**2) / even**2,
                    "quotient rule: the slope of each of the two is the other",
                ),
                Step(1 - tanh_z**2, "divided, and tanh z = odd part over even part"),
            ),
        ),
        Chain(
            "tanh′(z) from the output",
            1 - tanh_z**2,
            "what was just shown",
            (Step((1 - a) * (1 + a), "a = tanh z is there already; difference of squares"),),
        ),
        Chain(
            "tanh′(z) without a subtraction",
            partial(2 * once - 1, z),
            "tanh z = 2 σ(2z) − 1",
            (
                Step(2 * (2 * (once * (1 - once))), "chain rule: (2z)′ = 2, σ′ = σ (1 − σ)"),
                Step(4 * once * twice, "1 − σ(2z) = σ(−2z)"),
            ),
        ),
    ),
    remark="Which of the three is best? (1 − a)(1 + a) needs the output alone, and near a = 1 its "
    "difference is exact, while 1 − a² is left with what was rounded off in a². Where a itself "
    "rounds to 1 it is 0; 4 σ(2z) σ(−2z) still has all digits there.",
    sources=("S4-E10",),
)
