"""Float32 accuracy of activations, losses and their hand gradients, against 60-digit arithmetic.

    python benchmarks/accuracy.py

prints, for each function, the largest |error| / (ε max(|true|, scale)) over random, extreme and
root-crossing inputs, with ε = 2⁻²³. A scale of 0 asks for relative accuracy wherever the true value
is a normal number; 1 asks for an absolute error of some ε. Every bound here is asserted by
`tests/test_accuracy.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import mpmath
import numpy as np
from mpmath import mpf

from purenet import activations, losses

mpmath.mp.dps = 60
EPS = float(np.finfo(np.float32).eps)
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
ROOTS = {"silu": -1.2784645427610738, "gelu": -0.7517915246935645}  # of the derivative

Reference = Callable[[mpf], mpf]


class Row(NamedTuple):
    """A line of the table: what is measured, against which scale, and what it may not exceed.

    Attributes:
        name: of the activation or loss.
        quantity: the value, a derivative, a gradient.
        measure: () to (got, true, scale), arrays of one shape; `true` holds mpmath numbers.
        scale: the scale in words.
        bound: of the error in units of ε max(|true|, scale).
    """

    name: str
    quantity: str
    measure: Callable[[], tuple]
    scale: str
    bound: float

    def error(self) -> float:
        """Return the largest error in units of ε max(|true|, scale)."""
        got, true, scale = self.measure()
        assert got.dtype == np.float32
        assert np.all(np.isfinite(got)), (self.name, self.quantity)
        difference = np.vectorize(lambda g, t: float(abs(mpf(float(g)) - t)))(got, true)
        # What is smaller than the smallest normal number may be flushed to zero.
        unit = np.maximum(np.abs(true).astype(float), scale) * EPS + SMALLEST_NORMAL
        return float((difference / unit).max())


def arguments(seed: int = 0) -> np.ndarray:
    """Return random, extreme (±1e−30 … ±1e4) and root-crossing inputs."""
    rng = np.random.default_rng(seed)
    extreme = 10.0 ** rng.uniform(-30, 4, 150) * rng.choice([-1, 1], 150)
    roots = [root * (1 + n * EPS / 2) for root in ROOTS.values() for n in range(-20, 21)]
    decades = [sign * 10.0**n for sign in (-1, 1) for n in range(-30, 5)]
    drawn = [rng.normal(size=200), rng.normal(size=200) * 10, rng.uniform(-100, 100, 100)]
    return np.concatenate([*drawn, extreme, roots, decades, [0.0]]).astype(np.float32)


def exactly(f: Reference, *arrays: np.ndarray) -> np.ndarray:
    """Return f of each entry as mpmath numbers."""
    flat = [[mpf(float(v)) for v in a.ravel()] for a in arrays]
    out = np.empty(arrays[0].size, object)
    out[:] = [f(*entry) for entry in zip(*flat, strict=True)]
    return out.reshape(arrays[0].shape)


def logistic(z: mpf) -> mpf:
    """Return 1 / (1 + e^−z)."""
    return 1 / (1 + mpmath.exp(-z))


VALUES: dict[str, Reference] = {
    "identity": lambda z: z,
    "sigmoid": logistic,
    "tanh": mpmath.tanh,
    "relu": lambda z: max(z, mpf(0)),
    "softplus": lambda z: max(z, mpf(0)) + mpmath.log1p(mpmath.exp(-abs(z))),
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "silu": lambda z: z * logistic(z),
    "gelu": lambda z: z * mpmath.ncdf(z),
}

DERIVATIVES: dict[str, Reference] = {
    "identity": lambda z: mpf(1),
    "sigmoid": lambda z: 1 / (2 + 2 * mpmath.cosh(z)),
    "tanh": lambda z: mpmath.sech(z) ** 2,
    "relu": lambda z: mpf(z > 0),
    "softplus": logistic,
    "leaky_relu": lambda z: mpf(1) if z > 0 else mpf(1) / 100,
    "elu": lambda z: mpmath.exp(min(z, mpf(0))),
    "silu": lambda z: logistic(z) * (1 + z * logistic(-z)),
    "gelu": lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z),
}


def elementwise(name: str, quantity: str, scale: float, bound: float) -> Row:
    """Return the row of an elementwise activation: its value or a derivative."""
    activation = activations.ACTIVATIONS[name]

    def measure() -> tuple:
        z = arguments()
        if quantity == "value":
            return np.asarray(activation(z)), exactly(VALUES[name], z), scale
        if quantity == "derivative":
            return np.asarray(activation.derivative(jnp.asarray(z))), slope(z), scale
        kept = activation.kept(jnp.asarray(z), activation(z))
        return np.asarray(activation.delta(kept, jnp.ones_like(kept))), slope(z), scale

    def slope(z: np.ndarray) -> np.ndarray:
        return exactly(DERIVATIVES[name], z)

    return Row(name, quantity, measure, f"{scale:g}", bound)


def weighted_inputs(seed: int = 1) -> np.ndarray:
    """Return 256 rows of four logits of sizes from 1e−30 to 1e4."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-30, 4, (256, 1))
    size[:128] = 10.0 ** rng.uniform(-1, 2, (128, 1))
    return (rng.normal(size=(256, 4)) * size).astype(np.float32)


