"""Small networks are compiled for Eigen on a CPU, all others as the compiler has it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import batches, compiling, losses, training

SMALL = pn.mlp([784, 32, 10], output="softmax")
OPTIMIZER = optax.sgd(0.1)


@pytest.mark.parametrize(
    ("sizes", "batch", "expected"),
    [
        ([784, 32, 10], 64, compiling.EIGEN_ON_ONE_CORE),
        ([784, 128, 10], 41, ()),
        ([784, 128, 10], 64, compiling.EIGEN),
        ([64, 128, 128, 10], 256, compiling.EIGEN_ON_ONE_CORE),
        ([64, 128, 128, 10], 257, compiling.EIGEN),
        ([784, 129, 10], 64, ()),
        ([784, 10, 129], 64, ()),
    ],
)
def test_units_examples_and_the_largest_product_decide(sizes, batch, expected):
    assert compiling.options(pn.mlp(sizes), batch, "cpu") == expected


@pytest.mark.parametrize("platform", ["gpu", "tpu", None])
def test_accelerators_and_meshes_have_no_options(platform):
    assert compiling.options(SMALL, 64, platform) == ()


def test_a_compute_dtype_keeps_the_library_that_has_its_products():
    net = pn.mlp([784, 32, 10], output="softmax", compute_dtype="bfloat16")
    assert compiling.options(net, 64, "cpu") == ()


def arguments(batch):
    rng = np.random.default_rng(0)
    data = batches.Data(
        jnp.asarray(rng.random((batch, 784)), jnp.float32),
        jnp.asarray(rng.integers(10, size=batch), jnp.int32),
        jnp.ones(batch, jnp.float32),
    )
    rows = jnp.arange(batch, dtype=jnp.int32)[None]
    state = training.init_state(SMALL.init(jax.random.key(0)), OPTIMIZER)
    return SMALL, losses.cross_entropy, OPTIMIZER, state, data, rows


def test_products_of_the_small_network_are_not_given_to_the_other_library():
    plain = jax.jit(training.one_pass, static_argnums=(0, 1, 2))
    shipped = compiling.compiled_pass(SMALL, 64, "cpu")
    programs = [f.lower(*arguments(64)).compile().as_text() for f in (plain, shipped)]
    assert ["ynn" in program for program in programs] == [True, False]


def test_the_options_change_no_more_than_the_rounding():
    plain = jax.jit(training.one_pass, static_argnums=(0, 1, 2))
    shipped = compiling.compiled_pass(SMALL, 64, "cpu")
    one, other = (f(*arguments(64)) for f in (plain, shipped))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_same_options_give_the_same_function():
    assert compiling.compiled_pass(SMALL, 64, "cpu") is compiling.compiled_pass(SMALL, 100, "cpu")
    assert compiling.compiled_pass(SMALL, 63, "cpu") is compiling.compiled_pass(SMALL, 64, "gpu")


def test_an_option_that_the_compiler_does_not_know_is_left_out(monkeypatch):
    monkeypatch.setattr(compiling, "EIGEN_ON_ONE_CORE", (("xla_cpu_no_such_option", True),))
    assert not compiling.known(compiling.EIGEN_ON_ONE_CORE)
    assert compiling.compiled_pass(SMALL, 64, "cpu") is compiling.compiled_pass(SMALL, 1, "cpu")


def test_the_installed_compiler_knows_the_options():
    assert compiling.known(compiling.EIGEN)
    assert compiling.known(compiling.EIGEN_ON_ONE_CORE)
