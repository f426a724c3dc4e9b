"""What the benchmark of accelerators measures: a step that can be repeated, whoever takes it.

A step starts work on the device and returns at once; `wait` returns when all of it is done.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np


class Large(NamedTuple):
    """A network whose layers all have one width, and the examples per update."""

    width: int
    layers: int
    batch: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the units per layer, inputs first."""
        return (self.width,) * (self.layers + 1)

    @property
    def name(self) -> str:
        """Return it in words, as in "4 layers of 8192 / 4096"."""
        return f"{self.layers} layers of {self.width} / {self.batch}"


class Contender(NamedTuple):
    """Whoever takes steps.

    Attributes:
        name: in tables.
        step: start one step; returns what `loss` reads.
        wait: until all steps are done.
        operations: floating-point operations of the matrix products of a step.
        bytes: of memory on the device that a step needs, or None where it is not known.
        loss: what a step returned, to its loss; None where a step has none.
    """

    name: str
    step: Callable[[], Any]
    wait: Callable[[], None]
    operations: float
    bytes: int | None = None
    loss: Callable[[Any], float] | None = None


class Start(NamedTuple):
    """What every contender starts from: weights (in, out) per layer, inputs and targets."""

    weights: tuple[np.ndarray, ...]
    x: np.ndarray
    y: np.ndarray


@functools.lru_cache(1)
def start(case: Large, seed: int = 0) -> Start:
    """Return weights of variance 2 / in, and normal inputs and targets, in float32."""
    rng, shape = np.random.default_rng(seed), (case.width, case.width)
    scale = np.float32((2 / case.width) ** 0.5)
    weights = (scale * rng.standard_normal(shape, np.float32) for _ in range(case.layers))
    x, y = (rng.standard_normal((case.batch, case.width), np.float32) for _ in range(2))
    return Start(tuple(weights), x, y)


def operations(sizes: Sequence[int], batch: int) -> int:
    """Return the operations of the products of a gradient: forward, weights, and deltas.

    >>> operations((4, 5, 2), 3) == 2 * 3 * (2 * (4 * 5 + 5 * 2) + 5 * 2)
    True
    """
    layers = [i * o for i, o in itertools.pairwise(sizes)]
    return 2 * batch * (2 * sum(layers) + sum(layers[1:]))


def products(sizes: Sequence[int], batch: int) -> list[tuple[int, int, int]]:
    """Return (m, k, n) of each matrix product of a gradient, which is (m, k) by (k, n).

    >>> products((4, 5, 2), 3)
    [(3, 4, 5), (4, 3, 5), (3, 5, 2), (5, 3, 2), (3, 2, 5)]
    """
    found = []
    for layer, (i, o) in enumerate(itertools.pairwise(sizes)):
        found += [(batch, i, o), (i, batch, o)]
        if layer:
            found.append((batch, o, i))
    return found


def repeats(contender: Contender, least: float) -> int:
    """Return after how many steps at least so many seconds have passed; the first step compiles."""
    contender.step()
    contender.wait()
    once = seconds(contender, 1)
    return min(1000, max(1, -int(-least // once)))


def seconds(contender: Contender, steps: int) -> float:
    """Return the seconds of a step, the mean of so many."""
    contender.wait()
    start = perf_counter()
    for _ in range(steps):
        contender.step()
    contender.wait()
    return (perf_counter() - start) / steps
