"""Cross-entropy in pieces of the classes is cross-entropy."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from witness import relative_difference

import purenet as pn

pytestmark = pytest.mark.usefixtures("quick_compiling")

CLASSES, BATCH = 7, 5


def draw(net, rng):
    return tuple(
        pn.Dense(jnp.asarray(rng.normal(size=(i, o))), jnp.asarray(rng.normal(size=o)))
        for i, o in itertools.pairwise(net.sizes)
    )


def network(at_once=None, hidden="silu", sizes=(3, 4, CLASSES), **options):
    return pn.mlp(sizes, hidden, "softmax", classes_at_once=at_once, **options)


def gradient(net):
    return pn.value_and_grad(net, "cross_entropy", (0, 1))


def autodiff(net):
    return jax.value_and_grad(pn.objective(net, "cross_entropy"), (0, 1))


def assert_equal_trees(got, expected, bound=1e-12):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert relative_difference(one, other) <= bound


@pytest.fixture
def problem(x64):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(BATCH, 3)))
    return draw(network(), rng), x, rng


TARGETS = {
    "labels": lambda rng: rng.integers(0, CLASSES, BATCH),
    "labels outside": lambda rng: np.array([0, -1, CLASSES - 1, CLASSES, 2]),
    "distributions": lambda rng: rng.uniform(0, 1, (BATCH, CLASSES)) * [0, 1, 1, 1, 0, 1, 1],
}
WHOLE = jax.jit(autodiff(network()))


@pytest.mark.parametrize(
    "at_once", [3, *(pytest.param(c, marks=pytest.mark.slow) for c in (1, 2, 4, 5, 6, 7, 99))]
)
def test_the_pieces_give_the_gradient_of_the_whole(at_once, problem):
    params, x, rng = problem
    in_pieces, weights = jax.jit(gradient(network(at_once))), rng.uniform(0, 2, BATCH)
    for targets in TARGETS.values():
        y = targets(rng)
        assert_equal_trees(in_pieces(params, x, y, weights), WHOLE(params, x, y, weights))


@pytest.mark.parametrize("options", [{"sizes": (3, CLASSES)}, {"checkpoint_every": 2}], ids=str)
def test_other_depths_without_weights(options, x64):
    rng = np.random.default_rng(1)
    options = {"sizes": (3, 4, 4, 4, 4, CLASSES), **options}
    params, x = draw(network(**options), rng), jnp.asarray(rng.normal(size=(BATCH, 3)))
    y = rng.integers(0, CLASSES, BATCH)
    in_pieces = jax.jit(gradient(network(3, **options)))(params, x, y)
    assert_equal_trees(in_pieces, jax.jit(autodiff(network(**options)))(params, x, y))


def test_it_works_under_vmap_and_gives_hessian_vector_products(problem):
    params, x, rng = problem
    y, direction = jnp.asarray(rng.integers(0, CLASSES, BATCH)), jax.tree.map(jnp.sin, params)

    @functools.partial(jax.jit, static_argnums=0)
    def of(function):
        each = jax.vmap(lambda x, y: function(params, x[None], y[None]))(x, y)
        return each, jax.jvp(lambda p: function(p, x, y), (params,), (direction,))[1]

    assert_equal_trees(of(gradient(network(3))), of(autodiff(network())))


def test_no_exponential_overflows(x64):
    # The logits are the biases: 1,000 apart, the first of them without bounds.
    whole, in_pieces = (
        jax.jit(pn.value_and_grad(network(c, sizes=(3, CLASSES)), "cross_entropy"))
        for c in (None, 3)
    )
    x, y = jnp.ones((BATCH, 3)), np.arange(BATCH) + 1
    for shift, first in itertools.product([0.0, 1e4, -1e4], [1e30, -1e30, np.inf, -np.inf]):
        biases = shift + 1e3 * np.array([0, -1, 2, -3, 4, -5, 6])
        biases[0] = first
        params = (pn.Dense(jnp.zeros((3, CLASSES)), jnp.asarray(biases)),)
        (value, grads), (value_of_whole, grads_of_whole) = (
            f(params, x, y) for f in (in_pieces, whole)
        )
        assert_equal_trees(grads, grads_of_whole)
        # Where a class is infinitely more likely, the mean over the batch overflows.
        np.testing.assert_allclose(value, value_of_whole, rtol=1e-12)
        assert first == np.inf or np.isfinite(value)


def test_nothing_cancels_where_logits_are_large_and_close(optimized):
    # log Σ e^z − z_y is about 2, of logits of about 1e6.
    biases = np.float32(1e6) + np.arange(CLASSES, dtype=np.float32) / 4
    params = (pn.Dense(jnp.zeros((3, CLASSES)), jnp.asarray(biases)),)
    x, y = jnp.ones((2, 3)), np.full((2, CLASSES), 1 / CLASSES, np.float32)
    in_pieces = pn.value_and_grad(network(3, sizes=(3, CLASSES)), "cross_entropy")
    value, _ = jax.jit(in_pieces)(params, x, y)
    exact = np.log(np.sum(np.exp(np.arange(CLASSES) / 4))) - np.mean(np.arange(CLASSES) / 4)
    assert float(value) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_gradients_have_the_dtype_of_their_parameters(dtype):
    params = jax.eval_shape(lambda: network().init(jax.random.key(0), dtype=dtype))
    x, y = jax.ShapeDtypeStruct((BATCH, 3), dtype), jax.ShapeDtypeStruct((BATCH,), jnp.int32)
    given = jax.eval_shape(gradient(network(3)), params, x, y)
    assert given == jax.eval_shape(gradient(network()), params, x, y)


WRONG = {
    "labels": (
        (BATCH, 1),
        np.int32,
        None,
        r"y: cross_entropy takes integer labels of shape \(5,\)",
    ),
    "classes": ((BATCH, 6), np.float32, None, r"y: cross_entropy with outputs of shape \(5, 7\)"),
    "weights": ((BATCH,), np.int32, (4,), r"weights: one number per example .* got shape \(4,\)"),
}


@pytest.mark.parametrize(("shape", "dtype", "weights", "message"), WRONG.values(), ids=WRONG)
def test_wrong_targets_are_refused_as_without_pieces(shape, dtype, weights, message):
    params = jax.eval_shape(network().init, jax.random.key(0))
    x, y = jnp.ones((BATCH, 3)), np.zeros(shape, dtype)
    weights = None if weights is None else np.ones(weights, np.float32)
    for at_once in (None, 3):
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(gradient(network(at_once)), params, x, y, weights)


@pytest.mark.parametrize("at_once", [0, -3, 2.0, True])
def test_only_a_positive_integer_is_taken(at_once, unchecked):
    with pytest.raises(ValueError, match="classes_at_once: a positive integer or None"):
        network(at_once)


def test_another_output_or_loss_is_refused():
    with pytest.raises(
        ValueError, match=r"classes_at_once: it is for output='softmax', .*'sigmoid'"
    ):
        pn.mlp([3, 4], output="sigmoid", classes_at_once=2)
    with pytest.raises(ValueError, match="goes with the loss 'cross_entropy', got 'mean_squared_e"):
        pn.value_and_grad(network(3), "mean_squared_error")
