"""The mean squared error: its gradient, and what becomes of the sum in it."""

from fractions import Fraction

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

B, n = sizes("B n")
b, q = indices("b q")
a, y, w, loss = arrays("a y w ℓ")
(T,) = numbers("T")

Y, PREDICTED = (1, 0), (Fraction(1, 2), Fraction(4, 5))
ERRORS = [target - said for target, said in zip(Y, PREDICTED, strict=True)]


def _cost(predicted):
    return Fraction(sum((t - s) ** 2 for t, s in zip(Y, predicted, strict=True)), len(Y))


def _slopes():
    """∂C/∂ŷ by central differences, which are exact for squares."""
    slopes = []
    for place in range(len(Y)):
        ends = [[s + (k == place) * h for k, s in enumerate(PREDICTED)] for h in (1, -1)]
        slopes.append((_cost(ends[0]) - _cost(ends[1])) / 2)
    return slopes


theorem = Derivation(
    name="mean_squared_error",
    title="Mean squared error: ∂C/∂a = 2 (a − y) / B, a number for each example and output",
    quantifiers=(
        "every batch size B",
        "every number of outputs n",
        "all outputs a and targets y",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="The slope of u² is 2u, so each output is pulled to its target by twice its own "
    "error. No output feels the error of another one.",
    ranges={b: B, q: n},
    definitions={
        loss: lambda b: total(n, lambda i: (y[b, i] - a[b, i]) ** 2),
        T: lambda: total(B, lambda r: w[r]),
    },
    chains=(
        Chain(
            "ℓ[b]",
            total(n, lambda i: (y[b, i] - a[b, i]) ** 2),
            "squared error of one example, all outputs added",
            (Step(total(n, lambda i: (a[b, i] - y[b, i]) ** 2), "a square has no sign"),),
        ),
        Chain(
            "∂ℓ[b]/∂a[b,q]",
            partial(loss[b], a[b, q]),
            "one example",
            (
                Step(
                    total(n, lambda i: 2 * (a[b, i] - y[b, i]) * same(i, q)),
                    "(u²)′ = 2 u u′, and (y − a)² = (a − y)²",
                ),
                Step(2 * (a[b, q] - y[b, q]), "Σ_i with δ_iq keeps i = q: the sum is gone"),
            ),
        ),
        Chain(
            "∂C/∂a[b,q]",
            partial(total(B, lambda s: w[s] * loss[s]) / T, a[b, q]),
            "C is the weighted mean of the ℓ[s]",
            (
                Step(
                    total(B, lambda s: w[s] / T * same(s, b) * 2 * (a[s, q] - y[s, q])),
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step(2 * w[b] / T * (a[b, q] - y[b, q]), "Σ_s with δ_sb keeps s = b"),
            ),
        ),
        Chain(
            "∂C/∂a[b,q], all w[s] = 1",
            partial(total(B, lambda s: loss[s]) / B, a[b, q]),
            "C is the mean of the ℓ[s]",
            (
                Step(
                    total(B, lambda s: same(s, b) * 2 * (a[s, q] - y[s, q])) / B,
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step(2 * (a[b, q] - y[b, q]) / B, "Σ_s with δ_sb keeps s = b"),
            ),
        ),
    ),
    facts=(
        Fact(
            "y = (1, 0), ŷ = (1/2, 4/5): the gradient is (−1/2, 4/5), by differences and by "
            "theorem",
            lambda: (
                (_slopes(), [Fraction(-2, len(Y)) * e for e in ERRORS]),
                ([Fraction(-1, 2), Fraction(4, 5)],) * 2,
            ),
        ),
        Fact(
            "there (2/n) Σ (y − ŷ)² is one number, 89/100, and (2/n) Σ (y − ŷ) is one number, "
            "−3/10",
            lambda: (
                (sum(e**2 for e in ERRORS), sum(ERRORS)),
                (Fraction(89, 100), Fraction(-3, 10)),
            ),
        ),
    ),
    remark="Why is there no Σ left? The cost is a sum, but only one of its terms knows a[b,q]; the "
    "gradient has as many entries as there are outputs. Written with n for the batch and one "
    "output it is −(2/n) (y_k − ŷ_k) for each sample k.",
    sources=("S0-E27", "S1-E27", "S1-E29", "S1-E34", "S1-E36"),
)
