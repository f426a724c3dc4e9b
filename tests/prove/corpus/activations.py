"""Activations, elementwise and with parameters, and their derivatives in many equal forms."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from purenet.prove import domains as d

from .case import Case

ROOT_2_OVER_PI = np.sqrt(2 / np.pi).item()
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


# The logistic function.


def sigmoid_from_result(x, ct):
    s = jax.nn.sigmoid(x)
    return (ct * s * (1 - s),)


def sigmoid_by_exp(x):
    return 1 / (1 + jnp.exp(-x))


def sigmoid_by_exp_pullback(x, ct):
    return (ct * jnp.exp(-x) / (1 + jnp.exp(-x)) ** 2,)


def sigmoid_by_cosh_pullback(x, ct):
    return (ct / (4 * jnp.cosh(x / 2) ** 2),)


def sigmoid_two_branches(x):
    positive = 1 / (1 + jnp.exp(-jnp.where(x >= 0, x, 0)))
    e = jnp.exp(jnp.where(x >= 0, 0, x))
    return jnp.where(x >= 0, positive, e / (1 + e))


def sigmoid_of_both_signs_pullback(x, ct):
    return (ct * jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),)


def sigmoid_by_exp2(x):
    return lax.integer_pow(1 + jnp.exp2(x * (-1 / math.log(2))), -1)


def sigmoid_by_exp2_pullback(x, ct):
    e = jnp.exp2(x * (-1 / math.log(2)))
    s = 1 / (1 + e)
    of_reciprocal = -ct * s * s
    return (of_reciprocal * e * math.log(2) * (-1 / math.log(2)),)


def sigmoid_by_tanh(x):
    return 0.5 * (jnp.tanh(0.5 * x) + 1)


def sigmoid_by_tanh_pullback(x, ct):
    return (0.25 * ct * (1 - jnp.tanh(0.5 * x) ** 2),)


def log_sigmoid_pullback(x, ct):
    return (ct * jax.nn.sigmoid(-x),)


def log_sigmoid_by_min(x):
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(-jnp.abs(x)))


def log_sigmoid_by_sign_pullback(x, ct):
    negative = x < 0
    at_most = jnp.where(negative, 1.0, 0.0)
    sign = jnp.where(negative, 1.0, -1.0)
    z = jnp.exp(-jnp.abs(x))
    return (ct * (at_most - sign * (z / (1 + z))),)


def logit(p):
    return jnp.log(p / (1 - p))


def logit_pullback(p, ct):
    return (ct / (p * (1 - p)),)


# The hyperbolic tangent.


def tanh_from_result(x, ct):
    t = jnp.tanh(x)
    return (ct * (1 - t * t),)


def tanh_by_exp(x):
    return (jnp.exp(2 * x) - 1) / (jnp.exp(2 * x) + 1)


def tanh_by_exp_pullback(x, ct):
    t = tanh_by_exp(x)
    return ((1 - t**2) * ct,)


def tanh_by_cosh_pullback(x, ct):
    return (ct / jnp.cosh(x) ** 2,)


def tanh_by_exponentials_pullback(x, ct):
    return (4 * ct / jnp.square(jnp.exp(x) + jnp.exp(-x)),)


def tanhshrink(x):
    return x - jnp.tanh(x)


def tanhshrink_pullback(x, ct):
    return (ct * jnp.tanh(x) ** 2,)


def soft_cap(x):
    return 30.0 * jnp.tanh(x / 30.0)


def soft_cap_pullback(x, ct):
    y = soft_cap(x)
    return (ct * (1 - (y / 30.0) ** 2),)


# The rectifier and its family.


def relu_pullback(x, ct):
    return (jnp.where(x > 0, ct, 0),)


def relu_by_maximum(x):
    return jnp.maximum(x, 0)


def relu_by_product_pullback(x, ct):
    return ((relu_by_maximum(x) > 0).astype(ct.dtype) * ct,)


def relu_threshold_pullback(x, ct):
    result = jax.nn.relu(x)
    return (jnp.where(result <= 0, jnp.zeros_like(ct), ct),)


def relu_by_abs(x):
    return (x + jnp.abs(x)) / 2


def relu_by_sign_pullback(x, ct):
    return (ct * (1 + jnp.sign(x)) / 2,)


def relu_squared(x):
    return jnp.square(jax.nn.relu(x))


def relu_squared_pullback(x, ct):
    return (2 * jax.nn.relu(x) * ct,)


def leaky_relu_pullback(x, ct):
    return (jnp.where(x >= 0, ct, 0.01 * ct),)


def leaky_relu_by_maximum(x):
    return jnp.maximum(x, 0.2 * x)


def leaky_relu_by_slope_pullback(x, ct):
    slope = jnp.where(x > 0, 1.0, 0.2)
    return (slope * ct,)


def prelu(x, slope):
    return jnp.where(x > 0, x, slope[None, :] * x)


def prelu_pullback(x, slope, ct):
    positive = x > 0
    of_x = jnp.where(positive, ct, slope[None, :] * ct)
    of_slope = jnp.where(positive, 0, x * ct).sum(0)
    return of_x, of_slope


def relu6_pullback(x, ct):
    return (jnp.where((x > 0) & (x < 6), ct, 0),)


def hard_tanh_by_clip(x):
    return jnp.clip(x, -1, 1)


def hard_tanh_pullback(x, ct):
    return (jnp.where((x <= -1) | (x >= 1), jnp.zeros_like(ct), ct),)


def hard_sigmoid_pullback(x, ct):
    return (jnp.where((x > -3) & (x < 3), ct / 6, 0),)


def hard_swish(x):
    return x * jnp.clip(x + 3, 0, 6) / 6


def hard_swish_pullback(x, ct):
    between = ct * (x / 3 + 0.5)
    return (jnp.where(x < -3, 0, jnp.where(x <= 3, between, ct)),)


def soft_shrink(x):
    return jnp.where(x > 0.5, x - 0.5, jnp.where(x < -0.5, x + 0.5, 0))


def soft_shrink_pullback(x, ct):
    return (jnp.where((x >= -0.5) & (x <= 0.5), 0, ct),)


def sparse_plus_pullback(x, ct):
    return (ct * jnp.clip((x + 1) / 2, 0, 1),)


# Exponential linear units.


def elu_pullback(x, ct):
    return (ct * jnp.where(x > 0, 1, jnp.exp(jnp.minimum(x, 0))),)


def elu_from_result_pullback(x, ct):
    result = jax.nn.elu(x)
    return (jnp.where(result <= 0, ct * (result + 1), ct),)


def elu_with_alpha(x, alpha):
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0, x)))


def elu_with_alpha_pullback(x, alpha, ct):
    below = jnp.where(x > 0, 0, x)
    of_x = ct * jnp.where(x > 0, 1, alpha * jnp.exp(below))
    return of_x, jnp.sum(ct * jnp.expm1(below))


def celu(x):
    return jnp.maximum(x, 0) + jnp.minimum(2 * jnp.expm1(x / 2), 0)


def celu_pullback(x, ct):
    return (jnp.where(x <= 0, ct * jnp.exp(x / 2), ct),)


def selu_pullback(x, ct):
    y = jax.nn.selu(x)
    return (jnp.where(y <= 0, ct * (y + SELU_SCALE * SELU_ALPHA), SELU_SCALE * ct),)


# Softplus and its relatives.


def softplus_pullback(x, ct):
    return (ct * jax.nn.sigmoid(x),)


def softplus_by_log1p(x):
    return jnp.log1p(jnp.exp(-jnp.abs(x))) + jnp.maximum(x, 0)


def softplus_by_log1p_pullback(x, ct):
    return (ct / (jnp.exp(-x) + 1),)


def softplus_from_result_pullback(x, ct):
    return (ct * -jnp.expm1(-jax.nn.softplus(x)),)


def softplus_with_threshold(x, beta):
    z = x * beta
    return jnp.where(z > 20, x, jnp.log1p(jnp.exp(jnp.where(z > 20, 0, z))) / beta)


def softplus_with_threshold_pullback(x, beta, ct):
    z = jnp.exp(x * beta)
    return jnp.where(x * beta > 20, ct, ct * z / (z + 1)), None


def softplus_with_beta(x, beta):
    return jax.nn.softplus(beta * x) / beta


def softplus_with_beta_pullback(x, beta, ct):
    s = jax.nn.sigmoid(beta * x)
    of_beta = x * s / beta - jax.nn.softplus(beta * x) / beta**2
    return ct * s, jnp.sum(ct * of_beta)


def squareplus_pullback(x, ct):
    return (ct * (1 + x * lax.rsqrt(x * x + 4)) / 2,)


def bent_identity(x):
    return (jnp.sqrt(x**2 + 1) - 1) / 2 + x


def bent_identity_pullback(x, ct):
    return (ct * (x / (2 * jnp.sqrt(x**2 + 1)) + 1),)


def soft_sign_pullback(x, ct):
    return (ct / jnp.square(1 + jnp.abs(x)),)


def snake(x, alpha):
    a = alpha[None, :]
    return x + jnp.sin(a * x) ** 2 / a


def snake_pullback(x, alpha, ct):
    a = alpha[None, :]
    of_x = 1 + jnp.sin(2 * a * x)
    of_alpha = x * jnp.sin(2 * a * x) / a - jnp.sin(a * x) ** 2 / a**2
    return ct * of_x, jnp.sum(ct * of_alpha, axis=0)


# SiLU and Mish.


def silu_pullback(x, ct):
    s = 1 / (1 + jnp.exp(-x))
    return (ct * s * (1 + x * (1 - s)),)


def silu_by_product(x):
    return x * lax.logistic(x)


def silu_from_result_pullback(x, ct):
    s = jax.nn.sigmoid(x)
    y = x * s
    return (ct * (y + s * (1 - y)),)


def swish(x, beta):
    return x * jax.nn.sigmoid(beta * x)


def swish_pullback(x, beta, ct):
    s = jax.nn.sigmoid(beta * x)
    return ct * (s + beta * x * s * (1 - s)), jnp.vdot(ct, x**2 * s * (1 - s))


def mish_pullback(x, ct):
    t = jnp.tanh(jax.nn.softplus(x))
    out = x * jax.nn.sigmoid(x) * (1 - t * t)
    return (ct * (t + out),)


def mish_by_log(x):
    return x * jnp.tanh(jnp.log(1 + jnp.exp(x)))


def mish_rational_pullback(x, ct):
    omega = 4 * (x + 1) + 4 * jnp.exp(2 * x) + jnp.exp(3 * x) + jnp.exp(x) * (4 * x + 6)
    delta = 2 * jnp.exp(x) + jnp.exp(2 * x) + 2
    return (ct * jnp.exp(x) * omega / delta**2,)


# GELU, exact and by tanh.


def gelu_tanh_pullback(x, ct):
    beta = math.sqrt(2) * (2 / math.sqrt(math.pi)) * 0.5
    squared = x * x
    inner = beta * (x + 0.044715 * squared * x)
    t = jnp.tanh(inner)
    left, right = 0.5 * x, 1 + t
    of_inner = beta * (1 + 3 * 0.044715 * squared)
    return (ct * (0.5 * right + left * (1 - t * t) * of_inner),)


def gelu_cube(x):
    cube = 0.044715 * x * x * x
    return 0.5 * x * (1 + jnp.tanh(ROOT_2_OVER_PI * (x + cube)))


def gelu_cosh_pullback(x, ct):
    cube = 0.044715 * x * x * x
    argument = ROOT_2_OVER_PI * (x + cube)
    sech_squared = 1 / (jnp.cosh(argument) * jnp.cosh(argument))
    inner = sech_squared * ROOT_2_OVER_PI * (1 + 3 * 0.044715 * x * x)
    return ((0.5 * (1 + jnp.tanh(argument)) + x * 0.5 * inner) * ct,)


def gelu_by_sigmoid(x):
    return x * jax.nn.sigmoid(1.5957691216 * (x + 0.044715 * x**3))


def gelu_by_sigmoid_pullback(x, ct):
    s = jax.nn.sigmoid(1.5957691216 * (x + 0.044715 * x**3))
    return (ct * (s + x * s * (1 - s) * 1.5957691216 * (1 + 0.134145 * x**2)),)


def gelu_exact(x):
    return jax.nn.gelu(x, approximate=False)


def gelu_erf_pullback(x, ct):
    cdf = 0.5 * (1 + lax.erf(x * math.sqrt(0.5)))
    pdf = (2 / math.sqrt(math.pi)) * math.sqrt(0.5) * 0.5 * jnp.exp(-0.5 * x * x)
    return (ct * (cdf + x * pdf),)


def gelu_erf(x):
    return 0.5 * x * (1 + jax.scipy.special.erf(x / jnp.sqrt(2).astype(x.dtype)))


def gelu_erfc_pullback(x, ct):
    normal = jnp.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return (0.5 * ct * lax.erfc(-x / math.sqrt(2)) + ct * x * normal,)


def quick_gelu(x):
    return x * jax.nn.sigmoid(1.702 * x)


def quick_gelu_pullback(x, ct):
    s = jax.nn.sigmoid(1.702 * x)
    return (ct * s * (1 + 1.702 * x * (1 - s)),)


def gaussian(x, width):
    return jnp.exp(-(x**2) / (2 * width**2))


def gaussian_pullback(x, width, ct):
    y = gaussian(x, width)
    return -ct * y * x / width**2, jnp.sum(ct * y * x**2) / width**3


# An arbitrary function.


def any_function(x, sigma):
    return sigma(x)


def any_function_pullback(x, sigma, ct):
    return sigma.derivative(x) * ct, None


def _case(name, f, pullback, *domains, source="", sizes=""):
    return Case(name, "activation", f, pullback, domains or (d.real("batch n"),), sizes, source)


CASES: tuple[Case, ...] = (
    _case("sigmoid: s(1-s)", jax.nn.sigmoid, sigmoid_from_result),
    _case("sigmoid: exp(-x)/(1+exp(-x))^2", sigmoid_by_exp, sigmoid_by_exp_pullback),
    _case("sigmoid: 1/(4 cosh^2)", jax.nn.sigmoid, sigmoid_by_cosh_pullback),
    _case("sigmoid: two branches", sigmoid_two_branches, sigmoid_of_both_signs_pullback),
    _case(
        "sigmoid: by exp2",
        sigmoid_by_exp2,
        sigmoid_by_exp2_pullback,
        source="tinygrad: Tensor.sigmoid",
    ),
    _case("sigmoid: by tanh", sigmoid_by_tanh, sigmoid_by_tanh_pullback),
    _case("log_sigmoid: sigmoid(-x)", jax.nn.log_sigmoid, log_sigmoid_pullback),
    _case(
        "log_sigmoid: by sign",
        log_sigmoid_by_min,
        log_sigmoid_by_sign_pullback,
        source="PyTorch: log_sigmoid_backward",
    ),
    _case(
        "logit",
        logit,
        logit_pullback,
        d.real("n", low=0, high=1),
        source="PyTorch: logit_backward",
    ),
    _case("tanh: 1-t^2", jnp.tanh, tanh_from_result, source="PyTorch: tanh_backward"),
    _case("tanh: by exp", tanh_by_exp, tanh_by_exp_pullback, source="micrograd: Value.tanh"),
    _case(
        "tanh: 1/cosh^2",
        jnp.tanh,
        tanh_by_cosh_pullback,
        source="HIPS autograd: numpy_vjps.py, tanh",
    ),
    _case("tanh: 4/(e^x+e^-x)^2", jnp.tanh, tanh_by_exponentials_pullback),
    _case("tanhshrink", tanhshrink, tanhshrink_pullback),
    _case("soft cap", soft_cap, soft_cap_pullback, source="Gemma (Flax): logits soft cap"),
    _case("relu: where", jax.nn.relu, relu_pullback, source="JAX: jax.nn.relu"),
    _case(
        "relu: mask times cotangent",
        relu_by_maximum,
        relu_by_product_pullback,
        source="micrograd: Value.relu",
    ),
    _case(
        "relu: threshold",
        jax.nn.relu,
        relu_threshold_pullback,
        source="PyTorch: threshold_backward",
    ),
    _case("relu: by abs and sign", relu_by_abs, relu_by_sign_pullback),
    _case("relu squared", relu_squared, relu_squared_pullback, source="Primer: squared ReLU"),
    _case("leaky_relu", jax.nn.leaky_relu, leaky_relu_pullback),
    _case("leaky_relu: by maximum", leaky_relu_by_maximum, leaky_relu_by_slope_pullback),
    _case(
        "prelu",
        prelu,
        prelu_pullback,
        d.real("batch n"),
        d.real("n"),
        source="PyTorch: _prelu_kernel_backward",
    ),
    _case("relu6", jax.nn.relu6, relu6_pullback, source="JAX: jax.nn.relu6"),
    _case(
        "hard_tanh",
        hard_tanh_by_clip,
        hard_tanh_pullback,
        source="PyTorch: hardtanh_backward",
    ),
    _case("hard_sigmoid", jax.nn.hard_sigmoid, hard_sigmoid_pullback),
    _case("hard_swish", hard_swish, hard_swish_pullback, source="PyTorch: hardswish_backward"),
    _case("soft_shrink", soft_shrink, soft_shrink_pullback, source="PyTorch: softshrink_backward"),
    _case("sparse_plus", jax.nn.sparse_plus, sparse_plus_pullback),
    _case("elu", jax.nn.elu, elu_pullback),
    _case(
        "elu: from the result",
        jax.nn.elu,
        elu_from_result_pullback,
        source="PyTorch: elu_backward",
    ),
    _case(
        "elu with alpha",
        elu_with_alpha,
        elu_with_alpha_pullback,
        d.real("batch n"),
        d.real(),
    ),
    _case("celu", celu, celu_pullback, source="PyTorch: celu"),
    _case("selu", jax.nn.selu, selu_pullback, source="JAX: jax.nn.selu"),
    _case("softplus", jax.nn.softplus, softplus_pullback, source="JAX: jax.nn.softplus"),
    _case(
        "softplus: by log1p",
        softplus_by_log1p,
        softplus_by_log1p_pullback,
        source="TensorFlow: softplus_op.h",
    ),
    _case("softplus: 1-exp(-y)", jax.nn.softplus, softplus_from_result_pullback),
    _case(
        "softplus: threshold",
        softplus_with_threshold,
        softplus_with_threshold_pullback,
        d.real("batch n"),
        d.static(1.5),
        source="PyTorch: softplus_backward",
    ),
    _case(
        "softplus with beta",
        softplus_with_beta,
        softplus_with_beta_pullback,
        d.real("batch n"),
        d.positive(),
    ),
    _case("squareplus", jax.nn.squareplus, squareplus_pullback),
    _case("bent identity", bent_identity, bent_identity_pullback, d.real("n")),
    _case("soft_sign", jax.nn.soft_sign, soft_sign_pullback),
    _case(
        "snake", snake, snake_pullback, d.real("batch n"), d.positive("n"), source="BigVGAN: Snake"
    ),
    _case("silu: s(1+x(1-s))", jax.nn.silu, silu_pullback, source="PyTorch: silu_backward"),
    _case("silu: from the result", silu_by_product, silu_from_result_pullback),
    _case("swish", swish, swish_pullback, d.real("batch n"), d.real()),
    _case("mish", jax.nn.mish, mish_pullback, source="PyTorch: mish_backward"),
    _case("mish: rational", mish_by_log, mish_rational_pullback, source="Mish: derivative"),
    _case("gelu by tanh", jax.nn.gelu, gelu_tanh_pullback, source="PyTorch: gelu_backward"),
    _case("gelu by tanh: cosh", gelu_cube, gelu_cosh_pullback, source="llm.c: gelu_backward"),
    _case("gelu by sigmoid", gelu_by_sigmoid, gelu_by_sigmoid_pullback),
    _case("gelu exact: erf", gelu_exact, gelu_erf_pullback, source="PyTorch: gelu_backward"),
    _case("gelu exact: erfc", gelu_erf, gelu_erfc_pullback),
    _case("quick gelu", quick_gelu, quick_gelu_pullback, source="CLIP: QuickGELU"),
    _case("gaussian", gaussian, gaussian_pullback, d.real("batch n"), d.nonzero()),
    _case(
        "any function",
        any_function,
        any_function_pullback,
        d.real("batch n"),
        d.function("sigma"),
    ),
)
