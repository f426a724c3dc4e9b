"""What looks like a mistake in the data, said before training on standard error; never refused."""

import sys

from purenet.data import Dataset, TextColumn


def tell(dataset: Dataset) -> None:
    """Write a line for each thing that a person would want to look at again."""
    for line in notes(dataset):
        sys.stderr.write(f"purenet train: note: {line}\n")


def notes(dataset: Dataset) -> list[str]:
    """Return the notes on a data set: targets and columns with nearly a value for each row."""
    rows, classes = len(dataset.train.x), len(dataset.class_names)
    found = []
    if classes > rows / 4:
        first = ", ".join(map(repr, dataset.class_names[:2]))
        found.append(
            f"the target has {classes} classes ({first}, …) for {rows} training rows; numbers are "
            "read as such with --task regression, or saved as floats in an .npz file"
        )
    for column in () if dataset.table is None else dataset.table.columns:
        if isinstance(column, TextColumn) and len(column.categories) > rows / 4:
            found.append(
                f"column {column.name!r} has {len(column.categories)} categories for {rows} "
                f"training rows; leave it out with --drop {column.name}"
            )
    names = () if dataset.table is None else [column.name for column in dataset.table.columns]
    if names and all(_number(name) for name in names):
        found.append(
            f"the header is all numbers ({', '.join(names[:3])}): is it a row of the data?"
        )
    return found


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
