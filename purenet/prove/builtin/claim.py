"""What the tables of this package are made of: a name, and a question that is asked later."""

import functools
from collections.abc import Callable
from typing import Any

from purenet.prove import front
from purenet.prove.theorem import Theorem

# A question still takes `name` and `limit`.
Claim = tuple[str, Callable[..., Theorem]]


def vjp(name: str, f: Callable, pullback: Callable, *domains: Any) -> Claim:
    """Return the claim that `pullback(*args, cotangent)` is Jᵀ cotangent of f."""
    return name, functools.partial(front.vjp, f, pullback, *domains)


def gradient(name: str, f: Callable, grad: Callable, *domains: Any, argnums: Any = 0) -> Claim:
    """Return the claim that `grad(*args)` is ∂f/∂args[argnums] of a scalar f."""
    return name, functools.partial(front.gradient, f, grad, *domains, argnums=argnums)


def equal(name: str, f: Callable, g: Callable, *domains: Any) -> Claim:
    """Return the claim that f and g are the same function of real numbers."""
    return name, functools.partial(front.equal, f, g, *domains)
