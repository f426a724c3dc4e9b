"""purenet as its users call it: `fit`, here by its generator `epochs`, which can be paused."""

import jax
import jax.numpy as jnp
import numpy as np

import purenet as pn
from benchmarks.peers import Examples, Setting, Trainer, Weights
from benchmarks.peers.jax_loops import optax_rule


def fit(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by `purenet.epochs`."""
    net = pn.mlp(setting.sizes, "relu", "softmax", input_scaling=pn.InputScaling(0.0, 255.0))
    params = tuple(pn.Dense(jnp.asarray(w), jnp.asarray(b)) for w, b in weights)
    running = pn.epochs(
        net,
        "cross_entropy",
        params,
        tuple(train),
        optax_rule(setting),
        epochs=10**6,
        batch_size=setting.batch,
        key=jax.random.key(setting.seed),
    )
    done: list[pn.loop.Epoch] = []

    def epoch(number: int) -> float:
        done[:] = [next(running)]
        return float(done[0].history.loss[-1])

    def predict(x: np.ndarray) -> np.ndarray:
        return np.asarray(pn.predict(net, done[0].state.params, x)).argmax(axis=1)

    return Trainer(
        epoch, predict, lambda: [*map(np.asarray, jax.tree.leaves(done[0].state.params))]
    )
