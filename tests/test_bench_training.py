"""`python -m benchmarks training`: every loop makes the same updates, and the table says so."""

import json

import jax
import numpy as np
import pytest

from benchmarks import __main__ as listing
from benchmarks import common, training
from benchmarks.peers import PEERS, Setting, initial_weights, order
from purenet import batches

SETTING = Setting((12, 8, 3), 16)
# Loops that need no more than the tests do; JAX's are compiled once in this process.
PLAIN = [p for p in PEERS if p.name in ("purenet", "JAX and optax", "scikit-learn", "NumPy")]
HEAVY = [p for p in PEERS if p not in PLAIN and not training._missing(p)]


def trained(peer, setting):
    """Return the losses of two epochs and the labels of the test examples."""
    module = pytest.importorskip(f"benchmarks.peers.{peer.module}", exc_type=ImportError)
    train, test = training.toy()
    with jax.numpy_dtype_promotion("standard"):
        trainer = getattr(module, peer.function)(setting, train, initial_weights(setting))
        return [trainer.epoch(0), trainer.epoch(1)], trainer.predict(test.x)


@pytest.fixture(scope="module")
def witness():
    """What plain NumPy in float64 has after two epochs, written for one hidden layer."""
    train, test = training.toy()
    (w1, b1), (w2, b2) = [
        tuple(a.astype(np.float64) for a in layer) for layer in initial_weights(SETTING)
    ]
    losses = []
    for number in (0, 1):
        rows, total = order(0, number, 100), 0.0
        for row in np.split(rows, range(16, 100, 16)):
            x, hot = train.x[row] / 255, np.eye(3)[train.y[row]]
            z1 = x @ w1 + b1
            a1 = z1 * (z1 > 0)
            p = np.exp(a1 @ w2 + b2)
            p /= p.sum(axis=1, keepdims=True)
            total -= (hot * np.log(p)).sum()
            delta2 = (p - hot) / len(row)
            delta1 = delta2 @ w2.T * (z1 > 0)
            w2, b2 = w2 - 0.1 * a1.T @ delta2, b2 - 0.1 * delta2.sum(axis=0)
            w1, b1 = w1 - 0.1 * x.T @ delta1, b1 - 0.1 * delta1.sum(axis=0)
        losses.append(total / 100)
    z = np.maximum(test.x / 255 @ w1 + b1, 0) @ w2 + b2
    return losses, z.argmax(axis=1)


@pytest.mark.parametrize("peer", PLAIN, ids=training.label)
def test_a_loop_makes_the_updates_that_it_should(peer, witness):
    losses, labels = trained(peer, SETTING)
    np.testing.assert_allclose(losses, witness[0], rtol=2e-5)
    np.testing.assert_array_equal(labels, witness[1])


def test_adamw_with_a_falling_rate_is_the_same_rule_in_every_loop():
    setting = SETTING._replace(optimizer="adam", rate=1e-2, decay=20, weight_decay=0.5)
    peers = [p for p in PLAIN if (p.name, p.kind) not in {("JAX and optax", "documented")}]
    found = {training.label(p): trained(p, setting)[0] for p in peers if p.name != "scikit-learn"}
    for losses in found.values():
        np.testing.assert_allclose(losses, found["purenet, documented: fit"], rtol=1e-4)


@pytest.mark.parametrize("kind", ["documented", "best"])
def test_adam_of_scikit_learn_is_that_of_the_others(kind):
    setting = SETTING._replace(optimizer="adam", rate=1e-2)
    peers = [p for p in PLAIN if p.name in ("NumPy", "scikit-learn") and p.kind == kind]
    numpy, sklearn = (trained(p, setting)[0] for p in peers)
    np.testing.assert_allclose(numpy, sklearn, rtol=1e-4)


def test_the_rate_falls_as_a_cosine():
    setting = SETTING._replace(rate=0.5, decay=8)
    assert [round(setting.rate_at(n), 6) for n in (0, 4, 8, 9)] == [0.5, 0.25, 0, 0]
    assert SETTING.rate_at(99) == SETTING.rate


def test_the_order_of_the_examples_is_purenets():
    for seed, epoch in ((0, 0), (3, 7)):
        rows = batches.order(jax.random.key(seed), epoch, 100, 16)
        np.testing.assert_array_equal(rows.ravel()[:100], order(seed, epoch, 100))


