"""Softmax, log-softmax and logsumexp: along each axis, masked, weighted, with a temperature."""

import math

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case

# Softmax.


def softmax_pullback(x, ct):
    p = jax.nn.softmax(x)
    return (p * (ct - (p * ct).sum(-1, keepdims=True)),)


def softmax_naive(x):
    return jnp.exp(x) / jnp.exp(x).sum(-1, keepdims=True)


def softmax_by_jacobian_pullback(x, ct):
    p = softmax_naive(x)
    diagonal = jnp.einsum("bi,ij->bij", p, jnp.eye(x.shape[-1], dtype=x.dtype))
    jacobian = diagonal - jnp.einsum("bi,bj->bij", p, p)
    return (jnp.einsum("bij,bi->bj", jacobian, ct),)


def softmax_by_shift(x):
    e = jnp.exp(x - lax.stop_gradient(jnp.max(x, axis=-1, keepdims=True)))
    return e / jnp.sum(e, axis=-1, keepdims=True)


def softmax_by_logsumexp_pullback(x, ct):
    p = jnp.exp(x - jax.nn.logsumexp(x, axis=-1, keepdims=True))
    return (p * ct - p * jnp.einsum("bk,bk->b", p, ct)[:, None],)


def softmax_by_shift_itself(x):
    e = jnp.exp(x - jnp.max(x, axis=-1, keepdims=True))
    return e * (1 / jnp.sum(e, axis=-1, keepdims=True))


def softmax_by_quotient_pullback(x, ct):
    e = jnp.exp(x)
    total = e.sum(-1, keepdims=True)
    return (ct * e / total - e * (ct * e).sum(-1, keepdims=True) / total**2,)


def softmax_by_log_softmax(x):
    return jnp.exp(jax.nn.log_softmax(x, axis=-1))


def softmax_by_pairs_pullback(x, ct):
    p = jax.nn.softmax(x, axis=-1)
    differences = ct[:, :, None] - ct[:, None, :]
    return (p * jnp.sum(p[:, None, :] * differences, axis=-1),)


def softmax_vector_pullback(x, ct):
    p = jax.nn.softmax(x)
    return ((jnp.diag(p) - jnp.outer(p, p)) @ ct,)


def softmax_axis_0(x):
    return jax.nn.softmax(x, axis=0)


def softmax_axis_0_pullback(x, ct):
    p = jax.nn.softmax(x, axis=0)
    return (p * ct - p * jnp.sum(p * ct, axis=0)[None, :],)


def softmax_over_all(x):
    return jax.nn.softmax(x, axis=(0, 1))


def softmax_over_all_pullback(x, ct):
    p = softmax_over_all(x)
    return (p * (ct - jnp.vdot(p, ct)),)


