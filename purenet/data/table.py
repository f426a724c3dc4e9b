"""How the columns of a CSV file become features: a plain value that a model file can keep."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from purenet.words import did_you_mean


@dataclass(frozen=True)
class NumericColumn:
    """One feature: `(number - offset) / scale`."""

    name: str
    offset: float
    scale: float


@dataclass(frozen=True)
class TextColumn:
    """One feature per category: 1 where the text is that category, else 0."""

    name: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class ClassTarget:
    """A label: the place of the text in `classes`."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class NumberTarget:
    """One output: `(number - offset) / scale`."""

    name: str
    offset: float
    scale: float


@dataclass(frozen=True)
class Table:
    """The columns that become features, in order, and the column that is predicted.

    >>> table = Table(
    ...     (NumericColumn("area", 100.0, 20.0), TextColumn("town", ("Bern", "Chur"))),
    ...     NumberTarget("price", 300.0, 50.0),
    ... )
    >>> table.feature_names
    ('area', 'town=Bern', 'town=Chur')
    >>> Table.from_json(table.to_json()) == table
    True
    """

    columns: tuple[NumericColumn | TextColumn, ...]
    target: ClassTarget | NumberTarget

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each feature: the column's, or `column=category`."""
        names: list[str] = []
        for column in self.columns:
            if isinstance(column, TextColumn):
                names += [f"{column.name}={category}" for category in column.categories]
            else:
                names.append(column.name)
        return tuple(names)

    def to_json(self) -> dict[str, Any]:
        """The table as dicts, lists, strings and numbers; `json.dumps` takes it as it is."""
        return {
            "columns": [_to_json(column) for column in self.columns],
            "target": _to_json(self.target),
        }

    @staticmethod
    def from_json(value: Any) -> "Table":
        """The table that `to_json` wrote, parsed strictly.

        Raises:
            ValueError: anything that `to_json` does not write: a missing or unknown key, a
                value of the wrong type, a number that is not finite, a scale that is not
                positive, a name or category that occurs twice. The message says where.
        """
        items = _keys(value, "table", {"columns", "target"})
        columns = _list(items["columns"], "table.columns")
        table = Table(
            tuple(_from_json(v, f"table.columns[{i}]", COLUMNS) for i, v in enumerate(columns)),
            _from_json(items["target"], "table.target", TARGETS),
        )
        names = tuple(column.name for column in table.columns)
        _unique((*names, table.target.name), "table: column names")
        return table


# The kinds as they are called in JSON, and how each field is parsed.
COLUMNS: dict[str, type] = {"number": NumericColumn, "text": TextColumn}
TARGETS: dict[str, type] = {"number": NumberTarget, "class": ClassTarget}
KIND_OF = {kind: name for kinds in (COLUMNS, TARGETS) for name, kind in kinds.items()}


def _to_json(part: NumericColumn | TextColumn | ClassTarget | NumberTarget) -> dict[str, Any]:
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(part).items()}
    return {"kind": KIND_OF[type(part)], **fields}


def _from_json(value: Any, where: str, kinds: dict[str, type]) -> Any:
    if not isinstance(value, dict) or "kind" not in value:
        raise ValueError(f"{where}: expected an object with the key 'kind', found {value!r:.80}")
    kind = _string(value["kind"], f"{where}.kind")
    if kind not in kinds:
        raise ValueError(f"{where}.kind: {kind!r} is unknown{did_you_mean(kind, kinds)}")
    names = tuple(kinds[kind].__dataclass_fields__)  # type: ignore[attr-defined]
    items = _keys(value, where, {"kind", *names})
    return kinds[kind](*(FIELDS[name](items[name], f"{where}.{name}") for name in names))


def _keys(value: Any, where: str, expected: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != expected:
        found = sorted(map(str, value)) if isinstance(value, dict) else f"{value!r:.80}"
        raise ValueError(f"{where}: expected the keys {sorted(expected)}, found {found}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where}: expected a list that is not empty, found {value!r:.80}")
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: expected text that is not empty, found {value!r:.80}")
    return value


def _number(value: Any, where: str) -> float:
    number = isinstance(value, float | int) and not isinstance(value, bool)
    # An integer beyond the largest float has no float value, and math.isfinite raises for it.
    if not number or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{where}: expected a finite number, found {value!r:.80}")
    return float(value)


def _positive(value: Any, where: str) -> float:
    if _number(value, where) <= 0:
        raise ValueError(f"{where}: expected a number above 0, found {value!r}")
    return float(value)


def _strings(value: Any, where: str) -> tuple[str, ...]:
    texts = tuple(_string(v, f"{where}[{i}]") for i, v in enumerate(_list(value, where)))
    _unique(texts, where)
    return texts


def _unique(texts: tuple[str, ...], where: str) -> None:
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        raise ValueError(f"{where}: {twice!r} occurs twice")


FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "name": _string,
    "offset": _number,
    "scale": _positive,
    "categories": _strings,
    "classes": _strings,
}
