"""The gradient of a weight, fourth of the four equations: delta out times activation in."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
r, p, q = indices("r p q")
a, W, b, z, delta, aT = arrays("a W b z delta aᵀ")

theorem = Derivation(
    name="gradient_weight",
    title="The gradient of a weight: ∂C/∂W = aᵀ δ, the mean of a[s,p] δ[s,q] over a batch",
    quantifiers=(
        "every batch size B",
        "all widths n and m",
        "every cost C that depends on W only through z",
    ),
    intuition="A weight carries the activation below it to the unit above it. It is to blame as "
    "much as that unit is, times how much it had to carry.",
    ranges={r: B, p: n, q: m},
    definitions={
        z: lambda s, k: total(n, lambda i: a[s, i] * W[i, k]) + b[k],
        aT: lambda i, s: a[s, i],
    },
    conditions=(
        "C[s] is the cost of example s, and δ[s,k] = ∂C[s]/∂z[s,k]",
        "C = (1/B) Σ_s C[s]",
    ),
    chains=(
        Chain(
            "∂C[r]/∂W[p,q]",
            total(m, lambda k: delta[r, k] * partial(z[r, k], W[p, q])),
            "chain rule, one example r",
            (
                Step(
                    total(
                        m,
                        lambda k: (
                            delta[r, k] * total(n, lambda i: a[r, i] * same(i, p) * same(k, q))
                        ),
                    ),
                    "the derivative of z, term by term",
                ),
                Step(
                    total(m, lambda k: delta[r, k] * a[r, p] * same(k, q)),
                    "Σ_i with δ_ip keeps i = p",
                ),
                Step(a[r, p] * delta[r, q], "Σ_k with δ_kq keeps k = q"),
            ),
        ),
        Chain(
            "∂C/∂W[p,q]",
            total(B, lambda s: total(m, lambda k: delta[s, k] * partial(z[s, k], W[p, q]))) / B,
            "chain rule, C is the mean of the C[s]",
            (
                Step(
                    total(B, lambda s: total(m, lambda k: delta[s, k] * a[s, p] * same(k, q))) / B,
                    "as for one example",
                ),
                Step(total(B, lambda s: a[s, p] * delta[s, q]) / B, "Σ_k with δ_kq keeps k = q"),
                Step(
                    total(B, lambda s: aT[p, s] * delta[s, q]) / B,
                    "free are p, q; s is first in a[s,p] and must be second: (aᵀ δ)[p,q] / B",
                ),
            ),
        ),
    ),
    remark="S4 writes w[to,from], so its δ_j a_k is this line with the indices of W exchanged. An "
    "input of 0 leaves its weights where they are: a background pixel teaches nothing.",
    sources=("S4-E61", "S4-E62", "S4-E63", "S4-E68"),
)
