"""Named intermediates for a derivation: weighted inputs, activations, a softmax, repeated sums.

Each stage finds terms that a person would name, and writes all terms with the names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice, product
from typing import NamedTuple

from purenet.prove.kernel import algebra, bounds, calculus, functions, sums
from purenet.prove.kernel.factors import Base, Binder, Call, Definition, Entry, Named
from purenet.prove.kernel.linear import atom, index
from purenet.prove.kernel.terms import Array, Factor, Number, Poly, Var

MOST_MATCHES = 64


class Abbreviated(NamedTuple):
    """Terms with named intermediates; a name is a letter (`z`, `a`, `p`, `s`) and a number."""

    polys: tuple[Poly, ...]
    names: tuple[tuple[Definition, tuple[str, int]], ...] = ()


def abbreviate(polys: Iterable[Poly], order: Sequence[Array]) -> Abbreviated:
    """All stages; `order` is the order of the arrays, which decides about the order of indices."""
    state = Abbreviated(tuple(calculus.unfolded(p) for p in polys))
    for number in count(1):
        argument = _weighted_input(state.polys)
        if argument is None:
            break
        state = _with_weighted_input(state, argument, order, number)
    state = _with_softmax(state, order)
    return _with_repeated(state, order)


def used(state: Abbreviated) -> tuple[tuple[Definition, tuple[str, int]], ...]:
    """The names that are needed to read the terms, in the order of their making."""
    needed: set[Definition] = set()
    pending = list(state.polys)
    while pending:
        for factor in all_factors(pending.pop()):
            if isinstance(factor, Named) and factor.definition not in needed:
                needed.add(factor.definition)
                pending.append(factor.definition.body)
    return tuple(pair for pair in state.names if pair[0] in needed)


def define(body: Poly, order: Sequence[Array], last: tuple[Var, ...] = ()) -> Definition:
    """The array whose entries are `body`, its indices in the order in which they are met."""
    variables = [*(v for v in _met(body, order) if v not in last), *last]
    slots = tuple(Var(f"#{k}", v.size) for k, v in enumerate(variables))
    values = {v: index(s) for v, s in zip(variables, slots, strict=True)}
    return Definition(slots, algebra.substitute(body, values))


def _met(body: Poly, order: Sequence[Array]) -> list[Var]:
    entries = [f for f in all_factors(body) if isinstance(f, Entry | Named)]
    entries.sort(key=lambda f: (_position(f, order), f.digest))
    found = [v for f in entries for p in f.polys for v in sorted(p.free, key=lambda v: v.name)]
    return [
        v
        for v in dict.fromkeys([*found, *sorted(body.free, key=lambda v: v.name)])
        if v in body.free
    ]


def _position(factor: Entry | Named, order: Sequence[Array]) -> int:
    if isinstance(factor, Entry) and factor.array in order:
        return list(order).index(factor.array)
    return -1 if isinstance(factor, Named) else len(order)


def replace(state: Abbreviated, rule: Callable[[Factor], Poly | None]) -> Abbreviated:
    """Every term rewritten."""
    return state._replace(polys=tuple(algebra.rewrite(p, rule) for p in state.polys))


def match(definition: Definition, pattern: Poly, target: Poly) -> tuple[Poly, ...] | None:
    """The index at which a pattern in the definition's slots is the target, if there is one."""
    if len(pattern.terms) != len(target.terms) or pattern.arrays != target.arrays:
        return None
    choices = [_values(pattern, slot, target) for slot in definition.slots]
    for place in islice(product(*choices), MOST_MATCHES):
        values = dict(zip(definition.slots, place, strict=True))
        if algebra.substitute(pattern, values) == target:
            return place
    return None


