"""Rows, columns and single indices: three ways to write one dense layer."""

from derivations.language import arrays, indices, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
r, p, q = indices("r p q")
X, Y, W, G, b, w, a = arrays("X Y W G b w a")
Xc, Wc, Gc = arrays("X_c W_c G_c")

theorem = Derivation(
    name="layouts_agree",
    title="Columns and indices are the rows transposed: forward pass and all three gradients",
    quantifiers=("every batch size B", "all widths n and m", "all inputs, weights and biases"),
    intuition="A transpose renames the two indices of a table and touches no number in it. So each "
    "form of the layer computes the same numbers and keeps them in another place.",
    ranges={r: B, p: n, q: m},
    definitions={
        Y: lambda s, k: total(n, lambda i: X[s, i] * W[i, k]) + b[k],
        Xc: lambda i, s: X[s, i],
        Wc: lambda k, i: W[i, k],
        Gc: lambda k, s: G[s, k],
        w: lambda j, k: W[k, j],
        a: lambda k: X[r, k],
    },
    conditions=(
        "X, W, G = ∂E/∂Y are the tables in rows, X_c, W_c, G_c the same ones in columns",
        "w and a are the weights w[to,from] and the inputs of example r in index form",
    ),
    chains=(
        Chain(
            "(W_c X_c + b)[q,r]",
            total(n, lambda i: Wc[q, i] * Xc[i, r]) + b[q],
            "forward in columns",
            (
                Step(total(n, lambda i: W[i, q] * X[r, i]) + b[q], "W_c = Wᵀ and X_c = Xᵀ"),
                Step(Y[r, q], "the product of two numbers has no order: (X W + b)[r,q]"),
            ),
        ),
        Chain(
            "Σ_k w[q,k] a[k] + b[q]",
            total(n, lambda k: w[q, k] * a[k]) + b[q],
            "forward in indices, one example",
            (
                Step(total(n, lambda k: W[k, q] * X[r, k]) + b[q], "w[to,from] = W[from,to]"),
                Step(Y[r, q], "row r of X W + b"),
            ),
        ),
        Chain(
            "(W_cᵀ G_c)[p,r]",
            total(m, lambda k: Wc[k, p] * Gc[k, r]),
            "∂E/∂X in columns",
            (Step(total(m, lambda k: G[r, k] * W[p, k]), "(G Wᵀ)[r,p], ∂E/∂X in rows"),),
        ),
        Chain(
            "(G_c X_cᵀ)[q,p]",
            total(B, lambda s: Gc[q, s] * Xc[p, s]),
            "∂E/∂W in columns",
            (Step(total(B, lambda s: X[s, p] * G[s, q]), "(Xᵀ G)[p,q], ∂E/∂W in rows"),),
        ),
        Chain(
            "(row sums of G_c)[q]",
            total(B, lambda s: Gc[q, s]),
            "∂E/∂b in columns: row sums",
            (Step(total(B, lambda s: G[s, q]), "∂E/∂b in rows: column sums"),),
        ),
    ),
    remark="Which one should I use? Any, but one. purenet keeps examples in rows, as data files "
    "do; S3 keeps them in columns; S4 writes indices w[to,from]. A formula of one layout put into "
    "another needs its transposes turned, and with square weights nothing warns if they are not.",
    sources=("S1-E11", "S1-E12", "S1-E13", "S2-C10", "S3-E12", "S3-E20", "S4-E19", "S4-E24"),
)
