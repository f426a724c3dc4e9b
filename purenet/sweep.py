"""Many networks as one compiled program: seeds × learning rates × weight decays.

The pure epoch of `purenet.training` under `vmap`, with a leading axis for the networks in
parameters and optimizer state. Learning rate and weight decay are arguments of the program, so
that other values need no compiling again.

Every epoch visits the examples in one order for all networks, a function of `key` and the number
of the epoch as in `fit`. A batch is then gathered once, and the first layers of all networks are
one product of the batch with their weights side by side.
"""

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

from purenet import metrics, training
from purenet.batches import Data
from purenet.evaluation import ROWS_AT_ONCE
from purenet.job import Job, prepare
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, accumulation_dtype, objective
from purenet.stop import History
from purenet.training import State, init_state

MakeOptimizer = Callable[..., optax.GradientTransformation]
Numbers = Sequence[int | float] | np.ndarray


class Setting(NamedTuple):
    """What one network of a sweep is trained with; no weight decay is `None`."""

    seed: int
    learning_rate: float
    weight_decay: float | None = None


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
    settings = _settings(seeds, learning_rates, weight_decays)
    first = settings[0]
    _check_optimizer(optimizer, first)
    job = prepare(
        net=net,
        loss=loss,
        params=(net.init if init is None else init)(jax.random.key(first.seed)),
        data=data,
        optimizer=_made(optimizer, first.learning_rate, first.weight_decay),
        epochs=epochs,
        batch_size=batch_size,
        key=key,
        validation=validation,
        metric=metric,
        rules=(),
        stream_above=2**63,
    )
    groups = _groups(settings, at_once)
    trained = _joined([_train(job, optimizer, init, group) for group in groups], len(settings))
    history = _history(job, trained.measured)
    return Sweep(
        settings,
        trained.params,
        trained.best_params,
        np.asarray(trained.best_epochs),
        history,
        _best(job, settings, trained, history),
    )


class _Top(NamedTuple):
    params: Params
    epoch: Int[Array, "*networks"]
    score: Float[Array, "*networks"]
    loss: Float[Array, "*networks"]


class _Networks(NamedTuple):
    state: State
    alive: Bool[Array, "*networks"]
    top: _Top | None


class _Trained(NamedTuple):
    params: Params
    best_params: Params
    best_epochs: Int[Array, " networks"]
    measured: Float[Array, "networks epochs 3"]


def _train(
    job: Job, optimizer: MakeOptimizer, init: Callable | None, group: Sequence[Setting]
) -> _Trained:
    seeds, *numbers = zip(*group, strict=True)
    dtype = accumulation_dtype(job.state.params)
    rates = tuple(jnp.asarray(n, dtype) for n in numbers if n[0] is not None)
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    networks = _begin(job.net, init, optimizer, keys, rates, job.validation is not None)
    measured = []
    for epoch in range(job.epochs):
        ((data, rows),) = job.pieces(epoch)
        networks, figures = _epoch(
            job.net, job.loss, job.metric, optimizer, networks, rates, data, rows, job.validation
        )
        measured.append(figures)
    params, top = networks.state.params, networks.top
    if top is None:
        last = jnp.full(len(group), job.epochs - 1)
        return _Trained(params, params, last, jnp.stack(measured, axis=1))
    return _Trained(params, top.params, top.epoch, jnp.stack(measured, axis=1))


@functools.partial(jax.jit, static_argnames=("net", "init", "optimizer", "validated"))
def _begin(
    net: Network,
    init: Callable | None,
    optimizer: MakeOptimizer,
    keys: Array,
    rates: tuple[Array, ...],
    validated: bool,
) -> _Networks:
    params = jax.vmap(net.init if init is None else init)(keys)
    state = jax.vmap(lambda p, *r: init_state(p, _made(optimizer, *r)))(params, *rates)
    worst = jnp.full(len(keys), jnp.inf, rates[0].dtype)
    nowhere = jnp.full(len(keys), -1, jnp.int32)
    # Zeros and not the parameters: both are donated, and one array cannot be donated twice.
    top = _Top(jax.tree.map(jnp.zeros_like, params), nowhere, -worst, worst)
    return _Networks(state, jnp.ones(len(keys), bool), top if validated else None)


@functools.partial(
    jax.jit,
    static_argnames=("net", "loss", "metric", "optimizer"),
    donate_argnames="networks",
)
def _epoch(
    net: Network,
    loss: Loss,
    metric: Metric,
    optimizer: MakeOptimizer,
    networks: _Networks,
    rates: tuple[Array, ...],
    data: Data,
    rows: Int[Array, "updates batch"] | None,
    validation: Data | None,
) -> tuple[_Networks, Float[Array, "networks 3"]]:
    """Return the networks after an epoch, and training loss, validation loss and metric of each."""

    def one(state: State, *rates: Array) -> tuple[State, Array]:
        return training.epoch(net, loss, _made(optimizer, *rates), state, data, rows)

    state, trained = jax.vmap(one)(networks.state, *rates)
    alive = networks.alive & jnp.isfinite(trained)
    if validation is None or networks.top is None:
        nothing = jnp.full_like(trained, jnp.nan)
        return _Networks(state, alive, None), jnp.stack([trained, nothing, nothing], axis=1)
    measured = _measured(net, loss, metric, state.params, validation)
    top = jax.vmap(functools.partial(_higher, metric))(networks.top, state, alive, *measured)
    return _Networks(state, alive, top), jnp.stack([trained, *measured], axis=1)


