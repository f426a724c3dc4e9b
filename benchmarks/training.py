"""Side by side with peers: seconds per epoch on MNIST, and the accuracy that comes of them.

    python -m benchmarks training [--runs N] [--data FOLDER] [--peer NAME]… [--network N]…

Every loop of `benchmarks/peers` trains the same networks from the same weights, on the same data in
the same order, each in a process of its own. The first epoch, with compiling in it, is told apart;
then the loops take turns, an epoch each, and a ratio is between two epochs of the same turn. What
is not installed is left out, and said: `pip install -e ".[bench]"` has all.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common
from benchmarks.peers import PEERS, Examples, Peer, Setting, worker

RATES = {"sgd": 0.1, "adam": 1e-3}
NETWORKS = (
    ((784, 10, 10), 64),
    ((784, 30, 10), 10),
    ((784, 128, 10), 128),
    ((784, 512, 512, 10), 256),
    ((784, 2048, 2048, 10), 512),
)
PACKAGES = (
    "purenet", "jax", "jaxlib", "optax", "torch", "flax", "equinox", "keras", "scikit-learn",
    "numpy",
)  # fmt: skip


class Measured(NamedTuple):
    """What one loop did with one network.

    Attributes:
        peer: the loop.
        first: seconds of the first epoch, compiling included.
        seconds: of each later epoch.
        first_loss: the mean training loss of the first epoch.
        loss: that of the last one.
        accuracy: on the test examples, after the last one.
    """

    peer: Peer
    first: float
    seconds: tuple[float, ...]
    first_loss: float
    loss: float
    accuracy: float


Say = Callable[[str], None]


def measure(
    setting: Setting,
    peers: Sequence[Peer],
    train: Examples,
    test: Examples,
    runs: int,
    pause: float = 0.0,
    say: Say = print,
) -> list[Measured]:
    """Return what each loop did, the first epoch and then `runs` more; a loop that fails is said.

    Args:
        setting: what is trained.
        peers: the loops.
        train: the examples to train on.
        test: the examples to test on.
        runs: how many turns.
        pause: seconds of rest before each epoch, in which threads of the last one go to sleep.
        say: takes the lines about what failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        worker.save(folder, train, test)
        first: dict[Peer, tuple[float, float]] = {}
        workers: dict[Peer, worker.Worker] = {}
        for peer in peers:
            workers[peer] = stack.enter_context(worker.started(peer, setting, folder))
            try:
                workers[peer].ready()
                first[peer] = workers[peer].epoch(0)
            except worker.Failed as error:
                say(f"left out: {label(peer)}: {error}")
        losses: dict[Peer, list[float]] = {peer: [] for peer in first}

        def one(peer: Peer) -> float:
            time.sleep(pause)
            seconds, loss = workers[peer].epoch(len(losses[peer]) + 1)
            losses[peer].append(loss)
            return seconds

        turns = common.interleaved({label(p): lambda p=p: one(p) for p in first}, runs)
        return [
            Measured(
                peer,
                first[peer][0],
                turns[label(peer)],
                first[peer][1],
                losses[peer][-1],
                workers[peer].accuracy(),
            )
            for peer in first
        ]


def label(peer: Peer) -> str:
    """Return the name of a loop in tables."""
    return f"{peer.name}, {peer.kind}: {peer.loop}"


HEAD = ("loop", "first epoch s", "epoch s", "quartiles", "min to max", "× purenet",
        "min to max", "loss, first", "loss, last", "test accuracy")  # fmt: skip