def _values(pattern: Poly, slot: Var, target: Poly) -> list[Poly]:
    """What stands in the target where the pattern has the slot."""
    roles = {
        (_array(f), axis)
        for f in all_factors(pattern)
        if isinstance(f, Entry | Named)
        for axis, p in enumerate(f.polys)
        if p == index(slot)
    }
    found = {
        p
        for f in all_factors(target)
        if isinstance(f, Entry | Named)
        for axis, p in enumerate(f.polys)
        if (_array(f), axis) in roles and p.free <= target.free
    }
    return sorted(found, key=lambda p: p.digest)


def _array(factor: Entry | Named) -> Array | Definition:
    return factor.array if isinstance(factor, Entry) else factor.definition


def all_factors(poly: Poly) -> Iterator[Factor]:
    """Every factor at any depth."""
    for factor in poly.factors:
        yield factor
        for inner in factor.polys:
            yield from all_factors(inner)


def _powers(poly: Poly) -> Iterator[tuple[Factor, Number]]:
    for monomial in poly.terms:
        for factor, exponent in monomial:
            yield factor, exponent
            for inner in factor.polys:
                yield from _powers(inner)


def _weighted_input(polys: tuple[Poly, ...]) -> Poly | None:
    """The innermost argument of a function that contains a product summed over an index."""
    found = {
        f.argument
        for p in polys
        for f in all_factors(p)
        if isinstance(f, Call) and any(_contracts(g) for g in all_factors(f.argument))
    }
    return min(found, key=lambda p: (p.height, p.blind, p.digest), default=None)


def _contracts(factor: Factor) -> bool:
    if not (isinstance(factor, Binder) and factor.tag == "sum"):
        return False
    arrays = [
        {f for f, _ in m if isinstance(f, Entry | Named) and f.free & set(factor.bound)}
        for m in factor.body.terms
    ]
    return any(len(entries) >= 2 for entries in arrays)


def _with_weighted_input(
    state: Abbreviated, argument: Poly, order: Sequence[Array], number: int
) -> Abbreviated:
    z = define(argument, order)

    def rule(factor: Factor) -> Poly | None:
        if not isinstance(factor, Call):
            return None
        place = match(z, z.body, factor.argument)
        return (
            None
            if place is None
            else functions.call(factor.name, atom(Named(z, place)), factor.order)
        )

    state = replace(state, rule)._replace(names=(*state.names, (z, ("z", number))))
    entry = atom(Named(z, tuple(index(v) for v in z.slots)))
    activations = {
        (f.name, f.order)
        for p in state.polys
        for f in all_factors(p)
        if isinstance(f, Call)
        and f.order <= 0
        and f.name not in ("exp", "log")
        and _is_entry(f.argument, z)
    }
    for name, how in sorted(activations):
        a = Definition(z.slots, functions.call(name, entry, how))
        state = replace(state, _activation(a, z, (name, how)))
        state = state._replace(names=(*state.names, (a, ("a", number))))
    return state


def _activation(
    a: Definition, z: Definition, function: tuple[str, int]
) -> Callable[[Factor], Poly | None]:
    def rule(f: Factor) -> Poly | None:
        if isinstance(f, Call) and (f.name, f.order) == function and _is_entry(f.argument, z):
            return atom(Named(a, _place(f.argument)))
        return None

    return rule


def _is_entry(poly: Poly, definition: Definition) -> bool:
    single = poly.single()
    return (
        single is not None
        and single[1] == 1
        and len(single[0]) == 1
        and single[0][0][1] == 1
        and isinstance(single[0][0][0], Named)
        and single[0][0][0].definition == definition
    )


def _place(poly: Poly) -> tuple[Poly, ...]:
    ((monomial, _),) = poly.terms.items()
    return monomial[0][0].polys