def probabilities(low: float, high: float, seed: int = 2) -> np.ndarray:
    """Return 256 rows of four numbers in [low, high], many of them close to the ends."""
    rng = np.random.default_rng(seed)
    near_zero, near_one = 10.0 ** rng.uniform(-6, 0, (2, 256, 4))
    kind = rng.integers(0, 3, (256, 4))
    p = np.choose(kind, [near_zero, 1 - near_one, rng.uniform(size=(256, 4))])
    return np.clip(p, low, high).astype(np.float32)


def softmax_rows(z: np.ndarray) -> np.ndarray:
    """Return the exact softmax of each row."""
    e = exactly(mpmath.exp, z)
    return e / e.sum(axis=1, keepdims=True)


def numbers(a: np.ndarray) -> np.ndarray:
    """Return the entries as mpmath numbers."""
    return exactly(lambda v: v, a)


def softmax_value() -> tuple:
    """Return softmax and its exact value."""
    z = weighted_inputs()
    return np.asarray(activations.softmax(z)), softmax_rows(z), 1.0


def softmax_pullback() -> tuple:
    """Return p ∘ (g − Σ g p) from what is kept; its scale is the largest |g| of the row."""
    z, g = weighted_inputs(), weighted_inputs(3)
    p, exact_g = softmax_rows(z), numbers(g)
    true = p * (exact_g - (exact_g * p).sum(axis=1, keepdims=True))
    got = activations.softmax.delta(activations.softmax(z), jnp.asarray(g))
    return np.asarray(got), true, np.abs(g).max(axis=1, keepdims=True)


def softmax_jacobian() -> tuple:
    """Return the full Jacobian p_i (δ_ik − p_k)."""
    z = weighted_inputs()
    p = softmax_rows(z)
    true = p[:, :, None] * (np.eye(4, dtype=int) - p[:, None, :])
    return np.asarray(activations.softmax.derivative(jnp.asarray(z))), true, 1.0


def cross_entropy_from_logits() -> tuple:
    """Return −Σ y (z − log Σ e^z) of each example; the scale is that of its terms."""
    z, y = weighted_inputs(), probabilities(0, 1)
    total = exactly(mpmath.exp, z).sum(axis=1, keepdims=True)
    log_total = np.vectorize(mpmath.log, otypes=[object])(total)
    true = -(numbers(y) * (numbers(z) - log_total)).sum(axis=1)
    scale = 4 * np.maximum(1, np.ptp(z, axis=1))
    got = losses.cross_entropy.fused.value(jnp.asarray(z), jnp.asarray(y))
    return np.asarray(got), true, scale


def cross_entropy_delta() -> tuple:
    """Return (Σ y) p − y."""
    z, y = weighted_inputs(), probabilities(0, 1)
    exact_y = numbers(y)
    true = exact_y.sum(axis=1, keepdims=True) * softmax_rows(z) - exact_y
    return per_example(losses.cross_entropy.delta(z, y)), true, y.sum(axis=1, keepdims=True)


def binary_cross_entropy_from_logits(y: np.ndarray, soft: bool) -> tuple:
    """Return softplus(z) − y z for one output; for soft targets the scale is |z|."""
    z, y = weighted_inputs().reshape(-1, 1), y.reshape(-1, 1)
    true = exactly(lambda z, y: y * softplus(-z) + (1 - y) * softplus(z), z, y)[:, 0]
    got = losses.binary_cross_entropy.fused.value(jnp.asarray(z), jnp.asarray(y))
    return np.asarray(got), true, np.abs(z[:, 0]) if soft else 0.0


def softplus(z: mpf) -> mpf:
    """Return log(1 + e^z)."""
    return VALUES["softplus"](z)


