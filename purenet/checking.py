"""Check a network's hand-derived gradient against autodiff and against central differences."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from purenet import batches, losses
from purenet.backprop import value_and_grad
from purenet.losses import Loss
from purenet.network import Network, Params, objective

AUTODIFF_TOLERANCE = 1e-10
CENTRAL_TOLERANCE = 1e-5
STEP = 1e-6
ROUNDINGS = 64


@dataclasses.dataclass(frozen=True)
class Line:
    """The verdict on the gradient of one array.

    Attributes:
        name: "layer 1 weight", … or "x".
        difference: max |hand − autodiff|.
        relative: the same over max |autodiff|.
        central: |⟨hand, v⟩ − central difference along v| over Σ |hand|, for one direction v of
            signs, the other arrays held fixed; less what rounding of the cost explains.
        equal: whether `relative` is below 1e-10 and `central` below 1e-5.
    """

    name: str
    difference: float
    relative: float
    central: float
    equal: bool


@dataclasses.dataclass(frozen=True)
class Report:
    """A line per array; `print` it, or ask `ok`."""

    lines: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """Whether every line is equal."""
        return all(line.equal for line in self.lines)

    def __str__(self) -> str:
        """Return the table."""
        rows = [f"{'gradient of':<16} {'max |difference|':>16} {'relative':>9} {'central':>9}"]
        rows += [
            f"{line.name:<16} {line.difference:>16.1e} {line.relative:>9.1e} {line.central:>9.1e}"
            f"  {'equal' if line.equal else 'DIFFERS'}"
            for line in self.lines
        ]
        return "\n".join(rows)


def check_gradients(
    net: Network,
    loss: str | Loss,
    params: Params,
    x: Num[Array, "batch in"] | np.ndarray,
    y: Num[Array, "..."] | np.ndarray,
    weights: Float[Array, " batch"] | np.ndarray | None = None,
) -> Report:
    """Return a report on ∂C/∂W, ∂C/∂b and, for floating x, ∂C/∂x, computed in float64.

    The arrays are converted to float64 for the check alone, and products are not rounded to a
    `compute_dtype`: what is checked is the derivation. A kink that lies exactly at a weighted
    input (relu at 0) makes autodiff and central differences differ from one another.

    >>> from purenet.network import mlp
    >>> net = mlp([2, 3, 1], hidden="tanh")
    >>> params = net.init(jax.random.key(0))
    >>> check_gradients(net, "mean_squared_error", params, np.eye(2), np.ones(2)).ok
    True

    Raises:
        ValueError: loss and output do not go together; shapes or values that cannot be used.
    """
    loss = losses.from_name(loss)
    value_and_grad(net, loss)
    given = (x, y) if weights is None else (x, y, weights)
    data = batches.parse(net, loss, given)
    exact = dataclasses.replace(net, compute_dtype=None, precision="highest")
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), params)
        return _report(exact, loss, params, data)


def _report(net: Network, loss: Loss, params: Params, data: batches.Data) -> Report:
    floating = data.x.dtype.kind == "f"
    x = jnp.asarray(data.x, jnp.float64) if floating else jnp.asarray(data.x)
    y, weights = jnp.asarray(data.y), jnp.asarray(data.weights, jnp.float64)
    argnums = (0, 1) if floating else (0,)
    _, hand = value_and_grad(net, loss, argnums)(params, x, y, weights)
    auto = jax.grad(objective(net, loss), argnums)(params, x, y, weights)
    where, tree = jax.tree.flatten((params, x)[: len(argnums)])
    cost = jax.jit(lambda leaves: objective(net, loss)(*_arguments(tree, leaves, x), y, weights))
    names = [f"layer {n // 2 + 1} {('weight', 'bias')[n % 2]}" for n in range(2 * net.depth)]
    magnitudes = [float(jnp.max(jnp.abs(leaf))) or 1.0 for leaf in where]
    if floating and net.input_scaling is not None:
        # An offset says nothing of the size of a change that matters.
        magnitudes[-1] = float(np.max(np.abs(net.input_scaling.scale)))
    both = zip([*names, "x"], jax.tree.leaves(hand), jax.tree.leaves(auto), strict=False)
    return Report(
        tuple(
            _line(name, h, a, _central(cost, where, index, h, magnitudes[index]))
            for index, (name, h, a) in enumerate(both)
        )
    )


def _arguments(tree: jax.tree_util.PyTreeDef, leaves: list, x: Array) -> tuple[Params, Array]:
    arguments = jax.tree.unflatten(tree, leaves)
    return arguments if len(arguments) == 2 else (*arguments, x)


def _central(
    cost: jax.stages.Wrapped, where: list, index: int, gradient: Array, size: float
) -> float:
    signs = np.random.default_rng(index).choice([-1.0, 1.0], gradient.shape)
    step = STEP * size
    ahead, behind = list(where), list(where)
    ahead[index], behind[index] = where[index] + step * signs, where[index] - step * signs
    up, down = float(cost(ahead)), float(cost(behind))
    # Two costs that are rounded differ by that much without meaning anything.
    rounding = ROUNDINGS * float(np.finfo(np.float64).eps) * max(abs(up), abs(down)) / (2 * step)
    error = abs(float(jnp.sum(gradient * signs)) - (up - down) / (2 * step))
    # The signs can cancel; a sum of absolute values is what the error is measured against.
    total = float(jnp.sum(jnp.abs(gradient)))
    return max(0.0, error - rounding) / total if total else max(0.0, error - rounding)


def _line(name: str, hand: Array, auto: Array, central: float) -> Line:
    difference, size = float(jnp.max(jnp.abs(hand - auto))), float(jnp.max(jnp.abs(auto)))
    relative = difference / size if size else (0.0 if difference == 0 else float("inf"))
    equal = relative < AUTODIFF_TOLERANCE and central < CENTRAL_TOLERANCE
    return Line(name, difference, relative, central, equal)
