"""Standardised columns have mean 0 and variance 1, whatever the size of the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from purenet.data import TargetScaling
from purenet.data.scaling import SMALLEST_SCALE, standardisation

finite = st.floats(allow_nan=False, allow_infinity=False)
columns = arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 3)), elements=finite)
tame = arrays(
    np.float64,
    st.tuples(st.integers(2, 20), st.integers(1, 3)),
    elements=st.integers(-1000, 1000).map(float),
)


@given(columns)
def test_offsets_and_scales_are_finite_and_scales_usable(values):
    offset, scale = map(np.array, standardisation(values))
    assert np.isfinite(offset).all()
    assert np.isfinite(scale).all()
    assert (scale >= SMALLEST_SCALE).all()


@given(tame)
def test_scaled_columns_have_mean_0_and_variance_1(values):
    offset, scale = map(np.array, standardisation(values))
    unit = (values - offset) / scale
    varies = np.ptp(values, axis=0) > 0
    assert np.allclose(unit.mean(axis=0), 0, atol=1e-12)
    assert np.allclose((unit[:, varies] ** 2).mean(axis=0), 1)
    assert np.array_equal(unit[:, ~varies], np.zeros_like(unit[:, ~varies]))


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3, 1e300, 5e-324])
def test_a_constant_column_keeps_its_size(constant):
    offset, scale = standardisation(np.full((7, 1), constant))
    assert offset == pytest.approx((constant,))
    assert scale == (1.0,)


def test_the_largest_floats_do_not_overflow():
    largest = np.finfo(np.float64).max
    assert standardisation(np.array([[-largest], [largest]])) == ((0.0,), (largest,))


@given(tame)
def test_restore_undoes_standardise(values):
    scaling = TargetScaling(*standardisation(values))
    restored = scaling.restore(scaling.standardise(values))
    assert restored.dtype == np.float64
    assert np.allclose(restored, values, atol=1e-3, rtol=1e-5)


def test_a_target_that_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="too far from the training targets"):
        TargetScaling((0.0,), (1.0,)).standardise(np.array([[1e39]]))
