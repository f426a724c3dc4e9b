"""Large and small dense networks on an accelerator, against its products, autodiff and PyTorch.

    python -m benchmarks accelerator --output benchmarks/results [--part large|small] [--case N]…

Large networks: seconds of an update (forward and backward pass, plain SGD) by purenet, by
`jax.value_and_grad` of the same objective, and by compiled PyTorch. The ceiling is what chains of
plain matrix products of the same shapes need in the same precision, measured in the same turns, by
JAX or PyTorch, whichever is quicker: "of ceiling" is its seconds over those of the update.
Small networks: seconds of an epoch, by purenet in one program, and by PyTorch, eager and compiled
in CUDA graphs. All take turns, a ratio is between two measurements of the same turn. What is not
installed is left out, and said.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common
from benchmarks.peers import Examples, Setting
from benchmarks.peers.dense import Contender, Large, products, repeats, seconds

LARGE = (
    Large(4096, 4, 8192),
    Large(4096, 8, 16384),
    Large(8192, 4, 8192),
    Large(8192, 4, 1024),
    Large(16384, 3, 8192),
)
SMALL = (
    Setting((784, 10, 10), 64),
    Setting((784, 30, 10), 10),
    Setting((784, 128, 10), 128),
    Setting((784, 512, 512, 10), 256),
)
PRECISIONS = ("bfloat16", "bfloat16 parameters", "tf32", "float32")
PACKAGES = ("purenet", "jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "optax", "torch",
            "triton", "numpy")  # fmt: skip


class Measured(NamedTuple):
    """What one contender took.

    Attributes:
        name: of the contender.
        seconds: of a step, in each turn.
        operations: of the matrix products of a step.
        bytes: of memory on the device, or None.
        loss: of the first step, or None.
    """

    name: str
    seconds: tuple[float, ...]
    operations: float
    bytes: int | None = None
    loss: float | None = None


Say = Callable[[str], None]


def measure(
    makers: Sequence[Callable[[], Contender]], runs: int, least: float, say: Say = print
) -> list[Measured]:
    """Return what each contender took in `runs` turns of at least so many seconds each.

    One that raises while it is made or warmed up is left out, and said.
    """
    ready = [found for make in makers if (found := _ready(make, least, say)) is not None]
    turns = common.interleaved(
        {str(n): lambda c=c, k=k: seconds(c, k) for n, (c, k, _) in enumerate(ready)}, runs
    )
    return [
        Measured(c.name, taken, c.operations, c.bytes, loss)
        for (c, _, loss), taken in zip(ready, turns.values(), strict=True)
    ]


def _ready(
    make: Callable[[], Contender], least: float, say: Say
) -> tuple[Contender, int, float | None] | None:
    try:
        contender = make()
        first = contender.step()
        loss = None if contender.loss is None else contender.loss(first)
        return contender, repeats(contender, least), loss
    except Exception as error:  # what one framework cannot do does not end the others
        said = str(error).strip().splitlines() or [""]
        say(f"left out: {type(error).__name__}: {said[0]}")
        return None


class Result(NamedTuple):
    """A network in one precision.

    Attributes:
        name: of the network and the precision.
        ceiling: seconds of the products alone in each turn; empty where it is not measured.
        done: what the contenders took, purenet first.
    """

    name: str
    ceiling: tuple[float, ...]
    done: tuple[Measured, ...]


def large(
    case: Large, precision: str, frameworks: Mapping[str, Any], runs: int, least: float, say: Say
) -> Result:
    """Return purenet, autodiff and PyTorch on a large network, and its ceiling."""
    shapes = sorted(set(products(case.sizes, case.batch)))
    jax, torch = frameworks["jax"], frameworks.get("torch")
    updates = [lambda f=f: f(case, precision) for f in (jax.purenet, jax.autodiff)]
    updates += [] if torch is None else [lambda: torch.update(case, precision)]
    chains = [lambda f=f, s=s: f.chain(s, precision) for s in shapes for f in frameworks.values()]
    done = measure([*updates, *chains], runs, least, say)
    contenders = tuple(one for one in done if one.loss is not None)
    plain = [one for one in done if one.loss is None]
    return Result(f"{case.name}, {precision}", ceiling(case, shapes, plain), contenders)


def ceiling(
    case: Large, shapes: Sequence[tuple[int, int, int]], chains: Sequence[Measured]
) -> tuple[float, ...]:
    """Return the seconds of all products of a gradient in each turn, at the rates of the chains.

    Of the chains of a shape, which ends their names, the one with the best median counts. Nothing
    is returned where a shape has none.
    """
    rates = {}
    for m, k, n in shapes:
        own = [one for one in chains if one.name.endswith(f" {m} × {k} × {n}")]
        if not own:
            return ()
        best = min(own, key=lambda one: np.median(one.seconds) / one.operations)
        rates[m, k, n] = best.operations / np.array(best.seconds)
    total = sum(2 * m * k * n / rates[m, k, n] for m, k, n in products(case.sizes, case.batch))
    return tuple(np.asarray(total).tolist())


def small(
    setting: Setting,
    train: Examples,
    frameworks: Mapping[str, Any],
    runs: int,
    least: float,
    say: Say,
) -> Result:
    """Return purenet and PyTorch on a small network, an epoch each."""
    updates = -(-len(train.x) // setting.batch)
    jax, torch = frameworks["jax"], frameworks.get("torch")
    loops = [jax.epoch] + ([] if torch is None else [torch.eager, torch.compiled])
    makers = [lambda f=f: f(setting, train, updates) for f in loops]
    return Result(setting.name, (), tuple(measure(makers, runs, least, say)))


HEAD = ("contender", "ms", "quartiles", "min to max", "TFLOP/s", "of ceiling", "× purenet",
        "min to max", "GiB", "first loss")  # fmt: skip


def rows(result: Result) -> list[tuple[str, ...]]:
    """Return the table of a network; the products alone are its last row, where measured."""
    done = list(result.done)
    if result.ceiling and done:
        done.append(Measured("products alone", result.ceiling, done[0].operations))
    return [HEAD, *(_row(one, done[0], result.ceiling) for one in done)]


def _row(one: Measured, base: Measured, ceiling: Sequence[float]) -> tuple[str, ...]:
    ms = common.spread([1e3 * s for s in one.seconds])
    ratio = common.spread(common.ratios(one.seconds, base.seconds))
    of = common.spread(common.ratios(ceiling, one.seconds)) if ceiling else None
    return (
        one.name,
        f"{ms.median:.4g}",
        f"{ms.low:.4g} to {ms.high:.4g}",
        f"{ms.least:.4g} to {ms.most:.4g}",
        f"{one.operations / ms.median / 1e9:.4g}",
        "–" if of is None else f"{of.median:.1%}",
        f"{ratio.median:.2f}",
        f"{ratio.least:.2f} to {ratio.most:.2f}",
        "–" if one.bytes is None else f"{one.bytes / 2**30:.2f}",
        "–" if one.loss is None else f"{one.loss:.4g}",
    )


def report(results: Sequence[Result], machine: str, settings: str) -> str:
    """Return the page of all tables."""
    parts = [f"# {machine}\n\n{settings}\n"]
    parts += [f"## {one.name}\n\n{common.table(rows(one))}\n" for one in results]
    return "\n".join(parts)


def save(folder: Path, results: Sequence[Result], device: str, machine: str, settings: str) -> Path:
    """Write the page and every number as JSON, named after the device; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "accelerator-" + re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    plain = [{**r._asdict(), "done": [one._asdict() for one in r.done]} for r in results]
    whole = {"machine": machine, "settings": settings, "results": plain}
    (folder / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    page = folder / f"{name}.md"
    page.write_text(report(results, machine, settings), encoding="utf-8")
    return page


def available(without_torch: bool = False, say: Say = print) -> dict[str, Any]:
    """Return the modules of steps by framework; PyTorch has to see the device that JAX uses."""
    import jax

    found = {"jax": import_module("benchmarks.peers.dense_jax")}
    if without_torch:
        return found
    if not common.installed("torch"):
        say("left out: PyTorch: torch not installed")
        return found
    try:
        torch = import_module("benchmarks.peers.dense_torch")
    except Exception as error:  # libraries of two frameworks may not go together
        say(f"left out: PyTorch: {error}")
        return found
    if (torch.device() == "cpu") != (jax.default_backend() == "cpu"):
        say(f"left out: PyTorch is on {torch.device()}, JAX on {jax.default_backend()}")
        return found
    return {**found, "torch": torch}


def pixels(examples: int, features: int, classes: int, seed: int = 0) -> Examples:
    """Return random images and labels: the time of an epoch does not depend on what they show."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (examples, features), np.uint8)
    return Examples(x, rng.integers(0, classes, examples).astype(np.int32))


QUICK_LARGE = (Large(32, 2, 16),)
QUICK_SMALL = (Setting((12, 8, 3), 16),)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and write them; return the exit code."""
    options = _parser().parse_args(arguments)
    # Two frameworks share the device: JAX is not to take three quarters of it at the start.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    if jax.default_backend() == "cpu" and not options.quick:
        sys.stderr.write("benchmarks accelerator: no accelerator; --quick runs toy sizes\n")
        return 2
    runs, least = options.runs, 0.0 if options.quick else options.seconds
    machine = common.machine(PACKAGES)
    settings = f"{runs} turns, each contender at least {least:g} s in a turn"
    print(f"{machine}\n{settings}")
    frameworks, results = available(options.without_torch), []
    for one in _jobs(options, frameworks, runs, least):
        results.append(one())
        print(f"\n{results[-1].name}\n\n{common.table(rows(results[-1]))}", flush=True)
        if options.output:
            device = jax.devices()[0].device_kind
            save(Path(options.output), results, device, machine, settings)
    return 0


def _jobs(
    options: argparse.Namespace, frameworks: Mapping[str, Any], runs: int, least: float
) -> list[Callable[[], Result]]:
    wide, few = (QUICK_LARGE, QUICK_SMALL) if options.quick else (LARGE, SMALL)
    train = pixels(*((100, 12, 3) if options.quick else (60000, 784, 10)))
    precisions = options.precision or PRECISIONS
    jobs: list[Callable[[], Result]] = []
    if options.part in (None, "large"):
        jobs += [
            lambda c=c, p=p: large(c, p, frameworks, runs, least, print)
            for c in _chosen(wide, options.case)
            for p in precisions
        ]
    if options.part in (None, "small"):
        jobs += [
            lambda s=s: small(s, train, frameworks, runs, least, print)
            for s in _chosen(few, options.case)
        ]
    return jobs


def _chosen(cases: Sequence[Any], numbers: Sequence[int]) -> list[Any]:
    return [case for n, case in enumerate(cases, 1) if not numbers or n in numbers]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks accelerator", description=(__doc__ or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--output", metavar="FOLDER", help="write a page and a JSON file there, named by device")
    add("--part", choices=("large", "small"), help="only these networks")
    add("--case", action="append", default=[], type=int, metavar="N", help="of a part, repeatable")
    add("--precision", action="append", choices=PRECISIONS, help="of large networks, repeatable")
    add("--runs", type=int, default=7, metavar="N", help="turns (7)")
    add("--seconds", type=float, default=0.3, metavar="S", help="of a contender in a turn (0.3)")
    add("--without-torch", action="store_true", help="leave PyTorch out")
    add("--quick", action="store_true", help="toy sizes, also on a CPU, to see that all works")
    return parser


if __name__ == "__main__":
    sys.exit(main())
