"""Terms: polynomials with rational coefficients whose indeterminates are indexed factors.

A `Poly` is a sum of monomials; a monomial is a product of factors to rational powers; a factor is
an entry of an array, a sum over an index, a function of a `Poly`, a condition that is 0 or 1, …
An index is itself a `Poly` (in index variables, sizes and integer entries).

Values are immutable and compared by a 128-bit digest of their contents. Bound variables are named
by the height of their binder (see `sums`), so terms that differ in bound names are the same term.

Powers are total: 0 to a negative power is 0, so x·x⁻¹ is 1 − [x = 0] (Lean and Coq do the same).
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from hashlib import blake2b
from math import inf

Number = int | Fraction
Monomial = tuple[tuple["Factor", Number], ...]


def digest(*parts: object) -> bytes:
    """The contents of a term in 16 bytes."""
    state = blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        state.update(len(data).to_bytes(4, "big"))
        state.update(data)
    return state.digest()


class Term:
    """What all terms share: equality and hash by digest."""

    digest: bytes

    def __eq__(self, other: object) -> bool:
        """By digest."""
        return self is other or (isinstance(other, Term) and self.digest == other.digest)

    def __hash__(self) -> int:
        """By digest."""
        return hash(self.digest)


class Var(Term):
    """An index variable: 0 <= var < size."""

    def __init__(self, name: str, size: "Poly"):
        """Compute the digest."""
        self.name, self.size = name, size
        self.digest = digest("var", name, size.digest)

    def __repr__(self) -> str:
        """Return it as text."""
        return self.name


class Array(Term):
    """An array that is given: an argument, a cotangent or a tangent."""

    def __init__(
        self,
        name: str,
        shape: tuple["Poly", ...],
        *,
        kind: str = "real",
        low: float = -inf,
        high: float = inf,
        nonzero: bool = False,
        limit: "Poly | None" = None,
        simplex: bool = False,
        distribution: bool = False,
    ):
        """Compute the digest."""
        self.name, self.shape, self.kind = name, shape, kind  # kind: real, integer, boolean
        self.low, self.high, self.nonzero = low, high, nonzero  # an open interval
        self.limit = limit  # 0 <= integer < limit
        self.simplex = simplex  # rows sum to 1; used only once derivatives have been taken …
        self.distribution = distribution  # … in the array that then takes its place
        # Everything that is known of it: what holds of one array must not be taken for another.
        known = (kind, low, high, nonzero, simplex, distribution)
        sizes = [*shape, limit] if limit is not None else shape
        self.digest = digest("array", name, known, *(s.digest for s in sizes))

    def summing(self) -> "Array":
        """The same array, of which each row is known to sum to 1."""
        return Array(self.name, self.shape, low=self.low, high=self.high, distribution=True)

    @property
    def binary(self) -> bool:
        """Every entry is 0 or 1."""
        two = self.limit is not None and self.limit.constant() == 2
        return self.kind == "boolean" or (self.kind == "integer" and two)

    def __repr__(self) -> str:
        """Return it as text."""
        return self.name


class Factor(Term):
    """An indeterminate of the polynomials; `parts` are the terms that it contains."""

    tag = ""
    polys: tuple["Poly", ...] = ()

    @cached_property
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset().union(*(p.free for p in self.polys))

    @cached_property
    def height(self) -> int:
        """How deep binders are nested."""
        return max((p.height for p in self.polys), default=0)

    @cached_property
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset().union(*(p.arrays for p in self.polys))

    @cached_property
    def marks(self) -> frozenset[str]:
        """What kinds of things occur at any depth, so that nobody searches in vain."""
        return frozenset({self.mark}).union(*(p.marks for p in self.polys))

    @property
    def mark(self) -> str:
        """What kind of thing this is."""
        return type(self).__name__

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased: decides about signs whatever the names."""
        return digest(type(self).__name__, self.digest)


def _blind_parts(name: object, polys: tuple["Poly", ...]) -> bytes:
    return digest(name, *(p.blind for p in polys))


