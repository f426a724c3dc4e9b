"""How a wrong rule is wrong, in words: hypotheses are tried, and one that holds everywhere is said.

A sentence is a reading of numbers at a few sizes, not a theorem.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import numpy as np

from purenet.prove import samples, trial
from purenet.prove.replay import Counterexample
from purenet.prove.trial import Outcome, Point, Trial

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class View(NamedTuple):
    """What a rule gives and what is true for one array, at random points of one size.

    The first axis of every array counts the points. `named` holds the arrays whose shape is that
    of the argument; `doubled` is the rule with twice the cotangent; `without[j]` is the truth with
    the cotangent of output j put to 0; `others` are the true entries of the other arguments.
    """

    sizes: dict[str, int]
    rule: np.ndarray
    true: np.ndarray
    doubled: np.ndarray
    named: dict[str, np.ndarray]
    without: tuple[np.ndarray, ...]
    others: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


def sentence(
    f: Callable[..., Any],
    pullback: Callable[..., Any],
    domains: Sequence[Any],
    counterexample: Counterexample,
    constraints: str = "",
) -> str:
    """What is wrong with the rule at a counterexample's argument; "" where nothing fits.

    >>> import jax.numpy as jnp
    >>> from purenet.prove.domains import real
    >>> from purenet.prove.replay import search
    >>> rule = lambda x, ct: (ct * jnp.ones_like(x),)
    >>> found = search(jnp.mean, rule, [real("n")])
    >>> sentence(jnp.mean, rule, [real("n")], found)
    'off by the factor n'
    """
    with jax.enable_x64(True):
        views = list(_views(f, pullback, tuple(domains), counterexample, constraints))
    if not views:
        return ""
    shape = _shape(views)
    if shape or any(v.rule.shape != v.true.shape for v in views):
        return shape
    wrong = [v for v in views if _wrong(v.rule, v.true).any()]
    if not wrong:
        return _thin(counterexample, trial.paths(f, tuple(domains)))
    if all(_is_zero(v) for v in views):
        return "it is 0 where the derivative is not" if len(wrong) == len(views) else _only(views)
    factor = "" if len(wrong) == len(views) or _factor(views) else _factor(wrong)
    if factor:
        return ", ".join(filter(None, (factor, _only(views))))
    found_all = (hypothesis(views) for hypothesis in HYPOTHESES)
    return next((said for said in found_all if said), "") or _only(views)


# --- hypotheses -----------------------------------------------------------------------------------


def _shape(views: Sequence[View]) -> str:
    same_rank = all(v.rule.ndim == v.true.ndim for v in views)
    for axes in itertools.permutations(range(1, views[0].true.ndim)) if same_rank else ():
        if list(axes) != sorted(axes) and all(_same(_turn(v.rule, axes), v.true) for v in views):
            return "transposed"
    odd = next((v for v in views if v.rule.shape != v.true.shape), None)
    if odd is None:
        return ""
    return f"its shape is {odd.rule.shape[1:]} where {odd.true.shape[1:]} is expected"


def _is_zero(view: View) -> bool:
    return bool((view.rule == 0).all())


def _factor(views: Sequence[View]) -> str:
    ratios = [(v.sizes, _ratio(v.rule, v.true)) for v in views if not _same(v.true, 0 * v.true)]
    known = [(sizes, ratio) for sizes, ratio in ratios if ratio is not None]
    if not known or len(known) < len(ratios):
        return ""
    if all(_near(ratio, -1.0) for _, ratio in known):
        return "sign"
    for sign in (1, -1):
        for text, value in _factors(views[0].sizes):
            if all(_near(ratio, sign * value(sizes)) for sizes, ratio in known):
                return f"off by the factor {'' if sign > 0 else '-'}{text}"
    return ""


def _cotangent(views: Sequence[View]) -> str:
    if all(_same(v.doubled, v.rule) for v in views):
        return "the cotangent is not used"
    if all(_same(v.doubled, 4 * v.rule) for v in views):
        return "the cotangent is used twice"
    for j in range(len(views[0].without)):
        if len(views[0].without) > 1 and all(_same(v.rule, v.without[j]) for v in views):
            return f"the term of the {ORDINALS[j] if j < 6 else j} cotangent is missing"
    return ""


def _exchanged(views: Sequence[View]) -> str:
    for name in views[0].others:
        if all(name in v.others and _same(v.rule, v.others[name]) for v in views):
            return f"it is the entry of {name}"
    return ""


def _region(views: Sequence[View]) -> str:
    """A half line of the argument, or a label, outside which the rule is right."""
    own = next(iter(views[0].named))
    tests: list[tuple[str, Callable[[View], Any]]] = [
        (f"{own} < 0", lambda v: v.named[own] < 0),
        (f"{own} > 0", lambda v: v.named[own] > 0),
        (f"|{own}| > 1", lambda v: np.abs(v.named[own]) > 1),
        (f"|{own}| < 1", lambda v: np.abs(v.named[own]) < 1),
    ]
    for text, test in tests:
        wrong = [(_wrong(v.rule, v.true), test(v)) for v in views]
        if all((w <= t).all() for w, t in wrong) and any(
            (t & ~w).sum() < w.sum() for w, t in wrong
        ):
            return f"right except where {text}"
    for name in views[0].labels:
        seen = [(_wrong(v.rule, v.true), v.labels[name] == 0) for v in views]
        rows = [(w.reshape(len(w), -1).any(-1), t.reshape(len(t), -1).any(-1)) for w, t in seen]
        if all((w <= t).all() for w, t in rows) and any((~t).any() for _, t in rows):
            return f"right except where {name} == 0"
    return ""


def _product(views: Sequence[View]) -> str:
    for name, of in _quantities(views):
        if all(_same(v.rule * of(v), v.true) for v in views):
            return f"the factor {name} is missing"
        if all(_same(v.rule, v.true * of(v)) for v in views):
            return f"the factor {name} is one too many"
    return ""


def _term(views: Sequence[View]) -> str:
    single = list(_quantities(views))
    pairs = itertools.combinations_with_replacement(single, 2)
    double = [(f"{a} * {b}", lambda v, p=p, q=q: p(v) * q(v)) for (a, p), (b, q) in pairs]
    for name, of in [*single, *double]:
        for sign, text in (
            (1.0, f"the term {name} is too many"),
            (-1.0, f"the term {name} is missing"),
        ):
            if all(_same(v.rule - v.true, sign * of(v), v.true) for v in views):
                return text
    axis = views[0].true.ndim - 1
    wide = [v for v in views if axis and v.true.shape[-1] > 1]
    gaps = [v.rule - v.true for v in wide]
    if gaps and all(_same(g, g[..., :1] + 0 * g) for g in gaps):
        return "off by a term that is the same along the last axis"
    return ""


def _turned(views: Sequence[View]) -> str:
    for axis in range(1, views[0].true.ndim):
        if all(_same(np.flip(v.rule, axis), v.true) for v in views):
            return f"reversed along axis {axis - 1}"
    return ""


def _thin(found: Counterexample, paths: Sequence[tuple[int, str, Any]]) -> str:
    """A rule that is right at random points: where the counterexample's wrong entries lie."""
    if found.rule.shape != found.true.shape:
        return ""
    leaves = [a for a in jax.tree.leaves(found.arguments) if isinstance(a, np.ndarray)]
    arrays = {path: a for (_, path, _), a in zip(paths, leaves, strict=True)}
    x = arrays.pop(found.path)
    wrong = _wrong(found.rule[None], found.true[None])[0]
    value = x[wrong].flat[0]
    if value == 0 and (x[wrong] == 0).all() and not (x == 0)[~wrong].any():
        return f"right except where {found.path} == 0"
    for name, y in arrays.items():
        if y.shape == x.shape and y.dtype == x.dtype and (x == y)[wrong].all():
            return f"right except where {found.path} == {name}"
    if (x[wrong] == value).all() and not (x == value)[~wrong].any():
        return f"right except where {found.path} == {value:g}"
    return ""


