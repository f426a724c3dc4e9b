"""He's initialisation: a relu passes half of the signal, so the weights have to be larger."""

from sympy import Abs, S, sqrt

from derivations.language import arrays, numbers, sizes, total
from derivations.proof import Chain, Derivation, Step

n, m, N = sizes("n m N")
P, z = arrays("P z")
var, other, edge, size = numbers("V U a S", positive=True)


def relu(u):
    """max(0, u)."""
    return (u + Abs(u)) / 2


theorem = Derivation(
    name="initialisation_he",
    title="He's initialisation: Var w = 2 / fan_in keeps the size of a signal through relu",
    quantifiers=(
        "every fan-in n",
        "every fan-out m",
        "every symmetric z with finitely many outcomes",
    ),
    intuition="A relu lets through what is above 0 and stops the rest, which of a symmetric signal "
    "is half. Weights of twice the variance make up for it.",
    definitions={
        var: lambda: 2 / n,
        other: lambda: 2 / m,
        edge: lambda: sqrt(6 / n),
    },
    conditions=(
        "weights are independent, with mean 0 and variance V, and independent of the inputs",
        "z is symmetric and never 0: z and −z have the same probability P/2 each",
        "relu(u) = (u + |u|)/2",
        "S = E[z²] is the same for all units of the layer below",
    ),
    chains=(
        Chain(
            "E[relu(z)²]",
            total(N, lambda k: P[k] / 2 * (relu(z[k]) ** 2 + relu(-z[k]) ** 2)),
            "z and −z are equally likely",
            (
                Step(
                    total(N, lambda k: P[k] / 2 * z[k] ** 2),
                    "one of the two is 0, the other |z|",
                ),
                Step(total(N, lambda k: P[k] * z[k] ** 2) / 2, "half of E[z²]"),
            ),
        ),
        Chain(
            "E[z²] of the next layer",
            n * var * (size / 2),
            "n V E[x²] with x = relu(z), E[x²] = S/2",
            (Step(size, "V = 2 / n: the size is kept, at any depth"),),
        ),
        Chain(
            "growth of errors",
            m * other * (S.One / 2),
            "fan-out m, variance U; relu′(z)² is 1 for half of z",
            (Step(S.One, "U = 2 / m keeps the errors in the same way"),),
        ),
        Chain(
            "Var w for w in U(−a, a)",
            edge**2 / 3,
            "the variance of a uniform weight is a²/3",
            (Step(var, "a = √(6 / n): the same variance"),),
        ),
    ),
    remark="Fan-in or fan-out? Either keeps one direction exactly and multiplies the other by the "
    "ratio of widths, layer by layer. purenet takes fan-in.",
    sources=("S4-C27",),
)
