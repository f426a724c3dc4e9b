"""One function finds the data by name or by file."""

import numpy as np
import pytest

from purenet.data import load


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "Rooms.CSV"
    path.write_text("id,area,price\n" + "".join(f"r{i},{i},{2.5 * i}\n" for i in range(20)))
    return path


def test_a_csv_file_with_its_options(csv_file):
    data = load(csv_file, drop=["id"], target="area", task="regression", validation=0, test=0.5)
    assert data.table.feature_names == ("price",)
    assert (len(data.train.x), len(data.validation.x), len(data.test.x)) == (10, 0, 10)


def test_an_npz_file(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.arange(20.0), y=np.arange(20) % 2)
    assert load(str(tmp_path / "data.npz"), test=0.5).test.x.shape == (10, 1)


def test_digits_by_name_with_a_seed():
    first, again, other = (load("digits", seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.test.x, again.test.x)
    assert not np.array_equal(first.test.x, other.test.x)


def test_mnist_by_name_looks_into_the_folder(tmp_path):
    with pytest.raises(ValueError, match="there is no train-images-idx3-ubyte"):
        load("mnist", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("digit", "unknown data 'digit'; did you mean 'digits'"),
        ("MNIST", "unknown data 'MNIST'; did you mean 'mnist'"),
        ("zzz", "unknown data 'zzz'; choose from 'digits', 'mnist', 'FILE.csv', 'FILE.npz'"),
        ("no/such/rooms.csv", r"no/such/rooms\.csv: there is no such file"),
        ("no/such/rooms.npz", r"no/such/rooms\.npz: there is no such file"),
        ("rooms.xlsx", r"rooms\.xlsx: expected a file that ends in \.csv or \.npz"),
    ],
)
def test_an_unknown_source_is_named(source, reason):
    with pytest.raises(ValueError, match=reason):
        load(source)


def test_a_folder_is_no_source(tmp_path):
    with pytest.raises(ValueError, match="expected a file that ends in"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("source", "option"),
    [("digits", {"target": "y"}), ("mnist", {"test": 0.1}), ("digits", {"data_dir": "x"})],
)
def test_an_option_of_another_source_is_refused(source, option):
    (name,) = option
    with pytest.raises(ValueError, match=f"{name}= does not go with {source}: expected"):
        load(source, **option)
