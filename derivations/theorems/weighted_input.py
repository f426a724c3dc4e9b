"""The weighted input of one unit, and why a unit has one bias and not n of them."""

from sympy import KroneckerDelta as same
from sympy import S

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Condition, Derivation, Step

(n,) = sizes("n")
(q,) = indices("q")
x, w = arrays("x w")
b, x0, w0 = numbers("b x_0 w_0")
z = total(n, lambda i: x[i] * w[i]) + b


def _make_one(world):
    """Set the extra input to 1."""
    world.values[x0] = 1


constant_input = Condition(x0, S.One, "the extra input x_0 is always 1", _make_one)

theorem = Derivation(
    name="weighted_input",
    title="The weighted input z = Σ x w + b: ∂z/∂w = x, ∂z/∂x = w, ∂z/∂b = 1",
    quantifiers=("every number of inputs n", "all inputs, weights and biases"),
    intuition="A weight acts as strongly as the input that it multiplies, and an input as strongly "
    "as its weight, sign included. The bias is added once, so z moves exactly as the bias does.",
    ranges={q: n},
    chains=(
        Chain(
            "∂z/∂w[q]",
            partial(z, w[q]),
            "q is a free index, not the i of the sum",
            (
                Step(total(n, lambda i: x[i] * same(i, q)), "term by term: ∂w[i]/∂w[q] = δ_iq"),
                Step(x[q], "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂z/∂x[q]",
            partial(z, x[q]),
            "the same with the roles exchanged",
            (
                Step(total(n, lambda i: w[i] * same(i, q)), "term by term: ∂x[i]/∂x[q] = δ_iq"),
                Step(w[q], "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂z/∂b",
            partial(z, b),
            "b stands outside the sum",
            (Step(S.One, "the sum does not hold b, and ∂b/∂b = 1"),),
        ),
        Chain(
            "∂/∂b with b inside the sum",
            partial(total(n, lambda i: x[i] * w[i] + b), b),
            "as two of the notes write it",
            (
                Step(total(n, lambda i: S.One), "each of the n terms has a b of its own"),
                Step(n, "n times 1: the bias acts n times, and moves n times as far in a step"),
            ),
        ),
        Chain(
            "∂z/∂w_0",
            partial(x0 * w0 + total(n, lambda i: x[i] * w[i]), w0),
            "the bias as one weight more, of an input x_0",
            (
                Step(x0, "the derivative by a weight is its input"),
                Step(S.One, "that input is 1", (constant_input,)),
            ),
        ),
    ),
    remark="Does a larger weight mean a larger influence? ∂z/∂x[q] is the weight itself: −5 moves "
    "z more than 1 does, so what counts is the size of w, times how far x moves. And why not write "
    "∂/∂w_i of Σ_i x_i w_i? i is bound by the sum and names no weight outside it; a free q does.",
    sources=("S0-E03", "S0-E06", "S1-C09", "S1-E15", "S1-E43", "S1-C45", "S4-C46"),
)
