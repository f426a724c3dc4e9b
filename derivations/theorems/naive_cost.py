"""What a gradient costs: a forward pass for each parameter, or one pass there and one back."""

from fractions import Fraction
from itertools import pairwise

from derivations.language import numbers, sizes
from derivations.proof import Chain, Derivation, Fact, Step

n, m, K = sizes("n m K")
P, M = numbers("P M")


def pairs(widths):
    """The widths before and after each layer."""
    return list(pairwise(widths))


def _parameters():
    """Weights and biases of S3's network."""
    found = [(before * after, after) for before, after in pairs((784, 10, 10))]
    return (found, sum(map(sum, found))), ([(7840, 10), (100, 10)], 7960)


def _asked():
    """Differentiate Σ k w_k by difference quotients, one parameter after the other."""
    asked, count, step = 0, 7960, Fraction(1, 8)

    def cost(moved):
        nonlocal asked
        asked += 1
        return moved * step

    here = cost(0)
    slopes = [(cost(k) - here) / step for k in range(1, count + 1)]
    return (slopes == list(range(1, count + 1)), asked), (True, 7961)


def _multiplications():
    """Multiplications of both ways in the 784-10-10 network, counted layer by layer."""
    widths = (784, 10, 10)
    forward = sum(before * after for before, after in pairs(widths))
    weights = sum(before * after for before, after in pairs(widths))
    deltas = sum(before * after for before, after in pairs(widths[1:]))
    naive = forward * 7961
    return (forward, forward + weights + deltas, naive), (7940, 15980, 63210340)


theorem = Derivation(
    name="naive_cost",
    title="The cost of a gradient: P + 1 forward passes one by one, one there and one back",
    quantifiers=("all widths n, m and K of a two-layer network",),
    intuition="To nudge each parameter and look at the cost takes a whole forward pass for each. "
    "Backpropagation computes what the parameters share once, the deltas, and adds one product "
    "for each weight.",
    definitions={
        P: lambda: n * m + m + m * K + K,
        M: lambda: n * m + m * K,
    },
    conditions=(
        "P is the number of parameters, M of the multiplications in a forward pass",
        "products with σ′, one for each unit, are not counted",
    ),
    chains=(
        Chain(
            "multiplications there and back",
            M + m * K + n * m + m * K,
            "forward, V·δ, x·d, a·δ",
            (
                Step(M + M + m * K, "a product for each weight, and V once more for the deltas"),
                Step(3 * M - n * m, "the inputs have no delta: less than three forward passes"),
            ),
        ),
        Chain(
            "multiplications one by one",
            M + P * M,
            "the cost here, and with each of P parameters nudged",
            (
                Step((P + 1) * M, "M is in both"),
                Step((M + m + K + 1) * M, "P is the weights, M of them, and m + K biases"),
            ),
        ),
    ),
    facts=(
        Fact("784-10-10 has 7840 + 10 + 100 + 10 = 7960 parameters", _parameters),
        Fact("difference quotients for 7960 parameters ask for the cost 7961 times", _asked),
        Fact("784-10-10: 7940 multiplications forward, 15 980 there and back, and 63 210 340 for "
             "difference quotients", _multiplications),
    ),
    remark="Is the gradient the same? In exact arithmetic nearly: a difference quotient has an "
    "error of the size of its step, backpropagation has none. That is why tests compare the two.",
    sources=("S3-E21", "S4-C50", "S4-C51"),
    fixed="passes and products are counted for the 784-10-10 network of S3",
)  # fmt: skip
