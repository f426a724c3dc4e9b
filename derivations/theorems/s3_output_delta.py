"""The error of S3's output layer: predictions minus labels, for cross-entropy and nothing else."""

from sympy import KroneckerDelta as same
from sympy import S, exp, log

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Condition, Derivation, Step

m, K = sizes("m K")
q, r = indices("q r")
Z2, A2, Y = arrays("Z2 A2 Y")


def _make_sum_one(world):
    """Scale the random labels of example r so that they sum to 1."""
    column = [(Y, (k, world.values[r])) for k in range(1, world.size(K) + 1)]
    entries = [abs(world.entry(*place)) for place in column]
    for place, entry in zip(column, entries, strict=True):
        world.values[place] = entry / sum(entries)


sums_to_one = Condition(
    total(K, lambda k: Y[k, r]), S.One, "the labels of an example sum to 1", _make_sum_one
)

theorem = Derivation(
    name="s3_output_delta",
    title="S3's output layer: dZ2 = A2 − Y, and every column of it sums to 0",
    quantifiers=("every number of classes K", "every number of images m", "all logits Z2"),
    intuition="Each image has a column of probabilities and a column of labels, both with the sum "
    "1. Their difference says where probability is too much and where too little.",
    ranges={q: K, r: m},
    definitions={A2: lambda k, s: exp(Z2[k, s]) / total(K, lambda j: exp(Z2[j, s]))},
    conditions=("dZ2[q,r] = ∂ℓ[r]/∂Z2[q,r], with ℓ[r] the cross-entropy of image r",),
    chains=(
        Chain(
            "dZ2[q,r]",
            partial(-total(K, lambda k: Y[k, r] * log(A2[k, r])), Z2[q, r]),
            "ℓ[r] = −Σ_k Y[k,r] log A2[k,r]",
            (
                Step(
                    -total(K, lambda k: Y[k, r] / A2[k, r] * partial(A2[k, r], Z2[q, r])),
                    "chain rule, (log a)′ = 1/a",
                ),
                Step(
                    -total(K, lambda k: Y[k, r] * (same(k, q) - A2[q, r])),
                    "the Jacobian of softmax is A2[k,r] (δ_kq − A2[q,r]), and A2[k,r] cancels",
                ),
                Step(
                    total(K, lambda k: Y[k, r]) * A2[q, r] - Y[q, r],
                    "Σ_k with δ_kq keeps k = q",
                ),
                Step(A2[q, r] - Y[q, r], "Σ_k Y[k,r] = 1", (sums_to_one,)),
            ),
        ),
        Chain(
            "Σ_k dZ2[k,r]",
            total(K, lambda k: A2[k, r] - Y[k, r]),
            "a column of A2 − Y",
            (
                Step(1 - total(K, lambda k: Y[k, r]), "the outputs of softmax sum to 1"),
                Step(S.Zero, "so do the labels", (sums_to_one,)),
            ),
        ),
    ),
    remark="So the sum in db2 can't be meant over everything, for that is 0 whatever the network "
    "does: it runs over the images, for each class. And the average is one of signed errors; with "
    "absolute values the columns would not cancel.",
    sources=("S3-E34", "S3-C33", "S3-C37", "S3-E38", "S3-E39"),
)
