"""Many networks at once: `purenet.sweep` against one after another, and PyTorch's ensemble.

    python -m benchmarks sweep [--runs N] [--data FOLDER] [--examples N] [--epochs N] [--json FILE]

A run trains every network of a sweep from its first weights to its last epoch. The loops of
`benchmarks/peers/many.py` start from the same weights and visit the examples in the same order,
each loop in a process of its own. The first run, with compiling in it, is told apart; then the
loops take turns, a run each, and a ratio is between two runs of the same turn. Loss and accuracy
are means over the networks after the last run.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common, training
from benchmarks.peers import Examples, Peer
from benchmarks.peers.many import LOOPS, Many
from benchmarks.training import Measured, Say

RATES = (3e-4, 1e-3, 3e-3, 1e-2)
SEEDS = tuple(range(8))
SWEEPS = (
    Many((784, 10), 64, SEEDS, RATES),
    Many((784, 30, 10), 64, SEEDS, RATES),
    Many((784, 128, 10), 128, SEEDS[:4], RATES),
    Many((784, 512, 512, 10), 256, SEEDS[:2], RATES[:2]),
)
QUICK = (Many((12, 8, 3), 16, (0, 7), (0.01, 0.1), epochs=2),)
PACKAGES = ("purenet", "jax", "jaxlib", "optax", "torch", "numpy")
HEAD = ("loop", "first run s", "run s", "quartiles", "min to max", "× sweep", "min to max",
        "mean loss", "mean accuracy")  # fmt: skip


def rows(done: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return the table of one sweep; the first loop is what the others are compared with."""
    return [HEAD, *(_row(one, done[0]) for one in done)]


def _row(one: Measured, base: Measured) -> tuple[str, ...]:
    return (
        training.label(one.peer),
        f"{one.first:.3f}",
        *common.timing(one.seconds, base.seconds),
        f"{one.loss:.4f}",
        f"{one.accuracy:.4f}",
    )


def available(say: Say = print) -> list[Peer]:
    """Return the loops whose packages are installed; the others are said."""
    found = []
    for loop in LOOPS:
        missing = [package for package in loop.packages if not common.installed(package)]
        if missing:
            say(f"left out: {training.label(loop)}: {', '.join(missing)} not installed")
        else:
            found.append(loop)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        train, test = training.toy() if options.quick else training.mnist(options.data)
    except ValueError as error:
        sys.stderr.write(f"benchmarks sweep: {error}\n")
        return 2
    train = Examples(*(values[: options.examples] for values in train))
    runs, loops = options.runs or (2 if options.quick else 7), available()
    print(f"{len(train.x)} examples; {runs} turns after the first run\n{common.machine(PACKAGES)}")
    found = {}
    for number, sweep in enumerate(QUICK if options.quick else SWEEPS, 1):
        if options.sweep and number not in options.sweep:
            continue
        sweep = sweep._replace(epochs=options.epochs or sweep.epochs)
        done = training.measure(sweep, loops, train, test, runs, options.pause)
        found[sweep.name] = [{**one._asdict(), "peer": training.label(one.peer)} for one in done]
        print(
            f"\n{sweep.name}, {sweep.optimizer}, epochs in a run: {sweep.epochs}\n\n"
            f"{common.table(rows(done))}",
            flush=True,
        )
    if options.json:
        whole = {"machine": common.machine(PACKAGES), "options": vars(options), "sweeps": found}
        Path(options.json).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks sweep", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="with the four files of MNIST; else they are downloaded")
    add("--examples", type=int, default=12800, metavar="N", help="of MNIST to train on (12800)")
    add("--epochs", type=int, metavar="N", help="in a run (1)")
    add("--runs", type=int, metavar="N", help="turns after the first run (7)")
    add("--sweep", action="append", default=[], type=int, metavar="N", help="1 to 4, repeatable")
    add("--pause", type=float, default=0.2, metavar="S", help="rest before each run (0.2)")
    add("--json", metavar="FILE", help="write every number there too")
    add("--quick", action="store_true", help="toy networks on toy data, to see that all works")
    return parser


if __name__ == "__main__":
    sys.exit(main())
