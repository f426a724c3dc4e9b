"""Binary cross-entropy by its probabilities: several yes-or-no questions at once."""

from sympy import IndexedBase, log
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n = sizes("B n")
b, q = indices("b q")
a = IndexedBase("a", positive=True)
y, w, c, loss = arrays("y w c ℓ")
(T,) = numbers("T")

theorem = Derivation(
    name="binary_cross_entropy",
    title="Binary cross-entropy by its probabilities: ∂ℓ/∂a = (a − y) / (a (1 − a))",
    quantifiers=(
        "every number of outputs n",
        "every batch size B",
        "all outputs 0 < a < 1 and targets y",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="Each output answers a question of its own with probability a of yes, 1 − a of no. "
    "It is pulled to yes by y/a, to no by (1 − y)/(1 − a), and both balance at a = y.",
    ranges={b: B, q: n},
    definitions={
        c: lambda b, i: 1 - a[b, i],
        loss: lambda b: -total(
            n, lambda i: y[b, i] * log(a[b, i]) + (1 - y[b, i]) * log(c[b, i])
        ),
        T: lambda: total(B, lambda r: w[r]),
    },
    chains=(
        Chain(
            "ℓ[b]",
            -total(n, lambda i: y[b, i] * log(a[b, i]) + (1 - y[b, i]) * log(c[b, i])),
            "cross-entropy of (y, 1 − y) and (a, c), all outputs added: the definition",
            (),
        ),
        Chain(
            "∂ℓ[b]/∂a[b,q]",
            partial(loss[b], a[b, q]),
            "one example",
            (
                Step(
                    -total(n, lambda i: same(i, q) * (
                        y[b, i] / a[b, i] - (1 - y[b, i]) / c[b, i])),
                    "(log a)′ = 1/a, and c = 1 − a gives (log c)′ = −1/c",
                ),
                Step(
                    (1 - y[b, q]) / c[b, q] - y[b, q] / a[b, q],
                    "Σ_i with δ_iq keeps i = q",
                ),
                Step(
                    (a[b, q] * (1 - y[b, q]) - y[b, q] * c[b, q])
                    / (a[b, q] * c[b, q]),
                    "put over a common denominator",
                ),
                Step(
                    (a[b, q] - y[b, q]) / (a[b, q] * c[b, q]),
                    "a − a y − y + a y = a − y",
                ),
            ),
        ),
        Chain(
            "∂C/∂a[b,q]",
            partial(total(B, lambda s: w[s] * loss[s]) / T, a[b, q]),
            "C is the weighted mean of the ℓ[s]",
            (
                Step(
                    total(B, lambda s: w[s] / T * same(s, b) * (
                        (a[s, q] - y[s, q]) / (a[s, q] * c[s, q]))),
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step(
                    w[b] / T * (a[b, q] - y[b, q]) / (a[b, q] * c[b, q]),
                    "Σ_s with δ_sb keeps s = b",
                ),
            ),
        ),
    ),
    remark="Is this cross-entropy with two classes? Yes: for each output with p = (a, 1 − a) and "
    "targets (y, 1 − y). Why the sum over the outputs, not their mean? The outputs are separate "
    "questions, and the loss of an example is all that it cost.",
    sources=("S1-C25",),
)  # fmt: skip
