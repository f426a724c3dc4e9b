"""Which mutants are wrong, decided in float64 without the prover.

The right rule is trusted at random points. At a special point (zeros, ties, the constants of the
rule) it is trusted only where finite differences from both sides give its value, because a rule may
say anything where its function has no derivative. A mutant that agrees at every point tried is
discarded: nothing is known of it.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from purenet.prove.domains import Domain, sizes_of

from .case import Case
from .check import draw
from .mutate import Mutant, traced, with_constants
from .program import Program, is_literal

CONSTANTS = (0.0, 1.0, -1.0, 0.5)  # special values tried in every rule
ORDERS = ((3, 4, 5, 2), (2, 5, 3, 4), (4, 3, 2, 5), (1,), (2,), (3,), (4,))
COMPARING = ("max", "min", "clamp", "gt", "ge", "lt", "le", "eq", "ne")
STEP = 1e-6  # of the differences from one side


class Point(NamedTuple):
    arguments: tuple[Any, ...]
    cotangent: Any
    where: str
    relative: float  # a difference above this share of the largest entry is one
    absolute: float = 1e-12
    special: bool = False
    forgiving: bool = False  # infinities and NaN of a mutant are not held against it


class Judgement(NamedTuple):
    wrong: tuple[Mutant, ...]
    witnesses: tuple[str, ...]  # for each wrong one, where it was seen
    values: tuple[str, ...]  # for each wrong one, its value at the first point
    discarded: tuple[Mutant, ...]


def judge(case: Case, mutants: Sequence[Mutant], seed: int = 0) -> Judgement:
    """Try every mutant at the first points, and those that agree there at more and more."""
    undecided, found = list(mutants), dict[str, str]()
    values: dict[str, list[Any]] = {str(m): [] for m in mutants}
    with jax.enable_x64(True), jax.disable_jit():
        for number, point in enumerate(points(case, seed)):
            right = leaves(case.pullback(*point.arguments, point.cotangent))
            if not all(np.isfinite(x).all() for x in right):
                continue
            for mutant in mutants if number == 0 else tuple(undecided):
                other = leaves(mutant.pullback(*point.arguments, point.cotangent))
                if number == 0:
                    values[str(mutant)] = [np.round(x, 8) for x in other]
                if differs(right, other, point) and (not point.special or smooth(case, point)):
                    found[str(mutant)] = point.where
                    undecided.remove(mutant)
            if not undecided:
                break
    wrong = tuple(m for m in mutants if str(m) in found)
    first = tuple(repr([x.tolist() for x in values[str(m)]]) for m in wrong)
    witnesses = tuple(found[str(m)] for m in wrong)
    return Judgement(wrong, witnesses, first, tuple(undecided))


def differs(right: Sequence[Any], other: Sequence[Any], point: Point) -> bool:
    """Whether the values of a mutant are not those of the right rule, beyond rounding."""
    if not all(np.isfinite(o).all() for o in other):
        return not point.forgiving
    for r, o in zip(right, other, strict=True):
        allowed = point.relative * np.max(abs(r), initial=0) + point.absolute
        if np.max(abs(r - o), initial=0) > allowed:
            return True
    return False


def points(case: Case, seed: int) -> Iterator[Point]:
    """Random points first, then small and large ones, then special ones, at several sizes."""
    rng = np.random.default_rng(seed)
    domains = jax.tree.leaves(case.domains, is_leaf=_is_domain)
    first, second, least = sizes_tried(case)
    with jax.disable_jit(False):
        literals = list(_literals(traced(case).program))
    # A mutant that shifts by such a constant is right, and yet it overflows.
    forgiving = any(abs(c) > 100 for _, c in literals)
    # Beside 1e9 a number keeps 7 digits: a mutant that shifts by it is right, up to rounding.
    rounding = max((1e-13 * abs(c) for _, c in literals if 1e4 < abs(c) <= 1e12), default=0.0)

    def point(size: dict[str, int], change: Any, where: str, relative: float, **more: Any) -> Point:
        drawn = enumerate((d, draw(d, size, rng)) for d in domains)
        arrays = [change(i, domain, value) for i, (domain, value) in drawn]
        options = {"forgiving": forgiving, **more}
        relative = max(relative, rounding)
        return _point(case, domains, arrays, rng, f"{where} {size}", relative, **options)

    for size in (first, first, second, second):
        yield point(size, _as_drawn, "random", 1e-7)
    for scale in (1e-3, 1e-5, 1e-6):
        yield point(first, _scaled(scale), f"{scale} times random", 1e-4)
    for number, domain in enumerate(domains):
        if domain.kind == "real":
            where = f"random, leaf {number} times 4"
            yield point(first, _scaled(4.0, number), where, 1e-6, absolute=1e-6, forgiving=True)
    yield point(least, _as_drawn, "random", 1e-7)
    for c in _constants(literals):
        for style in (_every, _first, _tied):
            where = f"{style.__name__[1:]} {c:.4g}"
            kept = {"special": True, "forgiving": forgiving or abs(c) > 1}
            yield point(first, _special(c, style), where, 1e-2, absolute=1e-2, **kept)


def sizes_tried(case: Case) -> list[dict[str, int]]:
    """Two assignments of different sizes and the least, which the constraints of the case allow."""
    names = sizes_of(case.domains)
    orders = [*ORDERS, *product(range(1, 5), repeat=min(len(names), 5))]
    found = (dict(zip(names, cycle(order), strict=False)) for order in orders if order)
    allowed = [sizes for sizes in found if _allowed(case, sizes)] if names else [{}]
    return [allowed[0], allowed[min(1, len(allowed) - 1)], min(allowed, key=_total)]


def smooth(case: Case, point: Point) -> bool:
    """Whether differences from both sides in every entry give the right rule's value."""
    tree = jax.tree.structure(case.domains, is_leaf=_is_domain)
    values = tree.flatten_up_to(point.arguments)
    given = tree.flatten_up_to(case.pullback(*point.arguments, point.cotangent))
    here = _inner(case, point.arguments, point.cotangent)
    for number, (value, slope) in enumerate(zip(values, given, strict=True)):
        if slope is None:
            continue
        for entry in np.ndindex(np.shape(value)):
            for step in (STEP, -STEP):
                moved = [v if i != number else v.at[entry].add(step) for i, v in enumerate(values)]
                there = _inner(case, tree.unflatten(moved), point.cotangent)
                true = float(slope[entry])
                if not abs((there - here) / step - true) < 1e-3 * (1 + abs(true)):
                    return False
    return True


