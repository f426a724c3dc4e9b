"""The wrong formulas of the notes, put into the proofs in place of the right ones, are refused."""

import pytest
from sympy import exp

from derivations import proof
from derivations.calculus import prime
from derivations.language import arrays, functions, indices, numbers, sizes, total
from derivations.proof import Step
from derivations.theorems import theorem

B, n, m, K = sizes("B n m K")
b, i, k, p, q, r = indices("b i k p q r")
a, dZ2, g, G, delta, s, W, W2, w, x, X, y, yhat, z, Z1 = arrays(
    "a dZ2 g G delta s W W2 w x X y ŷ z Z1"
)
(sigma,) = functions("sigma")
(u,) = numbers("z")

# Theorem, claim, and what the notes (or a slip) put in the place of its result.
WRONG = {
    "W·∂E/∂Y, no transpose (S2-E16)": (
        "dense_rows", "∂E/∂X[r,p]", total(m, lambda j: G[r, j] * W[j, p]),
    ),
    "X·∂E/∂Y, no transpose (S2-E19)": (
        "dense_rows", "∂E/∂W[p,q]", total(B, lambda t: X[p, t] * G[t, q]),
    ),
    "a bias without the sum over the batch (S2-E21)": ("dense_rows", "∂E/∂b[q]", G[1, q]),
    "g′ at dZ2 (S3-E42)": (
        "s3_network", "dZ1[p,r]",
        prime(functions("g")[0])(dZ2[p, r]) * total(m, lambda j: W2[j, p] * dZ2[j, r]),
    ),
    "the hidden delta without σ′": (
        "delta_hidden", "∂C/∂z[b,p]", total(m, lambda j: delta[b, j] * W[p, j]),
    ),
    "the hidden delta with W transposed": (
        "delta_hidden", "∂C/∂z[b,p]",
        prime(sigma)(z[b, p]) * total(m, lambda j: delta[b, j] * W[j, p]),
    ),
    "sum(y−ŷ)·… in front (S1-E44)": (
        "perceptron_gradient", "∂C/∂w[p]",
        2 * total(n, lambda t: y[t] - yhat[t]) * prime(sigma)(z[1]) * x[1, p] / n,
    ),
    "the lost sign (S1-E36)": (
        "mean_squared_error", "∂ℓ[b]/∂a[b,q]", 2 * (y[b, q] - a[b, q]),
    ),
    "the square kept (S1-E34)": (
        "mean_squared_error", "∂ℓ[b]/∂a[b,q]", 2 * (y[b, q] - a[b, q]) ** 2,
    ),
    "n − 1 for n": (
        "mean_squared_error", "∂C/∂a[b,q], all w[s] = 1", 2 * (a[b, q] - y[b, q]) / (B - 1),
    ),
    "the softmax derivative p (1 − p)": (
        "softmax_pullback", "∂C/∂z[b,k]",
        g[b, k] * arrays("p")[0][b, k] * (1 - arrays("p")[0][b, k]),
    ),
    "p − y for targets of any sum": (
        "softmax_cross_entropy", "∂ℓ[b]/∂z[b,q]", arrays("p")[0][b, q] - y[b, q],
    ),
    "σ′ = σ": ("sigmoid", "∂ŷ/∂z", 1 / (1 + exp(-u))),
}  # fmt: skip


def claim(name, left):
    derivation = theorem(name)
    return derivation, next(chain for chain in derivation.chains if chain.left == left)


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_formula_is_refused_by_numbers_and_by_rules(what):
    name, left, wrong = WRONG[what]
    derivation, chain = claim(name, left)
    assert proof.objection(derivation, chain.start, Step(wrong, what)) != ""
    assert not proof.shown(derivation, chain.start, wrong)


@pytest.mark.parametrize("what", WRONG)
def test_the_right_formula_in_its_place_is_not(what):
    name, left, _ = WRONG[what]
    derivation, chain = claim(name, left)
    before = chain.steps[-2].expression if len(chain.steps) > 1 else chain.start
    assert proof.objection(derivation, before, chain.steps[-1]) == ""


def test_softmax_without_exponentials_feels_a_shift():
    derivation, chain = claim("softmax_shift", "softmax(z + c)[i]")
    (c,) = numbers("c")
    plain = (z[i] + c) / total(K, lambda j: z[j] + c)
    wrong = z[i] / total(K, lambda j: z[j])
    assert proof.shown(derivation, chain.start, chain.result)
    assert not proof.shown(derivation, plain, wrong)
    assert proof.objection(derivation, plain, Step(wrong, "S4-E05")) != ""
