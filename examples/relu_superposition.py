"""A curve bent through given points by a sum of ReLUs, one kink for each unit (S0-C07, C18).

    f(x) = c + Σ_j v_j relu(w_j x + b_j)

With points (x_0, y_0), …, (x_n, y_n) and slopes s_j between them, choose w_j = 1 and b_j = −x_j, so
that unit j is 0 up to x_j and rises from there; v_j = s_j − s_{j−1} (with s_{−1} = 0) is the change
of slope at x_j, and c = y_0. The slopes telescope, so f passes through every point. These are the
weights of a network 1 → n → 1, built by hand, with nothing trained.

"Legos" of linear functions alone (S0-C07) stay linear: the best affine fit to XOR is ½ at every
point, with error ¼, at any depth without activation; relu(x_1 + x_2) − 2 relu(x_1 + x_2 − 1) is XOR
exactly. And superposition holds for the weighted sum of the units, not through a ReLU (S0-C18).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import purenet as pn
from purenet.data import xor

POINTS = "0,1 1,3 2.5,-1 4,0"
MSE = pn.losses.mean_squared_error


class Unit(NamedTuple):
    """One ReLU of the sum: v relu(x − kink)."""

    kink: float
    v: float


class Result(NamedTuple):
    """What the script prints."""

    units: tuple[Unit, ...]
    values: np.ndarray  # the network at the points
    slopes: np.ndarray  # the network's derivative between the points
    wanted_slopes: np.ndarray
    xor_affine: float
    xor_deep_linear: float
    xor_relu: float
    relu_of_sum: float
    sum_of_relus: float


def bend(points: np.ndarray) -> tuple[pn.Network, tuple[pn.Dense, ...]]:
    """The network 1 → n → 1 through n + 1 points, and its parameters."""
    x, y = points.T
    changes = np.diff(np.diff(y) / np.diff(x), prepend=0.0)
    units = len(changes)
    params = (
        pn.Dense(jnp.ones((1, units)), jnp.asarray(-x[:-1])),
        pn.Dense(jnp.asarray(changes)[:, None], jnp.asarray(y[:1])),
    )
    return pn.mlp([1, units, 1], hidden="relu"), params


def units(params: tuple[pn.Dense, ...]) -> tuple[Unit, ...]:
    first, last = params
    pairs = zip((-first.bias).tolist(), last.weight[:, 0].tolist(), strict=True)
    return tuple(Unit(*pair) for pair in pairs)


def slope(net: pn.Network, params: tuple[pn.Dense, ...], x: np.ndarray) -> np.ndarray:
    """df/dx by the hand-derived backward pass."""
    f = pn.differentiable(net)
    derivative = jax.grad(lambda at: jnp.sum(f(params, at)))(jnp.asarray(x)[:, None])
    return np.asarray(derivative)[:, 0]


def affine_error(x: np.ndarray, y: np.ndarray) -> float:
    """The mean squared error of the best affine fit, by least squares."""
    columns = np.column_stack([x, np.ones(len(x))])
    best = np.linalg.lstsq(columns, y)[0]
    return float(np.mean((y - columns @ best) ** 2))


def deep_linear_error(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """The same for the outputs of a 2 → 8 → 8 network without activation, with a last layer on."""
    net = pn.mlp([2, 8, 8], hidden="identity")
    params = net.init(jax.random.key(seed), dtype=jnp.float64)
    return affine_error(np.asarray(net.apply(params, x)), y)


def relu_xor_error(x: np.ndarray, y: np.ndarray) -> float:
    net = pn.mlp([2, 2, 1], hidden="relu")
    params = (
        pn.Dense(jnp.ones((2, 2)), jnp.array([0.0, -1.0])),
        pn.Dense(jnp.array([[1.0], [-2.0]]), jnp.zeros(1)),
    )
    return float(MSE(net.apply(params, x), y))


def run(points: np.ndarray, seed: int, plot: str | None) -> Result:
    net, params = bend(points)
    x, y = points.T
    corners, labels = (part.astype(np.float64) for part in xor())
    relu = pn.activations.relu
    if plot:
        draw(plot, net, params, points)
    return Result(
        units(params),
        np.asarray(net.apply(params, x[:, None]))[:, 0],
        slope(net, params, (x[1:] + x[:-1]) / 2),
        np.diff(y) / np.diff(x),
        affine_error(corners, labels),
        deep_linear_error(corners, labels, seed),
        relu_xor_error(corners, labels),
        float(relu(1.0 + -1.0)),
        float(relu(1.0) + relu(-1.0)),
    )


def draw(path: str, net: pn.Network, params: tuple[pn.Dense, ...], points: np.ndarray) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    x = np.linspace(points[0, 0], points[-1, 0], 401)
    for kink, v in units(params):
        label = f"{v:+.3g} relu(x − {kink:g})"
        axes.plot(x, v * np.maximum(0, x - kink), "--", linewidth=1, label=label)
    axes.plot(x, net.apply(params, x[:, None])[:, 0], "k", label="c + their sum")
    axes.plot(*points.T, "ko")
    axes.set(xlabel="x", ylabel="f(x)")
    axes.legend()
    figure.savefig(path)


def show(result: Result, points: np.ndarray) -> None:
    print(f"{'x_j':>8}{'y_j':>8}{'f(x_j)':>10}{'v_j':>10}{'slope to the right':>20}{'f′':>10}")
    columns = points[:-1], result.values[:-1], result.units, result.wanted_slopes, result.slopes
    rows = zip(*columns, strict=True)
    for (x, y), value, unit, wanted, measured in rows:
        print(f"{x:8g}{y:8g}{value:10.6f}{unit.v:10.4f}{wanted:20.4f}{measured:10.4f}")
    print(f"{points[-1][0]:8g}{points[-1][1]:8g}{result.values[-1]:10.6f}\n")
    print("mean squared error on XOR")
    print(f"  best affine function            {result.xor_affine:.6f}")
    print(f"  3 layers without activation     {result.xor_deep_linear:.6f}")
    print(f"  2 ReLUs                         {result.xor_relu:.6f}\n")
    print(f"relu(1 + −1) = {result.relu_of_sum:g}, relu(1) + relu(−1) = {result.sum_of_relus:g}")


def curve_points(text: str) -> np.ndarray:
    """The points of "x,y x,y …" in the order of x, shape (n, 2)."""
    points = np.array(sorted(tuple(map(float, pair.split(","))) for pair in text.split()))
    if len(points) < 2 or points.shape[1:] != (2,) or not np.all(np.diff(points[:, 0]) > 0):
        raise argparse.ArgumentTypeError("at least two points x,y with different x are needed")
    return points


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--points", type=curve_points, default=POINTS, metavar='"x,y x,y …"', help="at least two"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE.png", help="the curve and its units (matplotlib)")
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        result = run(**vars(options))
    show(result, options.points)
    return result


if __name__ == "__main__":
    main()
