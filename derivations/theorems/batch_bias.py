"""The gradient of a bias is summed over the examples."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, m = sizes("B m")
(q,) = indices("q")
U, Y, b, G, y, u, g = arrays("U Y b G y u g")
(rate,) = numbers("l")

theorem = Derivation(
    name="batch_bias",
    title="The gradient of a bias over a batch: ∂E/∂b = Σ_s G[s]",
    quantifiers=("every batch size B", "every width m", "every E that depends on Y"),
    intuition="One bias is added to every example, so every example has a say in its gradient. "
    "Addition passes each of these votes on unchanged.",
    ranges={q: m},
    definitions={
        Y: lambda s, k: U[s, k] + b[k],
        y: lambda k: u[k] + b[k],
    },
    conditions=(
        "U = X W is what the bias is added to, and G = ∂E/∂Y",
        "u, y and g are the same for a single example",
    ),
    chains=(
        Chain(
            "∂E/∂b[q], one example",
            total(m, lambda k: g[k] * partial(y[k], b[q])),
            "chain rule",
            (
                Step(total(m, lambda k: g[k] * same(k, q)), "∂y[k]/∂b[q] = δ_kq"),
                Step(g[q], "Σ_k with δ_kq keeps k = q: here, and only here, ∂E/∂B = ∂E/∂Y"),
            ),
        ),
        Chain(
            "∂E/∂b[q], E of the whole batch",
            total(B, lambda s: total(m, lambda k: G[s, k] * partial(Y[s, k], b[q]))),
            "chain rule: through every example",
            (
                Step(
                    total(B, lambda s: total(m, lambda k: G[s, k] * same(k, q))),
                    "∂Y[s,k]/∂b[q] = δ_kq, the same for every s",
                ),
                Step(
                    total(B, lambda s: G[s, q]), "Σ_k with δ_kq keeps k = q; no δ for s: Σ_s stays"
                ),
            ),
        ),
        Chain(
            "∂E/∂b[q], E the mean over the batch",
            total(B, lambda s: total(m, lambda k: G[s, k] * partial(Y[s, k], b[q]))) / B,
            "G[s] is of E[s] now, and 1/B comes along",
            (Step(total(B, lambda s: G[s, q]) / B, "as above: the mean of G over the examples"),),
        ),
        Chain(
            "what a step takes off b[q]",
            rate * total(B, lambda s: total(m, lambda k: G[s, k] * partial(Y[s, k], b[q]))),
            "learning rate l",
            (Step(rate * total(B, lambda s: G[s, q]), "one number for one bias"),),
        ),
    ),
    remark="Sum or mean? Whichever E is: if E adds up the examples, the sum; if E is their mean, "
    "the mean. Without either, b − l·∂E/∂Y has a row for every example, and broadcasting makes a "
    "table out of a vector without a word.",
    sources=("S2-E21", "S2-E24", "S2-E43", "S3-E38", "S3-E55"),
)
