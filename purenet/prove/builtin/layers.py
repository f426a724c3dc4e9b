"""The dense layer and one step of the recursion, with an arbitrary differentiable activation."""

import functools
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
from jax import Array

from purenet.activations import Activation, identity
from purenet.backprop import input_gradient, parameter_gradient
from purenet.input_scaling import InputScaling
from purenet.network import Dense, Network, scaled, scaled_pullback, weighted_input
from purenet.products import narrow, plain
from purenet.prove.builtin.claim import Claim, equal, vjp
from purenet.prove.domains import function, real
from purenet.prove.opaque import Opaque

X = real("batch inputs")
SCALINGS = {
    "number": InputScaling(0.5, 255.0),
    "per_feature": InputScaling((0.5, -1.0), (2.0, 0.3)),
}


def claims() -> Iterator[Claim]:
    """`dense`, `layer_step`, the weight gradient's form on a CPU, and the scaling of inputs."""
    layer = domains_of_layer("inputs", "units")
    yield vjp("dense", dense, dense_pullback, layer, X)
    yield vjp("layer_step", step, step_pullback, layer, X, function("sigma"))
    forms = (functools.partial(form, jnp.matmul) for form in (narrow, plain))
    yield equal("dense.narrow_on_cpu", *forms, X, real("batch units"))
    for word, scaling in SCALINGS.items():
        yield vjp(
            f"input_scaling.{word}",
            lambda x, scaling=scaling: scaled(scaling, x, x.dtype),
            lambda x, cotangent, scaling=scaling: (scaled_pullback(scaling, cotangent),),
            X if word == "number" else real("batch 2"),
        )


def domains_of_layer(inputs: str, units: str) -> Any:
    """Return a `Dense` of domains, which stands for the parameters of one layer."""
    return Dense(*map(real, (f"{inputs} {units}", units)))  # type: ignore[arg-type]


def arbitrary(sigma: Opaque) -> Activation:
    """Return an activation of which only the derivative's name is known."""
    return Activation(sigma.name, sigma, sigma.derivative)


def of_one(layer: Dense) -> Network:
    """Return the description of a network with this one layer."""
    return Network(tuple(layer.weight.shape), (), identity)


def dense(layer: Dense, a: Array) -> Array:
    """z = a W + b."""
    return weighted_input(of_one(layer), layer, a)


def dense_pullback(layer: Dense, a: Array, delta: Array) -> tuple[Dense, Array]:
    """The gradient of the parameters and of the input, from ∂C/∂z."""
    net = of_one(layer)
    return parameter_gradient(net, layer, a, delta), input_gradient(net, layer, delta)


def step(layer: Dense, a: Array, sigma: Opaque) -> Array:
    """σ(a W + b)."""
    return arbitrary(sigma)(dense(layer, a))


def step_pullback(layer: Dense, a: Array, sigma: Opaque, cotangent: Array) -> tuple:
    """δ from what is kept, then the gradients: one turn of the loop in `backprop.backward`."""
    activation, z = arbitrary(sigma), dense(layer, a)
    delta = activation.delta(activation.kept(z, activation(z)), cotangent)
    return (*dense_pullback(layer, a, delta), None)
