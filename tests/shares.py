"""What the processes of `test_distributed.py` train on, and what one device trains on instead."""

from itertools import pairwise
from typing import NamedTuple

import jax
import numpy as np
import optax

import purenet as pn

RNG = np.random.default_rng(0)
# An axis "model" of 2 splits rows of the first weight, columns of the second and rows of the
# third, and does not divide the 5 units before the outputs. An axis of 4 does not divide 6 either.
NET = pn.mlp([6, 7, 8, 4, 5, 4], "tanh", "softmax")
LOSS = "cross_entropy"
ADAM = optax.adam(0.05)
X = RNG.normal(size=(37, 6)).astype(np.float32)
LABELS = RNG.integers(4, size=37).astype(np.int32)
DATA = (X, LABELS)
VALIDATION = (X[:13] + 1, LABELS[:13])
# How many examples each share has: the last batches have examples of one of them only.
LENGTHS = {37: (23, 14), 13: (4, 9)}
PARAMS = tuple(
    pn.Dense(*(RNG.normal(size=shape).astype(np.float32) / 2 for shape in (sizes, sizes[1:])))
    for sizes in pairwise(NET.sizes)
)

BATCHES = {"data": DATA, "validation": VALIDATION, "batch_size": 9}
RUNS = {
    "batches": BATCHES,
    "streamed": {**BATCHES, "stream_above": 2 * X[:9].nbytes},
    "full": {**BATCHES, "batch_size": None},
}


class Layout(NamedTuple):
    """Which devices of which processes are a mesh, and what each process has of the data.

    Attributes:
        devices: their numbers in the mesh; those of a process follow one another.
        axes: the names of the axes of the mesh.
        share: of each process the number of its share, or None for all examples.
        held: how many entries of each weight lie in a process.
        stripes: what every process passes.
    """

    devices: list
    axes: tuple[str, ...]
    share: tuple[int | None, ...]
    held: tuple[int, ...]
    stripes: tuple[int, ...] | None = None

    @property
    def told(self):
        """The stripes of one device that trains the same."""
        return self.stripes if None in self.share else LENGTHS[37]


BOTH = ("data", "model")
WHOLE, HALVES = (42, 56, 32, 20, 20), (21, 28, 16, 20, 20)
LAYOUTS = {
    "data": Layout([0, 1], ("data",), (0, 1), WHOLE),
    "model inside": Layout([[0, 1], [2, 3]], BOTH, (0, 1), WHOLE),
    "model across": Layout([[0, 1]], BOTH, (None, None), HALVES),
    "both across": Layout([[0, 1], [2, 3]], BOTH, (0, 0, 1, 1), HALVES),
    "data inside": Layout([[0, 1], [2, 3]], BOTH[::-1], (None, None), HALVES, LENGTHS[37]),
    "model alone": Layout([0, 1, 2, 3], ("model",), (None, None), (42, 28, 16, 20, 20)),
}


def share(data, number):
    """Return the data of each process that has this share."""
    if number is None:
        return data
    first = LENGTHS[len(data[0])][0]
    return tuple(v[first:] if number else v[:first] for v in data)


def fit(params=PARAMS, optimizer=ADAM, **options):
    return pn.fit(
        NET, LOSS, params, optimizer=optimizer, epochs=2, key=jax.random.key(3), **options
    )
