"""When does a disagreement between a rule and autodiff count?

Only where the derivative exists numerically: central differences and differences from either side
agree with the gradient, along the entry concerned and along random directions, to well within the
disagreement. And only where neither program loses digits on the way: what overflows, underflows
or cancels in float64 may be right for real numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jax.extend.core import Literal

from purenet.prove import quick, samples
from purenet.prove.trial import Outcome, Point, Runner, Trial

EPSILON = float(np.finfo(np.float64).eps)
RELATIVE = 1e-6
STEPS = 0.02 * 4.0 ** -np.arange(8)
NEAR = 4  # the step at which the gradient beside the point is taken
TINY = np.array([1e-9, 1e-11])  # steps at which it has to be the same: no structure is overlooked
SIDE = len(STEPS) + len(TINY)


class Verdict(NamedTuple):
    """A confirmed disagreement: what the rule gives and what is true, for one real argument."""

    real: int
    rule: np.ndarray
    true: np.ndarray


class Slope(NamedTuple):
    """A derivative along a direction by finite differences, and how far to trust it."""

    value: float
    error: float


def suspicious(trial: Trial, points: Sequence[Point], outcome: Outcome) -> np.ndarray:
    """For each real argument and point: rule and autodiff differ, or one is not finite.

    Where f itself is not finite, the point is not in its domain and nothing is said.
    """
    count = len(points)
    outside = ~_each_finite(outcome.outs, count)
    size_out = _largest(outcome.outs, count)
    size_back = _largest(_stacked([p.cotangent for p in points]), count)
    size_in = _largest([np.stack([p.arrays[r.array] for p in points]) for r in trial.reals], count)
    floor = 1e-12 * size_back * np.maximum(1.0, size_out) * np.maximum(1.0, size_in)
    found = np.zeros((len(trial.reals), count), bool)
    for number, (rule, true) in enumerate(zip(outcome.rule, outcome.true, strict=True)):
        if rule is None or rule.shape != true.shape:
            continue
        scale = np.maximum(_largest([true], count), _largest([rule], count))
        with np.errstate(all="ignore"):
            gap = np.abs(rule - true).reshape(count, -1).max(-1)
            found[number] = ~(gap <= np.maximum(RELATIVE * scale, floor)) & ~outside
    return found


def beside(
    trial: Trial, points: Sequence[Point], rng: np.random.Generator, run: Runner
) -> tuple[np.ndarray, np.ndarray]:
    """For each real argument and point, from the gradient on both sides of the point: whether a
    disagreement with autodiff is worth a look, and whether the rule is off in any case.

    The first leaves kinks out early, and points at which autodiff is what is wrong. The second
    finds a rule that is wrong where autodiff is wrong too, as at a removable singularity.
    """
    moves = [(p, _random(trial, rng)) for p in points]
    sides = [_moved(trial, p, u, s * STEPS[NEAR]) for s in (1, -1) for p, u in moves]
    here, there = run(trial, points), run(trial, sides)
    count = len(points)
    size_back = _largest(_stacked([p.cotangent for p in points]), count)
    worth = np.zeros((len(trial.reals), count), bool)
    differs = np.zeros((len(trial.reals), count), bool)
    inside = _each_finite(here.outs, count) & _each_finite(there.outs, 2 * count).reshape(
        2, -1
    ).all(0)
    both = zip(here.rule, here.true, there.true, strict=True)
    for number, (rule, at, true) in enumerate(both):
        if rule is None or rule.shape[1:] != true.shape[1:]:
            continue
        one, other = true[:count].reshape(count, -1), true[count:].reshape(count, -1)
        with np.errstate(all="ignore"):
            scale = np.maximum(np.abs(one).max(-1), np.abs(other).max(-1)) + 1e-6
            gap = np.abs(one - other).max(-1)
            smooth = inside & (gap < 1e-2 * scale + 1e-3 * size_back)
            close = 1e-3 * scale + 1e-5 * size_back
            gaps = [np.abs(v.reshape(count, -1) - (one + other) / 2).max(-1) for v in (rule, at)]
            # Where autodiff is the gradient beside the point, it is compared with elsewhere.
            rule_off, autodiff_off = (~(g < close) for g in gaps)
            differs[number] = smooth & rule_off & autodiff_off
            worth[number] = smooth & (rule_off | ~autodiff_off)
    return worth, differs


def confirmed(
    trial: Trial, point: Point, number: int, rng: np.random.Generator, run: Runner
) -> Verdict | None:
    """The disagreement at a point for one real argument, if the derivative exists there."""
    if _loses_digits(trial, point):
        return None
    moves = [_random(trial, rng), _random(trial, rng)]
    reach = [_reach(trial, point, u) for u in moves]
    if min(reach) <= 0:
        return None
    walks = [_line(trial, point, u, r) for u, r in zip(moves, reach, strict=True)]
    outcome = run(trial, [point, *walks[0], *walks[1]])
    lines = [_rows(outcome, 1), _rows(outcome, 1 + 2 * SIDE)]
    mixed = _mixed(point, rng)
    for line, r in zip(lines, reach, strict=True):
        if _has_kink(_phi(mixed, outcome), _phi(mixed, line), r):
            return None
    rule, here = outcome.rule[number], _phi(point, outcome)
    if rule is None:
        return None
    for gradient in _gradients(outcome, lines, point):
        gap, scale = np.abs(rule[0] - gradient[number]), np.abs(gradient[number]).max()
        gap = np.where(np.isfinite(gap), gap, max(1.0, scale))
        entry = int(np.argmax(gap))
        most = min(0.1 * float(gap.flat[entry]), 1e-3 * scale + 1e-6 * _size(point.cotangent))
        smooth = all(
            _agrees(here, _phi(point, line), r, _along(gradient, u), _slack(gradient, u, most))
            for line, u, r in zip(lines, moves, reach, strict=True)
        )
        if most > 0 and smooth and _entry_agrees(trial, point, number, entry, gradient, most, run):
            return Verdict(number, np.asarray(rule[0]), np.asarray(gradient[number]))
    return None


# --- lines through the point ----------------------------------------------------------------------


def _rows(outcome: Outcome, start: int) -> Outcome:
    """The points of one line."""
    rows = slice(start, start + 2 * SIDE)
    rules = [None if r is None else r[rows] for r in outcome.rule]
    return Outcome([o[rows] for o in outcome.outs], rules, [t[rows] for t in outcome.true])


def _mixed(point: Point, rng: np.random.Generator) -> Point:
    """The point with a random cotangent, in which the kinks of two outputs don't cancel."""
    weights = tuple(np.asarray((c != 0) * rng.uniform(0.5, 1.5, c.shape)) for c in point.cotangent)
    return point._replace(cotangent=weights)


