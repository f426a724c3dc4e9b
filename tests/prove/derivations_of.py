"""Functions with the derivation of their gradients, and arguments to compute them at."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from purenet.prove import domains as d
from purenet.prove.explain import Derivation, Quantity, derive
from purenet.prove.kernel import algebra, calculus, sums
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import ONE, ZERO, atom, index
from purenet.prove.kernel.terms import Array
from purenet.prove.opaque import Opaque
from purenet.prove.programs import read
from purenet.prove.sizes import read_sizes
from purenet.prove.tracing import trace

SIGMA = Opaque("sigma")
SIZES = {"batch": 2, "n": 3, "m": 4, "k": 3, "h": 5, "d": 2, "p": 5, "v": 3}


class Example(NamedTuple):
    f: Callable[..., Any]
    domains: tuple[Any, ...]


def softmax(z):
    return jax.nn.softmax(z, axis=-1)


def cross_entropy(z, y):
    rows = jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1)
    return -jnp.mean(rows)


def layer_norm(x, g, b):
    centred = x - x.mean(-1, keepdims=True)
    return g * centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + b


def attention(q, k, v):
    return jax.nn.softmax(q @ k.T / jnp.sqrt(q.shape[1])) @ v


def two_layers(x, W1, b1, W2, b2):
    return jax.nn.sigmoid(jnp.tanh(x @ W1 + b1) @ W2 + b2)


R = d.real
EXAMPLES = {
    "softmax": Example(softmax, (R("batch k"),)),
    "cross_entropy": Example(cross_entropy, (R("batch k"), d.label("batch", classes="k"))),
    "linear": Example(lambda x, W, b: x @ W + b, (R("batch n"), R("n m"), R("m"))),
    "dense": Example(lambda x, W, b: jnp.tanh(x @ W + b), (R("batch n"), R("n m"), R("m"))),
    "layer": Example(lambda x, W, b: SIGMA(x @ W + b), (R("batch n"), R("n m"), R("m"))),
    "layer_norm": Example(layer_norm, (R("batch n"), R("n"), R("n"))),
    "relu": Example(lambda x: jnp.maximum(x, 0), (R("n"),)),
    "sigmoid": Example(jax.nn.sigmoid, (R("n"),)),
    "mse": Example(lambda a, y: jnp.mean((a - y) ** 2), (R("batch k"), R("batch k"))),
    "gelu": Example(lambda x: 0.5 * x * (1 + jax.lax.erf(x / jnp.sqrt(2.0))), (R("n"),)),
    "quadratic": Example(lambda x, A: x @ A @ x, (R("n"), R("n n"))),
    "attention": Example(attention, (R("n d"), R("m d"), R("m p"))),
    "two_layers": Example(two_layers, (R("batch n"), R("n h"), R("h"), R("h m"), R("m"))),
    "logsumexp": Example(lambda z: jax.nn.logsumexp(z, axis=-1), (R("batch k"),)),
    "unit": Example(lambda x: x / jnp.sqrt(jnp.sum(x**2, -1, keepdims=True)), (R("batch k"),)),
    "embedding": Example(lambda E, t: E[t], (R("v d"), d.label("batch", classes="v"))),
    "cumsum": Example(lambda x: jnp.cumsum(x), (R("n"),)),
}


@cache
def derivation(name: str, cotangent: str = "delta") -> Derivation:
    """The derivation of the true gradients of an example; its function is called f."""
    example = EXAMPLES[name]
    sizes = read_sizes("", example.domains)
    with jax.numpy_rank_promotion("allow"):
        program = read(trace(example.f, example.domains, sizes), sizes)
    (output,) = program.outputs
    ct = Array(cotangent, output.shape)
    place = tuple(ZERO if v.size == ONE else index(v) for v in output.slots)
    entry = atom(Entry(ct, place))
    gradients = []
    for array in program.inputs:
        if array.kind != "real":
            continue
        change = Array(f"d {array.name}", array.shape)
        slots = tuple(sums.fresh(size) for size in array.shape)
        change_of_f = calculus.tangent(output.body, array, change)
        kernel = calculus.coefficient(change_of_f, change, slots)
        total = sums.total(output.slots, algebra.multiply(entry, kernel))
        gradients.append(Quantity(array.name, slots, total))
    outputs = [Quantity("f", output.slots, output.body)]
    return replace(derive(outputs, [ct], gradients, program.inputs), seconds=300.0)


def arguments(name: str) -> tuple[np.ndarray, ...]:
    """Some arguments, all of different size where the sizes have different names."""
    rng = np.random.default_rng(7)
    values = []
    for domain in EXAMPLES[name].domains:
        shape = tuple(SIZES[s] for s in domain.shape)
        if domain.kind == "label":
            values.append(rng.integers(0, SIZES[domain.classes], shape))
        else:
            values.append(rng.uniform(-1.5, 1.5, shape))
    return tuple(values)
