"""Losses: their constants, targets and weights, the hand gradients, and what is refused."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import witness
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from witness import relative_difference

from purenet import activations, losses, network
from purenet.losses import LOSSES, Fused, Loss

EVERY = pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
FUSED = [losses.cross_entropy, losses.binary_cross_entropy]
EACH_FUSED = pytest.mark.parametrize("loss", FUSED, ids=lambda loss: loss.name)


def draw(batch=5, outputs=3, seed=0):
    """Return a in (0, 1), y in (0, 1) with rows that do not sum to 1, and weights, in float64."""
    rng = np.random.default_rng(seed)
    shape = (batch, outputs)
    a, y = rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)
    return jnp.asarray(a), jnp.asarray(y), rng.uniform(0.5, 2, batch)


@functools.partial(jax.jit, static_argnums=0)
def value_and_delta(loss, z, y):
    return loss.from_logits(z, y), loss.delta(z, y)


def test_the_known_ones_are_these():
    assert list(LOSSES) == [
        "mean_squared_error", "half_mean_squared_error", "cross_entropy", "binary_cross_entropy",
    ]  # fmt: skip


def test_constants_by_hand():
    """The mean over the examples, the sum over the outputs; S4's half form is half of S1's."""
    a, y = jnp.array([[0.5, 0.25], [0.25, 0.5]]), jnp.array([[1.0, 0.0], [1.0, 1.0]])
    squares = [0.5**2 + 0.25**2, 0.75**2 + 0.5**2]
    logs = [-np.log(0.5), -np.log(0.25) - np.log(0.5)]
    binary = [-np.log(0.5) - np.log(0.75), -np.log(0.25) - np.log(0.5)]
    expected = {
        "mean_squared_error": squares,
        "half_mean_squared_error": [s / 2 for s in squares],
        "cross_entropy": logs,
        "binary_cross_entropy": binary,
    }
    for name, per_example in expected.items():
        assert float(LOSSES[name](a, y)) == pytest.approx(sum(per_example) / 2, rel=1e-6)
        weighted = LOSSES[name](a, y, np.array([1, 3]))
        assert float(weighted) == pytest.approx((per_example[0] + 3 * per_example[1]) / 4, rel=1e-6)


def test_s1_and_s4_differ_by_the_factor_two():
    """The audit's example of S4-E34: .2225 for S4, .445 for S1."""
    a, y = jnp.array([[0.5], [0.8]]), jnp.array([[1.0], [0.0]])
    assert float(losses.mean_squared_error(a, y)) == pytest.approx(0.445)
    assert float(losses.half_mean_squared_error(a, y)) == pytest.approx(0.2225)


@EVERY
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient_are_those_of_the_textbook(loss, weighted, x64):
    a, y, weights = draw()
    w = weights if weighted else None
    share = (weights / weights.sum()) if weighted else np.full(5, 1 / 5)

    def textbook(a):
        return (share * witness.LOSSES[loss.name](a, np.asarray(y))).sum()

    @jax.jit
    def three(*at):
        return loss(*at), loss.gradient(*at), jax.grad(loss)(*at)

    value, by_hand, by_autodiff = three(a, y, w)
    assert relative_difference(value, textbook(np.asarray(a))) < 1e-13
    assert relative_difference(by_hand, witness.complex_step(textbook, np.asarray(a))) < 1e-12
    assert relative_difference(by_hand, by_autodiff) < 1e-12


@EACH_FUSED
def test_the_fused_forms_are_the_loss_at_the_activated_output(loss, x64):
    _, y, weights = draw()
    z = jnp.asarray(np.random.default_rng(1).normal(size=(5, 3)) * 2)

    @jax.jit
    def activated(z):
        a = loss.fused.output(z)
        return loss(a, y, weights), loss.fused.output.delta(a, loss.gradient(a, y, weights))

    @jax.jit
    def fused(*at):
        return loss.from_logits(*at), loss.delta(*at), jax.grad(loss.from_logits)(*at)

    (cost, through), (value, delta, by_autodiff) = activated(z), fused(z, y, weights)
    assert relative_difference(value, cost) < 1e-12
    assert relative_difference(delta, through) < 1e-12
    assert relative_difference(delta, by_autodiff) < 1e-12


