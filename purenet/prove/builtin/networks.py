"""Whole networks of a few layers, any batch and any widths: ∂C/∂params and ∂C/∂x, directly.

The witness is `objective`, which has no hand rule in it. A network's description is made from the
shapes of its parameters, so that its sizes are symbols as well.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax import Array

from purenet.activations import Activation, from_name, identity
from purenet.backprop import backward, differentiable, forward, value_and_grad
from purenet.network import Dense, Network, Params, objective
from purenet.prove import front
from purenet.prove.builtin.claim import Claim, equal, gradient, vjp
from purenet.prove.builtin.layers import arbitrary
from purenet.prove.domains import Domain, function, label, real
from purenet.prove.opaque import Opaque
from purenet.prove.theorem import Theorem


class Kind(NamedTuple):
    """A family of networks, one for each depth."""

    hidden: str
    output: str
    loss: str
    weighted: bool = False


KINDS = (
    Kind("tanh", "softmax", "cross_entropy"),
    Kind("relu", "softmax", "cross_entropy"),
    Kind("tanh", "identity", "mean_squared_error"),
    Kind("relu", "identity", "mean_squared_error"),
    Kind("tanh", "sigmoid", "binary_cross_entropy"),
    Kind("relu", "sigmoid", "binary_cross_entropy"),
)


def claims(depth: int) -> Iterator[Claim]:
    """`network.tanh.softmax.cross_entropy.depth_2`, `backward.any_activation.depth_3`, …"""
    for layers in range(1, depth + 1):
        yield vjp(
            f"backward.any_activation.depth_{layers}",
            logits,
            logits_pullback,
            params_of(layers),
            real("batch n0"),
            function("sigma"),
        )
        for kind in KINDS if layers > 1 else KINDS[::2]:
            yield from of_kind(kind, layers)
    for layers in range(1, min(depth, 2) + 1):
        yield from of_custom_rule(layers)


def params_of(layers: int) -> tuple[Dense, ...]:
    """Return domains for the parameters of a network of sizes n0, n1, …"""
    return tuple(Dense(real(f"n{k} n{k + 1}"), real(f"n{k + 1}")) for k in range(layers))


def network_of(params: Params, hidden: Activation, output: Activation) -> Network:
    """Return the description of the network that has these parameters."""
    sizes = (params[0].weight.shape[0], *(layer.weight.shape[1] for layer in params))
    return Network(sizes, (hidden,) * (len(params) - 1), output)


def of_kind(kind: Kind, layers: int) -> Iterator[Claim]:
    """`value_and_grad` against `objective`: the gradient of params and of x, and the value."""
    hidden, output = from_name(kind.hidden), from_name(kind.output)
    words = [kind.hidden, kind.output, kind.loss]
    name = ".".join(words[layers == 1 :])

    def cost(params: Params, x: Array, y: Array) -> Array:
        return objective(network_of(params, hidden, output), kind.loss)(params, x, y)

    def by_hand(params: Params, x: Array, y: Array) -> tuple[Array, tuple[Params, Array]]:
        net = network_of(params, hidden, output)
        return value_and_grad(net, kind.loss, (0, 1))(params, x, y)

    given = params_of(layers), real("batch n0"), targets(kind, layers)
    yield gradient(
        f"network.{name}.depth_{layers}", cost, lambda *args: by_hand(*args)[1], *given,
        argnums=(0, 1),
    )  # fmt: skip
    if layers == 1:
        yield equal(f"network.{name}.value", cost, lambda *args: by_hand(*args)[0], *given)


def targets(kind: Kind, layers: int) -> Domain:
    """Return the domain of y."""
    if kind.loss == "cross_entropy":
        return label("batch", classes=f"n{layers}")
    return real(f"batch n{layers}")


def logits(params: Params, x: Array, sigma: Opaque) -> Array:
    """The last weighted input of a network with an arbitrary activation."""
    return network_of(params, arbitrary(sigma), identity).logits(params, x)


def logits_pullback(params: Params, x: Array, sigma: Opaque, delta: Array) -> tuple:
    """The whole backward pass, from any output delta."""
    net = network_of(params, arbitrary(sigma), identity)
    return (*backward(net, params, forward(net, params, x), delta, inputs=True), None)


def of_custom_rule(layers: int) -> Iterator[Claim]:
    """`differentiable`: the registered backward pass, and the value that its forward pass gives."""
    hidden, output = from_name("tanh"), from_name("softmax")

    def apply(params: Params, x: Array) -> Array:
        return network_of(params, hidden, output).apply(params, x)

    def apply_with_rule(params: Params, x: Array) -> Array:
        return differentiable(network_of(params, hidden, output))(params, x)

    given = params_of(layers), real("batch n0")
    name = f"differentiable.{'tanh.' * (layers > 1)}softmax"
    yield f"{name}.rule.depth_{layers}", functools.partial(only_rule, apply_with_rule, *given)
    yield equal(
        f"{name}.forward.depth_{layers}",
        apply,
        lambda params, x: jax.vjp(apply_with_rule, params, x)[0],
        *given,
    )


def only_rule(f: Callable, *domains: Any, name: str, limit: float) -> Theorem:
    """Return the theorem about the one custom rule that is found in f's program."""
    (theorem,) = front.audit(f, *domains, limit=limit)
    return dataclasses.replace(theorem, name=name)
