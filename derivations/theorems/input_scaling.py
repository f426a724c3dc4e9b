"""The scaling in front of a network: what the gradient of the raw input is."""

from sympy import KroneckerDelta as same

from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

B, n = sizes("B n")
b, p = indices("b p")
x, a, g, offset, scale = arrays("x a g offset scale")

theorem = Derivation(
    name="input_scaling",
    title="Scaled inputs: for a = (x − offset) / scale, ∂C/∂x = (∂C/∂a) / scale",
    quantifiers=(
        "every batch size B",
        "every number of features n",
        "every cost C that depends on x only through a",
    ),
    conditions=("no scale is 0",),
    intuition="A change of x changes a by 1/scale of it. The offset moves everything alike and "
    "leaves no trace in a slope.",
    ranges={b: B, p: n},
    definitions={a: lambda s, i: (x[s, i] - offset[i]) / scale[i]},
    chains=(
        Chain(
            "∂C/∂x[b,p]",
            total(B, lambda s: total(n, lambda i: g[s, i] * partial(a[s, i], x[b, p]))),
            "chain rule, g = ∂C/∂a",
            (
                Step(
                    total(
                        B,
                        lambda s: total(n, lambda i: g[s, i] * same(s, b) * same(i, p) / scale[i]),
                    ),
                    "the derivative of a, entry by entry",
                ),
                Step(g[b, p] / scale[p], "Σ_s with δ_bs keeps s = b, Σ_i with δ_ip keeps i = p"),
            ),
        ),
    ),
    remark="In purenet this is what ∂C/∂x goes through last, so that it is the gradient of the raw "
    "input: of a pixel from 0 to 255, not of its scaled value.",
)
