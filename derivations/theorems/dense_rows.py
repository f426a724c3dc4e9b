"""The three gradients of a dense layer whose examples are rows, and where transposes come from."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
r, p, q = indices("r p q")
X, Y, W, b, G, XT, WT = arrays("X Y W b G Xᵀ Wᵀ")


def moved(dY):
    """E moves by Σ G dY, with G = ∂E/∂Y. Nothing else of E is used."""
    return total(B, lambda s: total(m, lambda k: G[s, k] * dY(s, k)))


theorem = Derivation(
    name="dense_rows",
    title="The dense layer Y = X W + b in rows: ∂E/∂X = G Wᵀ, ∂E/∂W = Xᵀ G, ∂E/∂b = Σ_s G[s]",
    quantifiers=("every batch size B", "all widths n and m", "every E that depends on Y"),
    intuition="An input is blamed by every output that it feeds, through the weight in between. A "
    "weight is blamed by the one output that it feeds, through its input, once for each example.",
    ranges={r: B, p: n, q: m},
    definitions={
        Y: lambda s, k: total(n, lambda i: X[s, i] * W[i, k]) + b[k],
        WT: lambda k, i: W[i, k],
        XT: lambda i, s: X[s, i],
    },
    conditions=("G = ∂E/∂Y", "examples are rows, and W is (in, out)"),
    chains=(
        Chain(
            "∂E/∂X[r,p]",
            moved(lambda s, k: partial(Y[s, k], X[r, p])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda s, k: total(n, lambda i: same(s, r) * same(i, p) * W[i, k])),
                    "the derivative of Y, term by term",
                ),
                Step(
                    total(m, lambda k: G[r, k] * W[p, k]),
                    "Σ_s with δ_rs keeps s = r, Σ_i with δ_ip keeps i = p",
                ),
                Step(
                    total(m, lambda k: G[r, k] * WT[k, p]),
                    "free are r, p; k is second in W[p,k] and must be first: (G Wᵀ)[r,p]",
                ),
            ),
        ),
        Chain(
            "∂E/∂W[p,q]",
            moved(lambda s, k: partial(Y[s, k], W[p, q])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda s, k: total(n, lambda i: X[s, i] * same(i, p) * same(k, q))),
                    "the derivative of Y, term by term",
                ),
                Step(
                    total(B, lambda s: X[s, p] * G[s, q]),
                    "Σ_i with δ_ip keeps i = p, Σ_k with δ_kq keeps k = q",
                ),
                Step(
                    total(B, lambda s: XT[p, s] * G[s, q]),
                    "free are p, q; s is first in X[s,p] and must be second: (Xᵀ G)[p,q]",
                ),
            ),
        ),
        Chain(
            "∂E/∂b[q]",
            moved(lambda s, k: partial(Y[s, k], b[q])),
            "chain rule, G = ∂E/∂Y",
            (
                Step(
                    moved(lambda s, k: same(k, q)),
                    "every example has the same b added",
                ),
                Step(
                    total(B, lambda s: G[s, q]),
                    "Σ_k with δ_kq keeps k = q; free is q, s is summed: the column sums of G",
                ),
            ),
        ),
    ),
    remark="Why the transpose? In a matrix product the summed index stands inside, the free ones "
    "outside, in the order of the left-hand side. Σ_k G[r,k] W[p,k] has k last in both, so W has "
    "to be turned; Σ_s X[s,p] G[s,q] has s first in both, so X has to be turned. The shapes "
    "(B,m)(m,n) and (n,B)(B,m) say the same, but only the index line proves it when all "
    "sizes are equal.",
    sources=("S2-C12", "S2-E16", "S2-E19", "S2-C37", "S2-C38", "S2-E40", "S2-E41"),
)
