"""One process of several in `test_distributed.py`: trains on its share, process 0 writes what came.

python tests/distributed_worker.py RANK PROCESSES PORT DEVICES FOLDER RUN…
"""

# ruff: noqa: E402, I001 - JAX is set up before anything imports it further
import json
import sys
from pathlib import Path

import jax

RANK, PROCESSES, PORT, DEVICES = map(int, sys.argv[1:5])
FOLDER = Path(sys.argv[5])
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", DEVICES)
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_default_matmul_precision", "highest")
jax.distributed.initialize(f"127.0.0.1:{PORT}", PROCESSES, RANK, initialization_timeout=60)

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
import shares
from purenet import checkpoint, sharding

AXES = {1: ("data",), 2: ("data", "model")}


def main():
    mesh = jax.make_mesh((PROCESSES, DEVICES)[: len(AXES[DEVICES])], AXES[DEVICES])
    jax.set_mesh(mesh)
    found = {name: train(mesh, **shares.RUNS[name]) for name in sys.argv[6:]}
    last = {name: run for name, (run, _) in found.items()}
    model = checkpoint.Model(shares.NET, last["batches"].params, shares.LOSS)
    checkpoint.save(FOLDER / "model.safetensors", model)
    arrays = {name: entries for name, (_, entries) in found.items()}
    refused = {name: error(mesh, name) for name in ("here", "kinds", "stripes")}
    if RANK == 0:
        for name, entries in arrays.items():
            np.savez(FOLDER / f"{name}.npz", *entries)
    (FOLDER / f"refused{RANK}.json").write_text(json.dumps(refused))


def train(mesh, **options):
    own = {name: shares.shares(options.pop(name))[RANK] for name in ("data", "validation")}
    run = shares.fit(**own, **options, mesh=mesh)
    resumed = shares.fit(run.state, **own, **options, mesh=mesh)
    both = [(each.params, each.best, each.history) for each in (run, resumed)]
    return run, [np.asarray(v) for v in jax.tree.leaves(sharding.gather(both))]


def error(mesh, name):
    """Return what this process is told of data that it or the other one cannot use."""
    x, y = shares.shares(shares.DATA)[RANK]
    given = {
        "here": {"data": (x * np.nan, y) if RANK == 0 else (x, y)},
        "kinds": {"data": (np.float64(x) if RANK == 0 else x, y)},
        "stripes": {"data": (x, y), "stripes": 5},
    }[name]
    try:
        shares.fit(**given, mesh=mesh)
    except ValueError as raised:
        return str(raised)
    return "trained"


main()
