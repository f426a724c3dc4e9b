"""Metrics against scikit-learn and against sums written out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as witness

import purenet as pn
from purenet import losses, metrics

N, CLASSES = 40, 4
RNG = np.random.default_rng(0)
SCORES = RNG.dirichlet(np.ones(CLASSES), N)
LABELS = RNG.integers(CLASSES, size=N)
WEIGHTS = RNG.random(N)
NUMBERS = RNG.normal(size=(N, 3))
PREDICTED = NUMBERS + RNG.normal(size=(N, 3))
BITS = RNG.integers(2, size=(N, 3)).astype(np.float64)
CHANCES = RNG.random((N, 3))

pytestmark = pytest.mark.usefixtures("x64")


measured = jax.jit(metrics.measure, static_argnums=(0, 1))
confusion_matrix = jax.jit(metrics.confusion_matrix, static_argnums=2)


def measure(metric, loss, a, y, weights=None):
    w = None if weights is None else jnp.asarray(weights)
    return float(measured(metric, losses.from_name(loss), jnp.asarray(a), jnp.asarray(y), w))


@pytest.fixture(params=[None, WEIGHTS], ids=["plain", "weighted"])
def weights(request):
    return request.param


# --- Formulas ------------------------------------------------------------------------------------


def test_accuracy_of_labels(weights):
    got = measure(metrics.accuracy, "cross_entropy", SCORES, LABELS, weights)
    expected = witness.accuracy_score(LABELS, SCORES.argmax(1), sample_weight=weights)
    assert got == pytest.approx(expected, rel=1e-13)


def test_accuracy_of_distributions(weights):
    target = RNG.dirichlet(np.ones(CLASSES), N)
    got = measure(metrics.accuracy, "cross_entropy", SCORES, target, weights)
    expected = witness.accuracy_score(target.argmax(1), SCORES.argmax(1), sample_weight=weights)
    assert got == pytest.approx(expected, rel=1e-13)


def test_accuracy_of_one_output_decides_at_one_half(weights):
    got = measure(metrics.accuracy, "binary_cross_entropy", CHANCES[:, :1], BITS[:, 0], weights)
    expected = witness.accuracy_score(BITS[:, 0], CHANCES[:, 0] >= 0.5, sample_weight=weights)
    assert 0 < expected < 1
    assert got == pytest.approx(expected, rel=1e-13)


def test_binary_accuracy_is_over_all_outputs(weights):
    got = measure(metrics.binary_accuracy, "binary_cross_entropy", CHANCES, BITS, weights)
    columns = zip(BITS.T, CHANCES.T, strict=True)
    expected = [witness.accuracy_score(y, a >= 0.5, sample_weight=weights) for y, a in columns]
    assert got == pytest.approx(np.mean(expected), rel=1e-13)


def test_binary_accuracy_counts_one_half_as_1():
    a, y = np.array([[0.5], [0.5]]), np.array([1.0, 0.0])
    assert measure(metrics.binary_accuracy, "binary_cross_entropy", a, y) == 0.5


def test_rmse(weights):
    got = measure(metrics.rmse, "mean_squared_error", PREDICTED, NUMBERS, weights)
    expected = witness.mean_squared_error(NUMBERS, PREDICTED, sample_weight=weights) ** 0.5
    assert got == pytest.approx(expected, rel=1e-13)


def test_r_squared(weights):
    got = measure(metrics.r_squared, "mean_squared_error", PREDICTED, NUMBERS, weights)
    expected = witness.r2_score(
        NUMBERS, PREDICTED, sample_weight=weights, multioutput="variance_weighted"
    )
    assert got == pytest.approx(expected, rel=1e-12)


def test_labels_are_one_hot_rows_where_a_metric_needs_rows(weights):
    rows = np.eye(CLASSES)[LABELS]
    for metric in (metrics.rmse, metrics.r_squared, metrics.binary_accuracy):
        of_labels = measure(metric, "cross_entropy", SCORES, LABELS, weights)
        of_rows = measure(metric, "cross_entropy", SCORES, rows, weights)
        assert of_labels == pytest.approx(of_rows, rel=1e-13)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_an_example_of_weight_0_is_not_there(name):
    loss = "cross_entropy" if name == "accuracy" else "mean_squared_error"
    a, y = (SCORES, LABELS) if name == "accuracy" else (PREDICTED, NUMBERS)
    some = np.where(np.arange(N) < 25, WEIGHTS, 0)
    got = measure(metrics.METRICS[name], loss, a, y, some)
    assert got == pytest.approx(measure(metrics.METRICS[name], loss, a[:25], y[:25], some[:25]))


@pytest.mark.parametrize("name", metrics.METRICS)
def test_a_perfect_prediction_has_the_best_value(name):
    best = 0 if name == "rmse" else 1
    assert measure(metrics.METRICS[name], "mean_squared_error", BITS, BITS) == best


def test_a_target_column_is_never_spread_over_the_batch():
    column, flat = NUMBERS[:, :1], NUMBERS[:, 0]
    for metric in (metrics.rmse, metrics.r_squared):
        of_flat = measure(metric, "mean_squared_error", PREDICTED[:, :1], flat)
        assert of_flat == measure(metric, "mean_squared_error", PREDICTED[:, :1], column)


def test_metrics_are_traced_in_float32_and_bfloat16_weights_fit_the_outputs():
    a, y = jnp.asarray(SCORES, jnp.float32), jnp.asarray(LABELS)
    w = jnp.asarray(WEIGHTS, jnp.bfloat16)
    got = jax.jit(lambda: metrics.measure(metrics.accuracy, losses.cross_entropy, a, y, w))()
    assert got.dtype == jnp.float32


# --- Directions, names, the confusion matrix -----------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "new", "old", "better"),
    [
        (metrics.accuracy, 0.9, 0.8, True),
        (metrics.accuracy, 0.8, 0.9, False),
        (metrics.rmse, 0.8, 0.9, True),
        (metrics.rmse, 0.9, 0.8, False),
        (metrics.rmse, 0.8, 0.8, False),
        (metrics.r_squared, 0.8, 0.8, False),
        (metrics.rmse, float("nan"), 0.8, False),
        (metrics.accuracy, float("nan"), 0.8, False),
    ],
)
def test_improves_is_strict_in_the_direction_of_the_metric(metric, new, old, better):
    assert metric.improves(new, old) is better


def test_the_metric_that_fits_a_loss():
    assert metrics.fitting(losses.cross_entropy) is metrics.accuracy
    assert metrics.fitting(losses.binary_cross_entropy) is metrics.binary_accuracy
    assert metrics.fitting(losses.mean_squared_error) is metrics.rmse
    assert metrics.fitting(losses.half_mean_squared_error) is metrics.rmse


def test_metrics_have_names_and_own_ones_pass_through():
    own = pn.Metric("hits", lambda a, y, w: jnp.sum(w), "higher")
    assert metrics.from_name(own) is own
    assert {name: metrics.from_name(name).name for name in metrics.METRICS} == {
        name: name for name in metrics.METRICS
    }


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(ValueError, match=r"metric: unknown .*'acuracy'; did you mean 'accuracy'"):
        metrics.from_name("acuracy")
    with pytest.raises(ValueError, match=r"metric: unknown .*'mse'; did you mean 'rmse'"):
        metrics.from_name("mse")


@pytest.mark.parametrize(
    ("loss", "a", "y", "message"),
    [
        ("mean_squared_error", PREDICTED, NUMBERS[:, :2], r"y: .*\(40, 3\), got .*\(40, 2\)"),
        ("mean_squared_error", PREDICTED, NUMBERS[:7], r"y: .*\(40, 3\), got .*\(7, 3\)"),
        ("cross_entropy", SCORES, LABELS[:7], r"y: .*labels of shape \(40,\)"),
    ],
)
def test_targets_of_another_shape_are_refused(loss, a, y, message):
    with pytest.raises(ValueError, match=message):
        measure(metrics.rmse, loss, a, y)


def test_the_confusion_matrix_counts_true_class_by_row():
    predicted = SCORES.argmax(1)
    got = confusion_matrix(jnp.asarray(LABELS), jnp.asarray(predicted), CLASSES)
    np.testing.assert_array_equal(got, witness.confusion_matrix(LABELS, predicted))


def test_the_confusion_matrix_has_a_row_for_an_absent_class():
    got = confusion_matrix(jnp.array([0, 2]), jnp.array([0, 0]), 3)
    assert got.tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_balanced_accuracy_is_the_recall_of_scikit_learn_for_labels_rows_and_one_output():
    from sklearn.metrics import balanced_accuracy_score

    rng = np.random.default_rng(0)
    y = rng.choice(3, 40, p=[0.8, 0.15, 0.05])
    a = rng.dirichlet(np.ones(3), 40)
    weights = rng.uniform(0.5, 2, 40)
    expected = balanced_accuracy_score(y, a.argmax(axis=1), sample_weight=weights)
    for targets in (y, np.eye(3)[y]):
        got = measure(metrics.balanced_accuracy, "cross_entropy", a, targets, weights)
        assert got == pytest.approx(expected, rel=1e-5)
    p, bits = rng.uniform(size=(40, 1)), rng.integers(0, 2, (40, 1))
    expected = balanced_accuracy_score(bits[:, 0], p[:, 0] >= 0.5)
    got = measure(metrics.balanced_accuracy, "binary_cross_entropy", p, bits.astype(float))
    assert got == pytest.approx(expected, rel=1e-5)


def test_a_class_that_does_not_occur_does_not_count_as_missed():
    a, y = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1]]), np.array([0, 1])
    assert measure(metrics.balanced_accuracy, "cross_entropy", a, y) == 1
