"""The program at a coincidence is never taken for the general one where it is another."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from purenet.prove import domains as d
from purenet.prove.opaque import Opaque
from purenet.prove.same_program import same_program
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import trace

FREE = Sizes()


def compare(f, domains, coincidence, sizes=FREE):
    """Whether f's program at one coincidence, `("n", "1")`, is its general one."""
    special = sizes.assign(*coincidence)
    return same_program(trace(f, domains, sizes), trace(f, domains, special), special)


@pytest.mark.parametrize("coincidence", [("n", "1"), ("m", "1"), ("m", "n")])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: jax.nn.softmax(x),
        lambda x: jnp.mean(x) + jnp.var(x),
        lambda x: jax.nn.relu(x).sum(0) / x.shape[0],
        lambda x: lax.scan(lambda c, row: (c + row, c), x.sum(0), x),
        lambda x: jnp.float64(x.shape[0] * x.shape[1]) * x,
    ],
)
def test_a_program_that_is_the_same_is_recognised(f, coincidence):
    assert compare(f, (d.real("n m"),), coincidence)


@pytest.mark.parametrize(
    ("f", "coincidence"),
    [
        (lambda x: x if x.shape[0] == 1 else 2.0 * x, ("n", "1")),
        (lambda x: x * (2.0 if x.shape[0] == 1 else 3.0), ("n", "1")),
        (lambda x: x / (x.shape[0] if x.shape[0] != 1 else 2), ("n", "1")),
        (lambda x: x.sum(0 if x.shape[0] == x.shape[1] else 1), ("m", "n")),
        (lambda x: jnp.sin(x) if x.shape[0] == x.shape[1] else jnp.cos(x), ("m", "n")),
        (lambda x: -x if x.shape[1] == x.shape[0] else (x, x), ("m", "n")),
        (lambda x: (x, -x) if x.shape[0] == 1 else [x, -x], ("n", "1")),
        (lambda x: (x, -x) if x.shape[0] == 1 else (-x, x), ("n", "1")),
        (lambda x: jax.jit(lambda y: y if y.shape[0] == 1 else y * y)(x), ("n", "1")),
        (lambda x: x + np.arange(3.0 if x.shape[0] == 1 else 4.0)[-1], ("n", "1")),
        (lambda x: x + (np.arange(2.0) if x.shape[0] == 1 else np.arange(2.0) + 1)[0], ("n", "1")),
        (lambda x: x.sum() * np.asarray([1.0, 2.0] if x.shape[0] == 1 else [1.0, 3.0]), ("n", "1")),
        (lambda x: lax.cumsum(x, reverse=x.shape[0] == 1), ("n", "1")),
        (lambda x: x * x if x.shape[0] == 1 else x * x.sum(), ("n", "1")),
        (lambda x: jnp.where(x > (0 if x.shape[0] == 1 else 1), x, 0.0), ("n", "1")),
        (lambda x: -0.0 * x if x.shape[0] == 1 else 0.0 * x, ("n", "1")),
        (lambda x: x.astype(jnp.float32) if x.shape[0] == 1 else x, ("n", "1")),
        (lambda x: Opaque("f" if x.shape[0] == 1 else "g")(x), ("n", "1")),
    ],
)
def test_a_program_that_is_another_is_never_taken_for_the_same(f, coincidence):
    domains = (d.real("n m"),)
    others = [c for c in (("n", "1"), ("m", "1"), ("m", "n")) if c != coincidence]

    assert not compare(f, domains, coincidence)
    assert all(compare(f, domains, other) for other in others)


def test_a_size_is_compared_after_it_is_replaced():
    def f(x, y):
        return x.sum() * (x.shape[0] if x.shape[0] != y.shape[0] else 2 * y.shape[0])

    assert not compare(f, (d.real("n"), d.real("m")), ("m", "n"))
    assert compare(f, (d.real("n"), d.real("m")), ("n", "1"))


def test_a_dim_that_is_no_polynomial_is_in_doubt():
    assert not compare(lambda x: x[:3], (d.real("n m"),), ("m", "1"))


def test_two_traces_of_one_program_are_the_same():
    def affine(x, weight, bias):
        return x @ weight + bias[None, :]

    domains = (d.real("batch i"), d.real("i o"), d.real("o"))
    again = [trace(affine, domains, FREE) for _ in range(2)]

    assert same_program(*again, FREE)
    assert not same_program(again[0], trace(lambda x, weight, bias: x, domains, FREE), FREE)


@pytest.mark.parametrize("number", [1, 4])
def test_the_general_program_at_a_number_computes_what_the_special_one_does(number, x64):
    def f(x):
        return jnp.var(x, axis=0) * x.shape[0]

    special = trace(f, (d.real("n m"),), FREE.assign("n", number).assign("m", 2))
    x = np.linspace(-1.0, 2.0, 2 * number).reshape(number, 2)

    (value,) = jax.core.eval_jaxpr(special.jaxpr.jaxpr, special.jaxpr.consts, x)
    assert np.allclose(value, ((x - x.mean(0)) ** 2).sum(0), atol=1e-12)
    assert math.prod(map(int, special.out_shapes[0])) == 2
