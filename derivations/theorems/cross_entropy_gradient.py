"""Cross-entropy by the probabilities themselves, before it is taken through softmax."""

from sympy import IndexedBase, log
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, K = sizes("B K")
b, q = indices("b q")
a = IndexedBase("a", positive=True)
y, w, loss = arrays("y w ℓ")
(T,) = numbers("T")

theorem = Derivation(
    name="cross_entropy_gradient",
    title="Cross-entropy by its probabilities: ∂ℓ/∂a = −y / a",
    quantifiers=(
        "every number of classes K",
        "every batch size B",
        "all outputs a > 0 and targets y",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="The surprise −log a falls ever more slowly as a grows, and its slope is −1/a. It "
    "counts y times, so classes that are not the true one are not asked at all.",
    ranges={b: B, q: K},
    definitions={
        loss: lambda b: -total(K, lambda i: y[b, i] * log(a[b, i])),
        T: lambda: total(B, lambda r: w[r]),
    },
    chains=(
        Chain(
            "ℓ[b]",
            -total(K, lambda i: y[b, i] * log(a[b, i])),
            "cross-entropy of one example: the definition",
            (),
        ),
        Chain(
            "∂ℓ[b]/∂a[b,q]",
            partial(loss[b], a[b, q]),
            "one example",
            (
                Step(
                    -total(K, lambda i: same(i, q) * y[b, i] / a[b, i]),
                    "(log a)′ = 1/a, and ∂a[b,i]/∂a[b,q] = δ_iq",
                ),
                Step(-y[b, q] / a[b, q], "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂C/∂a[b,q]",
            partial(total(B, lambda s: w[s] * loss[s]) / T, a[b, q]),
            "C is the weighted mean of the ℓ[s]",
            (
                Step(
                    -total(B, lambda s: w[s] / T * same(s, b) * y[s, q] / a[s, q]),
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step(-w[b] / T * y[b, q] / a[b, q], "Σ_s with δ_sb keeps s = b"),
            ),
        ),
    ),
    remark="What if y = 0 and a = 0? y log a and y/a have the limit 0 as y goes to 0 at a fixed "
    "a, and for y = 0 they are 0 at every a > 0; so 0 is put there, and an impossible class that "
    "was given probability 0 costs nothing. Why does the gradient not look like p − y? It is the "
    "gradient before softmax; softmax makes p − y of it.",
    sources=("S2-E34", "S2-C35"),
)
