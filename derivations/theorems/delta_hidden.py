"""The hidden delta, second of the four equations: how an error travels back through a layer."""

from sympy import KroneckerDelta as same

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n, m = sizes("B n m")
b, p = indices("b p")
z, Z, W, bias, delta = arrays("z Z W bias delta")
(sigma,) = functions("sigma")
slope = prime(sigma)

# Any cost C that depends on z only through Z moves by Σ δ dZ, with δ = ∂C/∂Z. That is all that is
# used of it.
chain_rule = total(B, lambda s: total(m, lambda k: delta[s, k] * partial(Z[s, k], z[b, p])))

theorem = Derivation(
    name="delta_hidden",
    title="The hidden delta: δ_l = (δ_{l+1} W_{l+1}ᵀ) ∘ σ′(z_l)",
    quantifiers=(
        "every batch size B",
        "all widths n and m",
        "every differentiable σ",
        "every cost C that depends on z only through Z",
    ),
    intuition="Each unit is blamed by every unit that it feeds, in proportion to the weight in "
    "between. Its own slope σ′(z) says how much of that blame reaches its weighted input.",
    ranges={b: B, p: n},
    definitions={Z: lambda s, k: total(n, lambda i: sigma(z[s, i]) * W[i, k]) + bias[k]},
    chains=(
        Chain(
            "∂C/∂z[b,p]",
            chain_rule,
            "chain rule: C feels z through every Z, and δ = ∂C/∂Z",
            (
                Step(
                    total(B, lambda s: total(m, lambda k: delta[s, k] * total(
                        n, lambda i: slope(z[s, i]) * same(s, b) * same(i, p) * W[i, k]))),
                    "the derivative of Z, term by term",
                ),
                Step(
                    total(m, lambda k: delta[b, k] * slope(z[b, p]) * W[p, k]),
                    "Σ_s with δ_bs keeps s = b, Σ_i with δ_ip keeps i = p",
                ),
                Step(
                    slope(z[b, p]) * total(m, lambda k: delta[b, k] * W[p, k]),
                    "σ′ does not depend on k",
                ),
            ),
        ),
    ),
    remark="Why the transpose? The sum runs over k, the second index of W[p,k]; the free index p "
    "is its first. Rows times columns sum over inner indices, so this is (δ Wᵀ)[b,p]. Why the "
    "elementwise product? σ acts on each entry alone, so only i = p survives.",
    sources=("S4-E53", "S4-E54", "S4-E55", "S4-E56", "S4-E57", "S4-E67"),
)  # fmt: skip
