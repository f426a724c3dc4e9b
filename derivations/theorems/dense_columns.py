"""The three gradients of a dense layer whose examples are columns."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
r, p, q = indices("r p q")
X, Y, W, b, G, XT, WT = arrays("X Y W b G Xᵀ Wᵀ")


def moved(dY):
    """E moves by Σ G dY, with G = ∂E/∂Y. Nothing else of E is used."""
    return total(m, lambda k: total(B, lambda s: G[k, s] * dY(k, s)))


theorem = Derivation(
    name="dense_columns",
    title="The dense layer Y = W X + b in columns: ∂E/∂X = Wᵀ G, ∂E/∂W = G Xᵀ, ∂E/∂b = row sums",
    quantifiers=("every batch size B", "all widths n and m", "every E that depends on Y"),
    intuition="It is the same layer, read with examples as columns. Everything that was a row is a "
    "column, so every product changes its order and its transpose.",
    ranges={r: B, p: n, q: m},
    definitions={
        Y: lambda k, s: total(n, lambda i: W[k, i] * X[i, s]) + b[k],
        WT: lambda i, k: W[k, i],
        XT: lambda s, i: X[i, s],
    },
    conditions=("G = ∂E/∂Y", "examples are columns, and W is (out, in)"),
    chains=(
        Chain(
            "∂E/∂X[p,r]",
            moved(lambda k, s: partial(Y[k, s], X[p, r])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda k, s: total(n, lambda i: W[k, i] * same(i, p) * same(s, r))),
                    "the derivative of Y, term by term",
                ),
                Step(
                    total(m, lambda k: W[k, p] * G[k, r]),
                    "Σ_i with δ_ip keeps i = p, Σ_s with δ_rs keeps s = r",
                ),
                Step(
                    total(m, lambda k: WT[p, k] * G[k, r]),
                    "free are p, r; k is first in W[k,p] and must be second: (Wᵀ G)[p,r]",
                ),
            ),
        ),
        Chain(
            "∂E/∂W[q,p]",
            moved(lambda k, s: partial(Y[k, s], W[q, p])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda k, s: total(n, lambda i: same(k, q) * same(i, p) * X[i, s])),
                    "the derivative of Y, term by term",
                ),
                Step(
                    total(B, lambda s: G[q, s] * X[p, s]),
                    "Σ_k with δ_kq keeps k = q, Σ_i with δ_ip keeps i = p",
                ),
                Step(
                    total(B, lambda s: G[q, s] * XT[s, p]),
                    "free are q, p; s is second in X[p,s] and must be first: (G Xᵀ)[q,p]",
                ),
            ),
        ),
        Chain(
            "∂E/∂b[q]",
            moved(lambda k, s: partial(Y[k, s], b[q])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda k, s: same(k, q)),
                    "every example has the same b added",
                ),
                Step(
                    total(B, lambda s: G[q, s]),
                    "Σ_k with δ_kq keeps k = q; free is q, s is summed: the row sums of G",
                ),
            ),
        ),
    ),
    remark="Can W·∂E/∂Y and X·∂E/∂Y, without a transpose, be right? W[q,p] has its input second, "
    "so W G would sum over the inputs, of which G has none. X[p,s] and G[q,s] share the example s, "
    "second in both, so one of the two has to be turned. With one example, G Xᵀ is the table of "
    "all products G[q] X[p].",
    sources=("S2-E16", "S2-E19", "S2-E22", "S2-E23", "S2-E40", "S2-E41", "S3-E20", "S3-C43"),
)
