"""Examples on their way to the devices: all at once or in pieces, to one device or over a mesh.

One device holds the examples, and a row of indices per update says which make a batch. On a mesh
every place along its axis "data" does the same for its part of each batch:

| | what a place holds | its rows of indices |
|---|---|---|
| batches | all examples of its group | its columns of the rows of its group |
| batches, streamed | the examples of its columns, a piece at a time | 0, 1, 2, … |
| full batch | its part of the examples of its group | none |

A group is one process, or several that hold the same places and so the same examples. Nothing but
gradients and the sums of split layers is sent between devices, and the order is that of one device:
with several groups, that of one device which is told their stripes. Places and parts are filled up
with examples of weight 0.
"""

from collections.abc import Callable, Iterator, Sequence

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Int

from purenet import batches, evaluation, processes
from purenet.batches import Data
from purenet.evaluation import Spread

Pieces = Iterator[tuple[Data, Array | None]]


def on_device(
    train: Data, stripes: tuple[int, ...], batch: int, key: jax.Array, stream_above: int
) -> Callable[[int], Pieces]:
    """Return the function from the number of an epoch to its data, with rows of indices or None.

    Args:
        train: the examples.
        stripes: their lengths, `(n,)` for one.
        batch: examples per update; as many as there are: one update with all.
        key: decides the order.
        stream_above: x of more bytes stays on the host and goes over in pieces of half of that.
    """

    def streamed(epoch: int) -> Pieces:
        rows = batches.order(key, epoch, stripes, batch)
        for data, local in batches.chunks(train, rows, stream_above // 2):
            yield Data(*map(jax.device_put, data)), jax.device_put(local)

    if train.x.nbytes > stream_above and batch < len(train.x):
        return streamed
    resident = Data(*map(jax.device_put, train))

    def whole(epoch: int) -> Pieces:
        full = batch == len(train.x)
        yield resident, None if full else jax.device_put(batches.order(key, epoch, stripes, batch))

    return whole


def on_mesh(
    mesh: Mesh,
    share: Data,
    stripes: tuple[int, ...],
    batch: int,
    key: jax.Array,
    stream_above: int,
) -> Callable[[int], Pieces]:
    """Return the same as `on_device`, spread over a mesh.

    Args:
        mesh: with an axis "data" or without it.
        share: the examples of the group of this process.
        stripes: the lengths of the shares of all groups; of a single one any stripes.
        batch: examples per update in all processes together.
        key: the same in every process.
        stream_above: bytes of x on one device.
    """
    places = processes.places(mesh)
    count = len(places.groups)
    longest = len(share.x) if count == 1 else max(stripes)
    if batch == sum(stripes):
        parts = _parts(share, len(places.own), -(-longest // len(places.own)))
        everything = _spread(mesh, parts)
        return lambda _: iter([(everything, None)])
    # A group has ⌈batch / count⌉ columns or one fewer; each of its places has as many.
    width = -(-batches.shares(batch, count)[0] // len(places.own))

    def columns(epoch: int) -> list[np.ndarray]:
        rows = _own_rows(key, epoch, stripes, batch, None if count == 1 else places.group)
        return np.split(
            _filled(rows, len(places.own) * width, axis=1, value=-1), len(places.own), 1
        )

    def streamed(epoch: int) -> Pieces:
        limit = stream_above // 2
        chunks = [batches.chunks(share, each, limit) for each in columns(epoch)]
        for pieces in zip(*chunks, strict=True):
            data, rows = zip(*pieces, strict=True)
            yield _spread(mesh, data), processes.spread(mesh, rows, axis=1)

    if longest * (share.x.nbytes // len(share.x)) > stream_above:
        return streamed
    resident = _spread(mesh, _parts(share, 1, longest) * len(places.own))
    return lambda epoch: iter([(resident, processes.spread(mesh, columns(epoch), axis=1))])


def held_out(mesh: Mesh, share: Data, lengths: tuple[int, ...], stream_above: int) -> Spread:
    """Return validation data spread over the mesh, to be measured with `evaluation.scores`."""
    places = processes.places(mesh)
    each = -(-max(lengths) // len(places.own))
    parts = _parts(share, len(places.own), each)
    rows = evaluation.ROWS_AT_ONCE
    starts = range(0, each, rows)
    there = [
        np.arange(each) < lengths[group] - each * place
        for group, place in zip(places.stripes, places.numbers, strict=True)
    ]

    def pieces() -> Iterator[Data]:
        for start in starts:
            yield _spread(mesh, [_cut(p, start, start + rows) for p in parts])

    kept = [mask[start : start + rows] for start in starts for mask in there]
    index = np.flatnonzero(np.concatenate(kept)).astype(np.int32)
    if each * (share.x.nbytes // len(share.x)) > stream_above:
        return Spread(mesh, pieces, index)
    resident = tuple(pieces())
    return Spread(mesh, lambda: iter(resident), index)


def _own_rows(
    key: jax.Array, epoch: int, stripes: tuple[int, ...], batch: int, own: int | None
) -> Int[np.ndarray, "updates batch"]:
    if own is None:
        return batches.order(key, epoch, stripes, batch)
    updates, widths = batches.updates(stripes, batch), batches.shares(batch, len(stripes))
    return batches.stripe_order(key, epoch, own, stripes[own], updates, widths[own])


def _parts(data: Data, parts: int, each: int) -> list[Data]:
    """Cut into parts of the same length, filled up with zeros: examples of weight 0."""
    full = Data(*(_filled(np.asarray(v), parts * each) for v in data))
    return [_cut(full, n * each, (n + 1) * each) for n in range(parts)]


def _cut(data: Data, start: int, stop: int) -> Data:
    return Data(*(v[start:stop] for v in data))


def _filled(v: np.ndarray, length: int, axis: int = 0, value: int = 0) -> np.ndarray:
    if v.shape[axis] == length:
        return v
    widths = [(0, length - v.shape[axis] if n == axis else 0) for n in range(v.ndim)]
    return np.pad(v, widths, constant_values=value)


def _spread(mesh: Mesh, parts: Sequence[Data]) -> Data:
    return Data(*(processes.spread(mesh, arrays) for arrays in zip(*parts, strict=True)))
