"""CSV text becomes columns of cells, and every malformed file has its own error."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purenet.data import read_records
from purenet.data.records import MISSING, Records, is_number

cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "rooms.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def columns(path) -> dict[str, tuple[str, ...]]:
    return read_records(path).columns


@given(
    st.lists(cells, min_size=1, max_size=4, unique=True).flatmap(
        lambda header: st.tuples(
            st.just(header),
            st.lists(st.tuples(*[cells] * len(header)), min_size=1, max_size=5),
        )
    ),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_the_csv_writer_writes_is_read(tmp_path_factory, content, delimiter, end):
    header, rows = content
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        [header, *rows]
    )
    path = tmp_path_factory.mktemp("csv") / "rooms.csv"
    path.write_bytes(buffer.getvalue().encode())
    assert columns(path) == dict(zip(header, zip(*rows, strict=True), strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_commonest_in_the_header(write, delimiter):
    name = "a" + "".join(3 * other for other in ",;\t" if other != delimiter) + "b"
    path = write(f'"{name}"{delimiter}e{delimiter}f\n1{delimiter}2{delimiter}3\n')
    assert list(columns(path)) == [name, "e", "f"]


def test_blanks_blank_lines_and_the_byte_order_mark_do_not_count(write):
    path = write(b"\xef\xbb\xbf\r\n a , b\r\n\r\n1 ,  2\r\n   \r\n3,4")
    records = read_records(path)
    assert records.columns == {"a": ("1", "3"), "b": ("2", "4")}
    assert records.lines == (4, 6)


def test_a_quoted_cell_may_span_lines(write):
    records = read_records(write('a,b\n"1\n2",3\n4,5\n'))
    assert records.columns["a"] == ("1\n2", "4")
    assert records.lines == (3, 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("\n\n  \n", "the file is empty"),
        ("a,b\n", "a header but no row"),
        ("a,,b\n1,2,3\n", "column 2 of the header has no name"),
        ("a,b,\n1,2,\n", "column 3 of the header has no name"),
        ("a,b, a\n1,2,3\n", "names column 'a' twice"),
        ("a,b\n1,2\n1\n", "row 3: found 1 field, expected 2"),
        ("a,b\n1,2\n\n1,2,3\n", "row 4: found 3 fields, expected 2"),
        ('a,b\n"1,2\n3,4\n', "row 3: not CSV"),
        ('a,b\n"1"x,2\n', "row 2: not CSV"),
        (b"a,b\n1,\xff\n", "byte 0xff at offset 6 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "byte 0xff at offset 0 is not UTF-8"),
        ("a\n" + "x" * 200_000, "row 2: not CSV .*limit"),
    ],
)
def test_a_malformed_file_is_named_with_the_reason(write, content, reason):
    with pytest.raises(ValueError, match=rf"rooms\.csv.*{reason}"):
        read_records(write(content))


def test_a_path_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.csv: cannot be read \(No such file"):
        read_records(tmp_path / "missing.csv")
    with pytest.raises(ValueError, match="cannot be read"):
        read_records(tmp_path)


def one_column(*values: str) -> Records:
    return Records("rooms.csv", tuple(range(2, 2 + len(values))), {"area": values})


@pytest.mark.parametrize("missing", sorted(MISSING | {word.upper() for word in MISSING}))
def test_missing_values_are_named_with_row_and_column(missing):
    with pytest.raises(ValueError, match=r"rooms\.csv, row 3, column 'area'.*missing"):
        one_column("1", missing).cells("area")


@pytest.mark.parametrize("wrong", ["x", "inf", "-Infinity", "1_000", "0x10", "1,5", "١", "1e", "."])
def test_what_is_no_number_is_named_with_row_and_column(wrong):
    with pytest.raises(ValueError, match="row 3, column 'area': expected a number"):
        one_column("1", wrong).numbers("area")


def test_a_number_beyond_float64_is_refused():
    with pytest.raises(ValueError, match="row 2, column 'area': '1e999' is beyond"):
        one_column("1e999").numbers("area")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_read_exactly(values):
    assert np.array_equal(one_column(*map(repr, values)).numbers("area"), values)


@given(st.text("0123456789+-.eE_ xinfa", max_size=8))
def test_a_number_is_what_float_reads_and_more_narrowly(text):
    if is_number(text):
        assert isinstance(float(text), float)


def test_an_unknown_column_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="no column 'Aera'; did you mean 'area'"):
        one_column("1").cells("Aera")
