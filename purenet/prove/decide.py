"""Is a rule the derivative? The comparison of two programs at one assignment of sizes.

For every argument x and every output, ∂f[o]/∂x[i] and the rule's coefficient of the cotangent at o
are brought to normal form and subtracted; what is left must vanish. The cotangent is free: each
entry of the Jacobian is compared by itself.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax

from purenet.prove import programs
from purenet.prove.domains import leaves
from purenet.prove.interpret.constants import literals
from purenet.prove.interpret.tensor import Need, Tensor
from purenet.prove.kernel import algebra, calculus, show
from purenet.prove.kernel.calculus import NotLinear
from purenet.prove.kernel.factors import Named
from purenet.prove.kernel.linear import subtract
from purenet.prove.kernel.terms import Array, Factor, Poly, Var
from purenet.prove.needs import canonical, stated
from purenet.prove.programs import Program
from purenet.prove.settle import (
    Ground,
    NotShown,
    defined,
    edges,
    excusing,
    kink_text,
    kinks_of,
    needed,
    not_real,
    peaks,
    settled,
    unique_peak,
)
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import Traced, trace

LONGEST_LINE = 160


class Gradient(NamedTuple):
    """The derivative for one array among the arguments, as entries of Σ_o ct[o] ∂f[o]/∂x[i]."""

    path: str
    slots: tuple[Var, ...]
    jacobian: tuple[Poly, ...]  # one per output, with that output's own slots free


class Outcome(NamedTuple):
    """What a comparison established."""

    conditions: tuple[str, ...]
    notes: tuple[str, ...]
    not_differentiated: tuple[str, ...]
    program: Program
    rule: Program
    cotangents: tuple[Array, ...]
    gradients: tuple[Gradient, ...]


class Pair(NamedTuple):
    """A function and a rule, traced at the same sizes."""

    f: Traced
    rule: Traced


def traced(f: Callable[..., Any], pullback: Callable[..., Any], domains: Any, sizes: Sizes) -> Pair:
    """Both programs; the rule's last argument is the cotangent."""
    forward = trace(f, domains, sizes)
    try:
        rule = trace(pullback, domains, sizes, extra=(forward.output(),))
    except ValueError as error:
        raise ValueError(
            "pullback: called with the arguments and the cotangent, it fails: "
            + str(error).removeprefix("domains: ").removeprefix("pullback: ")
        ) from error
    return Pair(forward, rule)


def compare(pair: Pair, domains: Any, sizes: Sizes) -> Outcome:
    """Show that the rule is the derivative of the function.

    Raises:
        NotShown: a difference is left.
        Unknown, NotLinear, NoDerivative, TooLarge: something is not understood.
    """
    with literals():
        forward = programs.read(pair.f, sizes)
        rule = programs.read(pair.rule, sizes, forward.inputs)
    cotangents = rule.inputs[len(forward.inputs) :]
    given, skipped_arguments = matched(pair, domains, forward.inputs)
    own = canonical(n for t in forward.outputs for n in t.needs)
    hard = tuple(n for n in own if not n.smooth)
    entries = [
        _compare_argument(forward, array, rule.outputs[place], cotangents, own)
        for array, place in given
    ]
    return Outcome(
        tuple(dict.fromkeys([*stated(hard), *(c for e in entries for c in e.conditions)])),
        tuple(f"the derivative for {e.gradient.path} is 0 everywhere" for e in entries if e.zero),
        skipped_arguments,
        forward,
        rule,
        cotangents,
        tuple(e.gradient for e in entries),
    )


def matched(
    pair: Pair, domains: Any, inputs: tuple[Array, ...]
) -> tuple[list[tuple[Array, int]], tuple[str, ...]]:
    """Each differentiated array with the rule's output for it, and the arguments that have none.

    Raises:
        ValueError: the rule's result has not the structure of the arguments.
    """
    count = len(pair.rule.out_shapes)
    result = jax.tree_util.tree_unflatten(pair.rule.out_tree, range(count))
    if not isinstance(result, tuple | list) or len(result) != len(domains):
        found = f"{len(result)} entries" if isinstance(result, tuple | list) else "one array"
        raise ValueError(
            f"pullback: the result has {found}; a tuple with one entry for each of the "
            f"{len(domains)} arguments is expected (None for one that is not differentiated)"
        )
    pairs: list[tuple[Array, int]] = []
    absent: list[str] = []
    start = 0
    for domain, entry in zip(domains, result, strict=True):
        arrays = [d for d in leaves(domain) if d.is_array]
        own = inputs[start : start + len(arrays)]
        start += len(arrays)
        places = _places(entry, domain, len(own))
        if places is None:
            count = len(jax.tree_util.tree_leaves(entry))
            raise ValueError(
                f"pullback: the entry for {own[0].name if own else 'an argument'} has {count} "
                f"arrays, the argument has {len(own)}; the same structure is expected"
            )
        for array, place in zip(own, places, strict=True):
            if array.kind == "real" and place is None:
                absent.append(array.name)
            elif array.kind == "real":
                pairs.append((array, place))
    return pairs, tuple(absent)


