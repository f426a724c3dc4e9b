"""Primitives that move entries: broadcasts, reshapes, slices, pads, concatenations, iota."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from purenet.prove.interpret.tensor import Need, Tensor, Unknown, moved, places, reindexed, tensor
from purenet.prove.kernel import algebra, bounds, conditions, digits
from purenet.prove.kernel.factors import Size
from purenet.prove.kernel.linear import ONE, ZERO, add, atom, number, scale, subtract
from purenet.prove.kernel.terms import Poly


def kind_of(dtype: Any) -> str:
    """What a dtype stands for."""
    if np.issubdtype(dtype, np.bool_):
        return "boolean"
    if np.issubdtype(dtype, np.integer):
        if np.dtype(dtype) not in (np.dtype(np.int32), np.dtype(np.int64)):
            raise Unknown(f"the dtype {dtype}, which wraps around")
        return "integer"
    if np.issubdtype(dtype, np.floating) or str(dtype) in ("bfloat16", "float16"):
        return "real"
    raise Unknown(f"the dtype {dtype}")


class Dimensions:
    """Symbolic dimensions of JAX as terms; `low` is the least value of each size."""

    def __init__(self, low: dict[str, int]):
        """Keep the least values."""
        self.low = low

    def __call__(self, dim: Any) -> Poly:
        """One dimension."""
        if isinstance(dim, int | np.integer):
            return number(int(dim))
        return self._read(ast.parse(str(dim).replace("^", "**"), mode="eval").body)

    def shape(self, dims: Sequence[Any]) -> tuple[Poly, ...]:
        """Several dimensions."""
        return tuple(self(d) for d in dims)

    def _read(self, node: ast.expr) -> Poly:
        if isinstance(node, ast.Name):
            return atom(Size(node.id, self.low.get(node.id, 1)))
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return number(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return scale(self._read(node.operand), -1)
        if isinstance(node, ast.BinOp):
            left, right = self._read(node.left), self._read(node.right)
            if isinstance(node.op, ast.Add):
                return add(left, right)
            if isinstance(node.op, ast.Sub):
                return subtract(left, right)
            if isinstance(node.op, ast.Mult):
                return algebra.multiply(left, right)
            if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
                return algebra.power(left, int(str(node.right.value)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "mod":
            shift, size = map(self._read, node.args)
            if shift == number(-1):
                return subtract(size, ONE)
        raise Unknown(f"the size {ast.unparse(node)}")


def broadcast_in_dim(
    x: Tensor, *_: Any, dims: Dimensions, shape: Any, broadcast_dimensions: Any, **__: Any
) -> Tensor:
    """Each axis of x at its place; axes of size 1 are repeated."""
    return reindexed(x, dims.shape(shape), lambda p: tuple(p[d] for d in broadcast_dimensions))


def transpose(x: Tensor, *, permutation: Any, **_: Any) -> Tensor:
    """out[i_perm] = x[i]."""
    shape = tuple(x.shape[p] for p in permutation)
    inverse = [permutation.index(a) for a in range(len(permutation))]
    return reindexed(x, shape, lambda p: tuple(p[a] for a in inverse))


def squeeze(x: Tensor, *, dimensions: Any, **_: Any) -> Tensor:
    """Axes of size 1 dropped."""
    kept = [a for a in range(len(x.shape)) if a not in dimensions]

    def where(place: tuple[Poly, ...]) -> tuple[Poly, ...]:
        inner: list[Poly] = [ZERO] * len(x.shape)
        for axis, entry in zip(kept, place, strict=True):
            inner[axis] = entry
        return tuple(inner)

    return reindexed(x, tuple(x.shape[a] for a in kept), where)


def expand_dims(x: Tensor, *, dimensions: Any, **_: Any) -> Tensor:
    """Axes of size 1 added."""
    rank = len(x.shape) + len(dimensions)
    kept = [a for a in range(rank) if a not in dimensions]
    shape = [ONE] * rank
    for axis, size in zip(kept, x.shape, strict=True):
        shape[axis] = size
    return reindexed(x, tuple(shape), lambda p: tuple(p[a] for a in kept))


def reshape(
    x: Tensor, *_: Any, dims: Dimensions, new_sizes: Any, dimensions: Any, **__: Any
) -> Tensor:
    """Row-major order kept: axes of size 1 come and go, neighbours merge or split."""
    if dimensions is not None:
        raise Unknown("reshape with dimensions")
    new = dims.shape(new_sizes)
    groups = _groups(list(x.shape), list(new))

    def where(place: tuple[Poly, ...]) -> tuple[Poly, ...]:
        inner: list[Poly] = [ZERO] * len(x.shape)
        for old_axes, new_axes in groups:
            _refill(inner, x.shape, old_axes, [(place[a], new[a]) for a in new_axes])
        return tuple(inner)

    return reindexed(x, new, where)


def _groups(old: list[Poly], new: list[Poly]) -> list[tuple[list[int], list[int]]]:
    """Runs of axes with equal products on both sides."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i < len(old) and old[i] == ONE:
            groups.append(([i], []))
            i += 1
            continue
        if j < len(new) and new[j] == ONE:
            groups.append(([], [j]))
            j += 1
            continue
        left, right = [i], [j]
        i, j = i + 1, j + 1
        while (a := _product(old, left)) != (b := _product(new, right)):
            if j < len(new) and (i >= len(old) or not _divides(a, b)):
                right, j = [*right, j], j + 1
            elif i < len(old):
                left, i = [*left, i], i + 1
            else:
                raise Unknown("a reshape between sizes that are not products of each other")
        groups.append((left, right))
    return groups


