"""The bundled digits stay raw integers and bring their scaling."""

import sys

import numpy as np
import pytest

from purenet.data import digits


def test_all_1797_images_are_used_once():
    data = digits(validation=0.2, test=0.2, seed=3)
    parts = (data.train, data.validation, data.test)
    assert sum(len(part.x) for part in parts) == 1797
    assert all(part.x.dtype == np.uint8 and part.y.dtype == np.int32 for part in parts)
    assert data.class_names == tuple("0123456789")
    assert (data.features, data.outputs) == (64, 10)


def test_the_scaling_leads_to_the_unit_interval():
    data = digits()
    scaled = (data.train.x - data.input_scaling.offset) / data.input_scaling.scale
    assert (scaled.min(), scaled.max()) == (0.0, 1.0)


def test_rows_and_labels_stay_together():
    """The nearest class mean is right for most held-out digits; it would not be for mixed rows."""
    data = digits()
    means = np.stack([data.train.x[data.train.y == k].mean(axis=0) for k in range(10)])
    distances = ((data.test.x[:, None] - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == data.test.y).mean() > 0.8


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r'pip install "purenet\[cli\]"'):
        digits()
