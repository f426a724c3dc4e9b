"""The tie between theorem and code: each proved right-hand side, as numbers, is what purenet ships.

If a formula of the package changes and its theorem does not, or the other way round, this fails.
"""

import random
from itertools import product

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from sympy import Indexed

import purenet as pn
from derivations import witness
from derivations.language import unfold
from derivations.theorems import theorem
from derivations.witness import World
from purenet import activations, backprop, losses, network
from purenet.activations import ACTIVATIONS
from purenet.losses import LOSSES

pytestmark = pytest.mark.usefixtures("x64")

CLOSE = {"rtol": 1e-12, "atol": 1e-14}
B, N, M = 3, 4, 2
POINTS = np.array([-7.3, -2.1, -1.0, -0.4, 0.3, 1.0, 2.6, 8.9])

# Where the value, the derivative and the pullback of each activation are proved: a theorem, the
# claim or the definition in it, and the name that the argument has there.
VALUE = {
    "identity": ("identity", "a(z)", "z"),
    "sigmoid": ("sigmoid", "σ(z)", "z"),
    "tanh": ("tanh", "tanh(z)", "z"),
    "relu": ("relu", "relu(z)", "z"),
    "step": ("step", "step(z)", "z"),
    "softplus": ("softplus", "softplus(z), right of 0", "z₊"),
    "leaky_relu": ("leaky_relu", "leaky_relu(z)", "z"),
    "elu": ("elu", "elu(z)", "z"),
    "silu": ("silu", "silu(z)", "z"),
    "gelu": ("gelu", "gelu(z)", "z"),
}
DERIVATIVE = {
    "identity": ("identity", "a′(z)", "z"),
    "sigmoid": ("sigmoid_accurate", "σ′(z)", "z"),
    "tanh": ("tanh", "tanh′(z) without a subtraction", "z"),
    "relu": ("relu", "relu′(z)", "z"),
    "softplus": ("softplus", "softplus′(z)", "z"),
    "leaky_relu": ("leaky_relu", "leaky_relu′(z)", "z"),
    "elu": ("elu", "elu′(z)", "z"),
    "silu": ("silu", "silu′(z)", "z"),
    "gelu": ("gelu", "gelu′(z)", "z"),
}
FROM_OUTPUT = {
    "identity": ("identity", "a′(z)", "a"),
    "sigmoid": ("sigmoid", "σ′(z) from the output", "a"),
    "tanh": ("tanh", "tanh′(z) from the output", "a"),
    "relu": ("relu", "relu′(z) from the output, right of 0", "a₊"),
    "softplus": ("softplus", "softplus′(z) from the output", "a"),
    "leaky_relu": ("leaky_relu", "leaky_relu′(z) from the output, right of 0", "a₊"),
    "elu": ("elu", "elu′(z), right of 0", "a₊"),
}
# Proved in theorems on rows: tested one by one below.
ON_ROWS = {"softmax"}
CONSTANTS = {"alpha": activations.LEAKY_SLOPE, "α": activations.LEAKY_SLOPE}

LOSS_VALUE = {
    "mean_squared_error": "mean_squared_error",
    "half_mean_squared_error": "half_mean_squared_error",
    "cross_entropy": "cross_entropy_gradient",
    "binary_cross_entropy": "binary_cross_entropy",
}
FUSED_DELTA = {
    "cross_entropy": ("softmax_cross_entropy", "∂ℓ[b]/∂z[b,q]"),
    "binary_cross_entropy": ("binary_cross_entropy_logits", "∂ℓ[b]/∂z[b,q]"),
}


def numbers(name, left, values, keep=()):
    """A claim's right-hand side (or a definition) as an array over its free indices."""
    derivation = theorem(name)
    definitions = {k: v for k, v in derivation.definitions.items() if str(k) not in keep}
    expression, indices = _right(derivation, left)
    expression = unfold(expression, definitions)
    ranges = {i: n for i, n in derivation.ranges.items() if i in (indices or derivation.ranges)}
    ranges = {i: n for i, n in ranges.items() if expression.has(i)}
    sizes = [int(values[str(n)]) for n in ranges.values()]
    places = list(product(*(range(1, size + 1) for size in sizes)))
    with mpmath.workdps(witness.DIGITS):
        found = [_at(expression, dict(zip(ranges, place, strict=True)), values) for place in places]
    return np.array(found).reshape(sizes)


def _right(derivation, left):
    for chain in derivation.chains:
        if chain.left == left:
            return chain.result, None
    for symbol, definition in derivation.definitions.items():
        if str(symbol) == left:
            count = definition.__code__.co_argcount
            indices = list(derivation.ranges)[:count]
            return definition(*indices), indices
    if left == "a(z)":
        return derivation.chains[0].start.expr, None
    raise AssertionError(f"{derivation.name} has no claim and no definition {left!r}")