def _has_kink(here: Any, line: Any, reach: float) -> bool:
    central, right, left = _along_line(here, line, reach)
    largest = max(abs(slope.value) for slope in (central, right, left))
    return not abs(right.value - left.value) <= 1e-3 * largest + 1e-6


def _size(arrays: Sequence[np.ndarray]) -> float:
    return max(float(np.abs(a).max(initial=0)) for a in arrays)


def _slack(gradient: list[Any], u: list[Any], most: float) -> float:
    """How far a slope along a random direction may be off: it adds up many entries."""
    return most + 1e-4 * _along([np.abs(g) for g in gradient], [np.abs(d) for d in u])


def _random(trial: Trial, rng: np.random.Generator) -> list[np.ndarray]:
    """A direction with no small entry, in the space of all real arguments."""
    shapes = [samples.shape(real.domain, trial.sizes) for real in trial.reals]
    return [np.asarray(rng.choice([-1.0, 1.0], s) * rng.uniform(0.5, 1.0, s)) for s in shapes]


def _coordinate(trial: Trial, number: int, entry: int) -> list[np.ndarray]:
    direction = [np.zeros(samples.shape(real.domain, trial.sizes)) for real in trial.reals]
    direction[number].reshape(-1)[entry] = 1.0
    return direction


def _moved(trial: Trial, point: Point, direction: list[np.ndarray], step: float) -> Point:
    arrays = list(point.arrays)
    for real, u in zip(trial.reals, direction, strict=True):
        arrays[real.array] = np.asarray(arrays[real.array] + step * u)
    return point._replace(arrays=tuple(arrays))


def _reach(trial: Trial, point: Point, direction: list[np.ndarray]) -> float:
    """The part of the steps that stays well inside the domain."""
    free = 1.0
    for real, u in zip(trial.reals, direction, strict=True):
        moving = u != 0
        room = samples.room(real.domain, point.arrays[real.array])
        limit = np.where(moving, room / np.where(moving, np.abs(u), 1.0), np.inf)
        free = min(free, float(limit.min(initial=np.inf)) / (4 * STEPS[0]))
    return free


