"""Gated linear units: a value multiplied by an activated gate, with and without their weights."""

import jax
import jax.numpy as jnp
from jax import lax

from purenet.prove import domains as d

from .case import Case


def glu_pullback(x, ct):
    value, gate = jnp.split(x, 2, axis=-1)
    s = jax.nn.sigmoid(gate)
    return (jnp.concatenate([s * ct, (1 - s) * s * ct * value], axis=-1),)


def glu_by_slices(x):
    m = x.shape[-1] // 2
    return x[:, :m] * (1 / (1 + jnp.exp(-x[:, m:])))


def glu_by_slices_pullback(x, ct):
    m = x.shape[-1] // 2
    e = jnp.exp(-x[:, m:])
    of_value = ct / (1 + e)
    of_gate = ct * x[:, :m] * e / (1 + e) ** 2
    return (jnp.concatenate([of_value, of_gate], axis=1),)


def glu_axis_0(x):
    return jax.nn.glu(x, axis=0)


def glu_axis_0_pullback(x, ct):
    value, gate = jnp.split(x, 2, axis=0)
    s = jax.nn.sigmoid(gate)
    padding = jnp.zeros_like(ct)
    first = jnp.concatenate([ct * s, padding], axis=0)
    second = jnp.concatenate([padding, ct * value * s * jax.nn.sigmoid(-gate)], axis=0)
    return (first + second,)


def glu_of_two(value, gate):
    return value * jax.nn.sigmoid(gate)


def glu_of_two_pullback(value, gate, ct):
    s = jax.nn.sigmoid(gate)
    return ct * s, ct * glu_of_two(value, gate) * (1 - s)


def glu_layer(x, w, b, v, c):
    return (x @ w + b[None, :]) * jax.nn.sigmoid(x @ v + c[None, :])


def glu_layer_pullback(x, w, b, v, c, ct):
    value = x @ w + b[None, :]
    s = jax.nn.sigmoid(x @ v + c[None, :])
    of_value = ct * s
    of_gate = ct * value * s * (1 - s)
    of_x = of_value @ w.T + of_gate @ v.T
    return of_x, x.T @ of_value, of_value.sum(0), x.T @ of_gate, of_gate.sum(0)


def swiglu(a, b):
    return jax.nn.silu(a) * b


def swiglu_pullback(a, b, ct):
    s = jax.nn.sigmoid(a)
    silu = a * s
    of_b = ct * silu
    of_a = ct * (silu * (1 - s) + s) * b
    return of_a, of_b


def swiglu_in_one(y):
    first, second = jnp.split(y, 2, axis=-1)
    return jax.nn.silu(first) * second


def swiglu_in_one_pullback(y, ct):
    first, second = jnp.split(y, 2, axis=-1)
    s = jax.nn.sigmoid(first)
    of_first = ct * s * (1 + first * (1 - s)) * second
    return (jnp.concatenate((of_first, ct * jax.nn.silu(first)), -1),)


def swiglu_layer(x, w, v):
    return jax.nn.silu(x @ w) * (x @ v)


def swiglu_layer_pullback(x, w, v, ct):
    a, b = x @ w, x @ v
    s = lax.logistic(a)
    of_a = ct * b * (s + a * s * (1 - s))
    of_b = ct * a * s
    return (
        jnp.einsum("bj,ij->bi", of_a, w) + jnp.einsum("bj,ij->bi", of_b, v),
        jnp.einsum("bi,bj->ij", x, of_a),
        jnp.einsum("bi,bj->ij", x, of_b),
    )


def llama_mlp(x, weights):
    gate, up, down = weights["gate"], weights["up"], weights["down"]
    return (jax.nn.silu(x @ gate) * (x @ up)) @ down


def llama_mlp_pullback(x, weights, ct):
    gate, up = x @ weights["gate"], x @ weights["up"]
    s = jax.nn.sigmoid(gate)
    hidden = gate * s * up
    of_hidden = ct @ weights["down"].T
    of_up = of_hidden * gate * s
    of_gate = of_hidden * up * s * (1 + gate * (1 - s))
    of_x = of_gate @ weights["gate"].T + of_up @ weights["up"].T
    return of_x, {"gate": x.T @ of_gate, "up": x.T @ of_up, "down": hidden.T @ ct}


def geglu_tanh(a, b):
    inner = 0.7978845608028654 * (a + 0.044715 * (a * a * a))
    return 0.5 * a * (1 + jnp.tanh(inner)) * b


def geglu_tanh_pullback(a, b, ct):
    t = jnp.tanh(0.7978845608028654 * (a + 0.044715 * (a * a * a)))
    first = 0.5 * (1 + t)
    second = 0.5 * a * (1 - t * t) * (0.7978845608028654 * (1 + 3 * 0.044715 * a * a))
    return ct * b * (first + second), ct * (0.5 * a * (1 + t))


def geglu_exact(e, g):
    return 0.5 * e * (lax.erf(e * lax.rsqrt(jnp.full_like(e, 2))) + 1) * g


def geglu_exact_pullback(e, g, ct):
    partial = 0.5 * (lax.erf(e / 2**0.5) + 1)
    of_f = partial + 0.3989422804014327 * e * jnp.exp(-0.5 * e * e)
    return ct * g * of_f, ct * partial * e


def geglu_layer(x, w, v):
    return jax.nn.gelu(x @ w, approximate=False) * (x @ v)