def _product(sizes: list[Poly], axes: list[int]) -> Poly:
    return algebra.multiply(*(sizes[k] for k in axes))


def _divides(small: Poly, large: Poly) -> bool:
    quotient = algebra.multiply(large, algebra.power(small, -1)).single()
    return quotient is not None and all(e > 0 for _, e in quotient[0])


def _refill(
    inner: list[Poly], shape: tuple[Poly, ...], old_axes: list[int], new: list[tuple[Poly, Poly]]
) -> None:
    """The old indices of one group from the new ones."""
    if not old_axes or not new:
        return
    flat = ZERO
    for entry, size in new:
        flat = add(algebra.multiply(flat, size), entry)
    _split(inner, [(a, shape[a]) for a in old_axes], flat)


def _split(inner: list[Poly], axes: list[tuple[int, Poly]], flat: Poly) -> None:
    """Digits of a flat index in the mixed radix of the sizes, where it is written in them."""
    for axis, size in reversed(axes[1:]):
        inner[axis] = digits.remainder(flat, size)
        flat = digits.quotient(flat, size)
    inner[axes[0][0]] = flat


def concatenate(*parts: Tensor, dimension: int, **_: Any) -> Tensor:
    """Parts one after another: each where its range is."""
    starts = [ZERO]
    for part in parts:
        starts.append(add(starts[-1], part.shape[dimension]))
    shape = tuple(starts[-1] if a == dimension else s for a, s in enumerate(parts[0].shape))
    slots, place = places(shape)
    body, needs = [], frozenset[Need]()
    for part, start, end in zip(parts, starts, starts[1:], strict=False):
        here = place[dimension]
        inner = tuple(subtract(p, start) if a == dimension else p for a, p in enumerate(place))
        if part.shape[dimension] == ONE:
            inside = conditions.integer_zero(subtract(here, start))
            inner = tuple(ZERO if a == dimension else p for a, p in enumerate(place))
        else:
            inside = algebra.multiply(
                conditions.at_least_zero(subtract(here, start)),
                conditions.at_least_zero(subtract(subtract(end, ONE), here)),
            )
        body.append(algebra.multiply(inside, part.at(inner)))
        needs |= moved(part, inner)
    return Tensor(shape, parts[0].kind, slots, add(*body), needs, bounds.interval(add(*body)))


def stack(*parts: Tensor, axis: int = 0, **_: Any) -> Tensor:
    """Parts side by side along a new axis."""
    return concatenate(*(expand_dims(p, dimensions=(axis,)) for p in parts), dimension=axis)


