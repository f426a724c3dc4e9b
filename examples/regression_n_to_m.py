"""Regression from n inputs to m outputs (S0-C20 … C24): nothing has to be drawn in two dimensions.

    f: R^n → R^m,     C = (1/N) Σ_k ‖y_k − f(x_k)‖²

The graph {(x, f(x))} lies in R^(n+m) (S0-E24, where "n + m dimensional space" is the space around
it); the graph itself has n dimensions, because the tangent at x is spanned by the rows of

    [ I_n  Df(x)ᵀ ],      n × (n + m), of rank n whatever f is.

The loss is one number computed from all m outputs at once (S0-C21, C23), and the surface to descend
is the graph of C over the parameters, in R^(parameters + 1). For a linear f the gradient is

    ∂C/∂W = −(2/N) Xᵀ (Y − X W − b),     ∂C/∂b = −(2/N) Σ_k (y_k − x_k W − b).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

import purenet as pn

LOSS = pn.losses.mean_squared_error


class Result(NamedTuple):
    """What the script prints."""

    inputs: int
    outputs: int
    parameters: int
    tangent_ranks: tuple[int, ...]  # at 20 points
    linear_gradient_difference: float
    loss: float
    loss_by_output: np.ndarray
    linear_r_squared: float  # of the best affine map, on unseen points
    r_squared: float  # of the network, on unseen points


def surface(n: int, m: int, points: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """x uniform in [−1, 1]^n, and y_j = sin(2 x · a_j) + (x · b_j)² with fixed a_j and b_j."""
    a, b = (np.random.default_rng(order).normal(size=(n, m)) for order in (1, 2))
    x = rng.uniform(-1, 1, (points, n))
    return x, np.sin(2 * x @ a) + (x @ b) ** 2


def tangent_ranks(
    net: pn.Network, params: tuple[pn.Dense, ...], x: Float[np.ndarray, "points n"]
) -> tuple[int, ...]:
    """The rank of [I_n  Df(x)ᵀ] at each point, with Df by the hand-derived backward pass."""
    f = pn.differentiable(net)
    jacobians = jax.jit(jax.vmap(jax.jacrev(lambda at: f(params, at))))(x)
    tangents = (np.hstack([np.eye(x.shape[1]), np.asarray(jacobian).T]) for jacobian in jacobians)
    return tuple(int(np.linalg.matrix_rank(tangent)) for tangent in tangents)


def linear_gradient(layer: pn.Dense, x: np.ndarray, y: np.ndarray) -> pn.Dense:
    weight, bias = map(np.asarray, layer)
    error = y - (x @ weight + bias)
    return pn.Dense(-2 / len(x) * x.T @ error, -2 / len(x) * error.sum(axis=0))


def gradient_difference(x: np.ndarray, y: np.ndarray, key: jax.Array) -> float:
    """The largest difference of the formula for linear f to purenet's gradient."""
    net = pn.mlp([x.shape[1], y.shape[1]])
    params = net.init(key, dtype=jnp.float64)
    (library,) = jax.jit(pn.value_and_grad(net, LOSS))(params, x, y)[1]
    pairs = zip(linear_gradient(params[0], x, y), library, strict=True)
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


def affine_r_squared(train: tuple, unseen: tuple) -> float:
    """R² of the least-squares affine map on the unseen points."""
    columns = [np.column_stack([x, np.ones(len(x))]) for x, _ in (train, unseen)]
    error = unseen[1] - columns[1] @ np.linalg.lstsq(columns[0], train[1])[0]
    return float(1 - (error**2).sum() / ((unseen[1] - unseen[1].mean(0)) ** 2).sum())


def run(inputs: int, outputs: int, points: int, steps: int, seed: int) -> Result:
    rng = np.random.default_rng(seed)
    train, unseen = (surface(inputs, outputs, points, rng) for _ in range(2))
    x, y = train
    net = pn.mlp([inputs, 32, 32, outputs], hidden="tanh")
    start = net.init(jax.random.key(seed), dtype=jnp.float64)
    trained = pn.fit(net, LOSS, start, train, optax.adam(1e-2), epochs=steps, batch_size=None)
    a = np.asarray(pn.predict(net, trained.params, x))
    return Result(
        inputs,
        outputs,
        sum(p.size for p in jax.tree.leaves(start)),
        tangent_ranks(net, trained.params, x[:20]),
        gradient_difference(x, y, jax.random.key(seed)),
        float(LOSS(a, y)),
        np.mean((y - a) ** 2, axis=0),
        affine_r_squared(train, unseen),
        pn.evaluate(net, LOSS, trained.params, unseen, "r_squared")[1],
    )


def show(result: Result) -> None:
    n, m = result.inputs, result.outputs
    ranks = ", ".join(str(rank) for rank in sorted(set(result.tangent_ranks)))
    print(f"{n} inputs, {m} outputs, {result.parameters} parameters")
    print(f"  space around the graph of f           R^{n + m}")
    print(f"  dimension of the graph                {ranks}   (rank of the tangent, 20 points)")
    print(f"  space of the graph of the loss        R^{result.parameters + 1}\n")
    parts = " + ".join(f"{part:.6f}" for part in result.loss_by_output)
    print(f"loss, all outputs at once {result.loss:.6f} = {parts}")
    print(f"linear f: formula against purenet       {result.linear_gradient_difference:.1e}\n")
    print("R² on unseen points")
    print(f"  best affine map    {result.linear_r_squared:.4f}")
    print(f"  network            {result.r_squared:.4f}")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2, help="n")
    parser.add_argument("--outputs", type=int, default=3, help="m")
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    with jax.enable_x64(True):
        result = run(**vars(parser.parse_args(argv)))
    show(result)
    return result


if __name__ == "__main__":
    main()