def softmax_by_exp2(x):
    scaled = x * math.log2(math.e)
    e = jnp.exp2(scaled - scaled.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_from_result_pullback(x, ct):
    p = softmax_by_exp2(x)
    product = ct * p
    return (product - p * product.sum(-1, keepdims=True),)


def softmax_with_temperature(x, temperature):
    return jax.nn.softmax(x / temperature)


def softmax_with_temperature_pullback(x, temperature, ct):
    p = softmax_with_temperature(x, temperature)
    of_scaled = p * (ct - jnp.sum(ct * p, -1, keepdims=True))
    return of_scaled / temperature, -jnp.sum(of_scaled * x) / temperature**2


def softmax_with_log_scale(x, log_scale):
    return jax.nn.softmax(x * jnp.exp(log_scale)[:, None], axis=-1)


def softmax_with_log_scale_pullback(x, log_scale, ct):
    scale = jnp.exp(log_scale)[:, None]
    p = jax.nn.softmax(x * scale, axis=-1)
    of_x = scale * p * (ct - jnp.sum(ct * p, axis=-1, keepdims=True))
    return of_x, (of_x * x).sum(-1)


def softmin(x):
    return jax.nn.softmax(-x)


def softmin_pullback(x, ct):
    p = softmin(x)
    return (p * ((p * ct).sum(axis=-1, keepdims=True) - ct),)


def softmax_plus_one(x):
    m = lax.stop_gradient(jnp.maximum(x.max(-1, keepdims=True), 0))
    e = jnp.exp(x - m)
    return e / (jnp.exp(-m) + e.sum(-1, keepdims=True))


def softmax_plus_one_pullback(x, ct):
    p = jnp.exp(x) / (1 + jnp.exp(x).sum(-1, keepdims=True))
    return (p * (ct - (p * ct).sum(-1, keepdims=True)),)


def softmax_of_pair(x, y):
    p = jax.nn.softmax(jnp.stack([x, y], axis=-1), axis=-1)
    return p[..., 0]


def softmax_of_pair_pullback(x, y, ct):
    s = jax.nn.sigmoid(x - y)
    return ct * s * (1 - s), -ct * s * (1 - s)


def softmax_mean(x, values):
    return jnp.sum(jax.nn.softmax(x) * values, axis=-1)


def softmax_mean_pullback(x, values, ct):
    p = jax.nn.softmax(x)
    mean = jnp.sum(p * values, axis=-1, keepdims=True)
    return ct[:, None] * p * (values - mean), ct[:, None] * p


def softmax_times_values(scores, values):
    return jax.nn.softmax(scores) @ values


def softmax_times_values_pullback(scores, values, ct):
    p = jnp.exp(scores - jax.nn.logsumexp(scores, axis=-1, keepdims=True))
    out = p @ values
    delta = jnp.sum(ct * out, axis=-1)
    of_p = ct @ values.swapaxes(-1, -2)
    return p * (of_p - delta[..., None]), p.swapaxes(-1, -2) @ ct


# Softmax with a mask.


def masked_softmax(x, mask):
    return jax.nn.softmax(x, axis=-1, where=mask)


def masked_softmax_pullback(x, mask, ct):
    p = jax.nn.softmax(x, axis=-1, where=mask)
    return p * (ct - (p * ct).sum(-1, where=mask, keepdims=True)), None


def softmax_of_where(x, mask):
    return jax.nn.softmax(jnp.where(mask, x, -1e30), axis=-1)


def softmax_of_where_pullback(x, mask, ct):
    p = softmax_of_where(x, mask)
    of_scores = p * (ct - jnp.sum(p * ct, axis=-1, keepdims=True))
    return jnp.where(mask, of_scores, 0), None


def softmax_of_smallest(x, mask):
    return jax.nn.softmax(jnp.where(mask, x, jnp.finfo(x.dtype).min), axis=-1)


def softmax_of_smallest_pullback(x, mask, ct):
    p = softmax_of_smallest(x, mask)
    of_scores = ct * p - p * jnp.sum(ct * p, axis=-1, keepdims=True)
    return lax.select(mask, of_scores, jnp.zeros_like(of_scores)), None


def softmax_of_minus_inf(x, mask):
    return jax.nn.softmax(jnp.where(mask, x, -jnp.inf), axis=-1)


def softmax_of_minus_inf_pullback(x, mask, ct):
    p = softmax_of_minus_inf(x, mask)
    of_scores = p * ct - p * jnp.sum(p * ct, axis=-1, keepdims=True)
    return jnp.where(mask, of_scores, 0), None


def causal_softmax(scores):
    n = scores.shape[-1]
    rows, columns = jnp.arange(n)[:, None], jnp.arange(n)[None, :]
    return jax.nn.softmax(jnp.where(rows >= columns, scores, -jnp.inf), axis=-1)


def causal_softmax_pullback(scores, ct):
    p = causal_softmax(scores)
    seen = jnp.tril(p * ct)
    return (jnp.tril(p * (ct - seen.sum(-1, keepdims=True))),)


def biased_softmax(x, mask):
    bias = (1 - mask.astype(x.dtype)) * -1e9
    return jax.nn.softmax(x + bias, axis=-1)


def biased_softmax_pullback(x, mask, ct):
    p = biased_softmax(x, mask)
    return p * (ct - jnp.einsum("bk,bk->b", p, ct)[:, None]), None


def renormalised_softmax(x, mask):
    e = jnp.where(mask, jnp.exp(x), 0)
    return e / (e.sum(-1, keepdims=True) + 1e-6)


def renormalised_softmax_pullback(x, mask, ct):
    p = renormalised_softmax(x, mask)
    return jnp.where(mask, p * (ct - jnp.sum(ct * p, -1, keepdims=True)), 0), None


# Log-softmax.


def log_softmax_pullback(x, ct):
    return (ct - jax.nn.softmax(x) * ct.sum(-1, keepdims=True),)


def log_softmax_by_shift(x):
    shifted = x - lax.stop_gradient(x.max(axis=-1, keepdims=True))
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=-1, keepdims=True))


