"""Arrays x and y as a `Dataset`: their types decide the task and the scaling."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, Shaped, UInt8

from purenet.data.dataset import Dataset, Examples, take
from purenet.data.scaling import TargetScaling, standardisation
from purenet.data.split import split_indices
from purenet.input_scaling import InputScaling
from purenet.words import did_you_mean

PARTS = ("train", "validation", "test")


class Parsed(NamedTuple):
    """One part of the data: x as it will be, y as classes (n,) or numbers (n, outputs)."""

    x: UInt8[np.ndarray, "n features"] | Float32[np.ndarray, "n features"]
    y: Shaped[np.ndarray, " n"] | Float64[np.ndarray, "n outputs"]


def from_arrays(
    arrays: Mapping[str, np.ndarray],
    validation: float | int = 0.1,
    test: float | int = 0.2,
    seed: int = 0,
    name: str = "arrays",
) -> Dataset:
    """A data set from arrays `x` and `y`, or `x_train`, `y_train` and the same for the parts
    `validation` and `test`. A part that is not given is split off the training rows.

    Examples are along the first axis. An x with more than two axes is flattened, (n, 28, 28) to
    (n, 784), and one with a single axis is one feature. uint8 stays as it is, with
    `InputScaling(0, 255)`; other numbers become float32, with the training mean and standard
    deviation of each feature as input scaling (a constant feature has scale 1).

    Integers, booleans or text y (n,) are classes: the distinct training values in order are the
    labels 0 … k-1, and their text the class names. Floats (n,) or (n, outputs) are regression
    targets, standardised with the training mean and standard deviation of each output.

    Args:
        arrays: by key.
        validation: fraction of the training rows; ignored where the part is given.
        test: fraction of the training rows; ignored where the part is given.
        seed: of the split.
        name: of the data set.

    Raises:
        ValueError: an array is empty, has a wrong shape or type, or a value that is not finite
            in float32; x and y differ in length; parts differ in type or width; a part has a
            class that training has not; one class only, or one for every row; what
            `split_indices` raises.

    >>> x = np.linspace(0, 1, 20)
    >>> data = from_arrays({"x": x, "y": 2 * x + 1})
    >>> data.task, data.train.x.shape, data.train.y.shape
    ('regression', (14, 1), (14, 1))
    """
    suffix = "_train" if "x_train" in arrays else ""
    given = {part: _parse(arrays, f"_{part}") for part in PARTS[1:] if f"x_{part}" in arrays}
    training = _parse(arrays, suffix)
    classification = training.y.ndim == 1
    classes = _classes(training.y, f"y{suffix}") if classification else None
    split = split_indices(
        training.y if classification else len(training.y),
        0.0 if "validation" in given else validation,
        0.0 if "test" in given else test,
        seed,
    )
    train, held_out, held_back = map(Parsed._make, take(Examples(*training), split))
    parts = {"train": train, "validation": held_out, "test": held_back} | given
    _check_alike(parts)
    if classes is not None:
        return _classification(name, parts, classes)
    return _regression(name, parts)


def _classification(
    name: str, parts: Mapping[str, Parsed], classes: Shaped[np.ndarray, " k"]
) -> Dataset:
    examples = {
        key: Examples(part.x, _labels(f"y_{key}", part.y, classes)) for key, part in parts.items()
    }
    return Dataset(
        name,
        "classification",
        examples["train"],
        examples["validation"],
        examples["test"],
        class_names=tuple(str(value) for value in classes.tolist()),
        input_scaling=_input_scaling(parts["train"].x),
    )


def _regression(name: str, parts: Mapping[str, Parsed]) -> Dataset:
    scaling = TargetScaling(*standardisation(parts["train"].y))
    examples = {key: Examples(part.x, scaling.standardise(part.y)) for key, part in parts.items()}
    return Dataset(
        name,
        "regression",
        examples["train"],
        examples["validation"],
        examples["test"],
        input_scaling=_input_scaling(parts["train"].x),
        target_scaling=scaling,
    )


def _input_scaling(x: Shaped[np.ndarray, "n features"]) -> InputScaling:
    if x.dtype == np.uint8:
        return InputScaling(0.0, 255.0)
    return InputScaling(*standardisation(x))


def _parse(arrays: Mapping[str, np.ndarray], suffix: str) -> Parsed:
    x = parse_x(arrays[f"x{suffix}"], f"x{suffix}")
    y = _parse_y(arrays[f"y{suffix}"], f"y{suffix}")
    if len(x) != len(y):
        raise ValueError(
            f"x{suffix} has {len(x)} examples and y{suffix} {len(y)}: expected as many"
        )
    return Parsed(x, y)


def parse_x(
    x: np.ndarray, key: str
) -> UInt8[np.ndarray, "n features"] | Float32[np.ndarray, "n features"]:
    """Return x as features (n, features), uint8 or float32; `key` is what errors call it."""
    if not x.ndim or not x.size:
        raise ValueError(f"{key} has shape {x.shape}: expected at least one example and feature")
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{key} has type {x.dtype}: expected integers or floats")
    x = x.reshape(len(x), -1)
    if x.dtype == np.uint8:
        return x
    with np.errstate(over="ignore"):
        features = x.astype(np.float32)
    _check_finite(features, key)
    return features


def _parse_y(
    y: np.ndarray, key: str
) -> Shaped[np.ndarray, " n"] | Float64[np.ndarray, "n outputs"]:
    if not y.ndim or not y.size:
        raise ValueError(f"{key} has shape {y.shape}: expected at least one example")
    if y.dtype.kind in "biuU" and y.ndim == 1:
        return y.astype(np.uint8) if y.dtype.kind == "b" else y
    if y.dtype.kind != "f" or y.ndim > 2:
        raise ValueError(
            f"{key} has type {y.dtype} and shape {y.shape}: expected integers or text (n,) for "
            "classes, or floats (n,) or (n, outputs) for regression"
        )
    targets = y.reshape(len(y), -1).astype(np.float64)
    _check_finite(targets, key)
    return targets


def _check_finite(values: Shaped[np.ndarray, "n columns"], key: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"{key}: example {row}, column {column} is {values[row, column]}: expected finite "
            f"{values.dtype} numbers"
        )


def _check_alike(parts: Mapping[str, Parsed]) -> None:
    """Every part has the types and widths of the training part."""
    for axis in ("x", "y"):
        train = getattr(parts["train"], axis)
        for key, part in parts.items():
            other = getattr(part, axis)
            if other.shape[1:] != train.shape[1:] or _kind(other) != _kind(train):
                raise ValueError(
                    f"{axis}_{key} has type {other.dtype} and shape {other.shape}, unlike "
                    f"{axis}_train with {train.dtype} and {train.shape}"
                )


def _kind(values: np.ndarray) -> str:
    return "integer" if values.dtype.kind in "iu" and values.ndim == 1 else values.dtype.kind


def _classes(y: Shaped[np.ndarray, " n"], key: str) -> Shaped[np.ndarray, " k"]:
    classes = np.unique(y)
    if len(classes) == 1:
        raise ValueError(f"{key} has one class only: {classes[0]}")
    if len(classes) == len(y):
        raise ValueError(
            f"{key} has a class for every example ({len(y)}): save floats for regression"
        )
    return classes


def _labels(
    key: str, y: Shaped[np.ndarray, " n"], classes: Shaped[np.ndarray, " k"]
) -> Int32[np.ndarray, " n"]:
    unknown = np.flatnonzero(~np.isin(y, classes))
    if len(unknown):
        name = str(y[unknown[0]])
        raise ValueError(
            f"{key}: example {unknown[0]} has the class {name!r}, which training has not"
            f"{did_you_mean(name, [str(value) for value in classes])}"
        )
    return np.searchsorted(classes, y).astype(np.int32)
