"""A second forward pass, in NumPy alone, and its derivative without autodiff and without formulas.

Nothing of purenet or JAX is used here. Activations and losses are the textbook formulas, the
derivative is the complex step

    ∂C/∂θ = Im C(θ + i h) / h + O(h²),    h = 1e−30,

which subtracts nothing and so has no rounding error of its own beyond that of C (Squire & Trapp
1998). Kinked functions choose their branch by the real part.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import erf

Array = np.ndarray

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "leaky_relu": lambda z: np.where(z.real > 0, z, z / 100),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "sine": np.sin,
    "exponential": np.exp,
}

LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "mean_squared_error": lambda a, y: ((y - a) ** 2).sum(-1),
    "half_mean_squared_error": lambda a, y: ((y - a) ** 2).sum(-1) / 2,
    "cross_entropy": lambda a, y: -(y * np.log(a)).sum(-1),
    "binary_cross_entropy": lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(-1),
    "quartic": lambda a, y: ((y - a) ** 4).sum(-1),
    "poisson": lambda a, y: (a - y * np.log(a)).sum(-1),
}


def output(activations: Sequence[str], params: Sequence[tuple[Array, Array]], x: Array) -> Array:
    """Return a_L with z_j = Σ_k w_kj a_k + b_j in every layer."""
    a = x
    for name, (weight, bias) in zip(activations, params, strict=True):
        a = ACTIVATIONS[name](np.einsum("bk,kj->bj", a, weight) + bias)
    return a


def cost(
    activations: Sequence[str],
    loss: str,
    params: Sequence[tuple[Array, Array]],
    x: Array,
    y: Array,
    weights: Array | None = None,
) -> complex:
    """Return Σ_b w_b ℓ_b / Σ_b w_b."""
    w = np.ones(len(x)) if weights is None else weights
    return (w * LOSSES[loss](output(activations, params, x), y)).sum() / w.sum()


def complex_step(f: Callable[[Array], complex], at: Array) -> Array:
    """Return ∂f/∂at, one entry after the other."""
    step, gradient = 1e-30, np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[index] += 1j * step
        gradient[index] = np.imag(f(moved)) / step
    return gradient


def central_difference(f: Callable[[Array], float], at: Array, step: float) -> Array:
    """Return (f(at + h) − f(at − h)) / 2h, one entry after the other."""
    gradient = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient


def gradients(
    activations: Sequence[str],
    loss: str,
    params: Sequence[tuple[Array, Array]],
    x: Array,
    y: Array,
    weights: Array | None = None,
) -> tuple[list[tuple[Array, Array]], Array]:
    """Return the derivatives of `cost` with respect to every weight and bias, and to x."""

    def with_layer(layer: int, replaced: tuple[Array, Array]) -> complex:
        changed = [*params[:layer], replaced, *params[layer + 1 :]]
        return cost(activations, loss, changed, x, y, weights)

    by_layer = [
        (
            complex_step(lambda w, n=n, b=b: with_layer(n, (w, b)), w),
            complex_step(lambda b, n=n, w=w: with_layer(n, (w, b)), b),
        )
        for n, (w, b) in enumerate(params)
    ]
    return by_layer, complex_step(lambda x: cost(activations, loss, params, x, y, weights), x)


def relative_difference(got: Array, expected: Array) -> float:
    """Return ‖got − expected‖∞ / ‖expected‖∞; 0 where both are all zero."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    difference, size = np.abs(got - expected).max(), np.abs(expected).max()
    return 0.0 if difference == 0 else float(difference / size) if size else float("inf")
