"""Terms as a person would write them: common factors taken out, sums over the same range joined.

The normal form of the kernel is expanded, which is right for deciding and wrong for reading. A tree
of nodes says the same in fewer symbols; `show` writes it as text and `latex` as LaTeX. Nothing that
is decided depends on this module.
"""

from collections.abc import Iterable
from fractions import Fraction
from itertools import permutations
from math import gcd
from typing import NamedTuple

from purenet.prove.kernel import algebra, calculus
from purenet.prove.kernel.terms import (
    PI,
    ZERO,
    Array,
    Base,
    Binder,
    Call,
    Constant,
    Definition,
    Digit,
    Entry,
    Factor,
    Index,
    Iverson,
    Monomial,
    Named,
    Number,
    Poly,
    Size,
    Var,
    add,
    index,
    ordered,
    rational,
    scale,
)


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
HALF = Fraction(1, 2)
RANKS = (Constant, Size, Index, Digit, Named, Entry, Call, Base, Iverson, Binder)
COTANGENTS = ("ct", "delta")  # written before other entries


def layout(poly: Poly) -> Product:
    """The tree of a term."""
    joined = _joined(poly)
    if joined.is_zero:
        return Product(0)
    content, coefficient, parts = factorised(joined)
    powers = [*_powers(content), *((_sum(p), e) for p, e in parts)]
    coefficient, roots = _roots(coefficient, content)
    return Product(coefficient, (*roots, *powers))


def compare(poly: Poly, relation: str) -> Condition:
    """`poly relation 0` with what is negative on the other side."""
    constant = Poly({m: -c for m, c in poly.terms.items() if not m})
    above = Poly({m: c for m, c in poly.terms.items() if c > 0 and m})
    below = Poly({m: -c for m, c in poly.terms.items() if c < 0 and m})
    relation = relation.replace("==", "=")
    if above.is_zero:
        turned = {">": "<", ">=": "<="}.get(relation, relation)
        return Condition(layout(below), turned, layout(scale(constant, -1)))
    return Condition(layout(above), relation, layout(add(below, constant)))


def _joined(poly: Poly) -> Poly:
    """Sums over the same ranges, times the same, become one sum of several terms."""
    groups: dict[tuple[Monomial, tuple[bytes, ...]], list[tuple[Binder, Monomial, Number]]] = {}
    plain: list[Poly] = []
    for monomial, coefficient in poly.terms.items():
        inside = [f for f, e in monomial if isinstance(f, Binder) and f.tag == "sum" and e == 1]
        if not inside:
            plain.append(Poly({monomial: coefficient}))
            continue
        whole = max(inside, key=lambda f: (len(f.bound), f.height, f.digest))
        others, binder = [pair for pair in monomial if pair[0] != whole], _nested(whole)
        sizes = ordered(pair for pair in others if isinstance(pair[0], Size | Constant))
        key = ordered(set(others) - set(sizes)), tuple(sorted(v.size.digest for v in binder.bound))
        groups.setdefault(key, []).append((binder, sizes, coefficient))
    for (rest, _), members in groups.items():
        joined, content, coefficient = _together(members)
        if coefficient:
            plain.append(Poly({_times(_times(rest, content), [(joined, 1)]): coefficient}))
    return add(*plain)


def _together(members: list[tuple[Binder, Monomial, Number]]) -> tuple[Binder, Monomial, Number]:
    """One sum, and what stands before it."""
    first, sizes, by = min(members, key=lambda member: member[0].digest)
    if len(members) == 1:
        return first, sizes, by
    bound, body = _opened(first)
    total = ZERO
    for binder, sizes, by in members:
        own = body if binder == first else _aligned(bound, body, binder)
        factor = Poly({_times(m, sizes): c for m, c in own.terms.items()})
        total = add(total, scale(factor, by))
    if total.is_zero:
        return first, (), 0
    content, common, _ = factorised(total)
    outside = ordered(pair for pair in content if not pair[0].free & set(bound))
    inverse = [(f, -e) for f, e in outside]
    terms = {_times(m, inverse): rational(c / Fraction(common)) for m, c in total.terms.items()}
    return _closed(bound, Poly(terms)), outside, common


