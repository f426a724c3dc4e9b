"""Constraints on named sizes: what can't be read is told, and what follows from the others."""

import pytest

from purenet.prove import domains as d
from purenet.prove.sizes import read_sizes, size_bounds
from purenet.prove.tracing import trace


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batsh >= 2", r"'batsh >= 2' names the size 'batsh'.*did you mean \"batch\"\?"),
        ("batch", r"'batch' can't be read; n >= 2, n >= m or n == 2\*m expected"),
        ("batch = 2", r"'batch = 2' can't be read"),
        ("batch != 1", r"'batch != 1' can't be read"),
        ("batch >= two two", r"in 'batch >= two two': size 'two two' can't be read"),
        ("batch >= 2, batch <= 1", r"no sizes satisfy"),
        ("batch > m, m > batch", r"no sizes satisfy"),
        ("batch < 1", r"no sizes satisfy"),
        ("batch == 2, batch == 3", r"no sizes satisfy"),
    ],
)
def test_a_wrong_constraint_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        read_sizes(text, (d.real("batch m"),))


def test_equalities_become_assignments():
    domains = (d.real("n m"), d.real("k"))

    assert str(read_sizes("n == m", domains)) == "m = n"
    assert str(read_sizes("n == 4, m == n", domains)) == "m = 4, n = 4"
    assert str(read_sizes("2*n == k", domains)) == "k = 2*n"
    traced = trace(lambda x, y: y, domains, read_sizes("k == n+m", domains))
    assert [str(size) for size in traced.out_shapes[0]] == ["n + m"]
    assert str(read_sizes("2*n == 3*m", domains)) == ""


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("n >= 2", {"n": 2}),
        ("n > 2, m >= n", {"n": 3, "m": 3}),
        ("2*n >= 5", {"n": 3}),
        ("2 <= n <= 5", {"n": 2}),
        ("n + m >= 9, n <= 4", {"n": 1, "m": 5}),
        ("n == 4", {"n": 4}),
        ("", {}),
    ],
)
def test_bounds_follow_from_the_constraints(text, bounds):
    assert size_bounds(text) == bounds
