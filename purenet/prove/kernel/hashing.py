"""Immutable values that are known by a digest of their contents.

Equality, hash and order are those of 16 bytes, and what is found out of a value is kept with it.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")
SIXTEEN = (16).to_bytes(4, "big")


def digest(*parts: object) -> bytes:
    """The contents of a term in 16 bytes."""
    chunks = []
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        chunks += [SIXTEEN if len(data) == 16 else len(data).to_bytes(4, "big"), data]
    return blake2b(b"".join(chunks), digest_size=16).digest()


class computed(Generic[T]):
    """A property that is computed once. That of functools takes a lock until Python 3.12."""

    def __init__(self, function: Callable[[Any], T]):
        """Keep the function, and what it is called."""
        self.function, self.name = function, function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> T: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        """Compute it, and leave it where the next look finds it first."""
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.function(instance)
        return value


class Term(bytes):
    """What terms share: they are their digest, so that equality, hash and order are those of bytes.

    Terms are the keys of almost every mapping here; no Python code runs to compare them.
    """

    @property
    def digest(self) -> bytes:
        """The contents in 16 bytes."""
        return self
