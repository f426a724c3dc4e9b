"""The two loops of every JAX peer around its own step (state, x, y) -> (state, loss).

`looped` is the documented one: a Python loop that calls a compiled step. `scanned` is the best: one
compiled program per epoch, a scan over rows of indices, as purenet has it. The data are an argument
and stay uint8, examples are gathered and scaled inside, the old state is donated.
"""

import functools
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peers import BETAS, EPSILON, Examples, Setting, Trainer, order, scaled

Step = Callable[[Any, Any, Any], tuple[Any, jax.Array]]
Epoch = Callable[[Any, int], tuple[Any, float]]


def trainer(
    state: Any,
    epoch: Epoch,
    predict: Callable[[Any, np.ndarray], np.ndarray],
    params: Callable[[Any], Any] = itemgetter(0),
) -> Trainer:
    """Return the trainer that keeps the state, a pair (parameters, the rest) unless said."""

    def one(number: int) -> float:
        nonlocal state
        state, loss = epoch(state, number)
        return loss

    return Trainer(
        one,
        lambda x: predict(state, x),
        lambda: [np.asarray(v) for v in jax.tree.leaves(params(state)) if hasattr(v, "shape")],
    )


def looped(step: Step, setting: Setting, train: Examples) -> Epoch:
    """Return an epoch that calls a compiled step for each batch, on pixels scaled before."""
    x, y = scaled(train.x), train.y

    def epoch(state: Any, number: int) -> tuple[Any, float]:
        rows, losses = order(setting.seed, number, len(x)), []
        pieces = [rows[n : n + setting.batch] for n in range(0, len(x), setting.batch)]
        for row in pieces:
            state, loss = step(state, x[row], y[row])
            losses.append(loss)
        sums = [float(loss) * len(row) for loss, row in zip(losses, pieces, strict=True)]
        return state, sum(sums) / len(x)

    return epoch


def scanned(step: Step, setting: Setting, train: Examples) -> Epoch:
    """Return an epoch in one compiled program."""
    data = Examples(jnp.asarray(train.x), jnp.asarray(train.y))

    def epoch(state: Any, number: int) -> tuple[Any, float]:
        rows = order(setting.seed, number, len(train.x)).astype(np.int32)
        state, loss = compiled(state, data, rows)
        return state, float(loss)

    @functools.partial(jax.jit, donate_argnums=0)
    def compiled(state: Any, data: Examples, rows: jax.Array) -> tuple[Any, jax.Array]:
        n = len(rows)
        whole = n // setting.batch * setting.batch
        one = functools.partial(update, data)
        state, losses = jax.lax.scan(one, state, rows[:whole].reshape(-1, setting.batch))
        total = jnp.sum(losses) * setting.batch
        if whole < n:
            state, loss = update(data, state, rows[whole:])
            total = total + loss * (n - whole)
        return state, total / n

    def update(data: Examples, state: Any, row: jax.Array) -> tuple[Any, jax.Array]:
        x, y = (v.at[row].get(mode="promise_in_bounds") for v in data)
        return step(state, x.astype(jnp.float32) * jnp.float32(1 / 255), y)

    return epoch


def optax_rule(setting: Setting) -> optax.GradientTransformation:
    """Return the optimizer of optax."""
    decayed = setting.decay and optax.cosine_decay_schedule(setting.rate, setting.decay)
    if setting.optimizer == "adam":
        rate, decay = decayed or setting.rate, setting.weight_decay
        if decay:
            return optax.adamw(rate, *BETAS, eps=EPSILON, weight_decay=decay)
        return optax.adam(rate, *BETAS, eps=EPSILON)
    return optax.sgd(decayed or setting.rate)


def mean_cross_entropy(z: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of logits, as optax has it."""
    return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
