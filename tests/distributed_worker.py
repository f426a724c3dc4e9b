"""One process of several in `test_distributed.py`: trains on its share, process 0 writes what came.

python tests/distributed_worker.py RANK PROCESSES DEVICES PORT FOLDER LAYOUT,… RUN,…
"""

# ruff: noqa: E402, I001 - JAX is set up before anything imports it further
import json
import sys
from pathlib import Path

import jax

RANK, PROCESSES, DEVICES, PORT = map(int, sys.argv[1:5])
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
import purenet as pn
import shares
from purenet import checkpoint, sharding


def main(layout, folder, runs):
    mesh = jax.sharding.Mesh(np.array(jax.devices())[np.array(layout.devices)], layout.axes)
    jax.set_mesh(mesh)
    found = {name: train(layout, mesh, **shares.RUNS[name]) for name in runs}
    params = found["batches"][0].params
    checkpoint.save(folder / "model.safetensors", checkpoint.Model(shares.NET, params, shares.LOSS))
    errors = {name: error(layout, mesh, name) for name in refused(layout)}
    (folder / f"told{RANK}.json").write_text(json.dumps({"error": errors, **use(params)}))
    if RANK == 0:
        for name, (_, entries) in found.items():
            np.savez(folder / f"{name}.npz", *entries)


def train(layout, mesh, **options):
    own = {k: shares.share(options.pop(k), layout.share[RANK]) for k in ("data", "validation")}
    options = {**options, **own, "stripes": layout.stripes, "mesh": mesh}
    run = shares.fit(**options)
    resumed = shares.fit(run.state, **options)
    both = [(each.params, each.best, each.history) for each in (run, resumed)]
    return run, [np.asarray(v) for v in jax.tree.leaves(sharding.gather(both))]


def use(params):
    """Return how many entries of each weight lie in this process, and what they are good for."""
    shards = [layer.weight.addressable_shards for layer in params]
    held = [sum({str(s.index): s.data.size for s in own}.values()) for own in shards]
    together = pn.predict(shares.NET, params, shares.X)
    scores = pn.evaluate(shares.NET, shares.LOSS, params, shares.VALIDATION)
    whole = sharding.gather(params)
    return {
        "held": held,
        "together": np.asarray(together).tolist(),
        "scores": scores,
        "alone": pn.predict(shares.NET, whole, shares.X).tolist(),
    }


def refused(layout):
    """Return the names of what this layout refuses."""
    shared = len(set(layout.share)) < PROCESSES
    return ["here", "kinds", *(["fewer", "others"] if shared else ["stripes"])]


def error(layout, mesh, name):
    """Return what this process is told of data that one of the processes cannot use."""
    x, y = shares.share(shares.DATA, layout.share[RANK])
    first, last = RANK == 0, RANK == PROCESSES - 1
    given = {
        "here": {"data": (x * np.nan, y) if first else (x, y)},
        "kinds": {"data": (np.float64(x) if first else x, y)},
        "stripes": {"data": (x, y), "stripes": 5},
        "fewer": {"data": (x[1:], y[1:]) if last else (x, y)},
        "others": {"data": (x, y[::-1]) if last else (x, y)},
    }[name]
    try:
        shares.fit(**given, mesh=mesh)
    except ValueError as raised:
        return str(raised)
    return "trained"


for name in sys.argv[6].split(","):
    main(shares.LAYOUTS[name], FOLDER / name, sys.argv[7].split(","))