def _at(expression, place, values):
    world = World(random.Random(0))
    world.values |= place
    for entry in expression.atoms(Indexed):
        array = np.asarray(values[str(entry.base.label)])
        world.values |= {
            (entry.base, tuple(i + 1 for i in where)): mpmath.mpf(float(array[where]))
            for where in np.ndindex(array.shape)
        }
    for symbol in expression.free_symbols:
        given = {**CONSTANTS, **values}.get(symbol.name)
        if given is not None and np.ndim(given) == 0 and symbol not in place:
            world.values[symbol] = given if symbol.is_integer else mpmath.mpf(float(given))
    if "functions" in values:
        world.values |= values["functions"]
    return float(witness.value(expression, world))


def draw(*shape, seed=0, positive=False):
    values = np.random.default_rng([seed, *shape]).uniform(0.1, 0.9, shape)
    return values if positive else 4 * values - 2


def test_every_activation_has_its_theorems():
    names = set(ACTIVATIONS) - ON_ROWS
    assert set(VALUE) == names
    assert set(DERIVATIVE) == {n for n in names if ACTIVATIONS[n].derivative is not None}
    assert set(FROM_OUTPUT) == {n for n in names if ACTIVATIONS[n].pullback is not None}


def test_every_loss_has_its_theorems():
    assert set(LOSS_VALUE) == set(LOSSES)
    assert set(FUSED_DELTA) == {n for n, loss in LOSSES.items() if loss.fused is not None}


def along(entry, points):
    name, left, argument = entry
    return [float(numbers(name, left, {argument: u}, keep=("alpha", argument))) for u in points]


@pytest.mark.parametrize("name", VALUE)
def test_the_value_of_an_activation_is_what_is_proved(name):
    np.testing.assert_allclose(ACTIVATIONS[name](POINTS), along(VALUE[name], POINTS), **CLOSE)


@pytest.mark.parametrize("name", DERIVATIVE)
def test_the_derivative_of_an_activation_is_what_is_proved(name):
    shipped = ACTIVATIONS[name].derivative(jnp.asarray(POINTS))
    np.testing.assert_allclose(shipped, along(DERIVATIVE[name], POINTS), **CLOSE)


@pytest.mark.parametrize("name", FROM_OUTPUT)
def test_the_pullback_of_an_activation_is_what_is_proved(name):
    a = ACTIVATIONS[name](POINTS)
    cotangent = draw(len(POINTS))
    shipped = ACTIVATIONS[name].delta(a, jnp.asarray(cotangent))
    proved = cotangent * along(FROM_OUTPUT[name], np.asarray(a))
    np.testing.assert_allclose(shipped, proved, **CLOSE)


def test_softmax_is_what_is_proved():
    z, g = draw(B, N), draw(B, N, seed=1)
    p = activations.softmax(z)
    row = {"z": z[0], "K": N}
    jacobian = activations.softmax.derivative(jnp.asarray(z[0]))
    np.testing.assert_allclose(jacobian, numbers("softmax_jacobian", "∂p[i]/∂z[k]", row), **CLOSE)
    proved = numbers("softmax_pullback", "∂C/∂z[b,k]", {"z": z, "g": g, "B": B, "K": N})
    np.testing.assert_allclose(activations.softmax.delta(p, jnp.asarray(g)), proved, **CLOSE)


def batch(name):
    a, y = draw(B, N, positive=True), draw(B, N, seed=1, positive=True)
    weights = draw(B, seed=2, positive=True)
    return a, y, weights, {"a": a, "y": y, "w": weights, "B": B, "K": N, "n": N}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradient_are_what_is_proved(name):
    a, y, weights, values = batch(name)
    loss, proof = LOSSES[name], LOSS_VALUE[name]
    per_example = numbers(proof, "ℓ", values)
    np.testing.assert_allclose(loss.value(jnp.asarray(a), jnp.asarray(y)), per_example, **CLOSE)
    gradient = numbers(proof, "∂ℓ[b]/∂a[b,q]", values)
    np.testing.assert_allclose(loss.derivative(jnp.asarray(a), jnp.asarray(y)), gradient, **CLOSE)
    weighted = numbers(proof, "∂C/∂a[b,q]", values)
    np.testing.assert_allclose(loss.gradient(a, y, weights), weighted, **CLOSE)


@pytest.mark.parametrize("name", FUSED_DELTA)
def test_a_fused_delta_is_what_is_proved(name):
    _, y, weights, values = batch(name)
    z = draw(B, N, seed=3)
    theorem_name, left = FUSED_DELTA[name]
    values = {**{k: v for k, v in values.items() if k != "a"}, "z": z}
    fused = LOSSES[name].fused
    proved = numbers(theorem_name, left, values)
    np.testing.assert_allclose(fused.delta(jnp.asarray(z), jnp.asarray(y)), proved, **CLOSE)
    weighted = numbers(theorem_name, "∂C/∂z[b,q]", values)
    np.testing.assert_allclose(LOSSES[name].delta(z, y, weights), weighted, **CLOSE)


