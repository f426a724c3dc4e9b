"""The kinds of factors: the indeterminates of terms, and what each of them contains.

A factor is a size, an index, an entry of an array, a sum over an index, a function of a `Poly`, a
condition that is 0 or 1, …
"""

from typing import Self

from purenet.prove.kernel.hashing import Term, computed, digest
from purenet.prove.kernel.terms import Array, Factor, Poly, Var


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
