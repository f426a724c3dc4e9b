"""What the networks of a sweep are trained with: settings, their optimizers, groups of settings.

The numbers and the optimizer that a user gives to `sweep` are checked here, once.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

MakeOptimizer = Callable[..., optax.GradientTransformation]
Numbers = Sequence[int | float] | np.ndarray


class Setting(NamedTuple):
    """What one network of a sweep is trained with; no weight decay is `None`."""

    seed: int
    learning_rate: float
    weight_decay: float | None = None


def all_settings(seeds: Numbers, rates: Numbers, decays: Numbers | None) -> tuple[Setting, ...]:
    """Return the product of seeds, learning rates and weight decays, the last changing fastest.

    >>> [(s.seed, s.learning_rate) for s in all_settings([5, 0], [0.1, 0.2], None)]
    [(5, 0.1), (5, 0.2), (0, 0.1), (0, 0.2)]

    Raises:
        ValueError: not a sequence, an empty one, or a number in it that cannot be used.
    """
    columns = [
        _column("seeds", seeds, lambda n: n == int(n), "whole numbers", int),
        _column("learning_rates", rates, lambda n: n > 0, "positive numbers", float),
    ]
    if decays is not None:
        numbers = "numbers of at least 0"
        columns.append(_column("weight_decays", decays, lambda n: n >= 0, numbers, float))
    return tuple(Setting(*numbers) for numbers in itertools.product(*columns))


def in_groups(settings: tuple[Setting, ...], at_once: int | None) -> list[tuple[Setting, ...]]:
    """Return groups of one size, so that one program serves all; the last setting fills up.

    >>> settings = all_settings([0, 1, 2], [0.1], None)
    >>> [[setting.seed for setting in group] for group in in_groups(settings, 2)]
    [[0, 1], [2, 2]]

    Raises:
        ValueError: `at_once` is not a whole number of at least 1.
    """
    if at_once is not None and (not isinstance(at_once, int | np.integer) or at_once < 1):
        raise ValueError(f"at_once: a whole number of at least 1, or None, got {at_once!r}")
    groups = 1 if at_once is None else -(-len(settings) // int(at_once))
    size = -(-len(settings) // groups)
    filled = settings + settings[-1:] * (groups * size - len(settings))
    return [filled[i : i + size] for i in range(0, len(filled), size)]


def check_optimizer(optimizer: Any, setting: Setting) -> None:
    """Check that it can be called with the numbers of a setting.

    Raises:
        ValueError: it cannot be called, or takes other arguments.
    """
    example, arguments = ("optax.adam", "a learning rate")
    if setting.weight_decay is not None:
        example, arguments = "optax.adamw", "(learning_rate, weight_decay)"
    expected = f"optimizer: a function of {arguments} is expected, as {example}"
    if not callable(optimizer):
        raise ValueError(f"{expected}; got {optimizer!r}")
    decay = {} if setting.weight_decay is None else {"weight_decay": setting.weight_decay}
    try:
        inspect.signature(optimizer).bind(setting.learning_rate, **decay)
    except TypeError as error:
        raise ValueError(f"{expected}; {_name(optimizer)}: {error}") from None


def make_optimizer(
    optimizer: MakeOptimizer, rate: Any, decay: Any = None
) -> optax.GradientTransformation:
    """Return the optimizer of one learning rate and weight decay, also of traced ones.

    Raises:
        ValueError: it computes with plain numbers, where these are traced.
    """
    try:
        return optimizer(rate) if decay is None else optimizer(rate, weight_decay=decay)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise ValueError(
            f"optimizer: {_name(optimizer)} computes with plain numbers; in a sweep, learning rate "
            "and weight decay are arrays that JAX traces, so use jax.numpy and no `if` on them"
        ) from error


def _column(
    name: str, given: Any, right: Callable[[Any], bool], expected: str, kind: type
) -> list[Any]:
    entries = list(given) if isinstance(given, Sequence | np.ndarray) else None
    if not entries or isinstance(given, str):
        raise ValueError(f"{name}: a sequence of {expected} is expected, got {given!r}")
    for n in entries:
        number = isinstance(n, int | float | np.number) and not isinstance(n, bool)
        if not number or not math.isfinite(n) or not right(n):
            raise ValueError(f"{name}: {expected} are expected, got {n!r}")
    return [kind(n) for n in entries]


def _name(function: Any) -> str:
    function = getattr(function, "func", function)  # of a functools.partial, as optax.nadam is
    return getattr(function, "__name__", repr(function))
