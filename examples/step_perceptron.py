"""The classical perceptron (S1-C18): a binary step, trained by Rosenblatt's rule, not by gradient.

    a = step(x · w + b) = 1 if x · w + b ≥ 0 else 0
    for each example in turn:   w ← w + (y − a) x,   b ← b + (y − a)

The derivative of the step is 0 wherever it exists, so the gradient method of S1 cannot move it;
purenet says so in an error. The rule above needs no derivative. On separable data it makes at most

    (R / γ)² mistakes,   R = max ‖(x, 1)‖,   γ = min_k s_k u · (x_k, 1),   s_k = ±1, ‖u‖ = 1

(Novikoff 1962), for any separating u. On XOR no line separates, and it goes on for ever.
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import purenet as pn
from purenet.data import xor

NET = pn.mlp([2, 1], output="step")
SEPARATOR = np.array([0.6, -0.8, 0.1])  # of the data made here: 0.6 x_1 − 0.8 x_2 + 0.1 = 0
MARGIN = 0.1

Params = tuple[pn.Dense]


class Result(NamedTuple):
    """What the script prints."""

    epochs: int
    mistakes: int
    bound: float
    accuracy: float
    unseen_accuracy: float
    refusal: str
    autodiff_gradient: float
    xor_mistakes: tuple[int, ...]  # per epoch


def rosenblatt(params: Params, example: tuple[Array, Array]) -> tuple[Params, Array]:
    """One example: the parameters after it, and whether it was a mistake."""
    x, y = example
    error = y - NET.apply(params, x)
    layer = params[0]
    moved = pn.Dense(layer.weight + x[:, None] * error[None, :], layer.bias + error)
    return (moved,), jnp.sum(jnp.abs(error))


@jax.jit
def epoch(params: Params, x: Float[Array, "n 2"], y: Float[Array, "n 1"]) -> tuple[Params, Array]:
    params, mistakes = jax.lax.scan(rosenblatt, params, (x, y))
    return params, jnp.sum(mistakes)


def train(x: np.ndarray, y: np.ndarray, most_epochs: int) -> tuple[Params, list[int]]:
    """Epochs until one has no mistake: the parameters and the mistakes of each epoch."""
    params, mistakes = NET.init(jax.random.key(0), jax.nn.initializers.zeros), []
    while len(mistakes) < most_epochs and (not mistakes or mistakes[-1]):
        params, count = epoch(params, jnp.asarray(x), jnp.asarray(y))
        mistakes.append(int(count))
    return params, mistakes


def separable(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points of a square that are at least `MARGIN` away from the line, and their side of it."""
    x = rng.uniform(-1, 1, (4 * n, 2)).astype(np.float32)
    signed = x @ SEPARATOR[:2] + SEPARATOR[2]
    kept = np.flatnonzero(np.abs(signed) >= MARGIN)[:n]
    return x[kept], (signed[kept, None] > 0).astype(np.float32)


def novikoff(x: np.ndarray, y: np.ndarray) -> float:
    points = np.column_stack([x, np.ones(len(x))])
    margin = ((2 * y[:, 0] - 1) * (points @ SEPARATOR)).min() / np.linalg.norm(SEPARATOR)
    return float((np.linalg.norm(points, axis=1).max() / margin) ** 2)


def accuracy(params: Params, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(np.asarray(pn.predict(NET, params, x)) == y))


def gradient_training(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[str, float]:
    """purenet's refusal, and the largest entry of what autodiff gives without complaint."""
    params = NET.init(jax.random.key(seed))
    try:
        pn.value_and_grad(NET, "mean_squared_error")
    except ValueError as error:
        refusal = str(error)
    zero = jax.grad(lambda p: jnp.mean((jnp.asarray(y) - NET.apply(p, x)) ** 2))(params)
    return refusal, max(float(jnp.max(jnp.abs(g))) for g in jax.tree.leaves(zero))


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1000, help="at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)

    rng = np.random.default_rng(options.seed)
    x, y = separable(options.points, rng)
    params, mistakes = train(x, y, options.epochs)
    four, exclusive_or = xor()
    _, xor_mistakes = train(four, exclusive_or[:, None].astype(np.float32), options.epochs)
    refusal, gradient = gradient_training(x, y, options.seed)
    result = Result(
        len(mistakes), sum(mistakes), novikoff(x, y), accuracy(params, x, y),
        accuracy(params, *separable(1000, rng)), refusal, gradient, tuple(xor_mistakes),
    )  # fmt: skip

    print(f"{'':16}{'epochs':>8}{'mistakes':>10}{'bound (R/γ)²':>14}{'last epoch':>12}")
    print(
        f"{'separable':16}{result.epochs:8}{result.mistakes:10}{result.bound:14.1f}{mistakes[-1]:12}"
    )
    print(
        f"{'XOR':16}{len(xor_mistakes):8}{sum(xor_mistakes):10}{'none':>14}{xor_mistakes[-1]:12}\n"
    )
    print(f"accuracy on the separable points {result.accuracy:.3f}, ", end="")
    print(f"on 1000 unseen ones {result.unseen_accuracy:.3f}")
    print(f"gradient of the cost by autodiff: {gradient:g}; and purenet's value_and_grad:")
    print(f"  ValueError: {refusal}")
    return result


if __name__ == "__main__":
    main()