def log_softmax_from_result_pullback(x, ct):
    output = log_softmax_by_shift(x)
    return (ct - jnp.exp(output) * jnp.sum(ct, axis=-1, keepdims=True),)


def log_softmax_by_logsumexp(x):
    return x - jax.scipy.special.logsumexp(x, axis=-1, keepdims=True)


def log_softmax_by_jacobian_pullback(x, ct):
    p = jax.nn.softmax(x, axis=-1)
    jacobian = jnp.eye(x.shape[1], dtype=x.dtype)[None] - p[:, None, :]
    return (jnp.einsum("bij,bi->bj", jacobian, ct),)


def log_of_softmax(x):
    return jnp.log(softmax_naive(x))


def log_of_softmax_pullback(x, ct):
    p = softmax_naive(x)
    of_p = ct / p
    return (p * (of_p - jnp.sum(of_p * p, axis=-1, keepdims=True)),)


def log_softmax_axis_0(x):
    return jax.nn.log_softmax(x, axis=0)


def log_softmax_axis_0_pullback(x, ct):
    return (ct - jnp.exp(log_softmax_axis_0(x)) * ct.sum(0, keepdims=True),)


def log_softmax_with_temperature(x, temperature):
    return jax.nn.log_softmax(x / temperature, axis=-1)


def log_softmax_with_temperature_pullback(x, temperature, ct):
    p = jax.nn.softmax(x / temperature, axis=-1)
    of_scaled = ct - p * ct.sum(-1, keepdims=True)
    return of_scaled / temperature, -jnp.vdot(of_scaled, x / temperature) / temperature


def capped_log_softmax(x):
    return jax.nn.log_softmax(30.0 * jnp.tanh(x / 30.0))


def capped_log_softmax_pullback(x, ct):
    t = jnp.tanh(x / 30.0)
    of_capped = ct - jax.nn.softmax(30.0 * t) * ct.sum(-1, keepdims=True)
    return (of_capped * (1 - t**2),)


def weighted_log_softmax(x, weights):
    logp = jax.nn.log_softmax(x, axis=-1)
    return jnp.where(weights != 0, weights * logp, jnp.zeros_like(logp))


def weighted_log_softmax_pullback(x, weights, ct):
    of_logp = ct * weights
    p = jax.nn.softmax(x, axis=-1)
    of_x = of_logp - p * of_logp.sum(axis=-1, keepdims=True)
    return of_x, ct * jax.nn.log_softmax(x, axis=-1)


# Logsumexp.


def logsumexp(x):
    return jax.nn.logsumexp(x, axis=-1)


def logsumexp_pullback(x, ct):
    return (ct[:, None] * jax.nn.softmax(x, axis=-1),)


def logsumexp_by_hand(x):
    m = x.max(-1, keepdims=True)
    return jnp.log(jnp.exp(x - m).sum(-1)) + m.squeeze(-1)


def logsumexp_from_result_pullback(x, ct):
    answer = logsumexp_by_hand(x)
    return (jnp.expand_dims(ct, -1) * jnp.exp(x - jnp.expand_dims(answer, -1)),)


def logsumexp_naive(x):
    return jnp.log(jnp.sum(jnp.exp(x), axis=0, keepdims=True))


def logsumexp_naive_pullback(x, ct):
    e = jnp.exp(x - x.max(axis=0, keepdims=True))
    return (ct * e / e.sum(axis=0, keepdims=True),)


def logsumexp_of_all(x):
    return jax.nn.logsumexp(x)


def logsumexp_of_all_pullback(x, ct):
    return (ct * jnp.exp(x - jax.nn.logsumexp(x)),)


def weighted_logsumexp(x, weights):
    return jax.nn.logsumexp(x, axis=-1, b=weights)


def weighted_logsumexp_pullback(x, weights, ct):
    out = weighted_logsumexp(x, weights)
    e = jnp.exp(x - out[:, None])
    return ct[:, None] * weights * e, ct[:, None] * e


