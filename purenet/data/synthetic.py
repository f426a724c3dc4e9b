"""Small sets of points with known equations, for examples, pictures and tests."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from purenet.data.dataset import Examples
from purenet.words import count


def xor() -> Examples:
    """The four points of exclusive or: `y = x_1 + x_2 - 2 x_1 x_2`.

    x is (4, 2) float32 with entries 0 and 1, y (4,) int32. No affine function of x does better
    than 1/2 at each point.

    >>> x, y = xor()
    >>> x.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return Examples(x, np.array([0, 1, 1, 0], np.int32))


def two_moons(n: int = 200, noise: float | int = 0.1, seed: int = 0) -> Examples:
    """Two half circles that reach into each other, a class each.

    With t evenly spaced in [0, π], class 0 is `(cos t, sin t)` and class 1 is
    `(1 - cos t, 1/2 - sin t)`, plus normal noise of the given standard deviation.

    Args:
        n: points in all, at least 2; class 0 has ⌈n/2⌉ of them.
        noise: standard deviation, 0 or more.
        seed: of the noise.

    Raises:
        ValueError: n or noise out of range.

    >>> x, y = two_moons(5, noise=0.0)
    >>> x.shape, y.tolist()
    ((5, 2), [0, 0, 0, 1, 1])
    """
    _check(n, 2, noise)
    upper, lower = np.linspace(0, np.pi, n - n // 2), np.linspace(0, np.pi, n // 2)
    x = np.concatenate(
        [
            np.stack([np.cos(upper), np.sin(upper)], axis=1),
            np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
        ]
    )
    y = np.repeat([0, 1], [len(upper), len(lower)])
    return _classes(x, y, noise, seed)


def spirals(n: int = 300, classes: int = 3, noise: float | int = 0.02, seed: int = 0) -> Examples:
    """Spiral arms around the origin, a class each.

    With r evenly spaced in (0, 1], arm c is `r (sin θ, cos θ)` with `θ = 4 r + 2π c / classes`,
    plus normal noise of the given standard deviation.

    Args:
        n: points in all, at least one for each class; the first arms have the odd ones.
        classes: number of arms, at least 2.
        noise: standard deviation, 0 or more.
        seed: of the noise.

    Raises:
        ValueError: n, classes or noise out of range.

    >>> x, y = spirals(7, classes=3)
    >>> x.shape, y.tolist()
    ((7, 2), [0, 0, 0, 1, 1, 2, 2])
    """
    if classes < 2:
        raise ValueError(f"classes={classes}: expected at least 2")
    _check(n, classes, noise)
    sizes = [n // classes + (arm < n % classes) for arm in range(classes)]
    radius = np.concatenate([np.arange(1, size + 1) / size for size in sizes])
    y = np.repeat(np.arange(classes), sizes)
    angle = 4 * radius + 2 * np.pi * y / classes
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _classes(x, y, noise, seed)


def linear(
    n: int = 100,
    weight: Sequence[Sequence[float | int]] = ((2.0,),),
    bias: Sequence[float | int] = (1.0,),
    low: float | int = -1.0,
    high: float | int = 1.0,
    noise: float | int = 0.1,
    seed: int = 0,
) -> Examples:
    """Points of an affine function: `y = x W + b` plus normal noise.

    Args:
        n: number of points, at least 1.
        weight: W, (features, outputs).
        bias: b, (outputs,).
        low: x is drawn uniformly from [low, high).
        high: above low.
        noise: standard deviation in the unit of y, 0 or more.
        seed: of x and of the noise.

    Returns:
        x (n, features) float32 and y (n, outputs) float32.

    Raises:
        ValueError: shapes that do not fit, an empty range, n or noise out of range.

    >>> x, y = linear(3, weight=[[2.0], [-1.0]], bias=[0.5], noise=0.0)
    >>> x.shape, bool(np.allclose(y, x @ [[2.0], [-1.0]] + 0.5))
    ((3, 2), True)
    """
    _check(n, 1, noise)
    matrix, offset = np.asarray(weight, np.float64), np.asarray(bias, np.float64)
    if matrix.ndim != 2 or not matrix.size or offset.shape != matrix.shape[1:]:
        raise ValueError(
            f"weight {matrix.shape} and bias {offset.shape}: expected (features, outputs) and "
            "(outputs,)"
        )
    if not low < high:
        raise ValueError(f"low={low}, high={high}: expected low < high")
    rng = np.random.default_rng(seed)
    # y is computed from the x that is returned, so that without noise it is exact.
    x = rng.uniform(low, high, (n, len(matrix))).astype(np.float32)
    y = x @ matrix + offset + noise * rng.standard_normal((n, len(offset)))
    return Examples(x, y.astype(np.float32))


def house_prices(n: int = 60, noise: float | int = 20.0, seed: int = 0) -> Examples:
    """Price of a house by its area: `price = 50 + 3 area`, plus noise.

    Area is uniform in [40, 240) m², the price in thousands, (n, 1) each. Both are in their own
    unit: standardise them before a network is trained.

    Args:
        n: number of houses, at least 1.
        noise: standard deviation of the price, in thousands.
        seed: of areas and noise.

    Raises:
        ValueError: n or noise out of range.

    >>> area, price = house_prices(4, noise=0.0)
    >>> bool(np.allclose(price, 50 + 3 * area))
    True
    """
    return linear(n, weight=[[3.0]], bias=[50.0], low=40.0, high=240.0, noise=noise, seed=seed)


def sine(n: int = 200, noise: float | int = 0.1, seed: int = 0) -> Examples:
    """A curve: `y = sin(2π x)` plus normal noise, x evenly spaced in [-1, 1]; (n, 1) each.

    Args:
        n: number of points, at least 2.
        noise: standard deviation, 0 or more.
        seed: of the noise.

    Raises:
        ValueError: n or noise out of range.

    >>> x, y = sine(5, noise=0.0)
    >>> x.ravel().tolist(), np.abs(y).max() < 1e-6
    ([-1.0, -0.5, 0.0, 0.5, 1.0], np.True_)
    """
    _check(n, 2, noise)
    x = np.linspace(-1, 1, n)[:, None]
    y = np.sin(2 * np.pi * x) + noise * np.random.default_rng(seed).standard_normal((n, 1))
    return Examples(x.astype(np.float32), y.astype(np.float32))


def _check(n: int, least: int, noise: float | int) -> None:
    if n < least:
        raise ValueError(f"n={n}: expected at least {count(least, 'point')}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise={noise}: expected a finite number of 0 or more")


def _classes(x: Float[np.ndarray, "n 2"], y: np.ndarray, noise: float | int, seed: int) -> Examples:
    moved = x + noise * np.random.default_rng(seed).standard_normal(x.shape)
    return Examples(moved.astype(np.float32), y.astype(np.int32))