def _with_softmax(state: Abbreviated, order: Sequence[Array]) -> Abbreviated:
    """exp(z[b,k]) / Σ_j exp(z[b,j]) is p[b,k]."""
    for number in count(1):
        total = _normaliser(state, order)
        if total is None:
            return state
        bound, body = sums.opened(total)
        ((pair, _),) = body.terms.items()
        exponential, exponent = pair[0]
        share = algebra.multiply(body, atom(total, -1))
        p = define(share, order, bound)
        renamed = {v: index(s) for v, s in zip(bound, p.slots[-len(bound) :], strict=True)}
        rest = [v for v in _met(share, order) if v not in bound]
        renamed |= {v: index(s) for v, s in zip(rest, p.slots, strict=False)}
        whole = algebra.substitute(atom(total), renamed)
        argument = algebra.substitute(exponential.polys[0], renamed)

        def rule(
            factor: Factor,
            p: Definition = p,
            whole: Poly = whole,
            argument: Poly = argument,
            exponent: Number = exponent,
        ) -> Poly | None:
            if isinstance(factor, Binder):
                fixed = Definition(tuple(v for v in p.slots if v in whole.free), whole)
                return atom(factor) if match(fixed, whole, atom(factor)) is not None else None
            if not (isinstance(factor, Call) and factor.name == "exp"):
                return None
            place = match(p, argument, factor.argument)
            if place is None:
                return None
            here = dict(zip(p.slots, place, strict=True))
            entry = algebra.multiply(atom(Named(p, place)), algebra.substitute(whole, here))
            return algebra.power(entry, 1 if exponent == 1 else -1)

        state = replace(state, rule)._replace(names=(*state.names, (p, ("p", number))))
    return state


def _normaliser(state: Abbreviated, order: Sequence[Array]) -> Binder | None:
    """A sum of exponentials by which an exponential is divided, not yet named."""
    done = [d.body for d, (letter, _) in state.names if letter == "p"]
    found = [
        f
        for p in state.polys
        for f, e in _powers(p)
        if e < 0
        and isinstance(f, Binder)
        and f.tag == "sum"
        and len(f.bound) == 1
        and _is_exponential(f.body)
        and bounds.nonzero(atom(f))
    ]
    found = [
        f for f in found if not any(f.blind in {g.blind for g in all_factors(b)} for b in done)
    ]
    return min(found, key=lambda f: (f.height, f.blind, f.digest), default=None)


def _is_exponential(body: Poly) -> bool:
    single = body.single()
    if single is None or single[1] != 1 or len(single[0]) != 1:
        return False
    factor, exponent = single[0][0]
    return isinstance(factor, Call) and factor.name == "exp" and exponent in (1, -1)


def _with_repeated(state: Abbreviated, order: Sequence[Array]) -> Abbreviated:
    """A long sum that does not depend on cotangents and occurs several times in a term."""
    for number in range(1, 9):
        factor = _repeated(state.polys, order)
        if factor is None:
            break
        s = define(atom(factor) if isinstance(factor, Binder) else factor.polys[0], order)

        def rule(f: Factor, s: Definition = s) -> Poly | None:
            if not isinstance(f, Base | Binder):
                return None
            place = match(s, s.body, f.polys[0] if isinstance(f, Base) else atom(f))
            return None if place is None else atom(Named(s, place))

        state = replace(state, rule)._replace(names=(*state.names, (s, ("s", number))))
    return state


def _repeated(polys: tuple[Poly, ...], order: Sequence[Array]) -> Factor | None:
    often: list[Factor] = []
    for poly in polys:
        counts: dict[bytes, list[Factor]] = {}
        for factor, _ in _powers(poly):
            if _may_repeat(factor, order):
                counts.setdefault(factor.blind, []).append(factor)
        often += [f for found in counts.values() if len(found) >= 2 for f in found]
    return max(
        often, key=lambda f: (isinstance(f, Base), f.height, f.blind, f.digest), default=None
    )


def _may_repeat(factor: Factor, order: Sequence[Array]) -> bool:
    if not factor.arrays <= set(order):
        return False
    if isinstance(factor, Base):
        return any(isinstance(f, Binder) for f in all_factors(factor.poly))
    summed = isinstance(factor, Binder) and factor.tag == "sum"
    return summed and not _contracts(factor) and not _is_exponential(factor.polys[0])
