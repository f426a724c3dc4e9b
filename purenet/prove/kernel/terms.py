"""Terms: polynomials with rational coefficients whose indeterminates are indexed factors.

A `Poly` is a sum of monomials; a monomial is a product of factors to rational powers; a factor is
an entry of an array, a sum over an index, a function of a `Poly`, a condition that is 0 or 1, …
An index is itself a `Poly` (in index variables, sizes and integer entries).

Values are immutable and compared by a 128-bit digest of their contents. Bound variables are named
by the height of their binder (see `sums`), so terms that differ in bound names are the same term.

Powers are total: 0 to a negative power is 0, so x·x⁻¹ is 1 − [x = 0] (Lean and Coq do the same).
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from hashlib import blake2b
from math import inf
from typing import Any, Generic, Self, TypeVar, overload

Number = int | Fraction
Monomial = tuple[tuple["Factor", Number], ...]
T = TypeVar("T")
SIXTEEN = (16).to_bytes(4, "big")


def digest(*parts: object) -> bytes:
    """The contents of a term in 16 bytes."""
    chunks = []
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        chunks += [SIXTEEN if len(data) == 16 else len(data).to_bytes(4, "big"), data]
    return blake2b(b"".join(chunks), digest_size=16).digest()


class computed(Generic[T]):
    """A property that is computed once. That of functools takes a lock until Python 3.12."""

    def __init__(self, function: Callable[[Any], T]):
        """Keep the function, and what it is called."""
        self.function, self.name = function, function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> T: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        """Compute it, and leave it where the next look finds it first."""
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.function(instance)
        return value


class Term(bytes):
    """What terms share: they are their digest, so that equality, hash and order are those of bytes.

    Terms are the keys of almost every mapping here; no Python code runs to compare them.
    """

    @property
    def digest(self) -> bytes:
        """The contents in 16 bytes."""
        return self


class Var(Term):
    """An index variable: 0 <= var < size."""

    name: str
    size: "Poly"

    def __new__(cls, name: str, size: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("var", name, size.digest))
        self.name, self.size = name, size
        return self

    def __repr__(self) -> str:
        """Return it as text."""
        return self.name


class Array(Term):
    """An array that is given: an argument, a cotangent or a tangent."""

    name: str
    shape: tuple["Poly", ...]
    kind: str  # real, integer, boolean
    low: float
    high: float  # an open interval
    nonzero: bool
    limit: "Poly | None"  # 0 <= integer < limit
    simplex: bool  # rows sum to 1; used only once derivatives have been taken …
    distribution: bool  # … in the array that then takes its place

    def __new__(
        cls,
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
    ) -> Self:
        """Compute the digest."""
        # Everything that is known of it: what holds of one array must not be taken for another.
        known = (kind, low, high, nonzero, simplex, distribution)
        sizes = [*shape, limit] if limit is not None else shape
        self = super().__new__(cls, digest("array", name, known, *(s.digest for s in sizes)))
        self.name, self.shape, self.kind = name, shape, kind
        self.low, self.high, self.nonzero = low, high, nonzero
        self.limit, self.simplex, self.distribution = limit, simplex, distribution
        return self

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

    @computed
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset().union(*(p.free for p in self.polys))

    @computed
    def height(self) -> int:
        """How deep binders are nested."""
        return max((p.height for p in self.polys), default=0)

    @computed
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset().union(*(p.arrays for p in self.polys))

    @computed
    def marks(self) -> frozenset[str]:
        """What kinds of things occur at any depth, so that nobody searches in vain."""
        return frozenset({self.mark}).union(*(p.marks for p in self.polys))

    @property
    def mark(self) -> str:
        """What kind of thing this is."""
        return type(self).__name__

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return type(self).__name__

    @computed
    def blind(self) -> bytes:
        """The digest with every index variable erased: decides about signs whatever the names."""
        if not self.polys:
            return digest(self.head, self.digest)
        return digest(self.head, *[p.blind for p in self.polys])

    def seen(self, var: Var) -> bytes:
        """The digest with every index variable erased but one."""
        if var not in self.free:
            return self.blind
        return digest(self.head, *[p.seen(var) for p in self.polys])


class Size(Factor):
    """A size of an array as a number; at least `low` >= 1."""

    name: str
    low: int

    def __new__(cls, name: str, low: int = 1) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("size", name, low))
        self.name, self.low = name, low
        return self


class Index(Factor):
    """The value of an index variable."""

    var: Var

    def __new__(cls, var: Var) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("index", var.digest))
        self.var = var
        return self

    @computed
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset({self.var})

    @computed
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return b"index"

    def seen(self, var: Var) -> bytes:
        """The digest with every index variable erased but one."""
        return b"this index" if var == self.var else b"index"


class Constant(Factor):
    """A number that is not rational: pi, a prime to a power between 0 and 1, or minus infinity."""

    name: str
    value: float

    def __new__(cls, name: str, value: float) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("constant", name, value))
        self.name, self.value = name, value
        return self


class Entry(Factor):
    """array[index]."""

    array: Array

    def __new__(cls, array: Array, index: tuple["Poly", ...]) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("entry", array.digest, *(p.digest for p in index)))
        self.array, self.polys = array, index
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return ("entry", self.array.name)

    @computed
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset({self.array}).union(*(p.arrays for p in self.polys))


class Definition(Term):
    """A named intermediate array: slots ↦ body."""

    slots: tuple[Var, ...]
    body: "Poly"

    def __new__(cls, slots: tuple[Var, ...], body: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("definition", *(v.digest for v in slots), body.digest))
        self.slots, self.body = slots, body
        return self


class Named(Factor):
    """An entry of a named intermediate array."""

    definition: Definition

    def __new__(cls, definition: Definition, index: tuple["Poly", ...]) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("named", definition.digest, *(p.digest for p in index)))
        self.definition, self.polys = definition, index
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return self.definition.digest

    @computed
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return self.definition.body.arrays.union(*(p.arrays for p in self.polys))

    @computed
    def marks(self) -> frozenset[str]:
        """What kinds of things occur at any depth."""
        return self.definition.body.marks.union({self.mark}, *(p.marks for p in self.polys))


class Binder(Factor):
    """A sum, a maximum or the position of a maximum over bound variables."""

    tag: str  # sum, max, argmax
    bound: tuple[Var, ...]

    def __new__(cls, tag: str, bound: tuple[Var, ...], body: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest(tag, *(v.digest for v in bound), body.digest))
        self.tag, self.bound, self.polys = tag, bound, (body,)
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return self.tag

    rigid = False  # whether its labels do not depend on the names of free variables

    @property
    def body(self) -> "Poly":
        """What is bound."""
        return self.polys[0]

    @computed
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return self.body.free - set(self.bound)

    @computed
    def height(self) -> int:
        """How deep binders are nested."""
        return self.body.height + 1


class Call(Factor):
    """A function of one real argument, by name; `order` counts derivatives of an opaque one."""

    name: str
    order: int

    def __new__(cls, name: str, argument: "Poly", order: int = -1) -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("call", name, order, argument.digest))
        self.name, self.order, self.polys = name, order, (argument,)
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return (self.name, self.order)

    @property
    def argument(self) -> "Poly":
        """What the function is applied to."""
        return self.polys[0]


class Base(Factor):
    """A polynomial of several terms as the base of a power that is not a natural number."""

    def __new__(cls, poly: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("base", poly.digest))
        self.polys = (poly,)
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return "base"

    @property
    def poly(self) -> "Poly":
        """The polynomial."""
        return self.polys[0]


class Digit(Factor):
    """The quotient or the remainder of an index by a size: an axis that was merged from two."""

    tag: str  # quotient, remainder

    def __new__(cls, tag: str, flat: "Poly", size: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("digit", tag, flat.digest, size.digest))
        self.tag, self.polys = tag, (flat, size)
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return self.tag


class Iverson(Factor):
    """1 where the relation holds, else 0: `>`, `=` for real terms, `>=`, `==` for integers."""

    relation: str

    def __new__(cls, relation: str, poly: "Poly") -> Self:
        """Compute the digest."""
        self = super().__new__(cls, digest("iverson", relation, poly.digest))
        self.relation, self.polys = relation, (poly,)
        return self

    @property
    def head(self) -> object:
        """What it is, apart from its parts."""
        return self.relation

    @property
    def mark(self) -> str:
        """What kind of thing this is."""
        return self.relation

    @property
    def poly(self) -> "Poly":
        """The polynomial."""
        return self.polys[0]


class Poly:
    """A polynomial: a mapping from monomials to rational coefficients that are not 0."""

    def __init__(self, terms: Mapping[Monomial, Number]):
        """Keep the terms, which must not be changed."""
        self.terms = terms

    def __eq__(self, other: object) -> bool:
        """By its terms."""
        return self is other or (isinstance(other, Poly) and self.terms == other.terms)

    def __hash__(self) -> int:
        """By digest."""
        return hash(self.digest)

    @computed
    def digest(self) -> bytes:
        """The contents in 16 bytes, whatever the order of terms."""
        rows = sorted(
            [digest(c, *[part for pair in m for part in pair]) for m, c in self.terms.items()]
        )
        return digest("poly", *rows)

    @computed
    def blind(self) -> bytes:
        """The digest with every index variable erased."""
        return digest("poly", *sorted(digest(blind(m), c) for m, c in self.terms.items()))

    def seen(self, var: Var) -> bytes:
        """The digest with every index variable erased but one: the part that it plays."""
        if var not in self.free:
            return self.blind
        return digest("poly", *sorted([digest(seen(m, var), c) for m, c in self.terms.items()]))

    @computed
    def factors(self) -> frozenset[Factor]:
        """The indeterminates."""
        return frozenset([f for m in self.terms for f, _ in m])

    @computed
    def free(self) -> frozenset[Var]:
        """The index variables that are not bound."""
        return frozenset().union(*[f.free for f in self.factors])

    @computed
    def height(self) -> int:
        """How deep binders are nested."""
        return max((f.height for f in self.factors), default=0)

    @computed
    def arrays(self) -> frozenset[Array]:
        """The given arrays that occur."""
        return frozenset().union(*(f.arrays for f in self.factors))

    @computed
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
    if type(value) is int:
        return value
    return value.numerator if value.denominator == 1 else value


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
    first, *others = [poly for poly in polys if poly.terms] or [ZERO]
    if not others:
        return first
    total = dict(first.terms)
    for poly in others:
        for monomial, coefficient in poly.terms.items():
            if monomial not in total:
                total[monomial] = coefficient
            elif value := total[monomial] + coefficient:
                total[monomial] = rational(value)
            else:
                del total[monomial]
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
    return tuple(sorted(factors))


def blind(monomial: Monomial) -> bytes:
    """A monomial's digest with every index variable erased."""
    return digest(*sorted([digest(f.blind, e) for f, e in monomial]))


def seen(monomial: Monomial, var: Var) -> bytes:
    """A monomial's digest with every index variable erased but one."""
    return digest(*sorted([digest(f.seen(var), e) for f, e in monomial]))


def leading(poly: Poly) -> Monomial:
    """The monomial that decides about signs, whatever the names of index variables."""
    return max(poly.terms, key=lambda m: (blind(m), digest(*(f.digest for f, _ in m))))
