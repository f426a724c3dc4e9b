"""Whole networks of a few layers, any batch and any widths, directly.

`backward.*`: from any output delta, the gradient of every parameter and of x. `network.*`:
`value_and_grad` against `objective`, the plain cost with no hand rule in it. The description of a
network is made from the shapes of its parameters, so that its sizes are symbols as well.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax import Array

from purenet.activations import Activation, from_name, identity, softmax, tanh
from purenet.backprop import backward, differentiable, forward, value_and_grad
from purenet.network import Network, Params, objective
from purenet.prove import front
from purenet.prove.builtin.claim import Claim, equal, gradient, vjp
from purenet.prove.builtin.layers import arbitrary, domains_of_layer
from purenet.prove.domains import Domain, function, label, positive, real
from purenet.prove.opaque import Opaque
from purenet.prove.theorem import Theorem

ANY = "any_activation"
NAMED = ("tanh", "relu")
PAIRS = (
    ("softmax", "cross_entropy"),
    ("identity", "mean_squared_error"),
    ("sigmoid", "binary_cross_entropy"),
)
X = real("batch n0")

# Deeper, a theorem takes a minute with tanh or relu; with an arbitrary activation, which stands for
# every differentiable one, it takes seconds.
MOST_WITH_NAMED = 2


def claims(depth: int) -> Iterator[Claim]:
    """`network.relu.softmax.cross_entropy.depth_2`, `backward.any_activation.depth_3`, …"""
    for layers in range(1, depth + 1):
        for hidden in NAMED if layers > 1 else NAMED[:1]:
            yield of_backward(hidden, layers)
        for (output, loss), hidden in zip(PAIRS, _hidden(layers), strict=True):
            yield of_cost(hidden, output, loss, layers)
    if depth:
        yield from of_value()
    for layers in range(1, min(depth, 2) + 1):
        yield from of_custom_rule(layers)


def _hidden(layers: int) -> tuple[str, ...]:
    """The hidden activation for each of the pairs."""
    return ("relu", "tanh", "relu") if layers <= MOST_WITH_NAMED else (ANY, ANY, ANY)


def params_of(layers: int) -> tuple[Any, ...]:
    """Return domains for the parameters of a network of sizes n0, n1, …"""
    return tuple(domains_of_layer(f"n{k}", f"n{k + 1}") for k in range(layers))


def network_of(params: Params, hidden: Activation, output: Activation) -> Network:
    """Return the description of the network that has these parameters."""
    sizes = (params[0].weight.shape[0], *(layer.weight.shape[1] for layer in params))
    return Network(sizes, (hidden,) * (len(params) - 1), output)


def activation(hidden: str, given: tuple[Opaque, ...]) -> Activation:
    """Return the activation of that name, or the arbitrary one that is an argument."""
    return arbitrary(*given) if given else from_name(hidden)


def of_backward(hidden: str, layers: int) -> Claim:
    """`backward` applied to what `forward` keeps, from an arbitrary output delta."""

    def logits(params: Params, x: Array, *sigma: Opaque) -> Array:
        return network_of(params, activation(hidden, sigma), identity).logits(params, x)

    def pullback(params: Params, x: Array, *rest: Any) -> tuple:
        *sigma, delta = rest
        net = network_of(params, activation(hidden, tuple(sigma)), identity)
        trace = forward(net, params, x)
        return (*backward(net, params, trace, delta, inputs=True), *(None for _ in sigma))

    name = f"backward.{_words(hidden, layers)}depth_{layers}"
    return vjp(name, logits, pullback, params_of(layers), X, *_arbitrary(hidden))


def of_cost(hidden: str, output: str, loss: str, layers: int) -> Claim:
    """∂C/∂params and ∂C/∂x by `value_and_grad`."""

    def cost(params: Params, x: Array, y: Array, *sigma: Opaque) -> Array:
        net = network_of(params, activation(hidden, sigma), from_name(output))
        return objective(net, loss)(params, x, y)

    def by_hand(params: Params, x: Array, y: Array, *sigma: Opaque) -> tuple[Params, Array]:
        net = network_of(params, activation(hidden, sigma), from_name(output))
        return value_and_grad(net, loss, (0, 1))(params, x, y)[1]

    name = f"network.{_words(hidden, layers)}{output}.{loss}.depth_{layers}"
    given = params_of(layers), X, targets(loss, layers), *_arbitrary(hidden)
    return gradient(name, cost, by_hand, *given, argnums=(0, 1))


def of_value() -> Iterator[Claim]:
    """The value of `value_and_grad` is the cost, and example weights reach both parts."""
    for output, loss in PAIRS:

        def net(params: Params, output: str = output) -> Network:
            return network_of(params, identity, from_name(output))

        def cost(params: Params, x: Array, y: Array, w: Array, net=net, loss=loss) -> Array:
            return objective(net(params), loss)(params, x, y, w)

        def by_hand(params: Params, x: Array, y: Array, w: Array, net=net, loss=loss) -> tuple:
            return value_and_grad(net(params), loss)(params, x, y, w)

        given = params_of(1), X, targets(loss, 1), positive("batch")
        name = f"network.{output}.{loss}"
        value = _part(by_hand, 0)
        yield equal(f"{name}.value.weighted.depth_1", cost, value, *given)
        yield gradient(f"{name}.weighted.depth_1", cost, _part(by_hand, 1), *given)


def targets(loss: str, layers: int) -> Domain:
    """Return the domain of y."""
    if loss == "cross_entropy":
        return label("batch", classes=f"n{layers}")
    return real(f"batch n{layers}")


def of_custom_rule(layers: int) -> Iterator[Claim]:
    """`differentiable`: the registered backward pass, and the value that its forward pass gives."""

    def apply(params: Params, x: Array) -> Array:
        return network_of(params, tanh, softmax).apply(params, x)

    def apply_with_rule(params: Params, x: Array) -> Array:
        return differentiable(network_of(params, tanh, softmax))(params, x)

    def forward_half(params: Params, x: Array) -> Array:
        return jax.vjp(apply_with_rule, params, x)[0]

    given = params_of(layers), X
    name = f"differentiable.{'tanh.' * (layers > 1)}softmax"
    yield (
        f"{name}.rule.depth_{layers}",
        functools.partial(only_rule, apply_with_rule, *given),
    )
    yield equal(f"{name}.forward.depth_{layers}", apply, forward_half, *given)


def only_rule(f: Callable[..., Any], *domains: Any, name: str, limit: float) -> Theorem:
    """Return the theorem about the one custom rule that is found in f's program."""
    (theorem,) = front.audit(f, *domains, limit=limit)
    return dataclasses.replace(theorem, name=name)


def _arbitrary(hidden: str) -> tuple[Domain, ...]:
    return (function("sigma"),) * (hidden == ANY)


def _words(hidden: str, layers: int) -> str:
    return f"{hidden}." * (layers > 1)


def _part(f: Callable[..., tuple], number: int) -> Callable[..., Any]:
    return lambda params, x, y, w: f(params, x, y, w)[number]
