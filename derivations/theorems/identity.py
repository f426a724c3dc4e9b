"""The identity: what a linear output layer has in the place of an activation."""

from sympy import S

from derivations.language import numbers, partial
from derivations.proof import Chain, Derivation, Step

z, g = numbers("z g")

theorem = Derivation(
    name="identity",
    title="The identity: a = z has slope 1, and hands every gradient on unchanged",
    quantifiers=("every real z", "every cost with ∂C/∂a = g"),
    intuition="Whoever changes nothing on the way forward changes nothing on the way back. A layer "
    "with it is affine, which is what an output for a regression has to be.",
    chains=(
        Chain("a′(z)", partial(z, z), "by its definition", (Step(S.One, "z grows as fast as z"),)),
        Chain(
            "∂C/∂z",
            g * partial(z, z),
            "chain rule: g = ∂C/∂a, times the slope of a = z",
            (Step(g, "times 1"),),
        ),
    ),
    remark="Why does it have a name then? So that 'no activation' is an activation like any other, "
    "and no rule needs an exception for it.",
)
