"""SiLU, the input times its own sigmoid."""

from sympy import exp, limit, oo

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

z, sigma_z, sigma_minus_z = numbers("z σ(z) σ(−z)")


def _far_out():
    sigmoid, mirrored = 1 / (1 + exp(-z)), 1 / (1 + exp(z))
    slope = sigmoid * (1 + z * mirrored)
    return (limit(z * sigmoid, z, -oo), limit(slope, z, -oo), limit(slope, z, oo)), (0, 0, 1)


theorem = Derivation(
    name="silu",
    title="SiLU: z σ(z) has the slope σ(z) (1 + z σ(−z))",
    quantifiers=("every real z",),
    intuition="The sigmoid is a door that z opens for itself: wide open far right, shut far left. "
    "The slope has one part for what passes the door and one for how the door moves.",
    definitions={
        sigma_z: lambda: 1 / (1 + exp(-z)),
        sigma_minus_z: lambda: 1 / (1 + exp(z)),
    },
    chains=(
        Chain(
            "silu(z)",
            z / (1 + exp(-z)),
            "by its definition",
            (Step(z * sigma_z, "the sigmoid"),),
        ),
        Chain(
            "silu′(z)",
            partial(z * sigma_z, z),
            "what was just shown",
            (
                Step(sigma_z + z * partial(sigma_z, z), "product rule"),
                Step(sigma_z + z * sigma_z * sigma_minus_z, "σ′(z) = σ(z) σ(−z)"),
                Step(sigma_z * (1 + z * sigma_minus_z), "σ(z) taken out"),
            ),
        ),
    ),
    facts=(Fact("far left the value and the slope go to 0, far right the slope to 1", _far_out),),
    remark="Why is z kept for the backward pass and not the output? silu falls and then rises, so "
    "that two inputs have the same output; from the output alone the slope cannot be told.",
)
