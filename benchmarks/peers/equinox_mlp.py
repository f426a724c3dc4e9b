"""Equinox with optax."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

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
    """Train by a Python loop over an `eqx.filter_jit` step, as in its examples."""
    model = _model(weights)
    state = model, optax_rule(setting).init(eqx.filter(model, eqx.is_array))
    return trainer(state, looped(eqx.filter_jit(_step(setting)), setting, train), _predict)


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by one program per epoch: arrays go through the scan, the rest stays outside."""
    arrays, static = eqx.partition(_model(weights), eqx.is_array)
    inner = _step(setting)

    def step(state: tuple, x: jax.Array, y: jax.Array) -> tuple[tuple, jax.Array]:
        whole = eqx.combine(state[0], static), state[1]
        (model, opt_state), loss = inner(whole, x, y)
        return (eqx.filter(model, eqx.is_array), opt_state), loss

    return trainer(
        (arrays, optax_rule(setting).init(arrays)),
        scanned(step, setting, train),
        lambda state, x: _predict((eqx.combine(state[0], static),), x),
    )


def _step(setting: Setting) -> Step:
    rule = optax_rule(setting)

    def step(state: tuple, x: jax.Array, y: jax.Array) -> tuple[tuple, jax.Array]:
        model, opt_state = state
        cost = eqx.filter_value_and_grad(lambda m: mean_cross_entropy(jax.vmap(m)(x), y))
        loss, grads = cost(model)
        updates, opt_state = rule.update(grads, opt_state, eqx.filter(model, eqx.is_array))
        return (eqx.apply_updates(model, updates), opt_state), loss

    return step


def _model(weights: Weights) -> eqx.nn.Sequential:
    layers: list = []
    for w, b in weights:
        linear = eqx.nn.Linear(*w.shape, key=jax.random.key(0))
        # A layer of Equinox keeps its weight as (out, in).
        given = jnp.asarray(w.T), jnp.asarray(b)
        layers += [eqx.tree_at(lambda layer: (layer.weight, layer.bias), linear, given)]
        layers += [eqx.nn.Lambda(jax.nn.relu)]
    return eqx.nn.Sequential(layers[:-1])


@eqx.filter_jit
def _outputs(model: eqx.nn.Sequential, x: jax.Array) -> jax.Array:
    return jax.vmap(model)(x)


def _predict(state: tuple, x: np.ndarray) -> np.ndarray:
    return np.asarray(_outputs(state[0], scaled(x))).argmax(axis=1)
