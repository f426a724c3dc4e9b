r"""Terms as LaTeX, for display mathematics: ASCII, balanced braces, no delimiters."""

import re
from collections.abc import Sequence
from fractions import Fraction

from purenet.prove.kernel.naming import Names
from purenet.prove.kernel.nodes import (
    HALF,
    Apply,
    Big,
    Condition,
    Leaf,
    Node,
    Part,
    Partial,
    Product,
    Sum,
    bare,
)
from purenet.prove.kernel.show import sides, visible
from purenet.prove.kernel.terms import Number

GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"}
    | {"mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"}
    | {"Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"}
)
SIGNS = {"sum": r"\sum", "max": r"\max", "argmax": r"\operatorname{argmax}"}
RELATIONS = {"!=": r"\ne", ">=": r"\ge", "<=": r"\le"}
FUNCTIONS = {"logistic": r"\operatorname{sigmoid}", "atan": r"\arctan"}
STANDARD = frozenset({"exp", "log", "tanh", "sin", "cos"})


def write(node: Node, names: Names) -> str:
    """A node without brackets around it."""
    node = visible(node, names)
    if isinstance(node, Sum):
        return _sum(node, names)
    if isinstance(node, Product):
        return ("-" if node.coefficient < 0 else "") + _product(node, names)
    if isinstance(node, Leaf):
        return symbol(names.of(node)) + _index(node.place, names)
    if isinstance(node, Apply):
        return rf"{function(node.name, node.order)}\left({write(node.argument, names)}\right)"
    if isinstance(node, Condition):
        left, right = sides(node, names)
        relation = RELATIONS.get(node.relation, node.relation)
        return rf"\left[{write(left, names)} {relation} {write(right, names)}\right]"
    if isinstance(node, Partial):
        return rf"\frac{{\partial {write(node.of, names)}}}{{\partial {write(node.by, names)}}}"
    if isinstance(node, Part):
        return _part(node, names)
    return _big(node, names)


def symbol(name: str) -> str:
    r"""A name: one letter in italics, Greek by its name, a number as a superscript in brackets.

    >>> symbol("x"), symbol("sigma"), symbol("W2"), symbol("params[0].bias")
    ('x', '\\sigma', 'W^{(2)}', '\\mathrm{params[0].bias}')
    """
    if name == "-oo":
        return r"(-\infty)"
    numbered = re.fullmatch(r"([A-Za-z]+?)_?(\d+)", name)
    if numbered:
        return f"{symbol(numbered[1])}^{{({numbered[2]})}}"
    if name in GREEK:
        return "\\" + name
    if name.startswith("log "):
        return rf"\log {name[4:]}"
    return name if len(name) == 1 and name.isascii() else rf"\mathrm{{{escaped(name)}}}"


def escaped(name: str) -> str:
    """A name in which LaTeX sees letters only."""
    special = {c: "\\" + c for c in "_{}$&#%"}
    special |= {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim "}
    ascii_only = "".join(c if c.isascii() else f"u{ord(c):x}" for c in name)
    return "".join(special.get(c, c) for c in ascii_only).replace(" ", r"\ ")


def function(name: str, order: int) -> str:
    """The sign of a function, with a stroke for each derivative."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in STANDARD:
        return "\\" + name
    name = name.removeprefix("@")
    if name in GREEK:
        base = "\\" + name
    else:
        base = name if len(name) == 1 and name.isascii() else rf"\operatorname{{{escaped(name)}}}"
    return base + "'" * max(order, 0)


def _index(places: Sequence[Node], names: Names) -> str:
    written = [write(p, names) for p in places]
    separator = "" if all(len(p) == 1 for p in written) else ","
    return f"_{{{separator.join(written)}}}" if written else ""


def _part(node: Part, names: Names) -> str:
    flat, size = write(node.flat, names), write(node.size, names)
    if node.tag == "quotient":
        return rf"\left\lfloor \frac{{{flat}}}{{{size}}} \right\rfloor"
    return rf"\left({flat} \bmod {_factor(node.size, names)}\right)"


def _sum(node: Sum, names: Names) -> str:
    parts = []
    for term in node.terms:
        inner = visible(Product(abs(term.coefficient), term.powers), names)
        body = _product(term, names)
        brackets = rf"\left({body}\right)" if isinstance(inner, Sum) else body
        parts += ["-" if term.coefficient < 0 else "+", brackets]
    first = parts[1] if parts[0] == "+" else "-" + parts[1]
    return " ".join([first, *parts[2:]])


def _big(node: Big, names: Names) -> str:
    inner = names.within(node.bound)
    letters = ", ".join(sorted(symbol(inner.variables[v]) for v in node.bound))
    body = visible(node.body, inner)
    written = write(body, inner)
    if isinstance(body, Sum) or (isinstance(body, Product) and body.coefficient < 0):
        written = rf"\left({written}\right)"
    return f"{SIGNS[node.tag]}_{{{letters}}} {written}"


def _product(node: Product, names: Names) -> str:
    r"""|coefficient| times the powers; a sum with a sign stands last, after the fraction."""
    big = [(n, e) for n, e in node.powers if e == 1 and isinstance(bare(n), Big)]
    under = [(n, -e) for n, e in node.powers if e < 0]
    over = [(n, e) for n, e in node.powers if e > 0 and (n, e) not in big]
    value = abs(Fraction(node.coefficient))
    above = [_power(n, e, names) for n, e in over]
    below = [_power(n, e, names) for n, e in under]
    if len(under) == 1 and value.denominator == 1 and under[0][1] == 1:
        below = [write(under[0][0], names)]
    if value.numerator != 1 or not (above or (big and not below and value == 1)):
        above.insert(0, str(value.numerator))
    if value.denominator != 1:
        below.insert(0, str(value.denominator))
    if len(over) == 1 and len(above) == 1 and below and over[0][1] == 1:
        above = [write(over[0][0], names)]
    sums = [_factor(n, names) for n, _ in big[:-1]] + [write(n, names) for n, _ in big[-1:]]
    if not below:
        return r" \, ".join([*_unit_dropped(above, sums), *sums])
    return r" \, ".join([rf"\frac{{{_joined(above)}}}{{{_joined(below)}}}", *sums])


def _unit_dropped(above: list[str], sums: list[str]) -> list[str]:
    return [] if above == ["1"] and sums else above


def _joined(factors: list[str]) -> str:
    return r" \, ".join(factors)


def _power(node: Node, exponent: Number, names: Names) -> str:
    if exponent == 1:
        return _factor(node, names)
    if exponent == HALF:
        return rf"\sqrt{{{write(node, names)}}}"
    power = str(exponent.numerator) + (
        "" if exponent.denominator == 1 else f"/{exponent.denominator}"
    )
    inner = visible(node, names)
    single = isinstance(inner, Leaf) and "^" not in write(inner, names)
    base = write(inner, names) if single else rf"\left({write(inner, names)}\right)"
    return f"{base}^{{{power}}}"


def _factor(node: Node, names: Names) -> str:
    """A node with brackets unless it is one symbol."""
    node = visible(node, names)
    written = write(node, names)
    plain = isinstance(node, Leaf | Apply | Condition | Partial) or written.isdigit()
    return written if plain else rf"\left({written}\right)"
