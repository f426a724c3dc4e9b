"""`purenet train` as a user types it: what it prints, what it writes, what it refuses."""

import csv
import re

import numpy as np
import pytest

from purenet import checkpoint
from purenet.cli import main

# What is looked at is words, and figures of a few digits.
pytestmark = pytest.mark.usefixtures("quick_compiling")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(capsys, *options):
    code = main(["train", *options])
    out, err = capsys.readouterr()
    return code, out, err


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_flowers(path, count=60):
    rng = np.random.default_rng(0)
    sizes = rng.uniform(1, 9, count)
    rows = [(f"{s:.3f}", rng.choice(["red", "blue"]), "big" if s > 5 else "small") for s in sizes]
    write_csv(path, ["size", "colour", "kind"], rows)


def write_houses(path, count=60):
    areas = np.linspace(50, 250, count)
    write_csv(path, ["area", "price"], [(f"{a:.1f}", f"{3000 * a + 20000:.0f}") for a in areas])


def test_the_default_data_is_digits_and_the_output_ends_with_figures(capsys):
    code, out, _ = train(capsys, "--epochs", "2", "--hidden", "8")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "digits: classification, 64 features, 10 classes"
    assert "network 64-8-10 (relu, softmax), 610 parameters" in lines[2]
    assert [line[:9] for line in lines[3:5]] == ["epoch   1", "epoch   2"]
    assert re.fullmatch(r"test accuracy 0\.\d{4}", lines[-3])
    assert re.fullmatch(r"time [\d.]+ s: [\d.]+ s compiling, [\d.]+ s training", lines[-2])
    assert lines[-1] == "model saved to digits.safetensors"


def test_two_runs_with_a_seed_print_and_save_the_same(capsys, folder):
    first = train(capsys, "--epochs", "2", "--hidden", "8", "--seed", "3", "--save", "a.st")
    second = train(capsys, "--epochs", "2", "--hidden", "8", "--seed", "3", "--save", "b.st")

    def figures(out):
        return [line for line in out.splitlines() if line.startswith(("epoch", "test"))]

    assert figures(first[1]) == figures(second[1])
    assert (folder / "a.st").read_bytes() == (folder / "b.st").read_bytes()


def test_a_csv_classification_keeps_its_columns_and_classes_in_the_model(capsys):
    write_flowers("flowers.csv")
    code, out, _ = train(capsys, "--data", "flowers.csv", "--epochs", "3", "--quiet")
    assert code == 0
    assert "epoch" not in out.split("stopped")[0]
    model = checkpoint.load("flowers.safetensors")
    assert model.class_names == ("big", "small")
    assert model.table.feature_names == ("size", "colour=blue", "colour=red")


def test_a_csv_regression_is_reported_in_the_unit_of_the_target(capsys):
    write_houses("houses.csv")
    code, out, _ = train(
        capsys,
        "--data",
        "houses.csv",
        "--hidden",
        "0",
        "--optimizer",
        "lbfgs",
        "--batch-size",
        "all",
        "--epochs",
        "20",
        "--quiet",
    )
    assert code == 0
    rmse, r_squared = map(float, re.search(r"test RMSE (\S+) \(R² (\S+)\)", out).groups())
    # The target is a straight line, with a spread of some 170,000 between the rows.
    assert rmse < 1700
    assert r_squared > 0.9999


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity"])
def test_classes_can_be_trained_with_squared_error(capsys, output):
    write_flowers("flowers.csv")
    code, out, _ = train(
        capsys,
        "--data",
        "flowers.csv",
        "--loss",
        "half_mean_squared_error",
        "--output",
        output,
        "--epochs",
        "2",
    )
    assert code == (2 if output == "softmax" else 0)
    if code == 0:
        assert "network 3-256-1" in out


def test_binary_cross_entropy_uses_one_sigmoid_unit_for_two_classes(capsys):
    write_flowers("flowers.csv")
    code, out, _ = train(
        capsys,
        "--data",
        "flowers.csv",
        "--loss",
        "binary_cross_entropy",
        "--epochs",
        "40",
        "--batch-size",
        "8",
        "--learning-rate",
        "0.01",
    )
    assert code == 0
    assert "network 3-256-1 (relu, sigmoid)" in out
    assert float(re.search(r"test accuracy (\S+)", out)[1]) > 0.8


def test_the_stop_rules_are_options(capsys):
    small = "--hidden", "4", "--quiet", "--epochs", "9"
    assert "stopped: 50 updates done" in train(capsys, *small, "--max-updates", "50")[1]
    assert "reached the target 0.01" in train(capsys, *small, "--target-metric", "0.01")[1]
    out = train(capsys, *small, "--patience", "1", "--tolerance", "10")[1]
    assert "validation_loss converged: within 10 for 1 epochs" in out


def test_every_training_option_is_taken(capsys):
    code, out, err = train(
        capsys,
        "--epochs",
        "2",
        "--hidden",
        "8,6",
        "--activation",
        "tanh,gelu",
        "--init",
        "glorot_normal",
        "--compute-dtype",
        "bfloat16",
        "--precision",
        "highest",
        "--optimizer",
        "adamw",
        "--learning-rate",
        "0.01",
        "--bias-learning-rate",
        "0.02",
        "--schedule",
        "cosine",
        "--weight-decay",
        "0.1",
        "--batch-size",
        "64",
        "--class-weights",
        "balanced",
        "--stream-above",
        "1",
        "--keep",
        "last",
        "--validation",
        "0.2",
        "--test",
        "0.1",
        "--metric",
        "accuracy",
        "--seed",
        "5",
    )
    assert (code, err) == (0, "")
    assert "network 64-8-6-10 (tanh, gelu, softmax)" in out
    assert "the last epoch's parameters are kept" in out


