"""A function and its rule at concrete sizes: traced once, run in NumPy at many points together."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from purenet.prove import domains as domain
from purenet.prove import plain, quick, samples
from purenet.prove.domains import Domain

BATCH = 64
COUNTS = {
    "normal": 14, "small integers": 16, "with zeros": 10, "all zeros": 2, "ones": 3, "ties": 8,
    "constants": 6, "ends": 2, "large": 3,
}  # fmt: skip


class Point(NamedTuple):
    """The arrays among the arguments and the cotangents of the real outputs, in order."""

    arrays: tuple[np.ndarray, ...]
    cotangent: tuple[np.ndarray, ...]
    special: bool = False


class Real(NamedTuple):
    """One real array among the arguments."""

    array: int  # its place among the arrays
    argument: int
    path: str
    domain: Domain
    rule: int | None  # its place among the rule's outputs; None is "not differentiated"


class Outcome(NamedTuple):
    """What was computed at a batch of points; the first axis of each array counts the points."""

    outs: list[np.ndarray]
    rule: list[np.ndarray | None]  # one entry for each Real
    true: list[np.ndarray]


class Trial(NamedTuple):
    """f and its pullback traced at concrete sizes.

    `value` and `rule` are the programs of f and of the pullback, `both` computes f, the rule and
    the derivative of plain f together, over a batch if `batched`.
    """

    domains: tuple[Any, ...]
    leaves: tuple[Domain, ...]
    sizes: dict[str, int]
    reals: tuple[Real, ...]
    value: ClosedJaxpr
    rule: ClosedJaxpr
    both: ClosedJaxpr
    batched: bool
    out_tree: Any
    outs: tuple[Any, ...]  # shape and dtype of every output of f
    constants: tuple[float, ...]


Runner = Callable[[Trial, Sequence[Point]], Outcome]


def traced(
    f: Callable[..., Any],
    pullback: Callable[..., Any],
    domains: tuple[Any, ...],
    sizes: dict[str, int],
) -> Trial:
    """Trace f and its pullback at these sizes, in float64.

    Raises:
        ValueError: the pullback does not return one entry for each argument, or f has no real
            output.
    """
    leaves = tuple(d for d in domain.leaves(domains) if d.is_array)
    avals = [jax.ShapeDtypeStruct(samples.shape(d, sizes), dtype(d)) for d in leaves]
    value, shape = jax.make_jaxpr(
        lambda *arrays: f(*samples.fill(domains, iter(arrays))), return_shape=True
    )(*avals)
    outs = tuple(jax.tree.leaves(shape))
    out_tree = jax.tree.structure(shape)
    cotangents = [jax.ShapeDtypeStruct(out.shape, out.dtype) for out in outs if is_real(out)]
    if not cotangents:
        raise ValueError("f: no output is a real array; at least one expected")
    given: list[Any] = []

    def pulled(*values: Any) -> list[Any]:
        args = samples.fill(domains, iter(values[: len(leaves)]))
        back = jax.tree.unflatten(out_tree, _cotangents(outs, values[len(leaves) :]))
        entries = _entries(pullback(*args, back), domains)
        given[:] = [entry is not None and entry is not _SKIPPED for entry in entries]
        return [jax.numpy.asarray(e) for e, here in zip(entries, given, strict=True) if here]

    rule = jax.make_jaxpr(pulled)(*avals, *cotangents)
    reals = tuple(_reals(f, domains, given))
    program, batched = _together(value, rule, reals, avals, cotangents)
    return Trial(
        domains, leaves, sizes, reals, value, rule, program, batched, out_tree, outs,
        constants(value, rule),
    )  # fmt: skip


def is_real(out: Any) -> bool:
    """Whether an output has a cotangent."""
    return bool(jax.numpy.issubdtype(out.dtype, jax.numpy.floating))


def in_numpy(trial: Trial, points: Sequence[Point]) -> Outcome:
    """Run up to BATCH points without compiling."""
    if trial.batched:
        results = quick.evaluate(trial.both, *_columns(points))
    else:
        rows = [quick.evaluate(trial.both, *p.arrays, *p.cotangent) for p in points]
        results = [np.stack(column) for column in zip(*rows, strict=True)]
    return _outcome(trial, results, len(points))


def in_jax() -> Runner:
    """A runner that compiles, once, and runs in JAX: what a counterexample is confirmed with."""
    compiled: list[Any] = []

    def run(trial: Trial, points: Sequence[Point]) -> Outcome:
        if not compiled:
            compiled.append(jax.jit(jaxpr_as_fun(trial.both)))
        if trial.batched:
            return _outcome(trial, compiled[0](*_columns(points)), len(points))
        rows = [compiled[0](*p.arrays, *p.cotangent) for p in points]
        return _outcome(trial, [np.stack(c) for c in zip(*rows, strict=True)], len(points))

    return run


def points(trial: Trial, rng: np.random.Generator) -> list[Point]:
    """A batch of points in every style, those on thin sets marked special."""
    found: list[tuple[tuple[np.ndarray, ...], bool]] = []
    for style, count in COUNTS.items():
        drawn = samples.draw(trial.leaves, trial.sizes, rng, style, trial.constants, count)
        for number in range(count):
            arrays = tuple(np.asarray(array[number]) for array in drawn)
            found.append((arrays, style in samples.SPECIAL))
    backs = zip(*_drawn_cotangents(trial, rng, len(found)), strict=True)
    return [
        Point(arrays, tuple(map(np.asarray, back)), special)
        for (arrays, special), back in zip(found, backs, strict=True)
    ]


def arguments(trial: Trial, point: Point) -> tuple[Any, ...]:
    """The arguments of f at a point, static values and functions with them."""
    return samples.fill(trial.domains, iter(point.arrays))


def cotangent(trial: Trial, point: Point) -> Any:
    """The cotangent at a point, with the structure of f's output."""
    return jax.tree.unflatten(trial.out_tree, _cotangents(trial.outs, point.cotangent))


