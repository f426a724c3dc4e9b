"""The map x ↦ (x − offset) / scale in front of a network, as a value.

`purenet.network.scaled` applies it, beside its pullback. This module needs no JAX, as all that
reads data: the command line reads them while JAX is imported.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64


@runtime_checkable
class AnyArray(Protocol):
    """An array, of NumPy or of JAX."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Return it as NumPy's."""


Numbers = float | int | Sequence[float | int] | AnyArray


@dataclasses.dataclass(frozen=True)
class InputScaling:
    """The map x ↦ (x − offset) / scale in front of a network.

    Each is one number, or a tuple with a number per feature. Pixels: `InputScaling(0.0, 255.0)`.

    Raises:
        ValueError: a number is not finite, or a scale is 0.
    """

    offset: Numbers = 0.0
    scale: Numbers = 1.0

    def __post_init__(self) -> None:
        """Turn sequences and arrays into tuples, so that the value is hashable."""
        for name in ("offset", "scale"):
            given = np.asarray(getattr(self, name), np.float64)
            if given.ndim > 1 or not np.all(np.isfinite(given)) or (name == "scale" and 0 in given):
                raise ValueError(
                    f"InputScaling.{name}: expected one finite number, or one per feature"
                    f"{', none of them 0' if name == 'scale' else ''}; got {getattr(self, name)!r}"
                )
            if name == "scale" and not _invertible(given):
                raise ValueError(
                    f"InputScaling.scale: 1/scale has to be a normal float32, got {self.scale!r}"
                )
            object.__setattr__(self, name, tuple(given.tolist()) if given.ndim else float(given))


def check_scaling(scaling: InputScaling | None, features: int) -> None:
    """Raise a `ValueError` if there is a number per feature, and not for so many features."""
    if scaling is None:
        return
    for name, given in (("offset", scaling.offset), ("scale", scaling.scale)):
        if isinstance(given, tuple) and len(given) != features:
            raise ValueError(
                f"input_scaling.{name}: {len(given)} numbers given, the network has "
                f"{features} inputs"
            )


def _invertible(scale: Float64[np.ndarray, "..."]) -> bool:
    # Inputs are multiplied by the reciprocal, and subnormal numbers are flushed to zero.
    limits = np.finfo(np.float32)
    reciprocal = 1 / np.abs(scale)
    return bool(np.all((reciprocal >= limits.tiny) & (reciprocal <= limits.max)))
