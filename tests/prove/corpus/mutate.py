"""Wrong rules made from a right one: each changes one thing of what the right rule computes.

The right rule is traced once with a symbol for every size. A mutant is a pullback like the one it
was made from: called on arrays or on tracers, with concrete or symbolic sizes, it evaluates that
program with the sizes of its arguments put in and one place changed.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import zip_longest
from random import Random
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import export

from purenet.prove.domains import Domain

from .case import Case
from .mutations import Mutation, mutations
from .program import Program, at, flatten, run, text

UNCHANGED = Mutation("none", "", "")
ARRAYS = ("real", "distribution", "label", "boolean")


class Mutant(NamedTuple):
    case: Case
    site: str  # the place and what changed there: "4 reduce_sum: axis 0 for 1"
    kind: str
    pullback: Callable[..., tuple[Any, ...]]

    def __str__(self) -> str:
        return f"{self.case.name} | {self.kind} | {self.site}"


class Generated(NamedTuple):
    """The distinct mutants of a case, and how many were dropped and why."""

    mutants: tuple[Mutant, ...]
    repeated: int = 0
    untraceable: int = 0


class Rule(NamedTuple):
    """The right rule with a symbol for every size."""

    domains: tuple[Domain, ...]  # of the leaves
    tree: Any  # of the arguments
    arrays: tuple[jax.ShapeDtypeStruct, ...]  # of the arguments, then of the cotangent
    cotangent: Any  # the tree of the cotangent
    result: Any  # the tree of the result
    program: Program
    numbered: Callable[[Any], Program]  # the program at sizes that are numbers, remembered

    def at(self, sizes: dict[str, Any]) -> Program:
        if any(export.is_symbolic_dim(size) for size in sizes.values()):
            return at(self.program, sizes)
        return self.numbered(tuple(sizes.items()))


def mutants(case: Case, limit: int | None = None) -> list[Mutant]:
    """The distinct mutants of a case, at most `limit`, of every kind in turn."""
    return list(generate(case, limit).mutants)


def generate(case: Case, limit: int | None = None, order: Random | None = None) -> Generated:
    """Trace each change with symbolic sizes: what does not fit or says the same is dropped.

    The mutants come in turn by kind, or in a random order.
    """
    with jax.enable_x64(True):
        rule = traced(case)
        first = sum(d.kind in ARRAYS for d in rule.domains)
        found: list[Mutant] = []
        seen, repeated, untraceable = {text(_retraced(rule, changed(rule, UNCHANGED)))}, 0, 0
        changes = _in_turn(mutations(rule.program, range(first, len(rule.arrays))), case.name)
        for mutation in order.sample(changes, len(changes)) if order else changes:
            if limit is not None and len(found) >= limit:
                break
            pullback = changed(rule, mutation)
            key = _text_if_it_fits(rule, pullback)
            untraceable += key is None
            repeated += key in seen
            if key is not None and key not in seen:
                seen.add(key)
                site = f"{mutation.place}: {mutation.detail}".rstrip(": ")
                found.append(Mutant(case, site, mutation.kind, pullback))
    return Generated(tuple(found), repeated, untraceable)


def traced(case: Case) -> Rule:
    """Trace the right rule; call it under `jax.enable_x64(True)`."""
    domains, tree = jax.tree.flatten(case.domains, is_leaf=lambda x: isinstance(x, Domain))
    scope = export.SymbolicScope([c.strip() for c in case.sizes.split(",") if c.strip()])
    arguments = tuple(_symbolic(d, scope) for d in domains if d.kind in ARRAYS)
    out = jax.eval_shape(lambda *a: case.f(*with_constants(domains, tree, a)), *arguments)
    leaves, cotangent = jax.tree.flatten(out)
    count = len(arguments)

    def pulled(*arrays: Any) -> Any:
        ct = cotangent.unflatten(arrays[count:])
        return case.pullback(*with_constants(domains, tree, arrays[:count]), ct)

    arrays = (*arguments, *leaves)
    jaxpr, result = jax.make_jaxpr(pulled, return_shape=True)(*arrays)
    program = flatten(jaxpr)
    numbered = cache(lambda sizes: at(program, dict(sizes)))
    trees = cotangent, jax.tree.structure(result)
    return Rule(tuple(domains), tree, arrays, *trees, program, numbered)


def changed(rule: Rule, mutation: Mutation) -> Callable[..., tuple[Any, ...]]:
    """The pullback that computes as the right rule does but for one mutation."""

    def pullback(*arguments_and_cotangent: Any) -> tuple[Any, ...]:
        *arguments, cotangent = arguments_and_cotangent
        leaves = rule.tree.flatten_up_to(tuple(arguments))
        arrays = [v for v, d in zip(leaves, rule.domains, strict=True) if d.kind in ARRAYS]
        arrays = [jnp.asarray(v) for v in (*arrays, *rule.cotangent.flatten_up_to(cotangent))]
        sizes = solve([a.shape for a in rule.arrays], [a.shape for a in arrays])
        results = run(rule.at(sizes), mutation.before(arrays), mutation.changes)
        return rule.result.unflatten(mutation.after(results))

    return pullback


def solve(shapes: Sequence[Any], actual: Sequence[Any]) -> dict[str, Any]:
    """The size that each symbol of `shapes` stands for, where the arrays have `actual` shapes."""
    pairs = [
        (symbol, size)
        for shape, sizes in zip(shapes, actual, strict=True)
        for symbol, size in zip(shape, sizes, strict=True)
        if export.is_symbolic_dim(symbol)
    ]
    found: dict[str, Any] = {}
    while rest := [(s, size) for s, size in pairs if not found.keys() >= _names(s)]:
        linear = ((s, size, *(_names(s) - found.keys())) for s, size in rest)
        symbol, size, name = next(entry for entry in linear if len(entry) == 3)
        # symbol = factor * name + offset, and both are known once the other sizes are.
        offset = symbol._evaluate({**found, name: 0})
        factor = symbol._evaluate({**found, name: 1}) - offset
        found[name] = (size - offset) // factor
    return found


def with_constants(domains: Sequence[Domain], tree: Any, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments: the arrays in their places, static values and functions in theirs."""
    rest = iter(arrays)
    return tree.unflatten([next(rest) if d.kind in ARRAYS else _constant(d) for d in domains])


