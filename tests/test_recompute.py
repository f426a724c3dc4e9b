"""What is computed a second time is the same, and it is computed when it is needed."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from witness import relative_difference

import purenet as pn
from purenet.recompute import after

# What is equal to the bit is the same small programs, one after the other.
pytestmark = pytest.mark.usefixtures("quick_compiling")

SIZES = (3, 4, 5, 4, 3, 4, 2)
MIXED = ["tanh", "silu", "relu", "gelu", "softplus"]
NUMBERS = [0.0, -0.0, 1.5, -np.inf, np.inf, np.nan, 1e-45]


@pytest.fixture
def problem(x64):
    rng = np.random.default_rng(0)
    params = tuple(
        pn.Dense(jnp.asarray(rng.normal(size=(i, o))), jnp.asarray(rng.normal(size=o)))
        for i, o in itertools.pairwise(SIZES)
    )
    return params, jnp.asarray(rng.normal(size=(5, 3))), jnp.asarray(rng.integers(0, 2, 5))


def gradient(every, hidden=MIXED):
    net = pn.mlp(SIZES, hidden, "softmax", checkpoint_every=every)
    return pn.value_and_grad(net, "cross_entropy", (0, 1))


def assert_equal_trees(got, expected, bound):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert relative_difference(one, other) <= bound


@pytest.mark.parametrize("compiled", [lambda f: f, jax.jit])
def test_after_changes_no_bit(compiled, optimized):
    array = jnp.asarray([NUMBERS], jnp.float32)
    for cotangent in (jnp.full_like(array, g) for g in NUMBERS):
        for broadcast in (cotangent, cotangent[:, :1]):
            bits = compiled(after)(array, broadcast).view(jnp.int32)
            np.testing.assert_array_equal(bits, array.view(jnp.int32))


@pytest.mark.parametrize("every", [1, 2, 3, 99])
def test_the_gradient_is_the_same_to_the_bit(every, problem):
    expected = gradient(None)(*problem)
    assert_equal_trees(gradient(every)(*problem), expected, 0)


@pytest.mark.slow
@pytest.mark.parametrize("every", [2, 3])
def test_the_compiled_gradient_is_the_same_with_other_activations(every, problem):
    hidden = ["gelu", "relu", "silu", "elu", "gelu"]
    expected = jax.jit(gradient(None, hidden))(*problem)
    assert_equal_trees(jax.jit(gradient(every, hidden))(*problem), expected, 1e-12)


@pytest.mark.slow
def test_it_works_under_vmap_and_gives_hessian_vector_products(problem):
    params, x, y = problem
    direction = jax.tree.map(jnp.cos, params)

    def of(every):
        f = gradient(every)
        each = jax.vmap(lambda x, y: f(params, x[None], y[None]))(x, y)
        return each, jax.jvp(lambda p: f(p, x, y), (params,), (direction,))[1]

    assert_equal_trees(jax.jit(of, static_argnums=0)(2), jax.jit(of, static_argnums=0)(None), 1e-12)


def test_someone_elses_gradient_through_differentiable_is_the_same(problem):
    params, x, _ = problem

    def of(every):
        f = pn.differentiable(pn.mlp(SIZES, MIXED, checkpoint_every=every))
        return jax.jit(jax.grad(lambda p: jnp.sum(jnp.sin(f(p, x)))))(params)

    assert_equal_trees(of(3), of(None), 1e-12)


def test_fit_trains_the_same_network(optimized):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 3)).astype(np.float32), rng.integers(0, 2, 12)

    def trained(every):
        net = pn.mlp([3, 4, 4, 4, 2], "silu", "softmax", checkpoint_every=every)
        params = net.init(jax.random.key(0))
        return pn.fit(
            net, "cross_entropy", params, (x, y), optax.sgd(0.1), epochs=2, batch_size=4
        ).params

    assert_equal_trees(trained(2), trained(None), 1e-6)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2"])
def test_only_a_positive_integer_is_taken(every, unchecked):
    with pytest.raises(ValueError, match="checkpoint_every: a positive integer or None"):
        pn.mlp([3, 4, 2], checkpoint_every=every)
