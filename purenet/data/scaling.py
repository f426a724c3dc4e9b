"""Standardising: offset and scale of each column, and the way back to the original unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64

# The smallest normal float32. A network divides by the scale in float32, where XLA flushes
# anything smaller to zero.
SMALLEST_SCALE = float(np.finfo(np.float32).tiny)


def standardisation(
    values: Float[np.ndarray, "n columns"],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each column: `(offsets, scales)`.

    The scaled column `(values - offset) / scale` has mean 0 and variance `(1/n) Σ u² = 1`. A
    constant column, or one whose deviation is below the smallest normal float32, has scale 1.

    Args:
        values: (n, columns), finite, at least one row. Computed in float64.

    >>> standardisation(np.array([[1.0, 5.0], [3.0, 5.0]]))
    ((2.0, 5.0), (1.0, 1.0))
    """
    values = values.astype(np.float64)
    low, high = values.min(axis=0), values.max(axis=0)
    # Halved before they are subtracted, and scaled to [-1, 1] before they are squared: values
    # near the largest float would overflow otherwise.
    middle, half_range = low / 2 + high / 2, high / 2 - low / 2
    unit = (values - middle) / np.where(half_range > 0, half_range, 1)
    offset = middle + half_range * unit.mean(axis=0)
    deviation = half_range * unit.std(axis=0)
    scale = np.where(deviation < SMALLEST_SCALE, 1, deviation)
    return tuple(offset.tolist()), tuple(scale.tolist())


@dataclass(frozen=True)
class TargetScaling:
    """How regression targets were standardised: one offset and one scale per output.

    >>> scaling = TargetScaling(offset=(200.0,), scale=(50.0,))
    >>> scaling.standardise(np.array([[250.0], [150.0]])).tolist()
    [[1.0], [-1.0]]
    >>> scaling.restore(np.array([[1.0], [-1.0]])).tolist()
    [[250.0], [150.0]]
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def standardise(self, y: Any) -> Float32[np.ndarray, "*batch outputs"]:
        """`(y - offset) / scale`, computed in float64; y is (..., outputs) in its own unit.

        Raises:
            ValueError: a result is not finite in float32.
        """
        with np.errstate(over="ignore"):
            scaled = (np.asarray(y, np.float64) - self.offset) / np.asarray(self.scale)
            standardised = scaled.astype(np.float32)
        if not np.isfinite(standardised).all():
            raise ValueError("a target is too far from the training targets for float32")
        return standardised

    def restore(self, a: Any) -> Float64[np.ndarray, "*batch outputs"]:
        """`a * scale + offset`: outputs (..., outputs) of a network, in the original unit."""
        return np.asarray(a, np.float64) * np.asarray(self.scale) + np.asarray(self.offset)
