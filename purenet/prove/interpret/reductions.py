"""Reductions, products of matrices, cumulative sums, positions of maxima."""

from collections.abc import Callable
from math import inf
from typing import Any

from purenet.prove.interpret.tensor import Need, Tensor, Unknown, moved, places
from purenet.prove.kernel import algebra, bounds, conditions, sums
from purenet.prove.kernel.bounds import Interval
from purenet.prove.kernel.linear import MINUS_INFINITY, ONE, ZERO, index, number, scale, subtract
from purenet.prove.kernel.terms import Poly, Var


def _along(
    x: Tensor, axes: tuple[int, ...], reduce: Callable[[tuple[Var, ...], Poly], Poly]
) -> Tensor:
    """A reduction: the other axes stay."""
    kept = [a for a in range(len(x.shape)) if a not in axes]
    slots, place = places(tuple(x.shape[a] for a in kept))
    bound = tuple(sums.fresh(x.shape[a]) for a in axes)
    inner: list[Poly] = [ONE] * len(x.shape)
    for axis, entry in zip(kept, place, strict=True):
        inner[axis] = entry
    for axis, var in zip(axes, bound, strict=True):
        inner[axis] = subtract(ONE, ONE) if var.size == ONE else index(var)
    body = reduce(bound, x.at(tuple(inner)))
    needs = moved(x, tuple(inner))
    shape = tuple(x.shape[a] for a in kept)
    return Tensor(shape, x.kind, slots, body, needs, bounds.interval(body))


def reduce_sum(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """Σ over axes."""
    if x.kind == "boolean":
        raise Unknown("reduce_sum of booleans")
    result = _along(x, tuple(int(a) for a in axes), sums.total)
    filled = all(bounds.at_least(x.shape[a], 1) for a in axes)
    if x.range.low >= 0:
        above = x.range.low > 0 or not x.range.low_closed
        if bounds.nonnegative(result.body) and not (above and filled):
            return result
        return result._replace(range=Interval(0, inf, not (above and filled)))
    return result


def reduce_max(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """The largest entry; where entries are masked by -inf, one must be left."""
    if x.kind == "boolean":
        return reduce_or(x, axes=axes)
    if x.kind != "real":
        raise Unknown("the maximum of integers")
    result = _along(x, tuple(int(a) for a in axes), sums.largest)
    masked = MINUS_INFINITY in x.body.factors
    own = x.range if not masked else bounds.ANY
    if masked:
        row = _row(x, tuple(int(a) for a in axes))
        here = tuple(ZERO if v.size == ONE else index(v) for v in result.slots)
        result = result._replace(needs=result.needs | moved(row, here))
    return result._replace(range=Interval(own.low, own.high, own.low_closed, own.high_closed))


def _row(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The need that some entry is not masked: how many are not, is not 0."""
    finite = conditions.piecewise(x.body, lambda p: number(int(MINUS_INFINITY not in p.factors)))
    counted = _along(x._replace(body=finite), axes, sums.total)
    kept = Need("!=", counted.body)
    return counted._replace(needs=frozenset({kept}))


def reduce_min(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """The smallest entry: minus the largest of minus the entries."""
    if x.kind == "boolean":
        return reduce_and(x, axes=axes)
    result = reduce_max(x._replace(body=scale(x.body, -1), range=bounds.ANY), axes=axes)
    return result._replace(body=scale(result.body, -1), range=x.range)


def reduce_prod(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """Π over axes of a few entries."""

    def product(bound: tuple[Var, ...], body: Poly) -> Poly:
        for var in bound:
            size = var.size.constant()
            if size is None or size > 8:
                raise Unknown("a product over a symbolic axis")
            factors = [algebra.substitute(body, {var: number(k)}) for k in range(int(size))]
            body = algebra.multiply(ONE, *factors)
        return body

    return _along(x, tuple(int(a) for a in axes), product)


def reduce_and(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """1 where no entry is 0."""

    def every(bound: tuple[Var, ...], body: Poly) -> Poly:
        return conditions.integer_zero(sums.total(bound, conditions.complement(body)))

    return _along(x, tuple(int(a) for a in axes), every)


def reduce_or(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """1 where an entry is 1."""

    def some(bound: tuple[Var, ...], body: Poly) -> Poly:
        return subtract(ONE, conditions.integer_zero(sums.total(bound, body)))

    return _along(x, tuple(int(a) for a in axes), some)


def argmax(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """Where the largest entry is (the first of equal ones)."""
    return _along(x, tuple(int(a) for a in axes), sums.position)._replace(kind="integer")


def argmin(x: Tensor, *, axes: Any, **_: Any) -> Tensor:
    """Where the smallest entry is."""
    return argmax(x._replace(body=scale(x.body, -1)), axes=axes)


def cumsum(x: Tensor, *, axis: int, reverse: bool, **_: Any) -> Tensor:
    """out[i] = Σ_{j <= i} x[j], or from i on."""
    if x.kind == "boolean":
        raise Unknown("cumsum of booleans")
    slots, place = places(x.shape)
    var = sums.fresh(x.shape[axis])
    inner = tuple(index(var) if a == axis else p for a, p in enumerate(place))
    before = subtract(place[axis], index(var))
    inside = conditions.at_least_zero(scale(before, -1) if reverse else before)
    body = sums.total((var,), algebra.multiply(inside, x.at(inner)))
    return Tensor(x.shape, x.kind, slots, body, moved(x, inner), bounds.interval(body))


def dot_general(x: Tensor, y: Tensor, *, dimension_numbers: Any, **_: Any) -> Tensor:
    """out[batch, i, j] = Σ_k x[batch, i, k] y[batch, j, k]."""
    if x.kind == "boolean":
        raise Unknown("dot_general of booleans")
    (x_sum, y_sum), (x_batch, y_batch) = dimension_numbers
    x_free = [a for a in range(len(x.shape)) if a not in (*x_sum, *x_batch)]
    y_free = [a for a in range(len(y.shape)) if a not in (*y_sum, *y_batch)]
    shape = tuple(
        [x.shape[a] for a in x_batch] + [x.shape[a] for a in x_free] + [y.shape[a] for a in y_free]
    )
    slots, place = places(shape)
    bound = tuple(sums.fresh(x.shape[a]) for a in x_sum)
    summed = tuple(subtract(ONE, ONE) if v.size == ONE else index(v) for v in bound)
    batch, first = len(x_batch), len(x_batch) + len(x_free)
    x_place = _assembled((x_batch, place[:batch]), (x_free, place[batch:first]), (x_sum, summed))
    y_place = _assembled((y_batch, place[:batch]), (y_free, place[first:]), (y_sum, summed))
    body = sums.total(bound, algebra.multiply(x.at(x_place), y.at(y_place)))
    needs = moved(x, x_place) | moved(y, y_place)
    return Tensor(shape, x.kind, slots, body, needs, bounds.interval(body))


def _assembled(*parts: tuple[Any, tuple[Poly, ...]]) -> tuple[Poly, ...]:
    entries = {
        axis: entry for axes, place in parts for axis, entry in zip(axes, place, strict=True)
    }
    return tuple(entries[a] for a in sorted(entries))


RULES: dict[str, Callable[..., Any]] = {
    "reduce_sum": reduce_sum,
    "reduce_prod": reduce_prod,
    "reduce_max": reduce_max,
    "reduce_min": reduce_min,
    "reduce_and": reduce_and,
    "reduce_or": reduce_or,
    "argmax": argmax,
    "argmin": argmin,
    "cumsum": cumsum,
    "dot_general": dot_general,
}
