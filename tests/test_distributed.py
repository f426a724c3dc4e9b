"""Two processes over loopback, each with its share of the data, train what one device trains."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import shares

from purenet import checkpoint

PROCESSES = 2
WORKER = Path(__file__).with_name("distributed_worker.py")
SECONDS = 240


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(
    scope="module",
    params=[(1, ["batches"]), pytest.param((2, list(shares.RUNS)), marks=pytest.mark.slow)],
    ids=["one device each", "two devices each"],
)
def folder(request, tmp_path_factory):
    """What two processes wrote, with one device each, or two of which each has half the units."""
    devices, runs = request.param
    path, port = tmp_path_factory.mktemp("distributed"), free_port()
    started = [
        subprocess.Popen(
            [sys.executable, WORKER, *map(str, (rank, PROCESSES, port, devices, path)), *runs],
            stderr=subprocess.PIPE, text=True,
        )
        for rank in range(PROCESSES)
    ]  # fmt: skip
    try:
        errors = [process.communicate(timeout=SECONDS)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(errors)[-4000:]
    return path


def test_processes_train_what_one_device_with_their_stripes_trains(folder):
    written = {path.stem: path for path in folder.glob("*.npz")}
    assert "batches" in written
    for name, path in written.items():
        options, stripes = shares.RUNS[name], shares.LENGTHS[37]
        run = shares.fit(**options, stripes=stripes)
        resumed = shares.fit(run.state, **options, stripes=stripes)
        expected = [(each.params, each.best, each.history) for each in (run, resumed)]
        with np.load(path) as file:
            got = [file[key] for key in file.files]
        for one, other in zip(jax.tree.leaves(expected), got, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5, err_msg=name)
        assert run.history.updates[-1] == 2 * {"full": 1}.get(name, 5)


def test_the_parameters_of_all_processes_are_saved_whole(folder):
    saved = checkpoint.load(folder / "model.safetensors").params
    run = shares.fit(**shares.BATCHES, stripes=shares.LENGTHS[37])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-4, 1e-5), saved, run.params)


def test_every_process_hears_of_data_that_cannot_be_used(folder):
    own, other = (json.loads((folder / f"refused{rank}.json").read_text()) for rank in (0, 1))
    assert "nan at index" in own["here"]
    assert other["here"] == "data: the processes [0] have data that cannot be used"
    for told in (own, other):
        assert "every process needs arrays of the same dtypes" in told["kinds"]
        assert told["stripes"].startswith("stripes: the data of 2 processes lie in stripes")
