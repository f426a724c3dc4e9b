"""What `fit` and `epochs` are asked to do, checked once and made ready for the loop."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array

from purenet import batches, feeding, losses, metrics, processes, sharding
from purenet.backprop import check_trainable
from purenet.batches import Data
from purenet.compiling import compiled_pass
from purenet.evaluation import Spread
from purenet.feeding import Pieces
from purenet.losses import Loss
from purenet.metrics import Metric
from purenet.network import Network, Params, check_params
from purenet.stop import Iterations, Rule, needs_validation
from purenet.training import State, init_state


class Job(NamedTuple):
    """A checked job.

    Attributes:
        net: the description of the network.
        loss: the loss.
        metric: measured on the validation data.
        state: where training starts.
        step: (state, data, rows) to the state after their updates, and (Σ w ℓ, Σ w); compiled.
        pieces: the number of an epoch to its data, each with rows of indices or None for all.
        validation: the validation data, ready for `evaluation.scores`, or None.
        epochs: how many at most.
        limit: how many updates at most, or None.
        rules: when to stop.
        mesh: over which all of it is spread, its axes of type Auto, or None.
    """

    net: Network
    loss: Loss
    metric: Metric
    state: State
    step: Callable[..., tuple[State, Array]]
    pieces: Callable[[int], Pieces]
    validation: Data | Spread | None
    epochs: int
    limit: int | None
    rules: tuple[Rule, ...]
    mesh: Mesh | None = None


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
    mesh: Mesh | None = None,
    stripes: int | Sequence[int] | None = None,
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
    _check_counts(epochs, batch_size)
    if mesh is not None:
        sharding.check_mesh(mesh)
        mesh = sharding.automatic(mesh)
    train, lengths = _read(net, loss, data, mesh, "data")
    if len(lengths) == 1:
        batches.check_classes(loss, train)
    watching = [rule for rule in rules if needs_validation(rule)]
    if watching and validation is None:
        raise ValueError(f"stop: {watching[0]} needs validation data; pass validation=(x, y)")
    held_out, counts = _read(net, loss, validation, mesh, "validation")
    examples = sum(lengths)
    batch = examples if batch_size is None else min(batch_size, examples)
    stripes = _stripes(stripes, lengths, batch)
    key = jax.random.key(0) if key is None else key
    state = _state(params, optimizer, mesh)
    platform = jax.default_backend() if mesh is None else None
    step = functools.partial(compiled_pass(net, batch, platform), net, loss, optimizer)
    if mesh is None:
        pieces = feeding.on_device(train, stripes, batch, key, stream_above)
    else:
        step = functools.partial(step, mesh=mesh)
        pieces = feeding.on_mesh(mesh, train, stripes, batch, key, stream_above)
    held = _held(held_out, counts, mesh, stream_above)
    limit = min((rule.count for rule in rules if isinstance(rule, Iterations)), default=None)
    return Job(net, loss, metric, state, step, pieces, held, epochs, limit, tuple(rules), mesh)


def _read(
    net: Network, loss: Loss, data: Any, mesh: Mesh | None, name: str
) -> tuple[Any, tuple[int, ...]]:
    """Return the checked data of this process, and how many examples each share has."""
    if data is None and name == "validation":
        return None, ()
    read = functools.partial(batches.parse, net, loss, data, name)
    if mesh is not None:
        return processes.agree(mesh, name, read)
    parsed = read()
    return parsed, (len(parsed.x),)


def _state(
    params: Params | State, optimizer: optax.GradientTransformation, mesh: Mesh | None
) -> State:
    if not isinstance(params, State):
        if mesh is None:
            return _compiled_state(params, optimizer, None)
        with sharding.within(mesh):
            return _compiled_state(sharding.place(mesh, params), optimizer, mesh)
    # Shapes alone: where the arrays lie has no part in this.
    shapes = jax.tree.map(lambda v: jax.ShapeDtypeStruct(v.shape, v.dtype), params.params)
    expected: Any = jax.tree.structure(jax.eval_shape(optimizer.init, shapes))
    if expected != jax.tree.structure(params.opt_state):
        raise ValueError(
            "params: the optimizer state in it is of another optimizer; go on with the one that "
            "it was made with, or start from state.params"
        )
    return params if mesh is None else sharding.place(mesh, params.params, params)


@functools.partial(jax.jit, static_argnames=("optimizer", "mesh"))
def _compiled_state(
    params: Params, optimizer: optax.GradientTransformation, mesh: Mesh | None
) -> State:
    state = init_state(params, optimizer)
    return state if mesh is None else sharding.keep(mesh, params, state)


def _held(
    data: Data | None, lengths: tuple[int, ...], mesh: Mesh | None, stream_above: int
) -> Data | Spread | None:
    if data is None or (mesh is None and data.x.nbytes > stream_above):
        return data
    if mesh is None:
        return Data(*map(jax.device_put, data))
    return feeding.held_out(mesh, data, lengths, stream_above)


def _stripes(
    stripes: int | Sequence[int] | None, lengths: tuple[int, ...], batch_size: int
) -> tuple[int, ...]:
    """Return the lengths of the stripes of all data; those of several processes are given."""
    if len(lengths) > 1:
        if stripes not in (None, len(lengths), lengths):
            raise ValueError(
                f"stripes: the processes hold the data in stripes of {lengths} examples, got "
                f"{stripes}; leave stripes out"
            )
        given = lengths
    elif stripes is None:
        given = lengths
    elif isinstance(stripes, int | np.integer):
        given = batches.shares(lengths[0], int(stripes)) if stripes > 0 else ()
    else:
        given = tuple(stripes)
    if not given or min(given) < 1 or sum(given) != sum(lengths):
        raise ValueError(
            "stripes: a number of stripes, or lengths of at least 1 whose sum is the number of "
            f"examples, {sum(lengths)}, got {stripes}"
        )
    if batch_size < len(given):
        raise ValueError(
            f"batch_size: each batch has examples of all {len(given)} stripes, got {batch_size}"
        )
    return given


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
