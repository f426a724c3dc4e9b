"""What a proof is: a chain of expressions, each equal to the one before for a named reason.

A `Derivation` is a value that anyone can read: what is claimed, for whom, under which conditions,
why one would expect it, and the steps. `verify` checks every step twice, by the rules of
`derivations.sums` for all sizes, and by `derivations.witness` at random sizes and numbers.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import mpmath
import sympy
from sympy import Expr, Symbol

from derivations import sums, witness
from derivations.language import Definitions, unfold
from derivations.witness import World

WORLDS = 4


class Condition(NamedTuple):
    """An equation that a proof may use, and how to make random numbers fulfil it.

    Attributes:
        left: what occurs in the steps.
        right: what is put in its place.
        words: how a person says it.
        impose: changes a world so that it holds.
    """

    left: Expr
    right: Expr
    words: str
    impose: Callable[[World], None]


class Step(NamedTuple):
    """An expression, and why it equals the one before."""

    expression: Expr
    reason: str
    given: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Chain:
    """One claim: the first expression equals the last.

    Attributes:
        left: what the claim is about, as it is written, e.g. "∂C/∂W[p,q]".
        start: the same as an expression, from its definition.
        reason: why it can be started from that.
        steps: from there to the result.
    """

    left: str
    start: Expr
    reason: str
    steps: tuple[Step, ...]

    @property
    def result(self) -> Expr:
        """The last expression."""
        return self.steps[-1].expression if self.steps else self.start


class Fact(NamedTuple):
    """A claim that is computed at fixed sizes: both sides, which have to be equal.

    Attributes:
        words: the claim.
        compute: gives what was found and what was claimed, exact where it can be.
    """

    words: str
    compute: Callable[[], tuple[Any, Any]]


@dataclass(frozen=True)
class Derivation:
    """A theorem with its proof.

    Attributes:
        name: what the command line and the ledger call it.
        title: the statement in one line.
        quantifiers: for whom it holds, e.g. "every width n".
        intuition: why one would expect it, in two sentences.
        chains: the claims, each with its steps.
        ranges: the size of each free index.
        definitions: what the names in the steps stand for.
        conditions: further conditions, in words.
        sources: ids of the audit that it settles.
        facts: what is computed at fixed sizes beside the proof.
        remark: what a student asks next, answered.
        fixed: for a proof at fixed sizes, why nothing else is possible.
    """

    name: str
    title: str
    quantifiers: tuple[str, ...]
    intuition: str
    chains: tuple[Chain, ...]
    ranges: Mapping[Symbol, Expr] = field(default_factory=dict)
    definitions: Definitions = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    remark: str = ""
    fixed: str = ""

    @property
    def steps(self) -> int:
        """How many steps and facts are checked."""
        return sum(len(chain.steps) for chain in self.chains) + len(self.facts)

    def _repr_latex_(self) -> str:
        """Show the proof in a notebook."""
        from derivations.show import page

        return page(self)


class Broken(Exception):
    """A step or fact that does not hold.

    Attributes:
        where: which one.
        before: the one side, as an expression or a value.
        after: the other side.
        how: how it was found.
    """

    def __init__(self, where: str, before: Any, after: Any, how: str) -> None:
        """Keep what does not fit together."""
        super().__init__(f"{where} does not hold: {how}")
        self.where, self.before, self.after, self.how = where, before, after, how


def verify(derivation: Derivation) -> float:
    """Check every step; return the seconds it took.

    Raises:
        Broken: a step is not proved, or numbers contradict it.
    """
    begun = time.perf_counter()
    for chain in derivation.chains:
        for _ in checked_steps(derivation, chain):
            pass
    for fact in derivation.facts:
        check_fact(fact)
    return time.perf_counter() - begun


def checked_steps(derivation: Derivation, chain: Chain) -> Iterator[Step]:
    """Yield each step of a chain as soon as it is checked.

    Raises:
        Broken: as `verify`.
    """
    before = chain.start
    for number, step in enumerate(chain.steps, 1):
        how = objection(derivation, before, step)
        if how:
            raise Broken(f"step {number} of {chain.left}", before, step.expression, how)
        yield step
        before = step.expression


def check_fact(fact: Fact) -> None:
    """Raise `Broken` unless what is computed equals what is claimed."""
    found, claimed = fact.compute()
    if found != claimed:
        raise Broken(fact.words, found, claimed, "computed, the two differ")


def objection(derivation: Derivation, before: Expr, step: Step) -> str:
    """Return why a step does not hold, or "" if it is proved and numbers agree."""
    left, right = (unfold(e, derivation.definitions) for e in (before, step.expression))
    if witness.agree(left, right, worlds(derivation, step.given)) is not None:
        return "the two sides differ at random numbers"
    if not shown(derivation, before, step.expression, step.given):
        return "the two sides could not be shown to be equal"
    return ""


def shown(
    derivation: Derivation, before: Expr, after: Expr, given: tuple[Condition, ...] = ()
) -> bool:
    """Return whether two expressions are proved equal, by `derivations.sums` alone."""
    left, right = (unfold(e, derivation.definitions) for e in (before, after))
    if not given:
        return sums.equal(left, right, derivation.ranges)
    difference = sums.canonical(left - right, derivation.ranges)
    for condition in given:
        known = sums.canonical(unfold(condition.left, derivation.definitions), derivation.ranges)
        difference = difference.subs(known, condition.right)
    return sums.equal(difference, sympy.S.Zero, derivation.ranges)


def worlds(derivation: Derivation, given: tuple[Condition, ...] = ()) -> list[World]:
    """Return random worlds in which the conditions hold; free indices are in their ranges.

    With a size of 1 every δ is 1, and with equal free indices too: half of the worlds have neither.
    """
    drawn = []
    for seed in range(WORLDS):
        apart = seed % 2 == 0
        world = World(random.Random(f"{derivation.name} {seed}"), smallest=2 if apart else 1)
        with mpmath.workdps(witness.DIGITS):
            if apart:
                _draw_sizes_apart(world, derivation)
            for place, (index, size) in enumerate(derivation.ranges.items()):
                high = int(witness.value(size, world))
                chosen = (place + seed) % high + 1 if apart else world.random.randint(1, high)
                world.values[index] = chosen
            for condition in given:
                condition.impose(world)
            for condition in given:
                sides = (unfold(e, derivation.definitions) for e in condition[:2])
                if witness.agree(*sides, [world]) is not None:
                    raise ValueError(f"imposing {condition.words!r} does not make it hold")
        drawn.append(world)
    return drawn


def _draw_sizes_apart(world: World, derivation: Derivation) -> None:
    """Give the sizes of different ranges different values, as far as there are enough."""
    sizes = [n for n in dict.fromkeys(derivation.ranges.values()) if n.is_Symbol]
    choices = world.random.sample(range(2, 2 + max(3, len(sizes))), len(sizes))
    world.values |= dict(zip(sizes, choices, strict=True))
