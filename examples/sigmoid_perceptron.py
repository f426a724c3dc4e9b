"""One sigmoid neuron trained by gradient descent (S1), and the formulas of S1 that do not train it.

    z_k = x_k · w + b,   ŷ_k = σ(z_k) = 1 / (1 + e^−z_k),   C = (1/n) Σ_k (y_k − ŷ_k)²
                                                                        S1-E15, E20, E29

The three factors of the chain rule (S1-E32 … E43), for each sample k,

    ∂C/∂ŷ_k = −(2/n) (y_k − ŷ_k),     ∂ŷ_k/∂z_k = ŷ_k (1 − ŷ_k),     ∂z_k/∂w_i = x_ki,

belong inside a sum over the samples, because every sample reaches C through its own ŷ_k:

    ∂C/∂w_i = Σ_k ∂C/∂ŷ_k ∂ŷ_k/∂z_k x_ki,      ∂C/∂b = Σ_k ∂C/∂ŷ_k ∂ŷ_k/∂z_k.

S1 writes (2/n) sum(y − ŷ) σ(z)(1 − σ(z)) x_i (S1-E44, and S1-E46 for b; from S1-E34 and E36). The
sign is wrong, and the sum is closed too early, so that z and x_i belong to no sample at all. A step
along it raises the cost. σ only reaches (0, 1), so the targets lie there (S1-C26).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import purenet as pn

NET = pn.mlp([2, 1], output="sigmoid")
LOSS = pn.losses.mean_squared_error
TRUE_WEIGHT, TRUE_BIAS = [[1.5], [-2.0]], [0.5]

Samples = Float[Array, "samples 2"]
Column = Float[Array, "samples 1"]


class Result(NamedTuple):
    """What the script prints."""

    gradient: np.ndarray  # (∂C/∂w_1, ∂C/∂w_2, ∂C/∂b) by the three factors
    library: np.ndarray
    documents: np.ndarray  # a row for each sample that could supply z and x
    cost: float
    cost_after: float
    cost_after_documents: float
    first_cost: float
    last_cost: float
    parameters: np.ndarray
    true_parameters: np.ndarray
    stopped: str
    out_of_reach: tuple[float, ...]


def three_factors(params: tuple[pn.Dense], x: Samples, y: Column) -> tuple[pn.Dense]:
    y_hat = NET.apply(params, x)
    cost_by_output = -2 / len(x) * (y - y_hat)
    output_by_input = y_hat * (1 - y_hat)
    delta = cost_by_output * output_by_input
    return (pn.Dense(jnp.sum(delta * x, axis=0)[:, None], jnp.sum(delta, axis=0)),)


def as_s1_writes_it(params: tuple[pn.Dense], x: Samples, y: Column, k: int) -> tuple[pn.Dense]:
    """S1-E44 and S1-E46, with z and x taken from sample k."""
    y_hat = np.asarray(NET.apply(params, x))
    bias = 2 / len(x) * np.sum(y - y_hat) * y_hat[k] * (1 - y_hat[k])
    return (pn.Dense((bias * np.asarray(x)[k])[:, None], bias),)


def descend(params: tuple[pn.Dense], gradient: tuple[pn.Dense], rate: float) -> tuple[pn.Dense]:
    return jax.tree.map(lambda p, g: p - rate * g, params, gradient)


def flat(params: tuple[pn.Dense]) -> np.ndarray:
    return np.concatenate([np.ravel(params[0].weight), np.ravel(params[0].bias)])


def run(samples: int, steps: int, rate: float, seed: int) -> Result:
    x = jnp.asarray(np.random.default_rng(seed).normal(size=(samples, 2)))
    true = (pn.Dense(jnp.asarray(TRUE_WEIGHT), jnp.asarray(TRUE_BIAS)),)
    y = NET.apply(true, x)
    start = NET.init(jax.random.key(seed), dtype=x.dtype)
    cost = pn.objective(NET, LOSS)

    gradient = three_factors(start, x, y)
    library = pn.value_and_grad(NET, LOSS)(start, x, y)[1]
    documents = [as_s1_writes_it(start, x, y, k) for k in range(samples)]

    trained = pn.fit(
        NET, LOSS, start, (x, y), optax.sgd(rate), epochs=steps, batch_size=None,
        stop=[pn.stop.Converged(tolerance=1e-9, patience=10)],
    )  # fmt: skip
    out_of_reach = tuple(float((2 - jax.nn.sigmoid(jnp.asarray(z))) ** 2) for z in (0.0, 5.0, 20.0))
    return Result(
        flat(gradient),
        flat(library),
        np.array([flat(d) for d in documents]),
        float(cost(start, x, y)),
        float(cost(descend(start, gradient, 0.1), x, y)),
        float(cost(descend(start, documents[0], 0.1), x, y)),
        float(trained.history.loss[0]),
        float(trained.history.loss[-1]),
        flat(trained.params),
        flat(true),
        trained.stopped,
        out_of_reach,
    )


def show(result: Result) -> None:
    rows = {"three factors, summed": result.gradient, "pn.value_and_grad": result.library}
    rows |= {f"S1-E44/E46, k = {k + 1}": row for k, row in enumerate(result.documents[:3])}
    print(f"{'gradient at the start':24}{'∂C/∂w_1':>12}{'∂C/∂w_2':>12}{'∂C/∂b':>12}")
    for name, row in rows.items():
        print(f"{name:24}" + "".join(f"{v:12.6f}" for v in row))
    print(f"\n{'cost at the start':44}{result.cost:10.6f}")
    print(f"{'after one step of 0.1 along −gradient':44}{result.cost_after:10.6f}")
    print(f"{'after one along −(S1-E44, E46), k = 1':44}{result.cost_after_documents:10.6f}\n")
    print(f"training: cost {result.first_cost:.6f} to {result.last_cost:.2e}; {result.stopped}")
    print(f"  found (w_1, w_2, b) = {np.round(result.parameters, 3)}")
    print(f"  true  (w_1, w_2, b) = {np.round(result.true_parameters, 3)}\n")
    errors = ", ".join(f"{e:.9f}" for e in result.out_of_reach)
    print(f"a target of 2 is out of reach (S1-C26): error at z = 0, 5, 20: {errors}; never 0")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--steps", type=int, default=5000, help="at most")
    parser.add_argument("--rate", type=float, default=4.0, help="learning rate α")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        result = run(**vars(options))
    show(result)
    return result


if __name__ == "__main__":
    main()
