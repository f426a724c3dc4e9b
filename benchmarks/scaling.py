"""What an update costs on many devices: formulas, the compiled programs, and what they predict.

    python benchmarks/scaling.py

On a mesh of D places along "data" and M along "model", a batch of b examples, sizes n_0 … n_L and
m_l = M where layer l is split (else 1), each device does per update

    FLOPs        b/D (Σ_l 4 n_{l−1} n_l / m_l + Σ_{l>1} 2 n_{l−1} n_l / m_l)
    gradient     one all-reduce over the D places, of a number per parameter on the device
    units        one all-reduce over M devices, of b/D numbers per unit, for each layer whose units
                 are whole between split ones: forward behind rows, backward before columns

and an all-reduce of B bytes among p devices sends 2 (p − 1) / p · B from each of them. The first
table holds these formulas against XLA's own count and against the collectives in the compiled
programs, on eight virtual devices of the CPU. The second one is what they predict.
"""

import itertools
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh

sys.path.insert(0, str(Path(__file__).parents[1]))

import purenet as pn
from purenet import losses, sharding, training
from purenet.batches import Data

NUMBER = 4  # bytes of a float32, in which parameters, gradients and sums are held


class Work(NamedTuple):
    """What one device does in one update.

    Attributes:
        flops: of the matrix products.
        bytes: read and written by products, activations, update and all-reduces, each array once
            per use.
        gradient: bytes of the all-reduce over "data".
        units: bytes of the all-reduces over "model", one number for each.
        held: bytes of the parameters on the device.
    """

    flops: float
    bytes: float
    gradient: float
    units: tuple[float, ...]
    held: float


class Machine(NamedTuple):
    """An accelerator and its links: figures of the vendor, and two assumptions.

    Attributes:
        name: of the accelerator.
        flops: of dense products in bfloat16, per second.
        memory: bytes per second.
        inside: bytes per second and direction between the devices of one node.
        outside: the same for each device to other nodes.
        node: devices in one node.
        latency: assumed, seconds that a collective takes whatever its size.
        reached: assumed, the part of `flops` that a large product reaches.
    """

    name: str
    flops: float
    memory: float
    inside: float
    outside: float
    node: int
    latency: float = 20e-6
    reached: float = 0.7


H100 = Machine("NVIDIA H100 SXM", 989e12, 3.35e12, 450e9, 50e9, 8)


def work(sizes: Sequence[int], batch: int, data: int = 1, model: int = 1) -> Work:
    """Return what one device of a data × model mesh does in one update with SGD."""
    layers = list(itertools.pairwise(sizes))
    split = [
        (len(layers) - k) % 2 == 1 and n % model == 0 and model > 1 for k, n in enumerate(sizes)
    ]
    rows = batch / data
    parts = [model if split[k] or split[k + 1] else 1 for k in range(len(layers))]
    own = [n / (model if s else 1) for n, s in zip(sizes, split, strict=True)]
    products = [rows * i * o / p for (i, o), p in zip(layers, parts, strict=True)]
    weights = sum(i * o / p for (i, o), p in zip(layers, parts, strict=True))
    held = weights + sum(own[1:])
    gradient = NUMBER * held if data > 1 else 0
    units = tuple(NUMBER * rows * n for n in _summed(sizes, split))
    return Work(
        flops=4 * sum(products) + 2 * sum(products[1:]),
        bytes=NUMBER * sum(_numbers(rows, own, layers, parts)) + 2 * (gradient + sum(units)),
        gradient=gradient,
        units=units,
        held=NUMBER * held,
    )


def _summed(sizes: Sequence[int], split: Sequence[bool]) -> Iterator[int]:
    """Yield the number of units of each sum over the devices of "model"."""
    for layer in range(1, len(sizes)):
        if split[layer - 1]:
            yield sizes[layer]
        elif split[layer] and layer > 1:
            yield sizes[layer - 1]


