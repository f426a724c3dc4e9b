"""What a printed derivation says, computed from its text: a reader that knows nothing of trees.

`entries` reads index notation, `Σ_j W[i,j]·x[j]`; `whole` reads matrix notation, `W x`.
"""

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

TOKEN = re.compile(
    r"\s*(√|Σ_|max_|argmax_|𝟏|[²³ᵀ⊙⊘·/()\[\],+{}-]|\^∘?|>=|<=|=|>|<|\d+|[A-Za-zδπ][A-Za-z0-9_']*)"
)
RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "erf": np.vectorize(math.erf),
}


class Reader:
    """The tokens of a text and the place that is reached; a space before a token is kept."""

    def __init__(self, text: str, known: Mapping[str, Any]):
        self.text, self.known, self.at = text, {"π": math.pi, **known}, 0

    def peek(self) -> str:
        found = TOKEN.match(self.text, self.at)
        assert found or not self.text[self.at :].strip(), self.text[self.at :]
        return found[1] if found else ""

    def take(self, expected: str = "") -> str:
        found = TOKEN.match(self.text, self.at)
        assert found, self.text[self.at :]
        assert expected in ("", found[1]), (expected, self.text[self.at :])
        self.at = found.end()
        return found[1]

    def exponent(self) -> float:
        if self.peek() != "(":
            return float(self.take())
        self.take("(")
        end = self.text.index(")", self.at)
        value = Fraction(self.text[self.at : end])
        self.at = end + 1
        return float(value)


def entries(text: str, known: Mapping[str, Any], letters: tuple[str, ...]) -> np.ndarray:
    """The array over `letters` that a text in index notation stands for."""
    sizes = ranges(text, known)
    shape = tuple(sizes[letter] for letter in letters)
    values = np.empty(shape)
    for place in np.ndindex(shape):
        reader = Reader(text, {**known, **dict(zip(letters, place, strict=True))})
        values[place] = _sum(reader, sizes)
        assert not reader.peek(), reader.text[reader.at :]
    return values


def ranges(text: str, known: Mapping[str, Any]) -> dict[str, int]:
    """The size of every letter, by the arrays in which it is an index."""
    sizes = dict(known.get("ranges", {}))
    for name, places in re.findall(r"([A-Za-zδ]\w*)\[([\w,]+)\]", text):
        for letter, size in zip(places.split(","), np.shape(known.get(name, 0)), strict=False):
            sizes.setdefault(letter, size)
    return sizes


def _sum(reader: Reader, sizes: dict[str, int]) -> float:
    sign = -1 if reader.peek() == "-" and reader.take() else 1
    total = sign * _term(reader, sizes)
    while reader.peek() in ("+", "-"):
        sign = -1 if reader.take() == "-" else 1
        total += sign * _term(reader, sizes)
    return total


def _term(reader: Reader, sizes: dict[str, int]) -> float:
    value = _factor(reader, sizes)
    while reader.peek() in ("·", "/"):
        by = reader.take()
        factor = _factor(reader, sizes)
        value = value * factor if by == "·" else value / factor
    return value


def _factor(reader: Reader, sizes: dict[str, int]) -> float:
    if reader.peek() in ("Σ_", "max_", "argmax_"):
        return _bound(reader, sizes)
    if reader.peek() == "√":
        reader.take()
        return math.sqrt(_factor(reader, sizes))
    value = _atom(reader, sizes)
    if reader.peek() in ("²", "³"):
        return value ** (2 if reader.take() == "²" else 3)
    if reader.peek() == "^":
        reader.take()
        return value ** reader.exponent()
    return value


def _bound(reader: Reader, sizes: dict[str, int]) -> float:
    kind = reader.take()
    if reader.peek() == "{":
        end = reader.text.index("}", reader.at)
        letters = reader.text[reader.text.index("{", reader.at) + 1 : end].split(",")
        reader.at = end + 1
    else:
        letters = [reader.take()]
    start, outer, values = reader.at, reader.known, []
    for place in product(*(range(sizes[letter]) for letter in letters)):
        reader.at, reader.known = start, {**outer, **dict(zip(letters, place, strict=True))}
        values.append(_term(reader, sizes))
    reader.known = outer
    return {"Σ_": math.fsum, "max_": max, "argmax_": np.argmax}[kind](values)


