"""The logarithm of softmax without the softmax: z minus the log-sum-exp."""

from sympy import exp, log

from derivations import witness
from derivations.language import arrays, indices, numbers, sizes, total
from derivations.proof import Chain, Condition, Derivation, Step

(K,) = sizes("K")
(i,) = indices("i")
z, s, p, y = arrays("z s p y")
L, c = numbers("L c")

below = total(K, lambda j: exp(z[j]))
below_shifted = total(K, lambda j: exp(s[j]))


def _call_L(world):
    """Give L its value."""
    world.values[L] = witness.value(log(below), world)


# Said with e^L, since log(e^x) = x is all that the steps use.
sum_is_e_to_L = Condition(
    below, exp(L), "L is the log-sum-exp, the number with Σ_j e^z[j] = e^L", _call_L
)

theorem = Derivation(
    name="log_softmax",
    title="log softmax: log p_i = z_i − log Σ_j e^z_j, and any c may be taken from z first",
    quantifiers=("every number of classes K", "all logits z and targets y", "every number c"),
    intuition="The logarithm of a quotient is a difference, and log e^z is z itself. So no small "
    "probability has to be computed, and rounded to 0, before its logarithm is taken.",
    ranges={i: K},
    definitions={p: lambda i: exp(z[i]) / total(K, lambda j: exp(z[j])), s: lambda i: z[i] - c},
    chains=(
        Chain(
            "log p[i]",
            log(p[i]),
            "the logarithm of softmax",
            (
                Step(log(exp(z[i]) / below), "the definition of p"),
                Step(z[i] - L, "it is log e^(z[i] − L)", (sum_is_e_to_L,)),
                Step(z[i] - log(below), "L = log Σ_j e^z[j]", (sum_is_e_to_L,)),
            ),
        ),
        Chain(
            "log Σ_j e^z[j]",
            log(below),
            "the log-sum-exp",
            (
                Step(L, "log e^L = L", (sum_is_e_to_L,)),
                Step(
                    c + log(below_shifted),
                    "Σ_j e^(z[j] − c) = e^(L − c), its logarithm is L − c",
                    (sum_is_e_to_L,),
                ),
            ),
        ),
        Chain(
            "log p[i], from shifted logits",
            z[i] - log(below),
            "the first claim",
            (
                Step(s[i] + c - log(below), "z = s + c"),
                Step(
                    s[i] - log(below_shifted),
                    "the second claim; c − c = 0",
                    (sum_is_e_to_L,),
                ),
            ),
        ),
        Chain(
            "ℓ, cross-entropy from logits",
            -total(K, lambda k: y[k] * (s[k] - log(below_shifted))),
            "ℓ = −Σ_k y[k] log p[k], with the third claim",
            (
                Step(
                    total(K, lambda k: y[k]) * log(below_shifted) - total(K, lambda k: y[k] * s[k]),
                    "the log-sum-exp does not depend on k",
                ),
            ),
        ),
    ),
    remark="What is gained, when both sides are equal? Arithmetic with finitely many digits: for "
    "z = (0, 200) the float32 softmax of the first class is 0 and its logarithm −∞, while "
    "z − log Σ e^z gives −200. With c = max z no exponential overflows either.",
    sources=("S2-E34", "S3-E27"),
)
