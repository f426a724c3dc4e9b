"""Backpropagation is right at every depth: the induction, layer by layer."""

from sympy import KroneckerDelta as same

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

L, B, n, m = sizes("L B n m")
l, r, p, q = indices("l r p q")  # noqa: E741
z, W, b, g, delta = arrays("z W b g delta")
(sigma,) = functions("sigma")
slope = prime(sigma)


def fed(layer, s, k):
    """z[layer,s,k] as it comes from the layer before."""
    before = total(n, lambda i: sigma(z[layer - 1, s, i]) * W[layer, i, k])
    return before + b[layer, k]


def through(layer, change):
    """Σ δ[layer] · change: how the cost feels a change of z in that layer."""
    return total(B, lambda s: total(m, lambda k: delta[layer, s, k] * change(s, k)))


theorem = Derivation(
    name="backprop_induction",
    title="Backpropagation at every depth: δ[l] = ∂C/∂z[l] for l = L, L − 1, …, 1",
    quantifiers=(
        "every depth L",
        "every batch size B",
        "all widths: n before and m in the layer at hand",
        "every differentiable σ",
        "every cost C of the outputs",
    ),
    intuition="The last layer knows its error from the cost. If a layer knows its error, it can "
    "tell the one before; so all of them get to know it, one after the other.",
    ranges={l: L, r: B, p: n, q: m},
    conditions=(
        "z[l,s,k] = Σ_i σ(z[l−1,s,i]) W[l,i,k] + b[l,k]; for l = 1 the input stands for σ(z[0])",
        "g[s,k] = ∂C/∂σ(z[L,s,k]), which the cost gives",
        "the step goes from layer l + 1 to layer l for l < L; the widths n and m are named anew in "
        "each layer",
        "δ is computed by the boxes of the first two claims, from l = L downwards",
    ),
    chains=(
        Chain(
            "∂C/∂z[L,r,q]",
            total(
                B, lambda s: total(m, lambda k: g[s, k] * partial(sigma(z[L, s, k]), z[L, r, q]))
            ),
            "BASE. C feels z[L] through the outputs",
            (
                Step(
                    total(
                        B,
                        lambda s: total(
                            m, lambda k: g[s, k] * slope(z[L, s, k]) * same(s, r) * same(k, q)
                        ),
                    ),
                    "σ acts on each entry alone",
                ),
                Step(
                    g[r, q] * slope(z[L, r, q]),
                    "the two δ keep s = r and k = q: this is the output delta δ[L,r,q]",
                ),
            ),
        ),
        Chain(
            "∂C/∂z[l,r,p]",
            through(l + 1, lambda s, k: partial(fed(l + 1, s, k), z[l, r, p])),
            "STEP. Suppose δ[l+1] = ∂C/∂z[l+1]: C feels z[l] through z[l+1] alone",
            (
                Step(
                    through(
                        l + 1,
                        lambda s, k: total(
                            n,
                            lambda i: slope(z[l, s, i]) * same(s, r) * same(i, p) * W[l + 1, i, k],
                        ),
                    ),
                    "term by term",
                ),
                Step(
                    total(m, lambda k: delta[l + 1, r, k] * slope(z[l, r, p]) * W[l + 1, p, k]),
                    "the two δ keep s = r and i = p",
                ),
                Step(
                    slope(z[l, r, p]) * total(m, lambda k: delta[l + 1, r, k] * W[l + 1, p, k]),
                    "σ′ is free of k: this is the hidden delta δ[l,r,p]",
                ),
            ),
        ),
        Chain(
            "∂C/∂b[l,q]",
            through(l, lambda s, k: partial(fed(l, s, k), b[l, q])),
            "BIASES. Suppose δ[l] = ∂C/∂z[l]: C feels b[l] through z[l] alone",
            (
                Step(through(l, lambda s, k: same(k, q)), "b is added to every example"),
                Step(total(B, lambda s: delta[l, s, q]), "Σ_k with δ_kq keeps k = q"),
            ),
        ),
        Chain(
            "∂C/∂W[l,p,q]",
            through(l, lambda s, k: partial(fed(l, s, k), W[l, p, q])),
            "WEIGHTS. Suppose δ[l] = ∂C/∂z[l]: C feels W[l] through z[l] alone",
            (
                Step(
                    through(
                        l,
                        lambda s, k: total(
                            n, lambda i: sigma(z[l - 1, s, i]) * same(i, p) * same(k, q)
                        ),
                    ),
                    "term by term",
                ),
                Step(
                    total(B, lambda s: sigma(z[l - 1, s, p]) * delta[l, s, q]),
                    "the two δ keep i = p and k = q",
                ),
            ),
        ),
    ),
    remark="How do four claims make a theorem for every depth? Let P(l) say that δ[l], as "
    "computed, is ∂C/∂z[l]. BASE is P(L). STEP gets P(l) from P(l+1), for any l below L and any "
    "widths, since it uses nothing of the layers above but δ[l+1]. So P(L), P(L−1), …, P(1) hold, "
    "for L layers after L − 1 steps. BIASES and WEIGHTS then turn every P(l) into the gradients "
    "of layer l.",
    sources=("S0-C36", "S0-E37", "S2-C06", "S4-C30", "S4-E53", "S4-E67", "S4-C64"),
)
