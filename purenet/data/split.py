"""Training, validation and test rows: a seeded, stratified split of the row numbers."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from purenet.words import count

# Fractions such as 0.1 are not exact in binary: a quota this near an integer is that integer.
ROUNDING = 1e-9


class Split(NamedTuple):
    """Row numbers of the three splits: disjoint, increasing, together every row once."""

    train: Int64[np.ndarray, " train"]
    validation: Int64[np.ndarray, " validation"]
    test: Int64[np.ndarray, " test"]


def split_indices(
    labels: int | Shaped[np.ndarray, "..."],
    validation: float | int = 0.1,
    test: float | int = 0.1,
    seed: int = 0,
) -> Split:
    """Row numbers for training, validation and test, drawn by seed.

    With labels the split is stratified. A class of c rows has the quota `c * fraction` in each
    split and receives the quota rounded down or up, so it is within one row of its share. What
    rounding takes from one class it gives back with the next. Two rules go before that for
    rare classes: every class has a row in training, and a class of at least 3 rows has one in
    each split that is wanted.

    Args:
        labels: the number of rows n, or an array (n,) with the class of each row.
        validation: fraction of the rows, in [0, 1); 0 leaves the split empty.
        test: fraction of the rows, in [0, 1); `validation + test < 1`.
        seed: non-negative; the same seed gives the same split.

    Raises:
        ValueError: a fraction out of range, a negative seed, labels that are not (n,), or too
            few rows to give each wanted split one.

    >>> split = split_indices(np.array(["a"] * 20 + ["b"] * 10), validation=0.1, test=0.2)
    >>> [len(part) for part in split]
    [21, 3, 6]
    >>> sum(split.test < 20), sum(split.test >= 20)
    (np.int64(4), np.int64(2))
    """
    fractions = _fractions(validation, test)
    if seed < 0:
        raise ValueError(f"seed={seed}: expected a non-negative integer")
    members = _members(labels)
    sizes = _sizes([len(rows) for rows in members], fractions)
    _check_sizes(sizes.sum(axis=0), validation, test)
    rng = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    for rows, (train, second, _) in zip(members, sizes, strict=True):
        pieces = np.split(rng.permutation(rows), [train, train + second])
        for part, piece in zip(parts, pieces, strict=True):
            part.append(piece)
    return Split(*(np.sort(np.concatenate(part)) for part in parts))


def _fractions(validation: float | int, test: float | int) -> Float64[np.ndarray, "3"]:
    for name, fraction in (("validation", validation), ("test", test)):
        if not 0 <= fraction < 1:
            raise ValueError(f"{name}={fraction}: expected a fraction in [0, 1)")
    if validation + test > 1 - ROUNDING:
        raise ValueError(
            f"validation={validation} and test={test} leave no rows for training: "
            "expected validation + test < 1"
        )
    return np.array([1 - validation - test, validation, test], np.float64)


def _members(labels: int | Shaped[np.ndarray, "..."]) -> list[Int64[np.ndarray, " rows"]]:
    """The row numbers of each class; all rows are one class where there are no labels."""
    if isinstance(labels, int):
        if labels < 1:
            raise ValueError(f"there is nothing to split: expected at least 1 row, not {labels}")
        return [np.arange(labels)]
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"labels have shape {labels.shape}: expected (n,) with n at least 1")
    _, of_row, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return np.split(np.argsort(of_row, kind="stable"), np.cumsum(sizes)[:-1])


def _sizes(
    class_sizes: list[int], fractions: Float64[np.ndarray, "3"]
) -> Int64[np.ndarray, "classes 3"]:
    """Rows of each class in (train, validation, test)."""
    sizes, owed = [], np.zeros(3)
    for rows in class_sizes:
        quota = rows * fractions
        size = _present(_rounded(quota, owed, rows), fractions)
        owed += quota - size
        sizes.append(size)
    return np.array(sizes)


def _rounded(
    quota: Float64[np.ndarray, "3"], owed: Float64[np.ndarray, "3"], rows: int
) -> Int64[np.ndarray, "3"]:
    """Each quota rounded down, or up where most is owed, so that the sum is `rows`."""
    size = np.floor(quota + ROUNDING).astype(np.int64)
    remainder = quota - size
    claim = np.where(remainder > ROUNDING, remainder + owed, -np.inf)
    up = np.argsort(-claim, kind="stable")[: rows - size.sum()]
    size[up] += 1
    return size


def _present(
    size: Int64[np.ndarray, "3"], fractions: Float64[np.ndarray, "3"]
) -> Int64[np.ndarray, "3"]:
    """The same sizes with one row moved to each split that must not lack the class."""
    size = size.copy()
    required = fractions > 0 if size.sum() >= 3 else np.array([True, False, False])
    for lacking in np.flatnonzero(required & (size == 0)):
        size[size.argmax()] -= 1
        size[lacking] += 1
    return size


def _check_sizes(size: Int64[np.ndarray, "3"], validation: float | int, test: float | int) -> None:
    for name, fraction, got in (("validation", validation, size[1]), ("test", test, size[2])):
        if fraction > 0 and got == 0:
            raise ValueError(
                f"{count(int(size.sum()), 'row')} are too few for {name}={fraction}: the split "
                f"would be empty; give more rows, a larger fraction, or {name}=0"
            )
