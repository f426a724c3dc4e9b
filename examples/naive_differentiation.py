"""The cost of naive differentiation, one forward pass per weight, against backpropagation (S4).

S4-C50 and C51 say that ∂C/∂w could be had by expanding C down to each w, and that this is dearer.
Counted, for a network with P parameters:

    forward differences    (C(θ + h e_i) − C(θ)) / h, i = 1 … P     P + 1 forward passes, error O(h)
    forward mode           dC/dt C(θ + t e_i) at t = 0              P passes of double width, exact
    backpropagation        the four equations                       1 forward and 1 backward, exact

The passes are counted as they are made. FLOPs are those of XLA's `cost_analysis` of one compiled
pass, times the passes. 784-10-10 has P = 7960.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

import purenet as pn


class Method(NamedTuple):
    """The price of a gradient, and how far it is from backpropagation's."""

    name: str
    passes: int
    flops: float
    difference: float  # ‖difference‖∞ / ‖gradient‖∞


class Result(NamedTuple):
    """What the script prints."""

    parameters: int
    forward_flops: float
    methods: tuple[Method, Method, Method]


class Counted:
    """A compiled function that counts its calls and knows the FLOPs of one."""

    def __init__(self, function: Callable, *example: Array) -> None:
        """Compile for arguments like the example's."""
        self.compiled = jax.jit(function).lower(*example).compile()
        self.flops = self.compiled.cost_analysis()["flops"]
        self.calls = 0

    def __call__(self, *args: Array) -> Array | tuple[Array, Array]:
        """Call and count."""
        self.calls += 1
        return self.compiled(*args)


def forward_differences(cost: Callable, theta: Float[Array, " p"], h: float) -> np.ndarray:
    base, at = float(cost(theta)), np.array(theta)
    gradient = np.zeros(len(at))
    for i in range(len(at)):
        moved = at.copy()
        moved[i] += h
        gradient[i] = (float(cost(moved)) - base) / h
    return gradient


def forward_mode(derivative: Callable, theta: Float[Array, " p"]) -> np.ndarray:
    gradient = np.zeros(len(theta))
    for i in range(len(theta)):
        direction = np.zeros(len(theta))
        direction[i] = 1
        gradient[i] = derivative(theta, direction)
    return gradient


def run(sizes: list[int], examples: int, h: float, seed: int) -> Result:
    rng = np.random.default_rng(seed)
    net, loss = pn.mlp(sizes, output="softmax"), pn.losses.cross_entropy
    theta, as_params = ravel_pytree(net.init(jax.random.key(seed), dtype=jnp.float64))
    x, y = rng.uniform(size=(examples, sizes[0])), rng.integers(sizes[-1], size=examples)
    objective, hand = pn.objective(net, loss), pn.value_and_grad(net, loss)

    def value(theta: Array, x: Array, y: Array) -> Array:
        return objective(as_params(theta), x, y)

    def slope(theta: Array, direction: Array, x: Array, y: Array) -> Array:
        return jax.jvp(lambda t: value(t, x, y), (theta,), (direction,))[1]

    def gradient(theta: Array, x: Array, y: Array) -> Array:
        return ravel_pytree(hand(as_params(theta), x, y)[1])[0]

    # x and y go in as arguments: closed over, they would become constants of the program.
    forward, forward_slope, backprop = (
        Counted(value, theta, x, y),
        Counted(slope, theta, theta, x, y),
        Counted(gradient, theta, x, y),
    )
    truth = np.asarray(backprop(theta, x, y))
    found = {
        "forward differences": (forward, forward_differences(with_data(forward, x, y), theta, h)),
        "forward mode": (forward_slope, forward_mode(with_data(forward_slope, x, y), theta)),
        "backpropagation": (backprop, truth),
    }
    size = np.abs(truth).max()
    return Result(
        len(theta),
        forward.flops,
        tuple(
            Method(name, f.calls, f.calls * f.flops, float(np.abs(g - truth).max() / size))
            for name, (f, g) in found.items()
        ),
    )


def with_data(function: Counted, x: np.ndarray, y: np.ndarray) -> Callable[..., Array]:
    return lambda *args: function(*args, x, y)


def show(result: Result, sizes: list[int]) -> None:
    name = "-".join(map(str, sizes))
    print(f"{name}: {result.parameters} parameters, {result.forward_flops:,.0f} FLOPs forward\n")
    print(f"{'method':22}{'passes':>8}{'FLOPs':>18}{'forward passes':>16}{'difference':>12}")
    for method in result.methods:
        print(f"{method.name:22}{method.passes:8}{method.flops:18,.0f}", end="")
        print(f"{method.flops / result.forward_flops:16,.1f}{method.difference:12.1e}")
    first, last = result.methods[0], result.methods[-1]
    print(f"\nbackpropagation saves a factor of {first.flops / last.flops:,.0f}")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[784, 10, 10])
    parser.add_argument("--examples", type=int, default=8)
    parser.add_argument("--h", type=float, default=1e-7, help="step of the differences")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        result = run(**vars(options))
    show(result, options.sizes)
    return result


if __name__ == "__main__":
    main()
