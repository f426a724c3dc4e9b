"""The loop: repeatable, resumable, the same streamed, and it changes nothing of its caller."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import batches, compiling, evaluation, job, losses, metrics, stop

N, BATCH = 20, 8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)).astype(np.float32)
LABELS = (X.sum(1) > 0).astype(np.int32)
HELD_OUT = (RNG.normal(size=(9, 3)).astype(np.float32), RNG.integers(2, size=9))
NET = pn.mlp([3, 4, 2], hidden="tanh", output="softmax")
LOSS = losses.cross_entropy
# One object: a program is compiled for each optimizer object.
SGD = optax.sgd(0.5, momentum=0.9)
KEY = jax.random.key(7)

LINE = pn.mlp([3, 1])
Y = RNG.normal(size=N).astype(np.float32)
PLAIN = optax.sgd(0.1)


def initial(net=NET, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(
        pn.Dense(*(jnp.asarray(rng.normal(size=s), jnp.float32) for s in (shape, shape[1])))
        for shape in pairwise(net.sizes)
    )


def fit(params=None, data=(X, LABELS), optimizer=SGD, **options):
    options = {"epochs": 2, "batch_size": BATCH, "key": KEY, **options}
    return pn.fit(NET, LOSS, initial() if params is None else params, data, optimizer, **options)


def fit_line(params=None, data=(X, Y), optimizer=PLAIN, **options):
    options = {"epochs": 2, "batch_size": None, **options}
    start = initial(LINE) if params is None else params
    return pn.fit(LINE, "mean_squared_error", start, data, optimizer, **options)


def assert_equal(got, expected):
    jax.tree.map(np.testing.assert_array_equal, got, expected)


def differ(one, other):
    return any(
        (np.asarray(a) != np.asarray(b)).any()
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


# --- What a run is -------------------------------------------------------------------------------


def test_a_run_is_its_updates_one_after_the_other_over_the_orders_of_its_epochs():
    run = fit(data=(X, LABELS, np.linspace(0, 1, N, dtype=np.float32)))
    cost = jax.jit(jax.value_and_grad(pn.objective(NET, LOSS)))
    weights = np.linspace(0, 1, N, dtype=np.float32)
    params = jax.tree.map(np.float64, initial())
    trace = jax.tree.map(np.zeros_like, params)
    for epoch in range(2):
        total = 0.0
        for row in batches.order(KEY, epoch, N, BATCH):
            row = row[row >= 0]
            single = jax.tree.map(np.float32, params)
            value, grads = cost(single, X[row], LABELS[row], weights[row])
            total += float(value) * weights[row].sum()
            trace = jax.tree.map(lambda t, g: 0.9 * t + np.float64(g), trace, grads)
            params = jax.tree.map(lambda p, t: p - 0.5 * t, params, trace)
        assert run.history.loss[epoch] == pytest.approx(total / weights.sum(), rel=1e-4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-3, 1e-4), run.params, params)


def test_a_float64_run_has_float64_accuracy(x64):
    x, y = np.float64(X), np.float64(Y)
    params = jax.tree.map(lambda v: jnp.asarray(v, jnp.float64), initial(LINE))
    run = fit_line(params, (x, y))
    weight, bias = (np.asarray(v) for v in params[0])
    for _ in range(2):
        error = x @ weight + bias - y[:, None]
        weight, bias = weight - 0.2 * x.T @ error / N, bias - 0.2 * error.mean(0)
    assert run.params[0].weight.dtype == np.float64
    np.testing.assert_allclose(run.params[0].weight, weight, rtol=1e-12)
    np.testing.assert_allclose(run.params[0].bias, bias, rtol=1e-12)


def test_a_float64_run_is_measured_on_its_validation_data(x64):
    params = jax.tree.map(lambda v: jnp.asarray(v, jnp.float64), initial())
    run = fit(params, (np.float64(X), LABELS), epochs=1, validation=HELD_OUT)
    loss, metric = pn.evaluate(NET, LOSS, run.params, HELD_OUT)
    assert (run.history.validation_loss[0], run.history.validation_metric[0]) == (loss, metric)


def test_the_history_has_an_entry_per_epoch():
    run = fit(epochs=3, validation=HELD_OUT)
    assert run.history.updates.tolist() == [3, 6, 9]
    assert all(entry.shape == (3,) and np.isfinite(entry).all() for entry in run.history)
    loss, metric = pn.evaluate(NET, LOSS, run.params, HELD_OUT)
    assert (run.history.validation_loss[-1], run.history.validation_metric[-1]) == (loss, metric)
    assert run.stopped == "3 epochs done"
    assert run.state.epoch == 3
    assert run.state.params is run.params


def test_without_validation_data_nothing_is_measured_on_it():
    run = fit()
    assert np.isnan(run.history.validation_loss).all()
    assert np.isnan(run.history.validation_metric).all()
    assert run.best is run.params
    assert run.best_epoch == 1


@pytest.mark.parametrize(
    ("batch_size", "updates"), [(None, 1), (N, 1), (N + 7, 1), (BATCH, 3), (1, N)]
)
def test_an_epoch_has_a_batch_for_every_batch_size_examples_begun(batch_size, updates):
    assert fit(epochs=2, batch_size=batch_size).history.updates.tolist() == [updates, 2 * updates]


def test_a_batch_of_all_or_more_is_the_full_batch():
    full = fit(batch_size=None)
    for batch_size in (N, N + 7):
        assert_equal(fit(batch_size=batch_size).state, full.state)


# --- Nothing of the caller's is changed ----------------------------------------------------------


@pytest.mark.parametrize("as_array", [np.array, jnp.array], ids=["numpy", "jax"])
def test_parameters_data_and_state_of_the_caller_stay_as_they_are(as_array):
    data = (as_array(X), as_array(LABELS), as_array(np.ones(N, np.float32)))
    held_out = tuple(as_array(v) for v in HELD_OUT)
    state = fit(initial(), data, validation=held_out).state
    given = (initial(), data, held_out, state)
    before = jax.tree.map(np.array, given)
    for start in (given[0], state):
        fit(start, data, validation=held_out)
        fit(start, data, stream_above=1)
    assert_equal(given, before)
    assert not any(v.is_deleted() for v in jax.tree.leaves(given) if isinstance(v, jax.Array))


def test_yielded_states_and_histories_stay_valid_after_later_epochs():
    seen, copies = [], []
    for epoch in pn.epochs(
        NET, LOSS, initial(), (X, LABELS), SGD, epochs=3, batch_size=BATCH, validation=HELD_OUT
    ):
        seen.append(epoch)
        copies.append(jax.tree.map(np.array, epoch))
    assert_equal(seen, copies)
    assert [len(epoch.history.loss) for epoch in seen] == [1, 2, 3]


# --- Repeatable, resumable, streamable -----------------------------------------------------------


def test_a_key_gives_the_same_run_bit_for_bit_and_another_key_another():
    one, same, other = fit(), fit(), fit(key=jax.random.key(8))
    assert_equal((one.state, one.history), (same.state, same.history))
    assert differ(one.params, other.params)


def test_without_a_key_the_order_is_that_of_key_0():
    assert_equal(fit(key=None).state, fit(key=jax.random.key(0)).state)


@pytest.mark.parametrize("first", [1, 3])
def test_a_run_resumed_is_the_run_not_interrupted_bit_for_bit(first):
    whole = fit(epochs=4)
    begun = fit(epochs=first)
    resumed = fit(begun.state, epochs=4 - first)
    assert_equal(resumed.state, whole.state)
    np.testing.assert_array_equal(
        np.concatenate([begun.history.loss, resumed.history.loss]), whole.history.loss
    )


def test_the_second_epoch_has_another_order_than_the_first():
    start = fit(epochs=1).state
    again = start._replace(epoch=start.epoch * 0)
    assert differ(fit(start, epochs=1).params, fit(again, epochs=1).params)


@pytest.mark.parametrize("stream_above", [1, 2 * X[:BATCH].nbytes, X.nbytes - 1])
def test_a_streamed_run_is_the_resident_one_bit_for_bit(stream_above):
    resident, streamed = fit(), fit(stream_above=stream_above)
    assert_equal(streamed.state, resident.state)
    np.testing.assert_allclose(streamed.history.loss, resident.history.loss, rtol=1e-6)


def test_a_full_batch_is_the_same_where_data_would_be_streamed():
    resident, above = fit(batch_size=None), fit(batch_size=None, stream_above=1)
    assert_equal((above.state, above.history), (resident.state, resident.history))


@pytest.fixture
def passes(monkeypatch):
    """Record (data, rows) of every compiled pass."""
    seen = []

    def spying(*arguments):
        compiled = compiling.compiled_pass(*arguments)

        def spy(net, loss, optimizer, state, data, rows):
            seen.append((data, rows))
            return compiled(net, loss, optimizer, state, data, rows)

        return spy

    monkeypatch.setattr(job, "compiled_pass", spying)
    return seen


def test_data_goes_over_whole_up_to_the_limit_and_in_pieces_above_it(passes):
    fit(epochs=1, stream_above=X.nbytes)
    assert [data.x.shape for data, _ in passes] == [(N, 3)]
    passes.clear()
    fit(epochs=1, stream_above=X.nbytes - 1)
    assert [data.x.shape for data, _ in passes] == [(BATCH, 3)] * 3


def test_resident_data_goes_over_once_and_bytes_stay_bytes(passes):
    raw = RNG.integers(256, size=(N, 3)).astype(np.uint8)
    fit(data=(raw, LABELS))
    assert passes[0][0].x.dtype == np.uint8
    assert passes[0][0].x is passes[1][0].x


def test_the_program_is_compiled_once_and_the_data_is_not_in_it():
    optimizer = optax.sgd(0.25)
    compiled = compiling.compiled_pass(NET, BATCH, "cpu")
    before = compiled._cache_size()
    first = fit(optimizer=optimizer, epochs=3)
    second = fit(data=(X + 1, 1 - LABELS), optimizer=optimizer, epochs=2, key=jax.random.key(3))
    assert compiled._cache_size() == before + 1
    assert differ(first.params, second.params)


# --- Best and last -------------------------------------------------------------------------------


def by_script(monkeypatch, pairs):
    """Let the validation data give these pairs (loss, metric), one per epoch."""
    given = iter(pairs)
    monkeypatch.setattr(evaluation, "scores", lambda *_: next(given))


NAN = float("nan")


@pytest.mark.parametrize(
    ("metric", "pairs", "best"),
    [
        ("accuracy", [(1.0, 0.5), (2.0, 0.9), (0.5, 0.7)], 1),  # the metric decides
        ("rmse", [(1.0, 0.5), (2.0, 0.9), (3.0, 0.1), (0.1, 0.4)], 2),  # lower is better
        ("accuracy", [(2.0, 0.9), (1.0, 0.9), (3.0, 0.9)], 1),  # then the loss
        ("accuracy", [(1.0, 0.9), (1.0, 0.9)], 0),  # then the earlier one
        ("accuracy", [(1.0, 0.2), (1.0, 0.9), (1.0, 0.9), (1.0, 0.3)], 1),
        ("r_squared", [(1.0, NAN), (1.0, 0.1), (1.0, NAN)], 1),  # a number before NaN
        ("r_squared", [(2.0, NAN), (1.0, NAN), (3.0, NAN)], 1),
    ],
)
def test_the_best_epoch_is_by_metric_then_loss_then_the_earlier(monkeypatch, metric, pairs, best):
    by_script(monkeypatch, pairs)
    params = []
    run = fit(
        epochs=len(pairs),
        validation=HELD_OUT,
        metric=metric,
        on_epoch=lambda epoch: params.append(epoch.state.params),
    )
    assert run.best_epoch == best
    assert run.best is params[best]
    assert run.params is params[-1]


# --- Stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream_above", [2**30, 1])
@pytest.mark.parametrize(
    ("count", "updates"), [(1, [1]), (3, [3]), (4, [3, 4]), (6, [3, 6]), (99, [3, 6])]
)
def test_iterations_stop_at_exactly_the_count(count, updates, stream_above):
    run = fit(stop=[stop.Iterations(count)], stream_above=stream_above)
    assert run.history.updates.tolist() == updates
    assert run.stopped == (f"{count} updates done" if count < 99 else "2 epochs done")


def test_a_stop_within_an_epoch_is_that_many_of_its_batches():
    rows = batches.order(KEY, 0, N, BATCH)[:2].ravel()
    run = fit(stop=[stop.Iterations(2)])
    weights = np.isin(np.arange(N), rows).astype(np.float32)
    assert run.history.updates.tolist() == [2]
    last_batch_without_weight = fit(data=(X, LABELS, weights), epochs=1, optimizer=PLAIN)
    two_updates = fit(epochs=1, optimizer=PLAIN, stop=[stop.Iterations(2)])
    assert_equal(two_updates.params, last_batch_without_weight.params)


def test_iterations_count_full_batches_too():
    run = fit(batch_size=None, epochs=9, stop=[stop.Iterations(4)])
    assert run.history.updates.tolist() == [1, 2, 3, 4]


def test_the_smallest_count_of_updates_stops():
    run = fit(stop=[stop.Iterations(5), stop.Iterations(2)])
    assert (run.history.updates.tolist(), run.stopped) == ([2], "2 updates done")


def test_training_stops_when_converged():
    run = fit_line(epochs=500, stop=[stop.Converged(1e-3, 3)])
    assert 4 <= len(run.history.loss) < 500
    assert run.stopped == "loss converged: within 0.001 for 3 epochs"
    assert stop.Converged(1e-3, 3)(run.history, metrics.rmse) == run.stopped
    before = stop.History(*(entry[:-1] for entry in run.history))
    assert stop.Converged(1e-3, 3)(before, metrics.rmse) is None


def test_training_stops_when_the_validation_loss_stops_falling(monkeypatch):
    by_script(monkeypatch, [(v, 0.5) for v in (3.0, 2.0, 2.5, 2.2, 1.0)])
    run = fit(epochs=9, validation=HELD_OUT, stop=[stop.Converged(0.0, 2, watch="validation_loss")])
    assert len(run.history.loss) == 4
    assert (run.best_epoch, run.stopped[:15]) == (1, "validation_loss")


def test_training_stops_when_the_target_is_reached(monkeypatch):
    by_script(monkeypatch, [(1.0, v) for v in (0.5, 0.8, 0.9, 0.95)])
    run = fit(epochs=9, validation=HELD_OUT, stop=[stop.Reached(0.9)])
    assert run.history.validation_metric.tolist() == [0.5, 0.8, 0.9]
    assert run.stopped == "validation accuracy 0.9 reached the target 0.9"


def test_of_several_rules_the_first_with_a_reason_stops():
    never, rules = stop.Converged(0.0, 50), [lambda h, m: (len(h.loss) == 2 and "two") or None]
    run = fit(epochs=9, stop=[never, stop.Iterations(300), *rules])
    assert (run.stopped, len(run.history.loss)) == ("two", 2)
    both = fit(epochs=9, stop=[lambda h, m: "first", lambda h, m: "second"])
    assert (both.stopped, len(both.history.loss)) == ("first", 1)


def test_a_rule_is_asked_once_per_epoch_with_history_and_metric():
    asked = []

    def rule(history, metric):
        asked.append((len(history.loss), metric.name))
        return "enough" if len(asked) == 3 else None

    run = fit(epochs=9, stop=[rule])
    assert asked == [(1, "accuracy"), (2, "accuracy"), (3, "accuracy")]
    assert run.stopped == "enough"


@pytest.mark.parametrize("rule", [stop.Reached(0.9), stop.Converged(watch="validation_loss")])
def test_rules_that_read_validation_data_are_refused_without_it(rule):
    with pytest.raises(ValueError, match=f"stop: {type(rule).__name__}.*pass validation="):
        fit(stop=[stop.Iterations(5), rule])


def test_a_diverged_run_stops_and_says_so():
    run = fit_line(optimizer=optax.sgd(1e6), epochs=500)
    assert 1 < len(run.history.loss) < 500
    assert np.isfinite(run.history.loss[:-1]).all()
    assert not np.isfinite(run.history.loss[-1])
    assert run.stopped.startswith("diverged: the training loss is ")
    assert "lower the learning rate" in run.stopped


def test_updates_without_any_weight_are_no_divergence():
    weights = np.zeros(N, np.float32)
    weights[batches.order(KEY, 0, N, BATCH)[2, 0]] = 1
    run = fit(data=(X, LABELS, weights), epochs=1, stop=[stop.Iterations(1)])
    assert (run.history.loss.tolist(), run.stopped) == ([0.0], "1 updates done")
    assert_equal(run.params, initial())


# --- Looking in between --------------------------------------------------------------------------


def test_on_epoch_is_called_with_each_epoch_also_the_last():
    seen = []
    run = fit(epochs=9, on_epoch=seen.append, stop=[stop.Iterations(7)])
    assert [epoch.history.updates[-1] for epoch in seen] == [3, 6, 7]
    assert seen[-1].state is run.state
    assert seen[-1].history is run.history


def test_epochs_is_fit_as_a_generator():
    options = {"epochs": 4, "batch_size": BATCH, "key": KEY, "validation": HELD_OUT,
               "stop": [stop.Iterations(8)], "stream_above": 1}  # fmt: skip
    run = pn.fit(NET, LOSS, initial(), (X, LABELS), SGD, **options)
    *_, last = pn.epochs(NET, LOSS, initial(), (X, LABELS), SGD, **options)
    assert_equal((last.state, last.history), (run.state, run.history))


def test_epochs_refuses_before_the_first_epoch():
    with pytest.raises(ValueError, match="epochs: a whole number of at least 1"):
        pn.epochs(NET, LOSS, initial(), (X, LABELS), SGD, epochs=0)
    with pytest.raises(ValueError, match="use output='sigmoid'"):
        pn.epochs(NET, "binary_cross_entropy", initial(), (X, np.ones((N, 2))), SGD)


# --- Precision, scaling, own pieces --------------------------------------------------------------


def test_bytes_with_a_scaling_train_like_floats_scaled_before():
    raw = RNG.integers(256, size=(N, 3)).astype(np.uint8)
    offset, scale = (10.0, 0.0, 99.5), (255.0, 100.0, 128.0)
    net = pn.mlp([3, 4, 2], "tanh", "softmax", input_scaling=pn.InputScaling(offset, scale))
    of_bytes = pn.fit(net, LOSS, initial(), (raw, LABELS), SGD, epochs=2, batch_size=BATCH, key=KEY)
    of_floats = fit(data=(((raw - offset) / scale).astype(np.float32), LABELS))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, 1e-4, 1e-5),
        of_bytes.params, of_floats.params,
    )  # fmt: skip


def test_bfloat16_products_train_float32_parameters_nearly_as_float32_ones():
    low = pn.mlp([3, 4, 2], "tanh", "softmax", compute_dtype="bfloat16")
    run = pn.fit(low, LOSS, initial(), (X, LABELS), SGD, epochs=2, batch_size=BATCH, key=KEY)
    exact = fit()
    assert all(v.dtype == np.float32 for v in jax.tree.leaves(run.params))
    assert differ(run.params, exact.params)
    np.testing.assert_allclose(run.history.loss, exact.history.loss, rtol=0.05)


def test_an_activation_and_a_loss_of_ones_own_train():
    cube = pn.Activation("cube", lambda z: z**3, lambda z: 3 * z**2)
    quartic = pn.Loss("quartic", lambda a, y: jnp.sum((a - y) ** 4, -1),
                      lambda a, y: 4 * (a - y) ** 3)  # fmt: skip
    net, target = pn.mlp([3, 4, 1], hidden=cube), np.tanh(X[:, 0])
    start = jax.tree.map(lambda v: v / 4, initial(net))
    run = pn.fit(net, quartic, start, (X, target), optax.sgd(0.01), epochs=60, batch_size=None)
    assert (np.diff(run.history.loss) < 0).all()
    assert run.history.loss[-1] < run.history.loss[0] / 2


def test_the_hand_derivative_is_what_trains():
    """The same loss with a derivative of 0 moves nothing: autodiff has no part in training."""
    honest = losses.mean_squared_error
    still = pn.Loss("still", honest.value, lambda a, y: jnp.zeros_like(a))
    run = pn.fit(LINE, still, initial(LINE), (X, Y), PLAIN, epochs=2, batch_size=None)
    assert_equal(run.params, initial(LINE))
    assert run.history.loss[0] == run.history.loss[1] > 0


# --- What cannot be used -------------------------------------------------------------------------

REFUSED = [
    ({"epochs": 0}, "epochs: a whole number of at least 1 is expected, got 0"),
    (
        {"batch_size": 0},
        "batch_size: a whole number of at least 1, or None for all examples, got 0",
    ),
    ({"batch_size": -5}, "batch_size: .* got -5"),
    ({"metric": "acuracy"}, "metric: unknown metric 'acuracy'; did you mean 'accuracy'"),
    ({"data": (X, LABELS[:5])}, "data: as many targets"),
    ({"data": (X[:0], LABELS[:0])}, "data x: there is no example"),
    ({"data": (X * np.nan, LABELS)}, r"data x: nan at index \(0, 0\)"),
    ({"data": (X, LABELS + 1)}, "data y: label 2 at index"),
    ({"data": (X, LABELS * 0)}, "data y: all 20 labels are class 0"),
    ({"data": (X, LABELS, -np.ones(N))}, "data weights: at least 0"),
    ({"validation": (X, LABELS + 1)}, "validation y: label 2 at index"),
    ({"validation": (X[:, :2], LABELS)}, r"validation x: expected shape \(n, 3\)"),
    ({"params": initial(LINE)}, r"params: the network of sizes \[3, 4, 2\]"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_used_is_refused_before_training(options, message):
    with pytest.raises(ValueError, match=message):
        fit(**options, on_epoch=lambda _: pytest.fail("trained"))


def test_validation_data_may_be_of_one_class():
    assert np.isfinite(fit(epochs=1, validation=(X, LABELS * 0)).history.validation_loss).all()


def test_a_state_of_another_optimizer_is_refused():
    with pytest.raises(ValueError, match="params: the optimizer state in it is of another"):
        fit(fit(epochs=1).state, optimizer=optax.adam(0.1))


def test_a_loss_that_does_not_go_with_the_output_is_refused():
    with pytest.raises(ValueError, match="use output='softmax'"):
        pn.fit(LINE, "cross_entropy", initial(LINE), (X, LABELS), SGD)
    with pytest.raises(ValueError, match="did you mean 'mean_squared_error'"):
        pn.fit(LINE, "mean_square_error", initial(LINE), (X, Y), SGD)


def test_an_activation_without_derivative_is_refused():
    net = pn.mlp([3, 4, 1], hidden="step")
    with pytest.raises(ValueError, match=r"hidden\[0\]: activation 'step' has no usable"):
        pn.fit(net, "mean_squared_error", initial(net), (X, Y), PLAIN)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adam"}, "optimizer: one of optax is expected"),
        ({"stop": stop.Iterations(3)}, r"stop: a list of rules is expected.*stop=\[...\]"),
        ({"key": 0}, "key: a single key is expected"),
        ({"epochs": 2.5}, "epochs: a whole number"),
        ({"batch_size": 2.0}, "batch_size: a whole number"),
    ],
)
def test_arguments_of_another_kind_are_named(options, message):
    net = pn.mlp([2, 1])
    data = np.ones((4, 2), np.float32), np.zeros(4, np.float32)
    given = {"optimizer": optax.sgd(0.1), **options}
    with pytest.raises(ValueError, match=message):
        pn.fit(net, "mean_squared_error", net.init(jax.random.key(0)), data, **given)


def test_very_many_epochs_cost_no_memory_before_they_are_run():
    net = pn.mlp([2, 1])
    data = np.ones((4, 2), np.float32), np.zeros(4, np.float32)
    run = pn.fit(
        net,
        "mean_squared_error",
        net.init(jax.random.key(0)),
        data,
        optax.sgd(0.1),
        epochs=10**12,
        batch_size=None,
        stop=[stop.Iterations(1030)],
    )
    assert len(run.history.loss) == 1030
    assert np.isfinite(run.history.loss).all()


def test_float64_data_beyond_float32_is_refused_where_float32_is_used():
    net = pn.mlp([1, 1])
    data = np.array([[1e39], [1.0]]), np.zeros(2)
    with pytest.raises(
        ValueError, match=r"data x: 1e\+39 at index \(0, 0\); finite numbers of float32"
    ):
        pn.fit(net, "mean_squared_error", net.init(jax.random.key(0)), data, optax.sgd(0.1))
