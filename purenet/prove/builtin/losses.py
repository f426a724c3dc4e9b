"""Each loss: its hand gradient, its fused delta, and every output delta that a network takes.

A loss is the mean over the batch, or the mean with example weights. Weights of any sign are
allowed here, as are targets that are no distribution: the hand gradients hold for them too.
"""

from collections.abc import Callable, Iterator
from typing import Any

from jax import Array

from purenet.activations import ACTIVATIONS, Activation, identity, softmax
from purenet.backprop import output_delta
from purenet.losses import LOSSES, Loss, mean_squared_error
from purenet.network import Network
from purenet.prove.builtin.claim import Claim, gradient
from purenet.prove.domains import Domain, label, real

ROWS, WEIGHTS = "batch outputs", real("batch")

# What each loss takes: the activated outputs at which it is differentiable, and its targets.
OUTPUTS: dict[str, Domain] = {
    "cross_entropy": real(ROWS, low=0),
    "binary_cross_entropy": real(ROWS, low=0, high=1),
}
LABELS = {"labels": label("batch", classes="outputs")}
TARGETS = {"targets": real(ROWS)}


def claims() -> Iterator[Claim]:
    """`cross_entropy.gradient.labels.weighted`, `cross_entropy.delta.labels`, …"""
    for loss in LOSSES.values():
        for words, targets in forms(loss):
            outputs = OUTPUTS.get(loss.name, real(ROWS))
            yield gradient(f"{loss.name}.gradient{words}", loss, loss.gradient, outputs, *targets)
            if loss.fused is not None:
                yield gradient(
                    f"{loss.name}.delta{words}", loss.from_logits, loss.delta, real(ROWS), *targets
                )
    for loss in LOSSES.values():
        yield from output_deltas(loss)


def forms(loss: Loss, weights: Domain = WEIGHTS) -> Iterator[tuple[str, tuple[Domain, ...]]]:
    """Each kind of target that the loss takes, without and with example weights."""
    for word, targets in ({**LABELS, **TARGETS} if loss.labels else TARGETS).items():
        words = f".{word}" if loss.labels else ""
        yield words, (targets,)
        yield f"{words}.weighted", (targets, weights)


def output_deltas(loss: Loss) -> Iterator[Claim]:
    """∂C/∂z_L as `backprop.output_delta` computes it, for the outputs that go with the loss.

    Half the mean squared error is taken with two of them: it is the other one times a half.
    """
    if loss.fused is not None:
        return
    for output in ACTIVATIONS.values():
        if output.differentiable and (loss is mean_squared_error or output in (identity, softmax)):
            value, delta = of_output(loss, output)
            name = f"{loss.name}.output_delta.{output.name}"
            yield gradient(name, value, delta, real(ROWS), real(ROWS))


def of_output(loss: Loss, output: Activation) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the cost of the last weighted input, and what `backprop` takes for its gradient."""

    def cost(z: Array, y: Array) -> Array:
        return loss(output(z), y)

    def delta(z: Array, y: Array) -> Array:
        net = Network((z.shape[-1], z.shape[-1]), (), output)
        return output_delta(net, loss, z, y, None)[1]

    return cost, delta