def logsumexp_of_shared_weights(x, weights):
    m = lax.stop_gradient(jnp.max(x, axis=-1, keepdims=True))
    total = jnp.sum(weights[None, :] * jnp.exp(x - m), axis=-1)
    return jnp.log(total) + jnp.squeeze(m, -1)


def logsumexp_of_shared_weights_pullback(x, weights, ct):
    p = jax.nn.softmax(x + jnp.log(weights)[None, :])
    return ct[:, None] * p, ct @ (p / weights[None, :])


def masked_logsumexp(x, mask):
    return jax.nn.logsumexp(x, axis=-1, where=mask)


def masked_logsumexp_pullback(x, mask, ct):
    return ct[:, None] * jax.nn.softmax(x, axis=-1, where=mask), None


def logaddexp_pullback(x, y, ct):
    answer = jnp.logaddexp(x, y)
    return ct * jnp.exp(x - answer), ct * jnp.exp(y - answer)


def logaddexp_by_log1p(x, y):
    return jnp.maximum(x, y) + jnp.log1p(jnp.exp(-jnp.abs(x - y)))


def logaddexp_by_sigmoid_pullback(x, y, ct):
    return ct * jax.nn.sigmoid(x - y), ct * jax.nn.sigmoid(y - x)


def logmeanexp(x):
    return jax.nn.logsumexp(x, axis=-1) - jnp.log(jnp.asarray(x.shape[-1], x.dtype))


def logmeanexp_pullback(x, ct):
    e = jnp.exp(x)
    return (ct[:, None] * e / e.shape[-1] / e.mean(-1, keepdims=True),)


def smooth_maximum(x, sharpness):
    return jax.nn.logsumexp(sharpness * x, axis=-1) / sharpness


def smooth_maximum_pullback(x, sharpness, ct):
    p = jax.nn.softmax(sharpness * x, axis=-1)
    of_sharpness = (jnp.sum(p * x, -1) - smooth_maximum(x, sharpness)) / sharpness
    return ct[:, None] * p, jnp.sum(ct * of_sharpness)


_rows = (d.real("batch k"),)
_masked = (d.real("batch k"), d.boolean("batch k"))


def _softmax(name, f, pullback, domains=_rows, source=""):
    return Case(name, "softmax", f, pullback, tuple(domains), "", source)


def _logsumexp(name, f, pullback, domains=_rows, source=""):
    return Case(name, "logsumexp", f, pullback, tuple(domains), "", source)


