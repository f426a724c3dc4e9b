"""Why the outputs of softmax are probabilities, and what that means for its derivative."""

from sympy import Integer, exp
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

(K,) = sizes("K")
i, k = indices("i k")
z, p = arrays("z p")
(S,) = numbers("S", positive=True)

theorem = Derivation(
    name="softmax_sums_to_one",
    title="Softmax gives probabilities: 0 < p_i ≤ 1 and Σ_i p_i = 1, whatever the logits do",
    quantifiers=("every number of classes K", "all logits z"),
    intuition="Dividing positive numbers by their own sum makes shares of a whole. As the whole "
    "stays 1, what one class wins the others lose, so rows and columns of the Jacobian sum to 0.",
    ranges={i: K, k: K},
    definitions={S: lambda: total(K, lambda j: exp(z[j])), p: lambda i: exp(z[i]) / S},
    chains=(
        Chain(
            "1/p[i]",
            S / exp(z[i]),
            "the definition, upside down",
            (
                Step(
                    total(K, lambda j: exp(z[j] - z[i])),
                    "each term of S divided by e^z[i]; for j = i it is 1",
                ),
            ),
        ),
        Chain(
            "Σ_i p[i]",
            total(K, lambda i: p[i]),
            "all the outputs of one example",
            (
                Step(total(K, lambda i: exp(z[i])) / S, "S does not depend on i"),
                Step(Integer(1), "above and below stands the same sum"),
            ),
        ),
        Chain(
            "Σ_i ∂p[i]/∂z[k]",
            total(K, lambda i: partial(p[i], z[k])),
            "a column of the Jacobian: one logit moves, all outputs are added",
            (
                Step(total(K, lambda i: p[i] * (same(i, k) - p[k])), "the Jacobian of softmax"),
                Step(p[k] * (1 - total(K, lambda i: p[i])), "Σ_i with δ_ik keeps i = k"),
                Step(Integer(0), "Σ_i p[i] = 1"),
            ),
        ),
        Chain(
            "Σ_k ∂p[i]/∂z[k]",
            total(K, lambda k: partial(p[i], z[k])),
            "a row of the Jacobian: all logits move together, one output is seen",
            (
                Step(total(K, lambda k: p[i] * (same(i, k) - p[k])), "the Jacobian of softmax"),
                Step(p[i] * (1 - total(K, lambda k: p[k])), "Σ_k with δ_ik keeps k = i"),
                Step(Integer(0), "Σ_k p[k] = 1"),
            ),
        ),
    ),
    remark="Can a probability be 0 or 1? By the first claim 1/p_i is a sum of positive terms, "
    "one of which is 1: for K > 1 it is above 1 and finite, so p_i is strictly between 0 and 1 "
    "in exact arithmetic. Rounding may still turn it into 0 or 1.",
    sources=("S2-C30", "S2-E31", "S3-E27", "S3-C28", "S3-C29", "S3-C30", "S3-E31", "S4-C04"),
)