@EACH_FUSED
def test_the_form_of_each_example_is_that_of_a_batch_of_it_alone(loss, x64):
    _, y, _ = draw()
    z = jnp.asarray(np.random.default_rng(1).normal(size=(5, 3)) * 2)
    terms, deltas = map(np.asarray, jax.jit(loss.from_logits_of_each)(z, y))
    z, y = np.asarray(z), np.asarray(y)
    for n in range(len(z)):
        term, delta = value_and_delta(loss, z[n : n + 1], y[n : n + 1])
        assert relative_difference(terms[n], term) < 1e-14
        assert relative_difference(deltas[n : n + 1], delta) < 1e-14


@jax.jit
def softmax_and_deltas(z, y):
    loss = losses.cross_entropy
    return activations.softmax(z), loss.delta(z, y), jax.grad(loss.from_logits)(z, y)


@pytest.mark.parametrize("total", [0.0, 0.3, 1.0, 4.0])
def test_the_delta_of_cross_entropy_is_the_sum_of_the_targets_times_p_minus_y(total, x64):
    z = jnp.asarray(np.random.default_rng(2).normal(size=(4, 3)))
    y = total * np.random.default_rng(3).dirichlet(np.ones(3), 4)
    p, delta, by_autodiff = softmax_and_deltas(z, y)
    np.testing.assert_allclose(delta, (total * np.asarray(p) - y) / 4, atol=1e-15)
    np.testing.assert_allclose(delta, by_autodiff, atol=1e-15)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "uint32", "int64"])
def test_labels_are_one_hot_rows(dtype):
    z = jnp.asarray(np.random.default_rng(4).normal(size=(6, 4)), jnp.float32)
    p, labels = activations.softmax(z), np.array([0, 3, 1, 1, 2, 0], dtype)
    one_hot = np.eye(4, dtype=np.float32)[labels]
    for method in ("__call__", "gradient"):
        f = getattr(losses.cross_entropy, method)
        np.testing.assert_array_equal(f(p, labels), f(p, one_hot))
    for method in ("from_logits", "delta"):
        f = getattr(losses.cross_entropy, method)
        np.testing.assert_allclose(f(z, labels), f(z, one_hot), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("classes", [256, 300])
def test_bytes_label_more_classes_than_a_byte_counts(classes):
    labels = np.array([0, 255, 44], np.uint8)  # 300 is 44 modulo 256
    z = np.zeros((3, classes), np.float32)
    value, delta = value_and_delta(losses.cross_entropy, z, labels)
    expected = (np.full((3, classes), 1 / classes) - np.eye(classes)[labels]) / 3
    np.testing.assert_allclose(delta, expected, rtol=1e-5, atol=1e-9)
    assert float(value) == pytest.approx(np.log(classes))


def test_a_label_outside_the_classes_is_an_all_zero_row():
    z, cost = np.array([[1, 2], [3, 1]], np.float32), jax.jit(losses.cross_entropy.from_logits)
    for label in (-1, 2, 1000):
        y = np.array([label, 0])
        assert float(cost(z, y)) == pytest.approx(float(cost(z[1:], y[1:])) / 2)


@EVERY
def test_weights_of_zero_leave_an_example_out(loss):
    a, y, weights = (np.asarray(v, np.float32) for v in draw())
    both = jax.jit(lambda *at: (loss(*at), loss.gradient(*at)))
    value, gradient = both(a, y, np.append(weights[:3], np.zeros(2, np.float32)))
    value_of_three, gradient_of_three = both(a[:3], y[:3], weights[:3])
    np.testing.assert_allclose(value, value_of_three, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(gradient)[3:], np.zeros((2, 3)))
    np.testing.assert_allclose(np.asarray(gradient)[:3], gradient_of_three, rtol=1e-5)


@EVERY
@given(factor=st.floats(2**-10, 2**10))
@settings(max_examples=20, deadline=None)
def test_only_the_ratio_of_weights_counts(loss, factor):
    a, y, weights = (jnp.asarray(v, jnp.float32) for v in draw())
    np.testing.assert_allclose(loss(a, y, factor * weights), loss(a, y, weights), rtol=1e-5)
    np.testing.assert_allclose(loss(a, y, jnp.full(5, factor)), loss(a, y), rtol=1e-5)


@EVERY
def test_a_batch_without_weight_has_no_cost_and_no_gradient(loss):
    a, y, _ = (jnp.asarray(v, jnp.float32) for v in draw())
    assert float(loss(a, y, jnp.zeros(5))) == 0
    assert not loss.gradient(a, y, jnp.zeros(5)).any()


@pytest.mark.parametrize(
    "weights", [np.array([True, False, True]), np.array([1, 0, 1]), np.array([1.0, 0.0, 1.0])]
)
def test_weights_may_be_a_mask_or_counts(weights):
    a, y = jnp.array([[1.0], [9.0], [3.0]]), jnp.zeros((3, 1))
    assert float(losses.mean_squared_error(a, y, weights)) == 5
    assert losses.mean_squared_error.gradient(a, y, weights).tolist() == [[1], [0], [3]]


@pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if not loss.labels],
                         ids=lambda loss: loss.name)  # fmt: skip
