"""Elementwise rules, reductions, densities and scans."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .settings import as_users_run

# --- powers and roots


def power(x, y):
    return jnp.power(x, y)


def power_from_result(x, y, ct):
    result = x**y
    return ct * (y * x ** (y - 1)), ct * (result * jnp.log(x))


def power_by_exp(x, y, ct):
    log_x = jnp.log(x)
    result = jnp.exp(y * log_x)
    return ct * y * result / x, ct * log_x * result


def power_guarded(x, y, ct):
    d_x = ct * y * x ** jnp.where(y != 0, y - 1, 1.0)
    return d_x, ct * jnp.log(jnp.where(x != 0, x, 1.0)) * x**y


def power_of_scalar(x, exponent):
    return jnp.exp(exponent * jnp.log(x))


def power_of_scalar_pullback(x, exponent, ct):
    powered = jnp.power(x, exponent)
    return exponent * powered / x * ct, jnp.sum(ct * powered * jnp.log(x))


def cube(x):
    return x**3


def cube_pullback(x, ct):
    return (3 * jnp.square(x) * ct,)


def inverse_square(x):
    return x**-2


def inverse_square_pullback(x, ct):
    return (-2.0 * ct / (x * x * x),)


def root(x):
    return jnp.sqrt(x)


def root_from_output(x, ct):
    return (ct / (jnp.sqrt(x) * 2),)


def reciprocal_root(x):
    return lax.rsqrt(x)


def reciprocal_root_from_output(x, ct):
    result = lax.rsqrt(x)
    return (-0.5 * ct * result**3,)


def reciprocal_root_quotient(x, ct):
    return (ct * (lax.rsqrt(x) / x) * -0.5,)


def reciprocal(x):
    return 1 / x


def reciprocal_pullback(x, ct):
    result = jnp.reciprocal(x)
    return (-ct * result * result,)


def divide(x, y):
    return x / y


def divide_pullback(x, y, ct):
    return ct / y, -ct * ((x / y) / y)


def hypotenuse(x, y):
    return jnp.hypot(x, y)


def hypotenuse_pullback(x, y, ct):
    result = jnp.hypot(x, y)
    return ct * (x / result), ct * (y / result)


def hypotenuse_root(x, y):
    return jnp.sqrt(x * x + y * y)


def hypotenuse_root_pullback(x, y, ct):
    g = ct * lax.rsqrt(jnp.square(x) + jnp.square(y))
    return g * x, g * y


def hypotenuse_scaled(x, y):
    x, y = jnp.abs(x), jnp.abs(y)
    large, small = jnp.maximum(x, y), jnp.minimum(x, y)
    return large * jnp.sqrt(1 + (small / large) ** 2)


def hypotenuse_scaled_pullback(x, y, ct):
    length = jnp.sqrt(x**2 + y**2)
    return ct * x / length, ct * y / length


# --- exponentials and logarithms


def expm1(x):
    return jnp.expm1(x)


def expm1_from_output(x, ct):
    return (ct * (jnp.expm1(x) + 1),)


def log1p(x):
    return jnp.log1p(x)


def log1p_pullback(x, ct):
    return (ct / (x + 1),)


def exprel(x):
    safe = jnp.where(x == 0, 1.0, x)
    return jnp.where(x == 0, 1.0, jnp.expm1(safe) / safe)


def exprel_pullback(x, ct):
    safe = jnp.where(x == 0, 1.0, x)
    slope = (jnp.exp(safe) * safe - jnp.expm1(safe)) / safe**2
    return (ct * jnp.where(x == 0, 0.5, slope),)


def logit(p):
    return jnp.log(p / (1 - p))


def logit_pullback(p, ct):
    return (ct / (p * (1 - p)),)


def x_log_y(x, y):
    return x * jnp.log(y)


def x_log_y_pullback(x, y, ct):
    return ct * jnp.log(y), ct * x / y


def log_add_exp(x, y):
    return jnp.logaddexp(x, y)


def log_add_exp_from_output(x, y, ct):
    ans = jnp.logaddexp(x, y)
    return ct * jnp.exp(x - ans), ct * jnp.exp(y - ans)


def log_add_exp_stable(x, y):
    return jnp.maximum(x, y) + jnp.log1p(jnp.exp(-jnp.abs(x - y)))


def log_add_exp_sigmoid(x, y, ct):
    s = jax.nn.sigmoid(x - y)
    return ct * s, ct * (1 - s)


def softplus(x):
    return jnp.log1p(jnp.exp(x))


def softplus_pullback(x, ct):
    return (ct / (1 + jnp.exp(-x)),)


def softplus_stable(x):
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


def softplus_branches(x, ct):
    e = jnp.exp(-jnp.abs(x))
    return (ct * jnp.where(x >= 0, 1 / (1 + e), e / (1 + e)),)


def softplus_threshold(x, beta):
    return jnp.logaddexp(beta * x, 0.0) / beta


def softplus_threshold_pullback(x, beta, ct):
    s = jax.nn.sigmoid(beta * x)
    value = jnp.logaddexp(beta * x, 0.0) / beta
    return ct * s, jnp.sum(ct * (x * s - value)) / beta


def log_sigmoid(x):
    return -jax.nn.softplus(-x)


def log_sigmoid_pullback(x, ct):
    negative = x < 0
    z = jnp.exp(-jnp.abs(x))
    largest = jnp.where(negative, 1.0, 0.0)
    sign = jnp.where(negative, 1.0, -1.0)
    return ((largest - sign * (z / (1 + z))) * ct,)


def sigmoid_branches(x):
    e = jnp.exp(jnp.where(x >= 0, -x, x))
    return jnp.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_branches_pullback(x, ct):
    return (ct * jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),)


# --- trigonometric and hyperbolic


def sine(x):
    return jnp.sin(x)


def sine_shifted(x, ct):
    return (jnp.sin(jnp.pi / 2 - x) * ct,)


def damped_wave(t, rate, frequency):
    return jnp.exp(-rate * t) * jnp.cos(frequency * t)


def damped_wave_pullback(t, rate, frequency, ct):
    decay = jnp.exp(-rate * t)
    even, odd = decay * jnp.cos(frequency * t), decay * jnp.sin(frequency * t)
    d_t = -ct * (rate * even + frequency * odd)
    return d_t, jnp.sum(-ct * t * even), jnp.sum(-ct * t * odd)


def tangent(x):
    return jnp.sin(x) / jnp.cos(x)


def tangent_pullback(x, ct):
    t = jnp.sin(x) / jnp.cos(x)
    return (ct * (1 + t * t),)


def cardinal_sine(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / jnp.where(x == 0, 1.0, x))


def cardinal_sine_pullback(x, ct):
    safe = jnp.where(x == 0, 1.0, x)
    slope = (safe * jnp.cos(safe) - jnp.sin(safe)) / jnp.square(safe)
    return (jnp.where(x == 0, 0.0, ct * slope),)


def neuron_output(x):
    return (jnp.exp(2 * x) - 1) / (jnp.exp(2 * x) + 1)


def neuron_output_pullback(x, ct):
    t = jnp.tanh(x)
    return ((1 - t**2) * ct,)


def log_cosh(x):
    return jnp.logaddexp(x, -x) - jnp.log(2.0)


def log_cosh_pullback(x, ct):
    return (ct * jnp.tanh(x),)


# --- clamps, absolute values, maxima


def clamp(x):
    return jnp.clip(x, -1.0, 2.0)


def clamp_inclusive(x, ct):
    return (jnp.where((x >= -1.0) & (x <= 2.0), ct, 0.0),)


def clamp_from_output(x, ct):
    ans = lax.clamp(-1.0, x, 2.0)
    return (ct * jnp.logical_and(ans != -1.0, ans != 2.0),)


def clamp_between(x, low, high):
    return jnp.minimum(jnp.maximum(x, low), high)


def clamp_between_pullback(x, low, high, ct):
    raised = jnp.maximum(x, low)
    passes = jnp.where(raised < high, ct, 0.0)
    d_x = jnp.where(x > low, passes, 0.0)
    return d_x, jnp.sum(passes - d_x), jnp.sum(ct - passes)


def absolute(x):
    return jnp.abs(x)


def absolute_sign(x, ct):
    return (ct * jnp.sign(x),)


def absolute_select(x, ct):
    return (lax.select(x > 0, ct, -ct) * (x != 0),)


def smooth_absolute(x, eps):
    return jnp.sqrt(x * x + eps * eps) - eps


def smooth_absolute_pullback(x, eps, ct):
    g = ct / jnp.sqrt(x * x + eps * eps)
    return g * x, jnp.sum(g * eps - ct)


def maximum(x, y):
    return jnp.maximum(x, y)


def maximum_halved_ties(x, y, ct):
    half = jnp.where(x == y, ct * 0.5, 0)
    return jnp.where(x > y, ct, half), jnp.where(x < y, ct, half)


def maximum_masked(x, y, ct):
    first = x >= y
    return jnp.where(first, ct, 0.0), jnp.where(first, 0.0, ct)


def minimum(x, y):
    return jnp.where(x < y, x, y)


def minimum_balanced(x, y, ct):
    ans = jnp.minimum(x, y)
    equal = (x == y) * 1.0
    return ct * (x == ans) / (1.0 + equal), ct * (y == ans) / (1.0 + equal)


def largest(x):
    return jnp.max(x, axis=1)


def largest_by_argmax(x, ct):
    return (ct[:, None] * jax.nn.one_hot(jnp.argmax(x, axis=1), x.shape[1], dtype=ct.dtype),)


def largest_shared(x, ct):
    mask = (x == jnp.max(x, axis=1, keepdims=True)).astype(ct.dtype)
    return (mask / jnp.sum(mask, axis=1, keepdims=True) * ct[:, None],)


def largest_gathered(x):
    return jnp.take_along_axis(x, jnp.argmax(x, axis=0)[None, :], axis=0)[0]


def largest_gathered_pullback(x, ct):
    columns = jnp.arange(x.shape[1])
    return (jnp.zeros_like(x).at[jnp.argmax(x, axis=0), columns].add(ct),)


def spread(x):
    return jnp.max(x, axis=-1) - jnp.min(x, axis=-1)


def spread_pullback(x, ct):
    top = x == x.max(axis=-1, keepdims=True)
    bottom = x == x.min(axis=-1, keepdims=True)
    up, down = top / top.sum(-1, keepdims=True), bottom / bottom.sum(-1, keepdims=True)
    return (ct[..., None] * (up - down),)


# --- sums, products, moments


def product_of_three(x, y, z):
    return x * y * z


def product_of_three_pullback(x, y, z, ct):
    return ct * y * z, x * ct * z, x * y * ct


def product(x):
    return jnp.prod(x, axis=1)


def product_from_output(x, ct):
    return ((ct * jnp.prod(x, axis=1))[:, None] / x,)


def sum_of_squares_over_axis(x):
    return jnp.sum(x**2, axis=0)


def sum_of_squares_over_axis_pullback(x, ct):
    return (jnp.broadcast_to(ct, x.shape) * 2 * x,)


def mean(x):
    return jnp.mean(x, axis=0)


def mean_pullback(x, ct):
    return (jnp.ones_like(x) * ct[None, :] / x.shape[0],)


def variance(x):
    return jnp.var(x, axis=1)


def variance_pullback(x, ct):
    centred = x - jnp.mean(x, axis=1, keepdims=True)
    return (2.0 * ct[:, None] * centred / x.shape[1],)


def variance_unbiased(x):
    return jnp.var(x, axis=0, ddof=1)


def variance_unbiased_pullback(x, ct):
    return ((2.0 / (x.shape[0] - 1)) * ct * (x - x.mean(0)),)


def variance_of_pairs(x):
    n = x.shape[0]
    return jnp.sum((x[:, None] - x[None, :]) ** 2) / (2 * n * n)


def variance_of_pairs_pullback(x, ct):
    return (2 * ct * (x - jnp.mean(x)) / x.shape[0],)


def deviation(x):
    return jnp.std(x, axis=-1)


def deviation_pullback(x, ct):
    result = jnp.std(x, axis=-1, keepdims=True)
    centred = x - x.mean(axis=-1, keepdims=True)
    safe = jnp.where(result == 0, 1.0, result)
    scaled = (ct[:, None] / (safe * x.shape[-1])) * centred
    return (jnp.where(result == 0, 0.0, scaled),)


def deviation_eps(x):
    centred = x - jnp.mean(x)
    return jnp.sqrt(jnp.dot(centred, centred) / x.shape[0] + 1e-6)


def deviation_eps_pullback(x, ct):
    n = x.shape[0]
    second = jnp.mean(x * x) - jnp.mean(x) ** 2
    return (ct * (x / n - jnp.mean(x) / n) / jnp.sqrt(second + 1e-6),)


def weighted_mean(x, w):
    return jnp.sum(w * x) / jnp.sum(w)


def weighted_mean_pullback(x, w, ct):
    total = jnp.sum(w)
    average = jnp.average(x, weights=w)
    return ct * w / total, ct * (x - average) / total


def covariance(x, y):
    return jnp.mean((x - jnp.mean(x)) * (y - jnp.mean(y)))


def covariance_pullback(x, y, ct):
    n = x.shape[0]
    return ct * (y - jnp.mean(y)) / n, ct * (x - jnp.mean(x)) / n


def covariance_matrix(x):
    centred = x - x.mean(axis=0)
    return centred.T @ centred / (x.shape[0] - 1)


def covariance_matrix_pullback(x, ct):
    centred = x - x.mean(axis=0, keepdims=True)
    return (centred @ (ct + ct.T) / (x.shape[0] - 1),)


def standard_score_sum(x, target):
    z = (x - jnp.mean(x)) / jnp.sqrt(jnp.var(x) + 1e-6)
    return jnp.dot(z, target)


def standard_score_sum_pullback(x, target, ct):
    sigma = jnp.sqrt(jnp.var(x) + 1e-6)
    z = (x - jnp.mean(x)) / sigma
    d_x = ct / sigma * (target - jnp.mean(target) - z * jnp.mean(z * target))
    return d_x, ct * z


def ratio(x):
    return x / jnp.sum(x, axis=-1, keepdims=True)


def ratio_pullback(x, ct):
    total = jnp.sum(x, axis=-1, keepdims=True)
    return ((ct - jnp.sum(ct * x, axis=-1, keepdims=True) / total) / total,)


def ratio_of_columns(x):
    return x / x.sum(0)


def ratio_of_columns_pullback(x, ct):
    y = x / jnp.einsum("ij->j", x)
    return ((ct - jnp.einsum("ij,ij->j", ct, y)) / jnp.einsum("ij->j", x),)


def geometric_mean(x):
    return jnp.exp(jnp.mean(jnp.log(x), axis=-1))


def geometric_mean_pullback(x, ct):
    return ((ct * jnp.exp(jnp.log(x).sum(-1) / x.shape[-1]))[:, None] / (x.shape[-1] * x),)


def harmonic_mean(x):
    return x.shape[0] / jnp.sum(1 / x)


def harmonic_mean_pullback(x, ct):
    h = 1 / jnp.mean(1 / x)
    return (ct * jnp.square(h / x) / x.shape[0],)


def p_norm(x):
    return jnp.sum(jnp.abs(x) ** 4) ** 0.25


def p_norm_pullback(x, ct):
    norm = jnp.sum(x**4) ** 0.25
    return (ct * x * jnp.abs(x) ** 2 / norm**3,)


def polynomial(x, c):
    return c[0] + x * (c[1] + x * (c[2] + x * c[3]))


def polynomial_pullback(x, c, ct):
    slope = c[1] + 2 * c[2] * x + 3 * c[3] * x**2
    powers = jnp.stack([jnp.ones_like(x), x, x**2, x**3])
    return ct * slope, powers @ ct


def polynomial_square(x):
    return (x - 1) * (x + 1) * (x * x + 1)


def polynomial_square_pullback(x, ct):
    return (4 * x**3 * ct,)


# --- logsumexp


def log_sum_exp(x):
    return jax.nn.logsumexp(x, axis=-1)


def log_sum_exp_from_output(x, ct):
    result = jax.nn.logsumexp(x, axis=-1)
    return (ct[:, None] * jnp.exp(x - result[:, None]),)


def log_sum_exp_softmax(x, ct):
    return (jnp.expand_dims(ct, -1) * jax.nn.softmax(x, axis=-1),)


def log_sum_exp_manual(x):
    top = lax.stop_gradient(jnp.max(x, axis=0))
    return jnp.log(jnp.sum(jnp.exp(x - top), axis=0)) + top


def log_sum_exp_manual_pullback(x, ct):
    e = jnp.exp(x - jnp.max(x, axis=0))
    return (ct / e.sum(axis=0) * e,)


def log_mean_exp(x):
    return jax.nn.logsumexp(x, axis=1) - jnp.log(x.shape[1])


def log_mean_exp_pullback(x, ct):
    return (jax.nn.softmax(x, axis=1) * ct[:, None],)


def weighted_log_sum_exp(x, w):
    return jax.nn.logsumexp(x, axis=-1, b=w)


def weighted_log_sum_exp_pullback(x, w, ct):
    top = jnp.max(x, axis=-1, keepdims=True)
    e = jnp.exp(x - top)
    g = ct[:, None] / jnp.sum(w * e, axis=-1, keepdims=True)
    return g * w * e, g * e


def mixture_log_density(x, log_weights):
    joint = jax.nn.log_softmax(log_weights)[None, :] + x
    return jnp.mean(jax.nn.logsumexp(joint, axis=1))


def mixture_log_density_pullback(x, log_weights, ct):
    pi = jax.nn.softmax(log_weights)
    responsibilities = jax.nn.softmax(x + jnp.log(pi), axis=1)
    d_x = ct * responsibilities / x.shape[0]
    return d_x, ct * (responsibilities.mean(0) - pi)


def soft_argmax(x, positions):
    return jax.nn.softmax(x, axis=-1) @ positions


def soft_argmax_pullback(x, positions, ct):
    p = jax.nn.softmax(x, axis=-1)
    return ct[:, None] * p * (positions - (p @ positions)[:, None]), ct @ p


# --- densities


def gaussian(x, mu, sigma):
    z = (x - mu) / sigma
    return jnp.sum(-0.5 * z**2 - jnp.log(sigma) - 0.5 * jnp.log(2 * jnp.pi))


def gaussian_pullback(x, mu, sigma, ct):
    d_x = -ct * (x - mu) / sigma**2
    return d_x, -jnp.sum(d_x), ct * jnp.sum((x - mu) ** 2 / sigma**3 - 1 / sigma)


def gaussian_log_variance(x, mu, log_variance):
    square = jnp.square(x - mu) * jnp.exp(-log_variance)
    return 0.5 * jnp.mean(log_variance + square)


def gaussian_log_variance_pullback(x, mu, log_variance, ct):
    g = ct / (x.shape[0] * x.shape[1])
    weighted = g * (x - mu) * jnp.exp(-log_variance)
    return weighted, -weighted, 0.5 * (g - weighted * (x - mu))


def gaussian_precision(x, mu, scale):
    y = (x - mu) @ scale
    return -0.5 * jnp.sum(y * y, axis=-1)


def gaussian_precision_pullback(x, mu, scale, ct):
    centred = x - mu
    d_x = -ct[:, None] * (centred @ scale @ scale.T)
    d_scale = -(centred * ct[:, None]).T @ centred @ scale
    return d_x, -d_x.sum(0), d_scale


def kl_to_standard_normal(mu, log_variance):
    return -0.5 * jnp.sum(1 + log_variance - mu**2 - jnp.exp(log_variance)) / mu.shape[0]


def kl_to_standard_normal_pullback(mu, log_variance, ct):
    g = ct / mu.shape[0]
    return g * mu, 0.5 * g * jnp.expm1(log_variance)


def reparameterise(mu, log_variance, noise):
    return mu + jnp.exp(0.5 * log_variance) * noise


def reparameterise_pullback(mu, log_variance, noise, ct):
    sigma = jnp.exp(log_variance / 2)
    return ct, ct * sigma * noise / 2, ct * sigma


def laplace(x, mu, scale):
    return jnp.mean(-jnp.abs(x - mu) / scale - jnp.log(2 * scale))


def laplace_pullback(x, mu, scale, ct):
    sign = jnp.sign(x - mu)
    d_mu = ct * jnp.mean(sign) / scale
    d_scale = ct * (jnp.mean(jnp.abs(x - mu)) / scale**2 - 1 / scale)
    return -ct * sign / (scale * x.shape[0]), d_mu, d_scale


def entropy(p):
    return -jnp.sum(p * jnp.log(p), axis=-1)


def entropy_pullback(p, ct):
    return (-ct[:, None] * (jnp.log(p) + 1),)


def entropy_of_logits(z):
    log_p = jax.nn.log_softmax(z, axis=-1)
    return -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)


def entropy_of_logits_pullback(z, ct):
    p = jax.nn.softmax(z, axis=-1)
    log_p = jnp.log(p)
    h = -jnp.sum(p * log_p, axis=-1, keepdims=True)
    return (-ct[:, None] * p * (log_p + h),)


def binary_entropy(p):
    return -(p * jnp.log(p) + (1 - p) * jnp.log1p(-p))


def binary_entropy_pullback(p, ct):
    return (ct * (jnp.log1p(-p) - jnp.log(p)),)


def relative_entropy(p, q):
    return jnp.sum(p * (jnp.log(p) - jnp.log(q)))


def relative_entropy_pullback(p, q, ct):
    return ct * (jnp.log(p / q) + 1), -ct * p / q


# --- scans


def scan_sum(x):
    return lax.scan(lambda total, row: (total + row, None), jnp.zeros_like(x[0]), x)[0]


def scan_sum_pullback(x, ct):
    return (jnp.broadcast_to(ct[None, :], x.shape),)


def scan_of_squares(x, y):
    def step(total, pair):
        a, b = pair
        return total + a * a * b, None

    return lax.scan(step, jnp.zeros((), x.dtype), (x, y))[0]


def scan_of_squares_pullback(x, y, ct):
    return 2 * ct * x * y, ct * x**2


def scan_dot(a, b):
    def step(total, pair):
        column, row = pair
        return total + column[:, None] * row[None, :], None

    start = jnp.zeros((a.shape[0], b.shape[1]), a.dtype)
    return lax.scan(step, start, (a.T, b))[0]


def scan_dot_pullback(a, b, ct):
    return ct @ b.T, a.T @ ct


def scan_max(x):
    return lax.scan(lambda top, row: (jnp.maximum(top, row), None), x[0], x)[0]


def scan_max_pullback(x, ct):
    is_top = x == jnp.max(x, axis=0)
    return (jnp.where(is_top, ct / jnp.sum(is_top, axis=0), 0.0),)


def scan_log_sum_exp(x):
    top, _ = lax.scan(lambda m, v: (jnp.maximum(m, v), None), x[0], x)
    total, _ = lax.scan(lambda s, v: (s + jnp.exp(v - top), None), jnp.zeros_like(top), x)
    return top + jnp.log(total)


def scan_log_sum_exp_pullback(x, ct):
    return (ct * jax.nn.softmax(x, axis=0),)


def online_log_sum_exp(x):
    def step(carry, v):
        top, total = carry
        higher = jnp.maximum(top, v)
        return (higher, total * jnp.exp(top - higher) + jnp.exp(v - higher)), None

    (top, total), _ = lax.scan(step, (jnp.full((), -1e30, x.dtype), jnp.zeros((), x.dtype)), x)
    return top + jnp.log(total)


def online_log_sum_exp_pullback(x, ct):
    return (ct * jnp.exp(x - jax.nn.logsumexp(x)),)


def prefix_scan(x):
    def step(total, v):
        return total + v, total + v

    return lax.scan(step, jnp.zeros((), x.dtype), x)[1]


def prefix_scan_pullback(x, ct):
    def step(total, g):
        return total + g, total + g

    return (lax.scan(step, jnp.zeros((), ct.dtype), ct, reverse=True)[1],)


N = (d.real("n"),)
ROWS = (d.real("n k"),)
TWO = (d.real("n"), d.real("n"))
POWER = (d.positive("n"), d.real("n"))

CASES = as_users_run(
    [
        Case(
            "power, from the result",
            "pow",
            power,
            power_from_result,
            POWER,
            source="PyTorch: FunctionsManual.cpp, pow_backward_self, pow_backward_exponent",
        ),
        Case("power, by exp and log", "pow", power, power_by_exp, POWER),
        Case(
            "power, guarded",
            "pow",
            power,
            power_guarded,
            POWER,
            source="HIPS autograd: numpy_vjps.py, power",
        ),
        Case(
            "power with one exponent",
            "pow",
            power_of_scalar,
            power_of_scalar_pullback,
            (d.positive("n"), d.real()),
        ),
        Case("cube", "pow", cube, cube_pullback, N),
        Case("inverse square", "pow", inverse_square, inverse_square_pullback, (d.nonzero("n"),)),
        Case(
            "square root, from the output",
            "root",
            root,
            root_from_output,
            (d.positive("n"),),
            source="tinygrad: gradient.py, SQRT",
        ),
        Case(
            "rsqrt, from the output",
            "root",
            reciprocal_root,
            reciprocal_root_from_output,
            (d.positive("n"),),
            source="PyTorch: derivatives.yaml, rsqrt",
        ),
        Case(
            "rsqrt, quotient",
            "root",
            reciprocal_root,
            reciprocal_root_quotient,
            (d.positive("n"),),
            source="JAX: lax.py, rsqrt_p",
        ),
        Case(
            "reciprocal",
            "root",
            reciprocal,
            reciprocal_pullback,
            (d.nonzero("n"),),
            source="tinygrad: gradient.py, RECIPROCAL",
        ),
        Case(
            "quotient",
            "root",
            divide,
            divide_pullback,
            (d.real("n"), d.nonzero("n")),
            source="PyTorch: FunctionsManual.cpp, div_tensor_other_grad",
        ),
        Case(
            "hypot",
            "hypot",
            hypotenuse,
            hypotenuse_pullback,
            (d.nonzero("n"), d.nonzero("n")),
            source="PyTorch: derivatives.yaml, hypot",
        ),
        Case(
            "hypot, root of squares",
            "hypot",
            hypotenuse_root,
            hypotenuse_root_pullback,
            (d.nonzero("n"), d.real("n")),
        ),
        Case(
            "hypot, scaled",
            "hypot",
            hypotenuse_scaled,
            hypotenuse_scaled_pullback,
            (d.nonzero("n"), d.nonzero("n")),
        ),
        Case(
            "expm1",
            "exp and log",
            expm1,
            expm1_from_output,
            N,
            source="PyTorch: derivatives.yaml, expm1",
        ),
        Case(
            "log1p",
            "exp and log",
            log1p,
            log1p_pullback,
            (d.real("n", low=-1),),
            source="HIPS autograd: numpy_vjps.py, log1p",
        ),
        Case("expm1(x) / x, removable", "exp and log", exprel, exprel_pullback, N),
        Case(
            "logit of a probability",
            "exp and log",
            logit,
            logit_pullback,
            (d.real("n", low=0, high=1),),
            source="PyTorch: aten, BinaryOpsKernel.cpp, logit_backward",
        ),
        Case("x log y", "exp and log", x_log_y, x_log_y_pullback, (d.real("n"), d.positive("n"))),
        Case(
            "logaddexp, from the output",
            "logaddexp",
            log_add_exp,
            log_add_exp_from_output,
            TWO,
            source="HIPS autograd: numpy_vjps.py, logaddexp",
        ),
        Case("logaddexp, stable", "logaddexp", log_add_exp_stable, log_add_exp_sigmoid, TWO),
        Case("softplus, log1p", "softplus", softplus, softplus_pullback, N),
        Case("softplus, stable", "softplus", softplus_stable, softplus_branches, N),
        Case(
            "softplus with a sharpness",
            "softplus",
            softplus_threshold,
            softplus_threshold_pullback,
            (d.real("n"), d.positive()),
        ),
        Case(
            "log-sigmoid",
            "softplus",
            log_sigmoid,
            log_sigmoid_pullback,
            N,
            source="PyTorch: aten, Activation.cpp, log_sigmoid_backward",
        ),
        Case("sigmoid, branches", "softplus", sigmoid_branches, sigmoid_branches_pullback, N),
        Case(
            "sine, shifted",
            "trigonometric",
            sine,
            sine_shifted,
            N,
            source="tinygrad: gradient.py, SIN",
        ),
        Case(
            "damped wave",
            "trigonometric",
            damped_wave,
            damped_wave_pullback,
            (d.real("n"), d.real(), d.real()),
        ),
        Case(
            "tangent",
            "trigonometric",
            tangent,
            tangent_pullback,
            (d.real("n", low=-1.5, high=1.5),),
        ),
        Case("cardinal sine, removable", "trigonometric", cardinal_sine, cardinal_sine_pullback, N),
        Case(
            "tanh by exponentials",
            "trigonometric",
            neuron_output,
            neuron_output_pullback,
            N,
            source="micrograd: engine.py, tanh of the lecture",
        ),
        Case(
            "log cosh by logaddexp",
            "trigonometric",
            log_cosh,
            log_cosh_pullback,
            N,
            source="Keras: losses, log_cosh",
        ),
        Case(
            "clamp, inclusive",
            "clamp",
            clamp,
            clamp_inclusive,
            N,
            source="PyTorch: FunctionsManual.cpp, clamp_backward",
        ),
        Case(
            "clamp, from the output",
            "clamp",
            clamp,
            clamp_from_output,
            N,
            source="HIPS autograd: numpy_vjps.py, clip",
        ),
        Case(
            "clamp between two scalars",
            "clamp",
            clamp_between,
            clamp_between_pullback,
            (d.real("n"), d.real(low=-2, high=0), d.real(low=0, high=2)),
        ),
        Case(
            "absolute value, sign",
            "absolute value",
            absolute,
            absolute_sign,
            N,
            source="PyTorch: derivatives.yaml, abs",
        ),
        Case("absolute value, select", "absolute value", absolute, absolute_select, N),
        Case(
            "smooth absolute value",
            "absolute value",
            smooth_absolute,
            smooth_absolute_pullback,
            (d.real("n"), d.positive()),
        ),
        Case(
            "maximum, halved ties",
            "maximum",
            maximum,
            maximum_halved_ties,
            TWO,
            source="tinygrad: gradient.py, MAX",
        ),
        Case("maximum, first at ties", "maximum", maximum, maximum_masked, TWO),
        Case(
            "minimum, balanced ties",
            "maximum",
            minimum,
            minimum_balanced,
            TWO,
            source="HIPS autograd: numpy_vjps.py, minimum",
        ),
        Case("largest entry, argmax", "maximum", largest, largest_by_argmax, ROWS),
        Case(
            "largest entry, shared",
            "maximum",
            largest,
            largest_shared,
            ROWS,
            source="tinygrad: gradient.py, reduce_gradient with MAX",
        ),
        Case(
            "largest entry, gathered",
            "maximum",
            largest_gathered,
            largest_gathered_pullback,
            ROWS,
            source="PyTorch: derivatives.yaml, max with dim",
        ),
        Case(
            "largest minus smallest",
            "maximum",
            spread,
            spread_pullback,
            ROWS,
            source="HIPS autograd: numpy_vjps.py, grad_chooser",
        ),
        Case(
            "product of three",
            "product",
            product_of_three,
            product_of_three_pullback,
            (d.real("n"), d.real("n"), d.real("n")),
        ),
        Case(
            "product over an axis",
            "product",
            product,
            product_from_output,
            (d.nonzero("n k"),),
            source="HIPS autograd: numpy_vjps.py, grad_np_prod",
        ),
        Case(
            "sum of squares over an axis",
            "reduction",
            sum_of_squares_over_axis,
            sum_of_squares_over_axis_pullback,
            ROWS,
        ),
        Case(
            "mean over an axis",
            "reduction",
            mean,
            mean_pullback,
            ROWS,
            source="HIPS autograd: numpy_vjps.py, grad_np_mean",
        ),
        Case(
            "variance",
            "reduction",
            variance,
            variance_pullback,
            ROWS,
            source="HIPS autograd: numpy_vjps.py, grad_np_var",
        ),
        Case(
            "variance, unbiased",
            "reduction",
            variance_unbiased,
            variance_unbiased_pullback,
            ROWS,
            sizes="n >= 2",
            source="PyTorch: FunctionsManual.cpp, var_backward",
        ),
        Case("variance from pairs", "reduction", variance_of_pairs, variance_of_pairs_pullback, N),
        Case(
            "standard deviation",
            "reduction",
            deviation,
            deviation_pullback,
            ROWS,
            source="PyTorch: FunctionsManual.cpp, std_backward",
        ),
        Case("standard deviation with eps", "reduction", deviation_eps, deviation_eps_pullback, N),
        Case(
            "weighted mean",
            "reduction",
            weighted_mean,
            weighted_mean_pullback,
            (d.real("n"), d.positive("n")),
        ),
        Case("covariance", "reduction", covariance, covariance_pullback, TWO),
        Case(
            "covariance matrix",
            "reduction",
            covariance_matrix,
            covariance_matrix_pullback,
            ROWS,
            sizes="n >= 2",
        ),
        Case(
            "standard scores against a target",
            "reduction",
            standard_score_sum,
            standard_score_sum_pullback,
            TWO,
        ),
        Case("ratio to the sum", "ratio", ratio, ratio_pullback, (d.positive("n k"),)),
        Case(
            "ratio to the sum of a column",
            "ratio",
            ratio_of_columns,
            ratio_of_columns_pullback,
            (d.positive("n k"),),
        ),
        Case(
            "geometric mean", "ratio", geometric_mean, geometric_mean_pullback, (d.positive("n k"),)
        ),
        Case("harmonic mean", "ratio", harmonic_mean, harmonic_mean_pullback, (d.positive("n"),)),
        Case(
            "4-norm",
            "ratio",
            p_norm,
            p_norm_pullback,
            (d.nonzero("n"),),
            source="PyTorch: FunctionsManual.cpp, norm_backward with p > 2",
        ),
        Case(
            "polynomial, Horner",
            "polynomial",
            polynomial,
            polynomial_pullback,
            (d.real("n"), d.real("4")),
        ),
        Case("polynomial, factors", "polynomial", polynomial_square, polynomial_square_pullback, N),
        Case(
            "logsumexp, from the output",
            "logsumexp",
            log_sum_exp,
            log_sum_exp_from_output,
            ROWS,
            source="PyTorch: FunctionsManual.cpp, logsumexp_backward",
        ),
        Case("logsumexp, softmax", "logsumexp", log_sum_exp, log_sum_exp_softmax, ROWS),
        Case(
            "logsumexp, own maximum",
            "logsumexp",
            log_sum_exp_manual,
            log_sum_exp_manual_pullback,
            ROWS,
        ),
        Case("log of the mean of exp", "logsumexp", log_mean_exp, log_mean_exp_pullback, ROWS),
        Case(
            "logsumexp with weights",
            "logsumexp",
            weighted_log_sum_exp,
            weighted_log_sum_exp_pullback,
            (d.real("n k"), d.positive("n k")),
            source="HIPS autograd: scipy/special.py, make_grad_logsumexp",
        ),
        Case(
            "mixture log-likelihood",
            "logsumexp",
            mixture_log_density,
            mixture_log_density_pullback,
            (d.real("n k"), d.real("k")),
        ),
        Case(
            "soft argmax",
            "logsumexp",
            soft_argmax,
            soft_argmax_pullback,
            (d.real("n k"), d.real("k")),
        ),
        Case(
            "gaussian, sigma",
            "density",
            gaussian,
            gaussian_pullback,
            (d.real("n"), d.real(), d.positive()),
            source="HIPS autograd: scipy/stats/norm.py, logpdf",
        ),
        Case(
            "gaussian, log variance",
            "density",
            gaussian_log_variance,
            gaussian_log_variance_pullback,
            (d.real("n k"), d.real("n k"), d.real("n k")),
        ),
        Case(
            "gaussian, factor of the precision",
            "density",
            gaussian_precision,
            gaussian_precision_pullback,
            (d.real("n k"), d.real("k"), d.real("k m")),
        ),
        Case(
            "divergence to the standard normal",
            "density",
            kl_to_standard_normal,
            kl_to_standard_normal_pullback,
            (d.real("n k"), d.real("n k")),
            source="CS231n: assignment 3, vae.py, loss_function",
        ),
        Case(
            "reparameterisation",
            "density",
            reparameterise,
            reparameterise_pullback,
            (d.real("n k"), d.real("n k"), d.real("n k")),
        ),
        Case(
            "laplace", "density", laplace, laplace_pullback, (d.real("n"), d.real(), d.positive())
        ),
        Case("entropy", "entropy", entropy, entropy_pullback, (d.positive("n k"),)),
        Case(
            "entropy of distributions",
            "entropy",
            entropy,
            entropy_pullback,
            (d.distribution("n k"),),
        ),
        Case("entropy of logits", "entropy", entropy_of_logits, entropy_of_logits_pullback, ROWS),
        Case(
            "binary entropy",
            "entropy",
            binary_entropy,
            binary_entropy_pullback,
            (d.real("n", low=0, high=1),),
        ),
        Case(
            "relative entropy",
            "entropy",
            relative_entropy,
            relative_entropy_pullback,
            (d.distribution("n k"), d.distribution("n k")),
        ),
        Case("scan, sum of rows", "scan", scan_sum, scan_sum_pullback, ROWS),
        Case("scan, weighted squares", "scan", scan_of_squares, scan_of_squares_pullback, TWO),
        Case(
            "scan, product of matrices",
            "scan",
            scan_dot,
            scan_dot_pullback,
            (d.real("n k"), d.real("k m")),
        ),
        Case("scan, maximum of rows", "scan", scan_max, scan_max_pullback, ROWS),
        Case(
            "scan, logsumexp in two passes",
            "scan",
            scan_log_sum_exp,
            scan_log_sum_exp_pullback,
            ROWS,
        ),
        Case(
            "scan, online logsumexp",
            "scan",
            online_log_sum_exp,
            online_log_sum_exp_pullback,
            N,
            source="FlashAttention: algorithm 1, online softmax",
        ),
        Case("scan, prefix sums", "scan", prefix_scan, prefix_scan_pullback, N),
    ]
)
