"""S3's two-layer network in columns: every gradient below the output, and where g′ is taken."""

from fractions import Fraction

from sympy import KroneckerDelta as same

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

n, N, K, m = sizes("n N K m")
i, p, q, r = indices("i p q r")
X, Z1, A1, Z2, W1, W2, b1, b2, dZ1, dZ2 = arrays("X Z1 A1 Z2 W1 W2 b1 b2 dZ1 dZ2")
(g,) = functions("g")
slope = prime(g)


def through_output(change):
    """Σ dZ2 · change: how the loss feels a change of Z2."""
    return total(K, lambda k: total(m, lambda s: dZ2[k, s] * change(k, s)))


def through_hidden(change):
    """Σ dZ1 · change: how the loss feels a change of Z1."""
    return total(N, lambda j: total(m, lambda s: dZ1[j, s] * change(j, s)))


def first_layer(j, s):
    """Z1[j,s] as it comes from the images."""
    return total(n, lambda h: W1[j, h] * X[h, s]) + b1[j]


def _slope_in_the_wrong_place():
    """relu, one unit: Z1 = −1, W2 = 1, dZ2 = 1/2; the loss of the hidden unit is relu(Z1)/2."""
    z1, error, step = Fraction(-1), Fraction(1, 2), Fraction(1, 100)
    rises = [error * max(Fraction(0), z) for z in (z1 - step, z1 + step)]
    true = (rises[1] - rises[0]) / (2 * step)
    at_z1, at_dz2 = error * int(z1 > 0), error * int(error > 0)
    return (true, at_z1, at_dz2), (0, 0, Fraction(1, 2))


theorem = Derivation(
    name="s3_network",
    title="S3's gradients: dW2, db2, dZ1 = W2ᵀ dZ2 ∘ g′(Z1), dW1, db1",
    quantifiers=(
        "every number of images m",
        "all widths n (pixels), N (hidden) and K (classes)",
        "every differentiable g",
        "every loss of the outputs, given by dZ2",
    ),
    intuition="The errors of the output layer go back through the weights that the activations "
    "came up. On the way they pass g, whose slope has to be taken where g was applied: at Z1.",
    ranges={i: n, p: N, q: K, r: m},
    definitions={
        A1: lambda j, s: g(Z1[j, s]),
        Z2: lambda k, s: total(N, lambda j: W2[k, j] * A1[j, s]) + b2[k],
    },
    conditions=(
        "ℓ[s] is the loss of image s, L = (1/m) Σ_s ℓ[s]",
        "dZ[k,s] = ∂ℓ[s]/∂Z[k,s], while dW = ∂L/∂W and db = ∂L/∂b",
        "Z1 = W1 X + b1",
    ),
    chains=(
        Chain(
            "dW2[q,p]",
            through_output(lambda k, s: partial(Z2[k, s], W2[q, p])) / m,
            "chain rule, L is a mean",
            (
                Step(
                    through_output(
                        lambda k, s: total(N, lambda j: same(k, q) * same(j, p) * A1[j, s])
                    )
                    / m,
                    "the derivative of Z2, term by term",
                ),
                Step(
                    total(m, lambda s: dZ2[q, s] * A1[p, s]) / m,
                    "the two δ keep k = q and j = p: (1/m) (dZ2 A1ᵀ)[q,p]",
                ),
            ),
        ),
        Chain(
            "db2[q]",
            through_output(lambda k, s: partial(Z2[k, s], b2[q])) / m,
            "chain rule, L is a mean",
            (
                Step(through_output(lambda k, s: same(k, q)) / m, "b2 is added to every image"),
                Step(total(m, lambda s: dZ2[q, s]) / m, "over the images only: row sums"),
            ),
        ),
        Chain(
            "dZ1[p,r]",
            through_output(lambda k, s: partial(Z2[k, s], Z1[p, r])),
            "chain rule, image r, so no 1/m",
            (
                Step(
                    through_output(
                        lambda k, s: total(
                            N, lambda j: W2[k, j] * slope(Z1[j, s]) * same(j, p) * same(s, r)
                        )
                    ),
                    "A1 = g(Z1), so its slope is g′ at Z1",
                ),
                Step(
                    total(K, lambda k: dZ2[k, r] * W2[k, p] * slope(Z1[p, r])),
                    "the two δ keep j = p and s = r",
                ),
                Step(
                    slope(Z1[p, r]) * total(K, lambda k: W2[k, p] * dZ2[k, r]),
                    "g′(Z1[p,r]) is free of k: (W2ᵀ dZ2)[p,r] times it",
                ),
            ),
        ),
        Chain(
            "dW1[p,i]",
            through_hidden(lambda j, s: partial(first_layer(j, s), W1[p, i])) / m,
            "chain rule, Z1 = W1 X + b1",
            (
                Step(
                    through_hidden(
                        lambda j, s: total(n, lambda h: same(j, p) * same(h, i) * X[h, s])
                    )
                    / m,
                    "the derivative of Z1, term by term",
                ),
                Step(
                    total(m, lambda s: dZ1[p, s] * X[i, s]) / m,
                    "the two δ keep j = p and h = i: (1/m) (dZ1 Xᵀ)[p,i]",
                ),
            ),
        ),
        Chain(
            "db1[p]",
            through_hidden(lambda j, s: partial(first_layer(j, s), b1[p])) / m,
            "chain rule, Z1 = W1 X + b1",
            (
                Step(through_hidden(lambda j, s: same(j, p)) / m, "b1 is added to every image"),
                Step(total(m, lambda s: dZ1[p, s]) / m, "over the images only: row sums"),
            ),
        ),
    ),
    facts=(
        Fact("with relu, Z1 = −1, W2 = 1 and dZ2 = 1/2, dZ1 is 0 and g′(Z1) gives 0; g′(dZ2), as "
             "the notes have it, gives 1/2", _slope_in_the_wrong_place),
    ),
    remark="Does g′ undo g, as the notes say? It does not invert, it scales: a change of Z1 "
    "becomes g′(Z1) times as large in A1, so the error becomes as much larger on the way back.",
    sources=(
        *("S3-E20", "S3-E36", "S3-E38", "S3-C40", "S3-C41", "S3-E42", "S3-C43", "S3-C44"),
        *("S3-E54", "S3-E55"),
    ),
    fixed="the counterexample alone is computed for one unit; the theorem is for all sizes",
)  # fmt: skip
