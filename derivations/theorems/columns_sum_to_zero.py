"""Why the deltas of an example add up to 0, and which sum the bias gradient is."""

from fractions import Fraction

from sympy import Integer, exp

from derivations.language import arrays, indices, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

B, K = sizes("B K")
(b,) = indices("b")
z, p, y, delta = arrays("z p y delta")

third, half = Fraction(1, 3), Fraction(1, 2)
PREDICTIONS = ((2 * third, third), (half, half))
TARGETS = ((0, 1), (0, 1))
DELTAS = [
    [p - y for p, y in zip(*rows, strict=True)] for rows in zip(PREDICTIONS, TARGETS, strict=True)
]

theorem = Derivation(
    name="columns_sum_to_zero",
    title="The deltas of cross-entropy through softmax add up to 0 over the classes",
    quantifiers=(
        "every number of classes K",
        "every batch size B",
        "all logits z and targets y",
    ),
    intuition="Only differences of logits count, so a push on all of them at once can do nothing. "
    "The pushes of one example therefore cancel: what is taken from some classes goes to others.",
    ranges={b: B},
    definitions={
        p: lambda b, k: exp(z[b, k]) / total(K, lambda j: exp(z[b, j])),
        delta: lambda b, k: total(K, lambda j: y[b, j]) * p[b, k] - y[b, k],
    },
    chains=(
        Chain(
            "Σ_k δ[b,k]",
            total(K, lambda k: delta[b, k]),
            "the deltas of one example",
            (
                Step(
                    total(K, lambda j: y[b, j]) * total(K, lambda k: p[b, k])
                    - total(K, lambda k: y[b, k]),
                    "term by term; Σ_j y[b,j] does not depend on k",
                ),
                Step(
                    total(K, lambda j: y[b, j]) - total(K, lambda k: y[b, k]),
                    "probabilities sum to 1",
                ),
                Step(Integer(0), "the name of a summation index does not matter"),
            ),
        ),
    ),
    facts=(
        Fact(
            "p = (2/3, 1/3), (1/2, 1/2), y = (0, 1) twice: summed over the examples δ is "
            "(7/6, −7/6), which is the bias gradient; summed over everything it is 0",
            lambda: (
                ([sum(column) for column in zip(*DELTAS, strict=True)], sum(map(sum, DELTAS))),
                ([Fraction(7, 6), Fraction(-7, 6)], 0),
            ),
        ),
    ),
    remark="Over which index does db sum, when the notes write only Σ? Over the examples. The "
    "sum over the classes, or over everything, is 0 at every prediction: such a bias would never "
    "learn.",
    sources=("S3-E38",),
)
