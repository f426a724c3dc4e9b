"""NumPy's .npz archives: arrays x and y, read without pickle."""

import os
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from purenet.data.arrays import PARTS, from_arrays, parse_x
from purenet.data.dataset import Dataset
from purenet.words import did_you_mean

KEYS = ("x", "y", *(f"{axis}_{part}" for part in PARTS for axis in "xy"))


def read_npz(
    path: str | os.PathLike[str],
    validation: float | int = 0.1,
    test: float | int = 0.2,
    seed: int = 0,
) -> Dataset:
    """An .npz file with `x` and `y`, or with `x_train` and `y_train` and, where it has them,
    `x_validation`, `y_validation`, `x_test` and `y_test`.

    `from_arrays` says how the arrays become features and targets. Other keys are ignored,
    unless they begin with `x_` or `y_`.

    Args:
        path: the file.
        validation: fraction of the training rows; ignored where the file has the part.
        test: fraction of the training rows; ignored where the file has the part.
        seed: of the split.

    Raises:
        ValueError: the file cannot be read, is not an .npz file, or is damaged; a key is
            missing or unknown; an array holds Python objects; what `from_arrays` raises.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "images.npz")
    ...     np.savez(path, x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    ...     data = read_npz(path)
    >>> data.train.x.shape, data.class_names, data.input_scaling.scale
    ((14, 16), ('0', '1'), 255.0)
    """
    file = os.fspath(path)
    arrays = _read(file, _wanted)
    try:
        return from_arrays(arrays, validation, test, seed, name=os.path.basename(file))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def read_inputs(
    path: str | os.PathLike[str],
) -> UInt8[np.ndarray, "n features"] | Float32[np.ndarray, "n features"]:
    """Return the array `x` of an .npz file (or its only array), as features to predict from.

    Args:
        path: the file.

    Raises:
        ValueError: the file cannot be read or is damaged; it has several arrays and none is x;
            what `from_arrays` raises for an x.
    """
    file = os.fspath(path)
    arrays = _read(file, _inputs)
    [(key, x)] = arrays.items()
    try:
        return parse_x(x, key)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _inputs(file: str, found: list[str]) -> list[str]:
    if "x" in found or len(found) == 1:
        return ["x"] if "x" in found else found
    raise ValueError(
        f"{file}: expected the key x, or a single array, found {', '.join(found) or 'none'}"
    )


Choose = Callable[[str, list[str]], list[str]]


def _read(file: str, wanted: Choose) -> dict[str, np.ndarray]:
    try:
        with open(file, "rb") as stream:
            # np.load takes anything that is not a zip archive for a pickle.
            if not zipfile.is_zipfile(stream):
                raise ValueError(f"{file}: not an .npz file, or one that is cut short")
            stream.seek(0)
            return _arrays(file, stream, wanted)
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror or error})") from error


def _arrays(file: str, stream: Any, wanted: Choose) -> dict[str, np.ndarray]:
    # For a damaged archive NumPy and zipfile raise a dozen kinds of error, MemoryError for an
    # impossible shape among them.
    try:
        archive = np.load(stream, allow_pickle=False)
    except Exception as error:
        raise ValueError(f"{file}: the archive is damaged ({error})") from error
    with archive:
        return {key: _array(file, archive, key) for key in wanted(file, archive.files)}


def _array(file: str, archive: Mapping[str, Any], key: str) -> np.ndarray:
    try:
        array = archive[key]
    except Exception as error:
        if "Object arrays" in str(error):
            raise ValueError(
                f"{file}: {key} holds Python objects; these are refused because reading them "
                "runs pickle, and so any code: save an array of numbers"
            ) from None
        raise ValueError(f"{file}: {key} is damaged ({error or type(error).__name__})") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{file}: {key} is not a NumPy array")
    return array


def _wanted(file: str, found: list[str]) -> list[str]:
    """The keys to read: x and y, or those of the parts."""
    for key in found:
        if key.startswith(("x_", "y_")) and key not in KEYS:
            raise ValueError(f"{file}: unknown key {key!r}{did_you_mean(key, KEYS)}")
    parts = [part for part in PARTS if f"x_{part}" in found or f"y_{part}" in found]
    parts = ["train"] * (parts != [] and "train" not in parts) + parts
    wanted = [f"{axis}_{part}" for part in parts for axis in "xy"] or ["x", "y"]
    if not {*wanted} <= {*found} or (parts and {"x", "y"} & {*found}):
        raise ValueError(
            f"{file}: expected the keys x and y, or x_train and y_train (and, where they exist, "
            "x_validation and y_validation, x_test and y_test), "
            f"found {', '.join(found) or 'none'}"
        )
    return wanted
