"""Are two functions the same function of real numbers? Their outputs as terms, subtracted."""

from collections.abc import Callable
from typing import Any, NamedTuple

from purenet.prove import programs
from purenet.prove.decide import Outcome
from purenet.prove.interpret.constants import literals
from purenet.prove.interpret.tensor import atom_of
from purenet.prove.kernel.linear import subtract
from purenet.prove.needs import canonical, stated
from purenet.prove.replay import Counterexample, Difference
from purenet.prove.settle import Ground, NotShown, not_real, settled
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import Traced, trace


class Pair(NamedTuple):
    """Two functions, traced at the same sizes."""

    left: Traced
    right: Traced


def traced(f: Callable[..., Any], g: Callable[..., Any], domains: Any, sizes: Sizes) -> Pair:
    """Both programs.

    Raises:
        ValueError: the outputs have different structures.
    """
    pair = Pair(trace(f, domains, sizes), trace(g, domains, sizes))
    if pair.left.out_tree != pair.right.out_tree:
        raise ValueError("equal: the functions give results of different structures")
    return pair


def compare(pair: Pair, sizes: Sizes) -> Outcome:
    """Show that both programs give the same values.

    Raises:
        NotShown: a difference is left, or one is defined where the other is not.
    """
    with literals():
        left = programs.read(pair.left, sizes)
        right = programs.read(pair.right, sizes, left.inputs)
    tensors = (*left.outputs, *right.outputs)
    ground = Ground(canonical(n for t in tensors for n in t.needs if not n.smooth))
    for number, (one, other) in enumerate(zip(left.outputs, right.outputs, strict=True)):
        if one.shape != other.shape:
            raise NotShown(f"output {number} has different shapes")
        difference = subtract(one.body, other.at(tuple(atom_of(v) for v in one.slots)))
        if not_real(difference):
            raise NotShown(f"output {number} has a value that is infinite or not a number")
        settled(difference, ground, f"the difference of output {number}")
    return Outcome(tuple(stated(ground.needs)), (), (), left, right, (), ())


def counterexample(difference: Difference) -> Counterexample:
    """A difference of two functions in the form that theorems print."""
    return Counterexample(
        difference.arguments,
        None,
        difference.output,
        difference.path,
        difference.left,
        difference.right,
        difference.sizes,
    )
