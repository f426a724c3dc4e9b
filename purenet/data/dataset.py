"""What every source of data becomes: three aligned splits and what is known about them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Shaped

from purenet.data.scaling import TargetScaling
from purenet.data.split import Split
from purenet.data.table import Table, TextColumn
from purenet.input_scaling import InputScaling
from purenet.words import count

Task = Literal["classification", "regression"]

MOST_SHOWN = 12


class Examples(NamedTuple):
    """Aligned arrays, a row for each example.

    `x` is (n, features), uint8 or float32. `y` is (n,) int32 labels 0 … k-1 for classification
    and (n, outputs) float32 for regression.

    >>> examples = Examples(np.zeros((3, 2), np.float32), np.array([0, 1, 1], np.int32))
    >>> x, y = examples
    >>> x.shape, y.shape
    ((3, 2), (3,))
    """

    x: Shaped[np.ndarray, "n features"]
    y: Shaped[np.ndarray, " n *outputs"]


@dataclass(frozen=True)
class Dataset:
    """Three splits, and how to read their numbers.

    `class_names[k]` is what label k stands for; it is empty for regression. `input_scaling` is
    for the network, which applies it to raw `x`; None says that `x` is ready as it is. For
    regression the `y` of all three splits are standardised with `target_scaling`, whose
    statistics are the training split's; its `restore` leads back to the original unit. `table`
    says how the columns of a CSV file became features, and is None for other sources.
    """

    name: str
    task: Task
    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...] = ()
    input_scaling: InputScaling | None = None
    target_scaling: TargetScaling | None = None
    table: Table | None = None

    @property
    def features(self) -> int:
        """The width of `x`."""
        return self.train.x.shape[1]

    @property
    def outputs(self) -> int:
        """The width of the output layer: classes, or columns of the regression target."""
        return len(self.class_names) or self.train.y.shape[1]


def take(examples: Examples, split: Split) -> tuple[Examples, Examples, Examples]:
    """Training, validation and test examples: the rows that a split names.

    >>> examples = Examples(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1], np.int32))
    >>> train, validation, test = take(
    ...     examples, Split(np.array([1, 2]), np.array([3]), np.array([0]))
    ... )
    >>> train.y.tolist(), validation.y.tolist(), test.y.tolist()
    ([1, 0], [1], [0])
    """
    x, y = examples
    train, validation, test = (Examples(x[rows], y[rows]) for rows in split)
    return train, validation, test


def describe(dataset: Dataset) -> str:
    """A few lines for people: sizes, task, and the columns of a CSV file.

    >>> from purenet.data import digits
    >>> print(describe(digits()))
    digits: classification, 64 features, 10 classes
    1797 examples: 1258 for training, 180 for validation, 359 for test
    """
    outputs = "class" if dataset.task == "classification" else "output"
    sizes = [len(part.x) for part in (dataset.train, dataset.validation, dataset.test)]
    lines = [
        f"{dataset.name}: {dataset.task}, {count(dataset.features, 'feature')}, "
        f"{count(dataset.outputs, outputs)}",
        f"{count(sum(sizes), 'example')}: {sizes[0]} for training, {sizes[1]} for validation, "
        f"{sizes[2]} for test",
    ]
    return "\n".join(lines + _columns(dataset.table))


def _columns(table: Table | None) -> list[str]:
    if table is None:
        return []
    kinds = [
        f"{column.name} (text, {count(len(column.categories), 'category')})"
        if isinstance(column, TextColumn)
        else f"{column.name} (number)"
        for column in table.columns
    ]
    more = f", … ({len(kinds)} in all)" if len(kinds) > MOST_SHOWN else ""
    return [f"columns: {', '.join(kinds[:MOST_SHOWN])}{more}; target: {table.target.name}"]
