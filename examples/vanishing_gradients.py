"""Gradients that vanish with depth: sigmoid against tanh against ReLU, layer by layer (S4).

By the second of the four equations, δ_l = (δ_{l+1} W_{l+1}ᵀ) ∘ σ′(z_l), and so

    ‖δ_l‖ ≤ max σ′ · ‖W_{l+1}‖₂ · ‖δ_{l+1}‖      with max σ′ = ¼ (sigmoid), 1 (tanh, relu).

k layers down a sigmoid network has the factor ¼ᵏ, even if no unit is at the extremes of its graph:
saturation (S4-C13) is one cause, the product is the other (S4-C15). ReLU passes the gradient whole
or not at all: where z < 0 for every example, a unit is dead and nothing moves it (S4-C16).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import purenet as pn
from purenet import backprop

LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "relu": 1.0}
AT = (0.0, 5.0, 10.0)


class Layers(NamedTuple):
    """A number for each layer, from the first to the last."""

    weight_norms: np.ndarray  # ‖∂C/∂W_l‖
    delta_norms: np.ndarray  # ‖δ_l‖
    bounds: np.ndarray  # of ‖δ_l‖, from ‖δ_L‖


class Result(NamedTuple):
    """What the script prints."""

    slopes: dict[str, tuple[float, ...]]  # σ′ at 0, 5 and 10
    layers: dict[str, Layers]
    shrink: dict[str, float]  # ‖δ_1‖ / ‖δ_L‖
    ten_layers: float  # ¼¹⁰
    dead_gradient: float  # of a ReLU unit whose z is negative for every example


@jax.jit(static_argnames="net")
def deltas(net: pn.Network, params: tuple[pn.Dense, ...], x: Array, y: Array) -> list[Array]:
    """δ_1 … δ_L, by equations (1) and (2)."""
    trace = backprop.forward(net, params, x)
    loss = pn.losses.mean_squared_error
    found = [backprop.output_delta(net, loss, trace.z, y, None)[1]]
    for layer in range(net.depth - 1, 0, -1):
        cotangent = found[0] @ params[layer].weight.T
        found.insert(0, net.hidden[layer - 1].delta(trace.kept[layer - 1], cotangent))
    return found


def measure(activation: str, depth: int, width: int, x: Array, y: Array, key: jax.Array) -> Layers:
    """A network of `depth` layers at its initialisation, which fits the activation."""
    net = pn.mlp([x.shape[1], *[width] * (depth - 1), y.shape[1]], hidden=activation)
    params = net.init(key, dtype=x.dtype)
    _, grads = jax.jit(pn.value_and_grad(net, "mean_squared_error"))(params, x, y)
    norms = np.array([np.linalg.norm(delta) for delta in deltas(net, params, x, y)])
    factors = [LARGEST_SLOPE[activation] * np.linalg.norm(p.weight, 2) for p in params[1:]]
    bounds = norms[-1] * np.cumprod([1.0, *reversed(factors)])[::-1]
    return Layers(np.array([np.linalg.norm(g.weight) for g in grads]), norms, bounds)


def slopes(activation: str) -> tuple[float, ...]:
    return tuple(getattr(pn.activations, activation).derivative(jnp.asarray(AT)).tolist())


def dead_unit(x: Array, y: Array) -> float:
    """The largest entry of the gradient of the weights into a unit with z < 0 everywhere."""
    net = pn.mlp([x.shape[1], 2, y.shape[1]], hidden="relu")
    params = net.init(jax.random.key(0), dtype=x.dtype)
    below = jnp.array([-1e3, 0.0])
    params = (params[0]._replace(bias=below), params[1])
    _, grads = jax.jit(pn.value_and_grad(net, "mean_squared_error"))(params, x, y)
    return float(jnp.max(jnp.abs(grads[0].weight[:, 0])))


def run(depth: int, width: int, seed: int, plot: str | None) -> Result:
    rng = np.random.default_rng(seed)
    x, y = (jnp.asarray(rng.normal(size=(64, n))) for n in (width, 4))
    key = jax.random.key(seed)
    layers = {name: measure(name, depth, width, x, y, key) for name in LARGEST_SLOPE}
    if plot:
        draw(plot, layers)
    return Result(
        {name: slopes(name) for name in LARGEST_SLOPE},
        layers,
        {name: float(m.delta_norms[0] / m.delta_norms[-1]) for name, m in layers.items()},
        0.25**10,
        dead_unit(x, y),
    )


def draw(path: str, layers: dict[str, Layers]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    value, slope, norms = figure.subplots(1, 3)
    z = jnp.linspace(-6, 6, 241)
    for name, m in layers.items():
        activation = getattr(pn.activations, name)
        value.plot(z, activation(z), label=name)
        slope.plot(z, activation.derivative(z), label=name)
        norms.semilogy(range(1, len(m.weight_norms) + 1), m.weight_norms, "o-", label=name)
    value.set(title="σ(z)", xlabel="z", ylim=(-1.2, 3))
    slope.set(title="σ′(z)", xlabel="z")
    norms.set(title="‖∂C/∂W‖ at initialisation", xlabel="layer")
    norms.legend()
    figure.savefig(path)


def show(result: Result) -> None:
    print(f"{'':10}" + "".join(f"{f'σ′({z:g})':>12}" for z in AT))
    for name, values in result.slopes.items():
        print(f"{name:10}" + "".join(f"{v:12.3g}" for v in values))
    names = list(result.layers)
    print(f"\n{'‖∂C/∂W‖ of layer':18}" + "".join(f"{name:>12}" for name in names), end="")
    print(f"{'‖δ‖ sigmoid':>16}{'its bound':>12}")
    sigmoid = result.layers["sigmoid"]
    for layer in range(len(sigmoid.weight_norms)):
        print(f"{layer + 1:<18}", end="")
        print("".join(f"{result.layers[n].weight_norms[layer]:12.3g}" for n in names), end="")
        print(f"{sigmoid.delta_norms[layer]:16.3g}{sigmoid.bounds[layer]:12.3g}")
    print(f"{'‖δ_1‖ / ‖δ_L‖':18}" + "".join(f"{result.shrink[n]:12.3g}" for n in names))
    print(f"\n¼ to the power of 10: {result.ten_layers:.3g}")
    print(f"largest gradient of a dead ReLU unit's weights: {result.dead_gradient:g}")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=10, help="layers with weights")
    parser.add_argument("--width", type=int, default=32, help="units of the inputs and each layer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE.png", help="activations and norms (matplotlib)")
    with jax.enable_x64(True):
        result = run(**vars(parser.parse_args(argv)))
    show(result)
    return result


if __name__ == "__main__":
    main()
