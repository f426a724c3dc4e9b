"""ReLU on both sides of its kink, and what is chosen at the kink itself."""

from sympy import Max, Piecewise, S

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

(u,) = numbers("u", positive=True)
z, relu_z, right, left, a_right, a_left = numbers("z relu(z) z₊ z₋ a₊ a₋")


def either(decides, then, otherwise=0):
    """Return the one value where `decides` is above 0, else the other."""
    return Piecewise((then, decides > 0), (otherwise, True))


theorem = Derivation(
    name="relu",
    title="ReLU: max(0, z) has slope 1 to the right of 0 and slope 0 to the left",
    quantifiers=("every real z", "every u > 0: z₊ = u lies to the right of 0, z₋ = −u to the left"),
    conditions=("z is not 0 in a derivative: there is none at 0, and the value 0 is a choice",),
    intuition="ReLU lets what is positive pass unchanged and holds back the rest. So does its "
    "backward pass: it lets the gradient pass where the unit was on, unchanged, and nothing else.",
    definitions={
        relu_z: lambda: either(z, z),
        right: lambda: u,
        left: lambda: -u,
        a_right: lambda: Max(0, right),
        a_left: lambda: Max(0, left),
    },
    chains=(
        Chain(
            "relu(z), right of 0",
            Max(0, right),
            "by its definition",
            (Step(either(right, right), "the larger of 0 and z₊ is z₊"),),
        ),
        Chain(
            "relu(z), left of 0",
            Max(0, left),
            "by its definition",
            (Step(either(left, left), "the larger of 0 and z₋ is 0"),),
        ),
        Chain(
            "relu′(z)",
            partial(relu_z, z),
            "both sides in one line",
            (Step(either(z, 1), "side by side: z has slope 1, the constant 0 has slope 0"),),
        ),
        Chain(
            "(relu(z) − relu(0)) / z, right of 0",
            (Max(0, right) - 0) / right,
            "the slope seen from 0",
            (Step(S.One, "max(0, z₊) = z₊"),),
        ),
        Chain(
            "(relu(z) − relu(0)) / z, left of 0",
            (Max(0, left) - 0) / left,
            "the slope seen from 0",
            (Step(S.Zero, "max(0, z₋) = 0: not the 1 from the right, so there is no slope at 0"),),
        ),
        Chain(
            "relu′(z) from the output, right of 0",
            either(right, 1),
            "relu′ from above",
            (Step(either(a_right, 1), "a₊ = z₊ is above 0 too"),),
        ),
        Chain(
            "relu′(z) from the output, left of 0",
            either(left, 1),
            "relu′ from above",
            (Step(either(a_left, 1), "a₋ = 0 is not above 0"),),
        ),
    ),
    facts=(
        Fact("relu(0) = 0, in both forms", lambda: ((Max(0, 0), either(z, z).subs(z, 0)), (0, 0))),
        Fact("the slope that is chosen at 0 is 0", lambda: (either(z, 1).subs(z, 0), 0)),
        Fact("at −3 the slope is exactly 0", lambda: (either(z, 1).subs(z, -3), 0)),
    ),
    remark="Why 0 at the kink? Any number from 0 to 1 is a line that touches there from below. "
    "With 0 the rule is 'a > 0', which the output alone can answer. A unit that is left of 0 for "
    "every example gets gradient 0 for ever: a dead unit.",
    sources=(
        "S0-E05", "S0-E16", "S2-C27", "S2-E28", "S2-E29", "S3-E24", "S3-E46", "S4-E11", "S4-C16",
    ),
)  # fmt: skip
