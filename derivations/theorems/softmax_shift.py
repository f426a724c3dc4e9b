"""Why the largest logit may be subtracted before the exponentials are taken."""

import sys

import sympy
from sympy import exp

from derivations.language import arrays, indices, numbers, sizes, total
from derivations.proof import Chain, Derivation, Fact, Step

(K,) = sizes("K")
(i,) = indices("i")
z, p = arrays("z p")
c, r = numbers("c r")

theorem = Derivation(
    name="softmax_shift",
    title="Softmax does not feel a shift: softmax(z + c) = softmax(z)",
    quantifiers=("every number of classes K", "all logits z", "every number c"),
    intuition="Adding c to every logit multiplies every exponential by the same e^c, and shares "
    "of a whole stay as they are when all parts grow alike. Only differences of logits count.",
    ranges={i: K},
    definitions={
        r: lambda: exp(c),
        p: lambda i: exp(z[i]) / total(K, lambda j: exp(z[j])),
    },
    chains=(
        Chain(
            "softmax(z + c)[i]",
            exp(z[i] + c) / total(K, lambda j: exp(z[j] + c)),
            "the definition, with z + c for z",
            (
                Step(
                    r * exp(z[i]) / total(K, lambda j: r * exp(z[j])),
                    "e^(z + c) = e^c e^z",
                ),
                Step(
                    exp(z[i]) / total(K, lambda j: exp(z[j])),
                    "r goes out of the sum and stands above and below",
                ),
                Step(p[i], "this is softmax(z)"),
            ),
        ),
    ),
    facts=(
        Fact(
            "e^710 is above the largest double, so softmax as it is written fails from z = 710 on",
            lambda: (bool(sympy.exp(710) > int(sys.float_info.max)), True),
        ),
        Fact(
            "with c = −max z, (710, 709, 0) becomes (0, −1, −710): no exponential is above 1",
            lambda: (_shifted((710, 709, 0)), (0, -1, -710)),
        ),
    ),
    remark="Which c should one take? c = −max z: then the largest exponent is 0, nothing "
    "overflows, and the sum below is at least 1, so nothing is divided by 0. As the value is the "
    "same for every c, so is the derivative, and max z may be treated as a constant in it.",
    sources=("S2-E31", "S3-E27"),
)


def _shifted(z: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(entry - max(z) for entry in z)
