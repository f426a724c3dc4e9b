"""Is a difference 0 wherever it has to be? The sets P = 0 that are left over, one by one.

Where a condition changes, at P = 0, a function may have a kink. Only there the rule may give what
it likes; on every other set that the proof has left out, the difference must be 0 too.
"""

from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple

from purenet.prove import kinks
from purenet.prove.interpret.tensor import Need, violated
from purenet.prove.kernel import algebra, conditions, show, zero
from purenet.prove.kernel.terms import (
    ONE,
    Array,
    Binder,
    Constant,
    Factor,
    Iverson,
    Named,
    Poly,
    add,
    atom,
    subtract,
)
from purenet.prove.needs import implies, need_text

MOST_NESTED = 4
LONGEST_VALUE = 40


class NotShown(Exception):
    """The comparison did not come to 0; the message says of what.

    Attributes:
        derivative: an entry of the derivative, where one can be written in a line.
        given: what the rule computes for it.
    """

    def __init__(self, message: str, derivative: str = "", given: str = ""):
        """Keep both sides for the report."""
        super().__init__(message)
        self.derivative, self.given = derivative, given


class Ground(NamedTuple):
    """What a comparison may take for granted."""

    needs: tuple[Need, ...]  # under which the function is defined and differentiable
    kinks: tuple[Poly, ...] = ()  # P = 0 is left out

    @property
    def facts(self) -> tuple[Poly, ...]:
        """Terms that are not 0."""
        return tuple(n.poly for n in self.needs if n.guard == ONE and n.relation in ("!=", ">"))

    def excludes(self, equation: Poly) -> bool:
        """Whether P = 0 is left out by a kink or a need."""
        if zero.known(equation, self.facts):
            return True
        if any(zero.instance(k, equation) or kinks.within(equation, k) for k in self.kinks):
            return True
        where = conditions.equals_zero(equation)
        return any(
            algebra.multiply(where, violated_not(n)).is_zero for n in self.needs if n.guard == ONE
        )


def violated_not(need: Need) -> Poly:
    """1 where the need holds."""
    return conditions.complement(violated(need))


def kinks_of(value: Poly, derivative: Poly, along: Array) -> tuple[Poly, ...]:
    """The P of conditions where the function, or its derivative along an array, jumps."""
    return tuple(
        equation
        for family, equation in (kinks.families(value) | kinks.families(derivative)).items()
        if along in equation.arrays and not kinks.smooth(family, [value], [derivative])
    )


def settled(difference: Poly, ground: Ground, what: str, depth: int = MOST_NESTED) -> None:
    """Return if the difference is 0 off the sets that the ground excludes.

    Raises:
        NotShown: otherwise.
    """
    skipped = zero.vanishes(difference, ground.facts)
    if skipped is None or (skipped and depth == 0):
        raise NotShown(what)
    for equation in sorted(skipped, key=lambda p: p.digest):
        if not ground.excludes(equation):
            there = kinks.on_equation(difference, equation)
            where = f"{what} where {show.statement(equation, '=')}"
            settled(there, ground, where, depth - 1)


def defined(needs: Iterable[Need], ground: Ground) -> None:
    """Return if a rule makes sense wherever the function is differentiable.

    Raises:
        NotShown: it may not.
    """
    for need in needs:
        if need.smooth or need in ground.needs or any(implies(n, need) for n in ground.needs):
            continue
        outside = algebra.multiply(need.guard, violated(need))
        open_part, equations = zero.off_equations(outside)
        if not open_part.is_zero or not all(map(ground.excludes, equations)):
            raise NotShown(f"the rule is not defined everywhere: it needs {need_text(need)}")


def kink_text(kink: Poly, given: Poly) -> str:
    """A kink in words, with the value that the rule gives there if that is a few words."""
    there = kinks.on_equation(given, kink)
    kept = [Poly({tuple(p for p in m if not _is_delta(p[0])): c}) for m, c in there.terms.items()]
    value = show.text(add(*kept)) if kept else "0"
    gives = f" (the rule gives {value} there)" if len(value) <= LONGEST_VALUE else ""
    return f"{show.statement(kink)}{gives}"


def _is_delta(factor: Factor) -> bool:
    return isinstance(factor, Iverson) and factor.relation == "=="


def not_real(poly: Poly) -> bool:
    """An infinity outside of a maximum, or a nan."""
    return any(
        (isinstance(f, Constant) and not isfinite(f.value))
        or (
            not (isinstance(f, Binder) and f.tag in ("max", "argmax"))
            and any(
                map(not_real, (*f.polys, *([f.definition.body] if isinstance(f, Named) else [])))
            )
        )
        for f in poly.factors
        if "Constant" in f.marks
    )


def _all_factors(poly: Poly) -> Iterable[Factor]:
    for factor in poly.factors:
        yield factor
        for part in factor.polys:
            yield from _all_factors(part)


def has_peak(poly: Poly) -> bool:
    """Whether the position of a maximum is used."""
    return any(isinstance(f, Binder) and f.tag == "argmax" for f in _all_factors(poly))


def unique_peak(poly: Poly) -> Poly:
    """[x[k] = max x] as [k = the position of the maximum]: right where that is attained once."""

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Iverson) and conditions.thick(factor):
            return _as_position(factor)
        return None

    return algebra.rewrite(poly, rule)


def _as_position(equation: Iverson) -> Poly | None:
    for factor in equation.poly.factors:
        if not (isinstance(factor, Binder) and factor.tag == "max" and len(factor.bound) == 1):
            continue
        rate = equation.poly.terms.get(((factor, 1),))
        if rate is None:
            continue
        rest = subtract(equation.poly, Poly({((factor, 1),): rate}))
        for place in {p for f in _all_factors(rest) for p in f.polys}:
            body = algebra.substitute(factor.body, {factor.bound[0]: place})
            if add(rest, algebra.multiply(Poly({(): rate}), body)).is_zero:
                peak = atom(Binder("argmax", factor.bound, factor.body))
                return conditions.integer_zero(subtract(place, peak))
    return None
