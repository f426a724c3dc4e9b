"""Linear regression with n inputs and m outputs, and how many dimensions that takes."""

import sympy
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

B, n, m = sizes("B n m")
p, q = indices("p q")
X, Y, P, W, b = arrays("X Y P W b")
(C,) = numbers("C")


def _dimensions(inputs, outputs):
    """Of the graph x ↦ (x, x W + b): the space around it, itself, and the space of the loss."""
    weights = sympy.Matrix(inputs, outputs, lambda i, k: i + 2 * k + 1)
    tangents = sympy.eye(inputs).row_join(weights)
    return tangents.cols, tangents.rank(), inputs * outputs + outputs + 1


theorem = Derivation(
    name="n_to_m_regression",
    title="n inputs, m outputs: ∂C/∂W = (2/B) Xᵀ(P − Y) and ∂C/∂b = (2/B) Σ (P − Y)",
    quantifiers=("every batch size B", "every number of inputs n", "every number of outputs m"),
    intuition="Each output is a line of its own in n inputs, so it is the house price m times. "
    "Weight W[p,q] joins input p to output q, and hears only the errors of output q.",
    ranges={p: n, q: m},
    definitions={
        P: lambda s, k: total(n, lambda i: X[s, i] * W[i, k]) + b[k],
        C: lambda: total(B, lambda s: total(m, lambda k: (Y[s, k] - P[s, k]) ** 2)) / B,
    },
    chains=(
        Chain(
            "∂C/∂W[p,q]",
            partial(C, W[p, q]),
            "mean squared error of the batch, all outputs added",
            (
                Step(
                    2 / B * total(B, lambda s: total(
                        m, lambda k: (P[s, k] - Y[s, k]) * partial(P[s, k], W[p, q]))),
                    "(u²)′ = 2 u u′, and (Y − P)² = (P − Y)²",
                ),
                Step(
                    2 / B * total(B, lambda s: total(m, lambda k: (P[s, k] - Y[s, k]) * total(
                        n, lambda i: X[s, i] * same(i, p) * same(k, q)))),
                    "∂W[i,k]/∂W[p,q] = δ_ip δ_kq",
                ),
                Step(
                    2 / B * total(B, lambda s: X[s, p] * (P[s, q] - Y[s, q])),
                    "Σ_i keeps i = p, Σ_k keeps k = q",
                ),
            ),
        ),
        Chain(
            "∂C/∂b[q]",
            partial(C, b[q]),
            "the same cost",
            (
                Step(
                    2 / B * total(B, lambda s: total(
                        m, lambda k: (P[s, k] - Y[s, k]) * same(k, q))),
                    "∂P[s,k]/∂b[q] = δ_kq",
                ),
                Step(2 / B * total(B, lambda s: P[s, q] - Y[s, q]), "Σ_k with δ_kq keeps k = q"),
            ),
        ),
    ),
    facts=(
        Fact(
            "2 inputs, 1 output: the graph lies in 3 dimensions but has 2 itself; the loss over "
            "its parameters lies in 4",
            lambda: (_dimensions(2, 1), (3, 2, 4)),
        ),
        Fact(
            "3 inputs, 2 outputs: 5, 3 and 9",
            lambda: (_dimensions(3, 2), (5, 3, 9)),
        ),
    ),
    remark="Which of these is the n + m of the notes? The space in which the graph is drawn. The "
    "graph has n dimensions, one for each input, whatever m is; and training walks over another "
    "surface, the loss above the n m + m parameters.",
    sources=("S0-E24", "S0-C22", "S0-C23", "S0-E27", "S0-E31"),
)  # fmt: skip
