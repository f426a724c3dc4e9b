"""One unit with squared error: the gradient, with the sum over the samples in its place."""

from fractions import Fraction

from sympy import KroneckerDelta as same
from sympy import exp

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

n, m = sizes("n m")
(p,) = indices("p")
x, y, yhat, z, w, t, s = arrays("x y ŷ z w t ŝ")
b, C = numbers("b C")
(sigma,) = functions("sigma")
slope = prime(sigma)

error = total(n, lambda k: (y[k] - yhat[k]) ** 2) / n


def _right(samples, feature):
    """−(2/n) Σ_k (y − ŷ) σ′ x at w = b = 0, where ŷ = 1/2 and σ′ = 1/4; feature 0 is the bias."""
    terms = [(y - Fraction(1, 2)) * Fraction(1, 4) * (x if feature else 1) for x, y in samples]
    return Fraction(-2, len(samples)) * sum(terms)


def _wrong(samples, sample, feature):
    """(2/n) sum(y − ŷ) σ′ x there, z and x of one of the samples."""
    errors = sum(y - Fraction(1, 2) for _, y in samples)
    x = samples[sample][0] if feature else 1
    return Fraction(2, len(samples)) * errors * Fraction(1, 4) * x


TWO, ONE = [(1, 1), (-1, 0)], [(1, 1)]

theorem = Derivation(
    name="perceptron_gradient",
    title="The perceptron: ∂C/∂w_p = −(2/n) Σ_k (y_k − ŷ_k) σ′(z_k) x_kp, and 1 for x gives ∂C/∂b",
    quantifiers=(
        "every number of samples n",
        "every number of features m",
        "every differentiable σ",
    ),
    intuition="A weight reaches the cost through every sample, so its gradient is a sum over them: "
    "error times slope times input. The input of the bias is always 1.",
    ranges={p: m},
    definitions={
        z: lambda k: total(m, lambda i: x[k, i] * w[i]) + b,
        yhat: lambda k: sigma(z[k]),
        s: lambda k: 1 / (1 + exp(-t[k])),
        C: lambda: error,
    },
    chains=(
        Chain(
            "∂C/∂w[p]",
            partial(C, w[p]),
            "C is the mean squared error",
            (
                Step(
                    -2 / n * total(n, lambda k: (y[k] - yhat[k]) * partial(yhat[k], w[p])),
                    "(u²)′ = 2 u u′, and ŷ has a minus sign",
                ),
                Step(
                    -2 / n * total(
                        n, lambda k: (y[k] - yhat[k]) * slope(z[k]) * partial(z[k], w[p])),
                    "chain rule in every sample: ∂ŷ/∂w = σ′(z) ∂z/∂w",
                ),
                Step(
                    -2 / n * total(n, lambda k: (y[k] - yhat[k]) * slope(z[k]) * total(
                        m, lambda i: x[k, i] * same(i, p))),
                    "∂w[i]/∂w[p] = δ_ip, and b does not depend on w",
                ),
                Step(
                    -2 / n * total(n, lambda k: (y[k] - yhat[k]) * slope(z[k]) * x[k, p]),
                    "Σ_i with δ_ip keeps i = p",
                ),
            ),
        ),
        Chain(
            "∂C/∂b",
            partial(C, b),
            "the same cost",
            (
                Step(
                    -2 / n * total(
                        n, lambda k: (y[k] - yhat[k]) * slope(z[k]) * partial(z[k], b)),
                    "the same two steps, with b for w[p]",
                ),
                Step(
                    -2 / n * total(n, lambda k: (y[k] - yhat[k]) * slope(z[k])),
                    "∂z[k]/∂b = 1: one b, outside the sum over i",
                ),
            ),
        ),
        Chain(
            "∂C/∂w[p] for the sigmoid ŝ",
            -2 / n * total(n, lambda k: (y[k] - s[k]) * partial(s[k], t[k]) * x[k, p]),
            "the first claim, with t[k] for the number z[k]",
            (
                Step(
                    -2 / n * total(n, lambda k: (y[k] - s[k]) * s[k] * (1 - s[k]) * x[k, p]),
                    "σ′ = σ (1 − σ)",
                ),
            ),
        ),
        Chain(
            "∂C/∂b for the sigmoid ŝ",
            -2 / n * total(n, lambda k: (y[k] - s[k]) * partial(s[k], t[k])),
            "the second claim, with t[k] for the number z[k]",
            (
                Step(
                    -2 / n * total(n, lambda k: (y[k] - s[k]) * s[k] * (1 - s[k])),
                    "σ′ = σ (1 − σ)",
                ),
            ),
        ),
    ),
    facts=(
        Fact(
            "samples (x, y) = (1, 1) and (−1, 0), sigmoid, w = b = 0: ∂C/∂w is −1/4; (2/n) sum(y "
            "− ŷ) σ′ x is 0, whichever sample gives x",
            lambda: (
                (_right(TWO, 1), [_wrong(TWO, k, 1) for k in (0, 1)]),
                (Fraction(-1, 4), [0, 0]),
            ),
        ),
        Fact(
            "one sample (1, 1): ∂C/∂w = ∂C/∂b = −1/4; without the minus sign it is 1/4, and the "
            "step goes uphill",
            lambda: (
                [(_right(ONE, f), _wrong(ONE, 0, f)) for f in (1, 0)],
                [(Fraction(-1, 4), Fraction(1, 4))] * 2,
            ),
        ),
    ),
    remark="May σ′ and x be taken out of the sum, as (2/n) · sum(y − ŷ) · σ′(z) · x? No: both "
    "depend on the sample k. Σ_k u_k v_k is not Σ_k u_k times Σ_k v_k, and with one z and one x "
    "it is not even said which sample they are of. ∂C/∂w = ∂C/∂ŷ · ∂ŷ/∂z · ∂z/∂w is right for "
    "one sample.",
    sources=("S1-E32", "S1-E33", "S1-E37", "S1-E43", "S1-E44", "S1-C45", "S1-E46", "S1-C31"),
)  # fmt: skip
