"""`purenet predict`: a saved model on new files."""

import csv
import io
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import purenet as pn
from purenet import checkpoint
from purenet.checkpoint import Model
from purenet.cli import main
from purenet.data import ClassTarget, NumberTarget, NumericColumn, Table, TextColumn
from purenet.data.scaling import TargetScaling

# What is looked at is words, and figures of a few digits.
pytestmark = pytest.mark.usefixtures("quick_compiling")

COLUMNS = (NumericColumn("area", 100.0, 20.0), TextColumn("town", ("Bern", "Chur")))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(path, outputs, output="identity", features=3, **known):
    net = pn.mlp([features, outputs], output=output)
    model = Model(net, net.init(jax.random.key(0)), **known)
    checkpoint.save(path, model)
    return model


def classifier():
    return save(
        "m.st",
        2,
        "softmax",
        class_names=("flat", "house"),
        table=Table(COLUMNS, ClassTarget("kind", ("flat", "house"))),
    )


def predict(capsys, *options):
    code = main(["predict", *options])
    out, err = capsys.readouterr()
    return code, list(csv.reader(io.StringIO(out))), err


def test_a_table_is_read_by_column_name_and_every_row_is_predicted(capsys, folder):
    model = classifier()
    (folder / "new.csv").write_text("town,extra,area\nBern,7,120\nChur,8,90\n")
    code, rows, err = predict(capsys, "m.st", "new.csv")
    x = np.array([[1.0, 1, 0], [-0.5, 0, 1]], np.float32)
    p = np.asarray(model.net.apply(model.params, x))
    assert (code, err) == (0, "")
    assert rows[0] == ["prediction", "p(flat)", "p(house)"]
    assert [row[0] for row in rows[1:]] == [("flat", "house")[k] for k in p.argmax(axis=1)]
    np.testing.assert_allclose(np.array(rows[1:])[:, 1:].astype(float), p, rtol=1e-5)


def test_a_known_target_is_scored_and_an_unseen_category_is_noted(capsys, folder):
    classifier()
    (folder / "new.csv").write_text("area,town,kind\n120,Oslo,flat\n90,Chur,house\n")
    code, rows, err = predict(capsys, "m.st", "new.csv", "--output", "out.csv")
    assert (code, rows) == (0, [])
    assert len((folder / "out.csv").read_text().splitlines()) == 3
    assert "column 'town': 1 of 2 values are unknown from training" in err
    assert "on the 2 rows, whose class is known" in err


def test_numbers_come_back_in_their_own_unit(capsys, folder):
    model = save(
        "m.st",
        1,
        table=Table(COLUMNS, NumberTarget("price", 300.0, 50.0)),
        target_scaling=TargetScaling((300.0,), (50.0,)),
    )
    (folder / "new.csv").write_text("area,town,price\n120,Bern,1\n")
    code, rows, err = predict(capsys, "m.st", "new.csv")
    a = float(model.net.apply(model.params, np.array([[1.0, 1, 0]], np.float32))[0, 0])
    assert code == 0
    assert rows[0] == ["prediction"]
    assert float(rows[1][0]) == pytest.approx(300 + 50 * a, rel=1e-6)
    assert f"RMSE {abs(300 + 50 * a - 1):.4g}" in err


def test_images_come_from_an_npz_file_and_are_flattened(capsys):
    model = save("m.st", 2, "softmax", features=4, class_names=("a", "b"))
    x = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    np.savez("x.npz", x=x)
    _, rows, _ = predict(capsys, "m.st", "x.npz")
    p = np.asarray(model.net.apply(model.params, x.reshape(3, 4)))
    np.testing.assert_allclose(np.array(rows[1:])[:, 1:].astype(float), p, rtol=1e-5)


def test_one_sigmoid_unit_is_the_probability_of_the_second_class(capsys, folder):
    model = save("m.st", 1, "sigmoid", class_names=("no", "yes"), features=1)
    (folder / "new.csv").write_text("u\n-9\n9\n")
    _, rows, _ = predict(capsys, "m.st", "new.csv")
    a = np.asarray(model.net.apply(model.params, np.array([[-9.0], [9]], np.float32)))[:, 0]
    assert rows[0] == ["prediction", "p(yes)"]
    assert [row[0] for row in rows[1:]] == ["yes" if p >= 0.5 else "no" for p in a]


REFUSED = {
    "model": (["absent.st", "x.csv"], "absent.st: there is no such file"),
    "file": (["m.st", "absent.csv"], "absent.csv"),
    "column": (["m.st", "narrow.csv"], "there is no column 'town'"),
    "missing": (["m.st", "hole.csv"], "row 3, column 'area': the value is missing"),
    "text": (["m.st", "word.csv"], "row 2, column 'area'"),
    "npz": (["m.st", "x.npz"], "the model was trained on a CSV file"),
    "digits": (["m.st", "digits"], "the model was not trained on digits"),
    "folder": (["m.st", "x.npz", "--data-dir", "."], "--data-dir goes with mnist"),
    "damaged": (["damaged.st", "hole.csv"], "damaged.st: not a readable safetensors file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(capsys, folder, kind):
    classifier()
    (folder / "narrow.csv").write_text("area\n120\n")
    (folder / "hole.csv").write_text("area,town\n120,Bern\n,Chur\n")
    (folder / "word.csv").write_text("area,town\nwide,Bern\n")
    (folder / "damaged.st").write_bytes((folder / "m.st").read_bytes()[:50])
    np.savez("x.npz", x=np.zeros((2, 3)))
    options, message = REFUSED[kind]
    code, rows, err = predict(capsys, *options)
    assert (code, rows) == (2, [])
    assert err.startswith("purenet predict: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("seed", [0, 3])
def test_the_test_examples_of_the_model_are_the_ones_that_it_has_not_seen(capsys, seed):
    main(["train", "--seed", str(seed), "--test", "0.1", "--epochs", "3", "--quiet"])
    trained = capsys.readouterr().out
    _, rows, err = predict(capsys, "digits.safetensors", "digits")
    figure = trained.split("test accuracy ")[1].split()[0]
    assert f"accuracy {figure} on the {len(rows) - 1} rows" in err


def test_a_reader_that_leaves_early_is_no_error(folder):
    classifier()
    (folder / "new.csv").write_text("area,town\n" + "120,Bern\n" * 20000)
    command = f"{sys.executable} -m purenet predict m.st new.csv | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "prediction,p(flat),p(house)\n"
