"""The theorems about purenet's own hand-written derivatives, as shipped.

The only part of `purenet.prove` that imports the rest of purenet. Each theorem takes the functions
that a network runs, not copies of them, and is about every batch size and every width. A name says
what the theorem is about, then what is claimed: `relu.pullback`, `cross_entropy.delta.labels`.

By induction over the layers, any depth follows from `<loss>.delta` or `<loss>.gradient` with
`<activation>.pullback` (the output delta) and `layer_step` (one step of the recursion, with an
arbitrary activation); that `backprop` folds the step over the layers is part of the trust base.
The networks of depth 1, 2, … are proved directly as well.
"""

import functools
from collections.abc import Callable, Iterable

from purenet.prove.builtin import activations, layers, losses, networks, textbook
from purenet.prove.theorem import Theorem

LIMIT = 60.0


def theorems(depth: int = 4, limit: float = LIMIT) -> Iterable[tuple[str, Callable[[], Theorem]]]:
    """Return the name of each theorem, with a function that proves it when it is called.

    Args:
        depth: networks of 1, …, `depth` layers are proved directly.
        limit: seconds for one theorem, after which it is "unknown".

    Raises:
        ValueError: `depth` is below 0.

    >>> table = dict(theorems(depth=1))
    >>> table["sigmoid.pullback"]().verdict
    'proved'
    """
    if depth < 0:
        raise ValueError(f"depth: {depth} was given; a number of layers, 0 or more, is expected")
    claims = (
        *activations.claims(),
        *losses.claims(),
        *layers.claims(),
        *textbook.claims(),
        *networks.claims(depth),
    )
    return [(name, functools.partial(claim, name=name, limit=limit)) for name, claim in claims]
