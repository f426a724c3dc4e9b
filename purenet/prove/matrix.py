"""Index notation in matrix notation, where there is one: Σ_b a[b,i]·δ[b,j] is aᵀ δ.

Every factor of a product is a matrix, a vector or a number, by the index variables that it has. A
sum over an index that two of them share is their product; what has the same two indices is
multiplied entry by entry. What has three indices has no such form.
"""

from collections.abc import Iterable
from typing import NamedTuple

from purenet.prove.kernel.factors import Constant, Size
from purenet.prove.kernel.naming import walk
from purenet.prove.kernel.nodes import Apply, Big, Condition, Leaf, Node, Product, Sum, bare
from purenet.prove.kernel.terms import Number, Var


class Matrix(NamedTuple):
    """A term without indices; `kind` says how the parts are put together.

    symbol (leaf), apply (function; argument), test (relation; two), ones, identity,
    one-hot (leaf), diagonal, transposed, matmul, entrywise (parts with `exponents`),
    scaled (numbers with `exponents`, then the rest), sum (parts with signs in `exponents`).
    """

    kind: str
    parts: tuple["Matrix", ...] = ()
    exponents: tuple[Number, ...] = ()
    leaf: Leaf | None = None
    name: str = ""
    order: int = -1
    coefficient: Number = 1


class Item(NamedTuple):
    """A factor with its index variables, rows first."""

    axes: tuple[Var, ...]
    matrix: Matrix
    exponent: Number = 1


class NoMatrix(Exception):
    """A term that has no matrix form."""


ONES, IDENTITY = Matrix("ones"), Matrix("identity")


def matrix(node: Node, axes: tuple[Var, ...]) -> Matrix | None:
    """The term with rows and columns `axes`, or None; a sum over the batch is the row 𝟏ᵀδ."""
    if len(axes) > 2:
        return None
    try:
        found = _combined([_item(node)], axes)
    except NoMatrix:
        return None
    return _as_row(found) if len(axes) < 2 else found


def _item(node: Node) -> Item:
    node = bare(node)
    if isinstance(node, Leaf):
        return _leaf(node)
    if isinstance(node, Apply):
        inner = _item(node.argument)
        return Item(inner.axes, Matrix("apply", (_plain(inner),), name=node.name, order=node.order))
    if isinstance(node, Condition):
        return _test(node)
    if isinstance(node, Sum):
        return _sum(node)
    if isinstance(node, Big):
        if node.tag != "sum":
            raise NoMatrix
        return _summed(_factors(node.body), list(node.bound))
    if isinstance(node, Product):
        items = _factors(node)
        axes = _axes_of(items)
        return Item(axes, _combined(items, axes))
    raise NoMatrix


def _leaf(leaf: Leaf) -> Item:
    if isinstance(leaf.of, Size | Constant):
        return Item((), Matrix("symbol", leaf=leaf))
    places = [bare(p) for p in leaf.place]
    variables = tuple(p.of for p in places if isinstance(p, Leaf) and isinstance(p.of, Var))
    if (
        isinstance(leaf.of, Var)
        or len(variables) != len(places)
        or len(set(variables)) != len(places)
    ):
        raise NoMatrix
    if len(places) > 2:
        raise NoMatrix
    return Item(variables, Matrix("symbol", leaf=Leaf(leaf.of)))


def _test(node: Condition) -> Item:
    left, right = bare(node.left), bare(node.right)
    indices = [n.of for n in (left, right) if isinstance(n, Leaf) and isinstance(n.of, Var)]
    if node.relation == "=" and len(indices) == 2:
        return Item((indices[0], indices[1]), IDENTITY)
    if node.relation == "=" and len(indices) == 1:
        label = left if isinstance(right, Leaf) and right.of == indices[0] else right
        item = _item(label)
        if len(item.axes) != 1 or item.matrix.kind != "symbol":
            raise NoMatrix
        return Item((item.axes[0], indices[0]), Matrix("one-hot", leaf=item.matrix.leaf))
    if indices or any(isinstance(n, Big) for n in walk(node)):
        raise NoMatrix
    items = [_item(left), _item(right)]
    axes = _axes_of(items)
    parts = tuple(_combined([i], axes, spread=False) for i in items)
    return Item(axes, Matrix("test", parts, name=node.relation))


