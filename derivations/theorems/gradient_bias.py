"""The gradient of a bias, third of the four equations: it is the delta itself."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
r, q = indices("r q")
a, W, b, z, delta = arrays("a W b z delta")

theorem = Derivation(
    name="gradient_bias",
    title="The gradient of a bias: ∂C/∂b = δ for one example, the mean of δ over a batch",
    quantifiers=(
        "every batch size B",
        "all widths n and m",
        "every cost C that depends on b only through z",
    ),
    intuition="The bias is added to the weighted input, so moving the one moves the other by as "
    "much. What z costs, b costs.",
    ranges={r: B, q: m},
    definitions={z: lambda s, k: total(n, lambda i: a[s, i] * W[i, k]) + b[k]},
    conditions=(
        "C[s] is the cost of example s, and δ[s,k] = ∂C[s]/∂z[s,k]",
        "C = (1/B) Σ_s C[s]",
    ),
    chains=(
        Chain(
            "∂C[r]/∂b[q]",
            total(m, lambda k: delta[r, k] * partial(z[r, k], b[q])),
            "chain rule, one example r",
            (
                Step(total(m, lambda k: delta[r, k] * same(k, q)), "Σ a W does not hold b"),
                Step(delta[r, q], "Σ_k with δ_kq keeps k = q"),
            ),
        ),
        Chain(
            "∂C/∂b[q]",
            total(B, lambda s: total(m, lambda k: delta[s, k] * partial(z[s, k], b[q]))) / B,
            "chain rule, C is the mean of the C[s]",
            (
                Step(
                    total(B, lambda s: total(m, lambda k: delta[s, k] * same(k, q))) / B,
                    "∂z[s,k]/∂b[q] = δ_kq for every s",
                ),
                Step(total(B, lambda s: delta[s, q]) / B, "Σ_k with δ_kq keeps k = q"),
            ),
        ),
    ),
    remark="Two different deltas stand here: δ[s,q], with brackets, is the error; δ_kq, with small "
    "indices, is 1 for k = q and 0 otherwise. The Σ without an index in the notes is this Σ_k.",
    sources=("S4-E58", "S4-E59", "S4-E60", "S4-E66"),
)
