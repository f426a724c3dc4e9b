"""Flax NNX with optax."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.peers import Examples, Setting, Trainer, Weights, scaled
from benchmarks.peers.jax_loops import looped, mean_cross_entropy, optax_rule, scanned, trainer

Both = tuple[nnx.Module, nnx.Optimizer]


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by a Python loop over an `nnx.jit` step, as in the MNIST tutorial of Flax."""
    compiled = nnx.jit(_update)

    def step(both: Both, x: np.ndarray, y: np.ndarray) -> tuple[Both, jax.Array]:
        return both, compiled(*both, x, y)

    both = _both(setting, weights)
    return trainer(both, looped(step, setting, train), _predict, lambda both: nnx.state(both[0]))


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by one program per epoch: `nnx.split` outside, `nnx.merge` inside the step."""
    graph, start = nnx.split(_both(setting, weights))

    def step(state: nnx.State, x: jax.Array, y: jax.Array) -> tuple[nnx.State, jax.Array]:
        both = nnx.merge(graph, state)
        loss = _update(*both, x, y)
        return nnx.state(both), loss

    return trainer(
        start,
        scanned(step, setting, train),
        lambda state, x: _predict(nnx.merge(graph, state), x),
        lambda state: nnx.state(nnx.merge(graph, state)[0]),
    )


def _update(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
    loss, grads = nnx.value_and_grad(lambda m: mean_cross_entropy(m(x), y))(model)
    optimizer.update(model, grads)
    return loss


def _both(setting: Setting, weights: Weights) -> Both:
    layers: list = []
    for w, b in weights:
        linear = nnx.Linear(*w.shape, rngs=nnx.Rngs(0))
        linear.kernel[...], linear.bias[...] = jnp.asarray(w), jnp.asarray(b)
        layers += [linear, nnx.relu]
    model = nnx.Sequential(*layers[:-1])
    return model, nnx.Optimizer(model, optax_rule(setting), wrt=nnx.Param)


@nnx.jit
def _outputs(model: nnx.Module, x: jax.Array) -> jax.Array:
    return model(x)


def _predict(both: Both, x: np.ndarray) -> np.ndarray:
    return np.asarray(_outputs(both[0], scaled(x))).argmax(axis=1)
