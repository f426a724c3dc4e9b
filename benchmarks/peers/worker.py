"""A process per loop: frameworks keep pools of threads, which would disturb one another.

The process waits on a pipe, trains an epoch when told to, and answers with the seconds that it took
and the mean training loss.
"""

import importlib
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers import Examples, Peer, Setting, Trainer, initial_weights

FILES = ("train_x", "train_y", "test_x", "test_y")


class Failed(Exception):
    """The loop raised; the message is its last line."""


class Worker:
    """A loop in a process of its own."""

    def __init__(self, pipe: Connection) -> None:
        """Keep our end of the pipe."""
        self._pipe = pipe

    def epoch(self, number: int) -> tuple[float, float]:
        """Return the seconds that the epoch took and its mean training loss."""
        return self._ask(("epoch", number))

    def accuracy(self) -> float:
        """Return the share of test examples that get their label."""
        return self._ask(("accuracy", None))

    def ready(self) -> None:
        """Wait until the framework is imported and the network is there."""
        self._ask(("ready", None))

    def _ask(self, question: tuple[str, Any]) -> Any:
        try:
            self._pipe.send(question)
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Failed("the process has ended") from error
        if isinstance(answer, str):
            raise Failed(answer)
        return answer


@contextmanager
def started(peer: Peer, setting: Setting, folder: Path) -> Iterator[Worker]:
    """Yield the worker of a loop on the data in `folder`; its process ends with the block."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, peer, setting, folder), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Worker(ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()
        process.join()


def save(folder: Path, train: Examples, test: Examples) -> None:
    """Write the data where workers read them."""
    for name, array in zip(FILES, (*train, *test), strict=True):
        np.save(folder / f"{name}.npy", array)


def _serve(pipe: Connection, peer: Peer, setting: Setting, folder: Path) -> None:
    # What frameworks print while they compile does not belong in the tables.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    os.environ["JAX_PLATFORMS"] = "cpu"
    trainer = _said(_trainer, peer, setting, folder)
    answers = {"epoch": _epoch, "accuracy": _accuracy, "ready": lambda *_: True}
    try:
        while True:
            what, number = pipe.recv()
            failed = isinstance(trainer, str)
            pipe.send(trainer if failed else _said(answers[what], trainer, number, folder))
    except EOFError:
        return


def _trainer(peer: Peer, setting: Setting, folder: Path) -> Trainer:
    train = Examples(*(np.load(folder / f"{name}.npy") for name in FILES[:2]))
    make = getattr(importlib.import_module(f"benchmarks.peers.{peer.module}"), peer.function)
    return make(setting, train, initial_weights(setting))


def _epoch(trainer: Trainer, number: int, folder: Path) -> tuple[float, float]:
    start = perf_counter()
    loss = trainer.epoch(number)
    return perf_counter() - start, loss


def _accuracy(trainer: Trainer, number: None, folder: Path) -> float:
    test = Examples(*(np.load(folder / f"{name}.npy") for name in FILES[2:]))
    return float(np.mean(trainer.predict(test.x) == test.y))


def _said(ask: Callable[..., Any], *arguments: Any) -> Any:
    """Return the answer, or the last line of what went wrong."""
    try:
        return ask(*arguments)
    except Exception:
        return traceback.format_exc().strip().splitlines()[-1]
