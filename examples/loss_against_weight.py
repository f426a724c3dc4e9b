"""The loss as a function of one weight, the tangent at a point, and the step downhill (S0).

One linear unit with x = 1 and y = 3 has AL = (w − 3)², drawn with the weight on the x axis and AL
on the y axis (S0-E40 swaps them; AL = 4 at both w = 1 and w = 5, so the swapped graph is no
function). The tangent at w is AL(w) + d · (v − w), with d = ∂AL/∂w from the hand gradient, and

    w ← w − α d            in both cases: d > 0 moves w down, d < 0 moves it up      S0-E44

S0-E46 writes w + α d for a negative d. That moves the weight the wrong way and AL rises.

Three sentences of S0 about that derivative, each with a number against it: the other parameters are
held at their current values, not at their optimum (S0-C32); d > 0 says that AL increases, not that
d does (S0-C42); and the step need not converge, and not to the lowest point (S0-C45).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import purenet as pn

NET = pn.mlp([1, 1])
MSE = pn.losses.mean_squared_error
LOG = pn.Loss(
    "log(1 + (a - y)²)",
    lambda a, y: jnp.sum(jnp.log1p((a - y) ** 2), axis=-1),
    lambda a, y: 2 * (a - y) / (1 + (a - y) ** 2),
)


class Step(NamedTuple):
    """One step from w: by the rule, and as S0 writes it for the sign of d."""

    w: float
    loss: float
    d: float
    after: float
    loss_after: float
    documents: float
    documents_loss: float


class Result(NamedTuple):
    """What the script prints."""

    steps: tuple[Step, Step]
    held_at_current: float  # ∂/∂w of (w + b − 2)² at w = b = 0
    held_at_optimum: float  # the same at w = 0, b = 2
    rising: tuple[float, float, float]  # AL, AL′, AL″ of ln(1 + w²) at w = 2
    diverging: tuple[float, ...]  # w² from w = 1 with α = 1.1


def params(w: float | jax.Array, b: float = 0.0) -> tuple[pn.Dense]:
    return (pn.Dense(jnp.reshape(w, (1, 1)), jnp.asarray([b])),)


def loss_and_slope(
    w: float | jax.Array, y: float, b: float = 0.0, loss: pn.Loss = MSE
) -> tuple[jax.Array, jax.Array]:
    """AL and ∂AL/∂w at x = 1, by the hand-derived gradient."""
    value, (grads,) = pn.value_and_grad(NET, loss)(params(w, b), jnp.ones((1, 1)), jnp.array([y]))
    return value, grads.weight[0, 0]


def step(w: float, y: float, rate: float) -> Step:
    loss, d = map(float, loss_and_slope(w, y))
    after = w - rate * d
    documents = w - rate * d if d > 0 else w + rate * d
    at = [float(loss_and_slope(v, y)[0]) for v in (after, documents)]
    return Step(w, loss, d, after, at[0], documents, at[1])


def rising(w: float) -> tuple[float, float, float]:
    """AL, AL′ and AL″ of ln(1 + w²); AL″ by forward mode through the hand gradient."""
    (value, slope), (_, curvature) = jax.jvp(
        lambda v: loss_and_slope(v, 0.0, loss=LOG), (jnp.asarray(w),), (jnp.asarray(1.0),)
    )
    return float(value), float(slope), float(curvature)


def descent(w: float, y: float, rate: float, steps: int) -> tuple[float, ...]:
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - rate * float(loss_and_slope(path[-1], y)[1]))
    return tuple(path)


def draw(path: str, steps: tuple[Step, ...], y: float) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    w = np.linspace(-0.5, 6.5, 141)
    axes.plot(w, jax.vmap(lambda v: loss_and_slope(v, y)[0])(jnp.asarray(w)), "k", label="AL(w)")
    for s in steps:
        near = np.array([s.w - 0.8, s.w + 0.8])
        label = f"tangent at w = {s.w:g}, slope d = {s.d:g}"
        (line,) = axes.plot(near, s.loss + s.d * (near - s.w), label=label)
        axes.annotate(
            "", (s.after, s.loss_after), (s.w, s.loss),
            arrowprops={"arrowstyle": "->", "color": line.get_color(), "linewidth": 2},
        )  # fmt: skip
        axes.plot(s.w, s.loss, "o", color=line.get_color())
    wrong = next(s for s in steps if s.d < 0)
    axes.plot(wrong.documents, wrong.documents_loss, "rx", label="S0-E46: w + α d")
    axes.set(xlabel="weight w", ylabel="average loss AL", ylim=(-0.5, 13))
    axes.legend()
    figure.savefig(path)


def show(result: Result) -> None:
    print(f"{'w':>6}{'AL':>8}{'d':>8}{'w − α d':>10}{'AL after':>10}", end="")
    print(f"{'S0 (E44, E46)':>16}{'AL after':>10}")
    for s in result.steps:
        print(f"{s.w:6g}{s.loss:8.2f}{s.d:8.2f}{s.after:10.2f}{s.loss_after:10.2f}", end="")
        print(f"{s.documents:16.2f}{s.documents_loss:10.2f}")
    print("\n∂/∂w (w + b − 2)² at w = 0 (S0-C32)")
    print(f"  with b = 0, its current value   {result.held_at_current:g}")
    print(f"  with b = 2, its optimum         {result.held_at_optimum:g}")
    value, slope, curvature = result.rising
    print("ln(1 + w²) at w = 2 (S0-C42)")
    print(f"  AL {value:.4f} rises, d = {slope:.2f} > 0; d falls, AL″ = {curvature:.2f}")
    path = ", ".join(f"{w:.4g}" for w in result.diverging)
    print(f"descent on w² with α = 1.1 (S0-C45)\n  w = {path}, …")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate α")
    parser.add_argument("--plot", metavar="FILE.png", help="AL, tangents and steps (matplotlib)")
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        steps = step(1.0, 3.0, options.rate), step(5.0, 3.0, options.rate)
        result = Result(
            steps,
            float(loss_and_slope(0.0, 2.0)[1]),
            float(loss_and_slope(0.0, 2.0, b=2.0)[1]),
            rising(2.0),
            descent(1.0, 0.0, 1.1, 5),
        )
        if options.plot:
            draw(options.plot, steps, 3.0)
    show(result)
    return result


if __name__ == "__main__":
    main()
