"""What the processes of `test_distributed.py` train on, and what one device trains on instead."""

import jax
import numpy as np
import optax

import purenet as pn

RNG = np.random.default_rng(0)
NET = pn.mlp([6, 8, 5, 4], "tanh", "softmax")
LOSS = "cross_entropy"
ADAM = optax.adam(0.05)
X = RNG.normal(size=(37, 6)).astype(np.float32)
LABELS = RNG.integers(4, size=37).astype(np.int32)
DATA = (X, LABELS)
VALIDATION = (X[:13] + 1, LABELS[:13])
# How many examples each process has: the last batches have examples of one of them only.
LENGTHS = {37: (23, 14), 13: (4, 9)}
PARAMS = jax.tree.map(np.asarray, NET.init(jax.random.key(0)))

BATCHES = {"data": DATA, "validation": VALIDATION, "batch_size": 9}
RUNS = {
    "batches": BATCHES,
    "streamed": {**BATCHES, "stream_above": 2 * X[:9].nbytes},
    "full": {**BATCHES, "batch_size": None},
}


def shares(data):
    """Return the data of each process."""
    first = LENGTHS[len(data[0])][0]
    return [tuple(v[:first] for v in data), tuple(v[first:] for v in data)]


def fit(params=PARAMS, optimizer=ADAM, **options):
    return pn.fit(
        NET, LOSS, params, optimizer=optimizer, epochs=2, key=jax.random.key(3), **options
    )
