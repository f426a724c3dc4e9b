"""What `fit` and `epochs` are asked to do, checked once and made ready for the loop."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from purenet import batches, losses, metrics
from purenet.backprop import check_trainable
from purenet.batches import Data
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, check_params
from purenet.stop import Iterations, Rule, needs_validation
from purenet.training import State, init_state, one_pass

Pieces = Iterator[tuple[Data, Array | None]]


class Job(NamedTuple):
    """A checked job.

    Attributes:
        net: the description of the network.
        loss: the loss.
        metric: measured on the validation data.
        state: where training starts.
        step: (state, data, rows) to the state after their updates, and (Σ w ℓ, Σ w); compiled.
        pieces: the number of an epoch to its data, each with rows of indices or None for all.
        validation: the validation data, or None.
        epochs: how many at most.
        limit: how many updates at most, or None.
        rules: when to stop.
    """

    net: Network
    loss: Loss
    metric: Metric
    state: State
    step: Callable[..., tuple[State, Array]]
    pieces: Callable[[int], Pieces]
    validation: Data | None
    epochs: int
    limit: int | None
    rules: tuple[Rule, ...]


def prepare(
    net: Network,
    loss: str | Loss,
    params: Params | State,
    data: Any,
    optimizer: optax.GradientTransformation,
    epochs: int,
    batch_size: int | None,
    key: jax.Array | None,
    validation: Any,
    metric: str | Metric | None,
    rules: Sequence[Rule],
    stream_above: int,
) -> Job:
    """Return the job.

    Raises:
        ValueError: data, sizes, names or rules that cannot be used; each message says which.
    """
    loss = losses.from_name(loss)
    losses.check_output(loss, net.output)
    check_trainable(net)
    metric = metrics.fitting(loss) if metric is None else metrics.from_name(metric)
    check_params(net, params.params if isinstance(params, State) else params)
    _check_kinds(optimizer, rules, key)
    state = _state(params, optimizer)
    _check_counts(epochs, batch_size)
    train = batches.parse(net, loss, data)
    batches.check_classes(loss, train)
    held_out = None if validation is None else batches.parse(net, loss, validation, "validation")
    watching = [rule for rule in rules if needs_validation(rule)]
    if watching and held_out is None:
        raise ValueError(f"stop: {watching[0]} needs validation data; pass validation=(x, y)")
    if held_out is not None and held_out.x.nbytes <= stream_above:
        held_out = Data(*map(jnp.asarray, held_out))
    step = functools.partial(_compiled_pass, net, loss, optimizer)
    key = jax.random.key(0) if key is None else key
    pieces = _pieces(train, batch_size, key, stream_above)
    limit = min((rule.count for rule in rules if isinstance(rule, Iterations)), default=None)
    return Job(net, loss, metric, state, step, pieces, held_out, epochs, limit, tuple(rules))


def _state(params: Params | State, optimizer: optax.GradientTransformation) -> State:
    if not isinstance(params, State):
        return init_state(params, optimizer)
    expected: Any = jax.tree.structure(jax.eval_shape(optimizer.init, params.params))
    if expected != jax.tree.structure(params.opt_state):
        raise ValueError(
            "params: the optimizer state in it is of another optimizer; go on with the one that "
            "it was made with, or start from state.params"
        )
    return params


_compiled_pass = jax.jit(one_pass, static_argnames=("net", "loss", "optimizer"))


def _pieces(
    train: Data, batch_size: int | None, key: jax.Array, stream_above: int
) -> Callable[[int], Pieces]:
    """Return the function from the number of an epoch to its data, row by row of indices."""
    examples = len(train.x)
    batch = examples if batch_size is None else min(batch_size, examples)

    def streamed(epoch: int) -> Pieces:
        rows = batches.order(key, epoch, examples, batch)
        for data, local in batches.chunks(train, rows, stream_above // 2):
            yield Data(*map(jnp.asarray, data)), jnp.asarray(local)

    if train.x.nbytes > stream_above and batch < examples:
        return streamed
    resident = Data(*map(jnp.asarray, train))

    def whole(epoch: int) -> Pieces:
        if batch == examples:
            yield resident, None
        else:
            rows = batches.order(key, epoch, examples, batch)
            yield resident, jnp.asarray(rows)

    return whole


def _check_counts(epochs: int, batch_size: int | None) -> None:
    if not _whole(epochs) or epochs < 1:
        raise ValueError(f"epochs: a whole number of at least 1 is expected, got {epochs}")
    if batch_size is not None and (not _whole(batch_size) or batch_size < 1):
        raise ValueError(
            f"batch_size: a whole number of at least 1, or None for all examples, got {batch_size}"
        )


def _whole(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _check_kinds(optimizer: Any, rules: Any, key: Any) -> None:
    if not callable(getattr(optimizer, "update", None)):
        raise ValueError(
            f"optimizer: one of optax is expected, as optax.adam(1e-3); got {optimizer!r}"
        )
    if callable(rules):
        raise ValueError(f"stop: a list of rules is expected, got {rules!r}; write stop=[...]")
    if key is not None and (not hasattr(key, "dtype") or jax.random.key_data(key).ndim != 1):
        raise ValueError(f"key: a single key is expected, as jax.random.key(0); got {key!r}")
