"""The built-in theorems as reports, proved by several processes, in the order of the table.

A process makes its theorems from their names, and sends back text: no function and no array leaves
it.
"""

import contextlib
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import jax

from purenet.prove import builtin
from purenet.prove.theorem import Theorem

LEAST = 8
"""Starting a process takes as long as a few theorems: it is worth it for this many."""

Show = Callable[[Theorem], str]


class Report(NamedTuple):
    """A theorem as it is printed, and as it is in the JSON document."""

    text: str
    json: dict[str, Any]

    @property
    def verdict(self) -> str:
        """`proved`, `refuted` or `unknown`."""
        return str(self.json["verdict"])


def report(theorem: Theorem, show: Show) -> Report:
    """Return what is told of a theorem."""
    return Report(show(theorem), theorem.as_json())


def processes(theorems: int, wanted: int | None = None) -> int:
    """Return how many processes prove so many theorems: those asked for, or one for each core.

    Without a wish there is one only where a few theorems are proved, or on an accelerator, which
    processes can't share.
    """
    if wanted is not None:
        return min(wanted, theorems)
    if theorems < 2 * LEAST or jax.default_backend() != "cpu":
        return 1
    return min(_cores(), theorems // LEAST)


def proved(
    names: Sequence[str], settings: dict[str, Any], show: Show, count: int
) -> Iterator[Report]:
    """Yield the report of each theorem of these names, in this order, as soon as it is known.

    Args:
        names: of built-in theorems.
        settings: of `builtin.theorems`.
        show: gives the text; it is sent to the processes, so it is made of importable functions.
        count: of processes; 1 is this one.

    Raises:
        OSError: a process was killed.
    """
    if count == 1:
        known = dict(builtin.theorems(**settings))
        yield from (_proved(known[name], show) for name in names)
        return
    with ProcessPoolExecutor(count, get_context("spawn"), _begin) as pool:
        waiting = deque(pool.submit(_by_name, name, settings, show) for name in names)
        try:
            while waiting:
                yield waiting.popleft().result()
        except BrokenExecutor:
            raise OSError("a process was killed; --processes 1 needs the least memory") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """In a new process: an interrupt ends it without a word; it takes no memory in advance."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    gc.freeze()  # what was imported stays: no need to look through it again and again


def _by_name(name: str, settings: dict[str, Any], show: Show) -> Report:
    return _proved(dict(builtin.theorems(**settings))[name], show)


def _proved(ask: Callable[[], Theorem], show: Show) -> Report:
    # What is printed on the way must not get into the JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        return report(ask(), show)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
