"""Words that error messages share."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

T = TypeVar("T")


def look_up(given: object, table: Mapping[str, T], kind: type, noun: str, argument: str) -> T:
    """Return the entry of a table by its name; a value of the kind is returned as it is.

    >>> numbers = {"one": 1, "two": 2}
    >>> look_up("two", numbers, int, "number", "n"), look_up(7, numbers, int, "number", "n")
    (2, 7)

    Raises:
        ValueError: the name is not in the table; the message has the nearest one that is.
    """
    if isinstance(given, kind):
        return cast(T, given)
    if isinstance(given, str) and given in table:
        return table[given]
    raise ValueError(f"{argument}: unknown {noun} {given!r}{did_you_mean(str(given), table)}")


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """The nearest valid choice, as the end of an error message.

    Args:
        given: what the user wrote.
        choices: what would have been valid.

    Returns:
        `"; did you mean 'area'?"` when a choice is near (letter case does not count), and
        otherwise the list of choices, cut after ten.

    >>> did_you_mean("Aera", ["area", "price"])
    "; did you mean 'area'?"
    >>> did_you_mean("x", ["area", "price"])
    "; choose from 'area', 'price'"
    """
    names = list(choices)
    by_lower_case = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(given.lower(), by_lower_case, n=1)
    if near:
        return f"; did you mean {by_lower_case[near[0]]!r}?"
    shown = ", ".join(map(repr, names[:10]))
    return f"; choose from {shown}" + (", …" if len(names) > 10 else "")


def count(number: int, thing: str) -> str:
    """A number with its noun, in the plural where it needs one.

    >>> count(1, "row"), count(2, "row"), count(10, "class"), count(0, "category")
    ('1 row', '2 rows', '10 classes', '0 categories')
    """
    if number == 1:
        return f"1 {thing}"
    if thing.endswith("y"):
        return f"{number} {thing[:-1]}ies"
    return f"{number} {thing}" + ("es" if thing.endswith("s") else "s")
