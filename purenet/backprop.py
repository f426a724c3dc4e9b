"""Backpropagation: the four equations, derived by hand, as a recursion over the layers.

With δ_l = ∂C/∂z_l, rows as examples and the batch mean already inside C:

    output delta    δ_L = ∂C/∂z_L                          S4-E48: (∂C/∂a_L) ∘ σ′(z_L)
    hidden delta    δ_l = (δ_{l+1} W_{l+1}ᵀ) ∘ σ′(z_l)     S4-E57, S3-E42 (at z_l)
    bias            ∂C/∂b_l = Σ_b δ_l[b]                   S4-E60, S3-E55
    weight          ∂C/∂W_l = a_{l−1}ᵀ δ_l                 S4-E63, S3-E54

Why the transposes: ∂C/∂W[i,j] = Σ_b a[b,i] δ[b,j] sums over the examples b, and ∂C/∂a[b,i] =
Σ_j δ[b,j] W[i,j] over the units j; the index that stays free says which axis comes first.
Nothing here is defined through autodiff.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Num

from purenet import in_place, losses, pieces
from purenet.activations import no_derivative
from purenet.losses import Loss, Targets, Weights
from purenet.network import (
    Dense,
    Inputs,
    Network,
    Params,
    as_batch,
    as_inputs,
    check_features,
    check_params,
    matmul,
    scale_inputs,
    scaled_pullback,
    weighted_input,
)
from purenet.products import transposed_product
from purenet.recompute import (
    Kept,
    activation_of,
    delta_of,
    hidden_layers,
    output_of,
    refilled,
    thinned,
)


def value_and_grad(
    net: Network, loss: str | Loss, argnums: int | tuple[int, ...] = 0
) -> Callable[..., tuple[Float[Array, ""], Any]]:
    """Return the hand-derived `jax.value_and_grad(objective(net, loss), argnums)`.

    The function takes (params, x, y, weights=None) and returns the cost and its gradient: for
    `argnums=0` a tuple of `Dense` like `params`, for 1 ∂C/∂x of the shape of x, for a tuple of
    both a tuple. It works under `jit`, `vmap` and `jax.jvp` (whose tangent of the gradient is an
    exact Hessian-vector product).

    >>> from purenet.network import mlp
    >>> net = mlp([3, 4, 2], output="softmax")
    >>> params = net.init(jax.random.key(0))
    >>> x, y = jnp.ones((5, 3)), jnp.array([0, 1, 0, 1, 1])
    >>> value, grads = value_and_grad(net, "cross_entropy")(params, x, y)
    >>> grads[0].weight.shape
    (3, 4)

    Raises:
        ValueError: `argnums` is not made of 0 and 1; loss and output do not go together; a hidden
            activation without derivative; inside, shapes that do not fit.
        TypeError: ∂C/∂x is asked for and x is not floating.
    """
    loss = losses.from_name(loss)
    losses.check_output(loss, net.output)
    pieces.check_loss(net, loss)
    check_trainable(net)
    wanted = _argnums(argnums)

    def value_and_gradient(
        params: Params,
        x: Inputs,
        y: Targets,
        weights: Weights = None,
    ) -> tuple[Float[Array, ""], Any]:
        x = as_inputs(x)
        rows, y, weights = as_batch(net, x, y, weights)
        if 1 in wanted:
            _check_floating(rows)
        compute = _in_pieces if pieces.needed(net) else _whole
        value, grads, dx = compute(net, loss, params, rows, y, weights, 1 in wanted)
        parts = (grads, None if dx is None else dx.reshape(x.shape).astype(rows.dtype))
        picked = tuple(parts[n] for n in wanted)
        return value, picked if isinstance(argnums, tuple) else picked[0]

    return value_and_gradient


def differentiable(net: Network) -> Callable[[Params, Inputs], Array]:
    """Return `net.apply` as a `jax.custom_vjp` function with the hand-derived backward pass.

    Someone else's `jax.grad` or `jax.vjp` then runs the recursion of this module. Reverse mode
    only: `jax.jvp` and `jax.jacfwd` of it raise a `TypeError`. Forward over reverse, as in
    `jax.hessian`, differentiates the hand-derived backward pass and works.

    >>> from purenet.network import mlp
    >>> net = mlp([2, 3, 1], hidden="tanh")
    >>> f, params = differentiable(net), net.init(jax.random.key(0))
    >>> jax.grad(lambda p: f(p, jnp.ones((4, 2))).sum())(params)[1].bias.tolist()
    [4.0]

    Raises:
        ValueError: an activation of the network has no derivative.
    """
    check_trainable(net, output=True)

    @jax.custom_vjp
    def apply(params: Params, x: Array) -> Float[Array, "*batch out"]:
        return net.apply(params, x)

    def apply_forward(params: Params, x: Array) -> tuple[Array, tuple]:
        check_features(net, x)
        trace = forward(net, params, x.reshape(-1, net.sizes[0]))
        a = net.output(trace.z)
        residuals = (params, trace._replace(z=net.output.kept(trace.z, a)), x[..., :0])
        return a.reshape(*x.shape[:-1], net.sizes[-1]), residuals

    def apply_backward(residuals: tuple, cotangent: Array) -> tuple[Params, Array | np.ndarray]:
        params, trace, like_x = residuals
        delta = net.output.delta(trace.z, cotangent.reshape(-1, net.sizes[-1]))
        floating = jnp.issubdtype(like_x.dtype, jnp.floating)
        grads, dx = backward(net, params, trace, delta, inputs=floating)
        shape = (*like_x.shape[:-1], net.sizes[0])
        if dx is None:
            return grads, np.zeros(shape, jax.dtypes.float0)
        return grads, dx.reshape(shape).astype(like_x.dtype)

    apply.defvjp(apply_forward, apply_backward)
    # Outside the rule: a list would be a pytree of its numbers to it.
    return lambda params, x: apply(params, as_inputs(x))


class Trace(NamedTuple):
    """What the backward pass needs of the forward pass, and nothing else.

    Attributes:
        kept: a_0, then for each hidden layer the one of a_l and z_l that its pullback takes, or
            `None` where it is computed again (`checkpoint_every`); (batch, n_l).
        z: z_L, the last weighted input, (batch, n_L).
    """

    kept: Kept
    z: Array


def forward(net: Network, params: Params, x: Num[Array, "batch in"]) -> Trace:
    """Return the forward pass with what the backward pass needs of it."""
    a, kept = hidden(net, params, x)
    return Trace(kept, weighted_input(net, params[-1], a))


def hidden(
    net: Network, params: Params, x: Num[Array, "batch in"]
) -> tuple[Float[Array, "batch units"], Kept]:
    """Return a_{L−1}, the input of the last layer, with what is kept below it."""
    check_params(net, params)
    inputs = scale_inputs(net, params, x)
    a, kept = hidden_layers(net, params, inputs, 0, net.depth - 1)
    return a, thinned(net, [inputs, *kept])


def output_delta(
    net: Network, loss: Loss, z: Float[Array, "batch out"], y: Targets, weights: Weights
) -> tuple[Float[Array, ""], Float[Array, "batch out"]]:
    """Return the cost and δ_L = ∂C/∂z_L: fused where the loss has it, else ∂C/∂a through σ_L."""
    if loss.fused is not None:
        return loss.from_logits(z, y, weights), loss.delta(z, y, weights)
    a = net.output(z)
    cotangent = loss.gradient(a, y, weights)
    return loss(a, y, weights), net.output.delta(net.output.kept(z, a), cotangent)


def backward(
    net: Network,
    params: Params,
    trace: Trace,
    delta: Float[Array, "batch out"],
    inputs: bool = False,
) -> tuple[Params, Float[Array, "batch in"] | None]:
    """Return the gradient of every parameter from δ_L, and ∂C/∂x only if `inputs` is set."""
    return descend(net, params, trace.kept, delta, inputs)


def descend(
    net: Network, params: Params, kept: Kept, delta: Float[Array, "batch units"], inputs: bool
) -> tuple[Params, Float[Array, "batch in"] | None]:
    """Return what `backward` does, of the first layers: δ is that of the last of `params`."""
    grads: list[Dense] = []
    for n in reversed(range(len(params))):
        kept = refilled(net, params, kept, n, delta)
        sigma, a = activation_of(net, n), kept[n]
        if n > 0 or inputs:
            received = input_gradient(net, params[n], delta)
            a = output_of(sigma, kept[n], received)
        grads.append(parameter_gradient(net, params[n], a, delta))
        if n > 0 or inputs:
            delta = delta_of(sigma, kept[n], received)
    gradient = tuple(reversed(grads))
    if not inputs:
        return gradient, None
    scaling = net.input_scaling
    return gradient, delta if scaling is None else scaled_pullback(scaling, delta)


def parameter_gradient(
    net: Network, layer: Dense, a: Float[Array, "batch in"], delta: Float[Array, "batch out"]
) -> Dense:
    """Return ∂C/∂W = aᵀ δ and ∂C/∂b = Σ_b δ[b], in the parameters' dtypes."""
    weight = transposed_product(functools.partial(matmul, net, (layer,)), a, delta)
    bias = jnp.sum(delta, axis=0)
    return Dense(weight.astype(layer.weight.dtype), bias.astype(layer.bias.dtype))


