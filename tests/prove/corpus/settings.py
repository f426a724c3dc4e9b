"""Cases traced under JAX's own default settings, as their users run them."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import jax

from .case import Case


def as_users_run(cases: Iterable[Case]) -> tuple[Case, ...]:
    """The same cases with implicit promotion of rank and dtype allowed, which the tests forbid."""
    return tuple(c._replace(f=_promoting(c.f), pullback=_promoting(c.pullback)) for c in cases)


def _promoting(f: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(f)
    def promoting(*args: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return f(*args)

    return promoting
