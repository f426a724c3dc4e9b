"""The bounds that `benchmarks/accuracy.py` prints beside the measured errors hold."""

import numpy as np
import pytest
from mpmath import mpf

from benchmarks import accuracy
from purenet import activations, losses


@pytest.mark.parametrize("row", accuracy.ROWS, ids=lambda r: f"{r.name} {r.quantity}")
def test_the_float32_error_is_within_the_bound(row):
    assert row.error() <= row.bound


def test_every_activation_and_every_loss_gradient_has_a_row():
    measured = {(row.name, row.quantity) for row in accuracy.ROWS}
    for activation in activations.ACTIVATIONS.values():
        if activation.differentiable and activation is not activations.softmax:
            wanted = {"value", "derivative", "derivative from kept"}
            assert {(activation.name, quantity) for quantity in wanted} <= measured
    for loss in losses.LOSSES.values():
        assert (loss.name, "gradient") in measured
        assert loss.fused is None or (loss.name, "fused delta") in measured


def test_the_measure_sees_an_error_of_a_few_units():
    one, off = np.ones(3, np.float32), np.float32(1 + 4 * accuracy.EPS)
    true = accuracy.numbers(one)
    row = accuracy.Row("", "", lambda: (one * off, true, 0.0), "0", 1)
    assert row.error() == pytest.approx(4)
    assert row._replace(measure=lambda: (one * off, true, 2.0)).error() == pytest.approx(2)


def test_the_inputs_cross_the_roots_of_the_derivatives():
    z = accuracy.arguments()
    for name, root in accuracy.ROOTS.items():
        slopes = [accuracy.DERIVATIVES[name](mpf(float(v))) for v in z if abs(v - root) < 1e-5]
        assert min(slopes) < 0 < max(slopes)
