"""Integer labels: the same cross-entropy, with one term in place of K."""

from fractions import Fraction
from math import prod

from sympy import Integer, exp, log
from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(K,) = sizes("K")
q, c = indices("q c")
z, p, y = arrays("z p y")

PREDICTION = (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))


def _e_to_minus_loss(target):
    """e^(−ℓ) of ℓ = −Σ_i y log p[i], with the same whole number for every y."""
    return prod(entry**target for entry in PREDICTION)


theorem = Derivation(
    name="sparse_labels",
    title="Integer labels equal one-hot rows: −Σ_k δ_kc log p_k = −log p_c, with delta p − δ_qc",
    quantifiers=("every number of classes K", "every label c", "all logits z"),
    intuition="A one-hot row says with K numbers what its label says with one: all terms but "
    "that of the true class are multiplied by 0. So only the true class needs to be looked up.",
    ranges={q: K, c: K},
    definitions={
        y: lambda k: same(k, c),
        p: lambda i: exp(z[i]) / total(K, lambda j: exp(z[j])),
    },
    chains=(
        Chain(
            "Σ_k y[k]",
            total(K, lambda k: y[k]),
            "a one-hot row, added up",
            (
                Step(total(K, lambda k: same(k, c)), "y[k] is 1 for k = c, else 0"),
                Step(Integer(1), "one term is 1: one-hot rows are distributions"),
            ),
        ),
        Chain(
            "ℓ",
            -total(K, lambda k: y[k] * log(p[k])),
            "categorical cross-entropy, natural logarithm",
            (
                Step(-total(K, lambda k: same(k, c) * log(p[k])), "y is the one-hot row of c"),
                Step(-log(p[c]), "Σ_k with δ_kc keeps k = c: sparse cross-entropy"),
            ),
        ),
        Chain(
            "∂ℓ/∂z[q]",
            partial(-log(p[c]), z[q]),
            "the sparse form",
            (
                Step(-partial(p[c], z[q]) / p[c], "chain rule, (log p)′ = 1/p"),
                Step(
                    p[q] - same(c, q), "the Jacobian of softmax, p[c] (δ_cq − p[q]); p[c] cancels"
                ),
                Step(p[q] - y[q], "p − y again: 1 is taken from the true class"),
            ),
        ),
    ),
    facts=(
        Fact(
            "p = (1/5, 3/10, 1/2), label 2 (counted from 0): e^(−ℓ) is 1/2 for the one-hot row, "
            "but 9/10000 if 2 itself is put for every y, so ℓ would be 7.01 in place of 0.69",
            lambda: (
                (
                    prod(e**t for e, t in zip(PREDICTION, (0, 0, 1), strict=True)),
                    _e_to_minus_loss(2),
                ),
                (Fraction(1, 2), Fraction(9, 10000)),
            ),
        ),
        Fact(
            "label 0 put for every y: e^(−ℓ) = 1 and ℓ = 0, as if nothing were wrong; right is 1/5",
            lambda: ((_e_to_minus_loss(0), PREDICTION[0]), (1, Fraction(1, 5))),
        ),
    ),
    remark="Is sparse cross-entropy another loss, better for classification? No: it is the same "
    "number from another form of the target. The formula in the notes is the one-hot form, and "
    "it needs one-hot rows; only the sparse form takes whole numbers.",
    sources=("S2-C33", "S2-E34", "S3-C35", "S3-E39"),
)
