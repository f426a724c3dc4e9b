"""Search for concrete arrays at which a rule is not the derivative, or two functions differ.

Nothing here is symbolic. Points of many kinds are run in float64, and a disagreement is reported
only when finite differences and JAX itself confirm it; it is then made as small as it can be.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from purenet.prove import confirm, quick, samples, trial
from purenet.prove import domains as domain
from purenet.prove.trial import Point, Trial

MOST_CONFIRMED = 16
MOST_SMALLER = 6


class Counterexample(NamedTuple):
    """Arguments and a cotangent at which a rule is not the derivative.

    Attributes:
        arguments: NumPy pytrees (float64, int64, bool), static values and functions as they are.
        cotangent: NumPy pytree with the structure of f's output.
        argument: which argument's entry is wrong, from 0.
        path: the wrong array's name: `x`, `params[0].weight`.
        rule: what the rule gives for it.
        true: the derivative.
        sizes: the sizes by name.
    """

    arguments: tuple[Any, ...]
    cotangent: Any
    argument: int
    path: str
    rule: np.ndarray
    true: np.ndarray
    sizes: dict[str, int]


class Difference(NamedTuple):
    """Arguments at which two functions differ; `path` names the output that does."""

    arguments: tuple[Any, ...]
    output: int
    path: str
    left: np.ndarray
    right: np.ndarray
    sizes: dict[str, int]


def evaluate(f: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """f of the arguments, compiled and in float64, as NumPy pytrees.

    Arrays are traced; whatever else is among the arguments is passed as it is.
    """
    leaves, tree = jax.tree.flatten(arguments)
    traced = [isinstance(leaf, np.ndarray | np.generic | jax.Array) for leaf in leaves]

    def of_arrays(*arrays: Any) -> Any:
        queue = iter(arrays)
        mixed = [next(queue) if t else leaf for t, leaf in zip(traced, leaves, strict=True)]
        return f(*jax.tree.unflatten(tree, mixed))

    with jax.enable_x64(True):
        given = [leaf for t, leaf in zip(traced, leaves, strict=True) if t]
        return jax.tree.map(np.asarray, jax.jit(of_arrays)(*given))


def search(
    f: Callable[..., Any],
    pullback: Callable[..., Any],
    domains: Sequence[Any],
    constraints: str = "",
    *,
    seed: int = 0,
    deadline: float = math.inf,
    most: int | None = None,
) -> Counterexample | None:
    """The smallest point found at which `pullback` is not the derivative of f, or None.

    Random and special points are tried at several sizes, until `deadline` (`time.monotonic()`) and
    at `most` so many.
    An argument for which the pullback gives None is not looked at.

    Raises:
        ValueError: the pullback's result is not like the arguments, or the constraints can't be
            read. What f or the pullback raises when it is traced passes through, if it does so
            at all sizes.

    >>> import jax.numpy as jnp
    >>> found = search(jnp.sin, lambda x, ct: (ct * jnp.sin(x),), [domain.real("n")])
    >>> found.path, found.sizes
    ('x', {'n': 1})
    """
    with jax.enable_x64(True):
        return _search(f, pullback, tuple(domains), constraints, seed, deadline, most)


def equal_search(
    f: Callable[..., Any],
    g: Callable[..., Any],
    domains: Sequence[Any],
    constraints: str = "",
    *,
    seed: int = 0,
    deadline: float = math.inf,
) -> Difference | None:
    """The first point found at which f and g differ, at the smallest sizes, or None.

    A point at which either is not finite, or loses digits, says nothing.

    >>> equal_search(lambda x: x * x, lambda x: x**2, [domain.real("n")])
    """
    with jax.enable_x64(True):
        return _equal_search(f, g, tuple(domains), constraints, seed, deadline)


def check(
    f: Callable[..., Any],
    pullback: Callable[..., Any],
    domains: Sequence[Any],
    sizes: dict[str, int],
    arrays: Sequence[np.ndarray],
    cotangents: Sequence[np.ndarray],
) -> Counterexample | None:
    """The counterexample at one given point (array leaves in order), if it is one."""
    with jax.enable_x64(True):
        one = trial.traced(f, pullback, tuple(domains), dict(sizes))
        point = Point(tuple(map(np.asarray, arrays)), tuple(map(np.asarray, cotangents)), True)
        rng, run = np.random.default_rng(0), trial.in_jax()
        verdicts = (_verdict(one, point, n, rng, run) for n in range(len(one.reals)))
        return next((_counterexample(one, point, v) for v in verdicts if v), None)


# --- a rule ---------------------------------------------------------------------------------------


def _search(
    f: Any,
    pullback: Any,
    domains: Any,
    constraints: str,
    seed: int,
    deadline: float,
    most: int | None,
) -> Any:
    failure: Exception | None = None
    ran = False
    for sizes in samples.assignments(domains, constraints)[:most]:
        if time.monotonic() > deadline:
            return None
        try:
            found = _at(f, pullback, domains, sizes, seed)
            ran = True
        except (TypeError, ValueError) as error:
            # A missing transpose raises unless two sizes are equal: those sizes come later.
            failure = failure or error
            continue
        if found is not None:
            return _smaller(f, pullback, domains, constraints, seed, deadline, found)
    if not ran and failure is not None:
        raise failure
    return None


def _smaller(
    f: Any, pullback: Any, domains: Any, constraints: str, seed: int, deadline: float,
    found: Counterexample,
) -> Counterexample:  # fmt: skip
    """A counterexample at the smallest sizes that have one, else the one that was found."""
    for sizes in samples.smaller(domains, constraints, found.sizes)[:MOST_SMALLER]:
        if time.monotonic() > deadline:
            return found
        try:
            other = _at(f, pullback, domains, sizes, seed)
        except (TypeError, ValueError):
            continue
        if other is not None:
            return other
    return found


def _at(f: Any, pullback: Any, domains: Any, sizes: dict[str, int], seed: int) -> Any:
    one = trial.traced(f, pullback, domains, sizes)
    rng = np.random.default_rng(seed)
    points = trial.points(one, rng)
    misshapen = _misshapen(one, points)
    if misshapen is not None:
        return misshapen
    jax_run = trial.in_jax()
    for point, number in _candidates(one, points, rng):
        if confirm.confirmed(one, point, number, rng, trial.in_numpy) is None:
            continue
        point = _simplified(one, point, number, rng)
        verdict = confirm.confirmed(one, point, number, rng, jax_run)
        if verdict is not None:
            return _counterexample(one, point, verdict)
    return None


def _candidates(
    one: Trial, points: list[Point], rng: np.random.Generator
) -> Iterator[tuple[Point, int]]:
    """Points at which an argument's entry looks wrong: the simplest first, argument by argument."""
    found = confirm.suspicious(one, points, trial.in_numpy(one, points))
    special = [i for i, point in enumerate(points) if point.special][: trial.BATCH // 2]
    worth, differs = confirm.beside(one, [points[i] for i in special], rng, trial.in_numpy)
    found[:, special] = (worth & found[:, special]) | differs
    for number in range(len(one.reals)):
        chosen = sorted(np.flatnonzero(found[number]), key=lambda i: _complexity(points[i]))
        spread = (
            chosen[: MOST_CONFIRMED // 2] + chosen[MOST_CONFIRMED // 2 :][-MOST_CONFIRMED // 2 :]
        )
        yield from ((points[i], number) for i in spread)


def _verdict(one: Trial, point: Point, number: int, rng: Any, run: Any) -> Any:
    return confirm.confirmed(one, point, number, rng, run)


def _misshapen(one: Trial, points: list[Point]) -> Counterexample | None:
    """A rule whose entry has not the argument's shape is wrong everywhere."""
    for number, real in enumerate(one.reals):
        if real.rule is None:
            continue
        if one.rule.out_avals[real.rule].shape == samples.shape(real.domain, one.sizes):
            continue
        outcome = trial.in_numpy(one, points)
        finite = [all(np.isfinite(o[i]).all() for o in outcome.outs) for i in range(len(points))]
        for i in sorted(np.flatnonzero(finite), key=lambda i: _complexity(points[i])):
            rule = outcome.rule[number]
            assert rule is not None
            verdict = confirm.Verdict(
                number, np.asarray(rule[i]), np.asarray(outcome.true[number][i])
            )
            return _counterexample(one, points[i], verdict)
    return None


def _counterexample(one: Trial, point: Point, verdict: confirm.Verdict) -> Counterexample:
    real = one.reals[verdict.real]
    return Counterexample(
        trial.arguments(one, point), trial.cotangent(one, point), real.argument, real.path,
        np.asarray(verdict.rule), np.asarray(verdict.true), dict(one.sizes),
    )  # fmt: skip


# --- simpler arrays -------------------------------------------------------------------------------


def _complexity(point: Point) -> float:
    """How hard a point is to read: whole numbers near 1 are easy, decimals are not."""
    entries = np.concatenate([np.ravel(a).astype(float) for a in (*point.arrays, *point.cotangent)])
    whole = entries == np.rint(entries)
    cost = np.where(whole, 1 + 0.1 * np.abs(entries - 1), 5 + 0.1 * np.abs(entries))
    return float(cost.sum())


def _simplified(one: Trial, point: Point, number: int, rng: np.random.Generator) -> Point:
    """The point with as many entries as possible made 1, 0 or whole."""
    for _ in range(8):
        cost = _complexity(point)
        tries = [p for p in _simpler(one, point) if _complexity(p) < cost][: trial.BATCH]
        if not tries:
            break
        found = confirm.suspicious(one, tries, trial.in_numpy(one, tries))[number]
        order = sorted(np.flatnonzero(found), key=lambda i: _complexity(tries[i]))
        for i in order[:4]:
            if confirm.confirmed(one, tries[i], number, rng, trial.in_numpy) is not None:
                point = tries[i]
                break
        else:
            break
    return point


def _simpler(one: Trial, point: Point) -> Iterator[Point]:
    arrays, back = list(point.arrays), list(point.cotangent)
    hot = np.concatenate([c.ravel() for c in back])
    ends = np.cumsum([c.size for c in back])[:-1]
    for flat in (np.ones_like(hot), *np.eye(hot.size)[:8], np.rint(hot)):
        parts = [
            np.asarray(p.reshape(c.shape)) for p, c in zip(np.split(flat, ends), back, strict=True)
        ]
        yield point._replace(cotangent=tuple(parts))
    for place, (x, of) in enumerate(zip(arrays, one.leaves, strict=True)):
        if of.kind == "distribution":
            continue
        for new in _simpler_arrays(of, x):
            yield point._replace(arrays=(*arrays[:place], new, *arrays[place + 1 :]))


def _simpler_arrays(of: domain.Domain, x: np.ndarray) -> Iterator[np.ndarray]:
    if of.kind == "boolean":
        yield np.ones_like(x)
        return
    wishes = [np.zeros_like(x), np.ones_like(x), np.asarray(np.rint(x), x.dtype)]
    if of.kind == "label":
        yield wishes[0]
        return
    yield from (w for w in wishes if samples.inside(of, w).all())
    for entry in range(min(x.size, 12)):
        for wish in (1.0, 0.0, float(np.rint(x.flat[entry]))):
            new = x.copy()
            new.flat[entry] = wish
            if samples.inside(of, new).all():
                yield new


# --- two functions --------------------------------------------------------------------------------


def _equal_search(
    f: Any, g: Any, domains: Any, constraints: str, seed: int, deadline: float
) -> Difference | None:
    def first(plan: Sequence[dict[str, int]]) -> tuple[Difference | None, Exception | None]:
        failure, ran = None, False
        for sizes in plan:
            if time.monotonic() > deadline:
                break
            try:
                found = _differ_at(f, g, domains, sizes, seed)
                ran = True
            except (TypeError, ValueError) as error:
                failure = failure or error
                continue
            if found is not None:
                return found, None
        return None, None if ran else failure

    found, failure = first(samples.assignments(domains, constraints))
    if failure is not None:
        raise failure
    if found is None:
        return None
    smaller, _ = first(samples.smaller(domains, constraints, found.sizes)[:MOST_SMALLER])
    return smaller or found


def _differ_at(f: Any, g: Any, domains: Any, sizes: dict[str, int], seed: int) -> Difference | None:
    leaves = [d for d in domain.leaves(domains) if d.is_array]
    avals = [jax.ShapeDtypeStruct(samples.shape(d, sizes), trial.dtype(d)) for d in leaves]
    sides = [
        lambda *arrays, of=of: jax.tree.leaves(of(*samples.fill(domains, iter(arrays))))
        for of in (f, g)
    ]
    programs = [jax.make_jaxpr(side)(*avals) for side in sides]
    rng = np.random.default_rng(seed)
    constants = trial.constants(*programs)
    points = [
        Point(tuple(map(np.asarray, arrays)), ())
        for style, count in trial.COUNTS.items()
        for arrays in zip(*samples.draw(leaves, sizes, rng, style, constants, count), strict=True)
    ]
    values = [_at_all(side, avals, points) for side in sides]
    for i in sorted(range(len(points)), key=lambda i: _complexity(points[i])):
        for output, pair in enumerate(zip(*values, strict=False)):
            left, right = (np.asarray(side[i]) for side in pair)
            if not _differ(left, right, points[i]) or _lost(programs, points[i]):
                continue
            arguments = samples.fill(domains, iter(points[i].arrays))
            both = [evaluate(side, points[i].arrays)[output] for side in sides]
            if _differ(both[0], both[1], points[i]):
                path = "output" + _output_path(f, arguments, output)
                return Difference(arguments, output, path, both[0], both[1], dict(sizes))
    return None


def _at_all(side: Any, avals: Sequence[Any], points: Sequence[Point]) -> list[np.ndarray]:
    """The outputs at all points; the first axis counts them."""
    count = len(points)
    many = [jax.ShapeDtypeStruct((count, *a.shape), a.dtype) for a in avals]
    if not many:
        return [np.stack([out] * count) for out in quick.evaluate(jax.make_jaxpr(side)())]
    try:
        program = jax.make_jaxpr(jax.vmap(side))(*many)
    except NotImplementedError:
        alone = jax.make_jaxpr(side)(*avals)
        rows = [quick.evaluate(alone, *point.arrays) for point in points]
        return [np.stack(column) for column in zip(*rows, strict=True)]
    columns = zip(*(point.arrays for point in points), strict=True)
    return quick.evaluate(program, *map(np.stack, columns))


def _lost(programs: Sequence[Any], point: Point) -> bool:
    lost: list[bool] = []
    for program in programs:
        quick.evaluate(
            program, *point.arrays, observe=lambda *seen: lost.append(confirm.doubtful(*seen))
        )
    return any(lost)


def _output_path(f: Any, arguments: tuple[Any, ...], output: int) -> str:
    leaves = jax.tree_util.tree_flatten_with_path(evaluate(f, arguments))[0]
    return jax.tree_util.keystr(leaves[output][0])


def _differ(left: np.ndarray, right: np.ndarray, point: Point) -> bool:
    if left.shape != right.shape:
        return True
    if left.dtype.kind != "f" or right.dtype.kind != "f":
        return bool(np.any(left != right))
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return False
    size = max([1.0, *(float(np.abs(a).max(initial=0)) for a in point.arrays)])
    scale = max(float(np.abs(left).max(initial=0)), float(np.abs(right).max(initial=0)))
    return float(np.abs(left - right).max(initial=0)) > max(1e-6 * scale, 1e-10 * size)
