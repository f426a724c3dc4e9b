"""Many networks with purenet: `sweep`, `fit` one after another, and one compiled epoch for all."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import purenet as pn
from benchmarks.peers import BETAS, EPSILON, Examples, Trainer, Weights, initial_weights
from benchmarks.peers.many import Many
from purenet import batches, training

SCALING = pn.InputScaling(0.0, 255.0)


def sweep(setting: Many, train: Examples, _: Weights) -> Trainer:
    """Train all at once."""
    net, rule = _net(setting), _rule(setting)
    of_seed = jax.tree.map(lambda *w: jnp.stack(w), *(_params(setting, s) for s in setting.seeds))
    seeds = jnp.asarray(setting.seeds)

    def init(key: jax.Array) -> tuple:
        # The last word of a key is its seed: all loops have to start from the same weights.
        place = jnp.argmax(jax.random.key_data(key)[-1].astype(seeds.dtype) == seeds)
        return jax.tree.map(lambda w: w[place], of_seed)

    def run(number: int) -> tuple[tuple, float]:
        done = pn.sweep(
            net, "cross_entropy", tuple(train), rule, seeds=setting.seeds,
            learning_rates=setting.rates, epochs=setting.epochs, batch_size=setting.batch,
            key=jax.random.key(number), init=init,
        )  # fmt: skip
        params = jax.block_until_ready(done.params)
        return params, float(done.history.loss[:, -1].mean())

    return _trainer(net, run)


def fits(setting: Many, train: Examples, _: Weights) -> Trainer:
    """Train by `fit`, one after another; optimizers are kept, so that none compiles twice."""
    net, rules = _net(setting), {rate: _rule(setting)(rate) for rate in setting.rates}

    def run(number: int) -> tuple[tuple, float]:
        runs = [
            pn.fit(
                net, "cross_entropy", _params(setting, seed), tuple(train), rules[rate],
                epochs=setting.epochs, batch_size=setting.batch, key=jax.random.key(number),
            )
            for seed in setting.seeds for rate in setting.rates
        ]  # fmt: skip
        stacked = jax.tree.map(lambda *p: jnp.stack(p), *(r.params for r in runs))
        return stacked, float(np.mean([r.history.loss[-1] for r in runs]))

    return _trainer(net, run)


def one_epoch(setting: Many, train: Examples, _: Weights) -> Trainer:
    """Train one after another by one compiled epoch, which takes the rate as an argument."""
    net, rule, loss = _net(setting), _rule(setting), pn.losses.cross_entropy
    data = batches.Data(*map(jnp.asarray, (*train, np.ones(len(train.x), np.float32))))

    @functools.partial(jax.jit, donate_argnums=0)
    def epoch(state: training.State, rate: jax.Array, data: batches.Data, rows: jax.Array):
        return training.epoch(net, loss, rule(rate), state, data, rows)

    @jax.jit
    def start(params: tuple, rate: jax.Array) -> training.State:
        return training.init_state(jax.tree.map(jnp.copy, params), rule(rate))

    def run(number: int) -> tuple[tuple, float]:
        order = functools.partial(batches.order, jax.random.key(number))
        rows = [
            jnp.asarray(order(epoch, len(train.x), setting.batch))
            for epoch in range(setting.epochs)
        ]
        params, total = [], 0.0
        for seed in setting.seeds:
            for rate in map(jnp.float32, setting.rates):
                state = start(_params(setting, seed), rate)
                for row in rows:
                    state, cost = epoch(state, rate, data, row)
                params.append(state.params)
                total += cost
        stacked = jax.tree.map(lambda *p: jnp.stack(p), *params)
        return stacked, float(total) / len(params)

    return _trainer(net, run)


def _trainer(net: pn.Network, run) -> Trainer:
    last: list[tuple] = []

    def measured(number: int) -> float:
        params, loss = run(number)
        last[:] = [params]
        return loss

    def predict(x: np.ndarray) -> np.ndarray:
        a = jax.jit(jax.vmap(net.apply, (0, None)))(last[0], jnp.asarray(x))
        return np.asarray(a).argmax(axis=-1)

    return Trainer(measured, predict, lambda: list(map(np.asarray, jax.tree.leaves(last[0]))))


def _net(setting: Many) -> pn.Network:
    return pn.mlp(setting.sizes, "relu", "softmax", input_scaling=SCALING)


def _params(setting: Many, seed: int) -> tuple:
    weights = initial_weights(setting._replace(seed=seed))
    return tuple(pn.Dense(jnp.asarray(w), jnp.asarray(b)) for w, b in weights)


def _rule(setting: Many):
    if setting.optimizer == "adam":
        return functools.partial(optax.adam, b1=BETAS[0], b2=BETAS[1], eps=EPSILON)
    return optax.sgd