def _aligned(bound: tuple[Var, ...], total: Poly, binder: Binder) -> Poly:
    """The body with the variables `bound`, in the order that shares most factors with `total`."""
    bodies = [
        algebra.substitute(
            binder.body, {v: index(w) for v, w in zip(binder.bound, order, strict=True)}
        )
        for order in permutations(bound)
        if all(v.size == w.size for v, w in zip(binder.bound, order, strict=True))
    ]
    return max(bodies, key=lambda p: len(p.factors & total.factors))


def _closed(bound: tuple[Var, ...], body: Poly) -> Binder:
    """A sum of several terms, its variables named by its height as in `sums`."""
    names = tuple(Var(f"β{body.height + 1}.{k}", v.size) for k, v in enumerate(bound))
    values = {v: index(w) for v, w in zip(bound, names, strict=True)}
    return Binder("sum", names, algebra.substitute(body, values))


def _nested(binder: Binder) -> Binder:
    """Σ_{j,k} f(k) g(j,k) as Σ_k f(k) Σ_j g(j,k), for an index that is in one factor only."""
    single = binder.body.single()
    if len(binder.bound) == 1 or single is None:
        return binder
    bound, body = _opened(binder)
    opened = body.single()
    if opened is None:
        return binder
    monomial = opened[0]
    for var in bound:
        inside = [pair for pair in monomial if var in pair[0].free]
        others = tuple(v for v in bound if v != var)
        outside = [pair for pair in monomial if pair not in inside]
        if len(inside) != 1 or not all(
            any(f.free & set(others) for f, _ in part) for part in (inside, outside)
        ):
            continue
        inner = _closed((var,), Poly({tuple(inside): 1}))
        rest = ordered([*outside, (inner, 1)])
        return _nested(_closed(others, Poly({rest: 1})))
    return binder


def factorised(poly: Poly) -> tuple[Monomial, Number, list[tuple[Poly, int]]]:
    """content, coefficient and sums whose product is the term: as far as is easily seen."""
    content, coefficient, primitive = _content(poly)
    if len(primitive.terms) == 1:
        return content, coefficient * primitive.terms[()], []
    root = algebra.square_root(primitive)
    if root is not None:
        return content, coefficient, [(_signed(root)[1], 2)]
    pieces = _split(primitive)
    if pieces is None:
        sign, primitive = _signed(primitive)
        plain = () not in primitive.terms or not content
        if coefficient * sign < 0 and plain and any(c < 0 for c in primitive.terms.values()):
            sign, primitive = -sign, scale(primitive, -1)
        return content, coefficient * sign, [(primitive, 1)]
    parts: list[tuple[Poly, int]] = []
    for piece in pieces:
        more, by, inner = factorised(piece)
        content, coefficient = _times(content, more), coefficient * by
        parts += inner
    return content, rational(coefficient), parts


def _content(poly: Poly) -> tuple[Monomial, Number, Poly]:
    """What all monomials share, and the rest."""
    coefficients = [Fraction(c) for c in poly.terms.values()]
    numerator = gcd(*(c.numerator for c in coefficients))
    denominator = 1
    for c in coefficients:
        denominator = denominator * c.denominator // gcd(denominator, c.denominator)
    shared: dict[Factor, Number] = {}
    for factor in poly.factors:
        exponents = [dict(m).get(factor, 0) for m in poly.terms]
        if min(exponents) > 0 or max(exponents) < 0:
            shared[factor] = min(exponents, key=lambda e: max(e, -e))
    content = ordered(shared.items())
    by = Fraction(numerator, denominator)
    inverse = ordered((f, -e) for f, e in content)
    return (
        content,
        rational(by),
        Poly({_times(m, inverse): rational(c / by) for m, c in poly.terms.items()}),
    )


