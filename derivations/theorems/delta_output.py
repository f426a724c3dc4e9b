"""The output delta, first of the four equations: where the error starts its way back."""

from sympy import KroneckerDelta as same
from sympy import Rational

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, m = sizes("B m")
r, q = indices("r q")
z, a, y, g, o = arrays("z a y g o")
(sigma,) = functions("sigma")
slope = prime(sigma)
half = Rational(1, 2)

theorem = Derivation(
    name="delta_output",
    title="The output delta: δ_L = ∂C/∂a_L ∘ σ′(z_L), and (a_L − y) ∘ σ′(z_L) for half the MSE",
    quantifiers=(
        "every batch size B",
        "every width m",
        "every differentiable σ that acts on each entry alone",
        "every cost C that depends on z only through a",
    ),
    intuition="The cost says how much it minds each output. The slope of the activation says how "
    "much of that reaches the weighted input below it.",
    ranges={r: B, q: m},
    definitions={a: lambda s, k: sigma(z[s, k])},
    conditions=("g = ∂C/∂a", "o[k] are the outputs of one example r"),
    chains=(
        Chain(
            "∂C/∂z[r,q]",
            total(B, lambda s: total(m, lambda k: g[s, k] * partial(a[s, k], z[r, q]))),
            "chain rule: C moves by Σ g da",
            (
                Step(
                    total(
                        B,
                        lambda s: total(
                            m, lambda k: g[s, k] * slope(z[s, k]) * same(s, r) * same(k, q)
                        ),
                    ),
                    "σ acts on each entry alone",
                ),
                Step(
                    g[r, q] * slope(z[r, q]), "Σ_s with δ_rs keeps s = r, Σ_k with δ_kq keeps k = q"
                ),
            ),
        ),
        Chain(
            "∂C/∂o[q]",
            partial(half * total(m, lambda k: (y[r, k] - o[k]) ** 2), o[q]),
            "one example r, C = ½ Σ_k (y − o)²",
            (
                Step(
                    -total(m, lambda k: (y[r, k] - o[k]) * same(k, q)),
                    "½ · 2 = 1, and −o has the slope −1",
                ),
                Step(o[q] - y[r, q], "Σ_k with δ_kq keeps k = q; the sign turns the difference"),
            ),
        ),
        Chain(
            "∂C/∂z[r,q]",
            partial(
                total(B, lambda s: total(m, lambda k: (y[s, k] - a[s, k]) ** 2)) / (2 * B), z[r, q]
            ),
            "a batch, C = (1/2B) Σ_s Σ_k (y − a)²",
            (
                Step(
                    -total(
                        B,
                        lambda s: total(
                            m,
                            lambda k: (
                                (y[s, k] - a[s, k]) * slope(z[s, k]) * same(s, r) * same(k, q)
                            ),
                        ),
                    )
                    / B,
                    "chain rule through the square and through σ",
                ),
                Step(
                    (a[r, q] - y[r, q]) * slope(z[r, q]) / B,
                    "the two δ keep s = r and k = q: a mean, so each example counts 1/B",
                ),
            ),
        ),
        Chain(
            "∂C/∂o[q] as S4 writes it",
            partial(half * total(m, lambda i: (y[r, i] - o[q]) ** 2), o[q]),
            "½ Σ_i (y_i − a_j)²: one output against all targets",
            (
                Step(total(m, lambda i: o[q] - y[r, i]), "every term holds the same o[q]"),
                Step(m * o[q] - total(m, lambda i: y[r, i]), "not o[q] − y[q]: it must be o[i]"),
            ),
        ),
    ),
    remark="Is ∂C/∂z[r,q] or B times it the δ? Both are used. S4 takes δ for one example, so that "
    "the mean over the batch comes in with the weights; the deltas of a mean cost carry 1/B from "
    "the start. With softmax, where every output depends on every z, the single product is not "
    "enough.",
    sources=("S4-E45", "S4-E47", "S4-E48", "S4-E52", "S4-E65", "S4-E34"),
)
