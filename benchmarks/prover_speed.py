"""Seconds that a theorem takes: the built-in table, and a sample of the corpus' right rules.

    python benchmarks/prover_speed.py [--rules N] [--runs N] [--depth N] [--seed S] [--processes N]

Each run is a new process that proves one theorem after the other and compiles everything anew.
Reading the corpus and starting Python are not counted. The last line is the built-in table as
`purenet prove --processes N` makes it: from asking to the last theorem, with the start of the
processes.
"""

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import perf_counter
from typing import NamedTuple

import jax
import jaxlib
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common
from purenet import prove
from purenet.cli import table
from purenet.prove import builtin
from tests.prove.corpus import suite

Question = tuple[str, Callable[[], prove.Theorem]]


class Timed(NamedTuple):
    """What was said of one theorem, and after how long."""

    name: str
    verdict: str
    seconds: float


def table_of_theorems(depth: int) -> list[Question]:
    """Return the built-in theorems, with networks of up to `depth` layers."""
    return list(builtin.theorems(depth=depth))


def right_rules(number: int, seed: int) -> list[Question]:
    """Return `number` right rules of the corpus, drawn with a seed."""
    cases = Random(f"speed {seed}").sample(suite.cases(), number)
    return [
        (c.name, lambda c=c: prove.vjp(c.f, c.pullback, *c.domains, sizes=c.sizes)) for c in cases
    ]


def timed(questions: Iterable[Question]) -> list[Timed]:
    """Return the verdict of each theorem and the seconds from asking to knowing."""
    done = []
    for name, ask in questions:
        start = perf_counter()
        theorem = ask()
        done.append(Timed(name, theorem.verdict, perf_counter() - start))
    return done


def measured(kind: str, depth: int, number: int, seed: int) -> list[Timed]:
    """Return the times of one of the two lists, which is made where it is proved."""
    return timed(table_of_theorems(depth) if kind == "built-in" else right_rules(number, seed))


def together(depth: int, processes: int) -> tuple[int, float]:
    """Return how many theorems of the table are proved by several processes, and the seconds."""
    names = [name for name, _ in table_of_theorems(depth)]
    start = perf_counter()
    reports = list(table.proved(names, {"depth": depth}, str, processes))
    return sum(r.verdict == "proved" for r in reports), perf_counter() - start


def row(kind: str, done: Sequence[Timed]) -> list[str]:
    """Return a line of the table."""
    verdicts = Counter(t.verdict for t in done)
    seconds = np.array([t.seconds for t in done])
    shares = *np.quantile(seconds, [0.5, 0.9]), seconds.max(), seconds.sum()
    counts = (len(done), *(verdicts[v] for v in ("proved", "refuted", "unknown")))
    return [kind, *map(str, counts), *(f"{s:.2f}" for s in shares)]


HEAD = ["theorems", "number", "proved", "refuted", "unknown", "median s", "90 % s", "max s",
        "total s"]  # fmt: skip


def remarks(done: Sequence[Timed]) -> str:
    """Return the slowest theorems, and those that are not proved."""
    slowest = sorted(done, key=lambda t: -t.seconds)[:3]
    lines = [f"slowest: {', '.join(f'{t.name} {t.seconds:.1f} s' for t in slowest)}"]
    return "\n".join(lines + [f"{t.verdict}: {t.name}" for t in done if t.verdict != "proved"])


def machine() -> str:
    """Return the device, the number of cores and the versions that a table depends on."""
    device = f"{jax.devices()[0].platform}, {platform.machine()}, {os.cpu_count()} cores"
    versions = f"Python {platform.python_version()}, jax {jax.__version__}"
    return f"{device}; {versions}, jaxlib {jaxlib.__version__}, numpy {np.__version__}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=60, metavar="N", help="right rules (60)")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="new processes (1)")
    parser.add_argument("--depth", type=int, default=4, metavar="N", help="of the networks (4)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the rules (0)")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="for the table (2)")
    options = parser.parse_args(arguments)
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    rows, said = [HEAD], []
    for _ in range(options.runs):
        for kind in ("built-in", "corpus") if options.rules else ("built-in",):
            with get_context("spawn").Pool(1) as alone:
                asked = kind, options.depth, options.rules, options.seed
                done = alone.apply(measured, asked)
            rows.append(row(kind, done))
            said.append(remarks(done))
    print(common.table(rows))
    print(
        f"\nOne theorem after the other in one process; {load}; seed {options.seed}.\n{machine()}."
    )
    print("\n".join(said))
    proved, seconds = together(options.depth, options.processes)
    print(f"{proved} theorems proved by {options.processes} processes in {seconds:.1f} s")


if __name__ == "__main__":
    main()
