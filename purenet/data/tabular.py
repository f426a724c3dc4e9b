"""A CSV file as a `Dataset`: which column is what, and the table fitted to the training rows."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from purenet.data.dataset import Dataset, Examples, Task, take
from purenet.data.encode import class_of_cell, encode_records
from purenet.data.records import (
    INFINITE,
    Records,
    is_number,
    mostly_numbers,
    read_records,
)
from purenet.data.scaling import TargetScaling, standardisation
from purenet.data.split import Split, split_indices
from purenet.data.table import ClassTarget, NumberTarget, NumericColumn, Table, TextColumn
from purenet.words import count, did_you_mean

TASKS: dict[str, Task] = {"classification": "classification", "regression": "regression"}
MOST_CATEGORIES = 1000
MOST_INTEGER_CLASSES = 20
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


def read_csv(
    path: str | os.PathLike[str],
    target: str | None = None,
    task: str | None = None,
    validation: float | int = 0.1,
    test: float | int = 0.2,
    seed: int = 0,
    drop: Sequence[str] = (),
    text: Sequence[str] = (),
) -> Dataset:
    r"""A CSV file with a header, split and encoded.

    A column is numeric when more than half of its cells are numbers, and text otherwise.
    Numeric columns are standardised with the mean and standard deviation of the training rows
    (a constant column has scale 1); text columns become one feature per category of the
    training rows. `Dataset.table` keeps both, so that `encode_records` treats a new file alike.

    The task, where it is left out: classification if the target has a text value, or if it is
    all integers with at most 20 distinct values, fewer than half the rows; otherwise
    regression. A target that is mostly numbers, with more than 20 distinct values, takes a
    text value for a mistake and is refused. Class names are in numeric order if all are
    numbers, and else in the order of their code points.

    Args:
        path: the file; see `read_records` for its format.
        target: the column to predict; by default the last column that is not dropped.
        task: "classification" or "regression".
        validation: fraction of the rows; see `split_indices`, which draws them.
        test: fraction of the rows.
        seed: of the split.
        drop: columns to leave out.
        text: columns to read as text even where their cells are numbers, such as postcodes.

    Raises:
        ValueError: what `read_records` and `split_indices` raise; an unknown column or task; a
            missing value (empty, ?, NA, N/A, #N/A, NaN or null, in any letter case); text or
            `inf` in a numeric column; a text column with a category for every row or more than
            1000; no feature left; a target with one class, or a class for every row.

    >>> import pathlib, tempfile
    >>> rows = [f"{area},{town},{3 * area}" for area in (20, 35, 50) for town in ("Bern", "Chur")]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "rooms.csv")
    ...     _ = path.write_text("area,town,price\n" + "\n".join(rows))
    ...     rooms = read_csv(path, task="regression", validation=0.2)
    >>> rooms.table.feature_names, rooms.train.x.shape, rooms.train.y.shape
    (('area', 'town=Bern', 'town=Chur'), (4, 3), (4, 1))
    """
    records = read_records(path)
    target = _target_name(records, target, drop)
    features = _feature_names(records, target, drop, text)
    task_ = _task(records, target, task)
    labels = _class_names(records, target) if task_ == "classification" else None
    split = _split(records, labels, validation, test, seed)
    table = Table(
        tuple(_column(records, name, split.train, name in text) for name in features),
        _fit_target(records, target, split.train, labels),
    )
    return _dataset(records, table, task_, split)


def _dataset(records: Records, table: Table, task: Task, split: Split) -> Dataset:
    x, y, _ = encode_records(table, records)
    assert y is not None
    name = os.path.basename(records.file)
    dataset = Dataset(name, task, *take(Examples(x, y), split), table=table)
    if isinstance(table.target, ClassTarget):
        return replace(dataset, class_names=table.target.classes)
    scaling = TargetScaling((table.target.offset,), (table.target.scale,))
    return replace(dataset, target_scaling=scaling)


def _target_name(records: Records, target: str | None, drop: Sequence[str]) -> str:
    for name in drop:
        _check_column(records, name, "drop")
    kept = [name for name in records.columns if name not in drop]
    if target is None and kept:
        return kept[-1]
    if target is None or target in drop:
        raise ValueError(f"{records.file}: the target column is dropped: nothing to predict")
    _check_column(records, target, "target")
    return target


def _feature_names(
    records: Records, target: str, drop: Sequence[str], text: Sequence[str]
) -> list[str]:
    for name in text:
        _check_column(records, name, "text")
    names = [name for name in records.columns if name != target and name not in drop]
    if not names:
        raise ValueError(f"{records.file}: no column is left beside the target {target!r}")
    return names


def _check_column(records: Records, name: str, argument: str) -> None:
    if name not in records.columns:
        choices = did_you_mean(name, records.columns)
        raise ValueError(f"{records.file}: {argument}: there is no column {name!r}{choices}")


def _task(records: Records, target: str, task: str | None) -> Task:
    if task is not None:
        if task not in TASKS:
            raise ValueError(f"task={task!r} is unknown{did_you_mean(task, TASKS)}")
        return TASKS[task]
    cells = records.cells(target)
    if not all(map(is_number, cells)) and not _mistaken(cells):
        return "classification"
    values = records.numbers(target)
    few = len(set(values)) <= MOST_INTEGER_CLASSES and 2 * len(set(values)) < len(values)
    return "classification" if few and (values == np.floor(values)).all() else "regression"


def _mistaken(cells: Sequence[str]) -> bool:
    """Whether the values of a target that are not numbers look like mistakes, not classes."""
    infinite = any(map(INFINITE.fullmatch, cells))
    return mostly_numbers(cells) and (infinite or len(set(cells)) > MOST_INTEGER_CLASSES)


def _class_names(records: Records, target: str) -> tuple[str, ...]:
    """The class of each row."""
    cells = records.cells(target)
    as_numbers = all(map(is_number, cells))
    if as_numbers:
        records.numbers(target)
    names = class_of_cell(cells, as_numbers)
    classes = len(set(names))
    if classes == 1:
        raise ValueError(f"{records.file}: the target {target!r} has one class only: {names[0]!r}")
    if classes == len(names) or classes > MOST_CATEGORIES:
        raise ValueError(
            f"{records.file}: the target {target!r} has {classes} classes in {len(names)} rows: "
            "choose another target, or task 'regression' for numbers"
        )
    return names


def _split(
    records: Records,
    labels: tuple[str, ...] | None,
    validation: float | int,
    test: float | int,
    seed: int,
) -> Split:
    rows = np.array(labels) if labels is not None else len(records.lines)
    try:
        return split_indices(rows, validation, test, seed)
    except ValueError as error:
        raise ValueError(f"{records.file}: {error}") from None


def _column(
    records: Records, name: str, train: np.ndarray, as_text: bool
) -> NumericColumn | TextColumn:
    cells = records.cells(name)
    if not as_text and mostly_numbers(cells):
        return NumericColumn(name, *_statistics(records, name, train))
    _check_text(records.file, name, cells)
    return TextColumn(name, tuple(sorted({cells[row] for row in train})))


def _statistics(records: Records, name: str, train: np.ndarray) -> tuple[float, float]:
    try:
        values = records.numbers(name)
    except ValueError as error:
        raise ValueError(f"{error}; correct it, or use --drop {name}") from None
    (offset,), (scale,) = standardisation(values[train][:, None])
    return offset, scale


def _check_text(file: str, name: str, cells: tuple[str, ...]) -> None:
    categories = len(set(cells))
    if 2 * sum(map(bool, map(DECIMAL_COMMA.fullmatch, cells))) > len(cells):
        raise ValueError(
            f"{file}: column {name!r} has decimal commas ({cells[0]!r}): write a point instead"
        )
    if categories == len(cells) or categories > MOST_CATEGORIES:
        raise ValueError(
            f"{file}: text column {name!r} has {count(categories, 'category')} in "
            f"{count(len(cells), 'row')} (at most {MOST_CATEGORIES}, and fewer than the rows): "
            f"if it identifies the row, leave it out with --drop {name}"
        )


def _fit_target(
    records: Records, name: str, train: np.ndarray, labels: tuple[str, ...] | None
) -> ClassTarget | NumberTarget:
    if labels is None:
        (offset,), (scale,) = standardisation(records.numbers(name)[train][:, None])
        return NumberTarget(name, offset, scale)
    order = float if all(map(is_number, labels)) else str
    return ClassTarget(name, tuple(sorted(set(labels), key=order)))
