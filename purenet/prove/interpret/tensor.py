"""A traced array as a term: its entry at `slots`, and what must hold for it to make sense."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from purenet.prove.kernel import algebra, bounds, conditions, signs, sums
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.factors import Binder, Definition, Named
from purenet.prove.kernel.linear import ONE, ZERO, atom, index, leading, scale
from purenet.prove.kernel.terms import Poly, Var


class Unknown(Exception):
    """Something that the interpreter does not understand; the message names it."""


class Need(NamedTuple):
    """A condition under which a value exists, or a derivative: for all values of free indices.

    `relation` is `!=`, `>`, `>=` (about `poly` and 0), or `step` (rounding `poly` does not jump).
    Where `guard` is 0 the value is not used.
    """

    relation: str
    poly: Poly
    guard: Poly = ONE
    smooth: bool = False  # needed for the derivative only
    edge: bool = False  # met, because another value is taken where it is violated


class Tensor(NamedTuple):
    """Entry at `slots` = `body`; `range` is what provenance says of its values."""

    shape: tuple[Poly, ...]
    kind: str  # real, integer, boolean
    slots: tuple[Var, ...]
    body: Poly
    needs: frozenset[Need] = frozenset()
    range: Interval = bounds.ANY

    def at(self, place: tuple[Poly, ...]) -> Poly:
        """The entry at an index."""
        return algebra.substitute(self.body, dict(zip(self.slots, place, strict=True)))


Rule = Callable[..., Tensor]
"""What a primitive means: the tensor of its output, from those of its operands."""


def places(shape: tuple[Poly, ...]) -> tuple[tuple[Var, ...], tuple[Poly, ...]]:
    """Fresh slots for a shape and the index that they make; an axis of size 1 has index 0."""
    slots = tuple(sums.fresh(size) for size in shape)
    return slots, tuple(ZERO if v.size == ONE else index(v) for v in slots)


def atom_of(var: Any) -> Poly:
    """The index term of a slot; 0 on an axis of size 1."""
    return ZERO if var.size == ONE else index(var)


def tensor(
    shape: tuple[Poly, ...],
    kind: str,
    entry: Callable[[tuple[Poly, ...]], Poly],
    needs: Iterable[Need] = (),
    range: Interval | None = None,
) -> Tensor:
    """A tensor from the function that gives its entries."""
    slots, place = places(shape)
    body = entry(place)
    found = bounds.interval(body)
    return Tensor(shape, kind, slots, body, frozenset(needs), _both(found, range or bounds.ANY))


def _both(a: Interval, b: Interval) -> Interval:
    low = a if (a.low, not a.low_closed) >= (b.low, not b.low_closed) else b
    high = a if (a.high, a.high_closed) <= (b.high, b.high_closed) else b
    return Interval(low.low, high.high, low.low_closed, high.high_closed)


def scalar(value: Poly, kind: str = "real") -> Tensor:
    """A tensor without axes."""
    return Tensor((), kind, (), value, frozenset(), bounds.interval(value))


def moved(source: Tensor, place: tuple[Poly, ...]) -> frozenset[Need]:
    """The needs of an entry at another index."""
    values = dict(zip(source.slots, place, strict=True))
    return frozenset(
        need._replace(
            poly=algebra.substitute(need.poly, values), guard=algebra.substitute(need.guard, values)
        )
        for need in source.needs
    )


def reindexed(
    source: Tensor,
    shape: tuple[Poly, ...],
    where: Callable[[tuple[Poly, ...]], tuple[Poly, ...]],
) -> Tensor:
    """The tensor whose entry at an index is the source's entry at `where(index)`."""
    slots, place = places(shape)
    inner = where(place)
    return Tensor(shape, source.kind, slots, source.at(inner), moved(source, inner), source.range)


def elementwise(
    function: Callable[..., Poly],
    *operands: Tensor,
    kind: str = "real",
    needs: Callable[..., Iterable[Need]] | None = None,
    range: Interval | None = None,
) -> Tensor:
    """A function of entries at the same index; an operand without axes is used everywhere."""
    shape = broadcast([t.shape for t in operands])
    slots, place = places(shape)
    entries = [t.at(place if t.shape else ()) for t in operands]
    body = function(*entries)
    own = needs(*entries) if needs else ()
    inherited = (moved(t, place if t.shape else ()) for t in operands)
    found = _both(bounds.interval(body), range or bounds.ANY)
    return Tensor(shape, kind, slots, body, frozenset(own).union(*inherited), found)


def broadcast(shapes: list[tuple[Poly, ...]]) -> tuple[Poly, ...]:
    """The common shape: an axis of size 1, or no axis at all, goes with any."""
    longest = max(shapes, key=len)
    full = [s for s in shapes if len(s) == len(longest)]
    return tuple(next((s for s in axis if s != ONE), ONE) for axis in zip(*full, strict=True))


def unmet(needs: Iterable[Need]) -> frozenset[Need]:
    """The needs that are not known to hold."""
    return frozenset(need for need in needs if not need.edge and not _met(need))


def _met(need: Need) -> bool:
    if need.relation == "step":
        return need.guard.is_zero
    return algebra.multiply(need.guard, violated(need)).is_zero


def violated(need: Need) -> Poly:
    """1 where the need does not hold."""
    if need.relation == "!=":
        return signs.equals_zero(need.poly)
    if need.relation == ">":
        return conditions.complement(signs.is_positive(need.poly))
    if need.relation == ">=":
        return signs.is_positive(algebra.multiply(need.poly, scale(ONE, -1)))
    return ZERO  # where a rounded value jumps is not written as a term


def guarded(needs: Iterable[Need], guard: Poly) -> frozenset[Need]:
    """The needs of a value that is used only where `guard` is 1; met by it, they become edges."""
    found = set()
    for need in needs:
        new = need._replace(guard=algebra.multiply(need.guard, guard))
        if new.guard.is_zero or (need.relation != "step" and violated(need).is_zero):
            continue
        found.add(new._replace(edge=need.edge or _met(new)))
    return frozenset(found)


def named(source: Tensor) -> Tensor:
    """A weighted sum plus something is given a name, so that products with it stay small."""
    if source.kind != "real" or not _contracts(source.body):
        return source
    content, primitive = algebra.primitive_part(source.body, signed=False)
    used = [v for v in source.slots if v in primitive.free]
    if primitive.free - set(used) or not _contracts(primitive):
        return source
    slots = tuple(Var(f"slot{k}", v.size) for k, v in enumerate(used))
    body = algebra.substitute(primitive, {v: index(s) for v, s in zip(used, slots, strict=True)})
    sign = 1 if body.terms[leading(body)] > 0 else -1
    definition = Definition(slots, scale(body, sign))
    entry = atom(Named(definition, tuple(index(v) for v in used)))
    return source._replace(body=algebra.multiply(content, scale(entry, sign)))


def _contracts(body: Poly) -> bool:
    return any(
        isinstance(f, Binder)
        and f.tag == "sum"
        and any(sum(bool(g.free & set(f.bound)) for g, _ in m) >= 2 for m in f.body.terms)
        for f in body.factors
    )
