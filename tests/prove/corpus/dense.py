"""Dense layers and networks, quadratic forms, products of matrices, norms and distances."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case
from .settings import as_users_run

# --- one dense layer


def linear(x, w, b):
    return x @ w + b


def linear_pullback(x, w, b, ct):
    return ct @ w.T, x.T @ ct, ct.sum(axis=0)


def linear_columns(w, x, b):
    return jnp.dot(w, x) + b[:, None]


def linear_columns_pullback(w, x, b, ct):
    return jnp.dot(ct, x.T), jnp.dot(w.T, ct), jnp.sum(ct, axis=1)


def linear_vector(w, x, b):
    return w @ x + b


def linear_vector_pullback(w, x, b, ct):
    return jnp.outer(ct, x), w.T @ ct, ct


def linear_rows_of_weights(x, weight, bias):
    return jnp.einsum("bti,oi->bto", x, weight) + bias


def linear_rows_of_weights_pullback(x, weight, bias, ct):
    d_x = jnp.einsum("bto,oi->bti", ct, weight)
    d_weight = jnp.einsum("bto,bti->oi", ct, x)
    return d_x, d_weight, jnp.einsum("bto->o", ct)


def linear_flattened(x, w, b):
    batch, time, width = x.shape
    out = x.reshape(batch * time, width) @ w + b
    return out.reshape(batch, time, w.shape[1])


def linear_flattened_pullback(x, w, b, ct):
    d_x = lax.dot_general(ct, w, (((2,), (1,)), ((), ())))
    d_w = lax.dot_general(x, ct, (((0, 1), (0, 1)), ((), ())))
    return d_x, d_w, jnp.sum(ct, axis=(0, 1))


def affine_images(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out


def affine_images_pullback(x, w, b, ct):
    d_x = ct.dot(w.T).reshape(x.shape)
    return d_x, x.reshape(x.shape[0], -1).T.dot(ct), jnp.sum(ct, axis=0)


def addmm(bias, left, right):
    return 0.5 * bias + 2.0 * (left @ right)


def addmm_pullback(bias, left, right, ct):
    return ct * 0.5, ct @ right.T * 2.0, left.T @ ct * 2.0


def batched_matmul(a, b):
    return jnp.matmul(a, b)


def batched_matmul_pullback(a, b, ct):
    return jnp.matmul(ct, b.swapaxes(1, 2)), jnp.matmul(a.swapaxes(1, 2), ct)


def shared_matmul(a, b):
    return jnp.matmul(a, b)


def shared_matmul_pullback(a, b, ct):
    d_b = jnp.sum(jnp.matmul(jnp.transpose(a, (0, 2, 1)), ct), axis=0)
    return jnp.einsum("bik,jk->bij", ct, b), d_b


# --- bias with broadcasting


def bias_rows(x, b):
    return x + b


def bias_rows_pullback(x, b, ct):
    return ct, jnp.ones(ct.shape[0], ct.dtype) @ ct


def bias_middle_axis(x, b):
    return x + b[None, :, None]


def bias_middle_axis_pullback(x, b, ct):
    return ct, ct.sum(2).sum(0)


def bias_two_axes(x, row, column):
    return x * row[None, :] + column[:, None] + row


def bias_two_axes_pullback(x, row, column, ct):
    return ct * row, jnp.sum(ct * (x + 1.0), axis=0), jnp.sum(ct, axis=1)


def bias_unit_axis(x, b):
    return (x + b) ** 2


def bias_unit_axis_pullback(x, b, ct):
    g = 2.0 * (x + b) * ct
    return g, lax.reduce(g, jnp.zeros((), g.dtype), lax.add, (1,)).reshape(b.shape)


def scale_and_shift(x, gamma, beta):
    return x * jnp.broadcast_to(gamma, x.shape) + jnp.expand_dims(beta, (0, 1))


def scale_and_shift_pullback(x, gamma, beta, ct):
    rows, of_ct = x.reshape(-1, x.shape[-1]), ct.reshape(-1, x.shape[-1])
    return ct * gamma, jnp.sum(rows * of_ct, axis=0), jnp.sum(of_ct, axis=0)


def scalar_scale(x, s):
    return s * x


def scalar_scale_pullback(x, s, ct):
    return s * ct, jnp.vdot(x, ct)


# --- a dense layer with an activation


def dense_sigmoid(x, w, b):
    return jax.nn.sigmoid(x @ w + b)


def dense_sigmoid_pullback(x, w, b, ct):
    a = jax.nn.sigmoid(x @ w + b)
    delta = ct * a * (1 - a)
    return delta @ w.T, x.T @ delta, delta.sum(0)


def dense_tanh(x, w, b):
    return jnp.tanh(jnp.dot(x, w) + b)


def dense_tanh_pullback(x, w, b, ct):
    z = jnp.dot(x, w) + b
    delta = ct / jnp.cosh(z) ** 2
    return jnp.dot(delta, w.T), jnp.dot(x.T, delta), jnp.sum(delta, axis=0)


def dense_relu(x, w, b):
    return jnp.maximum(0, x @ w + b)


def dense_relu_pullback(x, w, b, ct):
    delta = ct * (x @ w + b > 0)
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def dense_softplus(w, x, b):
    z = w @ x + b
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))


def dense_softplus_pullback(w, x, b, ct):
    delta = ct * jax.nn.sigmoid(w @ x + b)
    return delta[:, None] * x[None, :], delta @ w, delta


def dense_silu(x, w):
    z = x @ w
    return z * jax.nn.sigmoid(z)


def dense_silu_pullback(x, w, ct):
    z = x @ w
    s = jax.nn.sigmoid(z)
    delta = ct * s * (1 + z * (1 - s))
    return jnp.einsum("bo,io->bi", delta, w), jnp.einsum("bi,bo->io", x, delta)


def dense_gelu_tanh(x, w, b):
    return jax.nn.gelu(x @ w + b, approximate=True)


def dense_gelu_tanh_pullback(x, w, b, ct):
    z = x @ w + b
    scale = jnp.sqrt(2.0 / jnp.pi)
    argument = scale * (z + 0.044715 * z * z * z)
    tanh_out = jnp.tanh(argument)
    sech_out = 1.0 / (jnp.cosh(argument) * jnp.cosh(argument))
    slope = scale * (1.0 + 3.0 * 0.044715 * z * z)
    delta = ct * (0.5 * (1.0 + tanh_out) + z * 0.5 * sech_out * slope)
    return delta @ w.T, x.T @ delta, jnp.sum(delta, axis=0)


def dense_gelu_erf(x, w, b):
    return jax.nn.gelu(x @ w + b, approximate=False)


def dense_gelu_erf_pullback(x, w, b, ct):
    z = x @ w + b
    cdf = 0.5 * (1 + lax.erf(z * jnp.sqrt(0.5)))
    pdf = jnp.exp(z * z * -0.5) / jnp.sqrt(2 * jnp.pi)
    delta = ct * (cdf + z * pdf)
    return delta @ w.T, x.T @ delta, delta.sum(0)


def dense_elu(x, w, b):
    return jax.nn.elu(x @ w + b)


def dense_elu_pullback(x, w, b, ct):
    z = x @ w + b
    a = jnp.where(z > 0, z, jnp.expm1(jnp.where(z > 0, 0.0, z)))
    delta = jnp.where(z > 0, ct, ct * (a + 1))
    return delta @ w.T, x.T @ delta, delta.sum(0)


def dense_leaky_relu(x, w, b):
    z = x @ w + b
    return jnp.where(z > 0, z, 0.01 * z)


def dense_leaky_relu_pullback(x, w, b, ct):
    positive = (x @ w + b > 0).astype(x.dtype)
    delta = ct * (0.01 + 0.99 * positive)
    return delta @ w.T, x.T @ delta, delta.sum(0)


def dense_softmax(x, w, b):
    return jax.nn.softmax(x @ w + b, axis=-1)


def dense_softmax_pullback(x, w, b, ct):
    z = x @ w + b
    e = jnp.exp(z - jnp.max(z, axis=1, keepdims=True))
    p = e / jnp.sum(e, axis=1, keepdims=True)
    delta = p * (ct - jnp.sum(ct * p, axis=1, keepdims=True))
    return delta @ w.T, x.T @ delta, delta.sum(0)


def neuron_tanh(w, x, b):
    return jnp.tanh(jnp.sum(w * x) + b)


def neuron_tanh_pullback(w, x, b, ct):
    out = jnp.tanh(jnp.sum(w * x) + b)
    grad = (1 - out**2) * ct
    return x * grad, w * grad, grad


def dense_any_activation(sigma, x, w, b):
    return sigma(x @ w + b)


def dense_any_activation_pullback(sigma, x, w, b, ct):
    delta = ct * sigma.derivative(x @ w + b)
    return None, delta @ w.T, x.T @ delta, delta.sum(axis=0)


def residual_any_activation(phi, x, w, v):
    return x + phi(x @ w) @ v


def residual_any_activation_pullback(phi, x, w, v, ct):
    z = x @ w
    delta = (ct @ v.T) * phi.derivative(z)
    return None, ct + delta @ w.T, x.T @ delta, phi(z).T @ ct


# --- networks


def two_layer_net(x, w1, b1, w2, b2, y):
    scores = jnp.maximum(0, x.dot(w1) + b1).dot(w2) + b2
    shifted = scores - jnp.max(scores, axis=1, keepdims=True)
    log_probs = shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=1, keepdims=True))
    return -jnp.sum(log_probs[jnp.arange(x.shape[0]), y]) / x.shape[0]


def two_layer_net_pullback(x, w1, b1, w2, b2, y, ct):
    n = x.shape[0]
    hidden = jnp.maximum(0, x.dot(w1) + b1)
    scores = hidden.dot(w2) + b2
    exp_scores = jnp.exp(scores - jnp.max(scores, axis=1, keepdims=True))
    probs = exp_scores / jnp.sum(exp_scores, axis=1, keepdims=True)
    d_scores = probs.at[jnp.arange(n), y].add(-1.0) * ct / n
    d_hidden = jnp.where(hidden <= 0, 0.0, d_scores.dot(w2.T))
    return (
        d_hidden.dot(w1.T),
        x.T.dot(d_hidden),
        jnp.sum(d_hidden, axis=0),
        hidden.T.dot(d_scores),
        jnp.sum(d_scores, axis=0),
        None,
    )


def sigmoid_network(params, x, y):
    (w1, b1), (w2, b2) = params
    a2 = jax.nn.sigmoid(jax.nn.sigmoid(x @ w1 + b1) @ w2 + b2)
    return 0.5 * jnp.sum((a2 - y) ** 2) / x.shape[0]


def sigmoid_network_pullback(params, x, y, ct):
    (w1, b1), (w2, b2) = params
    a1 = jax.nn.sigmoid(x @ w1 + b1)
    a2 = jax.nn.sigmoid(a1 @ w2 + b2)
    error = ct * (a2 - y) / x.shape[0]
    delta2 = error * a2 * (1 - a2)
    delta1 = (delta2 @ w2.T) * a1 * (1 - a1)
    grads = ((x.T @ delta1, delta1.sum(0)), (a1.T @ delta2, delta2.sum(0)))
    return grads, delta1 @ w1.T, -error


def column_network(w1, b1, w2, b2, x):
    return w2 @ jnp.tanh(w1 @ x + b1) + b2


def column_network_pullback(w1, b1, w2, b2, x, ct):
    h = jnp.tanh(w1 @ x + b1)
    delta = (1 - h * h) * jnp.matmul(w2.T, ct)
    d_b1, d_b2 = delta.sum(1, keepdims=True), ct.sum(1, keepdims=True)
    return delta @ x.T, d_b1, ct @ h.T, d_b2, w1.T @ delta


def one_hidden_layer_no_bias(x, w1, w2):
    return w2 @ jax.nn.relu(w1 @ x)


def one_hidden_layer_no_bias_pullback(x, w1, w2, ct):
    z = w1 @ x
    h = jnp.where(z > 0, z, 0.0)
    d_h = w2.T @ ct
    d_z = jnp.diag(jnp.where(z > 0, 1.0, 0.0)) @ d_h
    return w1.T @ d_z, jnp.outer(d_z, x), jnp.outer(ct, h)


def swiglu(x, gate, up, down):
    return (jax.nn.silu(x @ gate) * (x @ up)) @ down


def swiglu_pullback(x, gate, up, down, ct):
    a, b = x @ gate, x @ up
    sig_a = jax.nn.sigmoid(a)
    silu_a = a * sig_a
    d_c = ct @ down.T
    d_b = d_c * silu_a
    d_a = d_c * (silu_a * (1 - sig_a) + sig_a) * b
    d_x = d_a @ gate.T + d_b @ up.T
    return d_x, x.T @ d_a, x.T @ d_b, (silu_a * b).T @ ct


def squared_relu_mlp(x, w_fc, w_proj):
    return jnp.square(jax.nn.relu(x @ w_fc.T)) @ w_proj.T


def squared_relu_mlp_pullback(x, w_fc, w_proj, ct):
    h = jax.nn.relu(x @ w_fc.T)
    d_pre = 2 * h * (ct @ w_proj)
    return d_pre @ w_fc, d_pre.T @ x, ct.T @ jnp.square(h)


def residual_block(x, w1, w2):
    return x + jax.nn.relu(x @ w1) @ w2


def residual_block_pullback(x, w1, w2, ct):
    z = x @ w1
    delta = jnp.where(z > 0, ct @ w2.T, jnp.zeros_like(z))
    return ct + delta @ w1.T, x.T @ delta, jnp.maximum(z, 0).T @ ct


def highway(x, wt, wh):
    t = jax.nn.sigmoid(x @ wt)
    return t * jnp.tanh(x @ wh) + (1 - t) * x


def highway_pullback(x, wt, wh, ct):
    t, h = jax.nn.sigmoid(x @ wt), jnp.tanh(x @ wh)
    d_zt = ct * (h - x) * t * (1 - t)
    d_zh = ct * t * (1 - h * h)
    return ct * (1 - t) + d_zt @ wt.T + d_zh @ wh.T, x.T @ d_zt, x.T @ d_zh


def recurrent_step(h, x, wh, wx, b):
    return jnp.tanh(x.dot(wx) + h.dot(wh) + b)


def recurrent_step_pullback(h, x, wh, wx, b, ct):
    next_h = jnp.tanh(x.dot(wx) + h.dot(wh) + b)
    d_z = ct * (1 - next_h**2)
    return d_z.dot(wh.T), d_z.dot(wx.T), h.T.dot(d_z), x.T.dot(d_z), d_z.sum(axis=0)


def lora(x, w, a, b):
    return x @ w + (x @ a) @ b * 0.5


def lora_pullback(x, w, a, b, ct):
    half = 0.5 * ct
    back = half @ b.T
    return ct @ w.T + back @ a.T, x.T @ ct, x.T @ back, (x @ a).T @ half


def tied_autoencoder(x, w, b):
    return jax.nn.sigmoid(x @ w + b) @ w.T


def tied_autoencoder_pullback(x, w, b, ct):
    h = jax.nn.sigmoid(x @ w + b)
    delta = (ct @ w) * h * (1 - h)
    return delta @ w.T, x.T @ delta + ct.T @ h, delta.sum(0)


def ridge_loss(w, x, y, penalty):
    return 0.5 * jnp.mean((x @ w - y) ** 2) + 0.5 * penalty * jnp.sum(w * w)


def ridge_loss_pullback(w, x, y, penalty, ct):
    error = (x @ w - y) / x.shape[0]
    d_w = x.T @ error + penalty * w
    return ct * d_w, ct * jnp.outer(error, w), -ct * error, 0.5 * ct * jnp.dot(w, w)


def logistic_regression(w, b, x, y):
    z = x @ w + b
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z)


def logistic_regression_pullback(w, b, x, y, ct):
    z = x @ w + b
    residual = ct * (jax.nn.sigmoid(z) - y) / x.shape[0]
    return x.T @ residual, residual.sum(), residual[:, None] * w, -ct * z / x.shape[0]


# --- quadratic forms and products


def quadratic(x, a):
    return x @ a @ x


def quadratic_pullback(x, a, ct):
    return ct * ((a + a.T) @ x), ct * jnp.outer(x, x)


def quadratic_batch(x, a):
    return jnp.einsum("bi,ij,bj->b", x, a, x)


def quadratic_batch_pullback(x, a, ct):
    d_x = ct[:, None] * (x @ a + x @ a.T)
    return d_x, x.T @ (ct[:, None] * x)


def quadratic_symmetrised(x, a):
    s = 0.5 * (a + a.T)
    return 0.5 * jnp.dot(x, jnp.dot(s, x))


def quadratic_symmetrised_pullback(x, a, ct):
    s = (a + a.T) / 2
    return ct * jnp.dot(s, x), ct / 2 * x[:, None] * x[None, :]


def gram_quadratic(x, m):
    y = m @ x
    return jnp.sum(y * y)


def gram_quadratic_pullback(x, m, ct):
    return 2 * ct * (m.T @ m) @ x, 2 * ct * jnp.outer(m @ x, x)


def bilinear(x, w, y):
    return jnp.einsum("bi,oij,bj->bo", x, w, y)


def bilinear_pullback(x, w, y, ct):
    d_x = jnp.einsum("bo,oij,bj->bi", ct, w, y)
    d_w = jnp.einsum("bo,bi,bj->oij", ct, x, y)
    return d_x, d_w, jnp.einsum("bo,bi,oij->bj", ct, x, w)


def bilinear_scalar(x, a, y):
    return x @ a @ y


def bilinear_scalar_pullback(x, a, y, ct):
    return ct * a @ y, ct * jnp.outer(x, y), ct * a.T @ x


def outer(x, y):
    return jnp.outer(x, y)


def outer_pullback(x, y, ct):
    return ct @ y, ct.T @ x


def addr(m, x, y):
    return m + jnp.einsum("i,j->ij", x, y)


def addr_pullback(m, x, y, ct):
    return ct, jnp.einsum("ij,j->i", ct, y), jnp.einsum("ij,i->j", ct, x)


def gram(x):
    return x @ x.T


def gram_pullback(x, ct):
    return ((ct + ct.T) @ x,)


def triple(a, b, c):
    return a @ b @ c


def triple_pullback(a, b, c, ct):
    return ct @ (b @ c).T, a.T @ ct @ c.T, (a @ b).T @ ct


def kronecker(a, b):
    return a[:, None, :, None] * b[None, :, None, :]


def kronecker_pullback(a, b, ct):
    return jnp.einsum("ikjl,kl->ij", ct, b), jnp.einsum("ikjl,ij->kl", ct, a)


# --- traces and norms of matrices


def trace(a):
    return jnp.trace(a)


def trace_pullback(a, ct):
    return (ct * jnp.eye(a.shape[0], dtype=a.dtype),)


def trace_of_product(a, b):
    return jnp.einsum("ij,ji->", a, b)


def trace_of_product_pullback(a, b, ct):
    return ct * b.T, ct * a.T


def half_frobenius(w):
    return 0.5 * jnp.sum(jnp.square(w))


def half_frobenius_pullback(w, ct):
    return (ct * w,)


def frobenius(w):
    return jnp.linalg.norm(w)


def frobenius_pullback(w, ct):
    return (w * (ct / jnp.sqrt(jnp.sum(w**2))),)


def frobenius_eps(w):
    return jnp.sqrt(jnp.trace(w.T @ w) + 1e-8)


def frobenius_eps_pullback(w, ct):
    return (ct * w * lax.rsqrt(jnp.vdot(w, w) + 1e-8),)


def orthogonality_penalty(w):
    return jnp.sum((w.T @ w - jnp.eye(w.shape[1], dtype=w.dtype)) ** 2)


def orthogonality_penalty_pullback(w, ct):
    return (4.0 * ct * (w @ (w.T @ w) - w),)


# --- distances


def squared_distances(x, y):
    return jnp.sum((x[:, None, :] - y[None, :, :]) ** 2, axis=-1)


def squared_distances_pullback(x, y, ct):
    g = 2 * ct[:, :, None] * (x[:, None] - y[None])
    return g.sum(axis=1), -g.sum(axis=0)


def squared_distances_expanded(x, y):
    return jnp.sum(x * x, 1)[:, None] - 2 * x @ y.T + jnp.sum(y * y, 1)[None, :]


def squared_distances_expanded_pullback(x, y, ct):
    d_x = 2 * (x * ct.sum(1, keepdims=True) - ct @ y)
    return d_x, 2 * (y * ct.sum(0)[:, None] - ct.T @ x)


def euclidean_distances_eps(x, y):
    difference = jnp.expand_dims(x, 1) - jnp.expand_dims(y, 0)
    return jnp.sqrt(jnp.einsum("nmk,nmk->nm", difference, difference) + 1e-9)


def euclidean_distances_eps_pullback(x, y, ct):
    difference = jnp.expand_dims(x, 1) - jnp.expand_dims(y, 0)
    root = jnp.sqrt(jnp.einsum("nmk,nmk->nm", difference, difference) + 1e-9)
    weights = ct / root
    d_x = jnp.einsum("nm,nmk->nk", weights, difference)
    return d_x, -jnp.einsum("nm,nmk->mk", weights, difference)


def euclidean_distances_safe(x, y):
    square = jnp.sum((x[:, None] - y[None]) ** 2, axis=-1)
    apart = square > 0
    return jnp.where(apart, jnp.sqrt(jnp.where(apart, square, 1.0)), 0.0)


def euclidean_distances_safe_pullback(x, y, ct):
    difference = x[:, None, :] - y[None, :, :]
    distance = jnp.sqrt(jnp.sum(difference**2, axis=-1))
    zero = distance == 0
    unit = jnp.where(zero[..., None], 0.0, difference / jnp.where(zero, 1.0, distance)[..., None])
    g = ct[..., None] * unit
    return jnp.sum(g, axis=1), -jnp.sum(g, axis=0)


def gaussian_kernel(x, y):
    square = squared_distances(x, y)
    return jnp.exp(-0.5 * square)


def gaussian_kernel_pullback(x, y, ct):
    k = jnp.exp(-0.5 * squared_distances_expanded(x, y))
    g = ct * k
    return g @ y - jnp.sum(g, 1)[:, None] * x, g.T @ x - jnp.sum(g, 0)[:, None] * y


def cosine_similarity(x, y):
    xy = jnp.sum(x * y, axis=-1)
    xx = jnp.sum(x * x, axis=-1)
    yy = jnp.sum(y * y, axis=-1)
    return xy * lax.rsqrt((xx + 1e-8) * (yy + 1e-8))


def cosine_similarity_pullback(x, y, ct):
    xx = jnp.sum(x * x, axis=-1, keepdims=True) + 1e-8
    yy = jnp.sum(y * y, axis=-1, keepdims=True) + 1e-8
    norms = jnp.sqrt(xx) * jnp.sqrt(yy)
    cos = jnp.sum(x * y, axis=-1, keepdims=True) / norms
    g = ct[:, None]
    return g * (y / norms - cos * x / xx), g * (x / norms - cos * y / yy)


def sum_of_squared_errors(x, y):
    return jnp.sum((x - y) ** 2) / 2


def sum_of_squared_errors_pullback(x, y, ct):
    return ct * (x - y), ct * (y - x)


LAYER = (d.real("batch fan_in"), d.real("fan_in out"), d.real("out"))
TWO_MATRICES = (d.real("n k"), d.real("m k"))

CASES = as_users_run(
    [
        Case("linear", "dense", linear, linear_pullback, LAYER),
        Case(
            "linear, examples in columns",
            "dense",
            linear_columns,
            linear_columns_pullback,
            (d.real("out fan_in"), d.real("fan_in batch"), d.real("out")),
        ),
        Case(
            "linear, one example",
            "dense",
            linear_vector,
            linear_vector_pullback,
            (d.real("out fan_in"), d.real("fan_in"), d.real("out")),
        ),
        Case(
            "linear over batch and time",
            "dense",
            linear_rows_of_weights,
            linear_rows_of_weights_pullback,
            (d.real("batch time fan_in"), d.real("out fan_in"), d.real("out")),
            source="llm.c: train_gpt2.c, matmul_backward",
        ),
        Case(
            "linear on merged axes",
            "dense",
            linear_flattened,
            linear_flattened_pullback,
            (d.real("batch time fan_in"), d.real("fan_in out"), d.real("out")),
        ),
        Case(
            "affine layer on images",
            "dense",
            affine_images,
            affine_images_pullback,
            (d.real("batch rows columns"), d.real("rows*columns out"), d.real("out")),
            source="CS231n: assignment 2, affine_backward",
        ),
        Case(
            "addmm",
            "dense",
            addmm,
            addmm_pullback,
            (d.real("n m"), d.real("n k"), d.real("k m")),
            source="PyTorch: derivatives.yaml, addmm",
        ),
        Case(
            "batched matmul",
            "dense",
            batched_matmul,
            batched_matmul_pullback,
            (d.real("b n k"), d.real("b k m")),
            source="PyTorch: derivatives.yaml, bmm",
        ),
        Case(
            "matmul with a shared right side",
            "dense",
            shared_matmul,
            shared_matmul_pullback,
            (d.real("b n k"), d.real("k m")),
        ),
        Case(
            "bias over the batch",
            "bias",
            bias_rows,
            bias_rows_pullback,
            (d.real("batch n"), d.real("n")),
        ),
        Case(
            "bias of a middle axis",
            "bias",
            bias_middle_axis,
            bias_middle_axis_pullback,
            (d.real("batch c s"), d.real("c")),
        ),
        Case(
            "row and column bias",
            "bias",
            bias_two_axes,
            bias_two_axes_pullback,
            (d.real("n m"), d.real("m"), d.real("n")),
        ),
        Case(
            "bias with a unit axis",
            "bias",
            bias_unit_axis,
            bias_unit_axis_pullback,
            (d.real("n m"), d.real("n 1")),
        ),
        Case(
            "scale and shift",
            "bias",
            scale_and_shift,
            scale_and_shift_pullback,
            (d.real("b t n"), d.real("n"), d.real("n")),
        ),
        Case(
            "scalar times array",
            "bias",
            scalar_scale,
            scalar_scale_pullback,
            (d.real("n m"), d.real()),
        ),
        Case("dense sigmoid", "dense", dense_sigmoid, dense_sigmoid_pullback, LAYER),
        Case(
            "dense tanh, cosh",
            "dense",
            dense_tanh,
            dense_tanh_pullback,
            LAYER,
            source="HIPS autograd: examples/neural_net.py with numpy_vjps.py, tanh",
        ),
        Case(
            "dense relu, boolean factor",
            "dense",
            dense_relu,
            dense_relu_pullback,
            LAYER,
            source="CS231n: assignment 2, affine_relu_backward",
        ),
        Case(
            "dense softplus, stable",
            "dense",
            dense_softplus,
            dense_softplus_pullback,
            (d.real("out fan_in"), d.real("fan_in"), d.real("out")),
        ),
        Case(
            "dense silu",
            "dense",
            dense_silu,
            dense_silu_pullback,
            (d.real("batch fan_in"), d.real("fan_in out")),
            source="PyTorch: aten, activation kernels, silu_backward",
        ),
        Case(
            "dense gelu, tanh form",
            "dense",
            dense_gelu_tanh,
            dense_gelu_tanh_pullback,
            LAYER,
            source="llm.c: train_gpt2.c, gelu_backward",
        ),
        Case(
            "dense gelu, erf form",
            "dense",
            dense_gelu_erf,
            dense_gelu_erf_pullback,
            LAYER,
            source="PyTorch: aten, activation kernels, gelu_backward",
        ),
        Case("dense elu", "dense", dense_elu, dense_elu_pullback, LAYER),
        Case("dense leaky relu", "dense", dense_leaky_relu, dense_leaky_relu_pullback, LAYER),
        Case("dense softmax", "dense", dense_softmax, dense_softmax_pullback, LAYER),
        Case(
            "neuron, tanh",
            "dense",
            neuron_tanh,
            neuron_tanh_pullback,
            (d.real("fan_in"), d.real("fan_in"), d.real()),
            source="micrograd: engine.py and nn.py, tanh",
        ),
        Case(
            "dense, any activation",
            "dense",
            dense_any_activation,
            dense_any_activation_pullback,
            (d.function("sigma"), *LAYER),
        ),
        Case(
            "residual, any activation",
            "mlp",
            residual_any_activation,
            residual_any_activation_pullback,
            (d.function("phi"), d.real("b n"), d.real("n h"), d.real("h n")),
        ),
        Case(
            "relu network with softmax loss",
            "mlp",
            two_layer_net,
            two_layer_net_pullback,
            (
                d.real("n fan_in"),
                d.real("fan_in h"),
                d.real("h"),
                d.real("h k"),
                d.real("k"),
                d.label("n", classes="k"),
            ),
            source="CS231n: assignment 1, TwoLayerNet.loss",
        ),
        Case(
            "sigmoid network with squared error",
            "mlp",
            sigmoid_network,
            sigmoid_network_pullback,
            (
                ((d.real("fan_in h"), d.real("h")), (d.real("h out"), d.real("out"))),
                d.real("n fan_in"),
                d.real("n out"),
            ),
            source="neural-networks-and-deep-learning: network.py, backprop",
        ),
        Case(
            "tanh network in columns",
            "mlp",
            column_network,
            column_network_pullback,
            (
                d.real("h fan_in"),
                d.real("h 1"),
                d.real("out h"),
                d.real("out 1"),
                d.real("fan_in n"),
            ),
        ),
        Case(
            "one hidden layer without bias",
            "mlp",
            one_hidden_layer_no_bias,
            one_hidden_layer_no_bias_pullback,
            (d.real("fan_in"), d.real("h fan_in"), d.real("out h")),
            source="D2L: chapter 5.3, forward and backward propagation",
        ),
        Case(
            "swiglu feed-forward",
            "mlp",
            swiglu,
            swiglu_pullback,
            (d.real("n fan_in"), d.real("fan_in h"), d.real("fan_in h"), d.real("h fan_in")),
            source="Liger-Kernel: ops/swiglu.py, _swiglu_backward_kernel",
        ),
        Case(
            "squared relu feed-forward",
            "mlp",
            squared_relu_mlp,
            squared_relu_mlp_pullback,
            (d.real("n fan_in"), d.real("h fan_in"), d.real("fan_in h")),
            source="modded-nanogpt: train_gpt.py, MLP",
        ),
        Case(
            "residual relu block",
            "mlp",
            residual_block,
            residual_block_pullback,
            (d.real("n k"), d.real("k h"), d.real("h k")),
        ),
        Case(
            "highway layer",
            "mlp",
            highway,
            highway_pullback,
            (d.real("n k"), d.real("k k"), d.real("k k")),
        ),
        Case(
            "recurrent step",
            "mlp",
            recurrent_step,
            recurrent_step_pullback,
            (d.real("n h"), d.real("n fan_in"), d.real("h h"), d.real("fan_in h"), d.real("h")),
            source="CS231n: assignment 3, rnn_step_backward",
        ),
        Case(
            "low-rank update",
            "dense",
            lora,
            lora_pullback,
            (d.real("n fan_in"), d.real("fan_in out"), d.real("fan_in r"), d.real("r out")),
        ),
        Case(
            "tied autoencoder",
            "mlp",
            tied_autoencoder,
            tied_autoencoder_pullback,
            (d.real("n fan_in"), d.real("fan_in h"), d.real("h")),
        ),
        Case(
            "ridge regression",
            "dense",
            ridge_loss,
            ridge_loss_pullback,
            (d.real("k"), d.real("n k"), d.real("n"), d.real()),
        ),
        Case(
            "logistic regression of four arguments",
            "dense",
            logistic_regression,
            logistic_regression_pullback,
            (d.real("k"), d.real(), d.real("n k"), d.real("n")),
        ),
        Case(
            "quadratic form",
            "quadratic form",
            quadratic,
            quadratic_pullback,
            (d.real("n"), d.real("n n")),
        ),
        Case(
            "quadratic forms of a batch",
            "quadratic form",
            quadratic_batch,
            quadratic_batch_pullback,
            (d.real("b n"), d.real("n n")),
        ),
        Case(
            "quadratic form, symmetrised",
            "quadratic form",
            quadratic_symmetrised,
            quadratic_symmetrised_pullback,
            (d.real("n"), d.real("n n")),
        ),
        Case(
            "squared norm of a product",
            "quadratic form",
            gram_quadratic,
            gram_quadratic_pullback,
            (d.real("n"), d.real("m n")),
        ),
        Case(
            "bilinear layer",
            "quadratic form",
            bilinear,
            bilinear_pullback,
            (d.real("b i"), d.real("o i j"), d.real("b j")),
        ),
        Case(
            "bilinear form of two vectors",
            "quadratic form",
            bilinear_scalar,
            bilinear_scalar_pullback,
            (d.real("n"), d.real("n m"), d.real("m")),
        ),
        Case(
            "outer product",
            "matrix product",
            outer,
            outer_pullback,
            (d.real("n"), d.real("m")),
            source="PyTorch: derivatives.yaml, ger",
        ),
        Case(
            "rank-one update",
            "matrix product",
            addr,
            addr_pullback,
            (d.real("n m"), d.real("n"), d.real("m")),
        ),
        Case("gram matrix", "matrix product", gram, gram_pullback, (d.real("n k"),)),
        Case(
            "product of three matrices",
            "matrix product",
            triple,
            triple_pullback,
            (d.real("n k"), d.real("k l"), d.real("l m")),
        ),
        Case(
            "kronecker product",
            "matrix product",
            kronecker,
            kronecker_pullback,
            (d.real("n m"), d.real("k l")),
        ),
        Case(
            "trace",
            "matrix norm",
            trace,
            trace_pullback,
            (d.real("n n"),),
            source="HIPS autograd: numpy_vjps.py, trace",
        ),
        Case(
            "trace of a product",
            "matrix norm",
            trace_of_product,
            trace_of_product_pullback,
            (d.real("n m"), d.real("m n")),
        ),
        Case(
            "half squared Frobenius norm",
            "matrix norm",
            half_frobenius,
            half_frobenius_pullback,
            (d.real("n m"),),
        ),
        Case(
            "Frobenius norm",
            "matrix norm",
            frobenius,
            frobenius_pullback,
            (d.nonzero("n m"),),
            source="PyTorch: FunctionsManual.cpp, norm_backward with p = 2",
        ),
        Case(
            "Frobenius norm with eps",
            "matrix norm",
            frobenius_eps,
            frobenius_eps_pullback,
            (d.real("n m"),),
        ),
        Case(
            "orthogonality penalty",
            "matrix norm",
            orthogonality_penalty,
            orthogonality_penalty_pullback,
            (d.real("n m"),),
        ),
        Case(
            "squared distances",
            "pairwise distance",
            squared_distances,
            squared_distances_pullback,
            TWO_MATRICES,
        ),
        Case(
            "squared distances, expanded",
            "pairwise distance",
            squared_distances_expanded,
            squared_distances_expanded_pullback,
            TWO_MATRICES,
        ),
        Case(
            "euclidean distances with eps",
            "pairwise distance",
            euclidean_distances_eps,
            euclidean_distances_eps_pullback,
            TWO_MATRICES,
        ),
        Case(
            "euclidean distances, double where",
            "pairwise distance",
            euclidean_distances_safe,
            euclidean_distances_safe_pullback,
            TWO_MATRICES,
            source="PyTorch: aten, DistanceOpsKernel.cpp, cdist backward with p = 2",
        ),
        Case(
            "gaussian kernel",
            "pairwise distance",
            gaussian_kernel,
            gaussian_kernel_pullback,
            TWO_MATRICES,
        ),
        Case(
            "cosine similarity of rows",
            "pairwise distance",
            cosine_similarity,
            cosine_similarity_pullback,
            (d.real("n k"), d.real("n k")),
        ),
        Case(
            "sum of squared errors",
            "pairwise distance",
            sum_of_squared_errors,
            sum_of_squared_errors_pullback,
            (d.real("n k"), d.real("n k")),
        ),
    ]
)
