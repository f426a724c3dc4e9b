"""Many networks as one compiled program.

The pure epoch of `purenet.training` under `vmap`, with a leading axis for the networks in
parameters and optimizer state. Learning rate and weight decay are arguments of the program, so
that other values need no compiling again.

Every epoch visits the examples in one order for all networks, a function of `key` and the number
of the epoch as in `fit`. A batch is then gathered once, and the first layers of all networks are
one product of the batch with their weights side by side. Networks of many units on a CPU train one
after another in the same program, since that is quicker there (`purenet.compiling.in_turn`).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from purenet import metrics, training
from purenet.batches import Data
from purenet.compiling import in_turn
from purenet.evaluation import ROWS_AT_ONCE
from purenet.job import Job
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, accumulation_dtype, objective
from purenet.settings import MakeOptimizer, Setting, make_optimizer
from purenet.training import State, init_state


class Top(NamedTuple):
    """Each network after the epoch that was best so far on the validation data.

    Attributes:
        params: the parameters after that epoch.
        epoch: its index, −1 where there was none yet.
        score: the metric, turned so that higher is better.
        loss: the validation loss.
    """

    params: Params
    epoch: Int[Array, "*networks"]
    score: Float[Array, "*networks"]
    loss: Float[Array, "*networks"]


class Networks(NamedTuple):
    """Everything that training of the networks goes on from.

    Attributes:
        state: the states, stacked.
        alive: which have had a finite loss in every epoch.
        top: the best so far; None without validation data.
    """

    state: State
    alive: Bool[Array, "*networks"]
    top: Top | None


class Trained(NamedTuple):
    """Networks after their last epoch.

    Attributes:
        params: the parameters after the last epoch, stacked.
        best_params: those after the best epoch; without validation data the last ones.
        best_epochs: the index of that epoch, −1 for a network that was never finite.
        measured: training loss, validation loss and metric after each epoch; NaN for the last two
            without validation data.
    """

    params: Params
    best_params: Params
    best_epochs: Int[Array, " networks"]
    measured: Float[Array, "networks epochs 3"]


def train(
    job: Job, optimizer: MakeOptimizer, init: Callable | None, group: Sequence[Setting]
) -> Trained:
    """Train a network for each setting of a group, all for `job.epochs`."""
    seeds, *numbers = zip(*group, strict=True)
    dtype = accumulation_dtype(job.state.params)
    rates = tuple(jnp.asarray(n, dtype) for n in numbers if n[0] is not None)
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    networks = begin(job.net, init, optimizer, keys, rates, job.validation is not None)
    turns, measured = in_turn(job.net, jax.default_backend()), []
    for epoch in range(job.epochs):
        ((data, rows),) = job.pieces(epoch)
        networks, figures = train_epoch(
            job.net,
            job.loss,
            job.metric,
            optimizer,
            networks,
            rates,
            data,
            rows,
            job.validation,
            turns,
        )
        measured.append(figures)
    params, top = networks.state.params, networks.top
    if top is None:
        last = jnp.full(len(group), job.epochs - 1)
        return Trained(params, params, last, jnp.stack(measured, axis=1))
    return Trained(params, top.params, top.epoch, jnp.stack(measured, axis=1))


@functools.partial(jax.jit, static_argnames=("net", "init", "optimizer", "validated"))
def begin(
    net: Network,
    init: Callable | None,
    optimizer: MakeOptimizer,
    keys: Key[Array, " networks"],
    rates: tuple[Float[Array, " networks"], ...],
    validated: bool,
) -> Networks:
    """Return the networks before the first epoch, one for each key.

    Args:
        net: static, as `init`, `optimizer` and `validated`.
        init: from a key to parameters, or None for `net.init`.
        optimizer: of a learning rate, and of a weight decay if there are any.
        keys: of the initial weights.
        rates: the learning rates, and the weight decays if there are any.
        validated: whether to keep the best of each.
    """
    params = jax.vmap(net.init if init is None else init)(keys)
    state = jax.vmap(lambda p, *r: init_state(p, make_optimizer(optimizer, *r)))(params, *rates)
    worst = jnp.full(len(keys), jnp.inf, rates[0].dtype)
    nowhere = jnp.full(len(keys), -1, jnp.int32)
    # Zeros and not the parameters: both are donated, and one array cannot be donated twice.
    top = Top(jax.tree.map(jnp.zeros_like, params), nowhere, -worst, worst)
    return Networks(state, jnp.ones(len(keys), bool), top if validated else None)


@functools.partial(
    jax.jit,
    static_argnames=("net", "loss", "metric", "optimizer", "turns"),
    donate_argnames="networks",
)
def train_epoch(
    net: Network,
    loss: Loss,
    metric: Metric,
    optimizer: MakeOptimizer,
    networks: Networks,
    rates: tuple[Float[Array, " networks"], ...],
    data: Data,
    rows: Int[Array, "updates batch"] | None,
    validation: Data | None,
    turns: bool = False,
) -> tuple[Networks, Float[Array, "networks 3"]]:
    """Return the networks after an epoch, and training loss, validation loss and metric of each.

    Args:
        net: static, as `loss`, `metric`, `optimizer` and `turns`.
        loss: the loss.
        metric: measured on the validation data.
        optimizer: as in `begin`.
        networks: where the epoch starts; their arrays are donated.
        rates: as in `begin`.
        data: what a network is trained on, the same for all.
        rows: the indices of the examples of each update, −1 for none; None: all in one update.
        validation: what the best of each is picked by; without it both figures are NaN.
        turns: train and measure the networks one after another instead of side by side.
    """

    def one(state: State, *rates: Array) -> tuple[State, Array]:
        return training.epoch(net, loss, make_optimizer(optimizer, *rates), state, data, rows)

    over_networks = _one_after_another if turns else jax.vmap
    state, trained = over_networks(one)(networks.state, *rates)
    alive = networks.alive & jnp.isfinite(trained)
    if validation is None or networks.top is None:
        nothing = jnp.full_like(trained, jnp.nan)
        return Networks(state, alive, None), jnp.stack([trained, nothing, nothing], axis=1)
    measured = measure(net, loss, metric, state.params, validation, turns)
    top = jax.vmap(functools.partial(_higher, metric))(networks.top, state, alive, *measured)
    return Networks(state, alive, top), jnp.stack([trained, *measured], axis=1)


def measure(
    net: Network, loss: Loss, metric: Metric, params: Params, data: Data, turns: bool = False
) -> tuple[Float[Array, " networks"], Float[Array, " networks"]]:
    """Return loss and metric of each network: of some at a time to bound the memory, or in turn."""
    x, y, weights = map(jnp.asarray, data)

    def one(params: Params) -> tuple[Array, Array]:
        measured = metrics.measure(metric, loss, net.apply(params, x), y, weights)
        return objective(net, loss)(params, x, y, weights), measured

    # A batch of training is small, and the validation data are not.
    networks, limit = len(params[0].bias), 8 * ROWS_AT_ONCE
    fitting = (n for n in range(1, networks + 1) if networks % n == 0 and n * len(x) <= limit)
    return jax.lax.map(one, params, batch_size=None if turns else max(fitting, default=1))


@functools.partial(jax.jit, static_argnames="networks")
def joined(parts: list[Trained], networks: int) -> Trained:
    """Return the groups one after another, without the networks that only filled the last one."""
    return jax.tree.map(lambda *p: jnp.concatenate(p)[:networks], *parts)


@jax.jit
def one_network(params: Params, index: Int[Array, ""]) -> Params:
    """Return the parameters of one of the networks."""
    return jax.tree.map(lambda p: p[index], params)


def merit(metric: Metric, value: Any) -> Any:
    """Return the value of a metric, turned so that higher is better."""
    return value if metric.better == "higher" else -value


def _one_after_another(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *stacked: jax.lax.map(lambda one: f(*one), stacked)


def _higher(
    metric: Metric, top: Top, state: State, alive: Array, loss: Array, measured: Array
) -> Top:
    score = jnp.where(jnp.isnan(measured), -jnp.inf, merit(metric, measured))
    ahead = (score > top.score) | ((score == top.score) & (loss < top.loss))
    better = alive & jnp.isfinite(loss) & ahead
    new = Top(state.params, state.epoch - 1, score, loss)
    return jax.tree.map(lambda n, t: jnp.where(better, n, t), new, top)
