"""What one output of a dense layer does when one input, weight or bias moves."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

n, m = sizes("n m")
j, k, p = indices("j k p")
X, Y, W, b, G = arrays("X Y W b G")


def written_out(j):
    """Y[j], the weighted input of output j."""
    return total(n, lambda i: W[j, i] * X[i]) + b[j]


theorem = Derivation(
    name="local_derivatives",
    title="One example through a dense layer: ∂Y/∂X is W, ∂Y/∂W and ∂Y/∂b are mostly 0",
    quantifiers=(
        "all widths n and m",
        "all inputs, weights W[to,from] and biases",
        "every error E of the outputs",
    ),
    intuition="An input feeds every output, so all of them answer when it moves. A weight or a "
    "bias belongs to one output, so only that one answers.",
    ranges={j: m, k: m, p: n},
    definitions={Y: written_out},
    conditions=("G[j] = ∂E/∂Y[j]",),
    chains=(
        Chain(
            "∂Y[j]/∂X[p]",
            partial(written_out(j), X[p]),
            "any output j, any input p",
            (
                Step(total(n, lambda i: W[j, i] * same(i, p)), "term by term"),
                Step(W[j, p], "Σ_i with δ_ip keeps i = p: never 0 by itself"),
            ),
        ),
        Chain(
            "∂Y[j]/∂W[k,p]",
            partial(written_out(j), W[k, p]),
            "the weight from input p to output k",
            (
                Step(total(n, lambda i: same(j, k) * same(i, p) * X[i]), "term by term"),
                Step(same(j, k) * X[p], "X[p] for the output j = k, 0 for all others"),
            ),
        ),
        Chain(
            "∂Y[j]/∂b[k]",
            partial(written_out(j), b[k]),
            "the bias of output k",
            (Step(same(j, k), "1 for the output j = k, 0 for all others"),),
        ),
        Chain(
            "∂E/∂X[p]",
            total(m, lambda j: G[j] * partial(Y[j], X[p])),
            "chain rule: E feels X through every Y",
            (Step(total(m, lambda j: G[j] * W[j, p]), "∂Y[j]/∂X[p] = W[j,p]: m terms stay"),),
        ),
        Chain(
            "∂E/∂W[k,p]",
            total(m, lambda j: G[j] * partial(Y[j], W[k, p])),
            "chain rule: E feels W through every Y",
            (
                Step(total(m, lambda j: G[j] * same(j, k)) * X[p], "∂Y[j]/∂W[k,p] = δ_jk X[p]"),
                Step(G[k] * X[p], "Σ_j with δ_jk keeps j = k"),
            ),
        ),
        Chain(
            "∂E/∂b[k]",
            total(m, lambda j: G[j] * partial(Y[j], b[k])),
            "chain rule: E feels b through every Y",
            (
                Step(total(m, lambda j: G[j] * same(j, k)), "∂Y[j]/∂b[k] = δ_jk"),
                Step(G[k], "Σ_j with δ_jk keeps j = k"),
            ),
        ),
    ),
    remark="The second factor in each sum is a derivative of Y. With ∂E/∂X in its place, as one of "
    "the notes has it, the line would read ∂E/∂X = ∂E/∂X · Σ_j ∂E/∂Y[j].",
    sources=(
        *("S2-E08", "S2-E09", "S2-C13", "S2-E14", "S2-E15", "S2-E17", "S2-E18", "S2-E20"),
        *("S2-E21", "S2-E24"),
    ),
)
