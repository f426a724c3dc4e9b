"""What benchmarks share: the machine in a line, interleaved runs, medians and spread, tables.

Nothing here imports JAX or any other framework, so that a process that only waits for others has
no pool of threads of its own.
"""

import math
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

Rows = Sequence[Sequence[str]]


class Spread(NamedTuple):
    """Median, quartiles, least and most of a few numbers."""

    median: float
    low: float
    high: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.5, high=2.5, least=1.0, most=3.0)
    """
    return Spread(*(float(q) for q in np.quantile(values, [0.5, 0.25, 0.75, 0.0, 1.0])))


def geometric_mean(values: Sequence[float]) -> float:
    """Return exp(mean(log(values))), the mean for ratios.

    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    return math.exp(sum(map(math.log, values)) / len(values))


def interleaved(
    measures: Mapping[str, Callable[[], float]], runs: int
) -> dict[str, tuple[float, ...]]:
    """Return the numbers of each measure: all in turn, `runs` times, every other time backwards.

    What disturbs the machine for a while then disturbs all of them.

    >>> interleaved({"a": lambda: 1.0, "b": lambda: 2.0}, 2)
    {'a': (1.0, 1.0), 'b': (2.0, 2.0)}
    """
    done: dict[str, list[float]] = {name: [] for name in measures}
    for run in range(runs):
        names = list(measures)
        for name in names if run % 2 == 0 else reversed(names):
            done[name].append(measures[name]())
    return {name: tuple(values) for name, values in done.items()}


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return value / base within each run."""
    return [value / one for value, one in zip(values, base, strict=True)]


def timing(seconds: Sequence[float], base: Sequence[float]) -> tuple[str, ...]:
    """Return median, quartiles, range in seconds; median and range as ratios to `base`, run by run.

    >>> timing([2.0, 2.0], [1.0, 2.0])
    ('2.000', '2.000 to 2.000', '2.000 to 2.000', '1.50', '1.00 to 2.00')
    """
    own, ratio = spread(seconds), spread(ratios(seconds, base))
    return (
        f"{own.median:.3f}",
        f"{own.low:.3f} to {own.high:.3f}",
        f"{own.least:.3f} to {own.most:.3f}",
        f"{ratio.median:.2f}",
        f"{ratio.least:.2f} to {ratio.most:.2f}",
    )


def table(rows: Rows) -> str:
    """Return the rows as a Markdown table: the first row is the head, the first column words.

    >>> print(table([["what", "s"], ["one", "1.25"]]))
    | what |    s |
    | ---- | ---: |
    | one  | 1.25 |
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        f"| {row[0]:{widths[0]}} | "
        + " | ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        + " |"
        for row in (rows[0], rule, *rows[1:])
    )


def machine(packages: Sequence[str] = ("jax", "jaxlib", "numpy")) -> str:
    """Return processor, cores, load, and the versions that a table depends on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    known = ", ".join(f"{name} {found}" for name in packages if (found := installed(name)))
    return f"{_device()}, {cores} cores, {load}; Python {platform.python_version()}, {known}"


def installed(package: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _device() -> str:
    jax = sys.modules.get("jax")
    device = None if jax is None else jax.devices()[0]
    return _processor() if device is None or device.platform == "cpu" else device.device_kind


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model n")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
