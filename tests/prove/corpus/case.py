"""One right rule: a function, its hand-written pullback, and the domains of its arguments."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Case(NamedTuple):
    """`pullback(*args, cotangent)` is Jᵀ·cotangent of `f`, claimed for every point of `domains`.

    `source` names the public project whose way of computing is followed (written anew), or is
    empty. `sizes` constrains the sizes, as in `sizes="n >= 2"`.
    """

    name: str
    kind: str
    f: Callable[..., Any]
    pullback: Callable[..., tuple[Any, ...]]
    domains: tuple[Any, ...]
    sizes: str = ""
    source: str = ""
