"""A CSV file becomes a data set by the stated rules."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purenet.data import (
    ClassTarget,
    NumericColumn,
    Table,
    TextColumn,
    encode_records,
    read_csv,
    read_records,
)

TOWNS = ("Bern", "Chur", "Genf")


@pytest.fixture
def write(tmp_path):
    def write(header: str, rows):
        path = tmp_path / "rooms.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header.split(","), *rows])
        return path

    return write


def rooms(n: int = 40) -> list[tuple]:
    """Rows of id, area, town, price, with price = 3 area + 10 * (place of the town)."""
    return [(f"r{i}", 20 + i, TOWNS[i % 3], 3 * (20 + i) + 10 * (i % 3)) for i in range(n)]


def test_price_of_rooms(write):
    path = write("id,area,town,price", rooms())
    data = read_csv(path, drop=["id"], seed=1)
    assert data.name == "rooms.csv"
    assert data.task == "regression"
    assert data.class_names == ()
    assert data.input_scaling is None
    assert data.table.feature_names == ("area", "town=Bern", "town=Chur", "town=Genf")
    assert [len(part.x) for part in (data.train, data.validation, data.test)] == [28, 4, 8]
    for part in (data.train, data.validation, data.test):
        area, towns = part.x[:, 0], part.x[:, 1:]
        price = data.target_scaling.restore(part.y)[:, 0]
        column = data.table.columns[0]
        expected = 3 * (area * column.scale + column.offset) + towns @ [0, 10, 20]
        assert np.allclose(price, expected, rtol=1e-5)
        assert part.x.dtype == np.float32
        assert part.y.dtype == np.float32


def test_the_statistics_are_those_of_the_training_rows(write):
    data = read_csv(write("id,area,town,price", rooms()), drop=["id"])
    for values in (data.train.x[:, 0], data.train.y[:, 0]):
        assert values.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
        assert values.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert abs(data.test.x[:, 0].mean()) > 1e-6


def test_the_categories_are_those_of_the_training_rows(write):
    """Half of the rows have a town of their own, which only a training row makes a category."""
    rows = [(i, f"t{i}" if i < 20 else "common", 2.5 * i) for i in range(40)]
    data = read_csv(write("x,town,y", rows), test=0.5)
    number, town = data.table.columns
    trained = np.round(data.train.x[:, 0] * number.scale + number.offset).astype(int)
    assert set(town.categories) == {rows[i][1] for i in trained}
    assert len(town.categories) < 21
    assert (data.test.x[:, 1:].sum(axis=1) == 0).any()


def test_the_seed_decides_the_split(write):
    path = write("id,area,town,price", rooms())
    first, again, other = (read_csv(path, drop=["id"], seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.test.y, again.test.y)
    assert first.table == again.table
    assert first.table != other.table


def test_a_new_file_is_encoded_as_the_training_rows_were(write):
    """With every row for training, encoding the file again gives the training arrays."""
    path = write("id,area,town,price", rooms())
    data = read_csv(path, drop=["id"], validation=0, test=0)
    table = Table.from_json(json.loads(json.dumps(data.table.to_json())))
    encoded = encode_records(table, read_records(path))
    assert np.array_equal(encoded.x, data.train.x)
    assert np.array_equal(encoded.y, data.train.y)


def test_text_targets_are_classes_in_alphabetic_order(write):
    data = read_csv(write("id,area,town,price", rooms()), target="town", drop=["id", "price"])
    assert data.task == "classification"
    assert data.class_names == ("Bern", "Chur", "Genf")
    assert data.table.target == ClassTarget("town", TOWNS)
    assert data.target_scaling is None
    assert data.train.y.dtype == np.int32
    column = data.table.columns[0]
    for part in (data.train, data.validation, data.test):
        area = np.round(part.x[:, 0] * column.scale + column.offset)
        assert np.array_equal((area - 20) % 3, part.y)


def test_classes_that_are_numbers_are_sorted_as_numbers(write):
    rows = [(i, (2, 10, -1)[i % 3]) for i in range(30)]
    data = read_csv(write("x,y", rows))
    assert data.class_names == ("-1", "2", "10")


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        ([i % 20 for i in range(50)], "classification"),
        ([i % 21 for i in range(50)], "regression"),
        ([i % 4 for i in range(9)], "classification"),
        ([i % 5 for i in range(10)], "regression"),
        ([(i % 2) + 0.5 for i in range(50)], "regression"),
        ([f"{i % 2}.0" for i in range(50)], "classification"),
        (["yes" if i % 2 else "no" for i in range(50)], "classification"),
        (["x" if i % 2 else "1" for i in range(50)], "classification"),
        (["none" if i == 7 else str(i % 2) for i in range(50)], "classification"),
    ],
)
def test_the_rule_for_the_task(write, targets, task):
    data = read_csv(write("x,y", list(enumerate(targets))), validation=0)
    assert data.task == task


def test_the_task_may_be_given(write):
    path = write("x,y", [(i, i % 2) for i in range(20)])
    assert read_csv(path, task="regression").task == "regression"
    path = write("x,y", [(i, i % 2 + 0.5) for i in range(20)])
    data = read_csv(path, task="classification")
    assert data.class_names == ("0.5", "1.5")


def test_every_class_of_three_rows_is_in_every_part(write):
    rows = [(i, "rare" if i % 20 == 0 else "common") for i in range(60)]
    data = read_csv(write("x,y", rows))
    assert all(set(p.y) == {0, 1} for p in (data.train, data.validation, data.test))


def test_a_constant_column_has_scale_1(write):
    data = read_csv(write("one,x,y", [(0.1, i, 2.5 * i) for i in range(20)]))
    assert data.table.columns[0].offset == pytest.approx(0.1)
    assert data.table.columns[0].scale == 1.0
    assert not data.train.x[:, 0].any()


def test_integers_stay_numbers_unless_they_are_called_text(write):
    path = write("postcode,y", [((3000, 7000)[i % 2], 2.5 * i) for i in range(20)])
    assert isinstance(read_csv(path).table.columns[0], NumericColumn)
    assert read_csv(path, text=["postcode"]).table.columns == (
        TextColumn("postcode", ("3000", "7000")),
    )


@given(
    st.lists(st.integers(-(10**6), 10**6).map(lambda v: v / 64), min_size=20, max_size=40),
    st.integers(0, 1000),
)
def test_numbers_come_back_from_the_scaled_features(tmp_path_factory, values, seed):
    path = tmp_path_factory.mktemp("csv") / "values.csv"
    path.write_text("x,y\n" + "".join(f"{v!r},{-v!r}\n" for v in values))
    data = read_csv(path, task="regression", seed=seed)
    column = data.table.columns[0]
    found = [
        value
        for part in (data.train, data.validation, data.test)
        for value in part.x[:, 0].astype(np.float64) * column.scale + column.offset
    ]
    assert np.allclose(sorted(found), sorted(values), rtol=1e-5, atol=1e-6 * column.scale + 1e-6)


GOOD = [(i, "ab"[i % 2], 1.5 * i) for i in range(20)]


def with_cell(row: int, column: int, value) -> list[tuple]:
    rows = [list(cells) for cells in GOOD]
    rows[row][column] = value
    return [tuple(cells) for cells in rows]


@pytest.mark.parametrize(
    ("rows", "options", "reason"),
    [
        (with_cell(3, 0, ""), {}, "row 5, column 'x': the value is missing"),
        (with_cell(3, 1, "?"), {}, "row 5, column 't': the value is missing"),
        (with_cell(3, 2, "NA"), {}, "row 5, column 'y': the value is missing"),
        (
            with_cell(3, 0, "many"),
            {},
            "row 5, column 'x': expected a number, found 'many'.*--drop x",
        ),
        (with_cell(3, 0, "inf"), {}, "row 5, column 'x': expected a number, found 'inf'"),
        (with_cell(3, 0, "1e999"), {}, "row 5, column 'x': '1e999' is beyond"),
        (with_cell(3, 2, "-inf"), {}, "row 5, column 'y': expected a number, found '-inf'"),
        (with_cell(3, 2, "x"), {"task": "regression"}, "row 5, column 'y': expected a number"),
        (GOOD, {"target": "Y!"}, "target: there is no column 'Y!'"),
        (GOOD, {"drop": ["tt"]}, "drop: there is no column 'tt'; did you mean 't'"),
        (GOOD, {"text": ["z"]}, "text: there is no column 'z'"),
        (GOOD, {"target": "y", "drop": ["y"]}, "the target column is dropped"),
        (GOOD, {"drop": ["x", "t", "y"]}, "the target column is dropped"),
        (GOOD, {"drop": ["x", "t"]}, "no column is left beside the target 'y'"),
        (GOOD, {"task": "regresion"}, "task='regresion' is unknown; did you mean 'regression'"),
        (GOOD, {"task": "classification"}, "the target 'y' has 20 classes in 20 rows"),
        (GOOD, {"validation": 1.5}, r"rooms\.csv: validation=1.5"),
        (GOOD[:2], {}, r"rooms\.csv: 2 rows are too few for validation=0.1"),
        ([(i, "a", "only") for i in range(9)], {}, "'y' has one class only: 'only'"),
        ([(i, f"id{i}", i) for i in range(9)], {}, "'t' has 9 categories in 9 rows.*--drop t"),
        ([(i, f"{i % 3},5", i) for i in range(9)], {}, "column 't' has decimal commas"),
    ],
)
def test_what_cannot_be_used_is_named(write, rows, options, reason):
    with pytest.raises(ValueError, match=reason):
        read_csv(write("x,t,y", rows), **options)


def test_too_many_categories_are_refused(write):
    rows = [(i, f"c{i % 1001}", i % 2) for i in range(2100)]
    with pytest.raises(ValueError, match=r"'t' has 1001 categories in 2100 rows.*--drop t"):
        read_csv(write("x,t,y", rows))
    assert read_csv(write("x,t,y", rows), drop=["t"]).features == 1


def test_one_wrong_value_among_many_numbers_is_no_class(write):
    rows = [(i, "oops" if i == 30 else 1.5 * i) for i in range(60)]
    with pytest.raises(ValueError, match="row 32, column 'y': expected a number, found 'oops'"):
        read_csv(write("x,y", rows))


def test_a_dropped_column_is_not_looked_at(write):
    data = read_csv(write("x,t,y", with_cell(3, 1, "")), drop=["t"])
    assert data.table.feature_names == ("x",)


def test_the_errors_of_the_file_come_through(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.csv: cannot be read"):
        read_csv(tmp_path / "missing.csv")