CASES: tuple[Case, ...] = (
    _softmax("softmax: p(ct - sum p ct)", jax.nn.softmax, softmax_pullback, source="JAX: softmax"),
    _softmax("softmax: full Jacobian", softmax_naive, softmax_by_jacobian_pullback),
    _softmax("softmax: by logsumexp", softmax_by_shift, softmax_by_logsumexp_pullback),
    _softmax("softmax: quotient rule", softmax_by_shift_itself, softmax_by_quotient_pullback),
    _softmax("softmax: by pairs", softmax_by_log_softmax, softmax_by_pairs_pullback),
    _softmax("softmax of a vector", jax.nn.softmax, softmax_vector_pullback, [d.real("k")]),
    _softmax("softmax: axis 0", softmax_axis_0, softmax_axis_0_pullback),
    _softmax("softmax: over all", softmax_over_all, softmax_over_all_pullback),
    _softmax(
        "softmax: by exp2",
        softmax_by_exp2,
        softmax_from_result_pullback,
        source="PyTorch: _softmax_backward_data",
    ),
    _softmax(
        "softmax with temperature",
        softmax_with_temperature,
        softmax_with_temperature_pullback,
        (d.real("batch k"), d.positive()),
    ),
    _softmax(
        "softmax with a log scale for each row",
        softmax_with_log_scale,
        softmax_with_log_scale_pullback,
        (d.real("batch k"), d.real("batch")),
    ),
    _softmax("softmin", softmin, softmin_pullback),
    _softmax("softmax plus one", softmax_plus_one, softmax_plus_one_pullback),
    _softmax(
        "softmax of a pair",
        softmax_of_pair,
        softmax_of_pair_pullback,
        (d.real("n"), d.real("n")),
    ),
    _softmax(
        "softmax mean",
        softmax_mean,
        softmax_mean_pullback,
        (d.real("batch k"), d.real("batch k")),
    ),
    _softmax(
        "softmax times values",
        softmax_times_values,
        softmax_times_values_pullback,
        (d.real("h q k"), d.real("h k v")),
        "FlashAttention: algorithm 4, backward pass",
    ),
    _softmax("softmax, where", masked_softmax, masked_softmax_pullback, _masked, "JAX: softmax"),
    _softmax(
        "softmax of where",
        softmax_of_where,
        softmax_of_where_pullback,
        _masked,
        "Haiku: MultiHeadAttention",
    ),
    _softmax(
        "softmax of where -inf",
        softmax_of_minus_inf,
        softmax_of_minus_inf_pullback,
        _masked,
        "PyTorch: scaled_dot_product_attention",
    ),
    _softmax(
        "softmax of where, smallest float",
        softmax_of_smallest,
        softmax_of_smallest_pullback,
        _masked,
        "Equinox: nn/_attention.py",
    ),
    _softmax(
        "causal softmax",
        causal_softmax,
        causal_softmax_pullback,
        (d.real("h n n"),),
        "nanoGPT: CausalSelfAttention",
    ),
    _softmax(
        "softmax with an additive mask",
        biased_softmax,
        biased_softmax_pullback,
        _masked,
        "Keras: layers.Softmax",
    ),
    _softmax(
        "softmax, masked and renormalised",
        renormalised_softmax,
        renormalised_softmax_pullback,
        _masked,
    ),
    _softmax("log_softmax", jax.nn.log_softmax, log_softmax_pullback, source="JAX: log_softmax"),
    _softmax(
        "log_softmax: from the result",
        log_softmax_by_shift,
        log_softmax_from_result_pullback,
        source="PyTorch: _log_softmax_backward_data",
    ),
    _softmax(
        "log_softmax: full Jacobian", log_softmax_by_logsumexp, log_softmax_by_jacobian_pullback
    ),
    _softmax("log of softmax", log_of_softmax, log_of_softmax_pullback),
    _softmax("log_softmax: axis 0", log_softmax_axis_0, log_softmax_axis_0_pullback),
    _softmax(
        "log_softmax with temperature",
        log_softmax_with_temperature,
        log_softmax_with_temperature_pullback,
        (d.real("batch k"), d.positive()),
    ),
    _softmax("capped log_softmax", capped_log_softmax, capped_log_softmax_pullback),
    _softmax(
        "weighted log_softmax",
        weighted_log_softmax,
        weighted_log_softmax_pullback,
        (d.real("batch k"), d.real("batch k")),
        "optax: weighted_logsoftmax",
    ),
    _logsumexp("logsumexp", logsumexp, logsumexp_pullback, source="JAX: jax.nn.logsumexp"),
    _logsumexp(
        "logsumexp: exp(x - answer)",
        logsumexp_by_hand,
        logsumexp_from_result_pullback,
        source="HIPS autograd: scipy/special.py, logsumexp",
    ),
    _logsumexp("logsumexp: naive, axis 0", logsumexp_naive, logsumexp_naive_pullback),
    _logsumexp("logsumexp of all", logsumexp_of_all, logsumexp_of_all_pullback),
    _logsumexp(
        "weighted logsumexp",
        weighted_logsumexp,
        weighted_logsumexp_pullback,
        (d.real("batch k"), d.positive("batch k")),
        "JAX: jax.nn.logsumexp with b",
    ),
    _logsumexp(
        "logsumexp with shared weights",
        logsumexp_of_shared_weights,
        logsumexp_of_shared_weights_pullback,
        (d.real("batch k"), d.positive("k")),
    ),
    _logsumexp("logsumexp, where", masked_logsumexp, masked_logsumexp_pullback, _masked),
    _logsumexp(
        "logaddexp",
        jnp.logaddexp,
        logaddexp_pullback,
        (d.real("batch n"), d.real("batch n")),
        "HIPS autograd: numpy_vjps.py, logaddexp",
    ),
    _logsumexp(
        "logaddexp: by log1p",
        logaddexp_by_log1p,
        logaddexp_by_sigmoid_pullback,
        (d.real("n"), d.real("n")),
    ),
    _logsumexp("logmeanexp", logmeanexp, logmeanexp_pullback),
    _logsumexp(
        "smooth maximum",
        smooth_maximum,
        smooth_maximum_pullback,
        (d.real("batch k"), d.positive()),
    ),
)
