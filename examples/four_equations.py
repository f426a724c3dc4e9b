"""The fully connected network of S4: half-MSE, the four equations in index form, three stop rules.

    z_j^l = Σ_k w_jk^l a_k^{l−1} + b_j^l,   a_j^l = σ(z_j^l)           S4-E24, E25
    C = (1/2n) Σ_x ‖y − a^L‖²                                          S4-E34

    (1) δ_j^L = (a_j^L − y_j) σ′(z_j^L)                                S4-E48, E52
    (2) δ_j^l = Σ_k δ_k^{l+1} w_kj^{l+1} σ′(z_j^l)                     S4-E57, E67
    (3) ∂C/∂b_j^l = δ_j^l       (4) ∂C/∂w_jk^l = δ_j^l a_k^{l−1}       S4-E60, E63

hold for one example; a batch takes the mean of (3) and (4) (S4-E52 drops the 1/n). Written as loops
they give purenet's numbers, where w_jk is weight[k, j]. Equation (1) is for an elementwise σ: with
the softmax that S4-C03 offers at the output, every z_j moves every a_k and

    δ_j = Σ_k ∂C/∂a_k ∂a_k/∂z_j = p_j (g_j − Σ_k g_k p_k)              instead of S4-E47.

S4-E05 has O_i / Σ_j O_j for the softmax; without exponentials it is no distribution. Training takes
two learning rates (S4-C39) and stops after a number of iterations, or at convergence, or at an
accuracy on validation data (S4-C32).
"""

import argparse
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import purenet as pn
from purenet.data import two_moons

LOSS = pn.losses.half_mean_squared_error
MOST = 20_000  # updates, for the rules that do not count them


class Ending(NamedTuple):
    """How one training run ended."""

    rules: str
    updates: int
    loss: float
    accuracy: float  # on validation data
    reason: str


class Result(NamedTuple):
    """What the script prints."""

    difference: float  # four equations against purenet, sigmoid output
    softmax_difference: float  # the same with softmax and its Jacobian
    product_rule_error: float  # relative error of the gradient with S4-E47 and softmax
    without_exponentials: tuple[float, ...]  # S4-E05 of (2, −1)
    with_exponentials: tuple[float, ...]
    endings: tuple[Ending, ...]


def sigma(z: float) -> float:
    return 1 / (1 + np.exp(-z))


def sigma_prime(z: float) -> float:
    return sigma(z) * (1 - sigma(z))


Layers = list[tuple[np.ndarray, np.ndarray]]  # w[j, k] and b[j] of each layer


def feed_forward(layers: Layers, x: np.ndarray) -> tuple[list[list[float]], list[list[float]]]:
    """z^1 … z^L and a^0 … a^L of one example, index by index."""
    zs, activations = [], [list(x)]
    for w, b in layers:
        a = activations[-1]
        zs.append([sum(w[j, k] * a[k] for k in range(len(a))) + b[j] for j in range(len(b))])
        activations.append([sigma(z) for z in zs[-1]])
    return zs, activations


def output_delta(z: list[float], y: np.ndarray, softmax: str | None) -> list[float]:
    """Equation (1); with softmax the "jacobian", or the invalid "product" of S4-E47."""
    if softmax is None:
        return [(sigma(z[j]) - y[j]) * sigma_prime(z[j]) for j in range(len(z))]
    a = [np.exp(v) / sum(np.exp(u) for u in z) for v in z]
    g = [a[j] - y[j] for j in range(len(z))]
    if softmax == "product":
        return [g[j] * a[j] * (1 - a[j]) for j in range(len(z))]
    mean = sum(g[k] * a[k] for k in range(len(z)))
    return [a[j] * (g[j] - mean) for j in range(len(z))]


def four_equations(layers: Layers, x: np.ndarray, y: np.ndarray, softmax: str | None) -> Layers:
    """(∂C/∂w, ∂C/∂b) of each layer for one example."""
    zs, activations = feed_forward(layers, x)
    delta = output_delta(zs[-1], y, softmax)
    gradients = []
    for layer in range(len(layers) - 1, -1, -1):
        below = activations[layer]
        gradients.append((np.array([[d * a for a in below] for d in delta]), np.array(delta)))
        if layer > 0:
            w, z = layers[layer][0], zs[layer - 1]
            delta = [
                sum(delta[k] * w[k, j] for k in range(len(delta))) * sigma_prime(z[j])
                for j in range(len(z))
            ]
    return gradients[::-1]


