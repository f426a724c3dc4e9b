"""Types of arrays decide task and scaling; what does not fit is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from purenet.data.arrays import from_arrays

N = 30
X = np.linspace(0, 1, N * 2).reshape(N, 2)
LABELS = np.arange(N) % 3


def test_images_stay_bytes_and_are_flattened():
    images = np.arange(N * 12, dtype=np.uint8).reshape(N, 3, 4)
    data = from_arrays({"x": images, "y": LABELS}, validation=0, test=0)
    assert data.train.x.dtype == np.uint8
    assert np.array_equal(data.train.x, images.reshape(N, 12))
    assert (data.input_scaling.offset, data.input_scaling.scale) == (0.0, 255.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, bool])
def test_other_numbers_become_float32_with_the_training_statistics(dtype):
    x = (np.arange(N * 2).reshape(N, 2) % 7).astype(dtype)
    data = from_arrays({"x": x, "y": LABELS})
    assert data.train.x.dtype == np.float32
    unit = (data.train.x - data.input_scaling.offset) / data.input_scaling.scale
    assert np.allclose(unit.mean(axis=0), 0)
    assert np.allclose(unit.std(axis=0), 1)


def test_a_constant_feature_has_scale_1():
    x = np.stack([np.full(N, 0.1), np.arange(N)], axis=1)
    data = from_arrays({"x": x, "y": LABELS})
    assert data.input_scaling.scale[0] == 1.0
    assert data.input_scaling.offset[0] == pytest.approx(0.1)


def test_one_axis_is_one_feature():
    assert from_arrays({"x": X[:, 0], "y": LABELS}).features == 1


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.array([7, -2, 7, 30] * 5), ("-2", "7", "30")),
        (np.array([True, False] * 10), ("0", "1")),
        (np.array(["b", "a"] * 10), ("a", "b")),
        (np.array([3, 1] * 10, np.uint8), ("1", "3")),
    ],
)
def test_whole_numbers_and_text_are_classes(y, names):
    data = from_arrays({"x": np.arange(20.0), "y": y}, validation=0, test=0)
    assert data.task == "classification"
    assert data.class_names == names
    assert data.train.y.dtype == np.int32
    assert [names[label] for label in data.train.y] == [
        str(int(v) if y.dtype == bool else v) for v in y
    ]


@given(arrays(np.float64, st.sampled_from([(N,), (N, 1), (N, 3)]), elements=st.floats(-1e6, 1e6)))
def test_floats_are_standardised_targets(y):
    data = from_arrays({"x": X, "y": y}, validation=0, test=0)
    assert data.task == "regression"
    assert data.outputs == (y.shape[1] if y.ndim == 2 else 1)
    restored = data.target_scaling.restore(data.train.y)
    assert np.allclose(restored, y.reshape(N, -1), atol=1e-1)


def test_the_target_statistics_are_those_of_the_training_rows():
    data = from_arrays({"x": X, "y": np.arange(N) ** 2.0})
    assert data.train.y.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert abs(data.test.y.mean()) > 1e-3


def parts(**changes) -> dict[str, np.ndarray]:
    given = {f"x_{part}": X for part in ("train", "validation", "test")}
    given |= {f"y_{part}": LABELS for part in ("train", "validation", "test")}
    return {key: value for key, value in (given | changes).items() if value is not None}


def test_given_parts_are_kept_whole():
    data = from_arrays(parts(x_test=X[:9] + 5, y_test=LABELS[:9] * 0 + 2))
    assert [len(part.x) for part in (data.train, data.validation, data.test)] == [N, N, 9]
    assert data.test.y.tolist() == [2] * 9
    assert data.test.x.min() >= 5


def test_a_part_that_is_not_given_is_split_off_the_training_rows():
    data = from_arrays(parts(x_validation=None, y_validation=None), validation=0.2)
    assert [len(part.x) for part in (data.train, data.validation, data.test)] == [24, 6, N]


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (X[:0], LABELS[:0], r"x has shape \(0, 2\)"),
        (X[:, :0], LABELS, r"x has shape \(30, 0\)"),
        (np.float64(1), LABELS, r"x has shape \(\)"),
        (X, LABELS[:0], r"y has shape \(0,\)"),
        (X, LABELS[:-1], "x has 30 examples and y 29"),
        (X.astype(complex), LABELS, "x has type complex128"),
        (X.astype(str), LABELS, "x has type <U32"),
        (X, LABELS[:, None], r"y has type int64 and shape \(30, 1\)"),
        (X, X[:, :, None], r"y has type float64 and shape \(30, 2, 1\)"),
        (X, LABELS.astype("datetime64[s]"), r"y has type datetime64"),
        (np.where(np.isclose(X, X[3, 1]), np.nan, X), LABELS, "x: example 3, column 1 is nan"),
        (np.where(np.isclose(X, X[3, 1]), -np.inf, X), LABELS, "x: example 3, column 1 is -inf"),
        (
            np.where(np.isclose(X, X[3, 1]), 1e300, X),
            LABELS,
            "x: example 3, column 1 is inf.*float32",
        ),
        (X, np.where(LABELS == 1, np.nan, 0.0), "y: example 1, column 0 is nan"),
        (X, LABELS * 0, "y has one class only: 0"),
        (X, np.arange(N), "y has a class for every example"),
    ],
)
def test_wrong_arrays_are_named(x, y, reason):
    with pytest.raises(ValueError, match=reason):
        from_arrays({"x": np.asarray(x), "y": y})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_test": X[:, :1]}, r"x_test has type float32 and shape \(30, 1\), unlike x_train"),
        ({"x_test": X.astype(np.uint8)}, "x_test has type uint8"),
        ({"y_test": LABELS + 0.5}, "y_test has type float64"),
        ({"y_test": LABELS.astype(str)}, "y_test has type <U21"),
        ({"y_test": LABELS + 1}, "y_test: example 2 has the class '3', which training has not"),
        ({"y_validation": LABELS[:3]}, "x_validation has 30 examples and y_validation 3"),
    ],
)
def test_parts_that_differ_are_named(changes, reason):
    with pytest.raises(ValueError, match=reason):
        from_arrays(parts(**changes))


def test_a_test_target_that_float32_cannot_hold_is_refused():
    targets = {f"y_{part}": np.arange(N) / 7 for part in ("train", "validation", "test")}
    targets["y_test"] = targets["y_test"] + 1e300
    with pytest.raises(ValueError, match="too far from the training targets"):
        from_arrays(parts(**targets))
