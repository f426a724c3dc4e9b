"""The sizes where the general program may be another one: none is left out."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purenet.prove import domains as d
from purenet.prove.coincidences import coincidences
from purenet.prove.sizes import Sizes, read_sizes, satisfied, size_bounds

FREE = Sizes()

CONSTRAINTS = st.lists(
    st.builds("{}{}*{}{}{}".format, st.sampled_from(["", "m+"]), st.integers(1, 3),
              st.sampled_from("nm"), st.sampled_from([" >= ", " <= ", " > ", " < ", " == "]),
              st.sampled_from(["1", "2", "5", "n", "m", "n+1"])),
    min_size=1, max_size=3).map(", ".join)  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(CONSTRAINTS)
def test_no_size_that_satisfies_the_constraints_is_excluded(text):
    domains = (d.real("n m"),)
    allowed = [(n, m) for n, m in itertools.product(range(1, 8), repeat=2)
               if satisfied(text, {"n": n, "m": m})]  # fmt: skip
    if not allowed:
        return
    sizes = read_sizes(text, domains)
    bounds = size_bounds(text)
    covered = [sizes, *coincidences(domains, sizes, every=True)]
    for n, m in allowed:
        values = {"n": n, "m": m}
        assert all(values[name] >= low for name, low in bounds.items())
        # The most special of the assignments that hold at (n, m) says all that is special there.
        holds = [
            c
            for c in covered
            if all(int(d.substitute(c.of(x), values)) == values[x] for x in values)
        ]
        assert holds
        most = max(holds, key=lambda c: len(c.assignment))
        for x, y in itertools.permutations("nm"):
            assert (values[x] == 1) <= (most[x] == 1)
            assert (values[x] == values[y]) <= (most[x] == most[y])


def test_each_size_is_one_and_each_pair_equal():
    domains = (d.real("n m"), d.real("k"))

    assert [str(c) for c in coincidences(domains, FREE)] == [
        "n = 1", "m = 1", "m = n", "k = 1", "k = n", "k = m",
    ]  # fmt: skip


def test_coincidences_of_coincidences_are_all_partitions():
    def partitions(count):
        # Each size is 1 or in a block: the Bell number of count + 1, less the general case.
        return {1: 1, 2: 4, 3: 14}[count]

    for count in (1, 2, 3):
        found = coincidences((d.real(" ".join("nmk"[:count])),), FREE, every=True)
        assert len(found) == len(set(found)) == partitions(count)


def test_a_number_or_an_expression_of_the_domains_coincides_too():
    assert [str(c) for c in coincidences((d.real("n 3"),), FREE)] == ["n = 1", "n = 3"]
    assert "n = 2*m" in [str(c) for c in coincidences((d.real("n"), d.real("2*m")), FREE)]


@pytest.mark.parametrize(
    ("constraints", "left"),
    [
        ("n >= 2", ["m = 1", "m = n"]),
        ("n >= m+1", ["m = 1"]),
        ("n > m, m >= 2", []),
        ("n >= m", ["n = 1", "m = 1", "m = n"]),
        ("m == 2", ["n = 1", "n = 2"]),
    ],
)
def test_a_coincidence_that_a_constraint_excludes_is_left_out(constraints, left):
    domains = (d.real("n m"),)
    sizes = read_sizes(constraints, domains)

    found = [dict(c.assignment) for c in coincidences(domains, sizes)]
    new = [f"{k} = {v}" for f in found for k, v in f.items() if dict(sizes.assignment).get(k) != v]
    assert new == left
