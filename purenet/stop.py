"""Stop rules: when to end training (the three of S4-C32), in any combination.

A rule is a function (history, metric) -> reason or None; the first that gives a reason ends the
training. Ours are frozen values; a function of your own works in their place.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from purenet.metrics import Metric


class History(NamedTuple):
    """What was measured, one entry per epoch; NaN where nothing was measured.

    Attributes:
        updates: the number of parameter updates so far.
        loss: the mean training loss over the epoch's batches, each before its update.
        validation_loss: the loss on the validation data after the epoch.
        validation_metric: the metric on the validation data after the epoch.
    """

    updates: Int[np.ndarray, " epochs"]
    loss: Float[np.ndarray, " epochs"]
    validation_loss: Float[np.ndarray, " epochs"]
    validation_metric: Float[np.ndarray, " epochs"]


Rule = Callable[[History, Metric], str | None]


@dataclasses.dataclass(frozen=True)
class Iterations:
    """Stop after exactly `count` updates, also in the middle of an epoch.

    Updates are counted from the start of the call. A run that goes on from there begins with the
    next epoch: the rest of the epoch that was cut short is not made up for.

    Raises:
        ValueError: `count` is less than 1.
    """

    count: int

    def __post_init__(self) -> None:
        """Check the count."""
        if not isinstance(self.count, int | np.integer) or self.count < 1:
            raise ValueError(
                f"Iterations.count: a whole number of at least 1 is expected, got {self.count}"
            )

    def __call__(self, history: History, metric: Metric) -> str | None:
        """Return a reason once the updates are done."""
        done = len(history.updates) and history.updates[-1] >= self.count
        return f"{self.count} updates done" if done else None


@dataclasses.dataclass(frozen=True)
class Converged:
    """Stop when `watch` has not fallen by more than `tolerance` in `patience` epochs.

    That is: the lowest value of the last `patience` epochs is not below best − tolerance ·
    max(1, |best|), with best the lowest value before them. `watch="validation_loss"` is early
    stopping.

    Raises:
        ValueError: a negative tolerance, a patience below 1, an unknown `watch`.
    """

    tolerance: float = 1e-4
    patience: int = 5
    watch: Literal["loss", "validation_loss"] = "loss"

    def __post_init__(self) -> None:
        """Check the three numbers."""
        if not self.tolerance >= 0 or self.patience < 1:
            raise ValueError(
                "Converged: a tolerance of at least 0 and a patience of at least 1 are expected, "
                f"got tolerance={self.tolerance}, patience={self.patience}"
            )
        if self.watch not in ("loss", "validation_loss"):
            raise ValueError(
                f"Converged.watch: 'loss' or 'validation_loss' is expected, got {self.watch!r}"
            )

    def __call__(self, history: History, metric: Metric) -> str | None:
        """Return a reason once the last `patience` epochs brought no progress."""
        # An epoch with an infinite loss, or none, is never the best one.
        values = np.nan_to_num(getattr(history, self.watch), nan=np.inf, posinf=np.inf)
        if len(values) <= self.patience:
            return None
        best, recent = values[: -self.patience].min(), values[-self.patience :].min()
        margin = self.tolerance * max(1, abs(best)) if np.isfinite(best) else 0.0
        if recent < best - margin:
            return None
        return f"{self.watch} converged: within {self.tolerance:g} for {self.patience} epochs"


@dataclasses.dataclass(frozen=True)
class Reached:
    """Stop when the metric on the validation data is at `target` or better."""

    target: float

    def __call__(self, history: History, metric: Metric) -> str | None:
        """Return a reason once the last validation metric is good enough."""
        if not len(history.validation_metric):
            return None
        last = float(history.validation_metric[-1])
        if last == self.target or metric.improves(last, self.target):
            return f"validation {metric.name} {last:.4g} reached the target {self.target:g}"
        return None


def needs_validation(rule: Rule) -> bool:
    """Return whether a rule of ours reads what only validation data gives."""
    return isinstance(rule, Reached) or getattr(rule, "watch", None) == "validation_loss"
