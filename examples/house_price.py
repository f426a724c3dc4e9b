"""The price of a house as a linear function of its area (S0), by gradient descent and in one step.

    p(x) = w x + b,      AL = (Σ_i (y_i − p(x_i))²) / n                     S0-C25, S0-E27
    ∂AL/∂w = −(2/n) Σ_i (y_i − p(x_i)) x_i,    ∂AL/∂b = −(2/n) Σ_i (y_i − p(x_i))    S0-E31
    (w, b) ← (w, b) − α (∂AL/∂w, ∂AL/∂b), both at once                      S0-E44, C47

AL is quadratic in (w, b), so both partial derivatives set to 0 give the minimum in closed form (the
normal equations), which gradient descent has to reach. In square metres the two curvatures of AL
differ so much that descent takes hundreds of thousands of steps; with the area standardised by the
network's `InputScaling` it takes dozens. The fitted line is then tested on houses that training has
not seen (S0-C49).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import purenet as pn
from purenet.data import house_prices

LOSS = pn.losses.mean_squared_error


class Line(NamedTuple):
    """p(x) = slope · x + intercept, in thousands and square metres."""

    slope: float
    intercept: float


class Result(NamedTuple):
    """What the script prints."""

    descent: Line
    closed_form: Line
    hand_gradient: np.ndarray  # (∂AL/∂w, ∂AL/∂b) at the start, by S0's sums
    library_gradient: np.ndarray
    steps: int
    loss: float
    closed_form_loss: float
    test_rmse: float
    test_r_squared: float
    condition: float  # ratio of the curvatures of AL in square metres
    scaled_condition: float


def normal_equations(x: np.ndarray, y: np.ndarray) -> Line:
    columns = np.column_stack([x, np.ones(len(x))])
    return Line(*np.linalg.solve(columns.T @ columns, columns.T @ y[:, 0]).tolist())


def average_loss(line: Line, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((y - (line.slope * x + line.intercept)) ** 2))


def hand_gradient(line: Line, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    error = y - (line.slope * x + line.intercept)
    return np.array([-2 * np.mean(error * x), -2 * np.mean(error)])


def condition(x: np.ndarray) -> float:
    """The ratio of the largest to the smallest curvature of AL."""
    columns = np.column_stack([x, np.ones(len(x))])
    return float(np.linalg.cond(2 / len(x) * columns.T @ columns))


def in_square_metres(params: tuple[pn.Dense], mean: float, scale: float) -> Line:
    """w (x − mean) / scale + b as a line in x."""
    slope = float(params[0].weight[0, 0]) / scale
    return Line(slope, float(params[0].bias[0]) - slope * mean)


def run(houses: int, steps: int, rate: float, seed: int, plot: str | None) -> Result:
    x, y = (part.astype(np.float64) for part in house_prices(houses, seed=seed))
    unseen = tuple(part.astype(np.float64) for part in house_prices(1000, seed=seed + 1))
    mean, scale = float(x.mean()), float(x.std())
    net = pn.mlp([1, 1], input_scaling=pn.InputScaling(mean, scale))
    start = net.init(jax.random.key(seed), dtype=jnp.float64)

    descent = pn.fit(
        net, LOSS, start, (x, y), optax.sgd(rate), epochs=steps, batch_size=None,
        stop=[pn.stop.Converged(tolerance=1e-12)],
    )  # fmt: skip
    line, exact = in_square_metres(descent.params, mean, scale), normal_equations(x, y)
    _, gradient = pn.value_and_grad(net, LOSS)(start, x, y)
    at_start = Line(float(start[0].weight[0, 0]), float(start[0].bias[0]))
    if plot:
        draw(plot, x, y, line)
    return Result(
        line,
        exact,
        hand_gradient(at_start, (x - mean) / scale, y),
        np.concatenate([gradient[0].weight[0], gradient[0].bias]),
        int(descent.history.updates[-1]),
        average_loss(line, x, y),
        average_loss(exact, x, y),
        pn.evaluate(net, LOSS, descent.params, unseen, "rmse")[1],
        pn.evaluate(net, LOSS, descent.params, unseen, "r_squared")[1],
        condition(x),
        condition((x - mean) / scale),
    )


def draw(path: str, x: np.ndarray, y: np.ndarray, line: Line) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    ends = np.array([x.min(), x.max()])
    axes.plot(x, y, "o", label="houses")
    axes.plot(ends, line.slope * ends + line.intercept, label="p(x) = w x + b")
    axes.set(xlabel="area x in m²", ylabel="price y in thousands")
    axes.legend()
    figure.savefig(path)


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--houses", type=int, default=60)
    parser.add_argument("--steps", type=int, default=1000, help="at most")
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate α")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE.png", help="the houses and the line (matplotlib)")
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        result = run(**vars(options))

    print(f"{'':34}{'w':>12}{'b':>12}{'AL':>14}")
    print(f"{f'gradient descent, {result.steps} steps':34}", end="")
    print(f"{result.descent.slope:12.6f}{result.descent.intercept:12.6f}{result.loss:14.8f}")
    print(f"{'normal equations':34}{result.closed_form.slope:12.6f}", end="")
    print(f"{result.closed_form.intercept:12.6f}{result.closed_form_loss:14.8f}\n")
    print("(∂AL/∂w, ∂AL/∂b) at the start, area standardised:")
    print(f"  by the sums   {np.round(result.hand_gradient, 6)}")
    print(f"  pn            {np.round(result.library_gradient, 6)}\n")
    print(f"curvatures of AL, largest / smallest: {result.condition:,.0f} in m², ", end="")
    print(f"{result.scaled_condition:.3f} standardised")
    print(f"1000 unseen houses: RMSE {result.test_rmse:.3f}, R² {result.test_r_squared:.4f}")
    return result


if __name__ == "__main__":
    main()
