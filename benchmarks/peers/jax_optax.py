"""Plain JAX with optax: parameters in a list, the gradient from `jax.value_and_grad`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peers import Examples, Setting, Trainer, Weights, scaled
from benchmarks.peers.jax_loops import (
    Step,
    looped,
    mean_cross_entropy,
    optax_rule,
    scanned,
    trainer,
)


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by a Python loop over jitted steps, as in the tutorials of JAX."""
    epoch = looped(jax.jit(_step(setting)), setting, train)
    return trainer(_state(setting, weights), epoch, _predict)


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by one program per epoch."""
    epoch = scanned(_step(setting), setting, train)
    return trainer(_state(setting, weights), epoch, _predict)


def _state(setting: Setting, weights: Weights) -> tuple:
    params = [tuple(map(jnp.asarray, layer)) for layer in weights]
    return params, optax_rule(setting).init(params)


def _step(setting: Setting) -> Step:
    rule = optax_rule(setting)

    def cost(params: list, x: jax.Array, y: jax.Array) -> jax.Array:
        return mean_cross_entropy(_logits(params, x), y)

    def step(state: tuple, x: jax.Array, y: jax.Array) -> tuple[tuple, jax.Array]:
        params, opt_state = state
        loss, grads = jax.value_and_grad(cost)(params, x, y)
        updates, opt_state = rule.update(grads, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), loss

    return step


def _logits(params: list, a: jax.Array) -> jax.Array:
    for w, b in params[:-1]:
        a = jax.nn.relu(a @ w + b[None, :])
    w, b = params[-1]
    return a @ w + b[None, :]


_outputs = jax.jit(_logits)


def _predict(state: tuple, x: np.ndarray) -> np.ndarray:
    return np.asarray(_outputs(state[0], scaled(x))).argmax(axis=1)
