"""Traced programs run in NumPy: no compilation, which is most of the time of a short run.

A primitive without an entry in the tables runs in JAX. What is found this way is confirmed by JAX
itself before anyone sees it.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from purenet.prove.opaque import stand_in
from purenet.prove.plain import called
from purenet.prove.scans import divided

Observer = Callable[[Any, list[np.ndarray], list[np.ndarray]], None]


def evaluate(program: ClosedJaxpr, *values: Any, observe: Observer | None = None) -> list[Any]:
    """The outputs of a traced program as NumPy arrays; `observe(eqn, inputs, outputs)` sees each
    equation that is not a mere call."""
    with np.errstate(all="ignore"):
        return _run(program.jaxpr, program.consts, values, observe)


def _run(jaxpr: Jaxpr, consts: Any, values: Any, observe: Observer | None) -> list[Any]:
    known = dict(zip(jaxpr.constvars, map(np.asarray, consts), strict=True))
    known.update(zip(jaxpr.invars, values, strict=True))

    def read(atom: Any) -> Any:
        if isinstance(atom, Literal):
            return np.asarray(atom.val, atom.aval.dtype)  # type: ignore[attr-defined]
        return known[atom]

    for eqn in jaxpr.eqns:
        outs = _apply(eqn, [read(v) for v in eqn.invars], observe)
        known.update(zip(eqn.outvars, outs, strict=True))
    return [np.asarray(read(v)) for v in jaxpr.outvars]


def _apply(eqn: Any, values: list[Any], observe: Observer | None) -> list[Any]:
    name = eqn.primitive.name
    inner = called(eqn)
    if inner is not None:
        return _run(inner.jaxpr, inner.consts, values, observe)
    if name in CONTROL:
        return CONTROL[name](eqn.params, values, observe)
    if name in ELEMENTWISE:
        outs = [ELEMENTWISE[name](*values)]
    elif name in ARRAYS:
        outs = [ARRAYS[name](eqn.params, *values)]
    elif name in PARTS:
        outs = PARTS[name](eqn.params, *values)
    else:
        outs = _in_jax(eqn, values)
    if observe is not None:
        observe(eqn, values, outs)
    return outs


def _in_jax(eqn: Any, values: list[Any]) -> list[Any]:
    params = eqn.primitive.get_bind_params(eqn.params)
    outs = eqn.primitive.bind(*map(jax.numpy.asarray, values), **params)
    return [np.asarray(out) for out in (outs if eqn.primitive.multiple_results else [outs])]


# --- control flow ---------------------------------------------------------------------------------


def _scan(params: dict[str, Any], values: list[Any], observe: Observer | None) -> list[Any]:
    (n_consts, n_carry), program = divided(params), params["jaxpr"]
    consts, carry = values[:n_consts], list(values[n_consts : n_consts + n_carry])
    stacked, rows = values[n_consts + n_carry :], []
    steps = range(params["length"])
    for i in reversed(steps) if params["reverse"] else steps:
        slices = [xs[i] for xs in stacked]
        outs = _run(program.jaxpr, program.consts, [*consts, *carry, *slices], observe)
        carry = outs[:n_carry]
        rows.append(outs[n_carry:])
    if params["reverse"]:
        rows.reverse()
    avals = program.jaxpr.outvars[n_carry:]
    empty = [np.zeros((0, *v.aval.shape), v.aval.dtype) for v in avals]
    return carry + ([np.stack(column) for column in zip(*rows, strict=True)] if rows else empty)


def _while(params: dict[str, Any], values: list[Any], observe: Observer | None) -> list[Any]:
    test, body = params["cond_jaxpr"], params["body_jaxpr"]
    n_test, n_body = params["cond_nconsts"], params["body_nconsts"]
    for_test, for_body = values[:n_test], values[n_test : n_test + n_body]
    carry = values[n_test + n_body :]
    while _run(test.jaxpr, test.consts, [*for_test, *carry], observe)[0]:
        carry = _run(body.jaxpr, body.consts, [*for_body, *carry], observe)
    return carry


def _cond(params: dict[str, Any], values: list[Any], observe: Observer | None) -> list[Any]:
    branches = params["branches"]
    branch = branches[int(np.clip(values[0], 0, len(branches) - 1))]
    return _run(branch.jaxpr, branch.consts, values[1:], observe)


CONTROL = {"scan": _scan, "while": _while, "cond": _cond}


# --- elementwise ----------------------------------------------------------------------------------


def _logistic(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


def _select(which: Any, *cases: Any) -> Any:
    if which.dtype == np.bool_:
        return np.where(which, cases[1], cases[0])
    return np.choose(which, cases)


def _div(x: Any, y: Any) -> Any:
    # The quotient of integers is cut towards zero; a division by zero has no meaning here.
    return x / y if x.dtype.kind == "f" else (np.sign(x) * np.sign(y)) * (abs(x) // np.abs(y))


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    return np.vectorize(function, otypes=[np.float64])


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "add_any": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": _div,
    "rem": np.fmod,
    "neg": np.negative,
    "sign": np.sign,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "logistic": _logistic,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": _each(math.erf),
    "erfc": _each(math.erfc),
    "floor": np.floor,
    "ceil": np.ceil,
    "is_finite": np.isfinite,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "select_n": _select,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
    "stop_gradient": lambda x: x,
    "copy": lambda x: x,
}


# --- arrays ---------------------------------------------------------------------------------------


def _broadcast(p: dict[str, Any], x: Any) -> Any:
    shape = [1] * len(p["shape"])
    for axis, size in zip(p["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = size
    return np.broadcast_to(x.reshape(shape), p["shape"])


def _pad(p: dict[str, Any], x: Any, value: Any) -> Any:
    config = p["padding_config"]
    inside = [n + max(n - 1, 0) * gap for n, (_, _, gap) in zip(x.shape, config, strict=True)]
    spread = np.full(inside, value, x.dtype)
    spread[tuple(slice(None, None, gap + 1) for _, _, gap in config)] = x
    wide = np.pad(spread, [(max(a, 0), max(b, 0)) for a, b, _ in config], constant_values=value)
    cut = zip(config, wide.shape, strict=True)
    return wide[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b, _), n in cut)]


def _iota(p: dict[str, Any]) -> Any:
    shape = [1] * len(p["shape"])
    shape[p["dimension"]] = -1
    counts = np.arange(p["shape"][p["dimension"]], dtype=p["dtype"])
    return np.broadcast_to(counts.reshape(shape), p["shape"])


def _dot(p: dict[str, Any], x: Any, y: Any) -> Any:
    (x_sum, y_sum), (x_batch, y_batch) = p["dimension_numbers"]
    x_axes, y_axes = list(range(x.ndim)), list(range(x.ndim, x.ndim + y.ndim))
    for i, j in zip((*x_sum, *x_batch), (*y_sum, *y_batch), strict=True):
        y_axes[j] = x_axes[i]
    kept = [x_axes[i] for i in x_batch]
    kept += [a for i, a in enumerate(x_axes) if i not in x_sum and i not in x_batch]
    kept += [a for j, a in enumerate(y_axes) if j not in y_sum and j not in y_batch]
    return np.einsum(x, x_axes, y, y_axes, kept)


def _running(function: Any) -> Callable[..., Any]:
    def accumulate(p: dict[str, Any], x: Any) -> Any:
        axis = p["axis"]
        if p["reverse"]:
            return np.flip(function.accumulate(np.flip(x, axis), axis), axis)
        return function.accumulate(x, axis)

    return accumulate


def _position(function: Any) -> Callable[..., Any]:
    return lambda p, x: function(x, axis=p["axes"][0]).astype(p["index_dtype"])


def _slice(p: dict[str, Any], x: Any) -> Any:
    steps = p["strides"] or (1,) * x.ndim
    return x[tuple(map(slice, p["start_indices"], p["limit_indices"], steps))]


def _windows(
    starts: Any, shape: Any, sizes: Any, moved: Any, counted: Any, clip: bool
) -> tuple[tuple[Any, ...], Any]:
    """One index array per axis of an operand of `shape`, over (batch axes, window axes), and which
    windows lie inside. `moved`: the axes that `starts` moves; `counted`: axis -> batch axis."""
    batch = starts.shape[:-1]
    windows = [axis for axis in range(len(shape)) if sizes[axis] is not None]
    rank = len(batch) + len(windows)
    index, inside = [], np.ones(batch, bool)
    for axis, n in enumerate(shape):
        size = 1 if sizes[axis] is None else sizes[axis]
        start = np.zeros(batch, np.int64)
        if axis in moved:
            start = starts[..., moved.index(axis)].astype(np.int64)
        elif axis in counted:
            start = _iota({"shape": batch, "dimension": counted[axis], "dtype": np.int64})
        if clip:
            start = np.clip(start, 0, n - size)
        inside &= (start >= 0) & (start <= n - size)
        steps = np.zeros((1,) * rank, np.int64)
        if sizes[axis] is not None:
            steps = np.arange(size).reshape(
                [-1 if k == len(batch) + windows.index(axis) else 1 for k in range(rank)]
            )
        start = np.clip(start, 0, n - size).reshape(batch + (1,) * len(windows))
        index.append(start + steps)
    return tuple(index), inside.reshape(batch + (1,) * len(windows))


def _gather(p: dict[str, Any], x: Any, starts: Any) -> Any:
    d = p["dimension_numbers"]
    hidden = (*d.collapsed_slice_dims, *d.operand_batching_dims)
    sizes = [None if axis in hidden else n for axis, n in enumerate(p["slice_sizes"])]
    counted = dict(zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True))
    clip = "clip" in str(p["mode"]).lower()
    index, inside = _windows(starts, x.shape, sizes, d.start_index_map, counted, clip)
    fill = p.get("fill_value")
    if fill is None:
        fill = np.nan if x.dtype.kind == "f" else 0
    picked = np.where(inside, x[index], np.asarray(fill, x.dtype))
    n = starts.ndim - 1
    return np.moveaxis(picked, range(n, picked.ndim), d.offset_dims)


def _scatter(add: bool) -> Callable[..., Any]:
    def scatter(p: dict[str, Any], x: Any, starts: Any, updates: Any) -> Any:
        d = p["dimension_numbers"]
        hidden = (*d.inserted_window_dims, *d.operand_batching_dims)
        widths = iter([updates.shape[axis] for axis in d.update_window_dims])
        sizes = [None if axis in hidden else next(widths) for axis in range(x.ndim)]
        counted = dict(zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True))
        clip = "clip" in str(p["mode"]).lower()
        moved = d.scatter_dims_to_operand_dims
        index, inside = _windows(starts, x.shape, sizes, moved, counted, clip)
        n = starts.ndim - 1
        updates = np.moveaxis(updates, d.update_window_dims, range(n, updates.ndim))
        keep = np.broadcast_to(inside, updates.shape)
        index = tuple(np.broadcast_to(i, updates.shape)[keep] for i in index)
        out = np.array(x)
        if add:
            np.add.at(out, index, updates[keep])
        else:
            out[index] = updates[keep]
        return out

    return scatter


def _opaque(p: dict[str, Any], x: Any) -> Any:
    return stand_in(x, **p, by=np)


def _reduced(function: Any) -> Callable[..., Any]:
    return lambda p, x: function(x, axis=tuple(p["axes"]))


ARRAYS: dict[str, Callable[..., Any]] = {
    "integer_pow": lambda p, x: np.power(x, float(p["y"]) if x.dtype.kind == "f" else p["y"]),
    "convert_element_type": lambda p, x: x.astype(p["new_dtype"]),
    "round": lambda p, x: (
        np.rint(x) if int(p["rounding_method"]) else np.sign(x) * np.floor(np.abs(x) + 0.5)
    ),
    "broadcast_in_dim": _broadcast,
    "reshape": lambda p, x: x.reshape(p["new_sizes"]),
    "transpose": lambda p, x: np.transpose(x, p["permutation"]),
    "squeeze": lambda p, x: np.squeeze(x, tuple(p["dimensions"])),
    "expand_dims": lambda p, x: np.expand_dims(x, tuple(p["dimensions"])),
    "rev": lambda p, x: np.flip(x, p["dimensions"]),
    "concatenate": lambda p, *xs: np.concatenate(xs, axis=p["dimension"]),
    "stack": lambda p, *xs: np.stack(xs, axis=p["axis"]),
    "slice": _slice,
    "pad": _pad,
    "iota": _iota,
    "dot_general": _dot,
    "reduce_sum": _reduced(np.sum),
    "reduce_prod": _reduced(np.prod),
    "reduce_max": _reduced(np.max),
    "reduce_min": _reduced(np.min),
    "reduce_and": _reduced(np.all),
    "reduce_or": _reduced(np.any),
    "argmax": _position(np.argmax),
    "argmin": _position(np.argmin),
    "cumsum": _running(np.add),
    "cumprod": _running(np.multiply),
    "cummax": _running(np.maximum),
    "cummin": _running(np.minimum),
    "gather": _gather,
    "scatter-add": _scatter(add=True),
    "scatter": _scatter(add=False),
    "opaque": _opaque,
}

PARTS: dict[str, Callable[..., list[np.ndarray]]] = {
    "split": lambda p, x: np.split(x, np.cumsum(p["sizes"])[:-1], axis=p["axis"]),
    "unstack": lambda p, x: list(np.moveaxis(x, p["axis"], 0)),
    "optimization_barrier": lambda p, *xs: list(xs),
}
