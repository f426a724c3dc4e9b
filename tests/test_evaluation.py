"""Predictions and scores of any number of rows are those of one call."""

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
import witness
from sklearn import metrics as scores

import purenet as pn
from purenet import evaluation

RNG = np.random.default_rng(0)
NET = pn.mlp([3, 5, 4], hidden="tanh", output="softmax")


def normal(*sizes):
    return tuple(
        pn.Dense(*(jnp.asarray(RNG.normal(size=s), jnp.float32) for s in (shape, shape[1])))
        for shape in pairwise(sizes)
    )


def output(activations, params, x):
    """Return the output of the NumPy witness in float64."""
    return witness.output(activations, [[np.float64(v) for v in layer] for layer in params], x)


PARAMS = normal(3, 5, 4)
X = RNG.normal(size=(23, 3)).astype(np.float32)
LABELS = RNG.integers(4, size=23)
EXPECTED = output(["tanh", "softmax"], PARAMS, X)
WEIGHTS = RNG.random(23)


@pytest.fixture(params=[1, 10, 23])
def rows_at_once(request, monkeypatch):
    monkeypatch.setattr(evaluation, "ROWS_AT_ONCE", request.param)


@pytest.mark.usefixtures("rows_at_once")
def test_predict_in_pieces_is_apply():
    a = pn.predict(NET, PARAMS, X)
    assert a.shape == (23, 4)
    np.testing.assert_allclose(a, EXPECTED, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("rows_at_once")
def test_scores_in_pieces_are_those_of_the_definition():
    loss, accuracy = pn.evaluate(NET, "cross_entropy", PARAMS, (X, LABELS, WEIGHTS))
    each = -np.log(EXPECTED[np.arange(23), LABELS])
    assert loss == pytest.approx((WEIGHTS * each).sum() / WEIGHTS.sum(), rel=1e-5)
    hits = scores.accuracy_score(LABELS, EXPECTED.argmax(1), sample_weight=WEIGHTS)
    assert accuracy == pytest.approx(hits, rel=1e-5)


def test_more_rows_than_fit_at_once_are_predicted():
    x = np.tile(X, (400, 1))
    assert len(x) > evaluation.ROWS_AT_ONCE
    np.testing.assert_allclose(
        np.asarray(pn.predict(NET, PARAMS, x)).reshape(400, 23, 4)[[0, 199, 399]],
        np.tile(EXPECTED, (3, 1, 1)),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


def test_pieces_of_one_length_share_a_program(monkeypatch):
    monkeypatch.setattr(evaluation, "ROWS_AT_ONCE", 12)
    before = evaluation._compiled_apply._cache_size()
    pn.predict(NET, PARAMS, X[:22])
    assert evaluation._compiled_apply._cache_size() == before + 1


@pytest.mark.parametrize("rows", [1, 0])
def test_one_row_and_no_row_are_predicted(rows):
    assert pn.predict(NET, PARAMS, X[:rows]).shape == (rows, 4)


def test_arrays_of_jax_and_lists_are_predicted_too():
    expected = np.asarray(pn.predict(NET, PARAMS, X))
    np.testing.assert_array_equal(pn.predict(NET, PARAMS, jnp.asarray(X)), expected)
    np.testing.assert_array_equal(pn.predict(NET, PARAMS, X.tolist()), expected)


def test_raw_bytes_are_scaled_by_the_network():
    scaled = pn.mlp([3, 5, 4], "tanh", "softmax", input_scaling=pn.InputScaling(10.0, 20.0))
    raw = RNG.integers(256, size=(6, 3)).astype(np.uint8)
    expected = output(["tanh", "softmax"], PARAMS, (raw - 10.0) / 20.0)
    np.testing.assert_allclose(pn.predict(scaled, PARAMS, raw), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("x", [X[:, :2], X[0], X[:, None], np.float32(1)])
def test_rows_of_another_shape_are_refused(x):
    with pytest.raises(ValueError, match="x: expected shape"):
        pn.predict(NET, PARAMS, x)


def test_parameters_of_another_network_are_refused():
    with pytest.raises(ValueError, match="params: the network of sizes"):
        pn.predict(NET, normal(3, 4), X)


def test_the_metric_is_by_default_the_one_that_fits():
    net = pn.mlp([3, 1])
    params, y = normal(3, 1), X.sum(1)
    a = output(["identity"], params, X)[:, 0]
    loss, rmse = pn.evaluate(net, "half_mean_squared_error", params, (X, y))
    assert loss == pytest.approx(((a - y) ** 2).mean() / 2, rel=1e-5)
    assert rmse == pytest.approx(((a - y) ** 2).mean() ** 0.5, rel=1e-5)
    _, r_squared = pn.evaluate(net, "half_mean_squared_error", params, (X, y), "r_squared")
    assert r_squared == pytest.approx(scores.r2_score(y, a), rel=1e-4)


def test_binary_targets_are_scored_by_sign():
    net = pn.mlp([3, 1], output="sigmoid")
    params, y = normal(3, 1), (X[:, 0] > 0).astype(np.float32)
    p = output(["sigmoid"], params, X)[:, 0]
    loss, accuracy = pn.evaluate(net, "binary_cross_entropy", params, (X, y))
    assert loss == pytest.approx(scores.log_loss(y, p), rel=1e-5)
    assert accuracy == pytest.approx(((p >= 0.5) == y).mean(), rel=1e-6)


def test_a_metric_and_a_loss_of_ones_own_are_measured():
    cubic = pn.Loss("cubic", lambda a, y: jnp.sum(jnp.abs(a - y) ** 3, -1),
                    lambda a, y: 3 * (a - y) * jnp.abs(a - y))  # fmt: skip
    worst = pn.Metric("worst", lambda a, y, w: jnp.max(jnp.abs(a - y)), "lower")
    net = pn.mlp([3, 1])
    params, y = normal(3, 1), X.sum(1)
    error = np.abs(output(["identity"], params, X)[:, 0] - y)
    got = pn.evaluate(net, cubic, params, (X, y), worst)
    assert got == pytest.approx(((error**3).mean(), error.max()), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "data", "metric", "message"),
    [
        ("cross_entropy", (X, LABELS + 4), None, "data y: label [4-7] at"),
        ("cross_entropy", (X[:3], LABELS), None, "as many targets as examples"),
        ("crossentropy", (X, LABELS), None, "did you mean 'cross_entropy'"),
        ("cross_entropy", (X, LABELS), "accurate", "did you mean 'accuracy'"),
    ],
)
def test_unusable_data_and_names_are_refused(loss, data, metric, message):
    with pytest.raises(ValueError, match=message):
        pn.evaluate(NET, loss, PARAMS, data, metric)


def test_a_loss_that_does_not_go_with_the_output_is_refused():
    with pytest.raises(ValueError, match="use output='sigmoid'"):
        pn.evaluate(NET, "binary_cross_entropy", PARAMS, (X, np.ones((23, 4))))
