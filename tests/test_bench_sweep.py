"""The loops that the benchmark of sweeps compares train the same networks."""

import importlib

import numpy as np
import pytest

from benchmarks import sweep, training
from benchmarks.peers import Examples, initial_weights
from benchmarks.peers.many import LOOPS
from benchmarks.training import Measured

(QUICK,) = sweep.QUICK
TRAIN, TEST = training.toy()
TRAIN = Examples(TRAIN.x[:40], TRAIN.y[:40])


@pytest.fixture(scope="module")
def trained():
    """The sweep after a run, in the order of examples of seed 3, and the loss that it told."""
    trainer = made(LOOPS[0])
    return trainer.epoch(3), trainer


def made(loop):
    module = importlib.import_module(f"benchmarks.peers.{loop.module}")
    return getattr(module, loop.function)(QUICK, TRAIN, initial_weights(QUICK))


@pytest.mark.filterwarnings("default")  # those of PyTorch are not ours
@pytest.mark.parametrize(
    "loop",
    [
        loop if loop.packages == ("purenet",) else pytest.param(loop, marks=pytest.mark.slow)
        for loop in LOOPS[1:]
    ],
    ids=training.label,
)
def test_every_loop_trains_the_same_networks(trained, loop):
    for package in loop.packages:
        pytest.importorskip(package)
    loss, first = trained
    trainer = made(loop)
    trainer.epoch(1)  # each run starts anew
    assert trainer.epoch(3) == pytest.approx(loss, rel=1e-4)
    for own, expected in zip(trainer.weights(), first.weights(), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(trainer.predict(TEST.x), first.predict(TEST.x))


def test_the_networks_of_a_sweep_differ_by_seed_and_rate(trained):
    weights = trained[1].weights()[0]
    assert weights.shape == (4, 12, 8)
    assert len(np.unique(np.abs(weights).sum(axis=(1, 2)))) == 4


def test_a_row_tells_the_spread_of_ratios_within_turns():
    base = Measured(LOOPS[0], 2.0, (1.0, 2.0, 4.0), 0.9, 0.5, 0.8, **extra())
    other = base._replace(peer=LOOPS[1], seconds=(2.0, 2.0, 2.0))
    head, own, row = sweep.rows([base, other])
    assert len(head) == len(own) == len(row)
    assert own[5:7] == ("1.00", "1.00 to 1.00")
    assert row[5:7] == ("1.00", "0.50 to 2.00")


def extra():
    """Whatever else the other benchmark measures, which these tables do not show."""
    return dict.fromkeys(Measured._fields[6:])


def test_loops_without_their_package_are_left_out_and_said(monkeypatch):
    said = []
    monkeypatch.setattr(sweep.common, "installed", lambda name: name != "torch")
    assert {loop.name for loop in sweep.available(said.append)} == {"purenet"}
    assert len(said) == 3
    assert all("torch not installed" in line for line in said)


@pytest.mark.slow
def test_the_command_prints_a_table(capsys, tmp_path):
    assert sweep.main(["--quick", "--pause", "0", "--json", str(tmp_path / "found.json")]) == 0
    printed = capsys.readouterr().out
    assert "4 × 12-8-3 / 16" in printed
    assert "| purenet, documented: sweep" in printed
    assert (tmp_path / "found.json").stat().st_size > 0
