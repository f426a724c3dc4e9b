"""Is a difference 0 wherever it has to be? The sets P = 0 that are left over, one by one.

Where a condition changes, at P = 0, a function may have a kink. Only there the rule may give what
it likes; on every other set that the proof has left out, the difference must be 0 too.
"""

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import NamedTuple

import numpy as np

from purenet.prove import kinks
from purenet.prove.interpret.tensor import Need, violated
from purenet.prove.kernel import algebra, bounds, calculus, conditions, evaluate, show, signs, zero
from purenet.prove.kernel.equations import thick
from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Digit,
    Index,
    Iverson,
    Named,
    Size,
)
from purenet.prove.kernel.factors import Entry as NamedEntry
from purenet.prove.kernel.linear import ONE, add, atom, ordered, scale, subtract
from purenet.prove.kernel.terms import Array, Factor, Monomial, Poly
from purenet.prove.needs import implies, need_text, simpler

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
        excused = any(zero.instance(k, equation) or kinks.within(equation, k) for k in self.kinks)
        if excused and thin(equation):
            return True
        where = signs.equals_zero(equation)
        return any(
            algebra.multiply(where, violated_not(n)).is_zero for n in self.needs if n.guard == ONE
        )


def thin(equation: Poly) -> bool:
    """Whether P = 0 is shown to be a set without interior, at every value of the indices.

    P must be an analytic function of the arrays, without indices as numbers, and not be 0 at a
    random point, unless equal indices make it so.
    """
    poly = calculus.unfolded(equation)
    if poly.marks & {"Index", "Digit"} and _uses_indices_as_numbers(poly):
        return False
    if any(_jumps(f) for f in _all_factors(poly)) or _vanishes_at_a_size(poly):
        return False
    return not zero.open_coincidences(poly) and _generic(poly)


def _vanishes_at_a_size(poly: Poly) -> bool:
    """9 x - n x: every coefficient, as a function of the sizes, may be 0."""
    rates: dict[Monomial, list[Poly]] = {}
    for monomial, coefficient in poly.terms.items():
        sizes = ordered(pair for pair in monomial if isinstance(pair[0], Size))
        rest = ordered(pair for pair in monomial if not isinstance(pair[0], Size))
        rates.setdefault(rest, []).append(Poly({sizes: coefficient}))
    return not any(bounds.nonzero(add(*parts)) for parts in rates.values())


def _jumps(factor: Factor) -> bool:
    if isinstance(factor, Binder):
        return factor.tag != "sum"
    if isinstance(factor, Call):
        return factor.name in ("floor", "ceil", "round", "lgamma", "digamma")
    return isinstance(factor, Iverson) and factor.relation in (">", "=")


def _uses_indices_as_numbers(poly: Poly) -> bool:
    """An index, or an integer entry, that is a factor of a real term."""
    return any(
        isinstance(f, Index | Digit)
        or (isinstance(f, NamedEntry) and f.array.kind == "integer" and not f.array.binary)
        or (not isinstance(f, NamedEntry | Iverson) and any(map(_uses_indices_as_numbers, f.polys)))
        for f in poly.factors
    )


def _generic(poly: Poly) -> bool:
    """Not 0 at a random point, whatever the indices are, off the diagonals."""
    names = sorted({f.name: f for f in _sizes_in(poly)})
    sizes = {name: 2 + k for k, name in enumerate(names)}
    rng = np.random.default_rng(0)
    arrays = {a.name: _random(a, sizes, rng) for a in poly.arrays}
    place = evaluate.grid(tuple(sorted(poly.free, key=lambda v: v.name)), sizes)
    value = evaluate.evaluate(poly, sizes, arrays, place)
    diagonal = evaluate.evaluate(zero.diagonal(poly), sizes, arrays, place)
    return bool(np.all((np.abs(value) > 1e-9) | (diagonal != 0) | ~np.isfinite(value)))


def _sizes_in(poly: Poly) -> list[Size]:
    shapes = [d for a in poly.arrays for d in a.shape] + [v.size for v in poly.free]
    every = [f for p in (poly, *shapes) for f in _all_factors(p)]
    bound = [v.size for f in every if isinstance(f, Binder) for v in f.bound]
    limits = [a.limit for a in poly.arrays if a.limit is not None]
    more = [f for p in (*bound, *limits) for f in _all_factors(p)]
    return [f for f in (*every, *more) if isinstance(f, Size)]


