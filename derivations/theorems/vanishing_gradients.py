"""Vanishing gradients: why sigmoid layers, stacked deep, hardly pass an error back."""

from sympy import Rational, exp, tanh

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(n,) = sizes("n")
(p,) = indices("p")
W, delta, S = arrays("|W| |δ| S")
z, a, c, sigma_z, sigma_minus_z = numbers("z a c σ(z) σ(−z)")
omega, D, power, power_next = numbers("ω D c^L c^(L+1)", positive=True)
half, quarter = Rational(1, 2), Rational(1, 4)


def _slopes():
    sigmoid, other = 1 / (1 + exp(-z)), 1 - tanh(z) ** 2
    slope = sigmoid * (1 - sigmoid)
    found = [f"{float(f.subs(z, at).evalf(30)):.3g}" for f in (slope, other) for at in (0, 5, 10)]
    return found, ["0.25", "0.00665", "4.54e-05", "1", "0.000182", "8.24e-09"]


theorem = Derivation(
    name="vanishing_gradients",
    title="Vanishing gradients: L sigmoid layers leave at most (nω/4)^L of the largest δ",
    quantifiers=(
        "every real z",
        "every depth L",
        "n the largest width",
        "all weights with |W| ≤ ω",
        "every output a of a unit",
    ),
    conditions=(
        "sizes are never below 0, and an output a of a sigmoid is between 0 and 1, so that no term "
        "of the room is below 0",
        "D is the largest |δ|[k] where the error comes in, the case of no layer",
        "|W|[p,k] and |δ|[k] are the sizes, so that the hidden delta is at most σ′ S[p]",
    ),
    intuition="On its way back through a layer an error is multiplied by the slopes there, and a "
    "sigmoid is never steeper than 1/4. Ten such factors make a millionth, and where a unit is "
    "saturated its factor is smaller yet.",
    ranges={p: n},
    definitions={
        sigma_z: lambda: 1 / (1 + exp(-z)),
        sigma_minus_z: lambda: 1 / (1 + exp(z)),
        c: lambda: n * omega / 4,
        power_next: lambda: c * power,
        S: lambda p: total(n, lambda k: W[p, k] * delta[k]),
    },
    chains=(
        Chain(
            "1/4 − σ′(z)",
            quarter - partial(sigma_z, z),
            "how far the slope is from 1/4",
            (
                Step(quarter - sigma_z * (1 - sigma_z), "the theorem 'sigmoid'"),
                Step((half - sigma_z) ** 2, "a square, so never below 0: σ′ ≤ 1/4"),
            ),
        ),
        Chain(
            "1 − tanh′(z)",
            1 - partial(tanh(z), z),
            "how far the slope is from 1",
            (Step(tanh(z) ** 2, "tanh′ = 1 − tanh²; a square, so tanh′ ≤ 1"),),
        ),
        Chain(
            "e^(−z) − σ′(z)",
            exp(-z) - sigma_z * sigma_minus_z,
            "the theorem 'sigmoid_accurate'",
            (
                Step(exp(-z) - sigma_z * (sigma_z * exp(-z)), "σ(−z) = σ(z) e^(−z)"),
                Step(
                    exp(-z) * (1 - sigma_z) * (1 + sigma_z),
                    "no factor is below 0: σ′ is below e^(−z), and even",
                ),
            ),
        ),
        Chain(
            "room, 1 layer (base)",
            c * D - a * (1 - a) * S[p],
            "the bound c D, less σ′ S[p], σ′ = a (1 − a)",
            (
                Step(c * D - quarter * S[p] + (half - a) ** 2 * S[p], "σ′ = 1/4 − (1/2 − a)²"),
                Step(
                    quarter * total(n, lambda k: omega * D - W[p, k] * delta[k])
                    + (half - a) ** 2 * S[p],
                    "c = nω/4 is ω/4 for each k",
                ),
                Step(
                    quarter
                    * total(n, lambda k: omega * (D - delta[k]) + delta[k] * (omega - W[p, k]))
                    + (half - a) ** 2 * S[p],
                    "|δ| ≤ D and |W| ≤ ω: nothing here is below 0",
                ),
            ),
        ),
        Chain(
            "room, L + 1 (step)",
            power_next * D - a * (1 - a) * S[p],
            "the bound c^(L+1) D, less σ′ S[p]",
            (
                Step(
                    c * power * D - quarter * S[p] + (half - a) ** 2 * S[p],
                    "σ′ = 1/4 − (1/2 − a)² again",
                ),
                Step(
                    quarter
                    * total(
                        n,
                        lambda k: omega * (power * D - delta[k]) + delta[k] * (omega - W[p, k]),
                    )
                    + (half - a) ** 2 * S[p],
                    "|δ| ≤ c^L D was shown, |W| ≤ ω: nothing is below 0",
                ),
            ),
        ),
    ),
    facts=(
        Fact("σ′ at 0, 5, 10 is 0.25, 0.00665, 4.54e-5; tanh′ is 1, 1.82e-4, 8.24e-9", _slopes),
        Fact(
            "ten layers of one unit with weights up to 1: (1/4)^10 = 1/1048576, about 9.5e-7",
            lambda: ((quarter**10, f"{float(quarter**10):.1e}"), (Rational(1, 1048576), "9.5e-07")),
        ),
    ),
    remark="Where is the induction? The room is the bound less what may arrive. No part of it is "
    "below 0 after one layer, and the step hands that on from L layers to L + 1. Is saturation to "
    "blame? It makes it worse (the third claim: far out the slope falls like e^(−z)), but the 1/4 "
    "is there without it. Why does ReLU help? Its slope is 1 where the unit is on, and 1 to any "
    "power is 1. Where nω > 4 the bound allows growth, and growing too fast is the other trouble.",
    sources=("S1-C17", "S4-C13", "S4-C15"),
)
