"""The step of the classical perceptron: why no gradient can train it."""

from sympy import Piecewise, S

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(n,) = sizes("n")
(q,) = indices("q")
w, x = arrays("w x")
(u,) = numbers("u", positive=True)
z, b, g, step_z, weighted, right, left = numbers("z b g step(z) s z₊ z₋")


def step(z):
    """Return 1 where z is at least 0, else 0."""
    return Piecewise((1, z >= 0), (0, True))


theorem = Derivation(
    name="step",
    title="The step: its slope is 0 wherever it has one, so no gradient passes through it",
    quantifiers=(
        "every number of inputs n",
        "all inputs, weights and biases",
        "every cost with ∂C/∂a = g",
        "every u > 0: z₊ = u lies to the right of 0, z₋ = −u to the left",
    ),
    conditions=("z and s are not 0 in a derivative: there is none at 0",),
    intuition="A step is flat on both sides, so a small change of a weight changes nothing at all. "
    "And where it is not flat it jumps, so there is no slope to follow.",
    ranges={q: n},
    definitions={
        step_z: lambda: step(z),
        weighted: lambda: total(n, lambda i: w[i] * x[i]) + b,
        right: lambda: u,
        left: lambda: -u,
    },
    chains=(
        Chain("step(z), right of 0", step(right), "by its definition", (Step(S.One, "z₊ ≥ 0"),)),
        Chain("step(z), left of 0", step(left), "by its definition", (Step(S.Zero, "z₋ < 0"),)),
        Chain(
            "step′(z)",
            partial(step_z, z),
            "both sides in one line",
            (Step(S.Zero, "side by side: the constants 1 and 0 have slope 0"),),
        ),
        Chain(
            "∂C/∂w[q]",
            g * partial(step(weighted), w[q]),
            "chain rule: g = ∂C/∂a, times the slope of a = step(s)",
            (Step(S.Zero, "constant on both sides, whatever the weights"),),
        ),
        Chain(
            "(step(z) − step(0)) / z, right of 0",
            (step(right) - 1) / right,
            "the slope seen from 0, with step(0) = 1",
            (Step(S.Zero, "step(z₊) = 1"),),
        ),
        Chain(
            "(step(z) − step(0)) / z, left of 0",
            (step(left) - 1) / left,
            "the slope seen from 0, with step(0) = 1",
            (
                Step(-1 / left, "step(z₋) = 0"),
                Step(1 / u, "z₋ = −u: above every bound as u goes to 0"),
            ),
        ),
    ),
    facts=(Fact("at 0 the step is 1", lambda: (step(z).subs(z, 0), 1)),),
    remark="How was the perceptron trained then? By a rule of its own: add the input to the "
    "weights when the answer should have been 1, subtract it when it should have been 0. It "
    "needs no slope, and it works for one layer only.",
    sources=("S1-C18",),
)