def _measured(
    net: Network, loss: Loss, metric: Metric, params: Params, data: Data
) -> tuple[Float[Array, " networks"], Float[Array, " networks"]]:
    x, y, weights = map(jnp.asarray, data)

    def one(params: Params) -> tuple[Array, Array]:
        measured = metrics.evaluate(metric, loss, net.apply(params, x), y, weights)
        return objective(net, loss)(params, x, y, weights), measured

    # A batch of training is small, and the validation data are not.
    networks, limit = len(params[0].bias), 8 * ROWS_AT_ONCE
    fitting = (n for n in range(1, networks + 1) if networks % n == 0 and n * len(x) <= limit)
    return jax.lax.map(one, params, batch_size=max(fitting, default=1))


def _higher(
    metric: Metric, top: _Top, state: State, alive: Array, loss: Array, measured: Array
) -> _Top:
    score = jnp.where(jnp.isnan(measured), -jnp.inf, _score(metric, measured))
    ahead = (score > top.score) | ((score == top.score) & (loss < top.loss))
    better = alive & jnp.isfinite(loss) & ahead
    new = _Top(state.params, state.epoch - 1, score, loss)
    return jax.tree.map(lambda n, t: jnp.where(better, n, t), new, top)


def _score(metric: Metric, value: Any) -> Any:
    return value if metric.better == "higher" else -value


@functools.partial(jax.jit, static_argnames="networks")
def _joined(parts: list[_Trained], networks: int) -> _Trained:
    return jax.tree.map(lambda *p: jnp.concatenate(p)[:networks], *parts)


@jax.jit
def _network(params: Params, index: Int[Array, ""]) -> Params:
    return jax.tree.map(lambda p: p[index], params)


def _history(job: Job, measured: Float[Array, "networks epochs 3"]) -> History:
    figures = np.array(measured, np.float64)
    bad = np.logical_or.accumulate(~np.isfinite(figures[..., 0]), axis=1)
    figures[:, 1:][bad[:, :-1]] = np.nan
    ((_, rows),) = job.pieces(0)
    updates = np.arange(1, job.epochs + 1) * (1 if rows is None else len(rows))
    return History(np.tile(updates, (len(figures), 1)), *np.moveaxis(figures, -1, 0))


def _best(
    job: Job, settings: tuple[Setting, ...], trained: _Trained, history: History
) -> Best | None:
    epochs = np.asarray(trained.best_epochs)
    sound = (epochs >= 0) & np.isfinite(history.loss).all(axis=1)
    if job.validation is None or not sound.any():
        return None

    def standing(i: int) -> tuple[float, float]:
        score = _score(job.metric, history.validation_metric[i, epochs[i]])
        return -np.inf if np.isnan(score) else score, -history.validation_loss[i, epochs[i]]

    network = max(np.flatnonzero(sound).tolist(), key=standing)
    params = _network(trained.best_params, jnp.int32(network))
    return Best(network, int(epochs[network]), settings[network], params)


def _made(optimizer: MakeOptimizer, rate: Any, decay: Any = None) -> optax.GradientTransformation:
    try:
        return optimizer(rate) if decay is None else optimizer(rate, weight_decay=decay)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise ValueError(
            f"optimizer: {_name(optimizer)} computes with plain numbers; in a sweep, learning rate "
            "and weight decay are arrays that JAX traces, so use jax.numpy and no `if` on them"
        ) from error


def _settings(seeds: Numbers, rates: Numbers, decays: Numbers | None) -> tuple[Setting, ...]:
    columns = [
        _column("seeds", seeds, lambda n: n == int(n), "whole numbers", int),
        _column("learning_rates", rates, lambda n: n > 0, "positive numbers", float),
    ]
    if decays is not None:
        numbers = "numbers of at least 0"
        columns.append(_column("weight_decays", decays, lambda n: n >= 0, numbers, float))
    return tuple(Setting(*numbers) for numbers in itertools.product(*columns))


def _column(
    name: str, given: Any, right: Callable[[Any], bool], expected: str, kind: type
) -> list[Any]:
    entries = list(given) if isinstance(given, Sequence | np.ndarray) else None
    if not entries or isinstance(given, str):
        raise ValueError(f"{name}: a sequence of {expected} is expected, got {given!r}")
    for n in entries:
        number = isinstance(n, int | float | np.number) and not isinstance(n, bool)
        if not number or not math.isfinite(n) or not right(n):
            raise ValueError(f"{name}: {expected} are expected, got {n!r}")
    return [kind(n) for n in entries]


def _groups(settings: tuple[Setting, ...], at_once: int | None) -> list[tuple[Setting, ...]]:
    """Return groups of one size, so that one program serves all; the last setting fills up."""
    if at_once is not None and (not isinstance(at_once, int | np.integer) or at_once < 1):
        raise ValueError(f"at_once: a whole number of at least 1, or None, got {at_once!r}")
    groups = 1 if at_once is None else -(-len(settings) // int(at_once))
    size = -(-len(settings) // groups)
    filled = settings + settings[-1:] * (groups * size - len(settings))
    return [filled[i : i + size] for i in range(0, len(filled), size)]


def _check_optimizer(optimizer: Any, setting: Setting) -> None:
    example, arguments = ("optax.adam", "a learning rate")
    if setting.weight_decay is not None:
        example, arguments = "optax.adamw", "(learning_rate, weight_decay)"
    expected = f"optimizer: a function of {arguments} is expected, as {example}"
    if not callable(optimizer):
        raise ValueError(f"{expected}; got {optimizer!r}")
    decay = {} if setting.weight_decay is None else {"weight_decay": setting.weight_decay}
    try:
        inspect.signature(optimizer).bind(setting.learning_rate, **decay)
    except TypeError as error:
        raise ValueError(f"{expected}; {_name(optimizer)}: {error}") from None


def _name(function: Any) -> str:
    function = getattr(function, "func", function)  # of a functools.partial, as optax.nadam is
    return getattr(function, "__name__", repr(function))