def _constant(domain: Domain) -> Any:
    if domain.kind == "static":
        return domain.value
    from purenet.prove.opaque import Opaque

    return Opaque(domain.name)


def _symbolic(domain: Domain, scope: export.SymbolicScope) -> jax.ShapeDtypeStruct:
    dtypes = {"label": jnp.int_, "boolean": jnp.bool_}
    shape = export.symbolic_shape(", ".join(domain.shape), scope=scope) if domain.shape else ()
    return jax.ShapeDtypeStruct(shape, dtypes.get(domain.kind, jnp.float64))


def _retraced(rule: Rule, pullback: Callable[..., Any]) -> Program:
    count = sum(d.kind in ARRAYS for d in rule.domains)

    def flat(*arrays: Any) -> Any:
        arguments = with_constants(rule.domains, rule.tree, arrays[:count])
        return pullback(*arguments, rule.cotangent.unflatten(arrays[count:]))

    return flatten(jax.make_jaxpr(flat)(*rule.arrays))


def _text_if_it_fits(rule: Rule, pullback: Callable[..., Any]) -> str | None:
    try:
        program = _retraced(rule, pullback)
    except Exception:  # any refusal of JAX: the change does not fit the shapes
        return None
    return text(program) if _fits(rule.program, program) else None


def _fits(right: Program, other: Program) -> bool:
    return [(a.shape, a.dtype) for a in right.out_avals] == [
        (a.shape, a.dtype) for a in other.out_avals
    ]


def _in_turn(found: Iterable[Mutation], name: str) -> list[Mutation]:
    """One of each kind, then the next of each kind, so that a limit keeps all kinds.

    Their order is a shuffle by `name`, so that a limit keeps other changes of another case.
    """
    mixed = list(found)
    Random(name).shuffle(mixed)
    kinds = [[m for m in mixed if m.kind == kind] for kind in dict.fromkeys(m.kind for m in mixed)]
    return [m for row in zip_longest(*kinds) for m in row if m is not None]


def _names(symbol: Any) -> set[str]:
    return set(symbol._get_vars())
