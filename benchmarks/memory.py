"""Memory of a gradient as the compiler plans it: arrays per hidden layer, and per class.

    python -m benchmarks memory [--width N] [--batch N] [--hidden NAME…] [--classes N]
                                [--every N…] [--at-once N…]

The figures are of the compiled program (`memory_analysis`, `cost_analysis`): nothing is run, and
they are the same each time. "Autodiff" is `jax.value_and_grad` of the same cost. One array is
batch × width numbers, in the last table batch × classes; parameters, gradients and data are not
counted. What a library of matrix products takes for itself is not seen.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

sys.path.insert(0, str(Path(__file__).parents[1]))

import purenet as pn
from benchmarks.common import Rows, machine, table

OWN = pn.Activation("own: sin", jnp.sin, jnp.cos)
ACTIVATIONS = (
    "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu", "silu", "gelu", OWN,
)  # fmt: skip
DEPTHS = (8, 16)

Gradient = Callable[[pn.Network], Callable[..., Any]]


class Cost(NamedTuple):
    """What the compiler says of one program."""

    temporary: float  # bytes at the peak, without arguments and results
    flops: float
    accessed: float  # bytes

    def __sub__(self, other: "Cost") -> "Cost":
        """Return the difference."""
        return Cost(*(a - b for a, b in zip(self, other, strict=True)))


def by_autodiff(net: pn.Network) -> Callable[..., Any]:
    """Return the gradient by `jax.value_and_grad`."""
    return jax.value_and_grad(pn.objective(net, "cross_entropy"))


def by_hand(net: pn.Network) -> Callable[..., Any]:
    """Return purenet's gradient."""
    return pn.value_and_grad(net, "cross_entropy")


def cost(
    gradient: Callable[..., Any], sizes: Sequence[int], batch: int, labels: bool = True
) -> Cost:
    """Return the cost of the compiled gradient of a classifier; without labels: distributions."""
    number = partial(jax.ShapeDtypeStruct, dtype=jnp.float32)
    params = tuple(pn.Dense(number((i, o)), number((o,))) for i, o in pairwise(sizes))
    y = jax.ShapeDtypeStruct((batch,), jnp.int32) if labels else number((batch, sizes[-1]))
    compiled = jax.jit(gradient).lower(params, number((batch, sizes[0])), y).compile()
    counted = compiled.cost_analysis()
    temporary = compiled.memory_analysis().temp_size_in_bytes
    return Cost(temporary, counted["flops"], counted["bytes accessed"])


def deep(width: int, hidden: int, activation: str | pn.Activation, **options: Any) -> pn.Network:
    """Return a classifier with that many hidden layers, all of one width as the inputs."""
    return pn.mlp([width] * (hidden + 1) + [10], activation, "softmax", **options)


def per_hidden_layer(
    gradient: Gradient,
    activation: str | pn.Activation,
    width: int,
    batch: int,
    depths: tuple[int, int] = DEPTHS,
) -> Cost:
    """Return what one more hidden layer costs; memory in arrays of batch × width."""
    few, many = (deep(width, hidden, activation) for hidden in depths)
    more = cost(gradient(many), many.sizes, batch) - cost(gradient(few), few.sizes, batch)
    each = Cost(*(number / (depths[1] - depths[0]) for number in more))
    return each._replace(temporary=each.temporary / (4 * batch * width))


def of_activations(
    activations: Sequence[str | pn.Activation], width: int, batch: int, depths: tuple[int, int]
) -> Rows:
    """Return the table of arrays per hidden layer."""
    rows = [["activation", "autodiff", "purenet", "operations", "bytes accessed"]]
    for activation in activations:
        theirs, ours = (
            per_hidden_layer(gradient, activation, width, batch, depths)
            for gradient in (by_autodiff, by_hand)
        )
        rows.append(
            [
                getattr(activation, "name", activation),
                *(f"{each.temporary:.2f}" for each in (theirs, ours)),
                f"{ours.flops / theirs.flops:.3f} ×",
                f"{ours.accessed / theirs.accessed:.3f} ×",
            ]
        )
    return rows


def of_checkpoints(width: int, batch: int, hidden: int, every: Sequence[int]) -> Rows:
    """Return the table of `checkpoint_every`, with ReLU."""
    plain = deep(width, hidden, "relu")
    thin = [deep(width, hidden, "relu", checkpoint_every=k) for k in every]
    known = cost(by_hand(plain), plain.sizes, batch)
    found = {
        "autodiff": cost(by_autodiff(plain), plain.sizes, batch),
        "none": known,
        **{str(net.checkpoint_every): cost(by_hand(net), net.sizes, batch) for net in thin},
    }
    array = 4 * batch * width
    return [
        ["checkpoint_every", "arrays at the peak", "operations"],
        *(
            [name, f"{one.temporary / array:.2f}", f"{one.flops / known.flops:.3f} ×"]
            for name, one in found.items()
        ),
    ]


def of_classes(width: int, batch: int, classes: int, at_once: Sequence[int]) -> Rows:
    """Return the table of cross-entropy over many classes."""
    sizes = (width, width, classes)
    plain = pn.mlp(sizes, output="softmax")
    pieces = [pn.mlp(sizes, output="softmax", classes_at_once=c) for c in at_once]
    gradients = {
        "autodiff": by_autodiff(plain),
        "none": by_hand(plain),
        **{str(net.classes_at_once): by_hand(net) for net in pieces},
    }
    array = 4 * batch * classes
    rows = [["classes_at_once", "MiB", "arrays (batch, classes)", "MiB, distributions", "arrays"]]
    for name, f in gradients.items():
        found = [cost(f, sizes, batch, labels).temporary for labels in (True, False)]
        cells = [[f"{one / 2**20:.1f}", f"{one / array:.3f}"] for one in found]
        rows.append([name, *cells[0], *cells[1]])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = partial(parser.add_argument, type=int, metavar="N")
    add("--width", default=128, help="of the hidden layers (128)")
    add("--batch", default=512, help="examples (512)")
    add("--layers", nargs=2, default=DEPTHS, help="hidden layers of the two networks (8 16)")
    add("--every", nargs="*", default=[2, 4, 8], help="of checkpoint_every (2 4 8)")
    add("--classes", default=50_000, help="of the last table (50000)")
    add("--at-once", nargs="*", default=[8192, 1024], help="pieces of the last table (8192 1024)")
    names = [getattr(a, "name", a) for a in ACTIVATIONS]
    parser.add_argument("--hidden", nargs="*", choices=names, default=names, metavar="NAME")
    given = parser.parse_args(arguments)
    chosen = [a for a, name in zip(ACTIVATIONS, names, strict=True) if name in given.hidden]
    few, many = given.layers
    print(f"Arrays per hidden layer ({few} against {many} of {given.width}, batch {given.batch}):")
    print(f"\n{table(of_activations(chosen, given.width, given.batch, (few, many)))}\n")
    print(f"checkpoint_every, {many} hidden layers with ReLU:")
    print(f"\n{table(of_checkpoints(given.width, given.batch, many, given.every))}\n")
    print(f"Cross-entropy over {given.classes} classes, batch {given.batch}:")
    print(f"\n{table(of_classes(given.width, given.batch, given.classes, given.at_once))}\n")
    print(f"{machine()}.")


if __name__ == "__main__":
    main()