def test_with_class_weights_the_balanced_accuracy_is_told_too(capsys):
    small = "--epochs", "2", "--hidden", "4", "--quiet"
    assert "balanced" not in train(capsys, *small)[1]
    weighted = train(capsys, *small, "--class-weights", "balanced")[1]
    assert re.search(r"test balanced accuracy 0\.\d{4}", weighted)


def test_rmse_is_in_the_unit_of_the_target(capsys):
    write_houses("houses.csv")
    options = "--data", "houses.csv", "--epochs", "2", "--metric", "rmse"
    out = train(capsys, *options)[1]
    last = float(re.findall(r"rmse (\S+)", out)[1])
    test = float(re.search(r"test RMSE (\S+)", out)[1])
    assert 0.3 < last / test < 3
    aimed = train(capsys, *options, "--target-metric", "20")[1]
    assert "reached" not in aimed


def write_dollars(path):
    write_csv(
        path,
        ["area", "day", "price"],
        [(str(a), f"2026-01-{a:02d}", f"${a},000") for a in range(1, 29)] * 3,
    )


def test_what_looks_like_a_mistake_is_noted_and_not_refused(capsys):
    write_dollars("dollars.csv")
    code, _, err = train(capsys, "--data", "dollars.csv", "--epochs", "1", "--quiet")
    assert code == 0
    assert "the target has 28 classes ('$1,000', '$10,000', …)" in err
    assert "column 'day' has 28 categories" in err
    assert "--drop day" in err
    assert train(capsys, "--epochs", "1", "--quiet")[2] == ""


def test_a_model_that_is_replaced_is_said_to_be(capsys):
    small = "--epochs", "1", "--hidden", "2", "--quiet"
    assert "replaced" not in train(capsys, *small)[1]
    assert "(the file that was there is replaced)" in train(capsys, *small)[1]


def test_class_weights_by_name_change_the_result(capsys):
    write_flowers("flowers.csv")
    figures = [
        train(capsys, "--data", "flowers.csv", "--epochs", "1", *weights)[1].splitlines()[4]
        for weights in ((), ("--class-weights", "big=9"))
    ]
    assert figures[0] != figures[1]


def test_history_and_picture_are_written(capsys, folder):
    train(capsys, "--epochs", "3", "--hidden", "4", "--history", "h.csv", "--plot", "p.png")
    rows = list(csv.DictReader((folder / "h.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[2]["loss"]) < float(rows[0]["loss"])
    assert (folder / "p.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


REFUSED = {
    "data": (["--data", "digts"], "did you mean 'digits'?"),
    "file": (["--data", "absent.csv"], "absent.csv: there is no such file"),
    "activation": (["--activation", "rleu"], "did you mean 'relu'?"),
    "output": (["--output", "softmx"], "--output: unknown activation 'softmx'; did you mean"),
    "step": (["--activation", "step"], "'step' has no usable derivative"),
    "loss": (["--loss", "cross_entrpy"], "did you mean 'cross_entropy'?"),
    "pair": (["--output", "tanh"], "goes with output='softmax'"),
    "init": (["--init", "he"], "--init: unknown initialisation 'he'"),
    "patience": (["--validation", "0", "--patience", "3"], "--patience needs validation examples"),
    "metric": (["--metric", "acuracy"], "did you mean 'accuracy'?"),
    "count": (["--activation", "relu,tanh"], "1 hidden layers need 1 activations"),
    "hidden": (["--hidden", "a"], "argument --hidden: expected whole numbers"),
    "epochs": (["--epochs", "0"], "expected a whole number of at least 1, got '0'"),
    "batch": (["--batch-size", "none"], "expected a whole number of at least 1, got 'none'"),
    "rate": (["--learning-rate", "-1"], "expected a number above 0, got '-1'"),
    "fraction": (["--test", "1.5"], "expected a fraction"),
    "optimizer": (["--optimizer", "adm"], "invalid choice: 'adm'"),
    "decay": (["--weight-decay", "1"], "--weight-decay goes with --optimizer adamw"),
    "lbfgs": (["--optimizer", "lbfgs", "--schedule", "cosine"], "line search"),
    "weights": (["--class-weights", "cat=2"], "class names 0, 1, 2"),
    "weight": (["--class-weights", "1=x"], "the weight in '1=x' is not a number"),
    "target": (["--target", "a"], "target= does not go with digits"),
    "save": (["--save", "absent/m.st"], "cannot be written"),
    "plot": (["--plot", "p.xyz"], "--plot: a file that ends in .png"),
    "unknown": (["--hidn", "3"], "unrecognized arguments: --hidn 3"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(capsys, kind):
    options, message = REFUSED[kind]
    try:
        code = main(["train", *options])
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    assert code == 2
    assert err.startswith("purenet")
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err


BAD_FILES = {
    "ragged": ("a,b\n1,2\n3\n", "row 3"),
    "missing": ("a,b\n" + "1,2\n2,3\n" * 9 + ",4\n", "row 20, column 'a': the value is missing"),
    "one class": ("a,b\n" + "1,x\n" * 20, "class"),
    "empty": ("", "bad.csv"),
    "header only": ("a,b\n", "bad.csv"),
    "infinite": ("a,b\n" + "1,0\n2,1\n" * 9 + "inf,1\n", "row 20, column 'a'"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_line_that_says_where(capsys, folder, kind):
    content, message = BAD_FILES[kind]
    (folder / "bad.csv").write_text(content)
    code, _, err = train(capsys, "--data", "bad.csv")
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("purenet train: ")
    assert message in err


def test_help_tells_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "--help"])
    assert ended.value.code == 0
    assert "--class-weights" in capsys.readouterr().out