HYPOTHESES = (_factor, _cotangent, _exchanged, _region, _product, _term, _turned)


# --- what may stand in a sentence -----------------------------------------------------------------


def _factors(sizes: dict[str, int]) -> Iterator[tuple[str, Callable[[dict[str, int]], float]]]:
    """Numbers first, then expressions in the sizes."""
    for number in sorted(
        {Fraction(a, b) for a in range(1, 9) for b in range(1, 9)} - {Fraction(1)}
    ):
        yield str(number), lambda s, number=number: float(number)
    names = list(sizes)
    for n in names:
        yield n, lambda s, n=n: s[n]
        yield f"1/{n}", lambda s, n=n: 1 / s[n]
        yield f"sqrt({n})", lambda s, n=n: math.sqrt(s[n])
        yield f"1/sqrt({n})", lambda s, n=n: 1 / math.sqrt(s[n])
        yield f"{n}^2", lambda s, n=n: s[n] ** 2
        yield f"1/{n}^2", lambda s, n=n: 1 / s[n] ** 2
        yield f"({n}-1)/{n}", lambda s, n=n: (s[n] - 1) / s[n]
        yield f"{n}/({n}-1)", lambda s, n=n: s[n] / (s[n] - 1) if s[n] > 1 else math.nan
        yield f"2*{n}", lambda s, n=n: 2 * s[n]
        yield f"{n}/2", lambda s, n=n: s[n] / 2
        yield f"1/(2*{n})", lambda s, n=n: 1 / (2 * s[n])
        yield f"2/{n}", lambda s, n=n: 2 / s[n]
    for n, m in itertools.permutations(names, 2):
        yield f"{n}/{m}", lambda s, n=n, m=m: s[n] / s[m]
        if n < m:
            yield f"{n}*{m}", lambda s, n=n, m=m: s[n] * s[m]
            yield f"1/({n}*{m})", lambda s, n=n, m=m: 1 / (s[n] * s[m])


