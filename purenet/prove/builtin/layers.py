"""The dense layer and one step of the recursion, with an arbitrary differentiable activation."""

from collections.abc import Iterator

from jax import Array

from purenet.activations import Activation, identity
from purenet.backprop import backward, forward, input_gradient, parameter_gradient
from purenet.network import Dense, InputScaling, Network, weighted_input
from purenet.prove.builtin.claim import Claim, vjp
from purenet.prove.domains import function, real
from purenet.prove.opaque import Opaque

LAYER = Dense(real("inputs units"), real("units"))
X = real("batch inputs")
SCALINGS = {
    "number": InputScaling(0.5, 255.0),
    "per_feature": InputScaling((0.5, -1.0), (2.0, 0.3)),
}


def claims() -> Iterator[Claim]:
    """`dense`, `layer_step`, `network_of_one_layer` and the scaling of inputs."""
    yield vjp("dense", dense, dense_pullback, LAYER, X)
    yield vjp("layer_step", step, step_pullback, LAYER, X, function("sigma"))
    yield vjp("backward.depth_1", logits, logits_pullback, (LAYER,), X)
    for word, scaling in SCALINGS.items():
        yield vjp(
            f"input_scaling.{word}",
            lambda x, scaling=scaling: scaling.apply(x, x.dtype),
            lambda x, cotangent, scaling=scaling: (scaling.pullback(cotangent),),
            X if word == "number" else real("batch 2"),
        )


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


def logits(params: tuple[Dense], x: Array) -> Array:
    """The last weighted input of a network of one layer."""
    return of_one(params[0]).logits(params, x)


def logits_pullback(params: tuple[Dense], x: Array, delta: Array) -> tuple:
    """The whole backward pass, from the output delta."""
    net = of_one(params[0])
    return backward(net, params, forward(net, params, x), delta, inputs=True)