def _sum(node: Sum) -> Item:
    items = [_item(t._replace(coefficient=abs(t.coefficient))) for t in node.terms]
    axes = _axes_of(items)
    parts = tuple(_combined([i], axes, spread=bool(i.axes)) for i in items)
    signs = tuple(-1 if t.coefficient < 0 else 1 for t in node.terms)
    return Item(axes, Matrix("sum", parts, signs))


def _factors(node: Node) -> list[Item]:
    node = bare(node)
    if not isinstance(node, Product):
        return [_item(node)]
    items = []
    if node.coefficient != 1:
        items.append(Item((), Matrix("number", coefficient=node.coefficient)))
    for factor, exponent in node.powers:
        item = _item(factor)
        if item.exponent != 1:
            item = Item(item.axes, _plain(item))
        items.append(item._replace(exponent=exponent))
    return items


def _axes_of(items: Iterable[Item]) -> tuple[Var, ...]:
    """The index variables of all, in the order of the first that has most."""
    items = list(items)
    found = {v for i in items for v in i.axes}
    first = max((i.axes for i in items), key=len, default=())
    axes = (*first, *sorted(found - set(first), key=lambda v: v.name))
    if len(axes) > 2:
        raise NoMatrix
    return axes


def _plain(item: Item) -> Matrix:
    return (
        item.matrix if item.exponent == 1 else Matrix("entrywise", (item.matrix,), (item.exponent,))
    )


def _combined(items: list[Item], axes: tuple[Var, ...], *, spread: bool = True) -> Matrix:
    """The entrywise product with rows and columns `axes`; vectors scale rows or columns."""
    numbers = [i for i in items if not i.axes]
    whole = [i for i in items if i.axes and set(i.axes) == set(axes)]
    if any(not set(i.axes) <= set(axes) for i in items):
        raise NoMatrix
    if whole and all(i.axes != axes for i in whole):
        body: Matrix | None = _turned(_entrywise([(i.matrix, i.exponent) for i in whole]) or ONES)
    else:
        body = _entrywise(
            [(_turned(i.matrix) if i.axes != axes else i.matrix, i.exponent) for i in whole]
        )
    if len(axes) == 2:
        rows = _entrywise([(i.matrix, i.exponent) for i in items if i.axes == axes[:1]])
        columns = _entrywise([(i.matrix, i.exponent) for i in items if i.axes == axes[1:]])
        body = _broadcast(body, rows, columns, spread=spread)
    elif axes and body is None and spread:
        body = ONES
    return _scaled(numbers, body)


def _broadcast(
    body: Matrix | None, rows: Matrix | None, columns: Matrix | None, *, spread: bool
) -> Matrix | None:
    if body is None:
        if rows is None and columns is None and not spread:
            return None
        return _matmul(rows or ONES, Matrix("transposed", (columns or ONES,)))
    left = [] if rows is None else [Matrix("diagonal", (rows,))]
    right = [] if columns is None else [Matrix("diagonal", (columns,))]
    return _matmul(*left, body, *right)


def _entrywise(parts: list[tuple[Matrix, Number]]) -> Matrix | None:
    if not parts:
        return None
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    return Matrix("entrywise", tuple(m for m, _ in parts), tuple(e for _, e in parts))


def _scaled(numbers: list[Item], body: Matrix | None) -> Matrix:
    if not numbers and body is not None:
        return body
    coefficient: Number = 1
    parts, exponents = [], []
    for item in numbers:
        if item.matrix.kind == "number":
            coefficient = coefficient * item.matrix.coefficient
        else:
            parts.append(item.matrix)
            exponents.append(item.exponent)
    if body is None and coefficient == 1 and len(parts) == 1 and exponents == [1]:
        return parts[0]
    rest = () if body is None else (body,)
    return Matrix("scaled", (*parts, *rest), tuple(exponents), coefficient=coefficient)