def _times(
    left: Iterable[tuple[Factor, Number]], right: Iterable[tuple[Factor, Number]]
) -> Monomial:
    powers = dict(left)
    for factor, exponent in right:
        powers[factor] = rational(powers.get(factor, 0) + exponent)
    return ordered((f, e) for f, e in powers.items() if e)


def _split(poly: Poly) -> tuple[Poly, Poly] | None:
    """Two factors of a sum: in powers of one factor, all coefficients are multiples of one sum."""
    if len(poly.terms) < 4:
        return None
    for factor in sorted(poly.factors, key=lambda f: f.digest):
        by_power: dict[Number, dict[Monomial, Number]] = {}
        for m, c in poly.terms.items():
            rest = ordered(pair for pair in m if pair[0] != factor)
            by_power.setdefault(dict(m).get(factor, 0), {})[rest] = c
        if len(by_power) < 2 or any(len(group) < 2 for group in by_power.values()):
            continue
        quotient: list[Poly] = []
        common = None
        for exponent, group in by_power.items():
            content, coefficient, primitive = _content(Poly(group))
            sign, primitive = _signed(primitive)
            if common not in (None, primitive):
                break
            common = primitive
            quotient.append(Poly({_times(content, [(factor, exponent)]): coefficient * sign}))
        else:
            assert common is not None
            return common, add(*quotient)
    return None


def _signed(poly: Poly) -> tuple[int, Poly]:
    """A constant is positive; without one, the simplest term is."""
    first = min(poly.terms, key=_simplicity)
    return (1, poly) if poly.terms[first] > 0 else (-1, scale(poly, -1))


def _simplicity(monomial: Monomial) -> tuple[object, ...]:
    tests = sum(isinstance(f, Iverson) for f, _ in monomial)
    height = max((f.height for f, _ in monomial), default=0)
    return tests, height, len(monomial), _sort_name(monomial)


def _sort_name(monomial: Monomial) -> list[str]:
    return sorted(_name(f) for f, _ in monomial)


def _name(factor: Factor) -> str:
    if isinstance(factor, Entry):
        return factor.array.name
    if isinstance(factor, Index):
        return factor.var.name
    if isinstance(factor, Size | Constant | Call):
        return factor.name
    return type(factor).__name__


def _sum(poly: Poly) -> Sum:
    """A sum without a common factor; three terms or more are grouped by what most of them share."""
    rest = dict(poly.terms)
    terms: list[tuple[tuple[object, ...], Product]] = []
    while len(rest) >= 3:
        counts: dict[tuple[Factor, bool], list[Monomial]] = {}
        for m in rest:
            for f, e in m:
                if not isinstance(f, Size | Constant):
                    counts.setdefault((f, e > 0), []).append(m)
        best = max(counts, key=lambda k: (len(counts[k]), k[0].height, k[0].digest), default=None)
        if best is None or len(counts[best]) < 2 or len(counts[best]) == len(poly.terms):
            break
        group = Poly({m: rest.pop(m) for m in counts[best]})
        terms.append(((*_order(*_leading(group)),), layout(group)))
    terms += [(_order(m, c), layout(Poly({m: c}))) for m, c in rest.items()]
    return Sum(tuple(p for _, p in sorted(terms, key=lambda t: (t[1].coefficient < 0, t[0]))))


def _leading(poly: Poly) -> tuple[Monomial, Number]:
    return min(poly.terms.items(), key=lambda t: _order(*t))


def _order(monomial: Monomial, coefficient: Number) -> tuple[object, ...]:
    """Positive before negative; a weighted sum before what is added to it; numbers first."""
    weighted = any(isinstance(f, Binder) for f, _ in monomial)
    if coefficient < 0:
        return True, weighted, len(monomial), _sort_name(monomial), _simplicity(monomial)[1]
    return False, not weighted and bool(monomial), len(monomial), _sort_name(monomial), 0