def geglu_layer_pullback(x, w, v, ct):
    a, b = x @ w, x @ v
    cdf = 0.5 * lax.erfc(-a / jnp.sqrt(jnp.full_like(a, 2)))
    pdf = jnp.exp(-0.5 * jnp.square(a)) / jnp.sqrt(jnp.full_like(a, 2) * jnp.pi)
    of_a = ct * b * (cdf + a * pdf)
    of_b = ct * a * cdf
    return of_a @ w.T + of_b @ v.T, x.T @ of_a, x.T @ of_b


def reglu(a, b):
    return jax.nn.relu(a) * b


def reglu_pullback(a, b, ct):
    return jnp.where(a > 0, b * ct, 0), jnp.where(a > 0, a * ct, 0)


def reglu_layer(x, w, b, v, c):
    return jnp.maximum(x @ w + b[None], 0) * (x @ v + c[None])


def reglu_layer_pullback(x, w, b, v, c, ct):
    a = x @ w + b[None]
    active = (a > 0).astype(a.dtype)
    of_a = active * ct * (x @ v + c[None])
    of_b = active * ct * a
    of_x = jnp.dot(of_a, w.T) + jnp.dot(of_b, v.T)
    return of_x, jnp.dot(x.T, of_a), of_a.sum(axis=0), jnp.dot(x.T, of_b), of_b.sum(axis=0)


def bilinear(x, w, v):
    return (x @ w) * (x @ v)


def bilinear_pullback(x, w, v, ct):
    left, right = x @ w, x @ v
    of_x = (ct * right) @ w.T + (ct * left) @ v.T
    return of_x, x.T @ (ct * right), x.T @ (ct * left)


def bilinear_form(x, y, w):
    return jnp.einsum("bi,ijk,bj->bk", x, w, y)


def bilinear_form_pullback(x, y, w, ct):
    return (
        jnp.einsum("bk,ijk,bj->bi", ct, w, y),
        jnp.einsum("bk,ijk,bi->bj", ct, w, x),
        jnp.einsum("bi,bj,bk->ijk", x, y, ct),
    )


def highway(x, h, gate):
    t = jax.nn.sigmoid(gate)
    return t * h + (1 - t) * x


def highway_pullback(x, h, gate, ct):
    t = jax.nn.sigmoid(gate)
    return ct - ct * t, ct * t, ct * (h - x) * t * (1 - t)


def recurrent_gate(h, update, candidate):
    z = jax.nn.sigmoid(update)
    return (1 - z) * jnp.tanh(candidate) + z * h


def recurrent_gate_pullback(h, update, candidate, ct):
    z, n = jax.nn.sigmoid(update), jnp.tanh(candidate)
    of_update = ct * (h - n) * (1 - z) * z
    of_candidate = ct * (1 - z) * (1 - n * n)
    return ct * z, of_update, of_candidate


def any_gate(a, b, sigma):
    return sigma(a) * b


def any_gate_pullback(a, b, sigma, ct):
    return ct * b * sigma.derivative(a), ct * sigma(a), None


_two = (d.real("batch m"), d.real("batch m"))
_weights = (d.real("batch n"), d.real("n m"), d.real("n m"))
_with_biases = (d.real("batch n"), d.real("n m"), d.real("m"), d.real("n m"), d.real("m"))
_llama = {"gate": d.real("n m"), "up": d.real("n m"), "down": d.real("m n")}


def _case(name, f, pullback, domains, source=""):
    return Case(name, "gated", f, pullback, tuple(domains), "", source)


CASES: tuple[Case, ...] = (
    _case(
        "glu",
        jax.nn.glu,
        glu_pullback,
        (d.real("batch 2*m"),),
        "PyTorch: glu_backward",
    ),
    _case("glu: slices", glu_by_slices, glu_by_slices_pullback, (d.real("batch 2*m"),)),
    _case("glu: axis 0", glu_axis_0, glu_axis_0_pullback, (d.real("2*m n"),)),
    _case("glu of two", glu_of_two, glu_of_two_pullback, _two),
    _case("glu layer", glu_layer, glu_layer_pullback, _with_biases),
    _case("swiglu", swiglu, swiglu_pullback, _two, "Liger-Kernel: swiglu.py"),
    _case(
        "swiglu in one array",
        swiglu_in_one,
        swiglu_in_one_pullback,
        (d.real("batch 2*m"),),
        "Megatron-LM: fused_bias_swiglu.py",
    ),
    _case("swiglu layer", swiglu_layer, swiglu_layer_pullback, _weights),
    _case(
        "llama feed-forward",
        llama_mlp,
        llama_mlp_pullback,
        (d.real("batch n"), _llama),
        "Llama: FeedForward",
    ),
    _case("geglu by tanh", geglu_tanh, geglu_tanh_pullback, _two, "Liger-Kernel: geglu.py"),
    _case("geglu exact", geglu_exact, geglu_exact_pullback, _two, "Unsloth: geglu.py"),
    _case("geglu layer", geglu_layer, geglu_layer_pullback, _weights),
    _case("reglu", reglu, reglu_pullback, _two),
    _case("reglu layer", reglu_layer, reglu_layer_pullback, _with_biases),
    _case("bilinear", bilinear, bilinear_pullback, _weights),
    _case(
        "bilinear form",
        bilinear_form,
        bilinear_form_pullback,
        (d.real("batch n"), d.real("batch m"), d.real("n m k")),
        "PyTorch: nn.Bilinear (_trilinear)",
    ),
    _case("highway", highway, highway_pullback, (*_two, d.real("batch m"))),
    _case(
        "gate of a recurrent unit",
        recurrent_gate,
        recurrent_gate_pullback,
        (*_two, d.real("batch m")),
        "PyTorch: _thnn_fused_gru_cell_backward",
    ),
    _case("any gate", any_gate, any_gate_pullback, (*_two, d.function("sigma"))),
)
