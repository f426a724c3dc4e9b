"""The synthetic sets obey the equations that their docstrings state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purenet.data import house_prices, linear, sine, spirals, two_moons, xor

NOISY = [two_moons, spirals, linear, house_prices, sine]


def test_no_affine_function_solves_xor():
    x, y = xor()
    design = np.column_stack([x, np.ones(4)])
    weights, *_ = np.linalg.lstsq(design, y.astype(float), rcond=None)
    assert np.allclose(design @ weights, 0.5)
    assert np.array_equal(y, x[:, 0] + x[:, 1] - 2 * x[:, 0] * x[:, 1])


@given(st.integers(2, 50))
def test_moons_lie_on_their_circles(n):
    x, y = two_moons(n, noise=0)
    upper, lower = x[y == 0], x[y == 1]
    assert np.allclose((upper**2).sum(axis=1), 1, atol=1e-5)
    assert np.allclose(((lower - [1, 0.5]) ** 2).sum(axis=1), 1, atol=1e-5)
    assert (upper[:, 1] >= -1e-6).all()
    assert (lower[:, 1] <= 0.5 + 1e-6).all()
    assert np.bincount(y, minlength=2).tolist() == [n - n // 2, n // 2]


@given(st.integers(2, 5), st.integers(5, 60))
def test_spiral_angles_follow_the_radius(classes, n):
    x, y = spirals(n, classes, noise=0)
    radius = np.hypot(*x.T.astype(np.float64))
    angle = np.arctan2(*x.T.astype(np.float64))
    expected = 4 * radius + 2 * np.pi * y / classes
    assert np.allclose(np.exp(1j * angle), np.exp(1j * expected), atol=1e-5)
    assert np.bincount(y).max() - np.bincount(y).min() <= 1
    assert 0 < radius.min() <= radius.max() <= 1 + 1e-6


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 100))
def test_without_noise_linear_points_are_on_the_plane(features, outputs, seed):
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(features, outputs)), rng.normal(size=outputs)
    x, y = linear(9, weight.tolist(), bias.tolist(), low=2, high=3, noise=0, seed=seed)
    assert np.allclose(y, x @ weight + bias, atol=1e-5)
    assert 2 <= x.min() <= x.max() <= 3


def test_noise_has_the_stated_deviation():
    area, price = house_prices(4000, noise=20)
    residual = price - (50 + 3 * area)
    assert residual.std() == pytest.approx(20, rel=0.1)
    assert abs(residual.mean()) < 2
    assert 40 <= area.min() <= area.max() <= 240


def test_sine_is_the_sine():
    x, y = sine(101, noise=0)
    assert np.allclose(y, np.sin(2 * np.pi * x), atol=1e-5)


@pytest.mark.parametrize("make", NOISY)
def test_the_seed_decides(make):
    first, again, other = (make(50, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("make", NOISY)
def test_types_and_lengths(make):
    x, y = make(50)
    assert x.dtype == np.float32
    assert y.dtype in (np.int32, np.float32)
    assert len(x) == len(y) == 50


@pytest.mark.parametrize("make", NOISY)
@pytest.mark.parametrize("wrong", [{"n": 0}, {"noise": -1}, {"noise": np.nan}, {"noise": np.inf}])
def test_arguments_out_of_range_are_named(make, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.*expected"):
        make(**wrong)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: spirals(2, classes=3), "n=2: expected at least 3 points"),
        (lambda: spirals(9, classes=1), "classes=1: expected at least 2"),
        (lambda: linear(weight=[[1], [2]], bias=[1, 2]), r"weight \(2, 1\) and bias \(2,\)"),
        (lambda: linear(weight=[], bias=[]), "weight"),
        (lambda: linear(low=1, high=1), "expected low < high"),
    ],
)
def test_impossible_shapes_are_named(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