def test_one_output_takes_targets_of_shape_batch_and_never_broadcasts_them(loss):
    a, y = jnp.array([[0.1], [0.5], [0.8]]), jnp.array([1.0, 0.0, 1.0])
    assert float(loss(a, y)) == float(loss(a, y[:, None]))
    assert loss.gradient(a, y).shape == (3, 1)
    np.testing.assert_array_equal(loss.gradient(a, y), loss.gradient(a, y[:, None]))


def test_numbers_may_be_whole_and_truths_may_be_bool():
    a = jnp.array([[0.25, 0.5], [0.75, 1.0]])
    whole = np.array([[0, 1], [1, 0]])
    for y in (whole, whole.astype(np.uint8), whole.astype(bool)):
        assert float(losses.mean_squared_error(a, y)) == float(
            losses.mean_squared_error(a, whole.astype(np.float32))
        )
        assert jnp.isfinite(losses.binary_cross_entropy.delta(a, y)).all()


def test_values_where_the_logarithm_is_infinite_have_their_limits():
    a, y = jnp.array([[0.0, 1.0]]), jnp.array([[0.0, 1.0]])
    assert float(losses.cross_entropy(a, y)) == 0
    assert losses.cross_entropy.gradient(a, y).tolist() == [[0, -1]]
    assert float(losses.binary_cross_entropy(a, y)) == 0
    assert losses.binary_cross_entropy.gradient(a, y).tolist() == [[1, -1]]
    assert float(losses.cross_entropy(a, 1 - y)) == np.inf


logits = arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32))


@EACH_FUSED
@given(z=logits, y=arrays(np.float32, (4, 3), elements=st.floats(0, 1, width=32)))
@settings(max_examples=30, deadline=None)
def test_logits_of_any_size_give_finite_numbers(loss, z, y):
    value, delta = map(np.asarray, value_and_delta(loss, z, y))
    assert np.isfinite(value)
    assert value >= 0
    assert np.abs(delta).max() <= np.maximum(1, y.sum(axis=1).max()) / 4 * 1.00001


def test_extreme_logits_give_their_limits():
    z = jnp.array([[1e4, -1e4], [-1e4, 1e4]])
    assert float(losses.cross_entropy.from_logits(z, jnp.array([0, 1]))) == 0
    assert float(losses.cross_entropy.from_logits(z, jnp.array([1, 0]))) == 2e4
    assert losses.cross_entropy.delta(z, jnp.array([1, 1])).tolist() == [[0.5, -0.5], [0, 0]]
    right = jnp.array([[1.0, 0.0], [0.0, 1.0]])
    assert float(losses.binary_cross_entropy.from_logits(z, right)) == 0
    assert float(losses.binary_cross_entropy.from_logits(z, 1 - right)) == 2e4


def test_minus_infinity_masks_a_class():
    z = np.array([[0.3, -np.inf, -1, 2], [1, 0, -np.inf, -np.inf]], np.float32)
    y, kept = np.array([3, 0]), [[0, 2, 3], [0, 1]]
    cost = jax.jit(losses.cross_entropy.from_logits)
    value, delta = map(np.asarray, value_and_delta(losses.cross_entropy, z, y))
    alone = [cost(z[n : n + 1, k], np.array([k.index(y[n])])) for n, k in enumerate(kept)]
    assert float(value) == pytest.approx((float(alone[0]) + float(alone[1])) / 2, rel=1e-6)
    assert np.all(delta[~np.isfinite(z)] == 0)
    np.testing.assert_allclose(delta, jax.jit(jax.grad(cost))(z, y), atol=1e-7)
    np.testing.assert_allclose(cost(z, np.eye(4, dtype=np.float32)[y]), value, rtol=1e-6)


