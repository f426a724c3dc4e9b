"""Two layers without an activation are one layer."""

from fractions import Fraction

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

n, m, K = sizes("n m K")
p, q = indices("p q")
x, h, W, b, U, c, V, d, y = arrays("x h W b U c V d y")


def _exclusive_or():
    """Two ReLUs on the four corners of the square."""
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    found = [max(0, s + t) - 2 * max(0, s + t - 1) for s, t in corners]
    return found, [0, 1, 1, 0]


def _affine_on_opposite_corners():
    """An affine map has the same sum on both diagonals of the square; exclusive or has not."""
    maps = [(Fraction(i, 3), Fraction(j, 7), Fraction(k, 5)) for i in range(-3, 4)
            for j in range(-3, 4) for k in range(-3, 4)]  # fmt: skip
    gaps = [(k + (i + j + k)) - ((i + k) + (j + k)) for i, j, k in maps]
    return set(gaps), {0}


theorem = Derivation(
    name="affine_of_affine",
    title="An affine map of an affine map is affine: (x W + b) U + c = x (W U) + (b U + c)",
    quantifiers=("all widths n, m and K", "all weights and biases"),
    intuition="Stretching and shifting twice is stretching and shifting once. However many layers "
    "are stacked, without an activation they can do no more than one.",
    ranges={p: n, q: K},
    definitions={
        h: lambda j: total(n, lambda i: x[i] * W[i, j]) + b[j],
        y: lambda k: total(m, lambda j: h[j] * U[j, k]) + c[k],
        V: lambda i, k: total(m, lambda j: W[i, j] * U[j, k]),
        d: lambda k: total(m, lambda j: b[j] * U[j, k]) + c[k],
    },
    chains=(
        Chain(
            "y[q]",
            total(m, lambda j: h[j] * U[j, q]) + c[q],
            "the second layer, h is the first",
            (
                Step(
                    total(m, lambda j: (total(n, lambda i: x[i] * W[i, j]) + b[j]) * U[j, q])
                    + c[q],
                    "the first layer written out",
                ),
                Step(
                    total(m, lambda j: total(n, lambda i: x[i] * W[i, j] * U[j, q]))
                    + total(m, lambda j: b[j] * U[j, q])
                    + c[q],
                    "multiply out",
                ),
                Step(
                    total(n, lambda i: x[i] * total(m, lambda j: W[i, j] * U[j, q])) + d[q],
                    "add up over j first; what is free of x is d",
                ),
                Step(total(n, lambda i: x[i] * V[i, q]) + d[q], "V = W U: one affine layer"),
            ),
        ),
        Chain(
            "∂y[q]/∂x[p]",
            total(m, lambda j: partial(h[j], x[p]) * U[j, q]),
            "the slope of both layers together",
            (
                Step(
                    total(m, lambda j: total(n, lambda i: same(i, p) * W[i, j]) * U[j, q]),
                    "term by term",
                ),
                Step(V[p, q], "Σ_i with δ_ip keeps i = p: a constant, x is gone"),
            ),
        ),
    ),
    facts=(
        Fact("an affine map takes the same sum on both diagonals of a square: 343 of them",
             _affine_on_opposite_corners),
        Fact("exclusive or (0, 1, 1, 0) takes 0 on one and 2 on the other, and is "
             "relu(s + t) − 2 relu(s + t − 1)", _exclusive_or),
    ),
    remark="And with more layers? y = x V + d is a layer of the same kind again, so a third one "
    "can be merged in the same way, and so on: any depth collapses. The activation between the "
    "layers is what prevents it.",
    sources=(
        *("S0-C07", "S1-C16", "S2-C25", "S3-C17", "S3-C18", "S4-C06", "S4-C07"),
    ),
    fixed="exclusive or alone is computed on its four points; the theorem is for all sizes",
)  # fmt: skip
