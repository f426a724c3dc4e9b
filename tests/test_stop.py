"""When training ends: each rule, at its boundary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purenet import metrics, stop


def history(loss=(), validation_loss=None, metric=None, updates=None):
    n = len(loss)
    missing = np.full(n, np.nan)
    return stop.History(
        np.arange(1, n + 1) if updates is None else np.array(updates),
        np.array(loss, np.float64),
        missing if validation_loss is None else np.array(validation_loss, np.float64),
        missing if metric is None else np.array(metric, np.float64),
    )


# --- Iterations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("updates", "ends"), [(4, False), (5, True), (6, True)])
def test_iterations_end_at_the_count(updates, ends):
    reason = stop.Iterations(5)(history([1.0], updates=[updates]), metrics.rmse)
    assert reason == ("5 updates done" if ends else None)


@pytest.mark.parametrize("count", [0, -3])
def test_iterations_are_at_least_1(count):
    with pytest.raises(
        ValueError, match=f"Iterations.count: a whole number of at least 1 .* got {count}"
    ):
        stop.Iterations(count)


# --- Converged -----------------------------------------------------------------------------------


def ended(rule, values):
    """Return after how many epochs the rule gives a reason, None for never."""
    lengths = range(1, len(values) + 1)
    return next((n for n in lengths if rule(history(values[:n]), metrics.rmse)), None)


@pytest.mark.parametrize(
    ("patience", "values", "after"),
    [
        (1, [3, 2, 1, 1], 4),
        (2, [3, 2, 1, 1, 1], 5),
        (2, [3, 3, 2, 2, 1], None),  # progress every second epoch
        (2, [3, 3, 3, 1], 3),
        (3, [5, 6, 7, 4, 4, 4, 4], 7),  # rises count as no progress
        (1, [1, 2], 2),
        (5, [1, 1, 1, 1, 1], None),  # nothing before the last five
        (5, [1, 1, 1, 1, 1, 1], 6),
    ],
)
def test_converged_ends_after_patience_epochs_without_progress(patience, values, after):
    assert ended(stop.Converged(0.0, patience), [float(v) for v in values]) == after


@pytest.mark.parametrize(
    ("before", "now", "ends"),
    [
        (100.0, 98.5, False),  # relative where the loss is large: falls by more than 1 %
        (100.0, 99.5, True),
        (0.5, 0.48, False),  # absolute where it is small: falls by more than 0.01
        (0.5, 0.495, True),
        (-100.0, -102.0, False),
        (-100.0, -100.5, True),
    ],
)
def test_the_tolerance_is_relative_above_1_and_absolute_below(before, now, ends):
    rule = stop.Converged(tolerance=0.01, patience=1)
    assert (rule(history([before, now]), metrics.rmse) is not None) == ends


def test_a_fall_of_exactly_the_tolerance_is_no_progress():
    assert stop.Converged(0.25, 1)(history([1.0, 0.75]), metrics.rmse)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(1, 8))
def test_converged_says_what_its_formula_says(values, patience):
    reason = stop.Converged(1e-2, patience)(history(values), metrics.rmse)
    if len(values) <= patience:
        assert reason is None
        return
    best, recent = min(values[:-patience]), min(values[-patience:])
    assert (reason is None) == (recent < best - 1e-2 * max(1, abs(best)))


def test_early_stopping_watches_the_validation_loss():
    falling, rising = [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]
    rule = stop.Converged(0.0, 2, watch="validation_loss")
    assert rule(history(falling, rising), metrics.rmse).startswith("validation_loss converged")
    assert rule(history(rising, falling), metrics.rmse) is None


def test_the_reason_names_the_rule():
    reason = stop.Converged(1e-3, 2)(history([1.0, 1.0, 1.0]), metrics.rmse)
    assert reason == "loss converged: within 0.001 for 2 epochs"


@pytest.mark.parametrize(
    "arguments", [{"tolerance": -1e-9}, {"tolerance": float("nan")}, {"patience": 0}]
)
def test_converged_refuses_impossible_numbers(arguments):
    with pytest.raises(ValueError, match="tolerance of at least 0 and a patience of at least 1"):
        stop.Converged(**arguments)


def test_converged_refuses_to_watch_what_is_not_measured(unchecked):
    with pytest.raises(ValueError, match=r"Converged.watch: 'loss' or .* got 'accuracy'"):
        stop.Converged(watch="accuracy")


# --- Reached -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "last", "ends"),
    [
        (metrics.accuracy, 0.89, False),
        (metrics.accuracy, 0.9, True),
        (metrics.accuracy, 0.95, True),
        (metrics.rmse, 0.95, False),
        (metrics.rmse, 0.9, True),
        (metrics.rmse, 0.1, True),
        (metrics.accuracy, float("nan"), False),
        (metrics.rmse, float("nan"), False),
    ],
)
def test_reached_ends_at_the_target_or_better(metric, last, ends):
    reason = stop.Reached(0.9)(history([1.0, 1.0], metric=[0.5, last]), metric)
    assert (reason is not None) == ends


def test_reached_looks_at_the_last_epoch_only():
    past = history([1.0, 1.0], metric=[0.99, 0.5])
    assert stop.Reached(0.9)(past, metrics.accuracy) is None


def test_the_reason_has_the_metric_and_the_target():
    reason = stop.Reached(0.9)(history([1.0], metric=[0.9375]), metrics.accuracy)
    assert reason == "validation accuracy 0.9375 reached the target 0.9"


# --- All -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [stop.Iterations(1), stop.Converged(), stop.Reached(0.0)])
def test_nothing_ends_before_the_first_epoch(rule):
    assert rule(history(), metrics.accuracy) is None


def test_which_rules_need_validation_data():
    needing = [stop.Reached(0.5), stop.Converged(watch="validation_loss")]
    others = [stop.Iterations(3), stop.Converged(), lambda history, metric: None]
    assert all(stop.needs_validation(rule) for rule in needing)
    assert not any(stop.needs_validation(rule) for rule in others)


def test_rules_are_values():
    assert stop.Converged(1e-3, 4) == stop.Converged(1e-3, 4)
    assert len({stop.Iterations(3), stop.Iterations(3), stop.Iterations(4)}) == 2


@pytest.mark.parametrize("first", [np.inf, np.nan])
def test_an_epoch_without_a_finite_loss_is_never_the_best(first):
    rule = stop.Converged(0.0, 2, "validation_loss")
    falling = [first, 5.0, 1.0, 0.1]
    for epochs in range(1, 5):
        values = np.array(falling[:epochs])
        record = stop.History(np.arange(epochs) + 1, values, values, values)
        assert rule(record, metrics.rmse) is None
