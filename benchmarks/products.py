"""GFLOP/s of the three products of a dense layer, and of each form of aᵀ δ, in XLA.

    python -m benchmarks products [--runs N] [--cpu-time] [--quick]

Each product runs a few times inside one compiled loop, as a training step does, so that what the
host adds is not counted. `--cpu-time` counts the seconds of the processor, for a machine that
others use too.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
from jax import lax

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common
from purenet import products

# Batch, inputs and outputs of the layers that the tables of training are about.
LAYERS = [
    (64, 784, 10), (10, 784, 30), (128, 784, 128), (128, 128, 10),
    (256, 784, 512), (256, 512, 512), (256, 512, 10),
    (512, 784, 2048), (512, 2048, 2048), (512, 2048, 10),
]  # fmt: skip
QUICK = [(8, 16, 4)]
LOOP = 4

# (w, a, delta) to one of the products.
PRODUCTS: dict[str, Callable] = {
    "a W": lambda w, a, delta: a @ w,
    "δ Wᵀ": lambda w, a, delta: delta @ w.T,
    "aᵀ δ": lambda w, a, delta: products.plain(jnp.matmul, a, delta),
    "copy(aᵀ) δ": lambda w, a, delta: lax.optimization_barrier(a.T) @ delta,
    "(copy(δᵀ) a)ᵀ": lambda w, a, delta: products.narrow(jnp.matmul, a, delta),
    "shipped": lambda w, a, delta: products.transposed_product(jnp.matmul, a, delta),
}


def looped(product: Callable) -> Callable:
    """Return the product, `LOOP` times in one program, each with new factors."""

    def one(_: int, carry: tuple) -> tuple:
        w, a, delta, total = carry
        first = product(w, a, delta)[0, 0]
        # Every factor depends on the last product, so that none is left out or moved out.
        return w + first * 1e-9, a + first * 1e-9, delta + first * 1e-9, total + first

    @jax.jit
    def run(w: jax.Array, a: jax.Array, delta: jax.Array) -> jax.Array:
        return lax.fori_loop(0, LOOP, one, (w, a, delta, jnp.float32(0)))[3]

    return run


def seconds(clock: Callable[[], float], program: Callable, arguments: tuple) -> float:
    """Return the seconds of one product."""
    begun = clock()
    jax.block_until_ready(program(*arguments))
    return (clock() - begun) / LOOP


def measured(layer: tuple[int, int, int], clock: Callable, runs: int) -> list[str]:
    """Return a row of the table: medians in GFLOP/s."""
    batch, inputs, outputs = layer
    shapes = (inputs, outputs), (batch, inputs), (batch, outputs)
    keys = jax.random.split(jax.random.key(0), 3)
    factors = tuple(jax.random.normal(key, s) for key, s in zip(keys, shapes, strict=True))
    programs = {name: looped(product) for name, product in PRODUCTS.items()}
    for program in programs.values():
        jax.block_until_ready(program(*factors))
    times = common.interleaved(
        {n: functools.partial(seconds, clock, p, factors) for n, p in programs.items()}, runs
    )
    operations = 2 * batch * inputs * outputs
    speeds = [operations / common.spread(t).median / 1e9 for t in times.values()]
    return [f"{batch} × {inputs} × {outputs}", *(f"{speed:#.3g}" for speed in speeds)]


def main(arguments: Sequence[str]) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="benchmarks products",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=11, help="of each product (default 11)")
    parser.add_argument("--cpu-time", action="store_true", help="seconds of the processor")
    parser.add_argument("--quick", action="store_true", help="one small layer")
    options = parser.parse_args(arguments)
    clock = time.process_time if options.cpu_time else time.perf_counter
    rows = [["batch × in × out", *PRODUCTS]]
    rows += [measured(shape, clock, options.runs) for shape in (QUICK if options.quick else LAYERS)]
    of = "processor" if options.cpu_time else "wall clock"
    print(common.machine())
    print(f"GFLOP/s, median of {options.runs} runs by the {of}\n")
    print(common.table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
