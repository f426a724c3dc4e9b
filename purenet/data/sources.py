"""Data by name or by file: the one function that the command line calls."""

import os
from collections.abc import Callable, Sequence

from purenet.data.dataset import Dataset
from purenet.data.digits import digits
from purenet.data.mnist import mnist
from purenet.data.npz import read_npz
from purenet.data.tabular import read_csv
from purenet.words import did_you_mean

# What reads each source, and the options that go with it.
NAMED: dict[str, tuple[Callable[..., Dataset], tuple[str, ...]]] = {
    "digits": (digits, ("validation", "test")),
    "mnist": (mnist, ("validation", "data_dir")),
}
BY_SUFFIX: dict[str, tuple[Callable[..., Dataset], tuple[str, ...]]] = {
    ".csv": (read_csv, ("validation", "test", "target", "task", "drop", "text")),
    ".npz": (read_npz, ("validation", "test")),
}


def load(
    source: str | os.PathLike[str],
    *,
    validation: float | int | None = None,
    test: float | int | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    target: str | None = None,
    task: str | None = None,
    drop: Sequence[str] | None = None,
    text: Sequence[str] | None = None,
) -> Dataset:
    """The data set of that name, or in that file.

    Args:
        source: "digits", "mnist", or the path of a .csv or .npz file.
        validation: fraction of the rows; None leaves each source its own default.
        test: fraction of the rows; not for mnist, which has its own test set.
        seed: of the split.
        data_dir: for mnist, the folder of its four files.
        target, task, drop, text: for .csv files; see `read_csv`.

    Raises:
        ValueError: an unknown source (the nearest is offered), a file that does not exist, an
            option that does not go with the source, and what the source raises.

    >>> load("digits", validation=0.2).validation.x.shape
    (360, 64)
    >>> load("mnits")
    Traceback (most recent call last):
    ...
    ValueError: unknown data 'mnits'; did you mean 'mnist'?
    """
    read, allowed = _source(os.fspath(source))
    options = {
        "validation": validation,
        "test": test,
        "data_dir": data_dir,
        "target": target,
        "task": task,
        "drop": drop,
        "text": text,
    }
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in allowed:
            raise ValueError(
                f"{name}= does not go with {os.fspath(source)}: expected {', '.join(allowed)}"
            )
    path = () if source in NAMED else (source,)
    return read(*path, **given, seed=seed)


def _source(source: str) -> tuple[Callable[..., Dataset], tuple[str, ...]]:
    if source in NAMED:
        return NAMED[source]
    suffix = os.path.splitext(source)[1].lower()
    if suffix in BY_SUFFIX:
        if not os.path.isfile(source):
            raise ValueError(f"{source}: there is no such file")
        return BY_SUFFIX[suffix]
    if os.path.exists(source) or suffix:
        raise ValueError(f"{source}: expected a file that ends in {' or '.join(BY_SUFFIX)}")
    raise ValueError(
        f"unknown data {source!r}{did_you_mean(source, [*NAMED, 'FILE.csv', 'FILE.npz'])}"
    )
