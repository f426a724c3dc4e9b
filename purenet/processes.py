"""Which process holds which part of the data, in a program of one process or of several.

The devices of a mesh that have the same position along "data" are a place: they work on the same
part of each batch. A place belongs to one process, and each process has as many of them. What a
process has of the data is its stripe.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array

from purenet import sharding


class Places(NamedTuple):
    """The places along the axis "data", and whose they are.

    Attributes:
        stripes: of each place the rank of its process, which is the number of that one's stripe.
        numbers: of each place its number among those of its process.
        process: the rank of this process.
        own: the places of this process.
    """

    stripes: tuple[int, ...]
    numbers: tuple[int, ...]
    process: int
    own: tuple[int, ...]


def places(mesh: Mesh) -> Places:
    """Return whose the places along the axis "data" are.

    Raises:
        ValueError: the mesh spans several processes but not all; the devices of one place belong
            to several, or one process has more places than another.
    """
    data = sharding.DATA
    order = mesh.axis_names.index(data) if data in mesh.axis_names else None
    rows = [mesh.devices] if order is None else np.moveaxis(mesh.devices, order, 0)
    owners = [sorted({device.process_index for device in np.ravel(row)}) for row in rows]
    processes = sorted({process for owner in owners for process in owner})
    if len(processes) not in (1, jax.process_count()):
        raise ValueError(
            f"mesh: it spans the processes {processes} of {jax.process_count()}; all of them or "
            "one is expected"
        )
    if any(len(owner) > 1 for owner in owners):
        raise ValueError(
            'mesh: the axis "model" leads from one process to another; each process needs places '
            'of its own along the axis "data"'
        )
    stripes = tuple(processes.index(owner[0]) for owner in owners)
    if len({stripes.count(rank) for rank in stripes}) > 1:
        raise ValueError('mesh: some process has more places along the axis "data" than another')
    numbers = tuple(stripes[:place].count(rank) for place, rank in enumerate(stripes))
    here = processes.index(jax.process_index()) if len(processes) > 1 else 0
    own = tuple(place for place, rank in enumerate(stripes) if rank == here)
    return Places(stripes, numbers, here, own)


def spread(mesh: Mesh, parts: Sequence[np.ndarray], axis: int = 0) -> Array:
    """Return the parts, one for each place of this process, as one array over the mesh.

    Args:
        mesh: with an axis "data" or without it.
        parts: arrays of one shape, in every process.
        axis: along which they follow one another.
    """
    found = places(mesh)
    mine = dict(zip(found.own, parts, strict=True))
    length = parts[0].shape[axis]
    shape = list(parts[0].shape)
    shape[axis] = length * len(found.stripes)

    def part(index: Any) -> np.ndarray:
        return mine[(index[axis].start or 0) // length]

    return jax.make_array_from_callback(tuple(shape), sharding.examples(mesh, axis), part)


def agree(mesh: Mesh, name: str, read: Callable[[], Any]) -> tuple[Any, tuple[int, ...]]:
    """Return this process's data (x, y, weights) and how many examples each process has.

    Raises:
        ValueError: what `read` raises, in every process; the processes hold arrays of different
            kinds.
    """
    if len(set(places(mesh).stripes)) == 1:
        data = read()
        return data, (len(data.x),)
    from jax.experimental import multihost_utils

    error, data = None, None
    try:
        data = read()
    except ValueError as raised:
        error = raised
    kinds = [] if data is None else [(str(v.dtype), v.shape[1:]) for v in data]
    facts = [0 if data is None else len(data.x), zlib.crc32(str(kinds).encode()) >> 1]
    # Every process hears of it: one that went on would wait for the others for ever.
    told = multihost_utils.process_allgather(np.array(facts, np.int32))
    if error is not None:
        raise error
    if (told[:, 0] == 0).any():
        bad = np.flatnonzero(told[:, 0] == 0).tolist()
        raise ValueError(f"{name}: the processes {bad} have data that cannot be used")
    if (told[:, 1] != told[0, 1]).any():
        raise ValueError(
            f"{name}: every process needs arrays of the same dtypes and widths; here they are "
            f"{kinds}"
        )
    return data, tuple(told[:, 0].tolist())
