"""Concrete sizes and concrete arguments that a theorem's domains allow.

Special points are drawn on purpose: zeros, equal entries, ones, the constants that the programs
mention, the ends of an interval. A rule that is wrong on a thin set is wrong there.
"""

import ast
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from purenet.prove import domains as domain
from purenet.prove.domains import Domain

STYLES = (
    "normal", "small integers", "with zeros", "all zeros", "ties", "ones", "constants", "ends",
    "large",
)  # fmt: skip
SPECIAL = frozenset(STYLES) - {"normal", "large", "ends"}
MOST_ASSIGNMENTS = 6


class Shared(NamedTuple):
    """What the arrays of one point have in common: two values for ties, numbers worth a try, and
    whether masks are all True."""

    palette: np.ndarray
    constants: np.ndarray
    plain: np.ndarray


def size(text: str, sizes: Mapping[str, int]) -> int:
    """The number that a size expression stands for.

    >>> size("2*m+1", {"m": 3})
    7
    """
    return sum(
        factor * math.prod(sizes[name] for name in names)
        for names, factor in domain.polynomial(text).items()
    )


def shape(one: Domain, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The concrete shape of a domain's arrays."""
    return tuple(size(text, sizes) for text in one.shape)


def assignments(domains: Any, constraints: str = "") -> list[dict[str, int]]:
    """Concrete sizes to try: all different, all 1, the order turned round, all equal, every other
    one 1. Where the constraints forbid most of these, the smallest that they allow are added.

    Raises:
        ValueError: the constraints can't be read, or no sizes up to 8 satisfy them.
    """
    names = domain.sizes_of(domains)
    allowed = _constraint(constraints, names)
    found = [sizes for sizes in _in_turn(names) if allowed(sizes)]
    if len(found) < min(4, 3 ** len(names)):
        found += _all_up_to(4 if len(names) > 4 else 8, names, allowed)
    unique = list({tuple(sizes.values()): sizes for sizes in found}.values())
    if not unique:
        raise ValueError(f"sizes: {constraints!r} allows no sizes up to 8 of {', '.join(names)}")
    return unique[:MOST_ASSIGNMENTS]


def smaller(domains: Any, constraints: str, than: Mapping[str, int]) -> list[dict[str, int]]:
    """Sizes that are nowhere larger and somewhere smaller, smallest first."""
    names = tuple(than)
    allowed = _constraint(constraints, names)
    ranges = [range(1, min(than[name], 3) + 1) for name in names]
    tuples = sorted(itertools.islice(itertools.product(*ranges), 4096), key=lambda t: (sum(t), t))
    every = (dict(zip(names, t, strict=True)) for t in tuples)
    return [sizes for sizes in every if sizes != dict(than) and allowed(sizes)]


def sample(
    domains: Sequence[Any],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    style: str,
    constants: Sequence[float] = (),
) -> tuple[Any, ...]:
    """Arguments of the domains at the given sizes, as NumPy pytrees, in one of `STYLES`.

    Every real entry lies inside its open domain: where the style asks for a value outside it, the
    nearest kind of value inside is taken. `constants` are numbers worth trying in "constants".
    """
    drawn = draw(domain.leaves(tuple(domains)), sizes, rng, style, constants)
    return fill(tuple(domains), (np.asarray(array[0]) for array in drawn))


def fill(domains: tuple[Any, ...], arrays: Iterator[Any]) -> tuple[Any, ...]:
    """The arguments with the given arrays; static values and functions stand for themselves."""
    given = [next(arrays) if d.is_array else _constant(d) for d in domain.leaves(domains)]
    return jax.tree.unflatten(jax.tree.structure(domains), given)


def draw(
    leaves: Sequence[Domain],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    style: str,
    constants: Sequence[float] = (),
    count: int = 1,
) -> list[np.ndarray]:
    """One array for each domain that is an array, in order; the first axis counts the points."""
    if style not in STYLES:
        raise ValueError(f"style: {style!r} is unknown{domain.nearest(style, STYLES)}")
    shared = Shared(
        rng.integers(-2, 4, (2, count)).astype(float),
        np.asarray(constants, float),
        rng.random(count) < 0.6,
    )
    arrays = [one for one in leaves if one.is_array]
    return [_draw(one, (count, *shape(one, sizes)), sizes, rng, style, shared) for one in arrays]


def inside(one: Domain, x: np.ndarray) -> np.ndarray:
    """Whether each entry of a real array lies in the domain (a distribution: is positive)."""
    if one.kind == "distribution":
        return np.asarray(x > 0)
    within = (one.low < x) & (x < one.high)
    return np.asarray(within & (x != 0) if one.nonzero else within)


def room(one: Domain, x: np.ndarray) -> np.ndarray:
    """How far each entry can move before it leaves the domain."""
    if one.kind == "distribution":
        return x
    ends = np.minimum(x - one.low, one.high - x)
    return np.asarray(np.minimum(ends, np.abs(x)) if one.nonzero else ends)


# --- drawing --------------------------------------------------------------------------------------


def _constant(one: Domain) -> Any:
    if one.kind == "static":
        return one.value
    from purenet.prove.opaque import Opaque

    return Opaque(one.name)


def _draw(
    one: Domain,
    dims: tuple[int, ...],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    style: str,
    shared: Shared,
) -> np.ndarray:
    if one.kind == "boolean":
        # A row without a True is often outside the domain of f: all True is drawn most.
        return _per_point(shared.plain, dims) | (rng.random(dims) < 0.6)
    if one.kind == "label":
        classes = size(one.classes, sizes)
        if style == "ties":
            return np.broadcast_to(_per_point(rng.integers(0, classes, dims[0]), dims), dims).copy()
        return rng.integers(0, classes, dims)
    if one.kind == "distribution":
        return _distribution(dims, rng, style)
    wanted = _proposal(one, dims, rng, style, shared)
    return _fit(one, np.asarray(wanted, float), rng)


def _per_point(values: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    """One value for each point, to be broadcast over its entries."""
    return values.reshape(-1, *(1,) * (len(dims) - 1))


def _proposal(
    one: Domain, dims: tuple[int, ...], rng: np.random.Generator, style: str, shared: Shared
) -> Any:
    if style == "all zeros":
        return np.zeros(dims)
    if style == "ones":
        return np.ones(dims) * _per_point(rng.choice([1.0, 1.0, -1.0], dims[0]), dims)
    if style == "ties":
        first, second = (_per_point(values, dims) for values in shared.palette)
        return np.where(rng.random(dims) < 0.5, first, second)
    if style == "small integers":
        return rng.integers(-3, 4, dims)
    if style == "constants" and shared.constants.size:
        return rng.choice(shared.constants, dims)
    if style == "ends":
        return _near_ends(one, dims, rng)
    if style == "large":
        return rng.normal(size=dims) * _per_point(rng.choice([6.0, 20.0], dims[0]), dims)
    x = rng.normal(size=dims) * _per_point(rng.choice([0.5, 1.5, 3.0], dims[0]), dims)
    x = np.where(np.abs(x) < 0.05, 0.3, np.clip(np.round(x, 2), -4.9, 4.9))
    return np.where(rng.random(dims) < 0.5, 0.0, x) if style == "with zeros" else x


def _near_ends(one: Domain, dims: tuple[int, ...], rng: np.random.Generator) -> Any:
    span = min(one.high - one.low, 1.0)
    ends = [one.low + 0.02 * span] if math.isfinite(one.low) else []
    ends += [one.high - 0.02 * span] if math.isfinite(one.high) else []
    return rng.choice(ends or [-4.5, 4.5], dims)


def _fit(one: Domain, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """x with each entry that lies outside the domain replaced by one inside."""
    low, high = one.low, one.high
    if math.isfinite(low) and math.isfinite(high):
        quarters = rng.integers(1, 8, x.shape) / 8
        wished = low + (high - low) * np.where(x == 0, 0.5, quarters)
    elif math.isfinite(low):
        wished = low + np.where(x == low, 1.0, np.abs(x - low))
    elif math.isfinite(high):
        wished = high - np.where(x == high, 1.0, np.abs(x - high))
    else:
        wished = x
    x = np.where(inside(one, x), x, wished)
    # What is still outside is a zero that the domain excludes.
    return np.where(inside(one, x), x, _some_number(one))


def _some_number(one: Domain) -> float:
    if math.isfinite(one.low) and math.isfinite(one.high):
        return one.low + (one.high - one.low) * 0.375
    if math.isfinite(one.low):
        return one.low + 1.5
    return one.high - 1.5 if math.isfinite(one.high) else 1.0


def _distribution(dims: tuple[int, ...], rng: np.random.Generator, style: str) -> np.ndarray:
    if style in ("ones", "all zeros"):
        weight = np.ones(dims)
    elif style == "normal":
        weight = np.exp(rng.normal(size=dims))
    else:
        weight = rng.integers(1, 4, dims).astype(float)
    return weight / weight.sum(-1, keepdims=True)


# --- sizes ----------------------------------------------------------------------------------------


def _in_turn(names: tuple[str, ...]) -> Iterator[dict[str, int]]:
    k = len(names)
    different = list(range(2, 2 + k))
    columns = [different, [1] * k]
    columns += [[3]] if k == 1 else [different[::-1], [2] * k]
    if k > 1:
        columns += [[1 if i % 2 == half else n for i, n in enumerate(different)] for half in (0, 1)]
    return (dict(zip(names, column, strict=True)) for column in columns)


def _all_up_to(
    most: int, names: tuple[str, ...], allowed: Callable[[Mapping[str, int]], bool]
) -> list[dict[str, int]]:
    every = itertools.islice(itertools.product(range(1, most + 1), repeat=len(names)), 40_000)
    named = (dict(zip(names, column, strict=True)) for column in every)
    return list(itertools.islice(filter(allowed, named), MOST_ASSIGNMENTS))


COMPARISONS: dict[type, Callable[[int, int], bool]] = {
    ast.GtE: operator.ge, ast.LtE: operator.le, ast.Gt: operator.gt, ast.Lt: operator.lt,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
ARITHMETIC: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
CALLS: dict[str, Callable[..., int]] = {
    "mod": operator.mod, "floordiv": operator.floordiv, "max": max, "min": min,
}  # fmt: skip


def _constraint(text: str, names: tuple[str, ...]) -> Callable[[Mapping[str, int]], bool]:
    """Whether sizes satisfy every comparison of a text such as "n >= 2, mod(n, 2) == 0"."""
    if not text.strip():
        return lambda sizes: True
    try:
        body = ast.parse(f"({text},)", mode="eval").body
        comparisons = list(body.elts) if isinstance(body, ast.Tuple) else []
        for comparison in comparisons:
            _holds(comparison, dict.fromkeys(names, 1))
    except (SyntaxError, TypeError, KeyError, ZeroDivisionError):
        raise ValueError(
            f"sizes: {text!r} can't be read; comparisons of {', '.join(names) or 'sizes'} such as "
            '"n >= 2, n >= m" expected'
        ) from None
    return lambda sizes: all(_holds(one, sizes) for one in comparisons)


def _holds(node: ast.expr, sizes: Mapping[str, int]) -> bool:
    if not isinstance(node, ast.Compare):
        raise TypeError(node)
    values = [_number(part, sizes) for part in (node.left, *node.comparators)]
    tests = zip(node.ops, values, values[1:], strict=False)
    return all(COMPARISONS[type(test)](a, b) for test, a, b in tests)


def _number(node: ast.expr, sizes: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name):
            return sizes[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, sizes)
        case ast.BinOp(left=left, op=sign, right=right):
            return ARITHMETIC[type(sign)](_number(left, sizes), _number(right, sizes))
        case ast.Call(func=ast.Name(id=name), args=args):
            return CALLS[name](*(_number(part, sizes) for part in args))
    raise TypeError(node)
