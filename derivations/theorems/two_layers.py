"""Two layers from end to end: the cost differentiated directly gives the four equations."""

from sympy import KroneckerDelta as same

from derivations.calculus import prime
from derivations.language import arrays, functions, indices, partial, sizes, total
from derivations.proof import Chain, Derivation, Step

n, m, K = sizes("n m K")
i, j, q = indices("i j q")
x, y, W, b, z, a, V, c, t, o, d, e = arrays("x y W b z a V c t o d e")
(sigma,) = functions("sigma")
slope = prime(sigma)
COST = total(K, lambda k: (y[k] - o[k]) ** 2) / 2


def over_outputs(body):
    """Σ_k body(k)."""
    return total(K, body)


def through_outputs(variable):
    """The chain rule from the cost to t."""
    return over_outputs(lambda k: (o[k] - y[k]) * slope(t[k]) * partial(t[k], variable))


def through_hidden(variable):
    """The chain rule from the cost to z, by way of t."""
    return over_outputs(
        lambda k: e[k] * total(m, lambda h: V[h, k] * slope(z[h]) * partial(z[h], variable))
    )


theorem = Derivation(
    name="two_layers",
    title="Two layers, differentiated from end to end, give the four equations of backpropagation",
    quantifiers=("all widths n, m and K", "every differentiable σ"),
    intuition="Backpropagation is nothing but the chain rule, with its common parts computed once. "
    "So the cost, differentiated directly, has to give the same.",
    ranges={i: n, j: m, q: K},
    definitions={
        z: lambda h: total(n, lambda i: x[i] * W[i, h]) + b[h],
        a: lambda h: sigma(z[h]),
        t: lambda k: total(m, lambda h: a[h] * V[h, k]) + c[k],
        o: lambda k: sigma(t[k]),
        e: lambda k: (o[k] - y[k]) * slope(t[k]),
        d: lambda h: slope(z[h]) * total(K, lambda k: e[k] * V[h, k]),
    },
    chains=(
        Chain(
            "∂C/∂c[q]",
            partial(COST, c[q]),
            "half the squared error, straight from its definition",
            (
                Step(through_outputs(c[q]), "chain rule through the square and the outer σ"),
                Step(over_outputs(lambda k: e[k] * same(k, q)), "e is the output delta"),
                Step(e[q], "Σ_k with δ_kq keeps k = q"),
            ),
        ),
        Chain(
            "∂C/∂V[j,q]",
            partial(COST, V[j, q]),
            "half the squared error, straight from its definition",
            (
                Step(through_outputs(V[j, q]), "chain rule through the square and the outer σ"),
                Step(
                    over_outputs(
                        lambda k: e[k] * total(m, lambda h: a[h] * same(h, j) * same(k, q))
                    ),
                    "the derivative of t, term by term",
                ),
                Step(a[j] * e[q], "the two δ keep h = j and k = q"),
            ),
        ),
        Chain(
            "∂C/∂b[j]",
            partial(COST, b[j]),
            "half the squared error, straight from its definition",
            (
                Step(through_outputs(b[j]), "chain rule through the square and the outer σ"),
                Step(through_hidden(b[j]), "chain rule through the inner σ"),
                Step(
                    over_outputs(lambda k: e[k] * V[j, k] * slope(z[j])),
                    "∂z[h]/∂b[j] = δ_hj",
                ),
                Step(d[j], "d is the hidden delta"),
            ),
        ),
        Chain(
            "∂C/∂W[i,j]",
            partial(COST, W[i, j]),
            "half the squared error, straight from its definition",
            (
                Step(through_outputs(W[i, j]), "chain rule through the square and the outer σ"),
                Step(through_hidden(W[i, j]), "chain rule through the inner σ"),
                Step(
                    over_outputs(lambda k: e[k] * V[j, k] * slope(z[j]) * x[i]),
                    "∂z[h]/∂W[i,j] = x[i] δ_hj",
                ),
                Step(x[i] * d[j], "d is the hidden delta"),
            ),
        ),
    ),
    remark="Where is the saving? The chains for b and W pass through the same e, V and σ′(z). With "
    "d they are written once for each hidden unit, not once for each of its weights. "
    "For a batch, the mean of these lines over the examples is taken.",
    sources=("S0-E37", "S2-C06", "S4-C28", "S4-C49", "S4-C51", "S4-C64", "S4-E66", "S4-E68"),
)
