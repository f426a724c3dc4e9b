"""Rows of a CSV file as the arrays that a network takes, by the rules of a `Table`."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Shaped

from purenet.data.records import Records, is_number
from purenet.data.table import ClassTarget, NumberTarget, NumericColumn, Table, TextColumn
from purenet.words import did_you_mean


class Encoded(NamedTuple):
    """Features (n, features) float32, the target where the file has it, and a note.

    `y` is (n,) int32 labels or (n, 1) float32 standardised numbers, or None. `unseen` maps the
    name of each text column to the number of rows whose category the table does not know
    (their features in that column are all 0); columns without such a row are not in it.
    """

    x: Float32[np.ndarray, "n features"]
    y: Shaped[np.ndarray, " n *outputs"] | None
    unseen: dict[str, int]


def encode_records(table: Table, records: Records, with_target: bool = True) -> Encoded:
    """The rows of a file as features, by column name.

    The order of the file's columns is free and columns that the table does not name are
    ignored. The target column may be absent.

    Args:
        table: how columns become features.
        records: the file, from `read_records`.
        with_target: False ignores the target column even where the file has one.

    Raises:
        ValueError: a column of the table is not in the file, a value is missing, text stands
            where a number is expected, a number is too large for float32 once scaled, or the
            target is a class that the table does not know. The message names row and column.

    >>> table = Table(
    ...     (NumericColumn("area", 100.0, 20.0), TextColumn("town", ("Bern", "Chur"))),
    ...     NumberTarget("price", 300.0, 50.0),
    ... )
    >>> cells = {"town": ("Chur", "Oslo"), "area": ("120", "90")}
    >>> encoded = encode_records(table, Records("rooms.csv", (2, 3), cells))
    >>> encoded.x.tolist(), encoded.y, encoded.unseen
    ([[1.0, 0.0, 1.0], [-0.5, 0.0, 0.0]], None, {'town': 1})
    """
    blocks = [_features(column, records) for column in table.columns]
    unseen = {
        column.name: int((block.sum(axis=1) == 0).sum())
        for column, block in zip(table.columns, blocks, strict=True)
        if isinstance(column, TextColumn) and (block.sum(axis=1) == 0).any()
    }
    given = with_target and table.target.name in records.columns
    y = _target(table.target, records) if given else None
    return Encoded(np.concatenate(blocks, axis=1), y, unseen)


def _features(
    column: NumericColumn | TextColumn, records: Records
) -> Float32[np.ndarray, "n width"]:
    if isinstance(column, NumericColumn):
        return _standardised(column, records)
    return one_hot(records.cells(column.name), column.categories)


def _standardised(
    column: NumericColumn | NumberTarget, records: Records
) -> Float32[np.ndarray, "n 1"]:
    values = records.numbers(column.name)
    with np.errstate(over="ignore"):
        scaled = ((values - column.offset) / column.scale).astype(np.float32)
    too_large = np.flatnonzero(~np.isfinite(scaled))
    if len(too_large):
        row = int(too_large[0])
        raise ValueError(
            f"{records.where(row, column.name)}: {values[row]} is too far from the training data "
            f"(offset {column.offset}, scale {column.scale}) for float32"
        )
    return scaled[:, None]


def one_hot(
    cells: tuple[str, ...], categories: tuple[str, ...]
) -> Float32[np.ndarray, "n categories"]:
    """1 at the place of each cell's category; a row of zeros where it has none.

    >>> one_hot(("b", "x"), ("a", "b")).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    place = {category: i for i, category in enumerate(categories)}
    found = [(row, place[cell]) for row, cell in enumerate(cells) if cell in place]
    block = np.zeros((len(cells), len(categories)), np.float32)
    rows_and_places = np.array(found, np.int64).reshape(-1, 2)
    block[rows_and_places[:, 0], rows_and_places[:, 1]] = 1
    return block


def _target(
    target: ClassTarget | NumberTarget, records: Records
) -> Int32[np.ndarray, " n"] | Float32[np.ndarray, "n 1"]:
    if isinstance(target, NumberTarget):
        return _standardised(target, records)
    names = class_of_cell(records.cells(target.name), all(map(is_number, target.classes)))
    label = {name: i for i, name in enumerate(target.classes)}
    for row, name in enumerate(names):
        if name not in label:
            raise ValueError(
                f"{records.where(row, target.name)}: {name!r} is not a class of the training "
                f"data{did_you_mean(name, target.classes)}"
            )
    return np.array([label[name] for name in names], np.int32)


def class_of_cell(cells: tuple[str, ...], as_numbers: bool) -> tuple[str, ...]:
    """The class that each cell names: the text itself, or a number in its shortest form.

    >>> class_of_cell(("1", "1.0", "+1", "2.50", "x"), as_numbers=True)
    ('1', '1', '1', '2.5', 'x')
    """
    if not as_numbers:
        return cells
    return tuple(_shortest(cell) if is_number(cell) else cell for cell in cells)


def _shortest(cell: str) -> str:
    value = float(cell)
    # Beyond 2^53 a float no longer tells neighbouring integers apart.
    if abs(value) >= 2**53:
        return cell
    return str(int(value)) if value.is_integer() else repr(value)
