"""Steps with JAX: plain chains of products, purenet's update, and the same with autodiff."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import purenet as pn
from benchmarks.peers import Examples, Setting, initial_weights
from benchmarks.peers.dense import Contender, Large, operations, start
from purenet import training
from purenet.batches import Data

# The options of `mlp`, and the dtype of the parameters.
PRECISIONS: dict[str, tuple[dict[str, Any], str]] = {
    "bfloat16": ({"compute_dtype": "bfloat16"}, "float32"),
    "bfloat16 parameters": ({}, "bfloat16"),
    "tf32": ({"precision": "tf32"}, "float32"),
    "float32": ({"precision": "highest"}, "float32"),
}
RATE, PAIRS = 1e-3, 4


def chain(shape: tuple[int, int, int], precision: str) -> Contender:
    """Return a ← (a b) c with a (m, k), b (k, n), c (n, k), some times in one program."""
    m, k, n = shape
    options, params = PRECISIONS[precision]
    dtype = jnp.dtype(options.get("compute_dtype", params))
    keys = jax.random.split(jax.random.key(0), 3)
    a = jax.random.normal(keys[0], (m, k), dtype)
    b = jax.random.normal(keys[1], (k, n), dtype) * jnp.asarray(k**-0.5, dtype)
    c = jax.random.normal(keys[2], (n, k), dtype) * jnp.asarray(n**-0.5, dtype)
    product = functools.partial(jnp.matmul, precision=_precision(options.get("precision")))

    @functools.partial(jax.jit, donate_argnums=0)
    def pairs(a: jax.Array, b: jax.Array, c: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, PAIRS, lambda _, a: product(product(a, b), c), a)

    def step() -> jax.Array:
        nonlocal a
        a = pairs(a, b, c)
        return a

    return Contender(f"JAX {m} × {k} × {n}", step, lambda: _wait(a), PAIRS * 4 * m * k * n)


def _precision(name: str | None) -> Any:
    if name != "tf32":
        return name
    on_cuda = jax.default_backend() in ("gpu", "cuda")
    return jax.lax.DotAlgorithmPreset.TF32_TF32_F32 if on_cuda else "high"


def purenet(case: Large, precision: str) -> Contender:
    """Return purenet's update."""
    return _update("purenet", case, precision, training.update)


def autodiff(case: Large, precision: str) -> Contender:
    """Return the same update with the gradient of `jax.value_and_grad`."""

    def update(
        net: pn.Network, loss: pn.Loss, rule: Any, state: training.State, batch: Data
    ) -> tuple[training.State, jax.Array]:
        value, grads = jax.value_and_grad(pn.objective(net, loss))(state.params, *batch)
        updates, opt_state = rule.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        total = jnp.sum(batch.weights).astype(value.dtype)
        return training.State(params, opt_state, state.epoch), jnp.stack([value * total, total])

    return _update("jax.value_and_grad", case, precision, update)


def _update(name: str, case: Large, precision: str, update: Callable) -> Contender:
    options, dtype = PRECISIONS[precision]
    net, rule = pn.mlp(case.sizes, "relu", "identity", **options), optax.sgd(RATE)
    step = jax.jit(functools.partial(update, net, pn.losses.mean_squared_error, rule),
                   donate_argnums=0)  # fmt: skip
    zeros, begun = jnp.zeros(case.width, dtype), start(case)
    params = tuple(pn.Dense(jnp.asarray(w, dtype), jnp.copy(zeros)) for w in begun.weights)
    state = training.init_state(params, rule)
    batch = Data(jnp.asarray(begun.x), jnp.asarray(begun.y), jnp.ones(case.batch))
    compiled = step.lower(state, batch).compile()

    def one() -> jax.Array:
        nonlocal state
        state, totals = compiled(state, batch)
        return totals

    return Contender(
        name,
        one,
        lambda: _wait(state),
        operations(case.sizes, case.batch),
        _bytes(compiled),
        lambda totals: float(totals[0] / totals[1]),
    )


def _bytes(compiled: Any) -> int | None:
    needed = compiled.memory_analysis()
    if needed is None:
        return None
    own = needed.argument_size_in_bytes + needed.output_size_in_bytes
    return own + needed.temp_size_in_bytes - needed.alias_size_in_bytes


def epoch(setting: Setting, train: Examples, updates: int) -> Contender:
    """Return an epoch of `fit` on a network of any size, its data on the device."""
    net = pn.mlp(setting.sizes, "relu", "softmax", input_scaling=pn.InputScaling(0.0, 255.0))
    params = tuple(pn.Dense(*map(jnp.asarray, layer)) for layer in initial_weights(setting))
    running = pn.epochs(
        net, "cross_entropy", params, tuple(train), optax.sgd(setting.rate), epochs=10**9,
        batch_size=setting.batch, key=jax.random.key(setting.seed),
    )  # fmt: skip
    each = operations(setting.sizes, setting.batch) * updates

    def loss(done: Any) -> float:
        return float(np.asarray(done.history.loss)[-1])

    # `epochs` waits for the device itself.
    return Contender("purenet", lambda: next(running), lambda: None, each, None, loss)


def _wait(tree: Any) -> None:
    jax.block_until_ready(tree)
