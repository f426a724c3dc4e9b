"""Terms as a person would write them: common factors taken out, sums over the same range joined.

The normal form of the kernel is expanded, which is right for deciding and wrong for reading. A tree
of nodes says the same in fewer symbols. Nothing that is decided depends on this module.
"""

from fractions import Fraction

from purenet.prove.kernel import calculus
from purenet.prove.kernel.factorisation import factorised, name_of, simplicity, sort_name
from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Digit,
    Entry,
    Index,
    Iverson,
    Named,
    Size,
)
from purenet.prove.kernel.joined_sums import join_sums, open_binder
from purenet.prove.kernel.linear import PI, add, rational, scale
from purenet.prove.kernel.nodes import HALF, Apply, Big, Condition, Leaf, Node, Part, Product, Sum
from purenet.prove.kernel.terms import Factor, Monomial, Number, Poly

RANKS = (Constant, Size, Index, Digit, Named, Entry, Call, Base, Iverson, Binder)
COTANGENTS = ("ct", "delta")  # written before other entries


def layout(poly: Poly) -> Product:
    """The tree of a term."""
    joined = join_sums(poly)
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
        return True, weighted, len(monomial), sort_name(monomial), simplicity(monomial)[1]
    return False, not weighted and bool(monomial), len(monomial), sort_name(monomial), 0


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
    return rank, places, name_of(factor).swapcase(), factor.blind, factor.digest


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
        bound, body = open_binder(factor)
        return Big(factor.tag, bound, layout(body))
    if isinstance(factor, Call):
        return Apply(factor.name, factor.order, layout(factor.argument))
    if isinstance(factor, Iverson):
        return compare(factor.poly, factor.relation)
    if isinstance(factor, Digit):
        return Part(factor.tag, layout(factor.polys[0]), layout(factor.polys[1]))
    assert isinstance(factor, Base)
    return layout(factor.poly)