class Size(Factor):
    """A size of an array as a number; at least `low` >= 1."""

    def __init__(self, name: str, low: int = 1):
        """Compute the digest."""
        self.name, self.low = name, low
        self.digest = digest("size", name, low)


class Index(Factor):
    """The value of an index variable."""

    def __init__(self, var: Var):
        """Compute the digest."""
        self.var = var
        self.digest = digest("index", var.digest)

    @cached_property
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset({self.var})

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return b"index"


class Constant(Factor):
    """A number that is not rational: pi, a prime to a power between 0 and 1, or minus infinity."""

    def __init__(self, name: str, value: float):
        """Compute the digest."""
        self.name, self.value = name, value
        self.digest = digest("constant", name, value)


class Entry(Factor):
    """array[index]."""

    def __init__(self, array: Array, index: tuple["Poly", ...]):
        """Compute the digest."""
        self.array, self.polys = array, index
        self.digest = digest("entry", array.digest, *(p.digest for p in index))

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts(("entry", self.array.name), self.polys)

    @cached_property
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset({self.array}).union(*(p.arrays for p in self.polys))


class Definition(Term):
    """A named intermediate array: slots ↦ body."""

    def __init__(self, slots: tuple[Var, ...], body: "Poly"):
        """Compute the digest."""
        self.slots, self.body = slots, body
        self.digest = digest("definition", *(v.digest for v in slots), body.digest)


class Named(Factor):
    """An entry of a named intermediate array."""

    def __init__(self, definition: Definition, index: tuple["Poly", ...]):
        """Compute the digest."""
        self.definition, self.polys = definition, index
        self.digest = digest("named", definition.digest, *(p.digest for p in index))

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts(self.definition.digest, self.polys)

    @cached_property
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return self.definition.body.arrays.union(*(p.arrays for p in self.polys))

    @cached_property
    def marks(self) -> frozenset[str]:
        """What kinds of things occur at any depth."""
        return self.definition.body.marks.union({self.mark}, *(p.marks for p in self.polys))


class Binder(Factor):
    """A sum, a maximum or the position of a maximum over bound variables."""

    def __init__(self, tag: str, bound: tuple[Var, ...], body: "Poly"):
        """Compute the digest."""
        self.tag, self.bound, self.polys = tag, bound, (body,)  # tag: sum, max, argmax
        self.digest = digest(tag, *(v.digest for v in bound), body.digest)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts(self.tag, self.polys)

    rigid = False  # whether its labels do not depend on the names of free variables

    @property
    def body(self) -> "Poly":
        """What is bound."""
        return self.polys[0]

    @cached_property
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return self.body.free - set(self.bound)

    @cached_property
    def height(self) -> int:
        """How deep binders are nested."""
        return self.body.height + 1


class Call(Factor):
    """A function of one real argument, by name; `order` counts derivatives of an opaque one."""

    def __init__(self, name: str, argument: "Poly", order: int = -1):
        """Compute the digest."""
        self.name, self.order, self.polys = name, order, (argument,)
        self.digest = digest("call", name, order, argument.digest)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts((self.name, self.order), self.polys)

    @property
    def argument(self) -> "Poly":
        """What the function is applied to."""
        return self.polys[0]


class Base(Factor):
    """A polynomial of several terms as the base of a power that is not a natural number."""

    def __init__(self, poly: "Poly"):
        """Compute the digest."""
        self.polys = (poly,)
        self.digest = digest("base", poly.digest)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts("base", self.polys)

    @property
    def poly(self) -> "Poly":
        """The polynomial."""
        return self.polys[0]


class Digit(Factor):
    """The quotient or the remainder of an index by a size: an axis that was merged from two."""

    def __init__(self, tag: str, flat: "Poly", size: "Poly"):
        """Compute the digest."""
        self.tag, self.polys = tag, (flat, size)  # tag: quotient, remainder
        self.digest = digest("digit", tag, flat.digest, size.digest)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts(self.tag, self.polys)


