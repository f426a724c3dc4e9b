"""The derivative of softmax: how each probability moves with each logit."""

from sympy import KroneckerDelta as same
from sympy import exp

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

(K,) = sizes("K")
i, k = indices("i k")
z, u, p = arrays("z u p")
(S,) = numbers("S", positive=True)

theorem = Derivation(
    name="softmax_jacobian",
    title="The Jacobian of softmax: ∂p_i/∂z_k = p_i (δ_ik − p_k)",
    quantifiers=("every number of classes K", "all logits z"),
    intuition="A larger z_i makes the share of class i larger, and as the shares add up to 1, "
    "every other share smaller. So the diagonal is positive, the rest negative.",
    ranges={i: K, k: K},
    definitions={
        u: lambda i: exp(z[i]),
        S: lambda: total(K, lambda j: u[j]),
        p: lambda i: u[i] / S,
    },
    chains=(
        Chain(
            "∂p[i]/∂z[k]",
            partial(u[i] / S, z[k]),
            "p[i] = u[i]/S",
            (
                Step(
                    partial(u[i], z[k]) / S - u[i] / S**2 * partial(S, z[k]),
                    "quotient rule: z[k] is in u[k] and in S",
                ),
                Step(
                    same(i, k) * u[i] / S - u[i] / S**2 * total(K, lambda j: same(j, k) * u[j]),
                    "(e^z)′ = e^z, and ∂z[i]/∂z[k] = δ_ik",
                ),
                Step(
                    same(i, k) * u[i] / S - u[i] * u[k] / S**2,
                    "Σ_j with δ_jk keeps j = k",
                ),
                Step(same(i, k) * p[i] - p[i] * p[k], "u/S = p, twice"),
                Step(p[i] * (same(i, k) - p[k]), "take out p[i]"),
            ),
        ),
    ),
    remark="Why is this not a slope σ′(z) for each entry, as for sigmoid? Through S every output "
    "depends on every logit, so the derivative is a K × K matrix. On the diagonal it is "
    "p_i (1 − p_i), which looks like the sigmoid; off the diagonal it is −p_i p_k, which is not 0.",
    sources=("S2-E31", "S3-E27"),
)
