"""`purenet train`: the data are read while JAX is imported, then the network is trained."""

import argparse
import functools
import importlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from purenet import data
from purenet.data import Dataset

T = TypeVar("T")


def run(options: argparse.Namespace) -> None:
    """Train as the options say, and print what happened.

    Raises:
        ValueError: an option, or the data, cannot be used.
    """
    read = functools.partial(_read, options)
    # The digits come with scikit-learn, which imports SciPy as JAX does; one at a time.
    dataset = read if options.data == "digits" else begun(read)
    importlib.import_module("purenet.cli.training").run(options, dataset)


def begun(work: Callable[[], T]) -> Callable[[], T]:
    """Start the work beside what follows; return a function that waits for its result.

    >>> result = begun(lambda: 6 * 7)
    >>> result()
    42

    Raises:
        Exception: what the work raises, from the function returned.
    """
    future: Future[T] = Future()

    def finish() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    # A daemon: an interrupted command does not wait for a download.
    threading.Thread(target=finish, daemon=True).start()
    return future.result


def _read(options: argparse.Namespace) -> Dataset:
    return data.load(
        options.data,
        validation=options.validation,
        test=options.test,
        seed=options.seed,
        data_dir=options.data_dir,
        target=options.target,
        task=options.task,
        drop=options.drop,
        text=options.text,
    )