@EVERY
def test_numpy_float64_goes_in_without_a_warning(loss):
    a, y, weights = (np.asarray(v, np.float64) for v in draw())
    assert loss(a, y, weights).dtype == jnp.float32
    gradient = loss.gradient(a, y, weights)
    assert isinstance(loss.gradient(a, y), jax.Array)
    assert gradient.dtype == jnp.float32
    if loss.fused is not None:
        assert loss.delta(a, y).dtype == loss.from_logits(a, y, weights).dtype == jnp.float32


MSE, CE, BCE = losses.mean_squared_error, losses.cross_entropy, losses.binary_cross_entropy
REFUSED = {
    "transposed": (MSE, (5, 3), (3, 5), "f4", r"y: .* \(5, 3\), got float32 of shape \(3, 5\)"),
    "row for a batch": (MSE, (5, 3), (3,), "f4", r"targets of shape \(5, 3\), got .*\(3,\)"),
    "batch for rows": (MSE, (5, 3), (5,), "f4", r"targets of shape \(5, 3\), got .*\(5,\)"),
    "another batch": (MSE, (5, 1), (4,), "f4", r"got float32 of shape \(4,\)"),
    "one for all": (MSE, (5, 1), (1, 1), "f4", r"got float32 of shape \(1, 1\)"),
    "labels for numbers": (MSE, (5, 3), (5,), "i4", r"takes targets of .*\(5, 3\), got int32"),
    "labels for binary": (BCE, (5, 3), (5,), "i4", r"takes targets of .*\(5, 3\), got int32"),
    "column of labels": (CE, (5, 3), (5, 1), "i4", r"takes integer labels of shape \(5,\) or a"),
    "whole one-hot": (CE, (5, 3), (5, 3), "i4", r"one-hot rows have to be float"),
    "float labels": (CE, (5, 3), (5,), "f4", r"integer labels of shape \(5,\) or .*got float32"),
    "a row alone": (MSE, (3,), (3,), "f4", r"outputs: .*\(batch, outputs\), got .*\(3,\)"),
    "three axes": (MSE, (2, 5, 3), (2, 5, 3), "f4", r"outputs: .* got float32 .*\(2, 5, 3\)"),
}


@pytest.mark.parametrize(("loss", "a", "y", "dtype", "message"), REFUSED.values(), ids=REFUSED)
def test_targets_that_do_not_fit_are_refused(loss, a, y, dtype, message):
    methods = [loss, loss.gradient, *([loss.from_logits, loss.delta] if loss.fused else [])]
    for method in methods:
        with pytest.raises(ValueError, match=message):
            method(jnp.ones(a), jnp.ones(y, dtype))


def test_whole_outputs_are_refused_rather_than_rounding_the_targets():
    with pytest.raises(ValueError, match=r"takes a floating array .* got int32"):
        MSE(jnp.ones((2, 1), jnp.int32), jnp.full((2, 1), 0.5))


@EVERY
@pytest.mark.parametrize("shape", [(4,), (5, 1), (1,), (), (5, 3)])
def test_weights_of_another_shape_are_refused(loss, shape):
    a, y, _ = (jnp.asarray(v, jnp.float32) for v in draw())
    for method in (loss, loss.gradient):
        with pytest.raises(ValueError, match=r"weights: one number .* shape \(5,\), got shape"):
            method(a, y, jnp.ones(shape))


def test_squared_errors_have_no_form_in_the_logits():
    for loss, method in itertools.product(
        (MSE, losses.half_mean_squared_error), ("from_logits", "delta", "from_logits_of_each")
    ):
        with pytest.raises(ValueError, match="so it has no form in the logits"):
            getattr(loss, method)(jnp.ones((2, 1)), jnp.ones((2, 1)))