def _turned(m: Matrix) -> Matrix:
    """The transposed matrix, without double transposition."""
    if m.kind == "transposed":
        return m.parts[0]
    if m.kind == "matmul":
        return _matmul(*(_turned(p) for p in reversed(m.parts)))
    if m.kind in ("diagonal", "identity"):
        return m
    if m.kind == "entrywise" and any(map(_has_stroke, m.parts)):
        return m._replace(parts=tuple(_turned(p) for p in m.parts))
    if m.kind == "scaled":
        return m._replace(parts=(*m.parts[:-1], _turned(m.parts[-1])))
    return Matrix("transposed", (m,))


def _matmul(*parts: Matrix) -> Matrix:
    flat = [q for p in parts for q in (p.parts if p.kind == "matmul" else (p,))]
    return flat[0] if len(flat) == 1 else Matrix("matmul", tuple(flat))


def _summed(items: list[Item], bound: list[Var]) -> Item:
    """The sum over `bound`, one index at a time: first one that at most two others meet."""
    while bound:
        for var in sorted(bound, key=lambda v: _neighbours(v, items)):
            others = {v for i in items if var in i.axes for v in i.axes} - {var}
            if len(others) <= 2:
                break
        else:
            raise NoMatrix
        own = [i for i in items if var in i.axes]
        items = [i for i in items if var not in i.axes]
        items.append(_over(var, sorted(others, key=lambda v: v.name), own))
        bound = [v for v in bound if v != var]
    axes = _axes_of(items)
    return Item(axes, _combined(items, axes))


def _neighbours(var: Var, items: list[Item]) -> tuple[int, int, str]:
    """Few first; a column before a row, so that a batch is summed last."""
    met = {v for i in items if var in i.axes for v in i.axes}
    return len(met), sum(i.axes[0] == var for i in items if i.axes), var.name


def _over(var: Var, others: list[Var], own: list[Item]) -> Item:
    vectors = [i for i in own if i.axes == (var,)]
    pairs = [[i for i in own if set(i.axes) == {var, v}] for v in others]
    if not others:
        return Item((), _scalar_product(vectors, var))
    if len(others) == 1:
        left = _combined(pairs[0], (others[0], var))
        return Item((others[0],), _matmul(left, _combined(vectors, (var,))))
    p, q = others
    first, second = pairs
    left, right = _combined(first + vectors, (p, var)), _combined(second, (var, q))
    return Item((p, q), _matmul(left, right))


def _scalar_product(vectors: list[Item], var: Var) -> Matrix:
    if len(vectors) == 2 and all(v.exponent == 1 for v in vectors):
        return _matmul(Matrix("transposed", (vectors[0].matrix,)), vectors[1].matrix)
    if len(vectors) == 1 and vectors[0].exponent == 2:
        return _matmul(Matrix("transposed", (vectors[0].matrix,)), vectors[0].matrix)
    return _matmul(Matrix("transposed", (ONES,)), _combined(vectors, (var,)))


def _as_row(m: Matrix) -> Matrix:
    """Mᵀ v is written as the row vᵀ M, and vᵀ Mᵀ v as vᵀ M v."""
    if m.kind == "scaled" and m.parts and len(m.parts) > len(m.exponents):
        return m._replace(parts=(*m.parts[:-1], _as_row(m.parts[-1])))
    if m.kind != "matmul":
        return m
    strokes = sum(_has_stroke(p) for p in m.parts)
    turned = _turned(m)
    if turned.kind != "matmul":
        return m
    return turned if sum(_has_stroke(p) for p in turned.parts) <= strokes else m


def _has_stroke(m: Matrix) -> bool:
    return m.kind == "transposed" or (m.kind == "entrywise" and any(map(_has_stroke, m.parts)))
