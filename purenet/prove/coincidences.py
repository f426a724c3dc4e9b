"""The sizes where the program that was traced at general sizes may be another one.

JAX decides `n == 1` and `n == m` as False while it traces with symbolic dimensions. So the sizes at
which that is wrong are listed: where named sizes are 1 or equal, and what a program asked about.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from purenet.prove.domains import (
    Polynomial,
    leaves,
    names_in,
    plus,
    polynomial,
    size_text,
    sizes_of,
    times,
)
from purenet.prove.sizes import Constraint, Sizes, intervals, size_bounds, solve
from purenet.prove.tracing import Traced
from purenet.prove.untraceable import CannotTrace


def coincidences(domains: Any, sizes: Sizes, *, every: bool = False) -> list[Sizes]:
    """Return the sizes where the general program may be another one.

    Each named size is 1, or equal to another, or to a number or expression among the domains'
    sizes, unless the constraints exclude it. A coincidence may be passed as `sizes` again.

    Args:
        domains: one domain, or pytree of domains, per argument.
        sizes: the general sizes.
        every: also the coincidences of coincidences, until nothing is left to assign.

    >>> from purenet.prove.domains import real
    >>> [str(s) for s in coincidences((real("n m 3"),), Sizes("n >= 2"))]
    ['n = 3', 'm = 1', 'm = n', 'm = 3']
    """
    found = dict.fromkeys(_next(domains, sizes))
    if every:
        queue = list(found)
        while queue:
            new = [s for s in dict.fromkeys(_next(domains, queue.pop(0))) if s not in found]
            found.update(dict.fromkeys(new))
            queue += new
    return list(found)


def asked(traced: Traced, domains: Any, sizes: Sizes) -> list[Sizes]:
    """The sizes at which a comparison that the program made would have come out True.

    Raises:
        CannotTrace: for a comparison that can't be solved for one of the sizes.
    """
    known = sizes_of(domains)
    found = []
    for left, right in traced.compared:
        try:
            sides = (polynomial(sizes.of(side)) for side in (left, right))
            difference = plus(next(sides), times(next(sides), {(): -1}))
        except ValueError:
            continue  # floordiv and the like: JAX asks about these, and refuses to merge them
        if not difference or any(name not in known for names in difference for name in names):
            continue
        at = _where_equal(difference, sizes, known)
        if at is not None:
            found.append(at)
    return list(dict.fromkeys(found))


def _next(domains: Any, sizes: Sizes) -> Iterator[Sizes]:
    """Assign one more name; where the constraints exclude it, leave it out."""
    texts = dict.fromkeys(
        sizes.of(size)
        for domain in leaves(domains)
        for size in (*domain.shape, domain.classes)
        if size
    )
    names = list(dict.fromkeys(name for text in texts for name in names_in(text)))
    for place, name in enumerate(names):
        others = [text for text in texts if text not in names and name not in names_in(text)]
        for size in dict.fromkeys(["1", *names[:place], *others]):
            assigned = sizes.assign(name, size)
            if intervals(assigned) is not None:
                yield assigned


def _where_equal(difference: Polynomial, sizes: Sizes, known: tuple[str, ...]) -> Sizes | None:
    """The sizes with a difference of 0; None if there are none."""
    negative = times(difference, {(): -1})
    low = dict(size_bounds(sizes).items())
    if any(_least(terms, low) > 0 for terms in (difference, negative)):
        return None
    if len(difference) == 2 and () in difference and abs(difference[()]) == 1:
        (product,) = (names for names in difference if names)
        if len(product) > 1:  # a product is 1: every factor is
            for name in product:
                sizes = sizes.assign(name, 1)
            return sizes if intervals(sizes) is not None else None
    text = f"{size_text(difference)} == 0" if difference else "0 == 0"
    solved = solve(Constraint(size_text(difference), True, text), sizes, known)
    if solved is None:
        raise CannotTrace(
            f"the program asks whether {size_text(difference)} is 0, for some sizes it is"
        )
    assigned = sizes.assign(*solved)
    return assigned if intervals(assigned) is not None else None


def _least(terms: Polynomial, low: Mapping[str, int]) -> float:
    """The least value of a size expression, each product at an end of its range."""
    ends = (
        factor * math.prod(low.get(name, 1) if factor > 0 else math.inf for name in names)
        for names, factor in terms.items()
    )
    return float(sum(ends))
