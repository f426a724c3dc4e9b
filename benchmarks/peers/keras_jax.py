"""Keras 3 on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

from benchmarks.peers import BETAS, EPSILON, Examples, Setting, Trainer, Weights, order, scaled
from benchmarks.peers.jax_loops import mean_cross_entropy, scanned, trainer


def documented(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by `model.fit`, an epoch each call, on examples that are in order already."""
    model = _model(setting, weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=_optimizer(setting), loss=loss)
    x, y = scaled(train.x), train.y

    def epoch(number: int) -> float:
        rows = order(setting.seed, number, len(x))
        done = model.fit(x[rows], y[rows], batch_size=setting.batch, shuffle=False, verbose=0)
        return float(done.history["loss"][0])

    def predict(x: np.ndarray) -> np.ndarray:
        return model.predict(scaled(x), batch_size=1000, verbose=0).argmax(axis=1)

    return Trainer(epoch, predict, model.get_weights)


def best(setting: Setting, train: Examples, weights: Weights) -> Trainer:
    """Train by one program per epoch, on the stateless face of model and optimizer."""
    model, optimizer = _model(setting, weights), _optimizer(setting)
    optimizer.build(model.trainable_variables)
    fixed = [v.value for v in model.non_trainable_variables]

    def cost(params: list, x: jax.Array, y: jax.Array) -> jax.Array:
        return mean_cross_entropy(model.stateless_call(params, fixed, x)[0], y)

    def step(state: tuple, x: jax.Array, y: jax.Array) -> tuple:
        params, slots = state
        loss, grads = jax.value_and_grad(cost)(params, x, y)
        return optimizer.stateless_apply(slots, grads, params), loss

    # The state is donated: copies, as the model keeps its own arrays.
    state = jax.tree.map(
        jnp.copy,
        ([v.value for v in model.trainable_variables], [v.value for v in optimizer.variables]),
    )

    outputs = jax.jit(lambda params, x: model.stateless_call(params, fixed, x)[0])

    def predict(state: tuple, x: np.ndarray) -> np.ndarray:
        return np.asarray(outputs(state[0], scaled(x))).argmax(axis=1)

    return trainer(state, scanned(step, setting, train), predict)


def _model(setting: Setting, weights: Weights) -> keras.Model:
    hidden = [keras.layers.Dense(n, "relu") for n in setting.sizes[1:-1]]
    output = keras.layers.Dense(setting.sizes[-1])
    model = keras.Sequential([keras.Input((setting.sizes[0],)), *hidden, output])
    model.set_weights([array for layer in weights for array in layer])
    return model


def _optimizer(setting: Setting) -> keras.optimizers.Optimizer:
    rate = setting.rate
    if setting.decay:
        rate = keras.optimizers.schedules.CosineDecay(setting.rate, setting.decay)
    if setting.optimizer == "adam":
        decay = setting.weight_decay or None
        return keras.optimizers.AdamW(rate, decay, *BETAS, epsilon=EPSILON)
    return keras.optimizers.SGD(rate)
