"""The text of a CSV file as columns of cells, and cells as numbers."""

import csv
import io
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from purenet.words import count, did_you_mean

# What a missing value looks like; letter case does not count.
MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null"})
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
# In this order, so that a header with none of them is a header of one column.
DELIMITERS = (",", ";", "\t")


class Records(NamedTuple):
    """The cells of a CSV file by column, without the blanks around them.

    `columns` maps each header name, in file order, to its cells; `lines[i]` is the line of the
    file, counted from 1, where row i ends.
    """

    file: str
    lines: tuple[int, ...]
    columns: dict[str, tuple[str, ...]]

    def where(self, row: int, column: str) -> str:
        """The place of a cell, as the beginning of an error message."""
        return f"{self.file}, row {self.lines[row]}, column {column!r}"

    def cells(self, column: str) -> tuple[str, ...]:
        """The cells of a column.

        Raises:
            ValueError: no column has that name (the nearest name is offered), or a cell is
                missing.
        """
        if column not in self.columns:
            choices = did_you_mean(column, self.columns)
            raise ValueError(f"{self.file}: there is no column {column!r}{choices}")
        cells = self.columns[column]
        for row, cell in enumerate(cells):
            if cell.lower() in MISSING:
                raise ValueError(
                    f"{self.where(row, column)}: the value is missing (found {cell!r}); "
                    "fill it in or leave the row out"
                )
        return cells

    def numbers(self, column: str) -> Float64[np.ndarray, " n"]:
        """The cells of a column as float64.

        Raises:
            ValueError: what `cells` raises, and a cell that is not a decimal number such as
                `-1.5e3`, or that is beyond the largest float64.
        """
        cells = self.cells(column)
        for row, cell in enumerate(cells):
            if not is_number(cell):
                raise ValueError(f"{self.where(row, column)}: expected a number, found {cell!r}")
        values = np.array([float(cell) for cell in cells])
        infinite = np.flatnonzero(~np.isfinite(values))
        if len(infinite):
            row = int(infinite[0])
            raise ValueError(
                f"{self.where(row, column)}: {cells[row]!r} is beyond the largest float64"
            )
        return values


def is_number(cell: str) -> bool:
    """Whether a cell is written as a decimal number: ASCII digits, point, exponent.

    >>> [is_number(cell) for cell in ("1", "-.5", "1e3", "1_000", "0x1", "inf", "")]
    [True, True, True, False, False, False, False]
    """
    return NUMBER.fullmatch(cell) is not None


def mostly_numbers(cells: Iterable[str]) -> bool:
    """Whether more than half of the cells are numbers; `inf` is counted as one.

    >>> mostly_numbers(["1", "2", "x"]), mostly_numbers(["1", "x"])
    (True, False)
    """
    marks = [is_number(cell) or INFINITE.fullmatch(cell) is not None for cell in cells]
    return 2 * sum(marks) > len(marks)


def read_records(path: str | os.PathLike[str]) -> Records:
    r"""A CSV file with a header line, as text.

    The file is UTF-8, with or without a byte order mark. The delimiter is whichever of comma,
    semicolon and tab occurs most often in the header line outside quotes; in a tie the first of
    these. Blank lines are skipped, and so are blanks around names and cells.

    Raises:
        ValueError: the file cannot be read, is not UTF-8, is empty or has no rows; quotes are
            not closed; a header name is empty or occurs twice; a row has more or fewer fields
            than the header.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "rooms.csv")
    ...     _ = path.write_text("area; town\n20; Bern\n35; Chur\n")
    ...     read_records(path).columns
    {'area': ('20', '35'), 'town': ('Bern', 'Chur')}
    """
    file = os.fspath(path)
    rows, lines = _rows(file, _text(file))
    if not rows:
        raise ValueError(f"{file}: the file is empty: expected a header line with column names")
    header, *body = rows
    _check_header(file, header)
    if not body:
        raise ValueError(f"{file}: there is a header but no row below it")
    for line, row in zip(lines[1:], body, strict=True):
        if len(row) != len(header):
            raise ValueError(
                f"{file}, row {line}: found {count(len(row), 'field')}, expected {len(header)} "
                "as in the header"
            )
    return Records(file, tuple(lines[1:]), dict(zip(header, zip(*body, strict=True), strict=True)))


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(
            f"{file}: byte 0x{byte:02x} at offset {error.start} is not UTF-8; "
            "save the file as UTF-8 text"
        ) from None
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror})") from error


def _rows(file: str, text: str) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, and the line where each ends."""
    rows, lines = [], []
    # strict: without it an unclosed quote silently swallows the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if cells not in ([], [""]):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{file}, row {reader.line_num}: not CSV ({error})") from None
    return rows, lines


def _delimiter(text: str) -> str:
    header = re.sub(r'"[^"]*"', "", re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0])
    return max(DELIMITERS, key=header.count)


def _check_header(file: str, header: list[str]) -> None:
    for place, name in enumerate(header, start=1):
        if not name:
            raise ValueError(f"{file}: column {place} of the header has no name")
        if header.index(name) != place - 1:
            raise ValueError(f"{file}: the header names column {name!r} twice")
