"""Processes over loopback, each with its share of the data, train what one device trains."""

import functools
import json
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import shares

import purenet as pn
from purenet import checkpoint

WORKER = Path(__file__).with_name("distributed_worker.py")
SECONDS = 240
# Which layouts the same processes train on, one after the other, and what.
STARTS = {
    ("data", "model across"): ("batches",),
    ("model inside", "data inside", "model alone"): tuple(shares.RUNS),
    ("both across",): tuple(shares.RUNS),
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """The function from names of layouts to the folder that their processes wrote to."""
    return functools.cache(
        lambda layouts: run_processes(layouts, tmp_path_factory.mktemp("distributed"))
    )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((layouts, name), marks=[pytest.mark.slow] if "data" not in layouts else [])
        for layouts in STARTS
        for name in layouts
    ],
    ids=lambda param: param[1],
)
def written(request, start):
    """A layout, and the folder that its processes wrote to."""
    layouts, name = request.param
    return shares.LAYOUTS[name], start(layouts) / name


def run_processes(layouts, folder):
    """Run the processes of these layouts and return the folder."""
    layout, port = shares.LAYOUTS[layouts[0]], free_port()
    processes = len(layout.share)
    devices = np.size(layout.devices) // processes
    for name in layouts:
        (folder / name).mkdir()
    what = map(",".join, (layouts, STARTS[layouts]))
    command = [*map(str, (processes, devices, port, folder)), *what]
    started = [
        subprocess.Popen(
            [sys.executable, WORKER, str(rank), *command], stderr=subprocess.PIPE, text=True
        )
        for rank in range(processes)
    ]
    try:
        errors = [process.communicate(timeout=SECONDS)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    codes = [process.returncode for process in started]
    assert codes == [0] * processes, "\n".join(e[-4000:] for e in errors)
    return folder


@functools.cache
def on_one_device(name, stripes):
    run = shares.fit(**shares.RUNS[name], stripes=stripes)
    return run, shares.fit(run.state, **shares.RUNS[name], stripes=stripes)


def told(written):
    layout, folder = written
    ranks = range(len(layout.share))
    return [json.loads((folder / f"told{rank}.json").read_text()) for rank in ranks]


def test_processes_train_what_one_device_with_their_stripes_trains(written):
    layout, folder = written
    paths = {path.stem: path for path in folder.glob("*.npz")}
    assert "batches" in paths
    for name, path in paths.items():
        both = on_one_device(name, layout.told)
        expected = [(run.params, run.best, run.history) for run in both]
        with np.load(path) as file:
            got = [file[key] for key in file.files]
        for one, other in zip(jax.tree.leaves(expected), got, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5, err_msg=name)
        assert both[0].history.updates[-1] == 2 * {"full": 1}.get(name, 5)


def test_the_parameters_of_all_processes_are_saved_whole(written):
    layout, folder = written
    saved = checkpoint.load(folder / "model.safetensors").params
    run, _ = on_one_device("batches", layout.told)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-4, 1e-5), saved, run.params)


def test_parameters_of_all_processes_are_used_by_all_together_and_gathered_by_each(written):
    params = on_one_device("batches", written[0].told)[0].params
    predicted = pn.predict(shares.NET, params, shares.X)
    scores = pn.evaluate(shares.NET, shares.LOSS, params, shares.VALIDATION)
    for got in told(written):
        np.testing.assert_allclose(got["together"], predicted, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(got["alone"], predicted, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(got["scores"], scores, rtol=1e-4, atol=1e-5)


def test_a_process_holds_no_more_of_the_weights_than_its_devices_need(written):
    assert {tuple(each["held"]) for each in told(written)} == {written[0].held}


def test_every_process_hears_of_data_that_cannot_be_used(written):
    own, *others = (each["error"] for each in told(written))
    assert "nan at index" in own["here"]
    for other in others:
        assert other["here"] == "data: the processes [0] have data that cannot be used"
    for each in (own, *others):
        assert "every process needs arrays of the same dtypes" in each["kinds"]


def test_every_process_hears_of_examples_that_another_one_of_its_group_has_not(written):
    share = written[0].share
    last = len(share) - 1
    first = share.index(share[last])
    for each in (each["error"] for each in told(written)):
        if len(set(share)) == len(share):
            assert each["stripes"].startswith("stripes: the processes hold the data in stripes of")
            continue
        for name in ("fewer", "others"):
            start = f"data: the processes [{last}] have other examples than process {first} "
            assert each[name].startswith(start)
        assert "([36] examples, it has 37)" in each["fewer"] or share[last] is not None