def largest_error(seed: int, softmax: str | None, relative: bool = False) -> float:
    """The four equations, averaged over 6 examples, against purenet on a 3-4-4-2 network."""
    rng = np.random.default_rng(seed)
    net = pn.mlp([3, 4, 4, 2], "sigmoid", "softmax" if softmax else "sigmoid")
    params = random_start(net, jax.random.key(seed))
    layers = [(np.asarray(layer.weight.T), np.asarray(layer.bias)) for layer in params]
    x, y = rng.normal(size=(6, 3)), rng.uniform(size=(6, 2))
    grads = jax.jit(pn.value_and_grad(net, LOSS))(params, x, y)[1]
    per_example = [four_equations(layers, *example, softmax) for example in zip(x, y, strict=True)]
    pairs = [
        (sum(example[index][part] for example in per_example) / len(x), truth)
        for index, layer in enumerate(grads)
        for part, truth in enumerate((np.asarray(layer.weight.T), np.asarray(layer.bias)))
    ]
    error = max(np.abs(ours - truth).max() for ours, truth in pairs)
    return float(error / max(np.abs(truth).max() for _, truth in pairs) if relative else error)


def random_start(net: pn.Network, key: jax.Array) -> tuple[pn.Dense, ...]:
    """Random weights and random biases (S4-C27)."""
    leaves = net.init(key, dtype=jnp.float64)
    keys = jax.random.split(key, net.depth)
    return tuple(
        layer._replace(bias=jax.random.normal(k, layer.bias.shape, layer.bias.dtype))
        for k, layer in zip(keys, leaves, strict=True)
    )


def endings(
    steps: int, tolerance: float, target: float, softmax: bool, seed: int
) -> tuple[Ending, ...]:
    """The three rules, each alone and all together, from the same start."""
    data, validation = (two_moons(200, noise=0.1, seed=seed + part) for part in (0, 1))
    net = pn.mlp([2, 8, 8, 2], "sigmoid", "softmax" if softmax else "sigmoid")
    train, held_out = (
        (part.x.astype(np.float64), np.eye(2)[part.y]) for part in (data, validation)
    )
    start = random_start(net, jax.random.key(seed))
    optimizer = pn.by_kind(weights=optax.sgd(4.0), biases=optax.sgd(1.0))
    rules = {
        "iterations": pn.stop.Iterations(steps),
        "convergence": pn.stop.Converged(tolerance, patience=20),
        "accuracy": pn.stop.Reached(target),
    }
    alone = [(name, (rule,)) for name, rule in rules.items()]
    found = []
    for name, chosen in [*alone, ("all three", tuple(rules.values()))]:
        run = pn.fit(
            net, LOSS, start, train, optimizer, epochs=MOST, batch_size=None,
            validation=held_out, metric="accuracy", stop=chosen,
        )  # fmt: skip
        last = run.history.loss[-1], run.history.validation_metric[-1]
        found.append(Ending(name, int(run.history.updates[-1]), *map(float, last), run.stopped))
    return tuple(found)


def run(steps: int, tolerance: float, target: float, softmax: bool, seed: int) -> Result:
    o = np.array([2.0, -1.0])
    return Result(
        largest_error(seed, None),
        largest_error(seed, "jacobian"),
        largest_error(seed, "product", relative=True),
        tuple((o / o.sum()).tolist()),
        tuple(pn.activations.softmax(o).tolist()),
        endings(steps, tolerance, target, softmax, seed),
    )


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500, help="of the rule that counts them")
    parser.add_argument("--tolerance", type=float, default=2e-5, help="of convergence")
    parser.add_argument("--target", type=float, default=0.95, help="validation accuracy")
    parser.add_argument("--softmax", action="store_true", help="train with softmax at the output")
    parser.add_argument("--seed", type=int, default=0)
    with jax.enable_x64(True):
        result = run(**vars(parser.parse_args(argv)))
    print("four equations in index form against purenet, 3-4-4-2, 6 examples")
    print(f"  sigmoid output                           {result.difference:.1e}")
    print(f"  softmax output, Jacobian                 {result.softmax_difference:.1e}")
    print(f"  softmax output, S4-E47: relative error   {result.product_rule_error:.2f}\n")
    for name, p in (("S4-E05", result.without_exponentials), ("softmax", result.with_exponentials)):
        print(f"{name} of (2, −1): ({', '.join(f'{v:.4f}' for v in p)})")
    print(f"\n{'stop rule':14}{'updates':>8}{'loss':>10}{'accuracy':>10}  reason")
    for end in result.endings:
        print(f"{end.rules:14}{end.updates:8}{end.loss:10.5f}{end.accuracy:10.3f}  {end.reason}")
    return result


if __name__ == "__main__":
    main()
