"""Sweeps: a network for each seed, learning rate and weight decay, and the best of them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from purenet import many
from purenet.job import Job, prepare
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params
from purenet.settings import (
    MakeOptimizer,
    Numbers,
    Setting,
    all_settings,
    check_optimizer,
    in_groups,
    make_optimizer,
)
from purenet.stop import History


class Best(NamedTuple):
    """The network and epoch that were best on the validation data.

    Attributes:
        network: its place in `Sweep.settings`.
        epoch: the index of the epoch in the history.
        setting: what it was trained with.
        params: its parameters after that epoch.
    """

    network: int
    epoch: int
    setting: Setting
    params: Params


class Sweep(NamedTuple):
    """The result of `sweep`; a leading axis everywhere stands for the networks.

    Attributes:
        settings: of each network: the product of seeds, learning rates and weight decays, the last
            of them changing fastest.
        params: the parameters after the last epoch.
        best_params: each network's parameters after the epoch that was best on the validation
            data, as in `fit`; without validation data the last ones.
        best_epochs: the index of that epoch, −1 for a network that was never finite.
        history: as in `fit`, each entry (networks, epochs); NaN after a network has diverged.
        best: the best of all that did not diverge, by the metric, then by the loss, then the first
            in `settings`. None without validation data, or where all diverged.
    """

    settings: tuple[Setting, ...]
    params: Params
    best_params: Params
    best_epochs: Int[np.ndarray, " networks"]
    history: History
    best: Best | None


def sweep(
    net: Network,
    loss: str | Loss,
    data: tuple,
    optimizer: MakeOptimizer,
    *,
    seeds: Numbers = (0,),
    learning_rates: Numbers,
    weight_decays: Numbers | None = None,
    epochs: int = 10,
    batch_size: int | None = 128,
    key: jax.Array | None = None,
    validation: tuple | None = None,
    metric: str | Metric | None = None,
    init: Callable[[jax.Array], Params] | None = None,
    at_once: int | None = None,
) -> Sweep:
    """Train a network for each seed, learning rate and weight decay, all in one program.

    Network i is what `fit(net, loss, net.init(jax.random.key(seed)), data, optimizer(rate),
    key=key, ...)` gives with the i-th setting, up to rounding. One that diverges changes no other
    one, and is never the best.

    >>> import optax
    >>> from purenet.network import mlp
    >>> net, x = mlp([1, 1]), np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    >>> data = x, 2 * x + 1
    >>> result = sweep(net, "mean_squared_error", data, optax.sgd, seeds=[0, 1],
    ...                learning_rates=[1e-3, 0.5], epochs=100, batch_size=None, validation=data)
    >>> result.history.loss.shape, result.best.setting.learning_rate
    ((4, 100), 0.5)
    >>> layer = result.best.params[0]
    >>> round(float(layer.weight[0, 0]), 3), round(float(layer.bias[0]), 3)
    (2.0, 1.0)

    Args:
        net: the description of the networks.
        loss: of ours by name, or a `Loss`.
        data: (x, y) or (x, y, weights); it lies on the device whole.
        optimizer: `optax.adamw`, or a function of a learning rate, and of `weight_decay` by that
            name where `weight_decays` are given, to an optimizer of optax. It sees traced arrays.
            The same function again needs no compiling again.
        seeds: of the initial weights.
        learning_rates: positive numbers.
        weight_decays: numbers of at least 0; without them the optimizer's own.
        epochs: how many.
        batch_size: examples per update; `None`: all.
        key: decides the order of the examples, the same for all networks.
        validation: like `data`; measured after each epoch, and what the best is picked by.
        metric: of `purenet.metrics` by name, or a `Metric`; by default the one that fits.
        init: from a key to parameters; by default `net.init`.
        at_once: train at most so many networks at a time, to bound the memory of gradients,
            activations and optimizer state; by default all.

    Raises:
        ValueError: data, sizes, names or numbers that cannot be used, an optimizer that does not
            take them or that computes with plain numbers only; each message says which.
    """
    settings = all_settings(seeds, learning_rates, weight_decays)
    first = settings[0]
    check_optimizer(optimizer, first)
    job = prepare(
        net=net,
        loss=loss,
        params=(net.init if init is None else init)(jax.random.key(first.seed)),
        data=data,
        optimizer=make_optimizer(optimizer, first.learning_rate, first.weight_decay),
        epochs=epochs,
        batch_size=batch_size,
        key=key,
        validation=validation,
        metric=metric,
        rules=(),
        stream_above=2**63,
    )
    groups = in_groups(settings, at_once)
    trained = many.joined(
        [many.train(job, optimizer, init, group) for group in groups], len(settings)
    )
    history = _history(job, trained.measured)
    return Sweep(
        settings,
        trained.params,
        trained.best_params,
        np.asarray(trained.best_epochs),
        history,
        _best(job, settings, trained, history),
    )


def _history(job: Job, measured: Float[Array, "networks epochs 3"]) -> History:
    figures = np.array(measured, np.float64)
    bad = np.logical_or.accumulate(~np.isfinite(figures[..., 0]), axis=1)
    figures[:, 1:][bad[:, :-1]] = np.nan
    ((_, rows),) = job.pieces(0)
    updates = np.arange(1, job.epochs + 1) * (1 if rows is None else len(rows))
    return History(np.tile(updates, (len(figures), 1)), *np.moveaxis(figures, -1, 0))


def _best(
    job: Job, settings: tuple[Setting, ...], trained: many.Trained, history: History
) -> Best | None:
    epochs = np.asarray(trained.best_epochs)
    sound = (epochs >= 0) & np.isfinite(history.loss).all(axis=1)
    if job.validation is None or not sound.any():
        return None

    def standing(i: int) -> tuple[float, float]:
        score = many.merit(job.metric, history.validation_metric[i, epochs[i]])
        return -np.inf if np.isnan(score) else score, -history.validation_loss[i, epochs[i]]

    network = max(np.flatnonzero(sound).tolist(), key=standing)
    params = many.one_network(trained.best_params, jnp.int32(network))
    return Best(network, int(epochs[network]), settings[network], params)
