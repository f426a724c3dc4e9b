"""Terms: polynomials with rational coefficients whose indeterminates are indexed factors.

A `Poly` is a sum of monomials; a monomial is a product of factors to rational powers; a factor (see
`factors`) contains polynomials. An index is itself a `Poly` (in index variables, sizes and integer
entries).

Values are immutable and compared by a 128-bit digest of their contents. Bound variables are named
by the height of their binder (see `sums`), so terms that differ in bound names are the same term.

Powers are total: 0 to a negative power is 0, so x·x⁻¹ is 1 − [x = 0] (Lean and Coq do the same).
"""

from collections.abc import Mapping
from fractions import Fraction
from math import inf
from typing import Self

from purenet.prove.kernel.hashing import Term, computed, digest

Number = int | Fraction
Monomial = tuple[tuple["Factor", Number], ...]


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


def blind(monomial: Monomial) -> bytes:
    """A monomial's digest with every index variable erased."""
    return digest(*sorted([digest(f.blind, e) for f, e in monomial]))


def seen(monomial: Monomial, var: Var) -> bytes:
    """A monomial's digest with every index variable erased but one."""
    return digest(*sorted([digest(f.seen(var), e) for f, e in monomial]))