def _atom(reader: Reader, sizes: dict[str, int]) -> float:
    token = reader.take()
    if token == "(":
        value = _sum(reader, sizes)
        reader.take(")")
        return value
    if token == "[":
        left, relation = _sum(reader, sizes), reader.take()
        holds = RELATIONS[relation](left, _sum(reader, sizes))
        reader.take("]")
        return float(holds)
    if token.isdigit():
        return float(token)
    if reader.text[reader.at : reader.at + 1] == "(" and (token in FUNCTIONS or "'" in token):
        reader.take("(")
        value = {**FUNCTIONS, **reader.known}[token](_sum(reader, sizes))
        reader.take(")")
        return float(value)
    if reader.text[reader.at : reader.at + 1] != "[":
        value = reader.known[token]
        if callable(value):
            reader.take("(")
            value = value(_sum(reader, sizes))
            reader.take(")")
        return float(value)
    reader.take("[")
    place = [int(_sum(reader, sizes))]
    while reader.peek() == ",":
        reader.take()
        place.append(int(_sum(reader, sizes)))
    reader.take("]")
    return float(reader.known[token][tuple(place)])


ONES, ROW_OF_ONES = "ones", "ones transposed"


def whole(text: str, known: Mapping[str, Any]) -> np.ndarray:
    """The value of a text in matrix notation; a vector is a column, ones fit what they meet."""
    columns = {
        k: np.asarray(v)[:, None] if np.ndim(v) == 1 and not callable(v) else v
        for k, v in known.items()
    }
    reader = Reader(text, columns)
    value = _matrix_sum(reader)
    assert not reader.peek(), reader.text[reader.at :]
    return value


def _matrix_sum(reader: Reader) -> Any:
    sign = -1 if reader.peek() == "-" and reader.take() else 1
    total = sign * _entrywise(reader)
    while reader.peek() in ("+", "-"):
        sign = -1 if reader.take() == "-" else 1
        total = total + sign * _entrywise(reader)
    return total


def _entrywise(reader: Reader) -> Any:
    value = _chain(reader)
    while reader.peek() in ("⊙", "⊘"):
        by = reader.take()
        factor = _chain(reader)
        value = value * factor if by == "⊙" else value / factor
    return value


def _chain(reader: Reader) -> Any:
    """Units side by side; a column of ones sums rows, or repeats what follows."""
    units = []
    while reader.peek() not in ("", ")", "]", "+", "-", "⊙", "⊘", *RELATIONS):
        units.append(_unit(reader))
    value = units[0]
    for unit in units[1:]:
        value = _times(value, unit)
    return np.asarray(1.0) if isinstance(value, str) else value


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        if isinstance(right, str):
            return np.asarray(1.0)
        return right if left == ONES else _plain(right.sum(axis=0, keepdims=True))
    if isinstance(right, str):
        return left if right == ROW_OF_ONES or not left.ndim else _plain(left.sum(1, keepdims=True))
    if not np.ndim(left) or not np.ndim(right):
        return left * right
    return _plain(left @ right)


def _plain(value: np.ndarray) -> np.ndarray:
    return value.reshape(()) if value.shape == (1, 1) else value


def _unit(reader: Reader) -> Any:
    value = _postfix(reader)
    while reader.peek() in ("·", "/"):
        by = reader.take()
        factor = _postfix(reader)
        value = value * factor if by == "·" else value / factor
    return value


def _postfix(reader: Reader) -> Any:
    if reader.peek() == "√":
        reader.take()
        return np.sqrt(_postfix(reader))
    diagonal = reader.peek() == "diag"
    value = _matrix_atom(reader)
    while reader.peek() in ("ᵀ", "²", "^", "^∘"):
        sign = reader.take()
        if sign == "ᵀ":
            value = ROW_OF_ONES if isinstance(value, str) else value.T
        elif sign == "²":
            value = value**2
        elif diagonal:
            value = np.diag(np.diag(value) ** reader.exponent())
        else:
            value = value ** reader.exponent()
    return value


def _matrix_atom(reader: Reader) -> Any:
    token = reader.take()
    if token == "𝟏":
        return ONES
    if token in ("(", "["):
        value = _matrix_sum(reader)
        if token == "[":
            value = RELATIONS[reader.take()](value, _matrix_sum(reader)).astype(float)
        reader.take(")" if token == "(" else "]")
        return value
    if token.isdigit():
        return np.asarray(float(token))
    if token == "onehot":
        reader.take("(")
        labels = reader.known[reader.take()]
        reader.take(")")
        return np.eye(reader.known["classes"])[labels[:, 0]]
    if token == "diag":
        return np.diag(np.ravel(_matrix_atom(reader)))
    known = {**FUNCTIONS, **reader.known}
    opens = reader.text[reader.at : reader.at + 1] == "("
    if opens and (token in FUNCTIONS or callable(known.get(token))):
        reader.take("(")
        value = (FUNCTIONS.get(token) or known[token])(_matrix_sum(reader))
        reader.take(")")
        return np.asarray(value)
    return np.asarray(reader.known[token])
