"""Entries at integer places that are values: gather, scatter, dynamic slices."""

from collections.abc import Callable
from typing import Any

from purenet.prove.interpret.shapes import Dimensions
from purenet.prove.interpret.tensor import Tensor, Unknown, moved, places
from purenet.prove.kernel import algebra, bounds, conditions, sums
from purenet.prove.kernel.linear import ONE, ZERO, add, index, number, subtract
from purenet.prove.kernel.terms import Poly


def gather(
    x: Tensor,
    at: Tensor,
    *,
    dims: Dimensions,
    dimension_numbers: Any,
    slice_sizes: Any,
    mode: Any,
    fill_value: Any = None,
    **_: Any,
) -> Tensor:
    """out[batch, offset] = x[start(batch) + offset]; starts outside follow `mode`."""
    numbers = dimension_numbers
    sizes = dims.shape(slice_sizes)
    collapsed = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    windows = [a for a in range(len(x.shape)) if a not in collapsed]
    batch_rank = len(at.shape) - 1
    rank = batch_rank + len(numbers.offset_dims)
    batch_axes = [a for a in range(rank) if a not in numbers.offset_dims]
    shape: list[Poly] = [ONE] * rank
    for axis, size in zip(batch_axes, at.shape[:-1], strict=True):
        shape[axis] = size
    for axis, window in zip(numbers.offset_dims, windows, strict=True):
        shape[axis] = sizes[window]
    slots, place = places(tuple(shape))
    batch = tuple(place[a] for a in batch_axes)
    inner: list[Poly] = [ZERO] * len(x.shape)
    for axis, window in zip(numbers.offset_dims, windows, strict=True):
        inner[window] = place[axis]
    for axis, source in zip(
        numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True
    ):
        inner[axis] = batch[source]
    for position, axis in enumerate(numbers.start_index_map):
        start = _start(at, batch, position, subtract(x.shape[axis], sizes[axis]), str(mode))
        inner[axis] = add(inner[axis], start)
    inner = [ZERO if s == ONE else i for i, s in zip(inner, x.shape, strict=True)]
    body = conditions.piecewise_index(tuple(inner), x.at)
    needs = moved(x, tuple(inner)) | moved(at, (*batch, ZERO))
    return Tensor(tuple(shape), x.kind, slots, body, needs, x.range)


def _start(at: Tensor, batch: tuple[Poly, ...], position: int, last: Poly, mode: str) -> Poly:
    """A start index, where it is known to be inside; clipping is then without effect."""
    where = ZERO if at.shape[-1] == ONE else number(position)
    start = at.at((*batch, where))
    inside = bounds.at_least(start, 0) and bounds.at_least(subtract(last, start), 0)
    if not inside and _pieces_inside(start, last):
        return start
    if not inside and "PROMISE_IN_BOUNDS" not in mode:
        raise Unknown("gather at an index that may be outside")
    if not inside:
        raise Unknown("gather at an index that is only promised to be inside")
    return start


def _pieces_inside(start: Poly, last: Poly) -> bool:
    """Every piece of an index in pieces is inside."""
    outside = conditions.piecewise(
        start,
        lambda p: ZERO if bounds.at_least(p, 0) and bounds.at_least(subtract(last, p), 0) else ONE,
    )
    return outside.is_zero


def scatter_add(
    x: Tensor, at: Tensor, updates: Tensor, *, dims: Dimensions, dimension_numbers: Any, **_: Any
) -> Tensor:
    """out[i] = x[i] + Σ over updates of [its place is i] update."""
    numbers = dimension_numbers
    windows = [
        a
        for a in range(len(x.shape))
        if a not in (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    ]
    batch_axes = [a for a in range(len(updates.shape)) if a not in numbers.update_window_dims]
    bound = tuple(sums.fresh(s) for s in updates.shape)
    update_place = tuple(ZERO if v.size == ONE else index(v) for v in bound)
    batch = tuple(update_place[a] for a in batch_axes)
    slots, place = places(x.shape)
    target: list[Poly] = [ZERO] * len(x.shape)
    for axis, window in zip(numbers.update_window_dims, windows, strict=True):
        target[window] = update_place[axis]
    for axis, source in zip(
        numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True
    ):
        target[axis] = batch[source]
    for position, axis in enumerate(numbers.scatter_dims_to_operand_dims):
        width = (
            ONE
            if axis not in windows
            else updates.shape[numbers.update_window_dims[windows.index(axis)]]
        )
        start = _start(at, batch, position, subtract(x.shape[axis], width), "scatter")
        target[axis] = add(target[axis], start)
    here = algebra.multiply(
        *(
            conditions.integer_zero(subtract(t, p))
            for t, p, s in zip(target, place, x.shape, strict=True)
            if s != ONE
        ),
    )
    added = sums.total(bound, algebra.multiply(here, updates.at(update_place)))
    body = add(x.at(place), added)
    needs = moved(x, place) | moved(updates, update_place)
    return Tensor(x.shape, x.kind, slots, body, needs, bounds.interval(body))


def scatter(
    x: Tensor, at: Tensor, updates: Tensor, *, dims: Dimensions, dimension_numbers: Any, **_: Any
) -> Tensor:
    """out = x with entries replaced; the places must be seen to be distinct."""
    if not _distinct(at, dimension_numbers):
        raise Unknown("scatter that may write one place twice")
    ones = updates._replace(body=ONE, needs=frozenset())
    zeros = x._replace(body=ZERO, needs=frozenset())
    numbers = {"dims": dims, "dimension_numbers": dimension_numbers}
    written = scatter_add(zeros, at, updates, **numbers)
    mask = scatter_add(zeros, at, ones, **numbers)
    slots, place = places(x.shape)
    kept = algebra.multiply(conditions.complement(mask.at(place)), x.at(place))
    body = add(kept, written.at(place))
    return Tensor(
        x.shape, x.kind, slots, body, moved(x, place) | written.needs, bounds.interval(body)
    )


def _distinct(at: Tensor, numbers: Any) -> bool:
    """Every batch index is itself a part of the place, so no place comes twice."""
    slots, place = places(at.shape)
    count = at.shape[-1].constant()
    batching = {place[a] for a in numbers.scatter_indices_batching_dims}
    parts = {at.at((*place[:-1], number(k))) for k in range(int(count or 0))} | batching
    if count == 1:
        parts |= {at.at((*place[:-1], ZERO))}
    return all(p in parts for p, v in zip(place[:-1], slots, strict=False) if v.size != ONE)


def dynamic_slice(
    x: Tensor, *starts: Tensor, dims: Dimensions, slice_sizes: Any, **_: Any
) -> Tensor:
    """out[i] = x[start + i]; JAX clips the start, which must be without effect here."""
    sizes = dims.shape(slice_sizes)
    offsets = []
    for start, size, whole in zip(starts, sizes, x.shape, strict=True):
        last = subtract(whole, size)
        if not (bounds.at_least(start.body, 0) and bounds.at_least(subtract(last, start.body), 0)):
            raise Unknown("dynamic_slice that may be clipped")
        offsets.append(start.body)
    slots, place = places(sizes)
    inner = tuple(add(o, p) for o, p in zip(offsets, place, strict=True))
    inner = tuple(ZERO if s == ONE else i for i, s in zip(inner, x.shape, strict=True))
    return Tensor(sizes, x.kind, slots, x.at(inner), moved(x, inner), x.range)


RULES: dict[str, Callable[..., Any]] = {
    "gather": gather,
    "scatter-add": scatter_add,
    "scatter_add": scatter_add,
    "scatter": scatter,
    "dynamic_slice": dynamic_slice,
}