def _quantities(views: Sequence[View]) -> Iterator[tuple[str, Callable[[View], np.ndarray]]]:
    for name in views[0].named:
        if all(name in v.named for v in views):
            yield name, lambda v, name=name: v.named[name]
    if "output" in views[0].named:
        yield "(1 - output)", lambda v: 1 - v.named["output"]


def _only(views: Sequence[View]) -> str:
    """The sizes at which alone the rule is right."""
    right = [v.sizes for v in views if not _wrong(v.rule, v.true).any()]
    wrong = [v.sizes for v in views if _wrong(v.rule, v.true).any()]
    names = list(views[0].sizes)
    tests: list[tuple[str, Callable[[dict[str, int]], bool]]]
    tests = [(f"{n} = 1", lambda s, n=n: s[n] == 1) for n in names]
    pairs = itertools.combinations(names, 2)
    tests += [(f"{n} = {m}", lambda s, n=n, m=m: s[n] == s[m]) for n, m in pairs]
    for text, test in tests:
        if right and all(map(test, right)) and not any(map(test, wrong)):
            return f"right for {text} only"
    return ""


# --- numbers --------------------------------------------------------------------------------------


def _views(
    f: Any, pullback: Any, domains: tuple[Any, ...], found: Counterexample, constraints: str
) -> Iterator[View]:
    for sizes in samples.assignments(domains, constraints):
        try:
            one = trial.traced(f, pullback, domains, sizes)
        except (TypeError, ValueError):
            continue
        number = next(i for i, real in enumerate(one.reals) if real.path == found.path)
        points = _generic(one)
        outcome = trial.in_numpy(one, points)
        arrays = [*outcome.outs, *outcome.true, outcome.rule[number]]
        rows = np.logical_and.reduce(
            [np.isfinite(a).reshape(len(points), -1).all(-1) for a in arrays if a is not None]
        )
        if rows.any():
            paths = [path for _, path, _ in trial.paths(f, domains)]
            yield _view(one, number, points, outcome, rows, paths)


