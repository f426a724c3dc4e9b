"""The variance of a weighted input: fan-in times variance of a weight times size of an input."""

from sympy import KroneckerDelta as same
from sympy import S

from derivations.language import arrays, numbers, sizes, total
from derivations.proof import Chain, Condition, Derivation, Step

n, M, N = sizes("n M N")
P, Q, w, x, u, v, C, D = arrays("P Q w x u v C D")
var, size = numbers("V S", positive=True)
(mean_v,) = numbers("E_v")


def over_weights(body):
    """The expectation over the outcomes of the weights."""
    return total(M, lambda ω: P[ω] * body(ω))


def over_inputs(body):
    """The expectation over the outcomes of the inputs."""
    return total(N, lambda τ: Q[τ] * body(τ))


def _make_mean_zero(world):
    """Set the first value of the first weight so that its mean is 0."""
    outcomes = range(2, world.size(M) + 1)
    rest = sum(world.entry(P, (k,)) * world.entry(u, (k,)) for k in outcomes)
    world.values[(u, (1,))] = -rest / world.entry(P, (1,))


mean_zero = Condition(
    over_weights(lambda ω: u[ω]), S.Zero, "the weight u has the mean 0", _make_mean_zero
)

theorem = Derivation(
    name="weighted_input_variance",
    title="The variance of a weighted input: E[z²] = n · Var w · E[x²]",
    quantifiers=(
        "every fan-in n",
        "every distribution of weights and of inputs with finitely many outcomes",
    ),
    intuition="With random signs the n terms neither help nor hinder one another, so their squares "
    "add up. Each contributes the variance of a weight times the size of an input.",
    conditions=(
        "E is Σ over outcomes, P their probabilities for the weights, Q for the inputs",
        "the inputs are independent of the weights",
        "the weights are independent of one another, with mean 0 and the same variance V",
        "all inputs have the same second moment S = E[x²]; they may depend on one another",
    ),
    definitions={
        C: lambda i, j: var * same(i, j),
    },
    chains=(
        Chain(
            "E[u v] of two independent weights",
            over_weights(lambda ω: over_inputs(lambda τ: u[ω] * v[τ])),
            "independent: probabilities multiply",
            (
                Step(
                    over_weights(lambda ω: u[ω]) * over_inputs(lambda τ: v[τ]),
                    "each sum keeps its own factors: E[u] E[v]",
                ),
            ),
        ),
        Chain(
            "E[u] E_v",
            over_weights(lambda ω: u[ω]) * mean_v,
            "the line above, with E_v for E[v]",
            (Step(S.Zero, "E[u] = 0: independent weights are uncorrelated", (mean_zero,)),),
        ),
        Chain(
            "E[z]",
            over_weights(lambda ω: over_inputs(lambda τ: total(n, lambda i: w[i, ω] * x[i, τ]))),
            "z = Σ_i w[i] x[i]",
            (
                Step(
                    total(
                        n,
                        lambda i: over_weights(lambda ω: w[i, ω]) * over_inputs(lambda τ: x[i, τ]),
                    ),
                    "Σ_i E[w[i]] E[x[i]], which is 0 as each E[w[i]] is",
                ),
            ),
        ),
        Chain(
            "E[z²]",
            over_weights(
                lambda ω: over_inputs(lambda τ: total(n, lambda i: w[i, ω] * x[i, τ]) ** 2)
            ),
            "so the variance is E[z²]",
            (
                Step(
                    over_weights(
                        lambda ω: over_inputs(
                            lambda τ: total(
                                n,
                                lambda i: total(n, lambda j: w[i, ω] * x[i, τ] * w[j, ω] * x[j, τ]),
                            )
                        )
                    ),
                    "a square of a sum is a double sum",
                ),
                Step(
                    total(
                        n,
                        lambda i: total(
                            n,
                            lambda j: (
                                over_weights(lambda ω: w[i, ω] * w[j, ω])
                                * over_inputs(lambda τ: x[i, τ] * x[j, τ])
                            ),
                        ),
                    ),
                    "independent: Σ_i Σ_j E[w[i] w[j]] E[x[i] x[j]]",
                ),
            ),
        ),
        Chain(
            "E[z²] again",
            total(n, lambda i: total(n, lambda j: C[i, j] * D[i, j])),
            "C[i,j] = E[w[i] w[j]], D[i,j] = E[x[i] x[j]]",
            (
                Step(
                    var * total(n, lambda i: D[i, i]),
                    "E[w[i] w[j]] = V δ_ij by the first claim: Σ_j keeps j = i",
                ),
            ),
        ),
        Chain(
            "V Σ_i E[x[i]²]",
            var * total(n, lambda i: size),
            "every input has the second moment S",
            (Step(n * var * size, "n equal terms"),),
        ),
    ),
    remark="Why E[x²] and not the variance of x? Outputs of a relu are never negative, so their "
    "mean is not 0, and it is their whole size that is passed on.",
    sources=("S4-C27",),
)
