"""A limit on work, so that a proof ends: the caller sets a deadline, the kernel looks at it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))
MOST_TERMS = 4000


class TooLarge(Exception):
    """A term has grown beyond what is sensible, or the time is up."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Inside, the kernel raises `TooLarge` when the time is up."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining() -> float:
    """Seconds until the deadline."""
    return _deadline.get() - time.monotonic()


def check(terms: int) -> None:
    """Called before a product of so many terms is formed."""
    if terms > MOST_TERMS:
        raise TooLarge(f"a product of {terms} terms (the limit is {MOST_TERMS})")
    if time.monotonic() > _deadline.get():
        raise TooLarge("the time limit is reached")
