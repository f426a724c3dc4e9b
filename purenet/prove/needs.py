"""Conditions that a program needs to make sense: in one form, simplified, and in words."""

from collections.abc import Iterable

from purenet.prove.interpret.tensor import Need, unmet, violated
from purenet.prove.kernel import algebra, bounds, calculus, conditions, show, sums
from purenet.prove.kernel.factors import Binder
from purenet.prove.kernel.linear import ONE, atom, index, ordered
from purenet.prove.kernel.terms import Poly, Var


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
    alone = single[0][0][0] if len(single[0]) == 1 and single[0][0][1] == 1 else None
    if need.relation != ">=" and isinstance(alone, Binder) and alone.tag == "sum":
        counted = _counted(alone)
        if counted != atom(alone):
            return need._replace(relation="!=", poly=counted)
    known = bounds.nonzero if need.relation == "!=" else bounds.positive
    kept = ordered(pair for pair in single[0] if not known(atom(pair[0])))
    if need.relation == "!=":
        kept = ordered((f, 1) for f, _ in kept)
    if need.relation == "!=" or (single[1] > 0 and kept):
        return need._replace(poly=Poly({kept: 1}))
    return need._replace(poly=poly)


def _counted(total: Binder) -> Poly:
    """Σ mask·exp(x) != 0 says Σ mask != 0: positive factors of the summand do not matter."""
    ((monomial, _),) = total.body.terms.items()
    kept = [pair for pair in monomial if not bounds.positive(atom(pair[0]))]
    if len(kept) == len(monomial) or not all(conditions.is_condition(f) for f, _ in kept):
        return atom(total)
    bound, body = sums.opened(total)
    ((opened, _),) = body.terms.items()
    summand = ordered(pair for pair in opened if not bounds.positive(atom(pair[0])))
    return sums.total(bound, Poly({summand: 1}))


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
