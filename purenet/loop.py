"""The loop on the host: data in, epochs of one compiled program each, a `Run` out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array

from purenet import evaluation, sharding
from purenet.job import Job, prepare
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params
from purenet.stop import History, Rule
from purenet.training import State

STREAM_ABOVE = 2**30


class Epoch(NamedTuple):
    """What `epochs` yields after each epoch.

    Attributes:
        state: parameters and optimizer state after the epoch, never changed or deleted later.
        history: of this call, up to and including this epoch.
    """

    state: State
    history: History


class Run(NamedTuple):
    """The result of `fit`.

    Attributes:
        params: the parameters after the last epoch.
        best: the parameters after the epoch that was best on the validation data (by the metric,
            then by the loss, then the earlier one); without validation data the last ones.
        best_epoch: the index of that epoch in `history`.
        history: what was measured, one entry per epoch.
        stopped: why training ended, in words.
        state: to go on from.
    """

    params: Params
    best: Params
    best_epoch: int
    history: History
    stopped: str
    state: State


def fit(
    net: Network,
    loss: str | Loss,
    params: Params | State,
    data: tuple,
    optimizer: optax.GradientTransformation,
    *,
    epochs: int = 10,
    batch_size: int | None = 128,
    key: jax.Array | None = None,
    validation: tuple | None = None,
    metric: str | Metric | None = None,
    stop: Sequence[Rule] = (),
    on_epoch: Callable[[Epoch], Any] | None = None,
    stream_above: int = STREAM_ABOVE,
    mesh: Mesh | None = None,
    stripes: int | Sequence[int] | None = None,
) -> Run:
    """Train and return last and best parameters, history and the reason for the end.

    >>> from purenet.network import mlp
    >>> net, x = mlp([1, 1]), np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    >>> run = fit(net, "mean_squared_error", net.init(jax.random.key(0)), (x, 2 * x + 1),
    ...           optax.sgd(0.5), epochs=100, batch_size=None)
    >>> [round(float(v), 3) for v in (run.params[0].weight[0, 0], run.params[0].bias[0])]
    [2.0, 1.0]

    Args:
        net: the description of the network.
        loss: of ours by name, or a `Loss`.
        params: where to start (never changed or deleted), or `run.state` to go on from there.
        data: (x, y) or (x, y, weights), arrays of NumPy or JAX; uint8 inputs stay uint8.
        optimizer: of optax; the same object again needs no compiling again. One that
            needs value, gradient or the function (L-BFGS, reduce on plateau) gets them, with the
            hand-derived gradient.
        epochs: how many at most.
        batch_size: examples per update; an epoch has ⌈n / batch_size⌉ updates. `None`: all.
        key: decides the order of the examples, with the epoch; `jax.random.key(0)` if left out.
        validation: like `data`; measured after each epoch.
        metric: of `purenet.metrics` by name, or a `Metric`; by default the one that fits.
        stop: rules of `purenet.stop`; the first with a reason ends training.
        on_epoch: called with each `Epoch`.
        stream_above: inputs of more bytes stay on the host and go to the device in pieces of
            whole batches. On a mesh: of more bytes on one device.
        mesh: of many devices, with axes "data", "model" or both, as `jax.make_mesh` makes it; what
            is split over them: `purenet.sharding`. The result is that of one device up to
            rounding, and lies on the mesh. In a program of several processes every one calls this
            with the same arguments, but its own share of `data` and `validation`; those that
            differ only along "model" have a share together, and each passes all of it.
        stripes: how many stripes of the same length, or their lengths: each batch has the same
            number of examples of every stripe, each shuffled by itself. It is how several
            processes hold the data, and this gives one device the order of theirs.

    Raises:
        ValueError: data, sizes, names or rules that cannot be used; each message says which.
    """
    job = prepare(
        net,
        loss,
        params,
        data,
        optimizer,
        epochs,
        batch_size,
        key,
        validation,
        metric,
        stop,
        stream_above,
        mesh,
        stripes,
    )
    best, best_epoch = job.state.params, -1
    for last, reason in _loop(job):  # noqa: B007 - both are read after the loop
        if on_epoch is not None:
            on_epoch(last)
        if best_epoch < 0 or _better(job, last.history, best_epoch):
            best, best_epoch = last.state.params, len(last.history.loss) - 1
    reason = reason or f"{epochs} epochs done"
    return Run(last.state.params, best, best_epoch, last.history, reason, last.state)


def epochs(
    net: Network,
    loss: str | Loss,
    params: Params | State,
    data: tuple,
    optimizer: optax.GradientTransformation,
    *,
    epochs: int = 10,
    batch_size: int | None = 128,
    key: jax.Array | None = None,
    validation: tuple | None = None,
    metric: str | Metric | None = None,
    stop: Sequence[Rule] = (),
    stream_above: int = STREAM_ABOVE,
    mesh: Mesh | None = None,
    stripes: int | Sequence[int] | None = None,
) -> Iterator[Epoch]:
    """Yield an `Epoch` after each epoch: `fit` as a generator, for whoever looks in between.

    Takes what `fit` takes, and raises what it raises, before the first epoch. It ends after
    `epochs`, when a rule of `stop` gives a reason, or when the loss is no longer finite.
    """
    job = prepare(
        net,
        loss,
        params,
        data,
        optimizer,
        epochs,
        batch_size,
        key,
        validation,
        metric,
        stop,
        stream_above,
        mesh,
        stripes,
    )
    return (epoch for epoch, _ in _loop(job))


def _loop(job: Job) -> Iterator[tuple[Epoch, str | None]]:
    # Entries are written once, and a History is a view of those written so far.
    log = _empty_log(min(job.epochs, 1024))
    state, updates, first = job.state, 0, int(job.state.epoch)
    for done in range(1, job.epochs + 1):
        if done > len(log.loss):
            log = History(*map(np.concatenate, zip(log, _empty_log(done), strict=True)))
        totals, running = np.zeros(2), None
        for data, rows in job.pieces(first + done - 1):
            if job.limit is not None and rows is not None and len(rows) > job.limit - updates:
                rows = rows[: job.limit - updates]
            with sharding.within(job.mesh):
                state, sums = job.step(state, data, rows)
            # One piece is computed while the next one is gathered.
            totals += 0 if running is None else np.asarray(running, np.float64)
            running = sums
            updates += 1 if rows is None else len(rows)
            if updates == job.limit:
                break
        totals += np.asarray(running, np.float64)
        state = state._replace(epoch=_number(job, first + done))
        # Updates without any weight have cost 0.
        log.updates[done - 1], log.loss[done - 1] = updates, totals[0] / (totals[1] or 1)
        if job.validation is not None:
            log.validation_loss[done - 1], log.validation_metric[done - 1] = evaluation.scores(
                job.net, job.loss, job.metric, state.params, job.validation
            )
        history = History(*(entries[:done] for entries in log))
        reason = _reason(job, history)
        yield Epoch(state, history), reason
        if reason:
            return


def _number(job: Job, value: int) -> Array:
    if job.mesh is None:
        return jax.device_put(np.int32(value))
    everywhere = sharding.whole(job.mesh)
    return jax.make_array_from_callback((), everywhere, lambda _: np.asarray(value, np.int32))


def _empty_log(epochs: int) -> History:
    return History(np.zeros(epochs, np.int64), *(np.full(epochs, np.nan) for _ in range(3)))


def _reason(job: Job, history: History) -> str | None:
    if not np.isfinite(history.loss[-1]):
        return f"diverged: the training loss is {history.loss[-1]}; lower the learning rate"
    reasons = (rule(history, job.metric) for rule in job.rules)
    return next((reason for reason in reasons if reason), None)


def _better(job: Job, history: History, best: int) -> bool:
    if job.validation is None:
        return True
    new, old = float(history.validation_metric[-1]), float(history.validation_metric[best])
    if new == old or np.isnan([new, old]).all():
        return bool(history.validation_loss[-1] < history.validation_loss[best])
    return job.metric.improves(new, old) or bool(np.isnan(old))
