"""Binary cross-entropy through sigmoid: why the output delta is σ(z) − y."""

from sympy import KroneckerDelta as same
from sympy import exp, log

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n = sizes("B n")
b, q = indices("b q")
a, c, z, y, w, loss = arrays("a c z y w ℓ")
(T,) = numbers("T")

theorem = Derivation(
    name="binary_cross_entropy_logits",
    title="Binary cross-entropy through sigmoid: ∂ℓ/∂z = σ(z) − y",
    quantifiers=(
        "every number of outputs n",
        "every batch size B",
        "all logits z and all targets y, sum 1 or not",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="Sigmoid and logarithm undo one another, as softmax and logarithm do. What is left "
    "is the difference of what was said and what is true, for each output by itself.",
    ranges={b: B, q: n},
    definitions={
        a: lambda b, i: 1 / (1 + exp(-z[b, i])),
        c: lambda b, i: 1 - a[b, i],
        loss: lambda b: -total(
            n, lambda i: y[b, i] * log(a[b, i]) + (1 - y[b, i]) * log(c[b, i])
        ),
        T: lambda: total(B, lambda r: w[r]),
    },
    chains=(
        Chain(
            "∂ℓ[b]/∂z[b,q]",
            partial(loss[b], z[b, q]),
            "one example, a = σ(z)",
            (
                Step(
                    total(n, lambda i: (a[b, i] - y[b, i]) / (a[b, i] * c[b, i])
                          * partial(a[b, i], z[b, q])),
                    "chain rule; the derivative by a is (a − y)/(a (1 − a))",
                ),
                Step(
                    total(n, lambda i: same(i, q) * (a[b, i] - y[b, i])),
                    "∂a[b,i]/∂z[b,q] = δ_iq a c, which cancels",
                ),
                Step(a[b, q] - y[b, q], "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂C/∂z[b,q]",
            w[b] / T * partial(loss[b], z[b, q]),
            "C = Σ_s w[s] ℓ[s]/T, and only ℓ[b] depends on z[b,q]",
            (Step(w[b] / T * (a[b, q] - y[b, q]), "the first claim"),),
        ),
    ),
    remark="Why is no condition on Σ y needed here, as with softmax? Each output carries its own "
    "counterpart 1 − y, and y + (1 − y) = 1 always. Why not compute a first and then the loss? For "
    "z > 37 the double σ(z) is 1, and log(1 − a) is −∞; the delta has no such trouble.",
    sources=("S1-C25",),
)  # fmt: skip
