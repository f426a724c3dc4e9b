"""Glorot's initialisation: the variance of a weight that keeps signals and errors their size."""

import sympy
from sympy import S, sqrt

from derivations.language import numbers, sizes
from derivations.proof import Chain, Derivation, Fact, Step

n, m = sizes("n m")
var, edge, v = numbers("V a v", positive=True)


def _uniform():
    """The variance of U(−a, a) is ∫ x² / (2a) from −a to a."""
    a, x = sympy.symbols("a x", positive=True)
    return sympy.integrate(x**2 / (2 * a), (x, -a, a)), a**2 / 3


theorem = Derivation(
    name="initialisation_glorot",
    title="Glorot's initialisation: Var w = 2 / (fan_in + fan_out)",
    quantifiers=("every fan-in n", "every fan-out m"),
    intuition="Going up, a layer multiplies the size of the signal by fan-in times the variance of "
    "a weight; going down, that of the error by fan-out times it. One number cannot make both 1, "
    "but it can make their mean 1.",
    definitions={
        var: lambda: 2 / (n + m),
        edge: lambda: sqrt(6 / (n + m)),
    },
    conditions=(
        "weights are independent, with mean 0 and one variance, independent of inputs and errors",
        "all inputs have the same second moment, and so have all errors",
        "the activation is close to the identity near 0: a = z, with slope 1 (tanh)",
        "so E[z²] = n v E[x²] upwards, and E[δ²] below = m v E[δ²] above, for a variance v",
    ),
    chains=(
        Chain(
            "growth upwards, plus growth downwards",
            n * var + m * var,
            "n V and m V, by weighted_input_variance",
            (
                Step((n + m) * var, "V is in both"),
                Step(S(2), "V = 2 / (n + m): together 2, so 1 on average"),
            ),
        ),
        Chain(
            "Var w for w in U(−a, a)",
            edge**2 / 3,
            "the variance of a uniform weight is a²/3",
            (Step(var, "a = √(6 / (n + m)): the same variance"),),
        ),
    ),
    facts=(Fact("the variance of U(−a, a), as an integral, is a²/3", _uniform),),
    remark="And for n = m? Then n V = m V = 1, and nothing grows or shrinks in either direction. "
    "Otherwise n V = 2n/(n + m) upwards is as far from 1 as m V, on the other side.",
    sources=("S4-C27",),
)