def _random(array: Array, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    shape = tuple(evaluate.size(d, sizes) for d in array.shape)
    if array.kind == "boolean":
        return rng.integers(0, 2, shape).astype(bool)
    if array.kind == "integer":
        return (
            rng.integers(0, evaluate.size(array.limit, sizes), shape)
            if array.limit
            else (rng.integers(0, 3, shape))
        )
    low = array.low if isfinite(array.low) else min(-2.0, array.high - 4.0)
    high = array.high if isfinite(array.high) else max(2.0, low + 4.0)
    return rng.uniform(low, high, shape)


def violated_not(need: Need) -> Poly:
    """1 where the need holds."""
    return conditions.complement(violated(need))


def excusing(found: tuple[Poly, ...], value: Poly, derivative: Poly) -> tuple[Poly, ...]:
    """The kinks P on all of which there is a jump: there a rule may give what it likes."""
    return tuple(
        p
        for p in found
        if kinks.is_simple(calculus.unfolded(p))
        and kinks.jumps_in_sight(kinks.pattern(p), [value], [derivative])
    )


def kinks_of(value: Poly, derivative: Poly, along: Array) -> tuple[Poly, ...]:
    """The P of conditions where the function, or its derivative along an array, jumps."""
    every = kinks.families(value) | kinks.families(derivative)
    return tuple(
        equation
        for family, equation in sorted(every.items())
        if along in equation.arrays and not kinks.smooth(family, [value], [derivative])
    )


def edges(
    value: Poly, needs: Iterable[Need], asked: Iterable[Poly], along: Array
) -> dict[Poly, bool]:
    """The P that a program guards against P = 0, and whether only roots are taken of them.

    A guard is seen as a need that a choice meets, or as a condition on what is divided by.
    """
    found: dict[Poly, bool] = {}
    forms = {kinks.pattern(p) for p in asked}
    for base, only_roots in _singular(value, along).items():
        if _zero_patterns(base) & forms:
            found[base] = found.get(base, True) and only_roots
    for need in needs:
        if need.edge and along in need.poly.arrays:
            poly = simpler(need).poly
            found[poly] = found.get(poly, True) and (need.smooth or need.relation == ">=")
    return found


def _zero_patterns(base: Poly) -> set[bytes]:
    """The forms of the conditions that say P = 0."""
    zeros = signs.equals_zero(base)
    own = {kinks.pattern(f.poly) for f in zeros.factors if isinstance(f, Iverson)}
    return own | {kinks.pattern(base), kinks.pattern(scale(base, -1))}


def needed(smooth: Need, value: Poly, true: Poly, along: Array) -> bool:
    """Whether something is singular where a condition of smoothness fails: √(x²)² is not."""
    if smooth.relation == "step":
        return True
    zeros = _zero_patterns(smooth.poly)
    bases = [*_singular(value, along), *_singular(true, along)]
    return any(_zero_patterns(base) & zeros for base in bases)


def _singular(poly: Poly, along: Array) -> dict[Poly, bool]:
    """The bases of divisions and roots that may be 0, and whether only roots are taken of them."""
    found: dict[Poly, bool] = {}
    for term in (poly, *kinks.definitions(poly)):
        for monomial in _all_monomials(term):
            for factor, exponent in monomial:
                base = factor.poly if isinstance(factor, Base) else atom(factor)
                if isinstance(factor, Call) and factor.name == "log":
                    if along in factor.arrays and not bounds.positive(factor.argument):
                        found[factor.argument] = False
                    continue
                whole = exponent.denominator == 1
                if (whole and exponent > 0) or along not in base.arrays or bounds.nonzero(base):
                    continue
                found[base] = found.get(base, True) and exponent > 0
    return found


def _all_monomials(poly: Poly) -> Iterator[Monomial]:
    yield from poly.terms
    for factor in poly.factors:
        for part in factor.polys:
            yield from _all_monomials(part)


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


def defined(
    needs: Iterable[Need], ground: Ground, attained: frozenset[bytes] = frozenset()
) -> None:
    """Return if a rule makes sense wherever the function is differentiable.

    Raises:
        NotShown: it may not.
    """
    for need in needs:
        if need.smooth or need in ground.needs or any(implies(n, need) for n in ground.needs):
            continue
        outside = unique_peak(algebra.multiply(need.guard, violated(need)), attained)
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


def peaks(*polys: Poly) -> frozenset[bytes]:
    """The maxima of which the position, or where they are attained, is used."""
    found = [f for p in polys for f in _all_factors(p)]
    equalities = [f for f in found if isinstance(f, Iverson) and kinks.is_peak(f)]
    maxima = [g for f in equalities for g in f.poly.factors]
    return frozenset(
        kinks.pattern(g.body)
        for g in (*found, *maxima)
        if isinstance(g, Binder) and g.tag != "sum" and (g.tag == "argmax" or g in maxima)
    )


def unique_peak(poly: Poly, allowed: frozenset[bytes]) -> Poly:
    """[x[k] = max x] as [k = the position of the maximum]: right where that is attained once."""

    def rule(factor: Factor) -> Poly | None:
        if (
            isinstance(factor, Iverson)
            and thick(factor)
            and any(
                isinstance(f, Binder) and f.tag == "max" and kinks.pattern(f.body) in allowed
                for f in factor.poly.factors
            )
        ):
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