def rows(done: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return the table of one network."""
    return [HEAD, *(_row(one, done[0]) for one in done)]


def _row(one: Measured, base: Measured) -> tuple[str, ...]:
    return (
        label(one.peer),
        f"{one.first:.3f}",
        *common.timing(one.seconds, base.seconds),
        f"{one.first_loss:.4f}",
        f"{one.loss:.4f}",
        f"{one.accuracy:.4f}",
    )


def summary(networks: Mapping[str, Sequence[Measured]]) -> list[tuple[str, ...]]:
    """Return the table of ratios: a line per peer and kind, its quickest loop on each network."""
    lines = dict.fromkeys((one.peer.name, one.peer.kind) for n in networks.values() for one in n)
    table = [("× purenet", *networks, "geometric mean")]
    for name, kind in lines:
        found = [quickest(done, name, kind) for done in networks.values()]
        known = [ratio for ratio in found if ratio is not None]
        cells = ("–" if ratio is None else f"{ratio:.2f}" for ratio in found)
        table.append((f"{name}, {kind}", *cells, f"{common.geometric_mean(known):.2f}"))
    return table


def quickest(done: Sequence[Measured], name: str, kind: str) -> float | None:
    """Return the lowest median ratio to purenet among the loops of a peer of that kind."""
    of = [one for one in done if (one.peer.name, one.peer.kind) == (name, kind)]
    medians = [np.median(common.ratios(one.seconds, done[0].seconds)) for one in of]
    return float(min(medians)) if medians else None


def verdict(networks: Mapping[str, Sequence[Measured]]) -> str:
    """Return in words how purenet stands against documented loops, and against the best ones."""
    lines = []
    for kind in ("documented", "best"):
        ratios = [
            (ratio, name, network)
            for network, done in networks.items()
            for name in dict.fromkeys(one.peer.name for one in done[1:])
            if (ratio := quickest(done, name, kind)) is not None
        ]
        if ratios:
            mean = common.geometric_mean([ratio for ratio, *_ in ratios])
            ahead = sum(ratio >= 1 for ratio, *_ in ratios)
            least, name, network = min(ratios)
            lines.append(
                f"{kind} loops: geometric mean {mean:.2f} × purenet; purenet ahead in {ahead} of "
                f"{len(ratios)}; the closest is {name} on {network} with {least:.2f}"
            )
    return "\n".join(lines)


def chosen(names: Sequence[str], say: Say = print) -> list[Peer]:
    """Return the loops of these peers, or of all; what is not installed is left out and said.

    Raises:
        ValueError: no peer has such a name.
    """
    known = list(dict.fromkeys(peer.name for peer in PEERS))
    for name in names:
        if name not in known:
            raise ValueError(f"--peer: unknown peer {name!r}; there are {', '.join(known)}")
    wanted = [peer for peer in PEERS if not names or peer.name in ("purenet", *names)]
    missing = {p.name: _missing(p) for p in wanted if _missing(p)}
    for name, packages in missing.items():
        say(f"left out: {name}: {', '.join(packages)} not installed")
    return [peer for peer in wanted if peer.name not in missing]


def _missing(peer: Peer) -> list[str]:
    return [package for package in peer.packages if not common.installed(package)]


def mnist(folder: str | None) -> tuple[Examples, Examples]:
    """Return the 60,000 and the 10,000 images of MNIST."""
    from purenet import data

    dataset = data.mnist(folder, validation=0.0)
    return Examples(*dataset.train), Examples(*dataset.test)


def toy(seed: int = 0) -> tuple[Examples, Examples]:
    """Return 100 and 40 random examples of 12 pixels and 3 classes that can be learned."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 140).astype(np.int32)
    x = (rng.integers(0, 128, (140, 12)) + 100 * (np.arange(12) % 3 == y[:, None])).astype(np.uint8)
    return Examples(x[:100], y[:100]), Examples(x[100:], y[100:])


TOY = (((12, 8, 3), 16), ((12, 8, 8, 3), 25))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        peers = chosen(options.peer)
        train, test = toy() if options.quick else mnist(options.data)
    except ValueError as error:
        sys.stderr.write(f"benchmarks training: {error}\n")
        return 2
    runs = options.runs or (2 if options.quick else 9)
    rate = options.rate or RATES[options.optimizer]
    print(
        f"{len(train.x)} examples; {options.optimizer}, rate {rate:g}; {runs} turns after the "
        f"first epoch\n{common.machine(PACKAGES)}"
    )
    networks = {}
    for number, (sizes, batch) in enumerate(TOY if options.quick else NETWORKS, 1):
        if options.network and number not in options.network:
            continue
        setting = Setting(sizes, batch, options.optimizer, rate, options.seed)
        networks[setting.name] = measure(setting, peers, train, test, runs, options.pause)
        if not networks[setting.name] or networks[setting.name][0].peer != peers[0]:
            sys.stderr.write("benchmarks training: purenet, which all ratios are to, failed\n")
            return 1
        print(f"\n{setting.name}\n\n{common.table(rows(networks[setting.name]))}", flush=True)
    if not networks:
        sys.stderr.write("benchmarks training: there is no network of that number\n")
        return 2
    print(f"\n{common.table(summary(networks))}\n\n{verdict(networks)}")
    if options.json:
        _write(Path(options.json), options, networks)
    return 0


def _write(
    path: Path, options: argparse.Namespace, networks: Mapping[str, Sequence[Measured]]
) -> None:
    found = {
        "machine": common.machine(PACKAGES),
        "options": vars(options),
        "networks": {
            name: [{**one._asdict(), "peer": label(one.peer)} for one in done]
            for name, done in networks.items()
        },
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks training", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="with the four files of MNIST; else they are downloaded")
    add("--runs", type=int, metavar="N", help="turns after the first epoch (9)")
    add("--peer", action="append", default=[], metavar="NAME", help="this peer (may be repeated)")
    add(
        "--network",
        action="append",
        default=[],
        type=int,
        choices=range(1, len(NETWORKS) + 1),
        help="the number of a network, likewise",
    )
    add("--optimizer", choices=RATES, default="sgd", help="plain SGD or Adam (sgd)")
    add("--rate", type=float, metavar="R", help="its learning rate (0.1, Adam 0.001)")
    add("--seed", type=int, default=0, metavar="N", help="of weights and order (0)")
    add("--pause", type=float, default=0.2, metavar="S", help="rest before each epoch (0.2)")
    add("--json", metavar="FILE", help="write every number there too")
    add("--quick", action="store_true", help="toy networks on toy data, to see that all works")
    return parser


if __name__ == "__main__":
    sys.exit(main())