def binary_cross_entropy_delta() -> tuple:
    """Return σ(z) − y."""
    z, y = weighted_inputs(), probabilities(0, 1)
    true = exactly(lambda z, y: logistic(z) - y, z, y)
    return per_example(losses.binary_cross_entropy.delta(z, y)), true, 1.0


def of_outputs(name: str, true: Reference, scale: Reference) -> Callable[[], tuple]:
    """Return the measurement of ∂ℓ/∂a on activated outputs."""

    def measure() -> tuple:
        a, y = probabilities(1e-6, 1 - 1e-6), probabilities(0, 1, 4)
        got = per_example(losses.LOSSES[name].gradient(a, y))
        return got, exactly(true, a, y), exactly(scale, a, y).astype(float)

    return measure


def per_example(gradient: np.ndarray) -> np.ndarray:
    """Undo the mean over 256 examples, exactly."""
    return np.asarray(gradient) * np.float32(256)


ROWS = [
    elementwise("identity", "value", 0, 0),
    elementwise("identity", "derivative", 0, 0),
    elementwise("identity", "derivative from kept", 0, 0),
    elementwise("sigmoid", "value", 0, 3),
    elementwise("sigmoid", "derivative", 0, 5),
    elementwise("sigmoid", "derivative from kept", 1, 2),
    elementwise("tanh", "value", 0, 4),
    elementwise("tanh", "derivative", 0, 5),
    elementwise("tanh", "derivative from kept", 1, 5),
    elementwise("relu", "value", 0, 0),
    elementwise("relu", "derivative", 0, 0),
    elementwise("relu", "derivative from kept", 0, 0),
    elementwise("softplus", "value", 0, 3),
    elementwise("softplus", "derivative", 0, 3),
    elementwise("softplus", "derivative from kept", 0, 5),
    elementwise("leaky_relu", "value", 0, 1),
    elementwise("leaky_relu", "derivative", 0, 1),
    elementwise("leaky_relu", "derivative from kept", 0, 1),
    elementwise("elu", "value", 0, 3),
    elementwise("elu", "derivative", 0, 2),
    elementwise("elu", "derivative from kept", 1, 2),
    elementwise("silu", "value", 0, 4),
    elementwise("silu", "derivative", 0.2, 5),
    elementwise("silu", "derivative from kept", 0.2, 5),
    elementwise("gelu", "value", 0.1, 6),
    elementwise("gelu", "derivative", 0.2, 5),
    elementwise("gelu", "derivative from kept", 0.2, 5),
    Row("softmax", "value", softmax_value, "1", 2),
    Row("softmax", "Jacobian", softmax_jacobian, "1", 3),
    Row("softmax", "pullback from kept", softmax_pullback, "max |g|", 3),
    Row("cross_entropy", "value from logits", cross_entropy_from_logits, "4 max(1, spread z)", 3),
    Row("cross_entropy", "fused delta", cross_entropy_delta, "Σ y", 4),
    Row(
        "cross_entropy",
        "gradient",
        of_outputs("cross_entropy", lambda a, y: -y / a, lambda a, y: mpf(0)),
        "0",
        2,
    ),
    Row(
        "binary_cross_entropy",
        "value from logits, labels",
        lambda: binary_cross_entropy_from_logits(np.round(probabilities(0, 1)), False),
        "0",
        3,
    ),
    Row(
        "binary_cross_entropy",
        "value from logits",
        lambda: binary_cross_entropy_from_logits(probabilities(0, 1), True),
        "|z|",
        3,
    ),
    Row("binary_cross_entropy", "fused delta", binary_cross_entropy_delta, "1", 2),
    Row(
        "binary_cross_entropy",
        "gradient",
        of_outputs(
            "binary_cross_entropy",
            lambda a, y: (a - y) / (a * (1 - a)),
            lambda a, y: y / a + (1 - y) / (1 - a),
        ),
        "y/a + (1−y)/(1−a)",
        3,
    ),
    Row(
        "mean_squared_error",
        "gradient",
        of_outputs("mean_squared_error", lambda a, y: 2 * (a - y), lambda a, y: mpf(0)),
        "0",
        1,
    ),
    Row(
        "half_mean_squared_error",
        "gradient",
        of_outputs("half_mean_squared_error", lambda a, y: a - y, lambda a, y: mpf(0)),
        "0",
        1,
    ),
]


def main() -> None:
    """Print the table."""
    print(f"{'function':24} {'quantity':26} {'scale':20} {'error':>7} {'bound':>6}")
    for row in ROWS:
        print(f"{row.name:24} {row.quantity:26} {row.scale:20} {row.error():7.2f} {row.bound:6g}")


if __name__ == "__main__":
    main()
