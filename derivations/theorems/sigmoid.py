"""The slope of the sigmoid, line by line as the notes have it."""

from sympy import exp

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Step

z, a, sigma_z = numbers("z a σ(z)")
written_out = 1 / (1 + exp(-z))

theorem = Derivation(
    name="sigmoid",
    title="The sigmoid: σ(z) = 1 / (1 + e^−z) has σ′ = σ (1 − σ)",
    quantifiers=("every real z",),
    intuition="The sigmoid moves as long as it is undecided: its slope is what has been reached "
    "times what is missing. At 1/2 both factors are largest, at 0 and at 1 one of them is gone.",
    definitions={sigma_z: lambda: 1 / (1 + exp(-z)), a: lambda: sigma_z},
    chains=(
        Chain(
            "σ(z)",
            exp(z) / (1 + exp(z)),
            "the share of e^z in e^z + 1",
            (Step(written_out, "above and below times e^(−z)"),),
        ),
        Chain(
            "∂ŷ/∂z",
            partial(sigma_z, z),
            "ŷ = σ(z)",
            (
                Step(partial(written_out, z), "σ written out"),
                Step(
                    exp(-z) / (1 + exp(-z)) ** 2,
                    "(1/v)′ = −v′/v² with v = 1 + e^(−z), v′ = −e^(−z)",
                ),
                Step(
                    sigma_z * (exp(-z) / (1 + exp(-z))),
                    "one of the two factors 1/(1 + e^(−z)) is σ(z)",
                ),
                Step(sigma_z * (1 - written_out), "e^(−z) = (1 + e^(−z)) − 1, divided"),
                Step(sigma_z * (1 - sigma_z), "and that is σ(z) again"),
            ),
        ),
        Chain(
            "σ′(z) from the output",
            sigma_z * (1 - sigma_z),
            "what was just shown",
            (Step(a * (1 - a), "the forward pass has a = σ(z) already"),),
        ),
    ),
    remark="Why is that worth five lines? The last one needs no exponential: whoever kept the "
    "output a of the forward pass gets the slope with one product. That is why backpropagation "
    "keeps a and forgets z.",
    sources=(
        "S1-E20", "S1-E37", "S1-E38", "S1-E39", "S1-E40", "S1-E41", "S1-E42", "S1-C19", "S4-E09",
    ),
)  # fmt: skip
