"""Whole-job time: process start to saved model, MNIST to 98 %, with purenet and with its peers.

    python -m benchmarks whole_job --data FOLDER [--seeds N] [--peer NAME]…

Each job is a process of its own: it starts Python, imports, reads the files, compiles, trains until
the validation data say 98 %, tests once and saves. The first run of a seed finds no compiled
program on the disk; the warm run after it finds those of the first. purenet is `purenet train`; a
peer is `benchmarks/peers/job.py` with the best loop of `benchmarks/peers`. Network, batch, rate
and its fall are the same for all.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common, training
from benchmarks.peers import Peer
from benchmarks.peers.job import Settings

ROOT = Path(__file__).parents[1]
MNIST = Settings((784, 256, 10), 128, 0.01, 6, 0.98, 0.02)
TOY = Settings((12, 8, 3), 16, 0.02, 4, 0.9, 0.01)


class Done(NamedTuple):
    """What a job came to."""

    seconds: float
    epochs: int
    validation: float
    test: float


def command(peer: Peer, data: Path, seed: int, out: Path, settings: Settings) -> list[str]:
    """Return the command of a job."""
    if peer.name != "purenet":
        given = json.dumps(settings)
        job = [peer.module, peer.function, str(data), str(seed), f"{out}.npz", given]
        return [sys.executable, "-m", "benchmarks.peers.job", *job]
    source = ["--data", str(data)]
    if data.suffix != ".npz":
        source = ["--data", "mnist", "--data-dir", str(data)]
    options = {
        "hidden": ",".join(map(str, settings.sizes[1:-1])),
        "batch-size": settings.batch,
        "optimizer": "adamw",
        "weight-decay": settings.weight_decay,
        "learning-rate": settings.rate,
        "schedule": "cosine",
        "epochs": settings.epochs,
        "target-metric": settings.target,
        "seed": seed,
        "save": f"{out}.safetensors",
    }
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return [sys.executable, "-m", "purenet", "train", *source, *flags, "--quiet"]


def run(peer: Peer, data: Path, seed: int, folder: Path, settings: Settings) -> Done:
    """Run a job; compiled programs are kept in `folder`, for every framework that keeps any.

    Raises:
        RuntimeError: the job failed; the message is the last line that it wrote.
    """
    start = perf_counter()
    done = subprocess.run(
        command(peer, data, seed, folder / "model", settings),
        cwd=ROOT,
        env={**os.environ, **_caches(peer, folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = perf_counter() - start
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "no message").splitlines()[-1])
    if peer.name != "purenet":
        return Done(seconds, **json.loads(done.stdout.splitlines()[-1]))
    return _figures(seconds, done.stdout)


def _figures(seconds: float, printed: str) -> Done:
    """Read what `purenet train` has printed: the epochs that it ran, not the one that it kept."""
    found = re.search(
        r"stopped: (?:(?P<all>\d+) epochs done|.*); kept: epoch (?P<kept>\d+), "
        r"validation accuracy (?P<validation>\S+)\ntest accuracy (?P<test>\S+)",
        printed,
    )
    if found is None:
        raise RuntimeError(f"no figures in {printed!r}")
    epochs = int(found["all"] or found["kept"])
    return Done(seconds, epochs, float(found["validation"]), float(found["test"]))


def _caches(peer: Peer, folder: Path) -> dict[str, str]:
    caches = {"XDG_CACHE_HOME": str(folder), "JAX_PLATFORMS": "cpu"}
    if peer.name != "purenet":  # which keeps its programs by itself
        caches["JAX_COMPILATION_CACHE_DIR"] = str(folder / "jax")
        caches["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        caches["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "torch")
    return caches


Runs = dict[str, list[tuple[Done, Done]]]


def label(peer: Peer) -> str:
    """Return the name of a job in the table."""
    return "purenet train" if peer.name == "purenet" else f"{peer.name}: {peer.loop}"


def measure(peers: Sequence[Peer], data: Path, seeds: int, settings: Settings) -> Runs:
    """Return (first, warm) for each seed of each job; the jobs take turns, what fails is said."""
    found: Runs = {}
    failed: set[Peer] = set()
    for seed in range(seeds):
        for peer in peers if seed % 2 == 0 else reversed(peers):
            if peer in failed:
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    both = [run(peer, data, seed, Path(folder), settings) for _ in range(2)]
            except RuntimeError as error:
                failed.add(peer)
                print(f"left out: {label(peer)}: {error}")
                continue
            found.setdefault(label(peer), []).append((both[0], both[1]))
    return {label(p): found[label(p)] for p in peers if p not in failed}


HEAD = ("job", "first run s", "min to max", "warm run s", "min to max", "warm × purenet",
        "epochs", "reached", "validation", "test accuracy")  # fmt: skip


def rows(found: Mapping[str, list[tuple[Done, Done]]], target: float) -> list[tuple[str, ...]]:
    """Return the table; ratios are within a seed, accuracies and epochs are of the warm runs."""
    base = [warm.seconds for _, warm in next(iter(found.values()))]
    return [HEAD, *(_row(name, runs, base, target) for name, runs in found.items())]


def _row(
    name: str, runs: list[tuple[Done, Done]], base: list[float], target: float
) -> tuple[str, ...]:
    first, warm = (common.spread([run[n].seconds for run in runs]) for n in (0, 1))
    ratio = np.median(common.ratios([run[1].seconds for run in runs], base))
    epochs = [run[1].epochs for run in runs]
    # What is printed has four decimals.
    reached = sum(run[1].validation >= target - 5e-5 for run in runs)
    return (
        name,
        f"{first.median:.2f}",
        f"{first.least:.2f} to {first.most:.2f}",
        f"{warm.median:.2f}",
        f"{warm.least:.2f} to {warm.most:.2f}",
        f"{ratio:.2f}",
        f"{min(epochs)} to {max(epochs)}",
        f"{reached} of {len(runs)}",
        f"{np.mean([run[1].validation for run in runs]):.4f}",
        f"{np.mean([run[1].test for run in runs]):.4f}",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    options = _parser().parse_args(arguments)
    settings = _settings(options)
    try:
        peers = training.chosen(options.peer)
        if not (options.data or options.quick):
            raise ValueError("--data FOLDER, with the four files of MNIST, is needed")
    except ValueError as error:
        sys.stderr.write(f"benchmarks whole_job: {error}\n")
        return 2
    wanted = [p for p in peers if options.all or p.kind == "best" or p.name == "purenet"]
    with tempfile.TemporaryDirectory() as folder:
        data = _toy(Path(folder)) if options.quick else Path(options.data).resolve()
        found = measure(wanted, data, options.seeds or (1 if options.quick else 5), settings)
    if label(wanted[0]) not in found:
        return 1
    print(
        f"{'-'.join(map(str, settings.sizes))}, batches of {settings.batch}, AdamW, rate "
        f"{settings.rate:g} falling to 0 over {settings.epochs} epochs, weight decay "
        f"{settings.weight_decay:g}; until validation accuracy {settings.target:g}\n"
        f"{common.machine(training.PACKAGES)}\n"
    )
    print(common.table(rows(found, settings.target)))
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name) for name in Settings._fields[1:]}
    chosen = {name: value for name, value in given.items() if value is not None}
    usual = TOY if options.quick else MNIST
    if options.hidden:
        chosen["sizes"] = (usual.sizes[0], options.hidden, usual.sizes[-1])
    return usual._replace(**chosen)


def _toy(folder: Path) -> Path:
    train, test = training.toy()
    file = folder / "toy.npz"
    np.savez(file, x_train=train.x, y_train=train.y, x_test=test.x, y_test=test.y)
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks whole_job", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="with the four files of MNIST")
    add("--seeds", type=int, metavar="N", help="of split, weights and order (5)")
    add("--peer", action="append", default=[], metavar="NAME", help="this peer (may be repeated)")
    add("--hidden", type=int, metavar="N", help=f"units of the hidden layer ({MNIST.sizes[1]})")
    add("--batch", type=int, metavar="N", help=f"examples per update ({MNIST.batch})")
    add("--rate", type=float, metavar="R", help=f"AdamW's, at the start ({MNIST.rate:g})")
    add("--epochs", type=int, metavar="N", help=f"over which it falls to 0 ({MNIST.epochs})")
    add("--weight-decay", type=float, metavar="D", help=f"AdamW's ({MNIST.weight_decay:g})")
    add("--target", type=float, metavar="A", help=f"validation accuracy ({MNIST.target:g})")
    add("--all", action="store_true", help="the documented loops too")
    add("--json", metavar="FILE", help="write every number there too")
    add("--quick", action="store_true", help="a toy network on toy data, to see that all works")
    return parser


if __name__ == "__main__":
    sys.exit(main())