def _powers(monomial: Monomial) -> list[tuple[Node, Number]]:
    """The factors of a product in the order in which they are written; exp(a)·exp(b) is joined."""
    exponentials = [(f, e) for f, e in monomial if _is_exp(f)]
    others = [
        (f, e) for f, e in monomial if not _is_exp(f) and not (_is_number(f) and e.denominator == 2)
    ]
    nodes = [(_rank(f), (_node(f), e)) for f, e in others]
    if exponentials:
        argument = add(*(scale(f.polys[0], e) for f, e in exponentials))
        nodes.append(((6, 0, "exp"), (Apply("exp", -1, layout(argument)), 1)))
    return [pair for _, pair in sorted(nodes, key=lambda n: n[0])]


def _is_exp(factor: Factor) -> bool:
    return isinstance(factor, Call) and factor.name == "exp"


def _is_number(factor: Factor) -> bool:
    return isinstance(factor, Constant) and (factor.name.isdigit() or factor == PI)


def _rank(factor: Factor) -> tuple[object, ...]:
    """Matrices before vectors, data (in small letters) before weights, conditions late."""
    if isinstance(factor, Entry) and factor.array.name.startswith(COTANGENTS):
        return 3, -9, "", factor.digest, b""
    if isinstance(factor, Iverson) and not factor.arrays:
        return 2, 0, "", factor.blind, factor.digest
    rank = RANKS.index(type(factor)) if type(factor) in RANKS else 3
    places = -len(factor.polys) if isinstance(factor, Entry | Named) else 0
    return rank, places, _name(factor).swapcase(), factor.blind, factor.digest


def _roots(coefficient: Number, monomial: Monomial) -> tuple[Number, list[tuple[Node, Number]]]:
    """√2·√5/2 as √10/2 and √2/2 as 1/√2: the primes and pi under one root above, one below."""
    value = Fraction(coefficient)
    above, below = 1, 1
    pi: Number = 0
    for factor, exponent in monomial:
        if not _is_number(factor) or exponent.denominator != 2:
            continue
        if factor == PI:
            pi = exponent
            continue
        prime = int(factor.name)  # type: ignore[attr-defined]
        if value.denominator % prime == 0 and exponent == HALF:
            value, below = value * prime, below * prime
        elif exponent == HALF:
            above *= prime
        elif exponent == -HALF:
            below *= prime
        else:
            value, above = value * Fraction(prime) ** (exponent - HALF).numerator, above * prime
    roots = [(above, pi if pi > 0 else 0, HALF), (below, -pi if pi < 0 else 0, -HALF)]
    return rational(value), [
        (Product(number, ((Leaf(PI), 2 * power),) if power else ()), exponent)
        for number, power, exponent in roots
        if number != 1 or power
    ]


def _node(factor: Factor) -> Node:
    if isinstance(factor, Size | Constant):
        return Leaf(factor)
    if isinstance(factor, Index):
        return Leaf(factor.var)
    if isinstance(factor, Entry):
        return Leaf(factor.array, tuple(layout(p) for p in factor.polys))
    if isinstance(factor, Named):
        place = tuple(layout(p) for p in factor.polys)
        return Leaf(factor.definition, place, calculus.unfold(factor))
    if isinstance(factor, Binder):
        bound, body = _opened(factor)
        return Big(factor.tag, bound, layout(body))
    if isinstance(factor, Call):
        return Apply(factor.name, factor.order, layout(factor.argument))
    if isinstance(factor, Iverson):
        return compare(factor.poly, factor.relation)
    if isinstance(factor, Digit):
        return Part(factor.tag, layout(factor.polys[0]), layout(factor.polys[1]))
    assert isinstance(factor, Base)
    return layout(factor.poly)


def _opened(binder: Binder) -> tuple[tuple[Var, ...], Poly]:
    """The body with names that are the same in every run: the order of factors uses them."""
    own = binder.digest.hex()[:12]
    new = tuple(Var(f"{own}#{k}", v.size) for k, v in enumerate(binder.bound))
    values = {v: index(w) for v, w in zip(binder.bound, new, strict=True)}
    return new, algebra.substitute(binder.body, values)


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
