"""Softmax backwards: what the gradient on p becomes on z, without building the Jacobian."""

from sympy import KroneckerDelta as same
from sympy import exp

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, K = sizes("B K")
b, k = indices("b k")
z, p, g = arrays("z p g")

# Any cost C that depends on z only through p moves by Σ g dp, with g = ∂C/∂p. That is all that is
# used of it.
chain_rule = total(B, lambda s: total(K, lambda i: g[s, i] * partial(p[s, i], z[b, k])))

theorem = Derivation(
    name="softmax_pullback",
    title="Softmax backwards: Jᵀg = p ∘ (g − Σ g p)",
    quantifiers=(
        "every batch size B",
        "every number of classes K",
        "every cost C that depends on z only through p",
    ),
    intuition="Raising a logit takes probability from all other classes. So what counts is how "
    "much better its class pays than the average, and the average is Σ g p.",
    ranges={b: B, k: K},
    definitions={p: lambda s, i: exp(z[s, i]) / total(K, lambda j: exp(z[s, j]))},
    chains=(
        Chain(
            "∂C/∂z[b,k]",
            chain_rule,
            "chain rule: C feels z through every p, and g = ∂C/∂p",
            (
                Step(
                    total(B, lambda s: same(s, b) * total(
                        K, lambda i: g[s, i] * p[s, i] * (same(i, k) - p[s, k]))),
                    "the Jacobian of softmax; rows do not mix",
                ),
                Step(
                    total(K, lambda i: g[b, i] * p[b, i] * (same(i, k) - p[b, k])),
                    "Σ_s with δ_bs keeps s = b",
                ),
                Step(
                    p[b, k] * (g[b, k] - total(K, lambda i: g[b, i] * p[b, i])),
                    "Σ_i with δ_ik keeps i = k; p[b,k] is in both terms",
                ),
            ),
        ),
    ),
    remark="Where did the matrix go? The K × K Jacobian is a diagonal minus p pᵀ, so its product "
    "with g needs one sum over the classes: K steps in place of K². As it is symmetric, J g and "
    "Jᵀg are the same.",
    sources=("S4-E47",),
)  # fmt: skip
