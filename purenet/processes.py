"""Which process holds which part of the data, in a program of one process or of several.

The devices of a mesh that have the same position along "data" are a place: they work on the same
part of each batch. Processes that hold the same places, because they differ only along "model",
are a group. A group holds one share of the data, which each of its processes passes whole. What a
group has of the data is its stripe.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Int

from purenet import sharding
from purenet.batches import Data

ROWS_AT_ONCE = 8192


class Places(NamedTuple):
    """The places along the axis "data", and whose they are.

    Attributes:
        groups: the ranks of the processes of each group, in the order of their lowest.
        stripes: of each place the number of its group, which is that of the group's stripe.
        numbers: of each place its number among those of its group.
        group: the number of the group of this process.
        own: the places of this group.
    """

    groups: tuple[tuple[int, ...], ...]
    stripes: tuple[int, ...]
    numbers: tuple[int, ...]
    group: int
    own: tuple[int, ...]


def places(mesh: Mesh) -> Places:
    """Return whose the places along the axis "data" are.

    Raises:
        ValueError: the mesh spans several processes but not all; processes share some of their
            places but not all, or one group has more places than another.
    """
    data = sharding.DATA
    order = mesh.axis_names.index(data) if data in mesh.axis_names else None
    rows = [mesh.devices] if order is None else np.moveaxis(mesh.devices, order, 0)
    holders = [tuple(sorted({d.process_index for d in np.ravel(row)})) for row in rows]
    groups = tuple(sorted(set(holders)))
    _check_groups(groups)
    stripes = tuple(groups.index(holder) for holder in holders)
    counts = [stripes.count(number) for number in range(len(groups))]
    if len(set(counts)) > 1:
        raise ValueError(
            f'mesh: the processes {groups} have {counts} places along the axis "data"; each needs '
            "as many as the others"
        )
    numbers = tuple(stripes[:place].count(group) for place, group in enumerate(stripes))
    here = next((n for n, group in enumerate(groups) if jax.process_index() in group), 0)
    own = tuple(place for place, group in enumerate(stripes) if group == here)
    return Places(groups, stripes, numbers, here, own)


def spread(mesh: Mesh, parts: Sequence[np.ndarray], axis: int = 0) -> Array:
    """Return the parts, one for each place of this process's group, as one array over the mesh.

    Args:
        mesh: with an axis "data" or without it.
        parts: arrays of one shape in every process; the same in all processes of a group.
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
    """Return this process's data (x, y, weights) and how many examples each group has.

    Raises:
        ValueError: what `read` raises, in every process; the processes hold arrays of different
            kinds, or those of a group different examples.
    """
    groups = places(mesh).groups
    if sum(map(len, groups)) == 1:
        data = read()
        return data, (len(data.x),)
    from jax.experimental import multihost_utils

    error, data = None, None
    try:
        data = read()
    except ValueError as raised:
        error = raised
    alone = all(len(group) == 1 for group in groups)
    kinds = [] if data is None else [(str(v.dtype), v.shape[1:]) for v in data]
    facts = [
        0 if data is None else len(data.x),
        zlib.crc32(str(kinds).encode()),
        0 if data is None or alone else _checksum(data),
    ]
    # Every process hears of it: one that went on would wait for the others for ever.
    told = multihost_utils.process_allgather(np.array(facts, np.uint32))
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
    _check_same(name, groups, told)
    return data, tuple(int(told[group[0], 0]) for group in groups)


def _check_groups(groups: tuple[tuple[int, ...], ...]) -> None:
    holders = [process for group in groups for process in group]
    processes = sorted(set(holders))
    if len(processes) not in (1, jax.process_count()):
        raise ValueError(
            f"mesh: it spans the processes {processes} of {jax.process_count()}; all of them or "
            "one is expected"
        )
    torn = next((process for process in processes if holders.count(process) > 1), None)
    if torn is not None:
        shared = [group for group in groups if torn in group]
        raise ValueError(
            f'mesh: process {torn} holds a place along the axis "data" as one of {shared[0]} and '
            f"another as one of {shared[1]}; processes that share one place have to share all of "
            "theirs"
        )


def _check_same(
    name: str, groups: tuple[tuple[int, ...], ...], told: Int[np.ndarray, "processes 3"]
) -> None:
    for group in groups:
        first = told[group[0]]
        others = [process for process in group if (told[process] != first).any()]
        if others:
            raise ValueError(
                f"{name}: the processes {others} have other examples than process {group[0]} "
                f"({told[others, 0].tolist()} examples, it has {first[0]}); {list(group)} hold "
                'the same places along the axis "data", so each passes the same'
            )


def _checksum(data: Data) -> int:
    found = 0
    for array in data:
        for start in range(0, len(array), ROWS_AT_ONCE):
            piece = np.ascontiguousarray(array[start : start + ROWS_AT_ONCE])
            found = zlib.crc32(piece.tobytes(), found)
    return found
