"""The tree of a term that is to be read: `show` writes it as text and `latex` as LaTeX."""

from fractions import Fraction
from typing import NamedTuple

from purenet.prove.kernel.factors import Constant, Definition, Size
from purenet.prove.kernel.terms import Array, Number, Poly, Var

HALF = Fraction(1, 2)


class Leaf(NamedTuple):
    """An entry of an array or of a named intermediate, an index, a size or a constant.

    `value` is what a named intermediate stands for: it is written where it has no name.
    """

    of: Array | Definition | Var | Size | Constant
    place: tuple["Node", ...] = ()
    value: Poly | None = None


class Apply(NamedTuple):
    """A function of one number; `order` counts the derivatives of an arbitrary one."""

    name: str
    order: int
    argument: "Node"


class Big(NamedTuple):
    """A sum, a maximum or the position of a maximum over indices."""

    tag: str
    bound: tuple[Var, ...]
    body: "Node"


class Condition(NamedTuple):
    """1 where the relation holds, else 0."""

    left: "Node"
    relation: str
    right: "Node"


class Part(NamedTuple):
    """The quotient or the remainder of an index by a size."""

    tag: str
    flat: "Node"
    size: "Node"


class Partial(NamedTuple):
    """The derivative of one entry by another."""

    of: "Node"
    by: "Node"


class Product(NamedTuple):
    """coefficient · Π node^exponent."""

    coefficient: Number
    powers: tuple[tuple["Node", Number], ...] = ()


class Sum(NamedTuple):
    """At least two products, added."""

    terms: tuple[Product, ...]


Node = Leaf | Apply | Big | Condition | Part | Partial | Product | Sum


def bare(node: Node) -> Node:
    """A product of one factor is that factor."""
    while isinstance(node, Product) and node.coefficient == 1 and len(node.powers) == 1:
        if node.powers[0][1] != 1:
            return node
        node = node.powers[0][0]
    return node


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside."""
    if isinstance(node, Leaf):
        return node.place
    if isinstance(node, Apply):
        return (node.argument,)
    if isinstance(node, Big):
        return (node.body,)
    if isinstance(node, Condition):
        return (node.left, node.right)
    if isinstance(node, Part):
        return (node.flat, node.size)
    if isinstance(node, Partial):
        return (node.of, node.by)
    if isinstance(node, Product):
        return tuple(n for n, _ in node.powers)
    return node.terms