def names(f: Callable[..., Any], domains: tuple[Any, ...]) -> list[str]:
    """What f calls its arguments, or x0, x1, ... where it does not say."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        found = ()  # type: ignore[assignment]
    known = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [known[i] if i < len(known) else f"x{i}" for i in range(len(domains))]


def paths(f: Callable[..., Any], domains: tuple[Any, ...]) -> list[tuple[int, str, Domain]]:
    """For each array: the number of its argument, its name (`params[0].weight`), its domain."""
    return [
        (argument, name + jax.tree_util.keystr(path), one)
        for argument, (name, of) in enumerate(zip(names(f, domains), domains, strict=True))
        for path, one in jax.tree_util.tree_flatten_with_path(of)[0]
        if one.is_array
    ]


# --- tracing --------------------------------------------------------------------------------------

_SKIPPED = object()  # the entry of an argument that is not a real array


def dtype(one: Domain) -> Any:
    """The dtype of a domain's arrays."""
    return {"label": np.int64, "boolean": np.bool_}.get(one.kind, np.float64)


def _cotangents(outs: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """One entry for each output: a cotangent, or JAX's zeros of an integer output."""
    queue = iter(given)
    return [next(queue) if is_real(o) else np.zeros(o.shape, jax.dtypes.float0) for o in outs]


def _entries(returned: Any, domains: tuple[Any, ...]) -> list[Any]:
    """The rule's entry for each array among the arguments, `None` where it gives none."""
    if not isinstance(returned, tuple | list) or len(returned) != len(domains):
        got = f"{len(returned)}" if isinstance(returned, tuple | list) else type(returned).__name__
        raise ValueError(f"pullback: returned {got}; a tuple of {len(domains)} entries expected")
    found: list[Any] = []
    for number, (entry, of) in enumerate(zip(returned, domains, strict=True)):
        tree: Any = jax.tree.structure(of)
        try:
            parts = [None] * tree.num_leaves if entry is None else tree.flatten_up_to(entry)
        except ValueError as error:
            raise ValueError(
                f"pullback: entry {number} is not like argument {number}: {error}"
            ) from None
        pairs = zip(domain.leaves(of), parts, strict=True)
        found += [part if _is_real(d) else _SKIPPED for d, part in pairs if d.is_array]
    return found


def _is_real(one: Domain) -> bool:
    return one.kind in ("real", "distribution")


def _reals(
    f: Callable[..., Any], domains: tuple[Any, ...], given: Sequence[bool]
) -> Iterator[Real]:
    output = 0
    named = paths(f, domains)
    for array, (argument, path, one) in enumerate(named):
        if _is_real(one):
            yield Real(array, argument, path, one, output if given[array] else None)
        output += given[array]


def _together(
    value: ClosedJaxpr,
    rule: ClosedJaxpr,
    reals: Sequence[Real],
    avals: Sequence[Any],
    cotangents: Sequence[Any],
) -> tuple[ClosedJaxpr, bool]:
    kept = [number for number, out in enumerate(value.out_avals) if is_real(out)]

    def both(*values: Any) -> list[Any]:
        arrays, back = list(values[: len(avals)]), values[len(avals) :]

        def outputs(*moved: Any) -> list[Any]:
            for real, x in zip(reals, moved, strict=True):
                arrays[real.array] = x
            outs = plain.run(value, *arrays)
            return [outs[number] for number in kept]

        outs, pull = jax.vjp(outputs, *(arrays[real.array] for real in reals))
        return [*outs, *pull(list(back)), *jaxpr_as_fun(rule)(*values)]

    one = [*avals, *cotangents]
    many = [jax.ShapeDtypeStruct((BATCH, *a.shape), a.dtype) for a in one]
    try:
        return jax.make_jaxpr(jax.vmap(both))(*many), True
    except NotImplementedError:
        return jax.make_jaxpr(both)(*one), False


def constants(*programs: ClosedJaxpr) -> tuple[float, ...]:
    """The numbers that the programs mention, and their negatives, where they are worth a try."""
    found: set[float] = set()

    def visit(program: Any) -> None:
        jaxpr = program.jaxpr if isinstance(program, ClosedJaxpr) else program
        for eqn in jaxpr.eqns:
            numbers = [v.val for v in eqn.invars if isinstance(v, Literal) and np.ndim(v.val) == 0]
            found.update(float(n) for n in numbers if np.asarray(n).dtype.kind == "f")
            for parameter in jax.tree.leaves(tuple(eqn.params.values())):
                if isinstance(parameter, Jaxpr | ClosedJaxpr):
                    visit(parameter)

    for program in programs:
        visit(program)
    return tuple(sorted({s * c for c in found if 0.01 <= abs(c) <= 50 for s in (1, -1)}))


# --- running --------------------------------------------------------------------------------------


def _columns(points: Sequence[Point]) -> list[np.ndarray]:
    rows = [(*p.arrays, *p.cotangent) for p in points]
    rows += [rows[0]] * (BATCH - len(rows))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _outcome(trial: Trial, results: Sequence[Any], count: int) -> Outcome:
    arrays = [np.asarray(result)[:count] for result in results]
    n, k = sum(map(is_real, trial.outs)), len(trial.reals)
    outs, true, rule = arrays[:n], arrays[n : n + k], arrays[n + k :]
    return Outcome(outs, [None if r.rule is None else rule[r.rule] for r in trial.reals], true)


def _drawn_cotangents(trial: Trial, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """For each real output: all ones, one 1, small integers, normal numbers, in turn."""
    outs = [out for out in trial.outs if is_real(out)]
    ends = np.cumsum([math.prod(out.shape) for out in outs])
    flat = np.round(rng.normal(size=(count, ends[-1])), 2)
    flat[0::4] = 1.0
    flat[1::4] = np.eye(ends[-1])[rng.integers(0, ends[-1], len(flat[1::4]))]
    flat[2::4] = rng.integers(-2, 3, flat[2::4].shape)
    for part, out in zip(np.split(flat, ends[:-1], axis=1), outs, strict=True):
        yield part.reshape(count, *out.shape).astype(out.dtype)