def input_gradient(
    net: Network, layer: Dense, delta: Float[Array, "batch out"]
) -> Float[Array, "batch in"]:
    """Return ∂C/∂a = δ Wᵀ, what the layer below receives."""
    return matmul(net, (layer,), delta, layer.weight.T)


def check_trainable(net: Network, output: bool = False) -> None:
    """Raise a `ValueError` that names the layer whose activation has no derivative."""
    for index, activation in enumerate(net.hidden):
        if not activation.differentiable:
            raise ValueError(f"hidden[{index}]: {no_derivative(activation)}")
    if output and not net.output.differentiable:
        raise ValueError(f"output: {no_derivative(net.output)}")


def _whole(
    net: Network, loss: Loss, params: Params, x: Array, y: Targets, weights: Weights, inputs: bool
) -> tuple[Array, Params, Array | None]:
    a, kept = hidden(net, params, x)
    value, delta = _of_last_layer(net, loss, params[-1], a, y, weights)
    return value, *descend(net, params, kept, delta, inputs)


def _of_last_layer(
    net: Network, loss: Loss, layer: Dense, a: Array, y: Targets, weights: Weights
) -> tuple[Array, Array]:
    def plain(layer: Dense, a: Array, y: Targets, weights: Weights) -> tuple[Array, Array]:
        return output_delta(net, loss, weighted_input(net, layer, a), y, weights)

    size = in_place.rows_at_once(loss, layer, a)
    if size is None:
        return plain(layer, a, y, weights)
    by_rows = functools.partial(in_place.output_delta, net, loss, size)
    return lax.platform_dependent(layer, a, y, weights, cpu=by_rows, default=plain)


def _in_pieces(
    net: Network, loss: Loss, params: Params, x: Array, y: Targets, weights: Weights, inputs: bool
) -> tuple[Array, Params, Array | None]:
    # z_L is never whole: the recursion starts a layer lower, from ∂C/∂a_{L−1}.
    a, kept = hidden(net, params, x)
    value, last, received = pieces.cross_entropy(net, params[-1], a, y, weights)
    sigma = activation_of(net, net.depth - 1)
    delta = delta_of(sigma, kept[-1], received)
    grads, dx = descend(net, params[:-1], kept[:-1], delta, inputs)
    return value, (*grads, last), dx


def _argnums(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    wanted = argnums if isinstance(argnums, tuple) else (argnums,)
    if not wanted or any(n not in (0, 1) for n in wanted):
        raise ValueError(
            "argnums: 0 (the parameters), 1 (the inputs x) or a tuple of them is expected, "
            f"got {argnums!r}"
        )
    return wanted


def _check_floating(x: Array) -> None:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(
            f"x: ∂C/∂x needs floating inputs, got {x.dtype}; convert x, or leave 1 out of argnums"
        )
