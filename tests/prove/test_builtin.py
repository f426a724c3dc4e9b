"""The table of purenet's own theorems: each is proved, none is missing, a wrong rule is not."""

import dataclasses
import fnmatch
import functools

import jax
import jax.numpy as jnp
import pytest

import purenet as pn
from purenet import prove
from purenet.activations import ACTIVATIONS
from purenet.losses import LOSSES
from purenet.network import Dense
from purenet.prove.builtin import activations, layers, losses, theorems

# A symbolic size is no `int`, which the annotations of sizes and shapes say.
pytestmark = pytest.mark.usefixtures("unchecked")

TABLE = dict(theorems())

# Networks but one, and what differs little from another theorem.
SLOW = (
    "network.*", "differentiable.*", "*.depth_[2-9]", "*.weighted*", "*.output_delta.*", "gelu.*",
    "*.textbook", "*.targets",
)  # fmt: skip


def slow(name):
    return any(fnmatch.fnmatch(name, pattern) for pattern in SLOW)


NAMES = [pytest.param(n, marks=pytest.mark.slow) if slow(n) else n for n in TABLE]


@pytest.mark.parametrize("name", NAMES)
def test_each_theorem_is_proved(name):
    theorem = TABLE[name]().require()
    assert theorem.name == name
    assert all("= 0" in c or "!= 0" in c for c in theorem.conditions)


def test_every_hand_written_derivative_is_in_the_table():
    for name, activation in ACTIVATIONS.items():
        if activation.differentiable:
            assert {f"{name}.derivative", f"{name}.pullback"} <= set(TABLE)
    for name, loss in LOSSES.items():
        claims = ["gradient"] + ["delta"] * (loss.fused is not None)
        forms = [".labels", ".targets"] if loss.labels else [""]
        for words in (f"{claim}{form}" for claim in claims for form in forms):
            assert {f"{name}.{words}", f"{name}.{words}.weighted"} <= set(TABLE)
    for depth in range(1, 5):
        assert fnmatch.filter(TABLE, f"network.*cross_entropy.depth_{depth}")
        assert fnmatch.filter(TABLE, f"network.*mean_squared_error.depth_{depth}")


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_kink_is_a_condition_of_the_theorem(name):
    (condition,) = TABLE[f"{name}.pullback"]().require().conditions
    assert condition.startswith("z[b,i] != 0")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_depth_limits_the_networks(depth):
    found = dict(theorems(depth=depth))
    assert bool(fnmatch.filter(found, f"*.depth_{depth}")) == (depth > 0)
    assert not fnmatch.filter(found, f"*.depth_{depth + 1}")


def test_a_negative_depth_is_refused():
    with pytest.raises(ValueError, match=r"depth: -1 was given; .* 0 or more"):
        theorems(depth=-1)


def test_a_wrong_pullback_of_an_activation_is_refuted():
    wrong = dataclasses.replace(pn.activations.tanh, pullback=lambda a, ct: ct * (1 - a))
    claim = prove.vjp(wrong, activations.by_pullback(wrong), activations.ROWS)
    assert claim.verdict == "refuted"


def test_a_wrong_output_delta_is_refuted():
    right = pn.losses.mean_squared_error
    wrong = dataclasses.replace(right, derivative=lambda a, y: a - y)
    cost, delta = losses.of_output(wrong, pn.activations.sigmoid)
    claim = prove.gradient(cost, delta, prove.real("batch k"), prove.real("batch k"))
    assert claim.verdict == "refuted"


def test_a_layer_step_without_the_transpose_is_refuted():
    def untransposed(layer, a, sigma, cotangent):
        grads, da, _ = layers.step_pullback(layer, a, sigma, cotangent)
        return grads, da.T, None

    square = Dense(prove.real("n n"), prove.real("n")), prove.real("n n"), prove.function("sigma")
    assert prove.vjp(layers.step, untransposed, *square).verdict == "refuted"


# `backprop.backward` is the fold of the layer step: its program grows by the same step each layer.


@functools.cache
def backward_program(depth):
    """The primitives of the backward pass with tanh, calls inlined, in order."""
    net = pn.mlp([3] * (depth + 1), hidden="tanh")
    params = tuple(Dense(jnp.zeros((3, 3)), jnp.zeros(3)) for _ in range(depth))
    trace = pn.backprop.forward(net, params, jnp.zeros((2, 3)))
    closed = jax.make_jaxpr(functools.partial(pn.backprop.backward, net, inputs=True))(
        params, trace, jnp.zeros((2, 3))
    )
    return tuple(primitives(closed.jaxpr))


def primitives(jaxpr):
    for equation in jaxpr.eqns:
        inner = equation.params.get("jaxpr")
        if inner is None:
            yield equation.primitive.name
        else:
            yield from primitives(getattr(inner, "jaxpr", inner))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_one_more_layer_is_one_more_step_in_the_program(depth):
    first = backward_program(1)
    step = backward_program(2)[len(first) :]
    assert "mul" in step
    assert step[-len(first) :] == first
    assert backward_program(depth) == first + step * (depth - 1)
