"""Any cost through softmax, and why a product of two slopes is not enough for it."""

from fractions import Fraction

import sympy
from sympy import KroneckerDelta as same
from sympy import exp, log

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

B, K = sizes("B K")
b, q = indices("b q")
z, p, g, y = arrays("z p g y")

pull = p[b, q] * (g[b, q] - total(K, lambda i: g[b, i] * p[b, i]))


def _softmax(z):
    below = sympy.Add(*(exp(entry) for entry in z))
    return [exp(entry) / below for entry in z]


def _differentiated(target):
    """∂/∂z of ½ Σ (p − y)² at z = (log 1, log 2, log 3), by SymPy's own rules."""
    logits = sympy.symbols("z1:4", real=True)
    cost = sum((p - t) ** 2 for p, t in zip(_softmax(logits), target, strict=True)) / 2
    here = {logit: log(n) for n, logit in enumerate(logits, 1)}
    return [sympy.simplify(cost.diff(logit).subs(here)) for logit in logits]


P = (Fraction(1, 6), Fraction(1, 3), Fraction(1, 2))
Y = (0, 1, 0)


def _by_product_rule():
    """∂C/∂a_j · ∂a_j/∂z_j, as for an elementwise σ."""
    return [(p - y) * p * (1 - p) for p, y in zip(P, Y, strict=True)]


def _by_theorem():
    mean = sum((p - y) * p for p, y in zip(P, Y, strict=True))
    return [p * (p - y - mean) for p, y in zip(P, Y, strict=True)]


def _times_54(gradient):
    return [entry * 54 for entry in gradient]


theorem = Derivation(
    name="softmax_general_loss",
    title="Any loss through softmax: δ = p ∘ (g − Σ g p), which is not g ∘ p ∘ (1 − p)",
    quantifiers=(
        "every batch size B",
        "every number of classes K",
        "every cost C that depends on z only through p",
    ),
    intuition="A logit reaches the cost through every output, since all of them share one "
    "denominator. A rule with one slope for each entry leaves all these other ways out.",
    ranges={b: B, q: K},
    definitions={p: lambda s, i: exp(z[s, i]) / total(K, lambda j: exp(z[s, j]))},
    chains=(
        Chain(
            "∂C/∂z[b,q]",
            total(B, lambda s: total(K, lambda i: g[s, i] * partial(p[s, i], z[b, q]))),
            "chain rule: C feels z through every p, and g = ∂C/∂p",
            (
                Step(
                    total(K, lambda i: g[b, i] * p[b, i] * (same(i, q) - p[b, q])),
                    "the Jacobian of softmax; only row b depends on z[b,q]",
                ),
                Step(pull, "Σ_i with δ_iq keeps i = q; p[b,q] is in both terms"),
            ),
        ),
        Chain(
            "∂C/∂z[b,q], less the product rule",
            pull - g[b, q] * p[b, q] * (1 - p[b, q]),
            "the product rule takes i = q alone",
            (
                Step(
                    p[b, q] * (g[b, q] * p[b, q] - total(K, lambda i: g[b, i] * p[b, i])),
                    "g[b,q] p[b,q] is taken away",
                ),
                Step(
                    p[b, q] * total(K, lambda i: (same(i, q) - 1) * g[b, i] * p[b, i]),
                    "what is missing: all the other outputs, i ≠ q",
                ),
            ),
        ),
        Chain(
            "∂C/∂z[b,q] for cross-entropy",
            p[b, q] * (total(K, lambda i: y[b, i]) - y[b, q] / p[b, q]),
            "the first claim with g = −y/p, so that Σ g p = −Σ y",
            (
                Step(
                    p[b, q] * total(K, lambda i: y[b, i]) - y[b, q],
                    "multiplied out: the fused delta again",
                ),
            ),
        ),
    ),
    facts=(
        Fact(
            "p = (1/6, 1/3, 1/2), y = (0, 1, 0), half the squared error: 54 times the gradient "
            "is (1, −13, 12), by the theorem and by differentiating the cost at z = (log 1, log "
            "2, log 3)",
            lambda: (
                (_times_54(_by_theorem()), _times_54(_differentiated(Y))),
                ([1, -13, 12], [1, -13, 12]),
            ),
        ),
        Fact(
            "there the product rule ∂C/∂a · ∂a/∂z makes it (5/4, −8, 27/4)",
            lambda: (_times_54(_by_product_rule()), [Fraction(5, 4), -8, Fraction(27, 4)]),
        ),
    ),
    remark="When is the product rule right? For σ that acts on each entry alone: then the Jacobian "
    "is diagonal. Softmax is the one output here whose Jacobian is not.",
    sources=("S4-E47", "S4-E48", "S3-E34"),
)