class Iverson(Factor):
    """1 where the relation holds, else 0: `>`, `=` for real terms, `>=`, `==` for integers."""

    def __init__(self, relation: str, poly: "Poly"):
        """Compute the digest."""
        self.relation, self.polys = relation, (poly,)
        self.digest = digest("iverson", relation, poly.digest)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return _blind_parts(self.relation, self.polys)

    @property
    def mark(self) -> str:
        """What kind of thing this is."""
        return self.relation

    @property
    def poly(self) -> "Poly":
        """The polynomial."""
        return self.polys[0]


class Poly(Term):
    """A polynomial: a mapping from monomials to rational coefficients that are not 0."""

    def __init__(self, terms: Mapping[Monomial, Number]):
        """Compute the digest."""
        self.terms = terms

    @cached_property
    def digest(self) -> bytes:  # type: ignore[override]
        """The contents in 16 bytes, whatever the order of terms."""
        rows = sorted(
            digest(c, *(part for f, e in m for part in (f.digest, e)))
            for m, c in self.terms.items()
        )
        return digest("poly", *rows)

    @cached_property
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return digest("poly", *sorted(digest(blind(m), c) for m, c in self.terms.items()))

    @cached_property
    def factors(self) -> frozenset[Factor]:
        """The indeterminates."""
        return frozenset(f for m in self.terms for f, _ in m)

    @cached_property
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset().union(*(f.free for f in self.factors))

    @cached_property
    def height(self) -> int:
        """How deep binders are nested."""
        return max((f.height for f in self.factors), default=0)

    @cached_property
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset().union(*(f.arrays for f in self.factors))

    @cached_property
    def marks(self) -> frozenset[str]:
        """What kinds of things occur at any depth."""
        return frozenset().union(*(f.marks for f in self.factors))

    @property
    def is_zero(self) -> bool:
        """Whether it is the number 0."""
        return not self.terms

    def constant(self) -> Number | None:
        """Its value if it is a rational number, else None."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    def single(self) -> tuple[Monomial, Number] | None:
        """Its monomial and coefficient if there is one only."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None

    def __repr__(self) -> str:
        """Return it as text."""
        from purenet.prove.kernel.show import text

        return text(self)


def rational(value: Number) -> Number:
    """An int where possible: cheaper to hash than a Fraction."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def number(value: Number) -> Poly:
    """A rational number as a term."""
    return Poly({(): rational(value)} if value else {})


def magnitude(value: Number) -> Number:
    """Its absolute value (abs of an int or a Fraction has no type that mypy knows)."""
    return -value if value < 0 else value


def atom(factor: Factor, exponent: Number = 1) -> Poly:
    """A single factor as a term."""
    return Poly({((factor, exponent),): 1})


ZERO, ONE = number(0), number(1)
MINUS_INFINITY = Constant("-oo", -inf)
PI = Constant("pi", 3.141592653589793)


def add(*polys: Poly) -> Poly:
    """The sum of terms."""
    total: dict[Monomial, Number] = {}
    for poly in polys:
        for monomial, coefficient in poly.terms.items():
            value = total.get(monomial, 0) + coefficient
            if value:
                total[monomial] = rational(value)
            else:
                total.pop(monomial, None)
    return Poly(total)


def scale(poly: Poly, by: Number) -> Poly:
    """A rational multiple."""
    if by == 1:
        return poly
    return Poly({m: rational(c * by) for m, c in poly.terms.items()}) if by else ZERO


def subtract(left: Poly, right: Poly) -> Poly:
    """left - right."""
    return add(left, scale(right, -1))


def index(var: Var) -> Poly:
    """An index variable as a term."""
    return atom(Index(var))


def ordered(factors: Iterable[tuple[Factor, Number]]) -> Monomial:
    """A monomial from factors and powers, in the order of digests."""
    return tuple(sorted(factors, key=lambda pair: pair[0].digest))


def blind(monomial: Monomial) -> bytes:
    """A monomial's digest with every index variable erased."""
    return digest(*sorted(digest(f.blind, e) for f, e in monomial))


def leading(poly: Poly) -> Monomial:
    """The monomial that decides about signs, whatever the names of index variables."""
    return max(poly.terms, key=lambda m: (blind(m), digest(*(f.digest for f, _ in m))))
