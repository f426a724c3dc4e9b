"""The mean over a batch, with a weight for each example: what it does to any gradient."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n = sizes("B n")
b, k = indices("b k")
a, w, g, loss = arrays("a w g ℓ")
(T,) = numbers("T")

# Any loss ℓ[s] of row s of a moves by Σ_j g[s,j] da[s,j], with g = ∂ℓ/∂a. That is all that is
# used of it.
chain_rule = total(B, lambda s: w[s] / T * total(n, lambda j: g[s, j] * partial(a[s, j], a[b, k])))

theorem = Derivation(
    name="example_weights",
    title="The weighted mean of a batch: ∂C/∂a[b,k] = w_b / Σ w · ∂ℓ_b/∂a[b,k]",
    quantifiers=(
        "every batch size B",
        "every number of outputs n",
        "every loss ℓ_b of the outputs of example b",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="The cost is a mean, so an example moves it by its share of the mean. Examples do "
    "not see one another's outputs, so no other row enters.",
    ranges={b: B, k: n},
    definitions={T: lambda: total(B, lambda r: w[r])},
    chains=(
        Chain(
            "C",
            total(B, lambda s: w[s] * loss[s]) / T,
            "the cost of a batch: the definition",
            (),
        ),
        Chain(
            "∂C/∂a[b,k]",
            chain_rule,
            "C = Σ_s w[s] ℓ[s]/T, and g = ∂ℓ/∂a",
            (
                Step(
                    total(B, lambda s: w[s] / T * total(
                        n, lambda j: g[s, j] * same(s, b) * same(j, k))),
                    "∂a[s,j]/∂a[b,k] = δ_sb δ_jk",
                ),
                Step(
                    total(B, lambda s: w[s] / T * same(s, b) * g[s, k]),
                    "Σ_j with δ_jk keeps j = k",
                ),
                Step(w[b] / T * g[b, k], "Σ_s with δ_sb keeps s = b"),
            ),
        ),
        Chain(
            "C, all weights equal to w[b]",
            total(B, lambda s: w[b] * loss[s]) / total(B, lambda r: w[b]),
            "the definition, with one weight for all",
            (
                Step(
                    w[b] * total(B, lambda s: loss[s]) / (B * w[b]),
                    "w[b] does not depend on s or r",
                ),
            ),
        ),
        Chain(
            "∂C/∂a[b,k], all weights equal to w[b]",
            w[b] / total(B, lambda r: w[b]) * g[b, k],
            "the second claim, with one weight for all",
            (Step(g[b, k] / B, "Σ_r w[b] = B w[b]"),),
        ),
    ),
    remark="What do equal weights give? The plain mean, and 1/B in place of w_b/Σ w: no weights "
    "and equal weights are the same. A weight of 0 removes an example, which is how a last batch "
    "that is too short is filled up. If all weights are 0 there is no mean; purenet then takes "
    "cost and gradient as 0.",
    sources=("S1-C28",),
)  # fmt: skip