def _line(trial: Trial, point: Point, direction: list[np.ndarray], reach: float) -> list[Point]:
    steps = [s * step for s in (1, -1) for step in (*(reach * STEPS), *(reach * TINY))]
    return [_moved(trial, point, direction, step) for step in steps]


def _phi(point: Point, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """<cotangent, f> at each point, and the size of what was added up."""
    axes = [tuple(range(1, out.ndim)) for out in outcome.outs]
    with np.errstate(all="ignore"):
        terms = [out * c for out, c in zip(outcome.outs, point.cotangent, strict=True)]
        total = sum(t.sum(a) for t, a in zip(terms, axes, strict=True))
        size = sum(np.abs(t).sum(a) for t, a in zip(terms, axes, strict=True))
    return np.asarray(total), np.asarray(size)


def _gradients(outcome: Outcome, lines: Sequence[Outcome], point: Point) -> Iterator[list[Any]]:
    """What may be the gradient: autodiff at the point; autodiff just beside it, if that is one."""
    at = [np.asarray(true[0]) for true in outcome.true]
    if all(np.isfinite(part).all() for part in at):
        yield at
    beside = []
    for line in lines:
        steps = [[(t[i] + t[i + SIDE]) / 2 for t in line.true] for i in (NEAR, NEAR + 1)]
        beside.append([(16 * b - a) / 15 for a, b in zip(*steps, strict=True)])
    slack = 1e-3 * _size(point.cotangent)
    tiny = [[t[i] for t in line.true] for line in lines for i in (-1, -2, SIDE - 1, SIDE - 2)]
    same = all(np.allclose(a, b, 1e-4, 1e-7) for a, b in zip(*beside, strict=True))
    if same and all(
        np.allclose(a, b, 1e-3, slack)
        for near in tiny
        for a, b in zip(near, beside[0], strict=True)
    ):
        yield [(a + b) / 2 for a, b in zip(*beside, strict=True)]


def _along(gradient: list[Any], u: list[Any]) -> float:
    return float(sum((g * d).sum() for g, d in zip(gradient, u, strict=True)))


# --- finite differences ---------------------------------------------------------------------------


def _entry_agrees(
    trial: Trial, point: Point, number: int, entry: int, gradient: list[Any], most: float,
    run: Runner,
) -> bool:  # fmt: skip
    u = _coordinate(trial, number, entry)
    reach = _reach(trial, point, u)
    outcome = run(trial, [point, *_line(trial, point, u, reach)])
    total, size = _phi(point, outcome)
    here, line = (total[:1], size[:1]), (total[1:], size[1:])
    return _agrees(here, line, reach, _along(gradient, u), most)


def _agrees(here: Any, line: Any, reach: float, claimed: float, most: float) -> bool:
    """Whether the slopes from both sides, from the right and from the left are the claimed one."""
    slopes = _along_line(here, line, reach)
    return all(abs(s.value - claimed) <= most and s.error <= most for s in slopes)


def _along_line(here: Any, line: Any, reach: float) -> list[Slope]:
    n = len(STEPS)
    right, left = line[0][:n], line[0][SIDE : SIDE + n]
    return list(_slopes(here[0][0], right, left, STEPS * reach, line[1].max()))


def _slopes(
    here: float, right: np.ndarray, left: np.ndarray, steps: np.ndarray, size: float
) -> Iterator[Slope]:
    noise = 8 * EPSILON * (size + EPSILON) / steps
    with np.errstate(all="ignore"):
        yield _limit((right - left) / (2 * steps), noise, (16.0, 256.0))
        yield _limit((right - here) / steps, noise, (4.0, 16.0, 64.0))
        yield _limit((here - left) / steps, noise, (4.0, 16.0, 64.0))


def _limit(quotients: np.ndarray, noise: np.ndarray, factors: Sequence[float]) -> Slope:
    """Richardson's extrapolation to step 0, at the step where it settles best."""
    for factor in factors:
        quotients = (factor * quotients[1:] - quotients[:-1]) / (factor - 1)
        noise = noise[1:]
    errors = np.abs(quotients[1:] - quotients[:-1]) + noise[1:]
    best = int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))
    error = float(errors[best])
    return Slope(float(quotients[best + 1]), error if np.isfinite(error) else np.inf)


# --- lost digits ----------------------------------------------------------------------------------


