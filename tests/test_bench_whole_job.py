"""`python -m benchmarks whole_job`: each job is the same one, and the table says how long."""

import gzip
import json

import numpy as np
import pytest

from benchmarks import training, whole_job
from benchmarks.peers import PEERS, job
from benchmarks.whole_job import TOY, Done
from purenet import cli, data

PURENET = PEERS[0]
NUMPY = next(p for p in PEERS if (p.name, p.kind) == ("NumPy", "best"))


@pytest.fixture
def toy(tmp_path):
    return whole_job._toy(tmp_path)


def test_a_job_trains_to_the_target_and_saves_what_it_trained(toy, tmp_path):
    file = tmp_path / "model.npz"
    found = job.run("numpy_mlp", "best", toy, 0, file, TOY)
    assert 1 <= found["epochs"] <= TOY.epochs
    assert found["validation"] >= TOY.target
    assert found["test"] > 0.7
    with np.load(file) as saved:
        assert [saved[name].shape for name in saved.files] == [(12, 8), (8, 3), (8,), (3,)]


def test_a_target_out_of_reach_ends_after_the_last_epoch(toy, tmp_path):
    found = job.run("numpy_mlp", "best", toy, 0, tmp_path / "m.npz", TOY._replace(target=1.1))
    assert found["epochs"] == TOY.epochs


def test_the_files_of_mnist_are_read_plain_and_compressed(tmp_path):
    values = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8)
    images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + values.tobytes()
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 3])
    for name, content in zip(job.MNIST, (images, labels, images, labels), strict=True):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(content))
    (tmp_path / f"{job.MNIST[0]}-ubyte").write_bytes(images)
    x, y, test_x, test_y = job._arrays(tmp_path)
    expected = data.read_idx(tmp_path / f"{job.MNIST[2]}-ubyte.gz").reshape(2, 784)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(test_x, expected)
    assert y.tolist() == test_y.tolist() == [7, 3]


def test_a_tenth_is_held_out_and_no_example_is_in_both_parts(toy):
    train, validation, test = job.examples(toy, 3)
    assert [len(part.x) for part in (train, validation, test)] == [90, 10, 40]
    together = np.concatenate([train.x, validation.x])
    original = training.toy()[0].x
    assert sorted(map(bytes, together)) == sorted(map(bytes, original))


def test_the_command_of_purenet_has_the_settings_of_the_others(tmp_path):
    command = whole_job.command(PURENET, tmp_path, 3, tmp_path / "m", whole_job.MNIST)
    options = cli.parser().parse_args(command[3:])
    settings = whole_job.MNIST
    assert (784, *options.hidden, 10) == settings.sizes
    assert (options.batch_size, options.learning_rate) == (settings.batch, settings.rate)
    assert (options.epochs, options.target_metric) == (settings.epochs, settings.target)
    assert (options.optimizer, options.schedule) == ("adamw", "cosine")
    assert options.weight_decay == settings.weight_decay
    assert (options.seed, options.data, options.data_dir) == (3, "mnist", str(tmp_path))


@pytest.mark.parametrize(
    ("reason", "epochs"),
    [("validation accuracy 0.9811 reached the target 0.98", 4), ("6 epochs done", 6)],
)
def test_epochs_of_purenet_are_those_that_it_ran(reason, epochs):
    kept = f"stopped: {reason}; kept: epoch 4, validation accuracy 0.9811\ntest accuracy 0.9820\n"
    assert whole_job._figures(1.5, kept) == (1.5, epochs, 0.9811, 0.982)
    with pytest.raises(RuntimeError, match="no figures in 'nothing'"):
        whole_job._figures(1.5, "nothing")


def test_ratios_are_within_a_seed():
    found = {
        "purenet train": [(Done(3, 2, 0.98, 0.97), Done(1, 2, 0.98, 0.97))] * 2,
        "X": [(Done(9, 4, 0.99, 0.97), Done(n, 4, 0.9, 0.95)) for n in (2, 4)],
    }
    head, _, row = whole_job.rows(found, 0.98)
    told = dict(zip(head, row, strict=True))
    assert (told["first run s"], told["warm run s"], told["warm × purenet"]) == (
        "9.00",
        "3.00",
        "3.00",
    )
    assert (told["reached"], told["test accuracy"]) == ("0 of 2", "0.9500")


def test_a_job_that_fails_is_left_out_and_said(toy, capsys):
    broken = NUMPY._replace(function="absent")
    assert whole_job.measure([broken, NUMPY], toy, 1, TOY).keys() == {whole_job.label(NUMPY)}
    assert "left out: NumPy: in place: AttributeError" in capsys.readouterr().out


def test_the_settings_are_options():
    options = whole_job._parser().parse_args(
        ["--hidden", "512", "--epochs", "5", "--rate", "0.007"]
    )
    settings = whole_job._settings(options)
    assert settings.sizes == (784, 512, 10)
    assert (settings.epochs, settings.rate, settings.batch) == (5, 0.007, whole_job.MNIST.batch)


def test_the_data_have_to_be_named(capsys):
    assert whole_job.main([]) == 2
    assert "--data FOLDER" in capsys.readouterr().err


@pytest.mark.slow
def test_a_whole_run_prints_the_table_and_writes_every_number(tmp_path, capsys):
    file = tmp_path / "found.json"
    assert whole_job.main(["--quick", "--peer", "NumPy", "--json", str(file)]) == 0
    out = capsys.readouterr().out
    assert "| purenet train " in out
    assert "left out" not in out
    found = json.loads(file.read_text())
    assert list(found) == ["purenet train", whole_job.label(NUMPY)]
    assert found["purenet train"][0][1][0] > 0
