"""Terms as plain text, for reading and for messages."""

from collections.abc import Iterable
from fractions import Fraction

from purenet.prove.kernel.layout import compare, layout
from purenet.prove.kernel.naming import Names, free, names_for
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
from purenet.prove.kernel.terms import Number, Poly, Var

SIGNS = {"sum": "Σ", "max": "max", "argmax": "argmax"}
FUNCTIONS = {"logistic": "sigmoid"}
CONSTANTS = {"pi": "π", "-oo": "-∞"}
RELATIONS = {"!=": "!=", "=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
RAISED = {2: "²", 3: "³"}


def text(poly: Poly) -> str:
    """The term on one line.

    >>> from purenet.prove.kernel.factors import Size
    >>> from purenet.prove.kernel.linear import atom, number, subtract
    >>> text(subtract(atom(Size("n"), 2), number(1)))
    'n² - 1'
    """
    tree = layout(poly)
    return write(tree, _own_names(tree, poly))


def statement(poly: Poly, relation: str = "!=") -> str:
    """`poly relation 0` with what is negative on the other side: "x[i] > y[i]"."""
    tree = compare(poly, relation)
    return _test(tree, _own_names(tree, poly))


def _own_names(tree: Node, poly: Poly) -> Names:
    arrays = sorted(poly.arrays, key=lambda a: (-len(a.shape), a.name))  # a matrix before a vector
    return names_for([tree], arrays).within(free(tree))


def write(node: Node, names: Names) -> str:
    """A node without brackets around it."""
    node = visible(node, names)
    if isinstance(node, Sum):
        return _sum(node, names)
    if isinstance(node, Product):
        return ("-" if node.coefficient < 0 else "") + _product(node, names)
    if isinstance(node, Leaf):
        name = symbol(names.of(node), names)
        return name + (f"[{','.join(_place(p, names) for p in node.place)}]" if node.place else "")
    if isinstance(node, Apply):
        return f"{function(node.name, node.order)}({write(node.argument, names)})"
    if isinstance(node, Condition):
        return f"[{_test(node, names)}]"
    if isinstance(node, Partial):
        return f"∂{write(node.of, names)}/∂{write(node.by, names)}"
    if isinstance(node, Part):
        sign = "//" if node.tag == "quotient" else "%"
        return f"{_factor(node.flat, names)} {sign} {_factor(node.size, names)}"
    return _big(node, names)


def symbol(name: str, names: Names) -> str:
    """The sign for a name."""
    return names.symbols.get(name) or CONSTANTS.get(name, name)


def function(name: str, order: int) -> str:
    """The name of a function, with a stroke for each derivative; an arbitrary one starts with @."""
    return FUNCTIONS.get(name, name.removeprefix("@")) + "'" * max(order, 0)


def visible(node: Node, names: Names) -> Node:
    """What is written: a named intermediate without a name is its value."""
    node = bare(node)
    if isinstance(node, Leaf) and node.value is not None and node.of not in names.definitions:
        return visible(layout(node.value), names)
    return node


def _place(node: Node, names: Names) -> str:
    return write(node, names).replace(" ", "")


def _test(node: Condition, names: Names) -> str:
    left, right = sides(node, names)
    return f"{write(left, names)} {node.relation} {write(right, names)}"


def sides(node: Condition, names: Names) -> tuple[Node, Node]:
    """The sides of a relation; an equation has an index, or else a maximum, on the right."""
    if node.relation not in ("=", "!="):
        return node.left, node.right
    left, right = sorted((node.left, node.right), key=lambda side: _side(side, names))
    return left, right


def _side(node: Node, names: Names) -> tuple[object, ...]:
    node = bare(node)
    if isinstance(node, Product) and not node.powers:
        return 3, ""
    if isinstance(node, Leaf) and isinstance(node.of, Var):
        return 2, names.of(node)
    return isinstance(node, Big) and node.tag == "max", ""


def _sum(node: Sum, names: Names) -> str:
    parts = []
    for term in node.terms:
        sign = "-" if term.coefficient < 0 else "+"
        body = _product(term, names)
        inner = visible(Product(abs(term.coefficient), term.powers), names)
        parts += [sign, f"({body})" if isinstance(inner, Sum) else body]
    first = parts[1] if parts[0] == "+" else "-" + parts[1]
    return " ".join([first, *parts[2:]])


def _big(node: Big, names: Names) -> str:
    inner = names.within(node.bound)
    letters = sorted(inner.variables[v] for v in node.bound)
    under = letters[0] if len(letters) == 1 else "{" + ",".join(letters) + "}"
    body = visible(node.body, names)
    negative = isinstance(body, Product) and body.coefficient < 0
    written = write(body, inner)
    if isinstance(body, Sum) or negative:
        written = f"({written})"
    return f"{SIGNS[node.tag]}_{under} {written}"


def _product(node: Product, names: Names) -> str:
    """|coefficient| times the powers: a fraction, then what extends to the right."""
    last = _last(node)
    over = [_power(n, e, names) for n, e in node.powers if e > 0 and (n, e) != last]
    under = [(n, -e) for n, e in node.powers if e < 0]
    value = abs(Fraction(node.coefficient))
    if value.numerator != 1 or not (over or (last and not under and value == 1)):
        over.insert(0, str(value.numerator))
    below = _below(value.denominator, under, names)
    fraction = "·".join(over) + (f"/{below}" if below else "")
    if last is None:
        return fraction
    tail = write(last[0], names)
    if fraction in ("", "1") and not below:
        return tail
    return f"({fraction})·{tail}" if below else f"{fraction}·{tail}"


def _last(node: Product) -> tuple[Node, Number] | None:
    """A sum with a sign Σ extends to the right as far as it can, so that it stands last."""
    big = [(n, e) for n, e in node.powers if e == 1 and isinstance(bare(n), Big)]
    return big[-1] if big else None


def _below(denominator: int, under: Iterable[tuple[Node, Number]], names: Names) -> str:
    under = list(under)
    if len(under) == 1 and denominator == 1:
        node, exponent = under[0]
        alone = exponent == 1 and isinstance(bare(node), Big)
        return write(node, names) if alone else _power(node, exponent, names)
    parts = [_power(n, e, names) for n, e in under]
    if denominator != 1:
        parts.insert(0, str(denominator))
    return f"({'·'.join(parts)})" if len(parts) > 1 else "".join(parts)


def _power(node: Node, exponent: Number, names: Names) -> str:
    base = _factor(node, names)
    if exponent == 1:
        return base
    if exponent == HALF:
        return f"√{base}"
    if exponent in RAISED:
        return base + RAISED[int(exponent)]
    return (
        f"{base}^{exponent}"
        if exponent.denominator == 1 and exponent > 0
        else f"{base}^({exponent})"
    )


def _factor(node: Node, names: Names) -> str:
    """A node with brackets unless it is one symbol."""
    node = visible(node, names)
    written = write(node, names)
    plain = isinstance(node, Leaf | Apply | Condition | Partial) or written.isdigit()
    return written if plain else f"({written})"
