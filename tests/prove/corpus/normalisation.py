"""Layer, RMS, batch, group and L2 normalisation, and normalised weights."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .settings import as_users_run

EPS = 1e-5

# --- layer norm without scale and bias


def layer_norm(x):
    mean = jnp.mean(x, axis=-1, keepdims=True)
    variance = jnp.var(x, axis=-1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + EPS)


def layer_norm_three_terms(x, ct):
    std = jnp.sqrt(jnp.var(x, axis=-1, keepdims=True) + EPS)
    normed = (x - x.mean(-1, keepdims=True)) / std
    along = jnp.mean(ct * normed, axis=-1, keepdims=True)
    return ((ct - ct.mean(-1, keepdims=True) - normed * along) / std,)


def layer_norm_jacobian(x, ct):
    n = x.shape[-1]
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    rstd = lax.rsqrt(jnp.mean(centred**2, axis=-1) + EPS)
    normed = centred * rstd[:, None]
    identity = jnp.eye(n, dtype=x.dtype)
    jacobian = rstd[:, None, None] * (
        identity[None] - 1 / n - normed[:, :, None] * normed[:, None, :] / n
    )
    return (jnp.einsum("bij,bi->bj", jacobian, ct),)


def layer_norm_backprop_by_steps(x, ct):
    n = x.shape[1]
    centred = x - x.mean(axis=1)[:, None]
    variance = (centred**2).mean(axis=1)[:, None]
    d_variance = jnp.sum(ct * centred, axis=1, keepdims=True) * -0.5 * (variance + EPS) ** -1.5
    d_centred = ct / jnp.sqrt(variance + EPS) + d_variance * 2 * centred / n
    d_mean = -jnp.sum(d_centred, axis=1, keepdims=True)
    return (d_centred + d_mean / n,)


def layer_norm_of_squares(x):
    mean = x.mean(-1, keepdims=True)
    mean_of_squares = (x * x).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(mean_of_squares - mean * mean + EPS)


def layer_norm_of_squares_pullback(x, ct):
    n = x.shape[-1]
    mean = x.mean(-1, keepdims=True)
    variance = (x * x).mean(-1, keepdims=True) - mean * mean
    r = lax.rsqrt(variance + EPS)
    d_r = jnp.sum(ct * (x - mean), -1, keepdims=True)
    d_variance = -0.5 * d_r * r**3
    d_mean = -r * jnp.sum(ct, -1, keepdims=True) - 2 * mean * d_variance
    return (ct * r + d_mean / n + d_variance * 2 * x / n,)


def fast_variance(x):
    mean = jnp.mean(x, axis=-1)
    variance = jnp.maximum(0.0, jnp.mean(lax.square(x), axis=-1) - lax.square(mean))
    y = x - jnp.expand_dims(mean, -1)
    return y * jnp.expand_dims(lax.rsqrt(variance + EPS), -1)


def fast_variance_pullback(x, ct):
    mean = jnp.mean(x, axis=-1, keepdims=True)
    rstd = lax.rsqrt(jnp.var(x, axis=-1, keepdims=True) + EPS)
    normed = (x - mean) * rstd
    inner = ct - normed * jnp.mean(ct * normed, axis=-1, keepdims=True)
    return (rstd * (inner - jnp.mean(ct, axis=-1, keepdims=True)),)


def centre_twice(x):
    y = x - x.mean(axis=-1, keepdims=True)
    return y * lax.rsqrt((y * y).mean(axis=-1, keepdims=True) + EPS)


def centre_twice_pullback(x, ct):
    y = x - x.mean(axis=-1, keepdims=True)
    r = lax.rsqrt((y * y).mean(axis=-1, keepdims=True) + EPS)
    d_y = ct * r - y * r * r * r * (ct * y).mean(axis=-1, keepdims=True)
    return (d_y - d_y.mean(axis=-1, keepdims=True),)


# --- layer norm with scale and bias


def affine_layer_norm(x, weight, bias):
    mean = x.mean(-1, keepdims=True)
    rstd = 1.0 / jnp.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + EPS)
    return (x - mean) * rstd * weight + bias


def llm_c_layer_norm_pullback(x, weight, bias, ct):
    channels = x.shape[-1]
    mean = jnp.sum(x, axis=-1, keepdims=True) / channels
    shifted = x - mean
    rstd = 1.0 / jnp.sqrt(jnp.sum(shifted * shifted, axis=-1, keepdims=True) / channels + EPS)
    norm = shifted * rstd
    d_norm = weight * ct
    d_norm_mean = jnp.sum(d_norm, axis=-1, keepdims=True) / channels
    d_norm_norm_mean = jnp.sum(d_norm * norm, axis=-1, keepdims=True) / channels
    d_x = (d_norm - d_norm_mean - norm * d_norm_norm_mean) * rstd
    return d_x, jnp.sum(norm * ct, axis=(0, 1)), jnp.sum(ct, axis=(0, 1))


def apex_layer_norm_pullback(x, gamma, beta, ct):
    width = x.shape[1]
    mean = jnp.mean(x, axis=1, keepdims=True)
    inverse = lax.rsqrt(jnp.mean((x - mean) ** 2, axis=1, keepdims=True) + EPS)
    loss = ct * gamma
    first = jnp.sum(loss, axis=1, keepdims=True)
    second = jnp.sum(loss * (x - mean) * inverse, axis=1, keepdims=True)
    d_x = (width * loss - first - (x - mean) * inverse * second) * ((1 / width) * inverse)
    return d_x, jnp.sum(ct * (x - mean) * inverse, axis=0), jnp.sum(ct, axis=0)


def aten_layer_norm_pullback(x, gamma, beta, ct):
    scale = 1 / x.shape[1]
    mean = jnp.mean(x, axis=1)
    a = lax.rsqrt(jnp.var(x, axis=1) + EPS)
    ds = jnp.sum(ct * x * gamma, axis=1)
    db = jnp.sum(ct * gamma, axis=1)
    b = (db * mean - ds) * a * a * a * scale
    c = -b * mean - db * a * scale
    d_x = a[:, None] * ct * gamma + b[:, None] * x + c[:, None]
    d_gamma = jnp.sum(ct * x * a[:, None] - ct * (a * mean)[:, None], axis=0)
    return d_x, d_gamma, ct.sum(0)


def triton_layer_norm_pullback(x, weight, bias, ct):
    rstd = 1 / jnp.sqrt(jnp.var(x, axis=-1, keepdims=True) + EPS)
    x_hat = (x - jnp.mean(x, axis=-1, keepdims=True)) * rstd
    wdy = weight[None, :] * ct
    c1 = jnp.sum(x_hat * wdy, axis=-1, keepdims=True) / x.shape[-1]
    c2 = jnp.sum(wdy, axis=-1, keepdims=True) / x.shape[-1]
    return (wdy - (x_hat * c1 + c2)) * rstd, (ct * x_hat).sum(axis=0), ct.sum(axis=0)


def folded_layer_norm(x, gamma, beta):
    mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    inverse = lax.rsqrt(variance + 1e-3) * gamma
    return x * inverse + (beta - mean * inverse)


def folded_layer_norm_pullback(x, gamma, beta, ct):
    mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    r = lax.rsqrt(variance + 1e-3)
    inverse = r * gamma
    d_inverse = ct * (x - mean)
    d_variance = -0.5 * r**3 * jnp.sum(d_inverse * gamma, -1, keepdims=True)
    d_mean = -jnp.sum(ct * inverse, -1, keepdims=True)
    d_x = ct * inverse + (d_mean + 2 * d_variance * (x - mean)) / x.shape[-1]
    return d_x, jnp.sum(d_inverse * r, 0), jnp.sum(ct, 0)


def scaled_layer_norm(x, scale):
    return jax.nn.standardize(x, axis=-1, epsilon=EPS) * scale


def scaled_layer_norm_pullback(x, scale, ct):
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    second_moment = jnp.mean(jnp.square(centred), axis=-1, keepdims=True) + EPS
    normed = centred / jnp.sqrt(second_moment)
    g = scale * ct
    g = g - jnp.mean(g, axis=-1, keepdims=True)
    projected = g - centred * jnp.mean(g * centred, axis=-1, keepdims=True) / second_moment
    return projected / jnp.sqrt(second_moment), jnp.einsum("bi,bi->i", normed, ct)


def moments(x):
    mean = jnp.mean(x, axis=-1)
    return mean, jnp.mean((x - mean[:, None]) ** 2, axis=-1)


def moments_pullback(x, ct):
    d_mean, d_variance = ct
    n = x.shape[-1]
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    return (d_mean[:, None] / n + 2.0 * d_variance[:, None] * centred / n,)


def layer_norm_and_statistics(x, weight):
    mean = jnp.mean(x, axis=-1, keepdims=True)
    rstd = lax.rsqrt(jnp.var(x, axis=-1, keepdims=True) + EPS)
    return (x - mean) * rstd * weight, mean, rstd


def layer_norm_and_statistics_pullback(x, weight, ct):
    d_y, d_mean, d_rstd = ct
    n = x.shape[-1]
    mean = jnp.mean(x, axis=-1, keepdims=True)
    rstd = lax.rsqrt(jnp.var(x, axis=-1, keepdims=True) + EPS)
    d_normed = d_y * weight
    d_rstd = d_rstd + jnp.sum(d_normed * (x - mean), axis=-1, keepdims=True)
    d_mean = d_mean - rstd * jnp.sum(d_normed, axis=-1, keepdims=True)
    d_x = d_normed * rstd + d_mean / n - d_rstd * rstd**3 * (x - mean) / n
    return d_x, jnp.sum(d_y * (x - mean) * rstd, axis=0)


# --- RMS norm


def rms_norm(x, weight):
    return x * lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + EPS) * weight


def liger_rms_norm_pullback(x, weight, ct):
    inverse = lax.rsqrt(jnp.sum(x * x, axis=-1, keepdims=True) / x.shape[-1] + EPS)
    dot = jnp.sum(ct * weight * x, axis=-1, keepdims=True)
    d_x = inverse * (ct * weight - (1 / x.shape[-1]) * inverse * inverse * dot * x)
    return d_x, jnp.sum(ct * (x * inverse), axis=0)


def unsloth_rms_norm_pullback(x, weight, ct):
    width = x.shape[-1]
    inverse = lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + EPS)
    normed = x * inverse
    scaled = ct * weight
    row_sum = jnp.sum(scaled * normed, axis=-1, keepdims=True)
    return inverse / width * (width * scaled - normed * row_sum), (ct * normed).sum(0)


def gemma_rms_norm(x, weight):
    variance = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
    return jnp.asarray(x * jnp.reciprocal(jnp.sqrt(variance + 1e-06))) * (1 + weight)


def gemma_rms_norm_pullback(x, weight, ct):
    variance = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
    d_normed = ct * (1 + weight)
    along = jnp.mean(d_normed * x, axis=-1, keepdims=True) / (variance + 1e-06)
    d_weight = jnp.sum(ct * x / jnp.sqrt(variance + 1e-06), axis=(0, 1))
    return (d_normed - x * along) / jnp.sqrt(variance + 1e-06), d_weight


def rms_norm_eps_outside(x, scale):
    norm = jnp.sqrt(jnp.sum(x**2, axis=-1, keepdims=True))
    return scale * (x / (norm / jnp.sqrt(x.shape[-1]) + 1e-8))


def rms_norm_eps_outside_pullback(x, scale, ct):
    root_width = jnp.sqrt(x.shape[-1])
    norm = jnp.linalg.norm(x, axis=-1, keepdims=True)
    rms = norm / root_width + 1e-8
    d_rms = -jnp.sum(ct * scale * x, axis=-1, keepdims=True) / rms**2
    return ct * scale / rms + d_rms * x / (norm * root_width), jnp.sum(ct * x / rms, axis=0)


def rms_norm_rows(x):
    return x / jnp.sqrt(jnp.mean(x**2, axis=1)[:, None] + EPS)


def rms_norm_rows_from_output(x, ct):
    root = jnp.sqrt(jnp.mean(x**2, axis=1, keepdims=True) + EPS)
    y = x / root
    return ((ct - y * jnp.mean(ct * y, axis=1, keepdims=True)) / root,)


# --- batch norm


def batch_norm(x, gamma, beta):
    mean = x.mean(axis=0)
    variance = x.var(axis=0)
    return gamma * (x - mean) / jnp.sqrt(variance + EPS) + beta


def batch_norm_staged(x, gamma, beta, ct):
    n = x.shape[0]
    mean = x.mean(axis=0)
    x_mu = x - mean
    variance = jnp.mean(x_mu**2, axis=0)
    sqrt_variance = jnp.sqrt(variance + EPS)
    inverse = 1.0 / sqrt_variance
    x_hat = x_mu * inverse
    d_x_hat = ct * gamma
    d_inverse = jnp.sum(d_x_hat * x_mu, axis=0)
    d_sqrt_variance = -1.0 / (sqrt_variance**2) * d_inverse
    d_variance = 0.5 * 1.0 / jnp.sqrt(variance + EPS) * d_sqrt_variance
    d_square = 1.0 / n * jnp.ones_like(ct) * d_variance
    d_x_mu = d_x_hat * inverse + 2 * x_mu * d_square
    d_mean = -1 * jnp.sum(d_x_mu, axis=0)
    d_x = d_x_mu + 1.0 / n * jnp.ones_like(ct) * d_mean
    return d_x, jnp.sum(ct * x_hat, axis=0), jnp.sum(ct, axis=0)


def batch_norm_compact(x, gamma, beta, ct):
    n = x.shape[0]
    inverse = 1 / jnp.sqrt(jnp.var(x, axis=0) + EPS)
    x_hat = (x - jnp.mean(x, axis=0)) * inverse
    d_beta = ct.sum(axis=0)
    d_gamma = (ct * x_hat).sum(axis=0)
    return (gamma * inverse / n) * (n * ct - x_hat * d_gamma - d_beta), d_gamma, d_beta


def batch_norm_projection(x, weight, bias, ct):
    n = x.shape[0]
    mean = jnp.mean(x, 0)
    invstd = lax.rsqrt(jnp.mean((x - mean) ** 2, 0) + EPS)
    total = jnp.sum(ct, 0)
    dot = jnp.sum((x - mean) * ct, 0)
    projection = (x - mean) * (dot * invstd * invstd / n)
    d_x = (ct - projection - total / n) * invstd * weight
    return d_x, dot * invstd, total


def batch_norm_by_channel(x, scale, offset):
    mean = jnp.mean(x, axis=(0, 2), keepdims=True)
    variance = jnp.mean(lax.square(x), axis=(0, 2), keepdims=True) - lax.square(mean)
    inverse = scale[None, :, None] * lax.rsqrt(variance + EPS)
    return inverse * (x - mean) + offset[None, :, None]


def batch_norm_by_channel_pullback(x, scale, offset, ct):
    count = x.shape[0] * x.shape[2]
    mean = jnp.mean(x, axis=(0, 2), keepdims=True)
    rstd = lax.rsqrt(jnp.mean((x - mean) ** 2, axis=(0, 2), keepdims=True) + EPS)
    normed = (x - mean) * rstd
    d_offset = jnp.einsum("bcs->c", ct)
    d_scale = jnp.einsum("bcs,bcs->c", ct, normed)
    d_x = ct - (d_offset[:, None] + normed * d_scale[:, None]) / count
    return scale[:, None] * rstd * d_x, d_scale, d_offset


def batch_norm_inference(x, running_mean, running_variance, weight, bias):
    return (x - running_mean) / jnp.sqrt(running_variance + EPS) * weight + bias


def batch_norm_inference_pullback(x, running_mean, running_variance, weight, bias, ct):
    invstd = 1 / jnp.sqrt(running_variance + EPS)
    d_weight = jnp.sum(ct * (x - running_mean), axis=0) * invstd
    return ct * invstd * weight, None, None, d_weight, jnp.sum(ct, axis=0)


def batch_norm_with_statistics(x, running_mean, running_variance):
    n = x.shape[0]
    mean, variance = jnp.mean(x, axis=0), jnp.var(x, axis=0)
    y = (x - mean) * lax.rsqrt(variance + EPS)
    unbiased = variance * n / (n - 1)
    return y, 0.9 * running_mean + 0.1 * mean, 0.9 * running_variance + 0.1 * unbiased


def batch_norm_with_statistics_pullback(x, running_mean, running_variance, ct):
    d_y, d_new_mean, d_new_variance = ct
    n = x.shape[0]
    centred = x - jnp.mean(x, axis=0)
    r = lax.rsqrt(jnp.var(x, axis=0) + EPS)
    d_x = r * (d_y - d_y.mean(0) - centred * r**2 * jnp.mean(d_y * centred, axis=0))
    d_x = d_x + 0.1 * d_new_mean / n + 0.2 * d_new_variance * centred / (n - 1)
    return d_x, 0.9 * d_new_mean, 0.9 * d_new_variance


# --- L2 normalisation


def l2_normalise(x):
    return x / jnp.sqrt(jnp.sum(x**2, axis=-1, keepdims=True) + EPS)


def l2_normalise_pullback(x, ct):
    square = jnp.sum(x * x, axis=-1, keepdims=True) + EPS
    return (ct * square**-0.5 - x * jnp.sum(x * ct, axis=-1, keepdims=True) * square**-1.5,)


def l2_normalise_no_eps(x):
    return x / jnp.linalg.norm(x, axis=1, keepdims=True)


def l2_normalise_projector(x, ct):
    norm = jnp.sqrt(jnp.sum(x * x, axis=1))
    unit = x / norm[:, None]
    projector = jnp.eye(x.shape[1], dtype=x.dtype) - jnp.einsum("bi,bj->bij", unit, unit)
    return (jnp.einsum("bij,bj->bi", projector, ct) / norm[:, None],)


def l2_normalise_rsqrt_max(x):
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=-1, keepdims=True), 1e-12))


def l2_normalise_rsqrt_max_pullback(x, ct):
    square = jnp.sum(jnp.square(x), axis=-1, keepdims=True)
    r = lax.rsqrt(jnp.maximum(square, 1e-12))
    inner = jnp.sum(ct * x, axis=-1, keepdims=True)
    return (ct * r - jnp.where(square > 1e-12, x * inner * r**3, 0.0),)


def normalise_by_clamped_norm(x):
    norm = jnp.sqrt(jnp.sum(x**2, axis=1, keepdims=True))
    return x / jnp.maximum(norm, 1e-6)


def normalise_by_clamped_norm_pullback(x, ct):
    square = jnp.sum(x**2, axis=1, keepdims=True)
    outside = square > 1e-6**2
    safe = jnp.where(outside, square, 1.0)
    along = x * (jnp.sum(x * ct, axis=1, keepdims=True) / safe)
    return (jnp.where(outside, (ct - along) / jnp.sqrt(safe), ct / 1e-6),)


def safe_unit(x):
    square = jnp.sum(x * x, axis=-1, keepdims=True)
    positive = square > 0
    inverse = lax.rsqrt(jnp.where(positive, square, 1.0))
    return jnp.where(positive, x * inverse, 0.0)


def safe_unit_pullback(x, ct):
    square = jnp.sum(x * x, axis=-1, keepdims=True)
    positive = square > 0
    inverse = lax.rsqrt(jnp.where(positive, square, 1.0))
    unit = x * inverse
    tangent = ct - unit * jnp.sum(unit * ct, axis=-1, keepdims=True)
    return (jnp.where(positive, inverse * tangent, 0.0),)


def normalise_columns(w):
    return w / jnp.sqrt(1e-8 + jnp.einsum("ij,ij->j", w, w))


def normalise_columns_pullback(w, ct):
    length = jnp.sqrt(1e-8 + jnp.einsum("ij,ij->j", w, w))
    y = w / length
    return ((ct - y * jnp.einsum("ij,ij->j", ct, y)) / length,)


def safe_norm(x):
    square = jnp.sum(x**2, axis=-1)
    is_zero = square == 0
    return jnp.where(is_zero, 0.0, jnp.sqrt(jnp.where(is_zero, 1.0, square)))


def safe_norm_pullback(x, ct):
    norm = jnp.sqrt(jnp.sum(x**2, axis=-1))
    scale = jnp.where(norm == 0, 0.0, ct / jnp.where(norm == 0, 1.0, norm))
    return (x * scale[:, None],)


# --- weights


def standardised_weight(weight, gain):
    mean = jnp.mean(weight, axis=0, keepdims=True)
    variance = jnp.var(weight, axis=0, keepdims=True)
    scale = lax.rsqrt(jnp.maximum(variance * weight.shape[0], 1e-4)) * gain
    return weight * scale - mean * scale


def standardised_weight_pullback(weight, gain, ct):
    fan_in = weight.shape[0]
    centred = weight - jnp.mean(weight, axis=0)
    spread = jnp.var(weight, axis=0) * fan_in
    r = lax.rsqrt(jnp.maximum(spread, 1e-4))
    d_scale = jnp.sum(ct * centred, axis=0)
    d_centred = ct * r * gain
    through_spread = jnp.where(spread > 1e-4, -gain * d_scale * r**3, 0.0) * centred
    return d_centred - jnp.mean(d_centred, axis=0) + through_spread, d_scale * r


def weight_standardisation(w):
    w = w - jnp.mean(w, axis=0, keepdims=True)
    return w / (jnp.sqrt(jnp.mean(w * w, axis=0, keepdims=True) + 1e-10))


def weight_standardisation_pullback(w, ct):
    n = w.shape[0]
    c = w - jnp.sum(w, axis=0) / n
    s = jnp.sqrt(jnp.sum(c**2, axis=0) / n + 1e-10)
    return ((ct - jnp.sum(ct, axis=0) / n) / s - c * jnp.sum(ct * c, axis=0) / (n * s**3),)


def weight_norm(v, g):
    return v * (g / jnp.linalg.norm(v, axis=0))


def weight_norm_pullback(v, g, ct):
    norms = jnp.sqrt(jnp.sum(v * v, axis=0))
    per_column = jnp.sum(ct * v, axis=0)
    return (g / norms) * (ct - v * (per_column / (norms * norms))), per_column / norms


# --- groups


def group_norm(x, weight, bias):
    batch, _, space = x.shape
    groups, members = weight.shape
    grouped = x.reshape(batch, groups, members * space)
    mean = jnp.mean(grouped, axis=-1, keepdims=True)
    variance = jnp.var(grouped, axis=-1, keepdims=True)
    normed = ((grouped - mean) * lax.rsqrt(variance + EPS)).reshape(x.shape)
    return normed * weight.reshape(1, -1, 1) + bias[:, None]


def group_norm_pullback(x, weight, bias, ct):
    batch, _, space = x.shape
    groups, members = weight.shape
    x = x.reshape(batch, groups, members, space)
    ct = ct.reshape(batch, groups, members, space)
    mean = jnp.mean(x, axis=(2, 3), keepdims=True)
    rstd = lax.rsqrt(jnp.var(x, axis=(2, 3), keepdims=True) + EPS)
    normed = (x - mean) * rstd
    scaled = ct * weight[None, :, :, None]
    d_x = scaled - jnp.mean(scaled, axis=(2, 3), keepdims=True)
    d_x = rstd * (d_x - normed * jnp.mean(scaled * normed, axis=(2, 3), keepdims=True))
    d_weight = jnp.sum(ct * normed, axis=(0, 3))
    return d_x.reshape(batch, groups * members, space), d_weight, ct.sum((0, 3)).reshape(-1)


def instance_norm(x):
    mean = jnp.mean(x, axis=2, keepdims=True)
    return (x - mean) * (jnp.mean((x - mean) ** 2, axis=2, keepdims=True) + EPS) ** -0.5


def instance_norm_pullback(x, ct):
    samples, channels, space = x.shape
    rows = x.reshape(samples * channels, space)
    return (layer_norm_three_terms(rows, ct.reshape(rows.shape))[0].reshape(x.shape),)


def two_axis_instance_norm(x, gamma):
    mean = x.mean(axis=(2, 3), keepdims=True)
    std = jnp.sqrt(x.var(axis=(2, 3), keepdims=True) + EPS)
    return gamma[None, :, None, None] * (x - mean) / std


def two_axis_instance_norm_pullback(x, gamma, ct):
    count = x.shape[2] * x.shape[3]
    centred = x - x.mean(axis=(2, 3), keepdims=True)
    std = jnp.sqrt(jnp.sum(centred**2, axis=(2, 3), keepdims=True) / count + EPS)
    g = gamma[None, :, None, None] * ct
    d_std = -jnp.sum(g * centred, axis=(2, 3), keepdims=True) / std**2
    d_centred = g / std + d_std * centred / (std * count)
    d_gamma = jnp.sum(ct * centred / std, axis=(0, 2, 3))
    return d_centred - d_centred.mean(axis=(2, 3), keepdims=True), d_gamma


ROWS = (d.real("batch n"),)
AFFINE = (d.real("batch n"), d.real("n"), d.real("n"))
TOKENS = (d.real("batch time c"), d.real("c"), d.real("c"))
SCALED = (d.real("batch n"), d.real("n"))

CASES = as_users_run(
    [
        Case("layer norm, three terms", "layer norm", layer_norm, layer_norm_three_terms, ROWS),
        Case("layer norm, Jacobian", "layer norm", layer_norm, layer_norm_jacobian, ROWS),
        Case(
            "layer norm, by steps",
            "layer norm",
            layer_norm,
            layer_norm_backprop_by_steps,
            ROWS,
            source="CS231n: assignment 2, layernorm_backward",
        ),
        Case(
            "layer norm, E[x²] − E[x]²",
            "layer norm",
            layer_norm_of_squares,
            layer_norm_of_squares_pullback,
            ROWS,
        ),
        Case(
            "layer norm, clamped fast variance",
            "layer norm",
            fast_variance,
            fast_variance_pullback,
            ROWS,
            source="Flax: linen/normalization.py, _compute_stats",
        ),
        Case(
            "layer norm, mean of the cotangent last",
            "layer norm",
            centre_twice,
            centre_twice_pullback,
            ROWS,
            source="tinygrad: Tensor.layernorm",
        ),
        Case(
            "layer norm, saved mean and rstd",
            "layer norm",
            affine_layer_norm,
            llm_c_layer_norm_pullback,
            TOKENS,
            source="llm.c: train_gpt2.c, layernorm_backward",
        ),
        Case(
            "layer norm, sums scaled at the end",
            "layer norm",
            affine_layer_norm,
            apex_layer_norm_pullback,
            AFFINE,
            source="apex: layer_norm_cuda_kernel.cu, cuComputeGradInput",
        ),
        Case(
            "layer norm, a x + b x + c",
            "layer norm",
            affine_layer_norm,
            aten_layer_norm_pullback,
            AFFINE,
            source="PyTorch: aten, layer_norm_kernel.cpp, LayerNormBackwardKernelImpl",
        ),
        Case(
            "layer norm, c1 and c2",
            "layer norm",
            affine_layer_norm,
            triton_layer_norm_pullback,
            AFFINE,
            source="Triton: tutorials/05-layer-norm.py, _layer_norm_bwd_dx_fused",
        ),
        Case(
            "layer norm, folded scale",
            "layer norm",
            folded_layer_norm,
            folded_layer_norm_pullback,
            AFFINE,
            source="Keras: LayerNormalization.call",
        ),
        Case(
            "layer norm, scale only",
            "layer norm",
            scaled_layer_norm,
            scaled_layer_norm_pullback,
            SCALED,
        ),
        Case("mean and variance", "layer norm", moments, moments_pullback, ROWS),
        Case(
            "layer norm, three outputs",
            "layer norm",
            layer_norm_and_statistics,
            layer_norm_and_statistics_pullback,
            SCALED,
        ),
        Case(
            "rms norm, dot product",
            "rms norm",
            rms_norm,
            liger_rms_norm_pullback,
            SCALED,
            source="Liger-Kernel: ops/rms_norm.py, _rms_norm_backward",
        ),
        Case(
            "rms norm, width times",
            "rms norm",
            rms_norm,
            unsloth_rms_norm_pullback,
            SCALED,
            source="Unsloth: kernels/rms_layernorm.py, _rms_layernorm_backward",
        ),
        Case(
            "rms norm, one plus weight",
            "rms norm",
            gemma_rms_norm,
            gemma_rms_norm_pullback,
            (d.real("batch time c"), d.real("c")),
            source="gemma: layers.py, RMSNorm",
        ),
        Case(
            "rms norm, eps outside the root",
            "rms norm",
            rms_norm_eps_outside,
            rms_norm_eps_outside_pullback,
            (d.nonzero("batch n"), d.real("n")),
            source="bzhangGo/rmsnorm: rmsnorm_torch.py, RMSNorm.forward",
        ),
        Case(
            "rms norm, from the output", "rms norm", rms_norm_rows, rms_norm_rows_from_output, ROWS
        ),
        Case(
            "batch norm, staged",
            "batch norm",
            batch_norm,
            batch_norm_staged,
            AFFINE,
            source="CS231n: assignment 2, batchnorm_backward",
        ),
        Case(
            "batch norm, compact",
            "batch norm",
            batch_norm,
            batch_norm_compact,
            AFFINE,
            source="CS231n: assignment 2, batchnorm_backward_alt",
        ),
        Case(
            "batch norm, projection",
            "batch norm",
            batch_norm,
            batch_norm_projection,
            AFFINE,
            source="PyTorch: aten, Normalization.cpp, batch_norm_backward_cpu_template",
        ),
        Case(
            "batch norm, by channel",
            "batch norm",
            batch_norm_by_channel,
            batch_norm_by_channel_pullback,
            (d.real("b c s"), d.real("c"), d.real("c")),
            source="Haiku: BatchNorm.__call__",
        ),
        Case(
            "batch norm, inference",
            "batch norm",
            batch_norm_inference,
            batch_norm_inference_pullback,
            (d.real("batch n"), d.real("n"), d.positive("n"), d.real("n"), d.real("n")),
            source="PyTorch: aten, batch_norm_backward with train=False",
        ),
        Case(
            "batch norm, running statistics",
            "batch norm",
            batch_norm_with_statistics,
            batch_norm_with_statistics_pullback,
            (d.real("n k"), d.real("k"), d.positive("k")),
            sizes="n >= 2",
        ),
        Case(
            "l2 normalisation, eps in the root",
            "l2 normalisation",
            l2_normalise,
            l2_normalise_pullback,
            ROWS,
        ),
        Case(
            "l2 normalisation, projector",
            "l2 normalisation",
            l2_normalise_no_eps,
            l2_normalise_projector,
            (d.nonzero("batch n"),),
        ),
        Case(
            "l2 normalisation, rsqrt of a maximum",
            "l2 normalisation",
            l2_normalise_rsqrt_max,
            l2_normalise_rsqrt_max_pullback,
            ROWS,
            source="TensorFlow: nn_impl.py, l2_normalize",
        ),
        Case(
            "l2 normalisation, clamped norm",
            "l2 normalisation",
            normalise_by_clamped_norm,
            normalise_by_clamped_norm_pullback,
            ROWS,
            source="PyTorch: nn.functional.normalize",
        ),
        Case(
            "l2 normalisation, safe at zero",
            "l2 normalisation",
            safe_unit,
            safe_unit_pullback,
            ROWS,
        ),
        Case(
            "l2 normalisation, columns",
            "l2 normalisation",
            normalise_columns,
            normalise_columns_pullback,
            (d.real("i j"),),
        ),
        Case(
            "safe norm, double where",
            "l2 normalisation",
            safe_norm,
            safe_norm_pullback,
            ROWS,
            source="optax: safe_norm",
        ),
        Case(
            "weight standardisation, scaled",
            "weight standardisation",
            standardised_weight,
            standardised_weight_pullback,
            (d.real("fan_in out"), d.real("out")),
            source="DeepMind nfnets: base.py, WSConv2D.standardize_weight",
        ),
        Case(
            "weight standardisation",
            "weight standardisation",
            weight_standardisation,
            weight_standardisation_pullback,
            (d.real("fan_in out"),),
        ),
        Case(
            "weight norm",
            "weight standardisation",
            weight_norm,
            weight_norm_pullback,
            (d.nonzero("fan_in out"), d.real("out")),
            source="PyTorch: aten, WeightNorm.cpp, _weight_norm_differentiable_backward",
        ),
        Case(
            "group norm",
            "group norm",
            group_norm,
            group_norm_pullback,
            (d.real("batch g*k s"), d.real("g k"), d.real("g*k")),
        ),
        Case(
            "instance norm by merged rows",
            "group norm",
            instance_norm,
            instance_norm_pullback,
            (d.real("b c s"),),
        ),
        Case(
            "instance norm over two axes",
            "group norm",
            two_axis_instance_norm,
            two_axis_instance_norm_pullback,
            (d.real("b c h w"), d.real("c")),
        ),
    ]
)
