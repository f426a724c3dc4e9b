"""O_i / Σ O_j is not softmax: what is lost without the exponentials."""

from fractions import Fraction

import sympy
from sympy import Integer, exp
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(K,) = sizes("K")
(i,) = indices("i")
z, r, p = arrays("z r p")
(T,) = numbers("T")


def without(z):
    """The formula of the notes: each output divided by their sum."""
    return tuple(Fraction(entry, sum(z)) for entry in z)


def softmax(z):
    """The right one, as exact expressions."""
    return tuple(1 / sympy.Add(*(exp(other - entry) for other in z)) for entry in z)


theorem = Derivation(
    name="softmax_without_exponentials",
    title="O_i / Σ O_j is not softmax: it changes when all logits shift, and may be negative",
    quantifiers=("every number of classes K", "all logits z with Σ z ≠ 0"),
    intuition="Logits are any numbers, and shares make sense only of positive ones; the "
    "exponential makes them positive. It also turns a shift into a factor, which the division "
    "removes.",
    ranges={i: K},
    definitions={
        T: lambda: total(K, lambda j: z[j]),
        r: lambda i: z[i] / T,
        p: lambda i: exp(z[i]) / total(K, lambda j: exp(z[j])),
    },
    chains=(
        Chain(
            "Σ_k ∂r[i]/∂z[k], without exponentials",
            total(K, lambda k: partial(r[i], z[k])),
            "all logits move together",
            (
                Step(
                    total(K, lambda k: (same(i, k) * T - z[i]) / T**2),
                    "quotient rule, ∂T/∂z[k] = 1",
                ),
                Step((T - K * z[i]) / T**2, "Σ_k with δ_ik keeps k = i; the rest is there K times"),
                Step((1 - K * r[i]) / T, "z[i] = r[i] T: this is 0 only where r[i] = 1/K"),
            ),
        ),
        Chain(
            "Σ_k ∂p[i]/∂z[k], with exponentials",
            total(K, lambda k: partial(p[i], z[k])),
            "all logits move together",
            (
                Step(total(K, lambda k: p[i] * (same(i, k) - p[k])), "the Jacobian of softmax"),
                Step(p[i] * (1 - total(K, lambda k: p[k])), "Σ_k with δ_ik keeps k = i"),
                Step(Integer(0), "Σ_k p[k] = 1"),
            ),
        ),
    ),
    facts=(
        Fact(
            "without exponentials (2, −1) stays (2, −1): one above 1, one negative",
            lambda: (without((2, -1)), (2, -1)),
        ),
        Fact(
            "(1, −1) has the sum 0, by which nothing can be divided",
            lambda: (sum((1, -1)), 0),
        ),
        Fact(
            "without exponentials the shift from (1, 2) to (2, 3) changes (1/3, 2/3) to (2/5, 3/5)",
            lambda: (
                (without((1, 2)), without((2, 3))),
                ((Fraction(1, 3), Fraction(2, 3)), (Fraction(2, 5), Fraction(3, 5))),
            ),
        ),
        Fact(
            "softmax gives (1/(1 + e), 1/(1 + e⁻¹)) for (1, 2) and for (2, 3)",
            lambda: (
                (softmax((1, 2)), softmax((2, 3))),
                ((1 / (1 + exp(1)), 1 / (1 + exp(-1))),) * 2,
            ),
        ),
        Fact(
            "softmax of (2, −1) and of (1, −1) is positive and sums to 1",
            lambda: (
                [
                    (all(q.is_positive for q in softmax(z)), sympy.simplify(sum(softmax(z))))
                    for z in ((2, -1), (1, -1))
                ],
                [(True, 1)] * 2,
            ),
        ),
    ),
    remark="Is the formula good for anything? It makes shares of numbers that are positive "
    "already, such as the exponentials: softmax is this formula applied to e^z.",
    sources=("S4-E05", "S4-C04"),
)