def _generic(one: Trial) -> list[Point]:
    rng = np.random.default_rng(1)
    drawn = samples.draw(one.leaves, one.sizes, rng, "normal", (), 24)
    outs = [out for out in one.outs if trial.is_real(out)]
    backs = [rng.normal(size=(24, *out.shape)).astype(out.dtype) for out in outs]
    for x, of in zip(drawn, one.leaves, strict=True):
        if of.kind == "real":
            # Rounded values meet by chance; these don't.
            x += np.minimum(samples.room(of, x) / 4, 0.01) * rng.uniform(size=x.shape)
    columns = zip(zip(*drawn, strict=True), zip(*backs, strict=True), strict=True)
    return [Point(tuple(map(np.asarray, a)), tuple(map(np.asarray, c))) for a, c in columns]


def _view(
    one: Trial,
    number: int,
    points: list[Point],
    outcome: Outcome,
    rows: np.ndarray,
    paths: Sequence[str],
) -> View:
    def run(change: Callable[[int, np.ndarray], np.ndarray]) -> Outcome:
        changed = [
            p._replace(cotangent=tuple(change(j, c) for j, c in enumerate(p.cotangent)))
            for p in points
        ]
        return trial.in_numpy(one, changed)

    true, rule = outcome.true[number][rows], outcome.rule[number]
    doubled = run(lambda j, c: 2 * c).rule[number]
    assert rule is not None
    assert doubled is not None
    count = len(outcome.outs)
    without = [run(lambda i, c, j=j: 0 * c if i == j else c) for j in range(count)] * (count > 1)
    named = {r.path: np.stack([p.arrays[r.array] for p in points]) for r in one.reals}
    named = {one.reals[number].path: named.pop(one.reals[number].path), **named}
    cotangents = [np.stack([p.cotangent[j] for p in points]) for j in range(count)]
    suffixes = [str(j) for j in range(count)] if count > 1 else [""]
    named |= {f"cotangent{s}": c for s, c in zip(suffixes, cotangents, strict=True)}
    named |= {f"output{s}": o for s, o in zip(suffixes, outcome.outs, strict=True)}
    fitting = {}
    for name, array in named.items():
        if array.shape == outcome.true[number].shape:
            fitting[name] = array[rows]
        elif array.ndim == 1:
            # A scalar goes with every entry.
            fitting[name] = array[rows].reshape(-1, *(1,) * (true.ndim - 1)) + 0 * true
    others = {
        r.path: outcome.true[i][rows]
        for i, r in enumerate(one.reals)
        if i != number and outcome.true[i].shape == outcome.true[number].shape
    }
    labels = {
        paths[place]: np.stack([p.arrays[place] for p in points])[rows]
        for place, of in enumerate(one.leaves)
        if of.kind == "label"
    }
    rules = (rule[rows], doubled[rows])
    return View(
        one.sizes, rules[0], true, rules[1], fitting,
        tuple(w.true[number][rows] for w in without), others, labels,
    )  # fmt: skip


def _wrong(rule: np.ndarray, true: np.ndarray) -> np.ndarray:
    scale = np.abs(true).reshape(len(true), -1).max(-1).reshape(-1, *(1,) * (true.ndim - 1))
    return ~(np.abs(rule - true) <= 1e-6 * scale + 1e-9)


def _same(a: np.ndarray, b: np.ndarray, scale: np.ndarray | None = None) -> bool:
    if a.shape != b.shape:
        return False
    size = max(float(np.abs(s).max(initial=0)) for s in (a, b, b if scale is None else scale))
    return bool(np.abs(a - b).max(initial=0) <= 1e-7 * size + 1e-10)


def _near(a: float, b: float | int) -> bool:
    return abs(a - b) <= 1e-6 * abs(b)


def _ratio(rule: np.ndarray, true: np.ndarray) -> float | None:
    """The one number that the rule is the truth times, if there is one."""
    ratio = float((rule * true).sum() / (true * true).sum())
    return ratio if _same(rule, ratio * true) and ratio != 0 else None


def _turn(array: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    return np.transpose(array, (0, *axes))