def test_a_whole_run_prints_equal_losses_and_writes_every_number(tmp_path, capsys):
    file = tmp_path / "found.json"
    options = ["--quick", "--peer", "NumPy", "--network", "1", "--pause", "0", "--runs", "3"]
    assert training.main([*options, "--json", str(file)]) == 0
    out = capsys.readouterr().out
    assert "purenet, documented: fit" in out
    assert "best loops: geometric mean" in out
    done = json.loads(file.read_text())["networks"]["12-8-3 / 16"]
    assert [one["peer"] for one in done] == [
        training.label(p) for p in PEERS if p.name in ("purenet", "NumPy")
    ]
    assert all(len(one["seconds"]) == 3 for one in done)
    assert len({round(one["loss"], 4) for one in done}) == 1
    assert len({one["accuracy"] for one in done}) == 1


@pytest.mark.slow
@pytest.mark.skipif(not HEAVY, reason="no framework of the extra `bench` is installed")
@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_every_framework_that_is_installed_makes_the_same_updates(rule):
    said: list[str] = []
    adam = SETTING._replace(optimizer="adam", rate=1e-2, decay=20, weight_decay=0.5)
    setting = SETTING if rule == "sgd" else adam
    done = training.measure(setting, [PEERS[0], *HEAVY], *training.toy(), 1, say=said.append)
    assert said == []
    for one in done:
        assert one.loss == pytest.approx(done[0].loss, rel=1e-4), training.label(one.peer)


def test_a_loop_that_raises_is_left_out_and_said():
    said: list[str] = []
    broken = PEERS[0]._replace(module="numpy_mlp", function="absent")
    assert training.measure(SETTING, [broken], *training.toy(), 1, say=said.append) == []
    assert "has no attribute 'absent'" in said[0]


def test_a_peer_that_is_not_installed_is_said_and_one_that_is_unknown_refused(monkeypatch, capsys):
    monkeypatch.setattr(common, "installed", lambda package: None if package == "torch" else "1")
    said: list[str] = []
    names = {peer.name for peer in training.chosen([], said.append)}
    assert "PyTorch" not in names
    assert said == ["left out: PyTorch: torch not installed"]
    assert training.main(["--quick", "--peer", "Pytorch"]) == 2
    assert "unknown peer 'Pytorch'" in capsys.readouterr().err


def measured(name, kind, loop, *seconds):
    peer = PEERS[0]._replace(name=name, kind=kind, loop=loop)
    return training.Measured(peer, 1.0, seconds, 2.0, 1.0, 0.9)


def test_ratios_are_within_a_turn_and_the_quickest_loop_of_a_peer_counts():
    networks = {
        "a": [
            measured("purenet", "documented", "fit", 1.0, 2.0, 4.0),
            measured("X", "best", "slow", 4.0, 8.0, 16.0),
            measured("X", "best", "quick", 2.0, 4.0, 8.0),
        ],
        "b": [
            measured("purenet", "documented", "fit", 2.0, 2.0, 2.0),
            measured("X", "best", "quick", 1.0, 1.0, 1.0),
        ],
    }
    assert training.rows(networks["a"])[2][5:7] == ("4.00", "4.00 to 4.00")
    assert training.summary(networks)[-1] == ("X, best", "2.00", "0.50", "1.00")
    assert "purenet ahead in 1 of 2; the closest is X on b with 0.50" in training.verdict(networks)


def test_runs_take_turns_forwards_and_backwards():
    seen: list[str] = []
    measures = {name: lambda name=name: seen.append(name) or 1.0 for name in "abc"}
    assert common.interleaved(measures, 2) == dict.fromkeys("abc", (1.0, 1.0))
    assert "".join(seen) == "abccba"


def test_the_command_lists_every_benchmark_and_offers_the_nearest(capsys):
    assert listing.main([]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out for name in ("accuracy", "training", "whole_job"))
    assert "common" not in out
    assert listing.main(["trainin"]) == 2
    assert "did you mean 'training'?" in capsys.readouterr().err


def test_the_line_of_the_machine_names_versions():
    line = common.machine(("numpy", "no-such-package"))
    assert f"numpy {np.__version__}" in line
    assert "no-such-package" not in line
