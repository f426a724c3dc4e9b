"""Activation functions: the value and the hand derivative of each, side by side.

An `Activation` is a frozen value. `value(z)` is the function itself and `derivative(z)` its
derivative in the form that is most accurate in floating point. The backward pass of a network
calls `delta(kept, cotangent)`, the pullback from what the forward pass kept: the output `a` where
`a` determines the derivative (so that one array per layer is enough), else the weighted input `z`.

| activation | a = σ(z) | σ′(z), accurate | σ′ from what is kept | source |
|---|---|---|---|---|
| identity | z | 1 | 1 | |
| sigmoid | 1 / (1 + e^−z) | σ(z) σ(−z) | a (1 − a) | S1-E20, S1-E42 |
| tanh | tanh z | 4 σ(2z) σ(−2z) | (1 − a)(1 + a) | S4-E10 |
| relu | max(0, z) | 1 if z > 0 else 0 | 1 if a > 0 else 0 | S0-E05 |
| softmax | e^z_i / Σ_j e^z_j | p_i (δ_ik − p_k) | p ∘ (g − Σ g p) | S3-E27 |
| step | 1 if z ≥ 0 else 0 | none | none | S1-C18 |
| softplus | log(1 + e^z) | σ(z) | 1 − e^−a | Dugas et al. 2000 |
| leaky_relu | max(z, 0.01 z) | 1 if z > 0 else 0.01 | 1 if a > 0 else 0.01 | Maas et al. 2013 |
| elu | z if z > 0 else e^z − 1 | e^min(z, 0) | min(a, 0) + 1 | Clevert et al. 2015 |
| silu | z σ(z) | σ(z) (1 + z σ(−z)) | the same, z is kept | Elfwing et al. 2018 |
| gelu | z Φ(z) | Φ(z) + z φ(z) | the same, z is kept | Hendrycks & Gimpel 2016 |

At a kink the derivative is the one from the left (relu 0, leaky_relu 0.01; both sides of elu
agree). The forms from `a` have an absolute error of about one unit of `eps`, not a relative one:
σ(17) is 1 − 4.1e-8 and rounds to 1 in float32, so a (1 − a) is 0 there and σ(z) σ(−z) is 4.1e-8.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from purenet.words import look_up

Elementwise = Callable[[Array], Array]
Pullback = Callable[[Array, Array], Array]


@dataclasses.dataclass(frozen=True)
class Activation:
    """A function of the weighted input with its hand derivative, as one immutable value.

    For an elementwise function three fields are enough, and an own one works wherever a name does:

    >>> cube = Activation("cube", lambda z: z**3, lambda z: 3 * z**2)
    >>> float(cube.delta(jnp.array(2.0), jnp.array(10.0)))
    120.0

    Attributes:
        name: what errors, model files and tables call it.
        value: a = σ(z), shape to the same shape.
        derivative: σ′(z), elementwise; for an activation that mixes the entries of a row (softmax)
            the Jacobian ∂a_i/∂z_k of shape (..., k, k). `None`: no usable derivative.
        pullback: (kept, ∂C/∂a) to ∂C/∂z. Left out, it is σ′(kept) ∂C/∂a with z kept.
        keeps: what `pullback` takes: the "output" a or the "weighted_input" z.
    """

    name: str
    value: Elementwise
    derivative: Elementwise | None = None
    pullback: Pullback | None = None
    keeps: Literal["weighted_input", "output"] = "weighted_input"

    def __call__(self, z: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
        """Return the value a = σ(z)."""
        return self.value(jnp.asarray(z))

    @property
    def differentiable(self) -> bool:
        """Whether a network can be trained through it by gradient."""
        return self.derivative is not None or self.pullback is not None

    def kept(self, z: Float[Array, "*shape"], a: Float[Array, "*shape"]) -> Array:
        """Return the one of z and a = σ(z) that the backward pass needs."""
        return a if self.keeps == "output" else z

    def output(self, kept: Float[Array, "*shape"]) -> Array:
        """Return a = σ(z) from what was kept; computed a second time where that is z."""
        return kept if self.keeps == "output" else self(kept)

    def delta(self, kept: Float[Array, "*shape"], cotangent: Float[Array, "*shape"]) -> Array:
        """Return δ = ∂C/∂z = (∂a/∂z)ᵀ ∂C/∂a from what was kept and ∂C/∂a.

        Raises:
            ValueError: the activation has no derivative (`step`).
        """
        if self.pullback is not None:
            return self.pullback(kept, cotangent)
        if self.derivative is None:
            raise ValueError(no_derivative(self))
        return cotangent * self.derivative(kept)


def no_derivative(activation: Activation) -> str:
    """Return the message for training by gradient through an activation without derivative."""
    return (
        f"activation {activation.name!r} has no usable derivative (it is 0 wherever it exists), so "
        "no gradient passes through it; use 'sigmoid' instead, or a rule that needs no gradient"
    )


def from_name(activation: str | Activation, argument: str = "activation") -> Activation:
    """Return one of ours by its name; an `Activation` is returned as it is.

    >>> from_name("tanh").name
    'tanh'

    Raises:
        ValueError: the name is unknown; the message has the nearest known one.
    """
    return look_up(activation, ACTIVATIONS, Activation, "activation", argument)


def _at_infinity(z: Array, low: float, high: float | Array, inside: Array) -> Array:
    # ∞ · 0 is NaN in floating point where the limit exists.
    return jnp.where(jnp.isinf(z), jnp.where(z < 0, jnp.full_like(z, low), high), inside)


def _identity(z: Array) -> Array:
    return z


def _identity_derivative(z: Array) -> Array:
    return jnp.ones_like(z)


def _identity_pullback(a: Array, cotangent: Array) -> Array:
    return cotangent


def _sigmoid(z: Array) -> Array:
    return lax.logistic(z)


def _sigmoid_derivative(z: Array) -> Array:
    return lax.logistic(z) * lax.logistic(-z)


def _sigmoid_pullback(a: Array, cotangent: Array) -> Array:
    return cotangent * (a * (1 - a))


def _tanh(z: Array) -> Array:
    return jnp.tanh(z)


def _tanh_derivative(z: Array) -> Array:
    return 4 * _sigmoid_derivative(2 * z)


def _tanh_pullback(a: Array, cotangent: Array) -> Array:
    return cotangent * ((1 - a) * (1 + a))


def _relu(z: Array) -> Array:
    # max(z, 0), NaN included. XLA fuses a maximum into the backward pass too, and then keeps z
    # beside a; a selection it computes once.
    return jnp.where(z <= 0, jnp.zeros_like(z), z)


def _relu_derivative(z: Array) -> Array:
    return jnp.where(z > 0, jnp.ones_like(z), jnp.zeros_like(z))


def _relu_pullback(a: Array, cotangent: Array) -> Array:
    return jnp.where(a > 0, cotangent, jnp.zeros_like(cotangent))


def shifted(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return z − max z along the last axis, in which ±∞ stand for the largest finite numbers.

    softmax and log-softmax are the same for z and z − c; with c = max z no exponential overflows,
    and a row with one +∞ or with nothing but −∞ gets its limit instead of ∞ − ∞.
    """
    z = finite(z)
    return z - lax.stop_gradient(jnp.max(z, axis=-1, keepdims=True))


