"""Cross-entropy through softmax: why the output delta is p − y, and what y has to be for that."""

from sympy import KroneckerDelta as same
from sympy import exp, log

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Condition, Derivation, Step

B, K = sizes("B K")
b, q = indices("b q")
z, p, y, w, loss = arrays("z p y w ℓ")
(T,) = numbers("T")


def _make_sum_one(world):
    """Scale the random targets of example b so that they sum to 1."""
    row, size = world.values[b], world.size(K)
    entries = [abs(world.entry(y, (row, k))) for k in range(1, size + 1)]
    for k, entry in enumerate(entries, 1):
        world.values[(y, (row, k))] = entry / sum(entries)


sums_to_one = Condition(
    total(K, lambda k: y[b, k]), 1, "the targets of an example sum to 1", _make_sum_one
)
row_delta = total(K, lambda k: y[b, k]) * p[b, q] - y[b, q]

theorem = Derivation(
    name="softmax_cross_entropy",
    title="Cross-entropy through softmax: ∂ℓ/∂z = (Σ y) p − y, which is p − y if Σ y = 1",
    quantifiers=(
        "every number of classes K",
        "every batch size B",
        "all logits z and targets y",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="Softmax and logarithm undo one another, so that only a difference is left: what was "
    "said minus what is true. Without Σ y = 1 the prediction is weighted with Σ y.",
    ranges={b: B, q: K},
    definitions={
        p: lambda b, i: exp(z[b, i]) / total(K, lambda j: exp(z[b, j])),
        loss: lambda b: -total(K, lambda i: y[b, i] * log(p[b, i])),
        T: lambda: total(B, lambda s: w[s]),
    },
    chains=(
        Chain(
            "∂ℓ[b]/∂z[b,q]",
            partial(loss[b], z[b, q]),
            "one example, any targets",
            (
                Step(
                    -total(K, lambda i: y[b, i] / p[b, i] * partial(p[b, i], z[b, q])),
                    "chain rule, (log p)′ = 1/p",
                ),
                Step(
                    -total(K, lambda i: y[b, i] / p[b, i] * p[b, i] * (same(i, q) - p[b, q])),
                    "the Jacobian of softmax; p[b,i] cancels",
                ),
                Step(row_delta, "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂ℓ[b]/∂z[b,q], one-hot",
            row_delta,
            "the first claim",
            (Step(p[b, q] - y[b, q], "Σ_k y[b,k] = 1", (sums_to_one,)),),
        ),
        Chain(
            "∂C/∂z[b,q]",
            partial(total(B, lambda s: w[s] * loss[s]) / T, z[b, q]),
            "C is the weighted mean of the ℓ[s]",
            (
                Step(
                    total(B, lambda s: w[s] / T * same(s, b) * row_delta),
                    "only example b depends on z[b,q]; the first claim",
                ),
                Step(w[b] / T * row_delta, "Σ_s with δ_bs keeps s = b"),
            ),
        ),
        Chain(
            "∂C/∂z[b,q], one-hot and all w[s] = 1",
            partial(total(B, lambda s: loss[s]) / B, z[b, q]),
            "C is the mean of the ℓ[s]",
            (
                Step(row_delta / B, "as before, w[b]/T = 1/B"),
                Step((p[b, q] - y[b, q]) / B, "Σ_k y[b,k] = 1", (sums_to_one,)),
            ),
        ),
    ),
    remark="Where did the slope of softmax go? It is in p − y: 1/p from the logarithm and p from "
    "the Jacobian cancel. So a confident mistake (p near 0 where y = 1) keeps a delta near −1, "
    "while with squared error the slope p (1 − p) would make it nearly 0. The 1/m of the notes "
    "comes from the mean over the batch.",
    sources=("S2-E34", "S2-C35", "S3-E34", "S3-C35"),
)
