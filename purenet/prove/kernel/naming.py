"""Names for index variables and named intermediates: an axis of one size has one letter."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from purenet.prove.kernel.factors import Constant, Definition, Size
from purenet.prove.kernel.linear import atom
from purenet.prove.kernel.nodes import Big, Leaf, Node, bare, children
from purenet.prove.kernel.terms import Array, Poly, Var

LETTERS = "ijklpqrstuvwh"
BATCH = atom(Size("batch"))


@dataclass(frozen=True)
class Names:
    """What variables and definitions are called; `families` are the letters of each size."""

    variables: dict[Var, str] = field(default_factory=dict)
    definitions: dict[Definition, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    families: dict[Poly, list[str]] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)  # another sign for a name, in text

    def within(self, bound: Iterable[Var]) -> "Names":
        """The names where more variables are visible."""
        variables = dict(self.variables)
        for var in bound:
            if var not in variables:
                variables[var] = self._letter(var, set(variables.values()))
        return replace(self, variables=variables)

    def of(self, leaf: Leaf) -> str:
        """The name of what a leaf stands for."""
        if isinstance(leaf.of, Var):
            return self.variables.get(leaf.of) or leaf.of.name
        if isinstance(leaf.of, Definition):
            return self.definitions[leaf.of]
        return leaf.of.name

    def _letter(self, var: Var, visible: set[str]) -> str:
        own = re.fullmatch(r"(?!slot)[A-Za-z][A-Za-z0-9]*", var.name)
        if own and var.name not in visible:
            return var.name
        family = self.families.setdefault(var.size, [])
        for letter in family:
            if letter not in visible:
                return letter
        owned = {letter for letters in self.families.values() for letter in letters}
        choices = [c for c in _preferred(var.size) if c not in self.taken | visible]
        letter = next((c for c in choices if c not in owned), choices[0])
        family.append(letter)
        return letter


def _preferred(size: Poly) -> Iterator[str]:
    if size == BATCH:
        yield from "brst"
    yield from LETTERS
    for number in range(1, 1000):
        yield f"i{number}"


def names_for(
    trees: Iterable[Node],
    arrays: Iterable[Array] = (),
    definitions: Mapping[Definition, str] | None = None,
) -> Names:
    """Names without clashes for terms that are read together; `arrays` come first."""
    arrays, definitions = tuple(arrays), dict(definitions or {})
    leaves = [n for tree in trees for n in walk(tree) if isinstance(n, Leaf)]
    taken = {a.name for a in arrays} | set(definitions.values())
    taken |= {f.name for a in arrays for s in a.shape for f in s.factors if isinstance(f, Size)}
    taken |= {n.of.name for n in leaves if isinstance(n.of, Array | Size | Constant)}
    names = Names({}, definitions, frozenset(taken), {})
    for array in arrays:
        seen: set[str] = set()
        for axis, size in enumerate(array.shape):
            if size.constant() != 1:
                seen.add(names._letter(Var(f"axis#{axis}", size), seen))
    return names


def walk(node: Node) -> Iterator[Node]:
    """A node and all nodes inside."""
    yield node
    for child in children(node):
        yield from walk(child)


def free(node: Node) -> list[Var]:
    """The variables that no sum binds, the oldest first."""
    found = {n.of for n in walk(node) if isinstance(n, Leaf) and isinstance(n.of, Var)}
    bound = {v for n in walk(node) if isinstance(n, Big) for v in n.bound}
    return sorted(found - bound, key=age)


def bare_index(node: Node) -> Var | None:
    """The variable that an index is, if it is nothing else."""
    inner = bare(node)
    return inner.of if isinstance(inner, Leaf) and isinstance(inner.of, Var) else None


def age(var: Var) -> tuple[int, str]:
    """Fresh variables carry the number in which they were made."""
    _, _, number = var.name.partition("#")
    return (int(number) if number.isdigit() else -1), var.name
