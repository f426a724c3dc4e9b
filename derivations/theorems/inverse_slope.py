"""The slope with the axes swapped: why the loss belongs on the upright axis."""

from sympy import S, sqrt

from derivations.calculus import prime
from derivations.language import functions, numbers, partial
from derivations.proof import Chain, Condition, Derivation, Fact, Step

(w,) = numbers("w")
E, h = functions("E h")


def _make_inverse(world):
    """Give h the slope of the inverse of E at E(w)."""
    at = world.number(w)
    value, slope = world.function("E")(at), world.function("E′")(at)
    world.values[("function", "h")] = [1 / slope - 2 * value / 3, 1, -value]


undoes = Condition(
    partial(h(E(w)), w),
    S.One,
    "h undoes E near w: h(E(w)) = w, and w grows by 1 with every 1 of w",
    _make_inverse,
)


def _swapped():
    loss = (w - 3) ** 2
    upright = loss.diff(w).subs(w, 5)
    lying = (3 + sqrt(w)).diff(w).subs(w, loss.subs(w, 5))
    return (upright, lying, loss.subs(w, 1), loss.subs(w, 5)), (4, S(1) / 4, 4, 4)


theorem = Derivation(
    name="inverse_slope",
    title="With the axes swapped a slope becomes its reciprocal: h′(E(w)) E′(w) = 1",
    quantifiers=("every differentiable E and h", "every w"),
    intuition="Swapping the axes turns rise over run into run over rise. Gradient descent wants "
    "the rise of the loss for a run of the weight, so the weight lies on x and the loss on y.",
    chains=(
        Chain(
            "h′(E(w)) E′(w)",
            prime(h)(E(w)) * prime(E)(w),
            "the slope on swapped axes, times the slope",
            (
                Step(partial(h(E(w)), w), "chain rule, read backwards"),
                Step(S.One, "h undoes E", (undoes,)),
            ),
        ),
    ),
    facts=(
        Fact(
            "E = (w − 3)² at w = 5 has slope 4, on swapped axes 1/4; "
            "w = 1 and w = 5 both have E = 4, so swapped it is not even a function",
            _swapped,
        ),
    ),
    remark="What if E′(w) = 0? Then no h undoes E there: the swapped curve stands upright, just "
    "at the minimum that is looked for.",
    sources=("S0-E40", "S0-C41"),
)
