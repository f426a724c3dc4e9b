"""Attention: scores, masks, heads, biases, and the linear kinds."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .settings import as_users_run

# --- parts


def scores(q, k):
    return q @ k.T / jnp.sqrt(q.shape[-1])


def scores_pullback(q, k, ct):
    scale = 1 / jnp.sqrt(q.shape[-1])
    return scale * (ct @ k), scale * (ct.T @ q)


def weighted_values(s, v):
    return jax.nn.softmax(s, axis=-1) @ v


def weighted_values_pullback(s, v, ct):
    p = jax.nn.softmax(s, axis=-1)
    d_p = ct @ v.T
    return p * (d_p - jnp.sum(p * d_p, axis=-1, keepdims=True)), p.T @ ct


# --- softmax attention without mask


def attention(q, k, v):
    return jax.nn.softmax(q @ k.T / jnp.sqrt(q.shape[-1]), axis=-1) @ v


def attention_pullback(q, k, v, ct):
    scale = lax.rsqrt(jnp.asarray(q.shape[-1], q.dtype))
    p = jax.nn.softmax(scale * (q @ k.T), axis=-1)
    d_p = ct @ v.T
    d_s = p * d_p - p * jnp.einsum("ts,ts->t", p, d_p)[:, None]
    return scale * d_s @ k, scale * d_s.T @ q, p.T @ ct


def flash_attention_pullback(q, k, v, ct):
    scale = 1 / jnp.sqrt(q.shape[-1])
    s = scale * (q @ k.T)
    top = jnp.max(s, axis=1, keepdims=True)
    lse = top + jnp.log(jnp.sum(jnp.exp(s - top), axis=1, keepdims=True))
    p = jnp.exp(s - lse)
    out = p @ v
    delta = jnp.sum(ct * out, axis=1, keepdims=True)
    d_s = p * (ct @ v.T - delta)
    return d_s @ k * scale, d_s.T @ q * scale, p.T @ ct


def attention_with_lse(q, k, v):
    s = q @ k.T
    lse = jax.nn.logsumexp(s, axis=-1)
    return jnp.exp(s - lse[:, None]) @ v, lse


def attention_with_lse_pullback(q, k, v, ct):
    d_out, d_lse = ct
    s = q @ k.T
    e = jnp.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    d_s = p * (d_out @ v.T - jnp.sum(d_out * (p @ v), -1, keepdims=True) + d_lse[:, None])
    return d_s @ k, d_s.T @ q, p.T @ d_out


def attention_pool(x, w):
    weights = jax.nn.softmax(x @ w)
    return weights @ x


def attention_pool_pullback(x, w, ct):
    p = jax.nn.softmax(x @ w)
    d_s = p * (x @ ct - jnp.dot(p, x @ ct))
    return jnp.outer(p, ct) + jnp.outer(d_s, w), d_s @ x


def additive_attention(q, k, v, wq, wk, wv):
    features = jnp.tanh((q @ wq)[:, None, :] + (k @ wk)[None, :, :])
    return jax.nn.softmax(features @ wv, axis=1) @ v


def additive_attention_pullback(q, k, v, wq, wk, wv, ct):
    features = jnp.tanh((q @ wq)[:, None, :] + (k @ wk)[None, :, :])
    p = jax.nn.softmax(features @ wv, axis=1)
    d_p = ct @ v.T
    d_s = p * (d_p - (p * d_p).sum(axis=1, keepdims=True))
    d_z = d_s[:, :, None] * wv * (1 - features**2)
    d_zq, d_zk = d_z.sum(axis=1), d_z.sum(axis=0)
    d_wv = jnp.einsum("ts,tsh->h", d_s, features)
    return d_zq @ wq.T, d_zk @ wk.T, p.T @ ct, q.T @ d_zq, k.T @ d_zk, d_wv


def kernel_regression(queries, keys, values, width):
    distances = queries[:, None] - keys[None, :]
    return jax.nn.softmax(-((distances * width) ** 2) / 2, axis=1) @ values


def kernel_regression_pullback(queries, keys, values, width, ct):
    distances = queries[:, None] - keys[None, :]
    p = jax.nn.softmax(-0.5 * jnp.square(width * distances), axis=1)
    d_s = ct[:, None] * p * (values[None, :] - (p @ values)[:, None])
    d_distances = -d_s * distances * width**2
    d_width = -jnp.sum(d_s * distances**2) * width
    return d_distances.sum(1), -d_distances.sum(0), ct @ p, d_width


def temperature_attention(q, k, v, log_temperature):
    s = jnp.exp(-log_temperature) * jnp.einsum("td,sd->ts", q, k)
    return jnp.einsum("ts,sd->td", jax.nn.softmax(s), v)


def temperature_attention_pullback(q, k, v, log_temperature, ct):
    beta = jnp.exp(-log_temperature)
    s = beta * (q @ k.T)
    p = jax.nn.softmax(s)
    d_s = p * (ct @ v.T - jnp.einsum("td,td->t", ct, p @ v)[:, None])
    return beta * d_s @ k, beta * d_s.T @ q, p.T @ ct, -jnp.sum(d_s * s)


def sink_attention(q, k, v, sink):
    s = q @ k.T
    top = jnp.maximum(s.max(axis=-1), sink)
    e = jnp.exp(s - top[:, None])
    return e @ v / (e.sum(axis=-1) + jnp.exp(sink - top))[:, None]


def sink_attention_pullback(q, k, v, sink, ct):
    s = q @ k.T
    lse = jnp.logaddexp(jax.nn.logsumexp(s, axis=-1), sink)
    p = jnp.exp(s - lse[:, None])
    delta = jnp.sum(ct * (p @ v), axis=-1)
    d_s = p * (ct @ v.T - delta[:, None])
    return d_s @ k, d_s.T @ q, p.T @ ct, -jnp.sum(delta * jnp.exp(sink - lse))


# --- masks


def masked_by_large_negative(q, k, v, mask):
    s = jnp.where(mask, q @ k.T / jnp.sqrt(q.shape[-1]), -1e9)
    return jax.nn.softmax(s, axis=-1) @ v


def masked_by_large_negative_pullback(q, k, v, mask, ct):
    root = jnp.sqrt(q.shape[-1])
    p = jax.nn.softmax(jnp.where(mask, q @ k.T / root, -1e9), axis=-1)
    d_p = ct @ v.T
    d_s = jnp.where(mask, p * (d_p - jnp.sum(d_p * p, -1, keepdims=True)), 0) / root
    return d_s @ k, d_s.T @ q, p.T @ ct, None


def masked_by_addition(q, k, v, mask):
    penalty = (1.0 - mask.astype(q.dtype)) * -10000.0
    return jax.nn.softmax(q @ k.T + penalty, axis=-1) @ v


def masked_by_addition_pullback(q, k, v, mask, ct):
    s = q @ k.T + (1.0 - mask) * -10000.0
    p = jnp.exp(s - jax.nn.logsumexp(s, axis=-1, keepdims=True))
    d_p = jnp.einsum("td,sd->ts", ct, v)
    d_s = p * (d_p - jnp.einsum("ts,ts->t", p, d_p)[:, None])
    return d_s @ k, jnp.einsum("ts,td->sd", d_s, q), jnp.einsum("ts,td->sd", p, ct), None


def masked_by_minus_infinity(q, k, v, mask):
    s = jnp.where(mask | jnp.eye(q.shape[0], dtype=bool), q @ k.T, -jnp.inf)
    return jax.nn.softmax(s, axis=-1) @ v


def masked_by_minus_infinity_pullback(q, k, v, mask, ct):
    allowed = mask | jnp.eye(q.shape[0], dtype=bool)
    s = q @ k.T
    top = jnp.max(jnp.where(allowed, s, -jnp.inf), axis=-1, keepdims=True)
    e = jnp.where(allowed, jnp.exp(s - top), 0.0)
    p = e / e.sum(axis=-1, keepdims=True)
    d_s = p * (ct @ v.T - jnp.sum(ct * (p @ v), axis=-1, keepdims=True))
    return d_s @ k, d_s.T @ q, p.T @ ct, None


def key_padding(s, keep):
    return jax.nn.softmax(jnp.where(keep[None, :], s, -jnp.inf), axis=-1)


def key_padding_pullback(s, keep, ct):
    p = jax.nn.softmax(jnp.where(keep[None, :], s, -jnp.inf), axis=-1)
    return p * (ct - jnp.sum(ct * p, axis=-1, keepdims=True)), None


def safe_masked_softmax(s, mask):
    some = jnp.any(mask, axis=-1, keepdims=True)
    top = jnp.max(jnp.where(mask, s, -1e30), axis=-1, keepdims=True)
    e = jnp.where(mask, jnp.exp(jnp.where(mask, s - top, 0.0)), 0.0)
    return e / jnp.where(some, jnp.sum(e, axis=-1, keepdims=True), 1.0)


def safe_masked_softmax_pullback(s, mask, ct):
    p = safe_masked_softmax(s, mask)
    return p * (ct - (p * ct).sum(axis=-1, keepdims=True)), None


def causal_tril(q, k, v):
    s = q @ k.T / jnp.sqrt(q.shape[-1])
    causal = jnp.tril(jnp.ones((q.shape[0], q.shape[0]), dtype=bool))
    return jax.nn.softmax(jnp.where(causal, s, -jnp.inf), axis=-1) @ v


def causal_tril_pullback(q, k, v, ct):
    root = jnp.sqrt(q.shape[-1])
    causal = jnp.tril(jnp.ones((q.shape[0], q.shape[0]), dtype=bool))
    p = jax.nn.softmax(jnp.where(causal, q @ k.T / root, -jnp.inf), axis=-1)
    d_p = ct @ v.T
    d_s = p * (d_p - jnp.sum(p * d_p, axis=-1, keepdims=True)) / root
    return d_s @ k, d_s.T @ q, p.T @ ct


def causal_iota(q, k, v):
    s = q @ k.T
    rows = lax.broadcasted_iota(jnp.int32, s.shape, 0)
    columns = lax.broadcasted_iota(jnp.int32, s.shape, 1)
    return jax.nn.softmax(jnp.where(rows >= columns, s, -1e30), axis=-1) @ v


def causal_iota_pullback(q, k, v, ct):
    s = q @ k.T
    rows = lax.broadcasted_iota(jnp.int32, s.shape, 0)
    columns = lax.broadcasted_iota(jnp.int32, s.shape, 1)
    p = jax.nn.softmax(jnp.where(rows >= columns, s, -1e30), axis=-1)
    d_s = jnp.where(rows < columns, 0.0, p * (ct @ v.T - jnp.sum(ct * (p @ v), 1)[:, None]))
    return d_s @ k, d_s.T @ q, p.T @ ct


# --- heads


def heads(q, k, v):
    s = jnp.einsum("bhtd,bhsd->bhts", q, k) / jnp.sqrt(q.shape[-1])
    return jnp.einsum("bhts,bhsd->bhtd", jax.nn.softmax(s, axis=-1), v)


def heads_pullback(q, k, v, ct):
    scale = 1 / jnp.sqrt(q.shape[-1])
    batch = ((0, 1), (0, 1))
    p = jax.nn.softmax(lax.dot_general(q, k, (((3,), (3,)), batch)) * scale, axis=-1)
    d_p = lax.dot_general(ct, v, (((3,), (3,)), batch))
    d_s = p * (d_p - jnp.sum(p * d_p, axis=-1, keepdims=True)) * scale
    d_q = lax.dot_general(d_s, k, (((3,), (2,)), batch))
    d_k = lax.dot_general(d_s, q, (((2,), (2,)), batch))
    return d_q, d_k, lax.dot_general(p, ct, (((2,), (2,)), batch))


def causal_heads(q, k, v):
    time = q.shape[1]
    att = q @ jnp.swapaxes(k, -2, -1) * (1.0 / jnp.sqrt(k.shape[-1]))
    att = jnp.where(jnp.tril(jnp.ones((time, time)))[None] == 0, -jnp.inf, att)
    return jax.nn.softmax(att, axis=-1) @ v


def causal_heads_pullback(q, k, v, ct):
    time = q.shape[1]
    scale = 1.0 / jnp.sqrt(k.shape[-1])
    att = scale * (q @ jnp.swapaxes(k, -2, -1))
    att = jnp.where(jnp.tril(jnp.ones((time, time))) == 0, -jnp.inf, att)
    att = jax.nn.softmax(att, axis=-1)
    d_att = ct @ jnp.swapaxes(v, -2, -1)
    d_pre = att * d_att - att * jnp.sum(att * d_att, axis=-1, keepdims=True)
    d_k = scale * jnp.swapaxes(d_pre, -2, -1) @ q
    return scale * d_pre @ k, d_k, jnp.swapaxes(att, -2, -1) @ ct


def causal_weights(q, k):
    time = q.shape[1]
    causal = jnp.arange(time)[:, None] >= jnp.arange(time)[None, :]
    s = jnp.where(causal, jnp.einsum("htd,hsd->hts", q, k) / jnp.sqrt(q.shape[-1]), -jnp.inf)
    e = jnp.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def causal_weights_indicator(q, k, ct):
    scale = 1.0 / jnp.sqrt(q.shape[-1])
    att = causal_weights(q, k)
    indicator = jnp.eye(q.shape[1], dtype=q.dtype)
    local = att[..., :, None] * (indicator - att[..., None, :])
    d_pre = jnp.einsum("htij,hti->htj", local, ct)
    d_q = jnp.einsum("hts,hsd->htd", d_pre, k) * scale
    return d_q, jnp.einsum("hts,htd->hsd", d_pre, q) * scale


def multi_head(x, wq, wk, wv, wo):
    q = jnp.einsum("td,dhk->thk", x, wq)
    k = jnp.einsum("td,dhk->thk", x, wk)
    v = jnp.einsum("td,dhk->thk", x, wv)
    weights = jax.nn.softmax(jnp.einsum("thk,shk->hts", q, k) / jnp.sqrt(wq.shape[-1]))
    return jnp.einsum("hts,shk,hkd->td", weights, v, wo)


def multi_head_pullback(x, wq, wk, wv, wo, ct):
    root = jnp.sqrt(wq.shape[-1])
    q, k, v = (jnp.einsum("td,dhk->htk", x, w) for w in (wq, wk, wv))
    p = jax.nn.softmax(q @ k.transpose(0, 2, 1) / root)
    mixed = p @ v
    d_wo = jnp.einsum("htk,td->hkd", mixed, ct)
    d_mixed = jnp.einsum("td,hkd->htk", ct, wo)
    d_v = p.transpose(0, 2, 1) @ d_mixed
    d_p = d_mixed @ v.transpose(0, 2, 1)
    d_s = p * (d_p - jnp.sum(d_p * p, axis=-1, keepdims=True)) / root
    d_q, d_k = d_s @ k, d_s.transpose(0, 2, 1) @ q
    d_x = sum(jnp.einsum("htk,dhk->td", g, w) for g, w in ((d_q, wq), (d_k, wk), (d_v, wv)))
    d_wq, d_wk, d_wv = (jnp.einsum("td,htk->dhk", x, g) for g in (d_q, d_k, d_v))
    return d_x, d_wq, d_wk, d_wv, d_wo


def grouped_queries(q, k, v):
    s = jnp.einsum("hgtd,hsd->hgts", q, k)
    return jnp.einsum("hgts,hsd->hgtd", jax.nn.softmax(s, axis=-1), v)


def grouped_queries_pullback(q, k, v, ct):
    p = jax.nn.softmax(jnp.einsum("hgtd,hsd->hgts", q, k), axis=-1)
    d_p = jnp.einsum("hgtd,hsd->hgts", ct, v)
    d_s = p * (d_p - jnp.sum(p * d_p, axis=-1, keepdims=True))
    d_k = jnp.sum(jnp.swapaxes(d_s, -1, -2) @ q, axis=1)
    d_v = jnp.sum(jnp.swapaxes(p, -1, -2) @ ct, axis=1)
    return jnp.einsum("hgts,hsd->hgtd", d_s, k), d_k, d_v


def packed_projection(x, w):
    q, k, v = jnp.split(x @ w, 3, axis=-1)
    return jax.nn.softmax(q @ k.T, axis=-1) @ v


def packed_projection_pullback(x, w, ct):
    q, k, v = jnp.split(x @ w, 3, axis=-1)
    p = jax.nn.softmax(q @ k.T, axis=-1)
    d_p = ct @ v.T
    d_s = p * (d_p - jnp.sum(d_p * p, axis=-1, keepdims=True))
    d_qkv = jnp.concatenate([d_s @ k, d_s.T @ q, p.T @ ct], axis=-1)
    return d_qkv @ w.T, x.T @ d_qkv


# --- biases


def alibi(q, k, v, slopes):
    positions = jnp.arange(q.shape[1], dtype=q.dtype)
    distance = positions[None, :] - positions[:, None]
    s = jnp.einsum("htd,hsd->hts", q, k) + slopes[:, None, None] * distance
    return jnp.einsum("hts,hsd->htd", jax.nn.softmax(s, axis=-1), v)


def alibi_pullback(q, k, v, slopes, ct):
    positions = jnp.arange(q.shape[1], dtype=q.dtype)
    distance = positions[None, :] - positions[:, None]
    s = q @ k.swapaxes(1, 2) + slopes[:, None, None] * distance
    p = jax.nn.softmax(s, axis=-1)
    d_p = ct @ v.swapaxes(1, 2)
    d_s = p * (d_p - jnp.einsum("hts,hts->ht", p, d_p)[..., None])
    d_slopes = jnp.einsum("hts,ts->h", d_s, distance)
    return d_s @ k, d_s.swapaxes(1, 2) @ q, p.swapaxes(1, 2) @ ct, d_slopes


def biased_attention(q, k, v, bias):
    s = q @ jnp.swapaxes(k, 1, 2) + bias[None]
    return jax.nn.softmax(s, axis=-1) @ v


def biased_attention_pullback(q, k, v, bias, ct):
    p = jax.nn.softmax(jnp.einsum("btd,bsd->bts", q, k) + bias, axis=-1)
    out = jnp.einsum("bts,bsd->btd", p, v)
    delta = jnp.einsum("btd,btd->bt", ct, out)
    d_s = p * (jnp.einsum("btd,bsd->bts", ct, v) - delta[..., None])
    d_q, d_k = jnp.einsum("bts,bsd->btd", d_s, k), jnp.einsum("bts,btd->bsd", d_s, q)
    return d_q, d_k, jnp.einsum("bts,btd->bsd", p, ct), d_s.sum(axis=0)


# --- linear attention


def linear_attention(q, k, v):
    fq, fk = jax.nn.elu(q) + 1, jax.nn.elu(k) + 1
    return fq @ (fk.T @ v) / (fq @ fk.sum(axis=0))[:, None]


def linear_attention_pullback(q, k, v, ct):
    fq = jnp.where(q > 0, q + 1, jnp.exp(jnp.minimum(q, 0)))
    fk = jnp.where(k > 0, k + 1, jnp.exp(jnp.minimum(k, 0)))
    state, total = fk.T @ v, fk.sum(axis=0)
    normaliser = (fq @ total)[:, None]
    g = ct / normaliser
    d_normaliser = -jnp.sum(g * (fq @ state), axis=1, keepdims=True) / normaliser
    d_fq = g @ state.T + d_normaliser * total
    d_fk = v @ (fq.T @ g).T + (d_normaliser.T @ fq)
    slope_q, slope_k = jnp.where(q > 0, 1.0, fq), jnp.where(k > 0, 1.0, fk)
    return d_fq * slope_q, d_fk * slope_k, fk @ (fq.T @ g)


def unnormalised_linear_attention(q, k, v):
    return q @ (k.T @ v)


def unnormalised_linear_attention_pullback(q, k, v, ct):
    weights = q @ k.T
    d_weights = ct @ v.T
    return d_weights @ k, d_weights.T @ q, weights.T @ ct


def causal_linear_attention(q, k, v):
    states = jnp.cumsum(k[:, :, None] * v[:, None, :], axis=0)
    return jnp.einsum("tk,tkd->td", q, states)


def causal_linear_attention_pullback(q, k, v, ct):
    states = jnp.cumsum(jnp.einsum("tk,td->tkd", k, v), axis=0)
    d_states = lax.cumsum(jnp.einsum("tk,td->tkd", q, ct), axis=0, reverse=True)
    d_q = jnp.einsum("td,tkd->tk", ct, states)
    return d_q, jnp.einsum("td,tkd->tk", v, d_states), jnp.einsum("tk,tkd->td", k, d_states)


QKV = (d.real("t k"), d.real("s k"), d.real("s v"))
SELF = (d.real("t k"), d.real("t k"), d.real("t v"))

CASES = as_users_run(
    [
        Case("attention scores", "attention", scores, scores_pullback, QKV[:2]),
        Case(
            "weighted values",
            "attention",
            weighted_values,
            weighted_values_pullback,
            (d.real("t s"), d.real("s v")),
        ),
        Case("attention", "attention", attention, attention_pullback, QKV),
        Case(
            "attention, recomputed from logsumexp",
            "attention",
            attention,
            flash_attention_pullback,
            QKV,
            source="FlashAttention: algorithm 2, backward pass",
        ),
        Case(
            "attention with its logsumexp",
            "attention",
            attention_with_lse,
            attention_with_lse_pullback,
            QKV,
            source="FlashAttention: flash_attn_triton.py with a cotangent of the logsumexp",
        ),
        Case(
            "attention pooling",
            "attention",
            attention_pool,
            attention_pool_pullback,
            (d.real("t k"), d.real("k")),
        ),
        Case(
            "additive attention",
            "attention",
            additive_attention,
            additive_attention_pullback,
            (
                d.real("t q"),
                d.real("s k"),
                d.real("s k"),
                d.real("q h"),
                d.real("k h"),
                d.real("h"),
            ),
            source="D2L: chapter 11.3, AdditiveAttention",
        ),
        Case(
            "kernel regression",
            "attention",
            kernel_regression,
            kernel_regression_pullback,
            (d.real("n"), d.real("m"), d.real("m"), d.real()),
            source="D2L: chapter 11.2, NWKernelRegression",
        ),
        Case(
            "attention with a temperature",
            "attention",
            temperature_attention,
            temperature_attention_pullback,
            (*QKV, d.real()),
        ),
        Case(
            "attention with a sink",
            "attention",
            sink_attention,
            sink_attention_pullback,
            (*QKV, d.real()),
            source="gpt-oss: torch/model.py, sdpa",
        ),
        Case(
            "masked attention, large negative",
            "masked attention",
            masked_by_large_negative,
            masked_by_large_negative_pullback,
            (*QKV, d.boolean("t s")),
            source="D2L: chapter 11.3, masked_softmax",
        ),
        Case(
            "masked attention, added penalty",
            "masked attention",
            masked_by_addition,
            masked_by_addition_pullback,
            (*QKV, d.boolean("t s")),
            source="BERT: modeling.py, attention_layer",
        ),
        Case(
            "masked attention, minus infinity",
            "masked attention",
            masked_by_minus_infinity,
            masked_by_minus_infinity_pullback,
            (*SELF, d.boolean("t t")),
        ),
        Case(
            "softmax with padded keys",
            "masked attention",
            key_padding,
            key_padding_pullback,
            (d.real("t s"), d.boolean("s")),
        ),
        Case(
            "softmax, rows that are all masked",
            "masked attention",
            safe_masked_softmax,
            safe_masked_softmax_pullback,
            (d.real("t s"), d.boolean("t s")),
        ),
        Case("causal attention, tril", "masked attention", causal_tril, causal_tril_pullback, SELF),
        Case(
            "causal attention, iota",
            "masked attention",
            causal_iota,
            causal_iota_pullback,
            SELF,
            source="JAX: pallas/ops/gpu/attention.py, mha_reference",
        ),
        Case(
            "heads",
            "multi-head attention",
            heads,
            heads_pullback,
            (d.real("b h t k"), d.real("b h s k"), d.real("b h s k")),
        ),
        Case(
            "causal heads",
            "multi-head attention",
            causal_heads,
            causal_heads_pullback,
            (d.real("h t k"), d.real("h t k"), d.real("h t v")),
            source="nanoGPT: model.py, CausalSelfAttention.forward",
        ),
        Case(
            "causal weights, indicator",
            "multi-head attention",
            causal_weights,
            causal_weights_indicator,
            (d.real("h t k"), d.real("h t k")),
            source="llm.c: train_gpt2.c, attention_backward",
        ),
        Case(
            "multi-head attention with projections",
            "multi-head attention",
            multi_head,
            multi_head_pullback,
            (d.real("t n"), d.real("n h k"), d.real("n h k"), d.real("n h k"), d.real("h k n")),
            source="Equinox: nn/_attention.py, MultiheadAttention",
        ),
        Case(
            "grouped queries",
            "multi-head attention",
            grouped_queries,
            grouped_queries_pullback,
            (d.real("h g t k"), d.real("h s k"), d.real("h s k")),
        ),
        Case(
            "packed projection",
            "multi-head attention",
            packed_projection,
            packed_projection_pullback,
            (d.real("t n"), d.real("n 3*k")),
        ),
        Case(
            "distance bias with slopes",
            "multi-head attention",
            alibi,
            alibi_pullback,
            (d.real("h t k"), d.real("h t k"), d.real("h t v"), d.real("h")),
            source="ALiBi: attention_with_linear_biases",
        ),
        Case(
            "shared bias",
            "multi-head attention",
            biased_attention,
            biased_attention_pullback,
            (d.real("b t k"), d.real("b s k"), d.real("b s v"), d.real("t s")),
        ),
        Case(
            "linear attention, elu + 1",
            "linear attention",
            linear_attention,
            linear_attention_pullback,
            QKV,
            source="fast-transformers: linear_attention.py, LinearAttention",
        ),
        Case(
            "linear attention, without normaliser",
            "linear attention",
            unnormalised_linear_attention,
            unnormalised_linear_attention_pullback,
            QKV,
        ),
        Case(
            "causal linear attention",
            "linear attention",
            causal_linear_attention,
            causal_linear_attention_pullback,
            SELF,
        ),
    ]
)