def _loses_digits(trial: Trial, point: Point) -> bool:
    """Whether f or the rule overflows, underflows, saturates or cancels at a point."""
    lost: list[str] = []

    def observe(eqn: Any, values: list[Any], outs: list[Any]) -> None:
        if not lost and doubtful(eqn, values, outs):
            lost.append(eqn.primitive.name)

    quick.evaluate(trial.value, *point.arrays, observe=observe)
    quick.evaluate(trial.rule, *point.arrays, *point.cotangent, observe=observe)
    return bool(lost)


def doubtful(eqn: Any, values: list[Any], outs: list[Any]) -> bool:
    """Whether an equation's result may be far from the result in real numbers."""
    name, out = eqn.primitive.name, outs[0]
    if name not in DOUBTS or out.dtype.kind != "f":
        return False
    doubts = DOUBTS[name](eqn, out, *values)
    if name != "reduce_sum":
        # What is not finite to begin with, as a mask of -inf, has an exact meaning.
        doubts = doubts & np.logical_and.reduce(
            [np.isfinite(np.broadcast_to(v, out.shape)) for v in values]
        )
    return bool(np.any(doubts))


def _sum_doubt(eqn: Any, out: Any, x: Any, y: Any) -> Any:
    if eqn.primitive.name == "sub":
        y = -y
    larger = np.maximum(np.abs(x), np.abs(y))
    # A tiny constant beside a number, as in x + 1e-30, is meant to vanish.
    gone_x = (out == y) & (x != 0) & (not isinstance(eqn.invars[0], Literal))
    gone_y = (out == x) & (y != 0) & (not isinstance(eqn.invars[1], Literal))
    whole = (x == np.rint(x)) & (y == np.rint(y)) & (larger < 1e15)
    cancelled = (np.abs(out) < 1e-8 * larger) & ~whole & ~(x == -y)
    return gone_x | gone_y | cancelled | ~np.isfinite(out)


def _total_doubt(eqn: Any, out: Any, x: Any) -> Any:
    axes = tuple(eqn.params["axes"])
    sizes = np.abs(x)
    smallest = np.where(sizes > 0, sizes, np.inf).min(axes)
    return (smallest < 4 * EPSILON * sizes.max(axes)) & np.isfinite(sizes.max(axes))


def _product_doubt(eqn: Any, out: Any, x: Any, y: Any) -> Any:
    return ((out == 0) & (x != 0) & (y != 0)) | ~np.isfinite(out)


def _quotient_doubt(eqn: Any, out: Any, x: Any, y: Any) -> Any:
    return ((out == 0) & (x != 0)) | (~np.isfinite(out) & (y != 0))


def _power_doubt(eqn: Any, out: Any, x: Any, *_: Any) -> Any:
    return ((out == 0) | np.isinf(out)) & (x != 0)


def _exponential_doubt(eqn: Any, out: Any, x: Any) -> Any:
    return (out == 0) | ~np.isfinite(out) | ((out == 1) & (x != 0))


def _saturated(*ends: float) -> Callable[..., Any]:
    return lambda eqn, out, x: np.isin(out, ends) & np.isfinite(x)


DOUBTS: dict[str, Callable[..., Any]] = {
    "add": _sum_doubt,
    "add_any": _sum_doubt,
    "sub": _sum_doubt,
    "mul": _product_doubt,
    "div": _quotient_doubt,
    "integer_pow": _power_doubt,
    "pow": _power_doubt,
    "square": _power_doubt,
    "exp": _exponential_doubt,
    "exp2": _exponential_doubt,
    "logistic": _saturated(0.0, 1.0),
    "tanh": _saturated(-1.0, 1.0),
    "erf": _saturated(-1.0, 1.0),
    "erfc": _saturated(0.0, 2.0),
    "expm1": _saturated(-1.0, np.inf),
    "sinh": _saturated(-np.inf, np.inf),
    "cosh": _saturated(np.inf),
    "reduce_sum": _total_doubt,
}


# --- sizes of numbers -----------------------------------------------------------------------------


def _stacked(rows: Sequence[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _each_finite(arrays: Sequence[np.ndarray], count: int) -> np.ndarray:
    return np.logical_and.reduce([np.isfinite(a).reshape(count, -1).all(-1) for a in arrays])


def _largest(arrays: Sequence[np.ndarray], count: int) -> np.ndarray:
    """The largest finite entry at each point."""
    sizes = [np.where(np.isfinite(a), np.abs(a), 0).reshape(count, -1).max(-1) for a in arrays]
    return np.maximum.reduce(sizes)
