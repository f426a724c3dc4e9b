"""A new file is encoded by column name with the table's numbers, or refused with the place."""

import numpy as np
import pytest

from purenet.data import (
    ClassTarget,
    NumberTarget,
    NumericColumn,
    Records,
    Table,
    TextColumn,
    encode_records,
)

AREA = NumericColumn("area", 100.0, 20.0)
TOWN = TextColumn("town", ("Bern", "Chur"))
PRICE = NumberTarget("price", 300.0, 50.0)
SOLD = ClassTarget("sold", ("no", "yes"))
STARS = ClassTarget("stars", ("1", "2", "2.5"))


def records(**columns: tuple[str, ...]) -> Records:
    rows = len(next(iter(columns.values())))
    return Records("new.csv", tuple(range(2, 2 + rows)), columns)


def test_features_stand_in_the_order_of_the_table():
    encoded = encode_records(
        Table((AREA, TOWN), PRICE),
        records(note=("x", "y"), price=("350", "250"), town=("Chur", "Bern"), area=("90", "120")),
    )
    assert encoded.x.tolist() == [[-0.5, 0, 1], [1, 1, 0]]
    assert encoded.x.dtype == np.float32
    assert encoded.y.tolist() == [[1], [-1]]
    assert encoded.y.dtype == np.float32
    assert encoded.unseen == {}


def test_the_target_may_be_absent_or_ignored():
    table = Table((AREA,), SOLD)
    assert encode_records(table, records(area=("1",))).y is None
    given = records(area=("1",), sold=("?",))
    assert encode_records(table, given, with_target=False).y is None
    with pytest.raises(ValueError, match=r"row 2, column 'sold'.*missing"):
        encode_records(table, given)


def test_unseen_categories_are_zeros_and_are_counted_by_column():
    table = Table((TOWN, TextColumn("heating", ("gas",)), TextColumn("roof", ("flat",))), PRICE)
    encoded = encode_records(
        table,
        records(town=("Oslo", "Bern", "bern"), heating=("gas",) * 3, roof=("x", "flat", "flat")),
    )
    assert encoded.x.tolist() == [[0, 0, 1, 0], [1, 0, 1, 1], [0, 0, 1, 1]]
    assert encoded.unseen == {"town": 2, "roof": 1}


def test_labels_are_places_in_the_classes():
    encoded = encode_records(Table((AREA,), SOLD), records(area=("1", "2"), sold=("yes", "no")))
    assert encoded.y.tolist() == [1, 0]
    assert encoded.y.dtype == np.int32


def test_classes_that_are_numbers_are_compared_as_numbers():
    cells = ("1", "1.0", "+2", "2e0", "2.50")
    encoded = encode_records(Table((AREA,), STARS), records(area=("1",) * 5, stars=cells))
    assert encoded.y.tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"town": ("Bern",)}, "new.csv: there is no column 'area'"),
        ({"Area": ("1",), "town": ("Bern",)}, "no column 'area'; did you mean 'Area'"),
        ({"area": ("1", "x"), "town": ("Bern",) * 2}, "row 3, column 'area': expected a number"),
        ({"area": ("1", ""), "town": ("Bern",) * 2}, "row 3, column 'area': the value is missing"),
        ({"area": ("1", "1"), "town": ("Bern", "NA")}, "row 3, column 'town': .* missing"),
        ({"area": ("1e200",), "town": ("Bern",)}, "row 2, column 'area': 1e\\+200 is too far"),
        ({"area": ("1",), "town": ("Bern",), "sold": ("yess",)}, "'yess' is not a class.*'yes'"),
    ],
)
def test_what_does_not_fit_the_table_is_named(columns, reason):
    with pytest.raises(ValueError, match=reason):
        encode_records(Table((AREA, TOWN), SOLD), records(**columns))