def _numbers(
    rows: float, own: Sequence[float], layers: Sequence[tuple[int, int]], parts: Sequence[int]
) -> Iterator[float]:
    """Yield the numbers that each step of an update reads and writes, layer by layer."""
    for layer, ((i, o), p) in enumerate(zip(layers, parts, strict=True)):
        weight, before, behind = i * o / p, rows * own[layer], rows * own[layer + 1]
        yield before + weight + behind  # z = a W
        yield before + behind + weight  # ∂C/∂W = aᵀ δ
        yield 2 * behind  # a = σ(z)
        yield 3 * weight  # W − η ∂C/∂W
        if layer:
            yield behind + weight + before  # ∂C/∂a = δ Wᵀ
            yield 3 * before  # ∂C/∂z


def sent(size: float, devices: int) -> float:
    """Return the bytes that each of `devices` sends in a ring all-reduce of `size` bytes."""
    return 2 * (devices - 1) / devices * size


def seconds(
    machine: Machine, done: Work, data: int = 1, model: int = 1
) -> tuple[float, float, float]:
    """Return the predicted seconds of an update: of one device, of "model", and of "data".

    The devices of "model" are neighbours. A ring through several nodes uses the links of as many
    devices of a node as belong to it.
    """
    alone = max(done.flops / (machine.reached * machine.flops), done.bytes / machine.memory)
    inside = model <= machine.node
    of_model = machine.inside if inside else min(machine.inside, machine.node * machine.outside)
    neighbours = max(1, machine.node // model)
    of_data = min(machine.inside, neighbours * machine.outside)
    of_data = machine.inside if data * model <= machine.node else of_data
    units = sum(machine.latency + sent(size, model) / of_model for size in done.units)
    gradient = machine.latency + sent(done.gradient, data) / of_data if data > 1 else 0.0
    return alone, units, gradient


# The compiled programs ----------------------------------------------------------------------------


class Collective(NamedTuple):
    """One collective of a compiled program: its name, bytes per device, and devices in a group."""

    name: str
    bytes: int
    devices: int


KINDS = "all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute|ragged-all-to-all"
LINE = re.compile(rf" = (.*?) ({KINDS})(?:-start)?\((.*)$", re.MULTILINE)
SHAPE = re.compile(r"([a-z]+)(\d+)\[([\d,]*)\]")
GROUPS = (
    re.compile(r"replica_groups=\[\d+,(\d+)\]<="),
    re.compile(r"replica_groups=\{\{([\d,]+)\}"),
    re.compile(r"replica_groups=mesh\[([^\]]*)\] ?\{([^}]*)\}"),
)


def compiled(net: pn.Network, batch: int, mesh: Mesh) -> jax.stages.Compiled:
    """Return the compiled update of `purenet.fit` on that mesh, a full batch with SGD."""
    mesh, optimizer = sharding.automatic(mesh), optax.sgd(0.1)
    params = jax.eval_shape(net.init, jax.random.key(0))
    state = jax.eval_shape(lambda p: training.init_state(p, optimizer), params)
    on_mesh = jax.tree.map(_laid_out, state, sharding.layout(mesh, params, state))
    data = Data(
        jax.ShapeDtypeStruct((batch, net.sizes[0]), np.float32),
        jax.ShapeDtypeStruct((batch,), np.int32),
        jax.ShapeDtypeStruct((batch,), np.float32),
    )
    rows = jax.tree.map(lambda v: _laid_out(v, sharding.examples(mesh)), data)

    def update(state: training.State, data: Data) -> tuple[training.State, jax.Array]:
        return training.one_pass(net, losses.cross_entropy, optimizer, state, data, None, mesh)

    with sharding.within(mesh):
        return jax.jit(update).lower(on_mesh, rows).compile()


def collectives(text: str) -> list[Collective]:
    """Return the collectives in a program of XLA."""
    return [
        Collective(name, sum(map(_bytes, SHAPE.findall(shapes))), _devices(rest))
        for shapes, name, rest in LINE.findall(text)
    ]


def _laid_out(v: jax.ShapeDtypeStruct, where: jax.sharding.Sharding) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(v.shape, v.dtype, sharding=where)


def _bytes(shape: tuple[str, str, str]) -> int:
    _, bits, dimensions = shape
    return int(bits) // 8 * int(np.prod([int(n) for n in dimensions.split(",") if n]))


def _devices(rest: str) -> int:
    """Return the devices in each group: written as [groups,devices], as lists, or by axes."""
    sizes, lists, axes = (pattern.search(rest) for pattern in GROUPS)
    if sizes:
        return int(sizes[1])
    if lists:
        return len(lists[1].split(","))
    if axes is None:
        raise ValueError(f"no groups of devices in {rest}")
    size = dict(re.findall(r"'(\w+)'=(\d+)", axes[1]))
    return int(np.prod([int(size[name]) for name in re.findall(r"'(\w+)'", axes[2])]))


# The tables ---------------------------------------------------------------------------------------

CHECKED = ((784, 512, 512, 10), 256)
MESHES = ((8, 1), (1, 8), (2, 4))
PREDICTED = (
    ((784, 512, 512, 10), 4096),
    ((784, 2048, 2048, 10), 4096),
    ((4096, 8192, 8192, 8192, 4096), 4096),
    ((16384,) * 9, 4096),
)
SPREAD = ((1, 1), (8, 1), (1, 8), (512, 1), (64, 8))


def checks(sizes: Sequence[int], batch: int, meshes: Sequence[tuple[int, int]]) -> list[list[str]]:
    """Return a row per mesh: formula and compiled program side by side."""
    net, rows = pn.mlp(sizes, "tanh", "softmax"), []
    for data, model in meshes:
        devices = np.array(jax.devices()[: data * model]).reshape(data, model)
        program = compiled(net, batch, Mesh(devices, (sharding.DATA, sharding.MODEL)))
        cost, done = program.cost_analysis(), work(sizes, batch, data, model)
        found = [c for c in collectives(program.as_text()) if c.bytes > NUMBER]
        rows.append(
            [f"{data} × {model}"]
            + [f"{v / 1e6:.2f}" for v in (done.flops, cost["flops"], done.bytes)]
            + [f"{cost['bytes accessed'] / 1e6:.2f}", str(len(done.units) + (data > 1))]
            + [str(len(found)), f"{(done.gradient + sum(done.units)) / 1e6:.3f}"]
            + [f"{sum(c.bytes for c in found) / 1e6:.3f}"]
        )
    return rows


def predictions(machine: Machine, networks: Sequence[tuple[Sequence[int], int]]) -> list[list[str]]:
    """Return a row per network and mesh; the batch is so many examples for each device."""
    rows = []
    for sizes, batch in networks:
        for data, model in SPREAD:
            done = work(sizes, batch * data * model, data, model)
            alone, units, gradient = seconds(machine, done, data, model)
            rows.append(
                [_short(sizes), f"{data} × {model}", f"{done.flops / 1e9:.1f}"]
                + [f"{done.held / 1e6:.0f}", f"{sent(done.gradient, data) / 1e6:.0f}"]
                + [f"{sum(sent(size, model) for size in done.units) / 1e6:.0f}"]
                + [f"{1e6 * v:.0f}" for v in (alone, units, gradient)]
                + [f"{alone / (alone + units + gradient):.0%}"]
            )
    return rows


def _short(sizes: Sequence[int]) -> str:
    return "-".join(
        str(size) if len(group) == 1 else f"{size}×{len(group)}"
        for size, group in ((k, list(g)) for k, g in itertools.groupby(sizes))
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


CHECK_HEAD = (
    "data × model", "MFLOP", "compiled", "MB moved", "compiled", "all-reduces", "compiled",
    "MB reduced", "compiled",
)  # fmt: skip
PREDICTION_HEAD = (
    "network", "data × model", "GFLOP", "MB held", "MB sent, data", "MB sent, model",
    "µs alone", "µs model", "µs data", "busy",
)  # fmt: skip


def main() -> None:
    """Print both tables."""
    jax.config.update("jax_num_cpu_devices", 8)
    sizes, batch = CHECKED
    print(f"{_short(sizes)}, batch {batch}, per device and update: formula and compiled program")
    print(f"JAX {jax.__version__}, 8 virtual devices of the CPU\n")
    print(table(CHECK_HEAD, checks(sizes, batch, MESHES)))
    print(f"\nPredicted for {H100.name}, {PREDICTED[0][1]} examples for each device\n")
    print(table(PREDICTION_HEAD, predictions(H100, PREDICTED)))


if __name__ == "__main__":
    main()
