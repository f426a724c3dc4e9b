"""Splits are disjoint, complete, seeded and fair to every class."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from purenet.data import split_indices

fractions = st.sampled_from([0.0, 0.05, 0.1, 0.2, 1 / 3, 0.5, 0.7])
class_sizes = st.lists(st.integers(1, 60), min_size=1, max_size=12)


def shuffled_labels(sizes: list[int]) -> np.ndarray:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return labels[np.random.default_rng(0).permutation(len(labels))]


def split_or_skip(labels, validation, test, seed=0):
    """The split, or no example where the rows are too few for it."""
    assume(validation + test < 0.99)
    try:
        return split_indices(labels, validation, test, seed)
    except ValueError as error:
        # Any other error is one that these tests must not hide.
        if "too few" not in str(error):
            raise
        assume(False)


@given(st.integers(1, 500), fractions, fractions, st.integers(0, 2**32))
def test_every_row_is_in_exactly_one_part(n, validation, test, seed):
    split = split_or_skip(n, validation, test, seed)
    assert sorted(np.concatenate(split).tolist()) == list(range(n))


@given(class_sizes, fractions, fractions)
def test_every_labelled_row_is_in_exactly_one_part(sizes, validation, test):
    labels = shuffled_labels(sizes)
    split = split_or_skip(labels, validation, test)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(labels)))
    assert all((np.diff(part) > 0).all() for part in split)


@given(class_sizes, fractions, fractions)
def test_each_class_keeps_its_share_to_within_one_row(sizes, validation, test):
    labels = shuffled_labels(sizes)
    split = split_or_skip(labels, validation, test)
    shares = (1 - validation - test, validation, test)
    for k, size in enumerate(sizes):
        quotas = [size * share for share in shares]
        if all(quota >= 1 or quota == 0 for quota in quotas):
            for part, quota in zip(split, quotas, strict=True):
                assert abs((labels[part] == k).sum() - quota) < 1 + 1e-6


@given(class_sizes, fractions, fractions)
def test_a_class_of_three_is_in_every_part_and_any_class_in_training(sizes, validation, test):
    labels = shuffled_labels(sizes)
    split = split_or_skip(labels, validation, test)
    assert set(labels[split.train]) == set(range(len(sizes)))
    common = {k for k, size in enumerate(sizes) if size >= 3}
    for part, fraction in ((split.validation, validation), (split.test, test)):
        if fraction > 0:
            assert common <= set(labels[part])
        else:
            assert not len(part)


def test_many_pairs_fill_the_parts_that_no_class_fills_alone():
    """Each class of two has a quota of 0.2 in validation; together they have 20 rows there."""
    labels = np.repeat(np.arange(100), 2)
    split = split_indices(labels, validation=0.1, test=0.1)
    assert [len(part) for part in split] == [160, 20, 20]


def test_rounding_does_not_add_up_over_classes():
    labels = np.repeat(np.arange(50), 14)
    split = split_indices(labels, validation=0.1, test=0.1)
    assert [len(part) for part in split] == [560, 70, 70]


@given(st.integers(0, 1000))
def test_the_seed_decides(seed):
    first, second = (split_indices(200, 0.2, 0.2, seed) for _ in range(2))
    other = split_indices(200, 0.2, 0.2, seed + 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first.test, other.test)


def test_labels_may_be_text():
    labels = np.array(["b", "a"] * 10)
    split = split_indices(labels, 0.1, 0.1)
    assert sorted(labels[split.test]) == ["a", "b"]


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_fraction_out_of_range_is_named(name, fraction):
    with pytest.raises(ValueError, match=rf"{name}={fraction}.*\[0, 1\)"):
        split_indices(100, **{name: fraction})


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (0.9, 0.1), (0.7, 0.6)])
def test_nothing_left_for_training_is_an_error(validation, test):
    with pytest.raises(ValueError, match="no rows for training"):
        split_indices(100, validation, test)


@pytest.mark.parametrize(
    ("rows", "name"), [(1, "validation"), (2, "validation"), (np.array([0, 0, 1, 1]), "test")]
)
def test_too_few_rows_are_an_error(rows, name):
    with pytest.raises(ValueError, match=f"too few for {name}=0.1"):
        split_indices(rows, 0.1, 0.1)


@pytest.mark.parametrize("labels", [0, -1, np.array([]), np.zeros((3, 1))])
def test_nothing_to_split_is_an_error(labels):
    with pytest.raises(ValueError, match="expected"):
        split_indices(labels)


def test_a_negative_seed_is_an_error():
    with pytest.raises(ValueError, match="seed=-1"):
        split_indices(100, seed=-1)