def finite(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return z with the largest finite numbers in the place of ±∞."""
    largest = jnp.finfo(z.dtype).max
    return jnp.where(jnp.isinf(z), jnp.where(z > 0, jnp.full_like(z, largest), -largest), z)


def _softmax(z: Array) -> Array:
    exponential = jnp.exp(shifted(z))
    return exponential / jnp.sum(exponential, axis=-1, keepdims=True)


def _softmax_jacobian(z: Array) -> Array:
    p = _softmax(z)
    unit = jnp.expand_dims(jnp.eye(p.shape[-1], dtype=p.dtype), range(p.ndim - 1))
    return p[..., :, None] * (unit - p[..., None, :])


def _softmax_pullback(p: Array, cotangent: Array) -> Array:
    return p * (cotangent - jnp.sum(cotangent * p, axis=-1, keepdims=True))


def _step(z: Array) -> Array:
    return jnp.where(jnp.isnan(z), z, jnp.where(z >= 0, jnp.ones_like(z), jnp.zeros_like(z)))


def _softplus(z: Array) -> Array:
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))


def _softplus_derivative(z: Array) -> Array:
    return lax.logistic(z)


def _softplus_pullback(a: Array, cotangent: Array) -> Array:
    return cotangent * -jnp.expm1(-a)


LEAKY_SLOPE = 0.01


def _leaky_relu(z: Array) -> Array:
    return jnp.where(z > 0, z, LEAKY_SLOPE * z)


def _leaky_relu_derivative(z: Array) -> Array:
    return jnp.where(z > 0, jnp.ones_like(z), jnp.full_like(z, LEAKY_SLOPE))


def _leaky_relu_pullback(a: Array, cotangent: Array) -> Array:
    return jnp.where(a > 0, cotangent, LEAKY_SLOPE * cotangent)


def _elu(z: Array) -> Array:
    return jnp.where(z > 0, z, jnp.expm1(jnp.minimum(z, 0)))


def _elu_derivative(z: Array) -> Array:
    return jnp.exp(jnp.minimum(z, 0))


def _elu_pullback(a: Array, cotangent: Array) -> Array:
    return cotangent * (jnp.minimum(a, 0) + 1)


def _silu(z: Array) -> Array:
    return _at_infinity(z, 0.0, z, z * lax.logistic(z))


def _silu_derivative(z: Array) -> Array:
    return _at_infinity(z, 0.0, 1.0, lax.logistic(z) * (1 + z * lax.logistic(-z)))


def _normal_cdf(z: Array) -> Array:
    return 0.5 * lax.erfc(z * -(0.5**0.5))


def _normal_density(z: Array) -> Array:
    return jnp.exp(-0.5 * z * z) * (2 * jnp.pi) ** -0.5


def _gelu(z: Array) -> Array:
    return _at_infinity(z, 0.0, z, z * _normal_cdf(z))


def _gelu_derivative(z: Array) -> Array:
    return _at_infinity(z, 0.0, 1.0, _normal_cdf(z) + z * _normal_density(z))


identity = Activation("identity", _identity, _identity_derivative, _identity_pullback, "output")
sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_derivative, _sigmoid_pullback, "output")
tanh = Activation("tanh", _tanh, _tanh_derivative, _tanh_pullback, "output")
relu = Activation("relu", _relu, _relu_derivative, _relu_pullback, "output")
softmax = Activation("softmax", _softmax, _softmax_jacobian, _softmax_pullback, "output")
step = Activation("step", _step)
softplus = Activation("softplus", _softplus, _softplus_derivative, _softplus_pullback, "output")
leaky_relu = Activation(
    "leaky_relu", _leaky_relu, _leaky_relu_derivative, _leaky_relu_pullback, "output"
)
elu = Activation("elu", _elu, _elu_derivative, _elu_pullback, "output")
silu = Activation("silu", _silu, _silu_derivative)
gelu = Activation("gelu", _gelu, _gelu_derivative)

ACTIVATIONS = {
    a.name: a
    for a in (
        identity, sigmoid, tanh, relu, softmax, step, softplus, leaky_relu, elu, silu, gelu,
    )
}  # fmt: skip