def test_the_stable_values_from_logits_are_what_is_proved():
    z, y = draw(B, N, seed=3), draw(B, N, seed=1, positive=True)
    shipped = losses.cross_entropy.fused.value(jnp.asarray(z), jnp.asarray(y))
    proved = [
        float(numbers("log_softmax", "ℓ, cross-entropy from logits",
                      {"z": z[b], "y": y[b], "c": z[b].max(), "K": N}))
        for b in range(B)
    ]  # fmt: skip
    np.testing.assert_allclose(shipped, proved, **CLOSE)
    for u, t in zip(POINTS, draw(len(POINTS), positive=True), strict=True):
        binary = losses.binary_cross_entropy.fused.value(jnp.array([[u]]), jnp.array([[t]]))
        claim = numbers("binary_cross_entropy_stable", "ℓ for z ≥ 0", {"z": u, "y": t})
        np.testing.assert_allclose(float(binary[0]), float(claim), **CLOSE)


@pytest.mark.parametrize("label", range(N))
def test_integer_labels_are_what_is_proved(label):
    z = draw(N, seed=4)
    values = {"z": z, "c": label + 1, "K": N}
    fused = losses.cross_entropy.fused
    rows, labels = jnp.asarray(z)[None], jnp.array([label], jnp.int32)
    proved = numbers("sparse_labels", "ℓ", values)
    np.testing.assert_allclose(float(fused.value(rows, labels)[0]), proved.ravel()[label], **CLOSE)
    deltas = numbers("sparse_labels", "∂ℓ/∂z[q]", values)
    row = deltas if deltas.ndim == 1 else deltas[:, label]
    np.testing.assert_allclose(fused.delta(rows, labels)[0], row, **CLOSE)


NET = pn.mlp([N, M])


def layer():
    return pn.Dense(jnp.asarray(draw(N, M, seed=5)), jnp.asarray(draw(M, seed=6)))


def test_the_dense_layer_is_what_is_proved():
    X, G, dense = draw(B, N, seed=7), draw(B, M, seed=8), layer()
    values = {"X": X, "G": G, "W": dense.weight, "b": dense.bias, "B": B, "n": N, "m": M}
    grads = backprop.parameter_gradient(NET, dense, jnp.asarray(X), jnp.asarray(G))
    below = backprop.input_gradient(NET, dense, jnp.asarray(G))
    for shipped, left in [
        (grads.weight, "∂E/∂W[p,q]"),
        (grads.bias, "∂E/∂b[q]"),
        (below, "∂E/∂X[r,p]"),
    ]:
        np.testing.assert_allclose(shipped, numbers("dense_rows", left, values), **CLOSE)


def test_the_hidden_delta_is_what_is_proved_for_an_arbitrary_activation():
    z, delta, dense = draw(B, N, seed=9), draw(B, M, seed=10), layer()
    a, b, c = 0.7, 1.1, 0.4
    own = pn.Activation(
        "own",
        lambda u: a * jnp.sin(b * u + c) + u * u / 3,
        lambda u: a * b * jnp.cos(b * u + c) + 2 * u / 3,
    )
    values = {"z": z, "W": dense.weight, "delta": delta, "B": B, "n": N, "m": M,
              "functions": {("function", "sigma"): [mpmath.mpf(v) for v in (a, b, c)]}}  # fmt: skip
    shipped = own.delta(jnp.asarray(z), backprop.input_gradient(NET, dense, jnp.asarray(delta)))
    np.testing.assert_allclose(shipped, numbers("delta_hidden", "∂C/∂z[b,p]", values), **CLOSE)


def test_example_weights_are_what_is_proved():
    g, w = draw(B, N), draw(B, seed=1, positive=True)
    proved = numbers("example_weights", "∂C/∂a[b,k]", {"g": g, "w": w, "B": B, "n": N})
    np.testing.assert_allclose(losses.spread(jnp.asarray(g), jnp.asarray(w)), proved, **CLOSE)


def test_the_scaling_of_inputs_is_what_is_proved():
    g, scale = draw(B, N), draw(N, seed=1, positive=True)
    scaling = pn.InputScaling(0.0, tuple(scale.tolist()))
    shipped = network.scaled_pullback(scaling, jnp.asarray(g))
    values = {"g": g, "scale": scale, "B": B, "n": N}
    np.testing.assert_allclose(shipped, numbers("input_scaling", "∂C/∂x[b,p]", values), **CLOSE)


def test_the_tie_can_break():
    z = jnp.asarray(POINTS)
    wrong = activations.sigmoid(z) ** 2
    assert not np.allclose(wrong, along(DERIVATIVE["sigmoid"], POINTS), **CLOSE)
    assert jax.config.jax_enable_x64
