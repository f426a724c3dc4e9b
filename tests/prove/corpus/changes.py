"""What replaces one equation: a function of `bind`, which computes it rightly, and its operands."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax.numpy as jnp
from jax import lax

from .program import Bind, Change, Equation


def operand(number: int, sign: int = 1) -> Change:
    def change(bind: Bind, x: Sequence[Any]) -> list[Any]:
        kept = x[number] if sign == 1 else -x[number]
        return [jnp.broadcast_to(kept, jnp.broadcast_shapes(*(v.shape for v in x)))]

    return change


def applied(function: Callable[..., Any]) -> Change:
    return lambda bind, x: [function(*(jnp.broadcast_arrays(*x) if len(x) > 1 else x))]


def reversed_operands(bind: Bind, x: Sequence[Any]) -> list[Any]:
    return bind(*x[::-1])


def reduced(function: Callable[..., Any], eqn: Equation) -> Change:
    return lambda bind, x: [function(x[0], axis=tuple(eqn.params["axes"]))]


def turned(number: int, a: int, b: int) -> Change:
    return lambda bind, x: bind(
        *(jnp.swapaxes(v, a, b) if i == number else v for i, v in enumerate(x))
    )


def divided(axes: Sequence[int]) -> Change:
    def change(bind: Bind, x: Sequence[Any]) -> list[Any]:
        (result,) = bind(*x)
        size = prod(x[0].shape[a] for a in axes)
        return [result / jnp.asarray(size, result.dtype)]

    return change


def literal(number: int, value: float) -> Change:
    return lambda bind, x: bind(
        *(jnp.asarray(value, v.dtype) if i == number else v for i, v in enumerate(x))
    )


def mirrored(axis: int, from_start: bool) -> Change:
    def change(bind: Bind, x: Sequence[Any]) -> list[Any]:
        (part,) = bind(*x)
        size, length = x[0].shape[axis], part.shape[axis]
        start = size - length if from_start else 0
        return [lax.slice_in_dim(x[0], start, start + length, axis=axis)]

    return change


def plus(c: float) -> Change:
    return lambda bind, x: [bind(*x)[0] + c]


def spread(b: int, user: Equation, a: int) -> Change:
    shape = user.params["shape"]
    kept = tuple(i for i in range(len(shape)) if i != b)

    def change(bind: Bind, x: Sequence[Any]) -> list[Any]:
        if shape[a] != 1:
            return bind(*x, broadcast_dimensions=kept)
        return [lax.expand_dims(x[0], (b,))]

    return change
