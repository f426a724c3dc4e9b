"""Half the mean squared error: the constant that makes its gradient the plain error."""

from fractions import Fraction

from sympy import KroneckerDelta as same
from sympy import Rational

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

B, n = sizes("B n")
b, q = indices("b q")
a, y, w, loss = arrays("a y w ℓ")
(T,) = numbers("T")

TARGET, OUTPUT = (1, 0), (Fraction(1, 2), Fraction(4, 5))

theorem = Derivation(
    name="half_mean_squared_error",
    title="Half the mean squared error: ∂C/∂a = (a − y) / B, half of what the full one gives",
    quantifiers=(
        "every batch size B",
        "every number of outputs n",
        "all outputs a and targets y",
        "all example weights w with Σ w ≠ 0",
    ),
    intuition="The 2 that comes down from the square meets the ½ in front, and the plain error "
    "is left. The cost and every step are half as large; the best parameters are the same.",
    ranges={b: B, q: n},
    definitions={
        loss: lambda b: total(n, lambda i: (y[b, i] - a[b, i]) ** 2) / 2,
        T: lambda: total(B, lambda r: w[r]),
    },
    chains=(
        Chain(
            "ℓ[b]",
            total(n, lambda i: (y[b, i] - a[b, i]) ** 2) / 2,
            "half the squared error of one example",
            (Step(total(n, lambda i: (a[b, i] - y[b, i]) ** 2) / 2, "a square has no sign"),),
        ),
        Chain(
            "∂ℓ[b]/∂a[b,q]",
            partial(loss[b], a[b, q]),
            "one example",
            (
                Step(
                    Rational(1, 2) * total(n, lambda i: 2 * (a[b, i] - y[b, i]) * same(i, q)),
                    "(u²)′ = 2 u u′, and (y − a)² = (a − y)²",
                ),
                Step(
                    total(n, lambda i: (a[b, i] - y[b, i]) * same(i, q)),
                    "½ · 2 = 1",
                ),
                Step(a[b, q] - y[b, q], "Σ_i with δ_iq keeps i = q"),
            ),
        ),
        Chain(
            "∂C/∂a[b,q]",
            partial(total(B, lambda s: w[s] * loss[s]) / T, a[b, q]),
            "C is the weighted mean of the ℓ[s]",
            (
                Step(
                    total(B, lambda s: w[s] / T * same(s, b) * (a[s, q] - y[s, q])),
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step(w[b] / T * (a[b, q] - y[b, q]), "Σ_s with δ_sb keeps s = b"),
            ),
        ),
        Chain(
            "∂C/∂a[b,q], all w[s] = 1",
            partial(
                total(B, lambda s: total(n, lambda i: (y[s, i] - a[s, i]) ** 2)) / (2 * B), a[b, q]
            ),
            "C = 1/(2B) Σ_s |y[s] − a[s]|²",
            (
                Step(
                    total(B, lambda s: same(s, b) * (a[s, q] - y[s, q])) / B,
                    "the second claim; only example b depends on a[b,q]",
                ),
                Step((a[b, q] - y[b, q]) / B, "Σ_s with δ_sb keeps s = b"),
            ),
        ),
        Chain(
            "∂/∂a[b,q] ½ Σ_i (y[b,i] − a[b,q])²",
            partial(total(n, lambda i: (y[b, i] - a[b, q]) ** 2) / 2, a[b, q]),
            "the line of the notes as it stands, with q in every term",
            (
                Step(
                    total(n, lambda i: a[b, q] - y[b, i]),
                    "now every term depends on a[b,q]",
                ),
                Step(
                    n * a[b, q] - total(n, lambda i: y[b, i]),
                    "not a − y: the sum has to run over a[b,i] too",
                ),
            ),
        ),
    ),
    facts=(
        Fact(
            "y = (1, 0), a = (1/2, 4/5), q = 1: as it stands the line gives 0, right is −1/2",
            lambda: (
                (sum(OUTPUT[0] - target for target in TARGET), OUTPUT[0] - TARGET[0]),
                (0, Fraction(-1, 2)),
            ),
        ),
    ),
    remark="Which constant is right, 1/n or 1/(2n)? Both: one is half of the other at every "
    "point, so they agree on what is best. But the same learning rate makes steps of half the "
    "length, and for one example the gradient a − y lacks the 1/n of the batch.",
    sources=("S4-E34", "S4-E52", "S4-C33", "S4-C35"),
)