def _places(entry: Any, domain: Any, count: int) -> list[Any] | None:
    """The rule's output for each array of an argument, None where it gives none."""
    if not jax.tree_util.tree_leaves(entry):
        return [None] * count
    places, structure = jax.tree_util.tree_flatten(entry, is_leaf=lambda x: x is None)
    of_domain: Any = jax.tree_util.tree_structure(domain)
    alike = structure == of_domain or count != of_domain.num_leaves
    return places if len(places) == count and alike else None


class Entry(NamedTuple):
    """What was shown about the rule's entry for one array."""

    gradient: Gradient
    conditions: tuple[str, ...]
    zero: bool


def _compare_argument(
    forward: Program,
    array: Array,
    entry: Tensor,
    cotangents: tuple[Array, ...],
    own: tuple[Need, ...],
) -> Entry:
    if entry.shape != array.shape:
        raise NotShown(f"the entry for {array.name} has another shape than the argument")
    body = _exposed(entry.body, cotangents)
    ground = Ground(own)
    try:
        settled(_without(body, cotangents), ground, "a term without the cotangent")
    except NotShown:
        raise NotLinear(f"the entry for {array.name} is not linear in the cotangent") from None
    blocks: list[Poly] = []
    texts: list[str] = []
    attained = peaks(*(o.body for o in forward.outputs))
    for output, cotangent in zip(forward.outputs, cotangents, strict=True):
        if output.kind != "real":
            continue
        true = jacobian(output.body, array, entry.slots)
        given = calculus.coefficient(_with(body, cotangent), cotangent, output.slots)
        found, words = _compare_block(output, forward.conditions, array, true, given, own)
        ground = ground._replace(kinks=(*ground.kinks, *found))
        blocks.append(true)
        attained |= peaks(true)
        texts += words
    defined(canonical(entry.needs), ground, attained)
    nothing = all(k.is_zero for k in blocks)
    return Entry(Gradient(array.name, entry.slots, tuple(blocks)), tuple(texts), nothing)


def jacobian(value: Poly, array: Array, slots: tuple[Var, ...]) -> Poly:
    """∂value/∂array[slots]."""
    direction = Array(f"d {array.name}", array.shape)
    return calculus.coefficient(calculus.tangent(value, array, direction), direction, slots)


def _compare_block(
    output: Tensor,
    asked: frozenset[Poly],
    array: Array,
    true: Poly,
    given: Poly,
    own: tuple[Need, ...],
) -> tuple[tuple[Poly, ...], list[str]]:
    """Compare the derivative of one output with what the rule gives; its kinks, and in words."""
    value, needs = output.body, output.needs
    if not_real(value) or not_real(true) or not_real(given):
        raise NotShown("a value that is infinite or not a number")
    found = kinks_of(value, true, array)
    smooth = tuple(n for n in own if n.smooth and needed(n, value, true, array))
    own = (*(n for n in own if not n.smooth), *smooth)
    excused = excusing(found, value, true)
    for base, only_roots in edges(value, needs, asked, array).items():
        if Ground(own, excused).excludes(base):
            continue
        if not only_roots:
            where = show.statement(base, "=")
            raise NotShown(f"whether the function is differentiable where {where}")
        found, excused = (*found, base), (*excused, base)
    words = [*stated(smooth), *(kink_text(k, given) for k in found)]
    attained = peaks(value, true)
    if attained:
        true, given = unique_peak(true, attained), unique_peak(given, attained)
        words.append("the maximum is attained once")
    try:
        settled(subtract(true, given), Ground(own, excused), f"the derivative for {array.name}")
    except NotShown as failure:
        raise NotShown(str(failure), _line(true), _line(given)) from None
    return excused, words


def _line(poly: Poly) -> str:
    text = show.text(poly)
    return text if len(text) <= LONGEST_LINE else ""


def _exposed(poly: Poly, arrays: Iterable[Array]) -> Poly:
    """Named intermediates that depend on the arrays, by their definitions."""
    every = set(arrays)

    def rule(factor: Factor) -> Poly | None:
        if isinstance(factor, Named) and factor.arrays & every:
            return _exposed(calculus.unfold(factor), every)
        return None

    return algebra.rewrite(poly, rule)


def _with(poly: Poly, array: Array) -> Poly:
    return Poly({m: c for m, c in poly.terms.items() if any(array in f.arrays for f, _ in m)})


def _without(poly: Poly, arrays: Iterable[Array]) -> Poly:
    every = set(arrays)
    return Poly({m: c for m, c in poly.terms.items() if not any(every & f.arrays for f, _ in m)})
