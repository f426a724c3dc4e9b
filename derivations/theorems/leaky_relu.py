"""Leaky ReLU: a ReLU that lets a little through on the left, so that no unit dies."""

from sympy import Max, Piecewise, S

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Step

u, t = numbers("u t", positive=True)
z, alpha, leaky_z, right, left, a_right, a_left = numbers("z alpha leaky_relu(z) z₊ z₋ a₊ a₋")


def either(decides, then, otherwise):
    """Return the one value where `decides` is above 0, else the other."""
    return Piecewise((then, decides > 0), (otherwise, True))


theorem = Derivation(
    name="leaky_relu",
    title="Leaky ReLU: max(z, αz) has slope 1 to the right of 0 and slope α to the left",
    quantifiers=(
        "every u > 0: z₊ = u lies to the right of 0, z₋ = −u to the left",
        "every α with 0 < α < 1, as 1/(1 + t) with t > 0",
    ),
    conditions=("z is not 0 in a derivative: there is none at 0, and the value α is a choice",),
    intuition="Left of 0 a ReLU has slope 0 and learns nothing more. With a small slope α there, a "
    "little of the gradient always passes.",
    definitions={
        leaky_z: lambda: either(z, z, alpha * z),
        alpha: lambda: 1 / (1 + t),
        right: lambda: u,
        left: lambda: -u,
        a_right: lambda: either(right, right, alpha * right),
        a_left: lambda: either(left, left, alpha * left),
    },
    chains=(
        Chain(
            "leaky_relu(z), right of 0",
            Max(right, alpha * right),
            "by its definition",
            (Step(either(right, right, alpha * right), "αz₊ is a part of z₊: z₊ is larger"),),
        ),
        Chain(
            "leaky_relu(z), left of 0",
            Max(left, alpha * left),
            "by its definition",
            (Step(either(left, left, alpha * left), "αz₋ is nearer to 0: αz₋ is larger"),),
        ),
        Chain(
            "leaky_relu′(z)",
            partial(leaky_z, z),
            "both sides in one line",
            (Step(either(z, 1, alpha), "side by side: z has slope 1, αz has slope α"),),
        ),
        Chain(
            "(leaky_relu(z) − leaky_relu(0)) / z, right of 0",
            Max(right, alpha * right) / right,
            "the slope seen from 0",
            (Step(S.One, "z₊ is the larger"),),
        ),
        Chain(
            "(leaky_relu(z) − leaky_relu(0)) / z, left of 0",
            Max(left, alpha * left) / left,
            "the slope seen from 0",
            (Step(alpha, "αz₋ is the larger: not the 1 from the right, so no slope at 0"),),
        ),
        Chain(
            "leaky_relu′(z) from the output, right of 0",
            either(right, 1, alpha),
            "leaky_relu′ from above",
            (Step(either(a_right, 1, alpha), "a₊ = z₊ is above 0 too"),),
        ),
        Chain(
            "leaky_relu′(z) from the output, left of 0",
            either(left, 1, alpha),
            "leaky_relu′ from above",
            (Step(either(a_left, 1, alpha), "a₋ = αz₋ is below 0 too, because α > 0"),),
        ),
    ),
    remark="Why not α = 0? Then it is ReLU. Why not α = 1? Then it is the identity, and layers of "
    "it are one affine map. purenet takes α = 0.01.",
)
