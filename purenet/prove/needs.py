"""Conditions that a program needs to make sense: in one form, simplified, and in words."""

from collections.abc import Iterable

from purenet.prove.interpret.tensor import Need, unmet, violated
from purenet.prove.kernel import algebra, bounds, calculus, conditions, show
from purenet.prove.kernel.terms import ONE, Poly, Var, atom, index, ordered


def canonical(needs: Iterable[Need]) -> tuple[Need, ...]:
    """The needs that are not met, with indices called by position, so that equal ones are equal."""
    found = {}
    for need in unmet(map(simpler, unmet(needs))):
        names = sorted(need.poly.free | need.guard.free, key=lambda v: v.name)
        values = {v: index(Var(f"any#{k}", v.size)) for k, v in enumerate(names)}
        new = need._replace(
            poly=algebra.substitute(need.poly, values), guard=algebra.substitute(need.guard, values)
        )
        found[(new.relation, new.poly, new.guard)] = new
    return tuple(found[key] for key in sorted(found, key=lambda k: (k[0], k[1].digest)))


def simpler(need: Need) -> Need:
    """The need without factors of which the sign is known."""
    poly = calculus.unfolded(need.poly)
    if need.relation == "step":
        return need._replace(poly=poly)
    if not poly.is_zero:
        poly = algebra.primitive_part(poly, signed=False)[1]  # the content is positive
    single = poly.single()
    if single is None:
        return need._replace(poly=poly)
    known = bounds.nonzero if need.relation == "!=" else bounds.positive
    kept = ordered(pair for pair in single[0] if not known(atom(pair[0])))
    if need.relation == "!=":
        kept = ordered((f, 1) for f, _ in kept)
    if need.relation == "!=" or (single[1] > 0 and kept):
        return need._replace(poly=Poly({kept: 1}))
    return need._replace(poly=poly)


def implies(own: Need, need: Need) -> bool:
    """Whether one need, under the same names of indices, includes another."""
    where = algebra.multiply(violated(need), conditions.complement(violated(own)))
    return own.guard == ONE and where.is_zero


def stated(needs: tuple[Need, ...]) -> list[str]:
    """The needs in words, less those that a stronger one says too: x > 0 says x >= 0 and x != 0."""
    strict = {(n.poly, n.guard) for n in needs if n.relation == ">"}
    return [need_text(n) for n in needs if n.relation == ">" or (n.poly, n.guard) not in strict]


def need_text(need: Need) -> str:
    """A need in words."""
    if need.relation == "step":
        return f"{show.text(need.poly)} does not jump"
    where = "" if need.guard == ONE else f" where {show.statement(need.guard)}"
    return f"{show.statement(need.poly, need.relation)}{where}"
