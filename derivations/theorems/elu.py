"""ELU: the identity on the right, an exponential on the left, and no kink where they meet."""

from sympy import Min, Piecewise, exp, log

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Fact, Step

(t,) = numbers("t", positive=True)
z, elu_z, right, left, a_right, a_left = numbers("z elu(z) z₊ z₋ a₊ a₋")


def elu(z):
    """Return z where it is above 0, else e^z − 1."""
    return Piecewise((z, z > 0), (exp(z) - 1, True))


def slope(z):
    """Return 1 where z is above 0, else e^z."""
    return Piecewise((1, z > 0), (exp(z), True))


theorem = Derivation(
    name="elu",
    title="ELU: z to the right of 0 and e^z − 1 to the left has the slope e^min(z, 0)",
    quantifiers=(
        "every real z",
        "every t > 0: z₊ = log(1 + t) lies to the right of 0, z₋ = −log(1 + t) to the left",
    ),
    intuition="On the left the exponential comes down to −1 instead of running on, and near 0 it "
    "starts with slope 1. So the two pieces meet with the same height and the same slope.",
    definitions={
        elu_z: lambda: elu(z),
        right: lambda: log(1 + t),
        left: lambda: -log(1 + t),
        a_right: lambda: elu(right),
        a_left: lambda: elu(left),
    },
    chains=(
        Chain(
            "elu′(z)",
            partial(elu_z, z),
            "by its definition",
            (Step(slope(z), "side by side: z has slope 1, e^z − 1 has slope e^z"),),
        ),
        Chain(
            "elu′(z), right of 0",
            slope(right),
            "what was just shown",
            (
                Step(exp(Min(right, 0)), "min(z₊, 0) = 0, and e^0 = 1"),
                Step(Min(a_right, 0) + 1, "from the output: a₊ = z₊, so min(a₊, 0) = 0"),
            ),
        ),
        Chain(
            "elu′(z), left of 0",
            slope(left),
            "what was just shown",
            (
                Step(exp(left), "z₋ is not above 0"),
                Step(exp(Min(left, 0)), "min(z₋, 0) = z₋"),
                Step(Min(a_left, 0) + 1, "from the output: a₋ = e^z₋ − 1 is below 0"),
            ),
        ),
    ),
    facts=(
        Fact(
            "where they meet both pieces have height 0 and slope 1",
            lambda: (
                ((exp(z) - 1).subs(z, 0), exp(z).subs(z, 0))
                and (
                    ((exp(z) - 1).subs(z, 0), exp(z).subs(z, 0)),
                    (0, 1),
                )
            ),
        ),
        Fact("at 0 the form e^min(z, 0) is 1", lambda: (exp(Min(z, 0)).subs(z, 0), 1)),
    ),
    remark="Why write min at all, if the cases say the same? A computer evaluates both cases and "
    "picks one. e^z would overflow for z = 1000 in the case that is thrown away; e^min(z, 0) "
    "cannot.",
)