@pytest.mark.parametrize(
    ("loss", "output", "message"),
    [
        ("cross_entropy", "sigmoid", "use output='softmax', or 'binary_cross_entropy' as the loss"),
        ("binary_cross_entropy", "softmax", "use output='sigmoid', or 'cross_entropy' as the loss"),
        ("cross_entropy", "identity", "goes with output='softmax', the network has .*'identity'"),
        ("binary_cross_entropy", "relu", "use output='sigmoid', or 'mean_squared_error' as"),
        ("mean_squared_error", "step", "output: activation 'step' has no usable derivative"),
    ],
)
def test_a_loss_and_an_output_that_do_not_go_together(loss, output, message):
    with pytest.raises(ValueError, match=message):
        losses.check_output(LOSSES[loss], activations.from_name(output))
    with pytest.raises(ValueError, match=message):
        network.objective(network.mlp([2, 3], output=output), loss)


def test_squared_errors_go_with_every_differentiable_output():
    for activation in activations.ACTIVATIONS.values():
        if activation.differentiable:
            losses.check_output(MSE, activation)


@pytest.mark.parametrize(
    ("given_name", "nearest"),
    [("crossentropy", "cross_entropy"), ("Mean_Squared_Error", "mean_squared_error")],
)
def test_an_unknown_name_is_answered_with_the_nearest(given_name, nearest):
    with pytest.raises(ValueError, match=f"loss: unknown .*{given_name}.* mean '{nearest}'"):
        losses.from_name(given_name)


def test_what_is_no_name_is_refused(unchecked):
    for wrong in (None, 3, jnp.square):
        with pytest.raises(ValueError, match="loss: unknown loss"):
            losses.from_name(wrong)


def test_an_own_loss_stands_beside_ours():
    absolute = Loss(
        "absolute", lambda a, y: jnp.sum(jnp.abs(a - y), -1), lambda a, y: jnp.sign(a - y)
    )
    a, y = jnp.array([[1.0], [5.0]]), jnp.array([3.0, 1.0])
    assert float(absolute(a, y)) == 3
    assert absolute.gradient(a, y, jnp.array([3.0, 1.0])).tolist() == [[-0.75], [0.25]]
    assert losses.from_name(absolute) is absolute
    with pytest.raises(ValueError, match="y: absolute with outputs of shape"):
        absolute(a, jnp.ones((2, 2)))


def test_an_own_fused_loss_goes_with_its_own_output_only():
    exponential = activations.Activation("exponential", jnp.exp, jnp.exp)
    fused = Fused(exponential, lambda z, y: jnp.sum(jnp.exp(z) - y * z, -1), lambda z, y: z - y)
    poisson = Loss(
        "poisson", lambda a, y: jnp.sum(a - y * jnp.log(a), -1), lambda a, y: 1 - y / a, fused
    )
    losses.check_output(poisson, exponential)
    with pytest.raises(ValueError, match="use output='exponential', or 'cross_entropy'"):
        losses.check_output(poisson, activations.softmax)


WRONG_SHAPES = {
    "value": (lambda a, y: jnp.mean((a - y) ** 2), lambda a, y: a - y, r"value .*\(2,\).*got \(\)"),
    "derivative": (
        lambda a, y: jnp.sum((a - y) ** 2, -1),
        lambda a, y: jnp.sum(a - y, -1),
        r"derivative .*\(2, 3\).*got \(2,\)",
    ),
}


@pytest.mark.parametrize("role", WRONG_SHAPES)
@pytest.mark.usefixtures("unchecked")
def test_an_own_loss_that_returns_another_shape_is_refused(role):
    value, derivative, message = WRONG_SHAPES[role]
    own = losses.Loss("own", value, derivative)
    a, y = jnp.ones((2, 3)), jnp.zeros((2, 3))
    with pytest.raises(ValueError, match=f"loss 'own': its {message}"):
        own(a, y) if role == "value" else own.gradient(a, y)


def test_a_label_outside_the_classes_is_a_row_of_zeros_in_value_and_gradient():
    z = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    y = jnp.array([0, -1, 3, 2])
    _, hand, auto = softmax_and_deltas(z, y)
    np.testing.assert_allclose(hand, auto, atol=1e-7)
    assert not np.asarray(hand)[1:3].any()


def test_binary_cross_entropy_has_its_limits():
    z = jnp.array([[jnp.inf], [-jnp.inf], [jnp.nan]])
    value = losses.binary_cross_entropy.fused.value(z, jnp.array([[1.0], [0.0], [1.0]]))
    assert value[:2].tolist() == [0, 0]
    assert jnp.isnan(value[2])
