"""A table survives the way through JSON, and nothing else passes for one."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purenet.data import ClassTarget, NumberTarget, NumericColumn, Table, TextColumn

names = st.text(min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
scales = numbers.filter(lambda value: value > 0)
texts = st.lists(names, min_size=1, max_size=4, unique=True).map(tuple)


numeric, text = st.tuples(numbers, scales), st.tuples(texts)
# Column names, what stands in each column, and in the target.
parts = st.lists(names, min_size=2, max_size=5, unique=True).flatmap(
    lambda header: st.tuples(
        st.just(header),
        st.lists(numeric | text, min_size=len(header) - 1, max_size=len(header) - 1),
        numeric | text,
    )
)


def build(header, contents, target) -> Table:
    *columns, name = header
    return Table(
        tuple(
            (NumericColumn if len(content) == 2 else TextColumn)(column, *content)
            for column, content in zip(columns, contents, strict=True)
        ),
        (NumberTarget if len(target) == 2 else ClassTarget)(name, *target),
    )


@given(parts)
def test_the_way_through_json_text_is_exact(parts):
    table = build(*parts)
    assert Table.from_json(json.loads(json.dumps(table.to_json(), allow_nan=False))) == table


@given(parts)
def test_a_number_has_one_feature_and_a_text_one_per_category(parts):
    _, contents, _ = parts
    widths = [1 if len(content) == 2 else len(content[0]) for content in contents]
    assert len(build(*parts).feature_names) == sum(widths)


def example() -> dict:
    """A new dict each time, so that a test may change it."""
    columns = (NumericColumn("area", 100.0, 20.0), TextColumn("town", ("Bern", "Chur")))
    return Table(columns, ClassTarget("sold", ("no", "yes"))).to_json()


def changed(path: tuple, value) -> dict:
    root = part = example()
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return root


AREA, TOWN, TARGET = ("columns", 0), ("columns", 1), ("target",)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (None, "table: expected the keys"),
        ([], "table: expected the keys"),
        ({}, r"table: expected the keys \['columns', 'target'\], found \[\]"),
        (changed(("more",), 1), "table: expected the keys.*'more'"),
        (changed(("columns",), []), "table.columns: expected a list that is not empty"),
        (changed(("columns",), {}), "table.columns: expected a list"),
        (changed(AREA, "area"), r"columns\[0\]: expected an object"),
        (changed((*AREA, "kind"), "numbr"), "kind: 'numbr' is unknown; did you mean 'number'"),
        (changed((*AREA, "kind"), 3), "kind: expected text"),
        (changed((*AREA, "more"), 3), r"columns\[0\]: expected the keys"),
        (changed((*AREA, "name"), ""), r"columns\[0\].name: expected text that is not empty"),
        (changed((*AREA, "name"), 3), r"columns\[0\].name: expected text"),
        (changed((*AREA, "name"), "town"), "column names: 'town' occurs twice"),
        (changed((*AREA, "name"), "sold"), "column names: 'sold' occurs twice"),
        (changed((*AREA, "offset"), math.nan), r"columns\[0\].offset: expected a finite number"),
        (changed((*AREA, "offset"), math.inf), r"columns\[0\].offset: expected a finite number"),
        (changed((*AREA, "offset"), True), r"columns\[0\].offset: expected a finite number"),
        (changed((*AREA, "offset"), "1"), r"columns\[0\].offset: expected a finite number"),
        (changed((*AREA, "offset"), 10**400), r"columns\[0\].offset: expected a finite number"),
        (changed((*AREA, "scale"), 0), r"columns\[0\].scale: expected a number above 0"),
        (changed((*AREA, "scale"), -1.0), r"columns\[0\].scale: expected a number above 0"),
        (changed((*TOWN, "categories"), []), "categories: expected a list that is not empty"),
        (changed((*TOWN, "categories"), "Bern"), "categories: expected a list"),
        (changed((*TOWN, "categories"), ["a", "a"]), "categories: 'a' occurs twice"),
        (changed((*TOWN, "categories"), ["a", 1]), r"categories\[1\]: expected text"),
        (changed((*TARGET, "kind"), "text"), "target.kind: 'text' is unknown"),
        (changed((*TARGET, "classes"), None), "target.classes: expected a list"),
    ],
)
def test_anything_else_is_refused_with_the_place(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        Table.from_json(wrong)


@pytest.mark.parametrize("key", ["kind", "name", "offset", "scale"])
def test_no_key_may_be_missing(key):
    value = example()
    del value["columns"][0][key]
    with pytest.raises(ValueError, match=r"columns\[0\]: expected"):
        Table.from_json(value)
