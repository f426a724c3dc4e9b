"""Activations: values, limits, and the hand derivatives against autodiff."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from purenet import activations
from purenet.activations import ACTIVATIONS, Activation

INF = np.inf
ELEMENTWISE = [a for a in ACTIVATIONS.values() if a.name not in ("softmax", "step")]
EVERY = list(ACTIVATIONS.values())
RECTIFIED = {"relu": 0.0, "leaky_relu": 0.01}

# name: value at −∞, at +∞, derivative at −∞, at +∞
LIMITS = {
    "identity": (-INF, INF, 1, 1),
    "sigmoid": (0, 1, 0, 0),
    "tanh": (-1, 1, 0, 0),
    "relu": (0, INF, 0, 1),
    "softplus": (0, INF, 0, 1),
    "leaky_relu": (-INF, INF, 0.01, 1),
    "elu": (-1, INF, 0, 1),
    "silu": (0, INF, 0, 1),
    "gelu": (0, INF, 0, 1),
}
NAMES = pytest.mark.parametrize("activation", ELEMENTWISE, ids=lambda a: a.name)

finite = st.floats(-1e4, 1e4, width=32)
rows = arrays(np.float32, (3, 4), elements=finite)


def test_the_known_ones_are_these():
    assert list(ACTIVATIONS) == [
        "identity", "sigmoid", "tanh", "relu", "softmax", "step",
        "softplus", "leaky_relu", "elu", "silu", "gelu",
    ]  # fmt: skip
    assert {a.name for a in ELEMENTWISE} == set(LIMITS)


@NAMES
def test_value_and_derivative_have_their_limits_at_infinity(activation):
    low, high, slope_low, slope_high = LIMITS[activation.name]
    ends = jnp.array([-INF, INF])
    np.testing.assert_array_equal(activation(ends), np.float32([low, high]))
    np.testing.assert_array_equal(activation.derivative(ends), np.float32([slope_low, slope_high]))


@NAMES
def test_the_pullback_from_what_is_kept_has_the_limits_too(activation):
    *_, slope_low, slope_high = LIMITS[activation.name]
    ends = jnp.array([-INF, INF])
    kept = activation.kept(ends, activation(ends))
    got = activation.delta(kept, jnp.array([3.0, 3.0]))
    np.testing.assert_allclose(got, np.float32([3 * slope_low, 3 * slope_high]), rtol=1e-6)


@pytest.mark.parametrize("activation", EVERY, ids=lambda a: a.name)
def test_nothing_overflows_at_ten_thousand(activation):
    z = jnp.array([[-1e4, 1e4, 0.0, 1e4], [1e4] * 4, [-1e4] * 4])
    a = activation(z)
    assert np.isfinite(a).all()
    if activation.differentiable:
        assert np.isfinite(activation.derivative(z)).all()
        assert np.isfinite(activation.delta(activation.kept(z, a), jnp.full_like(z, 1e4))).all()


@pytest.mark.parametrize("activation", EVERY, ids=lambda a: a.name)
def test_nan_stays_nan(activation):
    a = activation(jnp.array([jnp.nan, 1.0]))
    assert jnp.isnan(a[0])
    assert activation.name == "softmax" or not jnp.isnan(a[1])


@NAMES
def test_the_derivative_is_that_of_the_value(activation, x64):
    z = jnp.asarray(np.random.default_rng(0).normal(size=(50, 4)) * 4)
    true = jax.jit(jax.vmap(jax.vmap(jax.grad(activation.value))))(z)
    np.testing.assert_allclose(activation.derivative(z), true, rtol=1e-12, atol=1e-14)


@NAMES
def test_the_pullback_from_what_is_kept_is_the_derivative_times_the_cotangent(activation, x64):
    rng = np.random.default_rng(1)
    z, g = jnp.asarray(rng.normal(size=(50, 4)) * 4), jnp.asarray(rng.normal(size=(50, 4)))
    got = activation.delta(activation.kept(z, activation(z)), g)
    np.testing.assert_allclose(got, g * activation.derivative(z), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("name", "slope"), RECTIFIED.items())
def test_a_rectifier_has_its_left_slope_at_zero_and_at_nan(name, slope):
    activation = ACTIVATIONS[name]
    z = jnp.array([0.0, -0.0, jnp.nan])
    expected = np.full(3, slope, np.float32)
    np.testing.assert_array_equal(activation.derivative(z), expected)
    kept = activation.kept(z, activation(z))
    np.testing.assert_array_equal(activation.delta(kept, jnp.ones(3)), expected)


@NAMES
@given(z=rows)
@settings(max_examples=30, deadline=None)
def test_elementwise_means_that_entries_do_not_meet(activation, z):
    np.testing.assert_array_equal(np.asarray(activation(z))[1:, ::-1], activation(z[1:, ::-1]))


@pytest.mark.parametrize(
    "name", ["identity", "sigmoid", "tanh", "relu", "step", "softplus", "leaky_relu", "elu"]
)
@given(z=arrays(np.float32, 64, elements=finite))
@settings(max_examples=30, deadline=None)
def test_these_never_fall(name, z):
    a = np.asarray(ACTIVATIONS[name](jnp.asarray(np.sort(z))), np.float64)
    # Two neighbouring inputs may round to values that are one unit out of order.
    units = 4 * np.finfo(np.float32).eps * np.abs(a[1:])
    assert np.all(np.diff(a) >= -units)


@given(z=arrays(np.float32, 64, elements=finite))
@settings(max_examples=30, deadline=None)
def test_reflections(z):
    z = jnp.asarray(z)
    a = ACTIVATIONS
    near = {"rtol": 2e-6, "atol": 2e-6}
    np.testing.assert_allclose(a["sigmoid"](z) + a["sigmoid"](-z), np.ones(64), **near)
    np.testing.assert_allclose(a["tanh"](z), -a["tanh"](-z), **near)
    np.testing.assert_allclose(a["softplus"](z) - a["softplus"](-z), z, **near)
    np.testing.assert_allclose(a["silu"](z) - a["silu"](-z), z, **near)
    np.testing.assert_allclose(a["gelu"](z) - a["gelu"](-z), z, **near)
    np.testing.assert_allclose(a["relu"](z) - a["relu"](-z), z, **near)


@given(z=rows, shift=st.integers(-1000, 1000))
@settings(max_examples=30, deadline=None)
def test_softmax_rows_are_distributions_and_do_not_feel_a_shift(z, shift):
    z = np.round(z)  # so that adding the shift is exact
    p = activations.softmax(jnp.asarray(z))
    assert np.all(np.asarray(p) >= 0)
    np.testing.assert_allclose(p.sum(axis=-1), np.ones(3), rtol=1e-6)
    np.testing.assert_allclose(activations.softmax(z + np.float32(shift)), p, rtol=1e-5, atol=1e-30)


def test_softmax_at_infinity():
    z = jnp.array([[INF, 0, 0], [-INF, 0, 0], [-INF, -INF, -INF], [INF, INF, -INF]])
    expected = [[1, 0, 0], [0, 0.5, 0.5], [1 / 3] * 3, [0.5, 0.5, 0]]
    np.testing.assert_allclose(activations.softmax(z), np.float32(expected), rtol=1e-6)
    assert np.isfinite(jax.jit(activations.softmax.derivative)(z)).all()


def test_the_softmax_jacobian_is_that_of_autodiff_and_its_rows_sum_to_zero(x64):
    z = jnp.asarray(np.random.default_rng(2).normal(size=(6, 5)) * 3)
    jacobian = np.asarray(activations.softmax.derivative(z))
    by_autodiff = jax.jit(jax.vmap(jax.jacfwd(activations.softmax.value)))(z)
    np.testing.assert_allclose(jacobian, by_autodiff, rtol=0, atol=1e-15)
    np.testing.assert_allclose(jacobian.sum(axis=-1), np.zeros((6, 5)), atol=1e-15)
    np.testing.assert_allclose(jacobian, np.swapaxes(jacobian, 1, 2), atol=1e-16)


def test_the_softmax_pullback_is_the_transposed_jacobian_times_the_cotangent(x64):
    rng = np.random.default_rng(3)
    z, g = jnp.asarray(rng.normal(size=(6, 5)) * 3), jnp.asarray(rng.normal(size=(6, 5)))
    got = activations.softmax.delta(activations.softmax(z), g)
    expected = np.einsum("bik,bi->bk", activations.softmax.derivative(z), g)
    np.testing.assert_allclose(got, expected, atol=1e-15)
    np.testing.assert_allclose(got.sum(axis=-1), np.zeros(6), atol=1e-14)


def test_one_array_per_layer_is_kept_the_output_where_it_is_enough():
    z, a = jnp.zeros(2), jnp.ones(2)
    from_z = {n for n, activation in ACTIVATIONS.items() if activation.kept(z, a) is z}
    assert from_z == {"step", "silu", "gelu"}


def test_step_is_one_from_zero_on_and_has_no_derivative():
    assert activations.step(jnp.array([-1e-30, 0.0, 2.0, -INF, INF])).tolist() == [0, 1, 1, 0, 1]
    assert not activations.step.differentiable
    with pytest.raises(
        ValueError, match=r"'step' has no usable derivative .* use 'sigmoid' instead"
    ):
        activations.step.delta(jnp.zeros(2), jnp.ones(2))


@pytest.mark.parametrize("activation", EVERY, ids=lambda a: a.name)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_the_dtype_stays(activation, dtype):
    z = jax.ShapeDtypeStruct((2, 3), dtype)
    assert jax.eval_shape(activation, z) == z
    if activation.differentiable:
        assert jax.eval_shape(activation.derivative, z).dtype == dtype
        assert jax.eval_shape(activation.delta, z, z) == z


def test_numpy_arrays_and_float64_data_go_in():
    z = np.array([[0.0, -1e30, 1e3, 1.0]] * 3)
    for activation in EVERY:
        a = activation(z)
        assert isinstance(a, jax.Array)
        assert a.dtype == jnp.float32


@pytest.mark.parametrize(
    ("given_name", "nearest"),
    [("rleu", "relu"), ("sigmod", "sigmoid"), ("Softmax", "softmax"), ("softpluss", "softplus")],
)
def test_an_unknown_name_is_answered_with_the_nearest(given_name, nearest):
    with pytest.raises(ValueError, match=f"hidden: unknown .*{given_name}.* mean '{nearest}'"):
        activations.from_name(given_name, "hidden")


@pytest.mark.parametrize("wrong", [None, 3, ["relu"], jnp.tanh])
def test_what_is_no_name_is_refused(wrong, unchecked):
    with pytest.raises(ValueError, match="activation: unknown activation"):
        activations.from_name(wrong)


def test_names_give_ours_and_values_pass_through():
    for name, activation in ACTIVATIONS.items():
        assert activations.from_name(name) is activation
        assert activations.from_name(activation) is activation


def test_an_own_activation_stands_beside_ours():
    square = Activation("square", jnp.square, lambda z: 2 * z)
    z, g = jnp.array([1.0, -2.0, 3.0]), jnp.array([1.0, 1.0, 2.0])
    assert square(z).tolist() == [1, 4, 9]
    assert square.kept(z, square(z)) is z
    assert square.delta(z, g).tolist() == [2, -4, 12]
    assert square.differentiable
    assert square == Activation("square", square.value, square.derivative)
    assert hash(square) == hash(Activation("square", square.value, square.derivative))


def test_an_own_pullback_alone_is_enough():
    reverse = Activation("reverse", jnp.flip, pullback=lambda kept, g: jnp.flip(g))
    assert reverse.differentiable
    assert reverse.delta(jnp.zeros(3), jnp.array([1.0, 2.0, 3.0])).tolist() == [3, 2, 1]


def test_an_activation_is_immutable():
    with pytest.raises(AttributeError):
        activations.relu.name = "other"