def leaves(result: Any) -> list[np.ndarray]:
    return [np.asarray(x, np.float64) for x in jax.tree.leaves(result)]


def _inner(case: Case, arguments: Any, cotangent: Any) -> float:
    out = jax.tree.leaves(case.f(*arguments))
    return float(sum(jnp.sum(o * c) for o, c in zip(out, jax.tree.leaves(cotangent), strict=True)))


def _point(
    case: Case, domains: Any, arrays: Any, rng: Any, where: str, relative: float, **more: Any
) -> Point:
    tree = jax.tree.structure(case.domains, is_leaf=_is_domain)
    arguments = with_constants(domains, tree, [a for a in arrays if a is not None])
    out = case.f(*arguments)
    cotangent = jax.tree.map(lambda o: jnp.asarray(rng.normal(size=o.shape), o.dtype), out)
    return Point(arguments, cotangent, where, relative, **more)


def _as_drawn(number: int, domain: Domain, value: Any) -> Any:
    return value


def _scaled(scale: float, only: int | None = None) -> Any:
    """Make real values smaller or larger, one leaf of them or all, where no bound forbids it.

    Not far: a mutant that shifts an exponential otherwise is right, and must not overflow.
    """

    def change(number: int, domain: Domain, value: Any) -> Any:
        bounded = np.isfinite(domain.high) or domain.low not in (0.0, -np.inf)
        if domain.kind != "real" or bounded or only not in (None, number):
            return value
        return jnp.clip(value * scale, -10.0, 10.0)

    return change


def _special(c: float, style: Any) -> Any:
    def change(number: int, domain: Domain, value: Any) -> Any:
        inside = domain.low < c < domain.high and not (domain.nonzero and c == 0)
        return style(value, c) if domain.kind == "real" and inside else value

    return change


def _every(value: Any, c: float) -> Any:
    return jnp.full_like(value, c)


def _first(value: Any, c: float) -> Any:
    return value.at[(0,) * value.ndim].set(c)


def _tied(value: Any, c: float) -> Any:
    """The first row equals the last in every entry; with a vector, its first two entries."""
    if value.ndim == 0 or value.shape[-1] < 2:
        return _first(value, c)
    return value.at[..., 0].set(value[..., 1])


def _constants(literals: Sequence[tuple[str, float]]) -> list[float]:
    """The special values: the usual ones, and those with which the rule compares."""
    compared = [c for name, c in literals if name in COMPARING and abs(c) <= 10]
    return list(dict.fromkeys((*CONSTANTS, *compared)))


def _literals(program: Program) -> Iterator[tuple[str, float]]:
    """Every constant of a program, with the primitive that takes it."""
    for eqn in program.equations:
        for atom in eqn.inputs:
            if is_literal(atom) and np.ndim(atom.val) == 0:
                yield eqn.name, float(np.asarray(atom.val))
        for body in eqn.bodies:
            yield from _literals(body)
    for constant in program.constants.values():
        yield from (("constant", float(c)) for c in np.ravel(constant))


def _allowed(case: Case, sizes: dict[str, int]) -> bool:
    constraints = [c for c in case.sizes.split(",") if c.strip()]
    return all(eval(c, {"__builtins__": {}}, dict(sizes)) for c in constraints)


def _total(sizes: dict[str, int]) -> int:
    return sum(sizes.values())


def _is_domain(x: Any) -> bool:
    return isinstance(x, Domain)
