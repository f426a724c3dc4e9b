"""A network with two inputs, two hidden units and two outputs, with nothing left out."""

from sympy import Rational

from derivations.calculus import prime
from derivations.language import arrays, functions, partial
from derivations.proof import Chain, Derivation, Step

x, y, W, b, z, a, V, c, t, o, d, e = arrays("x y W b z a V c t o d e")
(sigma,) = functions("sigma")
slope = prime(sigma)

COST = Rational(1, 2) * ((o[1] - y[1]) ** 2 + (o[2] - y[2]) ** 2)
WRITTEN_OUT = {
    1: sigma(x[1] * W[1, 1] + x[2] * W[2, 1] + b[1]),
    2: sigma(x[1] * W[1, 2] + x[2] * W[2, 2] + b[2]),
}


def output(k):
    """The output k as a formula of inputs, weights and biases alone."""
    return sigma(WRITTEN_OUT[1] * V[1, k] + WRITTEN_OUT[2] * V[2, k] + c[k])


def through_outputs(variable):
    """The chain rule for C, one term for each output."""
    return (o[1] - y[1]) * partial(o[1], variable) + (o[2] - y[2]) * partial(o[2], variable)


def outer(left, variable, k, felt):
    """The gradient of a weight or bias of output k, which the other output does not feel."""
    steps = (
        Step(through_outputs(variable), "chain rule through both outputs"),
        Step((o[k] - y[k]) * slope(t[k]) * felt, f"only t[{k}] holds it"),
        Step(e[k] * felt, f"the output delta e[{k}]"),
    )
    return Chain(left, partial(COST, variable), "half the squared error", steps)


def inner(left, variable, j, felt):
    """The gradient of a weight or bias of hidden unit j, which both outputs feel."""
    seen = e[1] * V[j, 1] + e[2] * V[j, 2]
    return Chain(
        left,
        partial(COST, variable),
        "half the squared error",
        (
            Step(through_outputs(variable), "chain rule through both outputs"),
            Step(
                e[1] * V[j, 1] * partial(a[j], variable) + e[2] * V[j, 2] * partial(a[j], variable),
                f"both feel it through a[{j}], by V[{j},1] and V[{j},2]",
            ),
            Step(seen * slope(z[j]) * felt, f"σ′ at z[{j}]"),
            Step(d[j] * felt, f"the hidden delta d[{j}]"),
        ),
    )


theorem = Derivation(
    name="network_2_2_2",
    title="A 2-2-2 network written out: its twelve partial derivatives are the four equations",
    quantifiers=("every differentiable σ", "all inputs, targets, weights and biases"),
    intuition="Twelve parameters can be differentiated by hand, one after the other. Each of the "
    "twelve comes out as a delta, times what the parameter multiplies.",
    definitions={
        z: lambda j: x[1] * W[1, j] + x[2] * W[2, j] + b[j],
        a: lambda j: sigma(z[j]),
        t: lambda k: a[1] * V[1, k] + a[2] * V[2, k] + c[k],
        o: lambda k: sigma(t[k]),
        e: lambda k: (o[k] - y[k]) * slope(t[k]),
        d: lambda j: (e[1] * V[j, 1] + e[2] * V[j, 2]) * slope(z[j]),
    },
    chains=(
        Chain(
            "o[1]",
            output(1),
            "everything written out",
            (
                Step(sigma(a[1] * V[1, 1] + a[2] * V[2, 1] + c[1]), "a[1], a[2] named"),
                Step(sigma(t[1]), "t[1] named"),
            ),
        ),
        *(outer(f"∂C/∂c[{k}]", c[k], k, 1) for k in (1, 2)),
        *(outer(f"∂C/∂V[{j},{k}]", V[j, k], k, a[j]) for j in (1, 2) for k in (1, 2)),
        *(inner(f"∂C/∂b[{j}]", b[j], j, 1) for j in (1, 2)),
        *(inner(f"∂C/∂W[{i},{j}]", W[i, j], j, x[i]) for i in (1, 2) for j in (1, 2)),
    ),
    remark="What has been saved? Each of the six derivatives below the hidden layer holds e[1], "
    "e[2] and σ′(z[j]). Backpropagation computes each delta once and uses it three times.",
    sources=("S2-E14", "S4-C51", "S4-E57", "S4-C64"),
    fixed="two inputs, two hidden units, two outputs: two_layers is the generic case",
)
