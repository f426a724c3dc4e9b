"""Terms and derivations as LaTeX: ASCII, balanced, and read by a parser of mathematics."""

import re

import pytest
from derivations_of import EXAMPLES, derivation
from matplotlib.mathtext import MathTextParser

from purenet.prove.latex import function, symbol

SYMBOLS = {
    "x": "x",
    "sigma": r"\sigma",
    "W2": "W^{(2)}",
    "pi": r"\pi",
    "log 2": r"\log 2",
    "layer_norm": r"\mathrm{layer\_norm}",
    "params[0].bias": r"\mathrm{params[0].bias}",
    "x̄": r"\mathrm{xu304}",
}


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbol(name):
    assert symbol(name) == SYMBOLS[name]


def test_functions_have_a_stroke_for_each_derivative():
    assert function("@sigma", 0) == r"\sigma"
    assert function("@sigma", 2) == r"\sigma''"
    assert function("tanh", -1) == r"\tanh"
    assert function("logistic", -1) == r"\operatorname{sigmoid}"


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"two_layers", "attention", "layer_norm"}))
def test_a_derivation_is_ascii_and_balanced(name):
    written = derivation(name).latex()
    assert written.isascii()
    assert "$" not in written
    depth = 0
    for sign in re.findall(r"(?<!\\)[{}]", written):
        depth += 1 if sign == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert written.count(r"\left") == written.count(r"\right")
    assert not re.search(r"\^\{[^{}]*\}\^", written), "two superscripts"


@pytest.mark.parametrize("name", ["softmax", "linear", "unit", "mse", "quadratic"])
def test_every_row_parses(name):
    parse = MathTextParser("agg").parse
    rows = derivation(name).latex().splitlines()[1:-1]
    assert len(rows) >= 3
    for row in rows:
        row = row.removesuffix(r" \\").replace("&", "")
        row = row.replace(r"\left", "").replace(r"\right", "")
        parse(f"${row.replace(chr(92) + 'top', 'T')}$")


def test_softmax():
    assert (
        r"&= f_{bi} \, \left(\delta_{bi} - \sum_{j} \delta_{bj} \, f_{bj}\right)"
        in derivation("softmax").latex()
    )
