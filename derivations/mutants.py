"""Wrong versions of right steps: a proof that cannot fail proves nothing.

Each step of each theorem is changed in one place, in every way of the table, and the change must
be refused by `derivations.sums` alone. A change that leaves the value as it was at random numbers
(x·1, or a swap of equal indices) is not wrong; it is listed and not counted.
"""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sympy import Add, Expr, Indexed, Integer, Mul, Piecewise, Pow, Sum, Symbol, nan, oo, zoo
from sympy.functions.elementary.piecewise import ExprCondPair

from derivations import proof, witness
from derivations.language import unfold
from derivations.proof import Derivation


class Mutant(NamedTuple):
    """A step with one place changed.

    Attributes:
        place: theorem, claim and step.
        change: what was done.
        before: the expression that the step starts from.
        wrong: what the step would lead to.
        right: what it leads to.
        given: the conditions that the step may use.
    """

    place: str
    change: str
    before: Expr
    wrong: Expr
    right: Expr
    given: tuple


class Outcome(NamedTuple):
    """What became of the mutants of a theorem."""

    refused: int
    equal: tuple[Mutant, ...]
    accepted: tuple[Mutant, ...]


def outcome(derivation: Derivation, at_most: int | None = None) -> Outcome:
    """Run the mutants of a derivation, or a random choice of them, through its checks."""
    refused, equal, accepted = 0, [], []
    every = list(mutants(derivation))
    chosen = every if at_most is None else random.Random(0).sample(every, min(at_most, len(every)))
    for mutant in chosen:
        worlds = proof.worlds(derivation, mutant.given)
        right, wrong = (unfold(e, derivation.definitions) for e in (mutant.right, mutant.wrong))
        if witness.agree(right, wrong, worlds) is None:
            equal.append(mutant)
        elif proof.shown(derivation, mutant.before, mutant.wrong, mutant.given):
            accepted.append(mutant)
        else:
            refused += 1
    return Outcome(refused, tuple(equal), tuple(accepted))


def mutants(derivation: Derivation) -> Iterator[Mutant]:
    """Yield every mutant of every step."""
    for chain in derivation.chains:
        before = chain.start
        for number, step in enumerate(chain.steps, 1):
            place = f"{derivation.name}, {chain.left}, step {number}"
            for change, wrong in variants(step.expression):
                if wrong.has(zoo, oo, nan):
                    continue
                yield Mutant(place, change, before, wrong, step.expression, step.given)
            before = step.expression


def variants(e: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield an expression with one place changed, in every way and at every place."""
    for change, rule in CHANGES.items():
        for wrong in rule(e):
            if wrong != e:
                yield change, wrong
    for n, part in enumerate(e.args):
        if isinstance(e, Sum) and n > 0:
            continue
        if isinstance(part, ExprCondPair):
            value, condition = part.args
            for change, wrong in variants(value):
                pair = (wrong, condition)
                yield change, Piecewise(*e.args[:n], pair, *e.args[n + 1 :])
        if isinstance(e, Indexed) or not isinstance(part, Expr):
            continue
        for change, wrong in variants(part):
            yield change, e.func(*e.args[:n], wrong, *e.args[n + 1 :])


def _dropped_term(e: Expr) -> list[Expr]:
    return [Add(*(a for a in e.args if a is not t)) for t in e.args] if e.is_Add else []


def _flipped_sign(e: Expr) -> list[Expr]:
    if e.is_Add:
        return [Add(*(-a if a is t else a for a in e.args)) for t in e.args]
    return [-e] if isinstance(e, Indexed | Sum) or e.is_Function else []


def _dropped_factor(e: Expr) -> list[Expr]:
    return [Mul(*(a for a in e.args if a is not t)) for t in e.args] if e.is_Mul else []


def _swapped_index(e: Expr) -> list[Expr]:
    if not isinstance(e, Indexed) or len(e.indices) < 2:
        return []
    return [e.base[tuple(reversed(e.indices))]]


def _wrong_constant(e: Expr) -> list[Expr]:
    return [e + 1] if isinstance(e, Integer) and e != 0 else []


def _wrong_size(e: Expr) -> list[Expr]:
    size = isinstance(e, Symbol) and e.is_integer and e.name in "nmBKN"
    return [e + 1] if size else []


def _inverted(e: Expr) -> list[Expr]:
    return [Pow(e.base, -e.exp)] if isinstance(e, Pow) and e.exp.is_Integer else []


CHANGES: dict[str, Callable[[Expr], list[Expr]]] = {
    "a term is missing": _dropped_term,
    "a sign is flipped": _flipped_sign,
    "a factor is missing": _dropped_factor,
    "two indices are swapped": _swapped_index,
    "a constant is off by one": _wrong_constant,
    "a size is off by one": _wrong_size,
    "a power is inverted": _inverted,
}
