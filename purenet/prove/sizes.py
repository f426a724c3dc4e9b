"""Named sizes: the constraints on them, and those that are made equal to another.

A constraint is a polynomial that is at least 0, or 0; the sizes themselves are 1 or more. What
follows for a single size is found by intervals.
"""

import functools
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from purenet.prove.domains import (
    Polynomial,
    names_in,
    nearest,
    plus,
    polynomial,
    size_text,
    sizes_of,
    substitute,
    times,
)


@dataclass(frozen=True)
class Sizes:
    """Which values the named sizes take: constraints, and the names that are made equal.

    Attributes:
        constraints: as the user wrote them, "n >= 2, n >= m".
        assignment: (name, size) pairs; the sizes hold only names that are not assigned.

    >>> sizes = Sizes("n >= 2").assign("m", "n")
    >>> sizes["m"], sizes["n"], str(sizes)
    ('n', 'n', 'm = n')
    """

    constraints: str = ""
    assignment: tuple[tuple[str, str], ...] = ()

    def assign(self, name: str, size: str | int) -> "Sizes":
        """Return the sizes with one more name made equal to a size."""
        one = {name: substitute(str(size), dict(self.assignment))}
        pairs = {old: substitute(value, one) for old, value in self.assignment} | one
        return replace(self, assignment=tuple(sorted(pairs.items())))

    def of(self, size: str) -> str:
        """Return the text of a size under the assignment: `of("2*m")`."""
        return substitute(size, dict(self.assignment))

    def __getitem__(self, name: str) -> str | int:
        """Return what a name stands for: itself, another size, or a number."""
        size = self.of(name)
        return int(size) if size.isdigit() else size

    def __str__(self) -> str:
        """Return the assignment: "n = 1, m = k"."""
        return ", ".join(f"{name} = {size}" for name, size in self.assignment)


class Constraint(NamedTuple):
    """`difference >= 0`, or `difference == 0`."""

    difference: str
    equal: bool
    text: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sizes that are in it."""
        return names_in(self.difference)


def read_sizes(constraints: str, domains: Any) -> Sizes:
    """Return the sizes under constraints; `n == m` and `n == 4` become assignments.

    Raises:
        ValueError: a constraint can't be read, names a size that no domain has, or leaves none.

    >>> from purenet.prove.domains import real
    >>> read_sizes("n >= 2, m == n", (real("n m"),))
    Sizes(constraints='n >= 2, m == n', assignment=(('m', 'n'),))
    """
    known = sizes_of(domains)
    sizes = Sizes(constraints)
    for constraint in _parse(constraints):
        for name in constraint.names:
            if name not in known:
                raise ValueError(
                    f"sizes: {constraint.text!r} names the size {name!r}, which no domain has"
                    f"{nearest(name, known)}"
                )
        if constraint.equal and (solved := solve(constraint, sizes, known)):
            sizes = sizes.assign(*solved)
    if intervals(sizes) is None:
        raise ValueError(f"sizes: no sizes satisfy {constraints!r}; sizes are 1 or more")
    return sizes


def size_bounds(sizes: Sizes | str) -> dict[str, int]:
    """Return the known lower bound of each size that is constrained; of the others it is 1.

    >>> size_bounds("n >= 2, m > n")
    {'n': 2, 'm': 3}
    """
    found = intervals(Sizes(sizes) if isinstance(sizes, str) else sizes) or {}
    return {name: low for name, (low, _) in found.items()}


def satisfied(constraints: str, values: Mapping[str, int]) -> bool:
    """Return whether numbers for all the named sizes meet the constraints.

    >>> satisfied("n >= 2, n >= m", {"n": 3, "m": 3})
    True
    """
    rests = [(c.equal, int(substitute(c.difference, values))) for c in _parse(constraints)]
    return all(rest == 0 if equal else rest >= 0 for equal, rest in rests)


def solve(constraint: Constraint, sizes: Sizes, known: tuple[str, ...]) -> tuple[str, str] | None:
    """Solve an equality for the last name of which the others make a size."""
    terms = polynomial(sizes.of(constraint.difference))
    for name in reversed(known):
        factor = terms.get((name,), 0)
        rest = {names: number for names, number in terms.items() if names != (name,)}
        solution = times(rest, {(): -factor})
        once = not any(name in names for names in rest)
        if abs(factor) == 1 and once and solution and min(solution.values()) > 0:
            return name, size_text(solution)
    return None


def at_least_zero(sizes: Sizes) -> list[Polynomial]:
    """The constraints on the names that are left, each as a polynomial >= 0."""
    found = []
    for constraint in _parse(sizes.constraints):
        difference = polynomial(sizes.of(constraint.difference))
        found += [difference] + [times(difference, {(): -1})] * constraint.equal
    return found


@functools.lru_cache
def intervals(sizes: Sizes) -> dict[str, tuple[int, int | float]] | None:
    """The smallest and largest value of each constrained size; None where they contradict."""
    differences = at_least_zero(sizes)
    names = dict.fromkeys(name for d in differences for term in d for name in term)
    low = dict.fromkeys(names, 1)
    high: dict[str, int | float] = dict.fromkeys(names, math.inf)
    for _ in range(20):
        for difference in differences:
            for name in names:
                factor = difference.get((name,), 0)
                rest = {term: number for term, number in difference.items() if term != (name,)}
                most = _largest(rest, low, high)
                if factor and most < math.inf:
                    if factor > 0:
                        low[name] = max(low[name], math.ceil(-most / factor))
                    else:
                        high[name] = min(high[name], math.floor(most / -factor))
    # Two constraints may contradict with no bound on either name: n >= m + 1 and m >= n.
    sums = [plus(a, b) for a, b in itertools.combinations(differences, 2)]
    empty = any(low[name] > high[name] for name in names)
    if empty or any(_largest(terms, low, high) < 0 for terms in differences + sums):
        return None
    return {name: (low[name], high[name]) for name in names}


def _largest(
    terms: Polynomial, low: Mapping[str, int], high: Mapping[str, int | float]
) -> int | float:
    return sum(
        factor * math.prod((high if factor > 0 else low)[name] for name in names)
        for names, factor in terms.items()
    )


@functools.lru_cache
def _parse(constraints: str) -> tuple[Constraint, ...]:
    return tuple(c for part in constraints.split(",") if part.strip() for c in _comparisons(part))


def _comparisons(part: str) -> Iterator[Constraint]:
    """`1 <= n < m` is two comparisons."""
    text = part.strip()
    pieces = re.split(r"(>=|<=|==|!=|>|<|=)", text)
    if len(pieces) < 3 or {"!=", "="} & set(pieces):
        raise ValueError(f"sizes: {text!r} can't be read; n >= 2, n >= m or n == 2*m expected")
    for left, sign, right in zip(pieces[:-2:2], pieces[1::2], pieces[2::2], strict=True):
        try:
            more, less = polynomial(left.strip()), polynomial(right.strip())
        except ValueError as error:
            raise ValueError(f"sizes: in {text!r}: {error}") from None
        if sign[0] == "<":
            more, less = less, more
        strict: Polynomial = {(): -1} if sign in ("<", ">") else {}
        difference = plus(plus(more, times(less, {(): -1})), strict)
        yield Constraint(size_text(difference), sign == "==", text)
