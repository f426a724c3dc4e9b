"""How complex a curve a ReLU network draws: its linear pieces, counted exactly (S0-C11, S0-E12).

A network 1 → … → 1 of ReLUs is piecewise linear in x. The count follows the weights through the
layers in exact fractions: between two neighbouring breakpoints every unit is linear, so a new one
can only lie where a unit's z crosses 0, and that x is rational. At the end, breakpoints without a
change of slope go.

"Number of layers ∝ complexity of curve" (S0-E12) is no law:

    tent     t(x) = 2 relu(x) − 4 relu(x − ½), k times in a row      2^k pieces
    width    n units in one layer, c + Σ v_j relu(x − j/(n + 1))     n + 1 pieces at most
    identity relu(x) on [0, 1], k times                              1 piece
    dead     relu(−relu(x) − 1) = 0, and so on                       1 piece

Depth can pay exponentially, and can buy nothing.
"""

import argparse
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import purenet as pn

Layer = tuple[list[list[Fraction]], list[Fraction]]  # weight (in, out) and bias (out,)
Curve = list[tuple[Fraction, list[Fraction]]]  # x and the units' values there, linear in between


class Row(NamedTuple):
    """The linear pieces on [0, 1] at depth k."""

    depth: int
    tent: int
    width: int  # one layer with as many units as the tents have in all
    units: int
    identity: int
    dead: int


class Result(NamedTuple):
    """What the script prints."""

    rows: tuple[Row, ...]
    evaluated: int  # points at which the library's network was compared with the fractions
    largest_difference: float


def affine(curve: Curve, layer: Layer) -> Curve:
    columns, bias = list(zip(*layer[0], strict=True)), layer[1]
    return [
        (x, [sum(map(Fraction.__mul__, a, w), b) for w, b in zip(columns, bias, strict=True)])
        for x, a in curve
    ]


def relu(curve: Curve) -> Curve:
    """max(0, z) of every unit, with the crossings of 0 as new breakpoints."""
    bent = [curve[0]]
    for (x, z), (x_next, z_next) in pairwise(curve):
        crossings = {
            x + (x_next - x) * u / (u - v) for u, v in zip(z, z_next, strict=True) if u * v < 0
        }
        for at in sorted(crossings):
            part = (at - x) / (x_next - x)
            bent.append((at, [u + part * (v - u) for u, v in zip(z, z_next, strict=True)]))
        bent.append((x_next, z_next))
    return [(x, [max(Fraction(0), u) for u in z]) for x, z in bent]


def trace(layers: Sequence[Layer]) -> Curve:
    """The network as an exact piecewise linear function of x on [0, 1]."""
    curve: Curve = [(Fraction(0), [Fraction(0)]), (Fraction(1), [Fraction(1)])]
    for layer in layers[:-1]:
        curve = relu(affine(curve, layer))
    return affine(curve, layers[-1])


def pieces(curve: Curve) -> int:
    slopes = [(b[0] - a[0]) / (y - x) for (x, a), (y, b) in pairwise(curve)]
    return 1 + sum(left != right for left, right in pairwise(slopes))


def fractions(weight: Sequence, bias: Sequence) -> Layer:
    return [[Fraction(w) for w in row] for row in weight], [Fraction(b) for b in bias]


def tents(depth: int) -> list[Layer]:
    """Layer l + 1 forms t = 2 r_1 − 4 r_2 of the tent below and feeds t and t − ½ to its ReLUs."""
    first = fractions([[1, 1]], [0, Fraction(-1, 2)])
    between = fractions([[2, 2], [-4, -4]], [0, Fraction(-1, 2)])
    return [first, *[between] * (depth - 1), fractions([[2], [-4]], [0])]


def zigzag(units: int) -> list[Layer]:
    """One layer with kinks at j / (units + 1), alternating in direction: as many as it can have."""
    kinks = [Fraction(-j, units + 1) for j in range(1, units + 1)]
    changes = [[2 * (-1) ** j * (units + 1)] for j in range(units)]
    return [fractions([[1] * units], kinks), fractions(changes, [0])]


def identity(depth: int) -> list[Layer]:
    return [fractions([[1]], [0])] * (depth + 1)


def dead(depth: int) -> list[Layer]:
    return [fractions([[1]], [0]), *[fractions([[-1]], [-1])] * (depth - 1), fractions([[1]], [0])]


def library(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """The same network in purenet, evaluated at x."""
    arrays = [tuple(np.array(part, np.float64) for part in layer) for layer in layers]
    net = pn.mlp([1, *(bias.size for _, bias in arrays)], hidden="relu")
    params = tuple(pn.Dense(jnp.asarray(w), jnp.asarray(b)) for w, b in arrays)
    return np.asarray(pn.predict(net, params, x[:, None]))[:, 0]


def difference(layers: Sequence[Layer]) -> tuple[int, float]:
    """At every breakpoint and between each two: how many points, and the largest difference."""
    curve = trace(layers)
    middle = [((x + y) / 2, [(a[0] + b[0]) / 2]) for (x, a), (y, b) in pairwise(curve)]
    points = [*curve, *middle]
    x = np.array([float(at) for at, _ in points])
    exact = np.array([float(values[0]) for _, values in points])
    return len(points), float(np.abs(library(layers, x) - exact).max())


def run(depth: int) -> Result:
    families = [(k, tents(k), zigzag(2 * k), identity(k), dead(k)) for k in range(1, depth + 1)]
    rows = [
        Row(k, pieces(trace(tent)), pieces(trace(wide)), 2 * k, pieces(trace(same)),
            pieces(trace(none)))
        for k, tent, wide, same, none in families
    ]  # fmt: skip
    checked = [difference(layers) for _, *networks in families for layers in networks]
    return Result(tuple(rows), sum(n for n, _ in checked), max(d for _, d in checked))


def draw(path: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    for depth, axes in zip((1, 2, 4), figure.subplots(1, 3, sharey=True), strict=True):
        curve = trace(tents(depth))
        axes.plot([float(x) for x, _ in curve], [float(a[0]) for _, a in curve])
        axes.set(title=f"depth {depth}: {pieces(curve)} pieces", xlabel="x")
    figure.savefig(path)


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=6, help="count up to so many layers")
    parser.add_argument("--plot", metavar="FILE.png", help="tents of tents (matplotlib)")
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        result = run(options.depth)
    if options.plot:
        draw(options.plot)
    print("linear pieces on [0, 1]")
    print(f"{'layers':>7}{'tent':>7}{'one layer, same units':>24}{'identity':>10}{'dead':>6}")
    for row in result.rows:
        wide = f"{row.width} ({row.units} units)"
        print(f"{row.depth:7}{row.tent:7}{wide:>24}{row.identity:10}{row.dead:6}")
    print(f"\npurenet against the fractions at {result.evaluated} points: ", end="")
    print(f"largest difference {result.largest_difference:.1e}")
    return result


if __name__ == "__main__":
    main()