def slice_(
    x: Tensor, *, dims: Dimensions, start_indices: Any, limit_indices: Any, strides: Any, **_: Any
) -> Tensor:
    """out[i] = x[start + stride · i]."""
    steps = strides or (1,) * len(x.shape)
    starts = dims.shape(start_indices)
    lengths = []
    for start, limit, step in zip(start_indices, limit_indices, steps, strict=True):
        span = subtract(dims(limit), dims(start))
        if step != 1:
            whole = span.constant()
            if whole is None:
                raise Unknown("a slice with a stride over a symbolic axis")
            span = number(-(-int(whole) // step))
        lengths.append(span)
    return reindexed(
        x,
        tuple(lengths),
        lambda p: tuple(
            add(s, scale(i, step)) for s, i, step in zip(starts, p, steps, strict=True)
        ),
    )


def pad(x: Tensor, filler: Tensor, *, dims: Dimensions, padding_config: Any, **_: Any) -> Tensor:
    """x inside, the filler around it; a negative padding cuts."""
    config = [(dims(low), dims(high), inner) for low, high, inner in padding_config]
    if any(isinstance(inner, int) and inner != 0 for _, _, inner in config):
        raise Unknown("pad with interior padding")
    shape = tuple(add(s, low, high) for s, (low, high, _) in zip(x.shape, config, strict=True))
    slots, place = places(shape)
    inner = tuple(subtract(p, low) for p, (low, _, _) in zip(place, config, strict=True))
    inside = algebra.multiply(
        *(
            algebra.multiply(
                conditions.at_least_zero(i),
                conditions.at_least_zero(subtract(subtract(s, ONE), i)),
            )
            for i, s in zip(inner, x.shape, strict=True)
        )
    )
    inner = tuple(ZERO if s == ONE else i for i, s in zip(inner, x.shape, strict=True))
    body = algebra.multiply(inside, x.at(inner))
    if not filler.body.is_zero:
        body = add(body, algebra.multiply(subtract(ONE, inside), filler.body))
    return Tensor(shape, x.kind, slots, body, moved(x, inner), bounds.interval(body))


def rev(x: Tensor, *, dimensions: Any, **_: Any) -> Tensor:
    """Axes read from the end."""
    return reindexed(
        x,
        x.shape,
        lambda p: tuple(
            subtract(subtract(s, ONE), i) if a in dimensions else i
            for a, (i, s) in enumerate(zip(p, x.shape, strict=True))
        ),
    )


def iota(*_: Any, dims: Dimensions, shape: Any, dimension: int, dtype: Any, **__: Any) -> Tensor:
    """The index along one axis."""
    return tensor(dims.shape(shape), kind_of(dtype), lambda p: p[dimension])


def dim_as_value(*_: Any, dims: Dimensions, dim: Any, **__: Any) -> Tensor:
    """A size as a number."""
    return tensor((), "integer", lambda _: dims(dim))


def split(x: Tensor, *, dims: Dimensions, sizes: Any, axis: int, **_: Any) -> list[Tensor]:
    """Consecutive pieces of an axis."""
    pieces, start = [], ZERO
    for size in dims.shape(sizes):
        shape = tuple(size if a == axis else s for a, s in enumerate(x.shape))
        pieces.append(_piece(x, shape, axis, start))
        start = add(start, size)
    return pieces


def _piece(x: Tensor, shape: tuple[Poly, ...], axis: int, start: Poly) -> Tensor:
    return reindexed(
        x, shape, lambda p: tuple(add(i, start) if a == axis else i for a, i in enumerate(p))
    )


RULES: dict[str, Callable[..., Any]] = {
    "broadcast_in_dim": broadcast_in_dim,
    "transpose": transpose,
    "squeeze": squeeze,
    "expand_dims": expand_dims,
    "reshape": reshape,
    "concatenate": concatenate,
    "stack": stack,
    "slice": slice_,
    "pad": pad,
    "rev": rev,
    "iota": iota,
    "dim_as_value": dim_as_value,
    "split": split,
}
