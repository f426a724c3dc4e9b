"""What the bias does: it moves the activation to the left or to the right."""

from fractions import Fraction

from sympy import Rational, exp

from derivations.calculus import prime
from derivations.language import arrays, functions, numbers, partial, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(n,) = sizes("n")
W, X, D = arrays("w x x₀")
(w,) = numbers("w", nonzero=True)
x, b, shift = numbers("x b x₀")
(sigma,) = functions("sigma")
squares = total(n, lambda j: W[j] ** 2)

theorem = Derivation(
    name="perceptron_bias_shift",
    title="The bias moves the activation: σ(w x + b) is σ(w x), shifted by −b/w",
    quantifiers=(
        "every differentiable σ",
        "every w but 0",
        "every b",
        "every number of inputs n, if some w[i] is not 0",
    ),
    intuition="Adding b to w x does what a different x would have done: x + b/w. So the curve "
    "keeps its shape, and what happened at 0 now happens at −b/w, left of 0 where b/w is above 0.",
    definitions={shift: lambda: -b / w, D: lambda i: -b * W[i] / total(n, lambda j: W[j] ** 2)},
    chains=(
        Chain(
            "σ(w x + b), one input",
            sigma(w * x + b),
            "weighted input, activation",
            (
                Step(sigma(w * (x + b / w)), "w taken out"),
                Step(sigma(w * (x - shift)), "the curve σ(w x), moved to the right by x₀"),
            ),
        ),
        Chain(
            "σ(Σ_i w[i] x[i] + b), n inputs",
            sigma(total(n, lambda i: W[i] * X[i]) + b),
            "weighted input, activation",
            (
                Step(
                    sigma(
                        total(n, lambda i: W[i] * X[i])
                        + b * (total(n, lambda i: W[i] ** 2) / squares)
                    ),
                    "times 1 = Σ w² / Σ w²",
                ),
                Step(
                    sigma(total(n, lambda i: W[i] * (X[i] - D[i]))),
                    "w[i] taken out: moved by x₀, along w",
                ),
            ),
        ),
        Chain(
            "the sigmoid's middle, x = x₀",
            1 / (1 + exp(-(w * shift + b))),
            "the sigmoid of w x + b at x = x₀",
            (Step(Rational(1, 2), "w x₀ + b = 0, and 1/(1 + e^0) = 1/2"),),
        ),
        Chain(
            "the slope at x",
            partial(sigma(w * x + b), x),
            "what is left for the weight",
            (Step(w * prime(sigma)(w * x + b), "chain rule: the weight sets how steep it is"),),
        ),
    ),
    facts=(Fact("σ(2x + 3) has its middle at x = −1.5", lambda: (-Fraction(3) / 2, -1.5)),),
    remark="What can a unit without a bias not do? Its weighted input is 0 at x = 0 whatever the "
    "weights are, so its output there is σ(0): it cannot learn where to switch.",
    sources=("S1-C14",),
)
