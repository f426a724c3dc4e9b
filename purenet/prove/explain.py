"""The derivation of a gradient as a person would write it, from the terms that were proved equal.

Definitions of named intermediates, the function, its derivative with the deltas that it has, the
sum with the cotangent, the result; and the same in matrix notation where there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from purenet.prove import abbreviate, latex, matrix, matrix_text
from purenet.prove.kernel import algebra, budget, calculus, show
from purenet.prove.kernel.factors import Definition, Size
from purenet.prove.kernel.layout import layout
from purenet.prove.kernel.linear import ONE, ZERO, index
from purenet.prove.kernel.naming import Names, bare_index, names_for
from purenet.prove.kernel.nodes import Big, Leaf, Node, Partial, Product
from purenet.prove.kernel.terms import Array, Poly, Var

LETTERS = {"z": "zuhv", "a": "ahgo", "p": "pqPQ", "s": "stcr"}
LOSSES = "LEJC"
GREEK = {"delta": "δ"}


class Quantity(NamedTuple):
    """An array as a term: the entry of `name` at `slots` is `body`."""

    name: str
    slots: tuple[Var, ...]
    body: Poly


class Equation(NamedTuple):
    """left = right, or left = first = second; `names` are those of the variables."""

    left: Node
    rights: tuple[Node, ...]
    names: Names


class MatrixEquation(NamedTuple):
    """An equation without indices."""

    left: Node
    right: matrix.Matrix
    names: Names


class Written(NamedTuple):
    """The equations of a derivation, and what each cotangent is: (cotangent, loss, output)."""

    definitions: tuple[Equation, ...]
    gradients: tuple[Equation, ...]
    matrices: tuple[MatrixEquation, ...]
    cotangents: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, eq=False)
class Derivation:
    """How gradients follow from a function; it is worked out when it is first read.

    Attributes:
        outputs: of the function, under the names by which they are shown.
        cotangents: an array for each output.
        gradients: for each differentiated argument, under its name, Σ_o ct[o] ∂f[o]/∂x[slots].
        arguments: all arrays of the function, in order.
        seconds: the limit on the work; beyond it the derivation is empty.
    """

    outputs: tuple[Quantity, ...]
    cotangents: tuple[Array, ...]
    gradients: tuple[Quantity, ...]
    arguments: tuple[Array, ...]
    seconds: float = 5.0

    @cached_property
    def written(self) -> Written | None:
        """The equations; None where they take too long."""
        try:
            with budget.limited(self.seconds):
                return _written(self)
        except (budget.TooLarge, calculus.NotLinear):
            return None

    def text(self) -> str:
        """The derivation as plain text, an equation on each line; "" where there is none."""
        if self.written is None:
            return ""
        given = [
            f"{GREEK.get(ct, ct)} = ∂{loss}/∂{output}"
            for ct, loss, output in self.written.cotangents
        ]
        lines = [f"derivation, with {', '.join(given)}:"]
        for equation in (*self.written.definitions, *self.written.gradients):
            first, *more = [show.write(r, equation.names) for r in equation.rights]
            left = show.write(equation.left, equation.names)
            lines += [f"  {left} = {first}", *(f"  {' ' * len(left)} = {r}" for r in more)]
        if self.written.matrices:
            lines.append("in matrix notation:")
        for each in self.written.matrices:
            right = matrix_text.write(each.right, each.names, matrix_text.TEXT)
            lines.append(f"  {show.write(each.left, each.names)} = {right}")
        return "\n".join(lines)

    def latex(self) -> str:
        """The same as an `aligned` environment, without delimiters; "" where there is none."""
        if self.written is None:
            return ""
        rows = []
        for equation in (*self.written.definitions, *self.written.gradients):
            first, *more = [latex.write(r, equation.names) for r in equation.rights]
            rows += [f"{latex.write(equation.left, equation.names)} &= {first}"]
            rows += [f"&= {r}" for r in more]
        for each in self.written.matrices:
            right = matrix_text.write(each.right, each.names, matrix_text.LATEX)
            rows.append(f"{latex.write(each.left, each.names)} &= {right}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def derive(
    outputs: Sequence[Quantity],
    cotangents: Sequence[Array],
    gradients: Sequence[Quantity],
    arguments: Sequence[Array],
) -> Derivation:
    """The derivation of gradients; see the attributes of `Derivation`."""
    return Derivation(
        tuple(_renamed(o, "out") for o in outputs),
        tuple(cotangents),
        tuple(_renamed(g, "in") for g in gradients),
        tuple(arguments),
    )


def _renamed(quantity: Quantity, name: str) -> Quantity:
    """With slots that are called the same in every run: the order of factors depends on it."""
    slots = tuple(Var(f"{name}#{k}", v.size) for k, v in enumerate(quantity.slots))
    values = {v: index(w) for v, w in zip(quantity.slots, slots, strict=True)}
    return Quantity(quantity.name, slots, algebra.substitute(quantity.body, values))


def _written(given: Derivation) -> Written:
    outputs, cotangents, gradients = given.outputs, given.cotangents, given.gradients
    arguments = given.arguments
    kernels = [
        (g, o, calculus.coefficient(g.body, ct, o.slots))
        for g in gradients
        for o, ct in zip(outputs, cotangents, strict=True)
        if ct in g.body.arrays
    ]
    bodies = [o.body for o in outputs], [k for *_, k in kernels], [g.body for g in gradients]
    short = abbreviate.abbreviate([b for group in bodies for b in group], arguments)
    terms = iter(short.polys)
    written = [o._replace(body=next(terms)) for o in outputs]
    steps = [(g, o, next(terms)) for g, o, _ in kernels]
    results = [g._replace(body=next(terms)) for g in gradients]
    definitions, names = _named(short, written, cotangents, arguments)
    loss = next(c for c in (*LOSSES, "Loss") if c not in names.taken)
    equations = [_definition(d, names) for d in definitions]
    equations += [_output(o, names) for o in written if not _is_named(o, names)]
    chains = [_step(*step, names) for step in steps]
    sums = [_result(g, written, cotangents, loss, names) for g in results]
    ordered = [e for r, g in zip(sums, results, strict=True) for e in (*_of(g, chains), r)]
    shown = [m for e in (*equations, *sums) if (m := _matrix(e, loss)) is not None]
    roles = tuple((ct.name, loss, o.name) for o, ct in zip(outputs, cotangents, strict=True))
    return Written(tuple(equations), tuple(ordered), tuple(shown), roles)


def _named(
    short: abbreviate.Abbreviated,
    outputs: Sequence[Quantity],
    cotangents: Sequence[Array],
    arguments: Sequence[Array],
) -> tuple[list[Definition], Names]:
    """The definitions in use, and names for all; an output names the definition that it is."""
    used = abbreviate.used(short)
    arrays = [*arguments, *cotangents]
    taken = {a.name for a in arrays} | {o.name for o in outputs}
    taken |= {f.name for a in arrays for s in a.shape for f in s.factors if isinstance(f, Size)}
    chosen = _numbered(dict(used), taken)
    for o in outputs:
        definition = _entry_of(o)
        if definition is not None:
            chosen[definition] = o.name
    trees = [layout(p) for p in (*short.polys, *(d.body for d, _ in used))]
    shown = [Array(o.name, ()) for o in outputs]
    names = names_for(trees, [*arrays, *shown], chosen)
    greek = {a.name: GREEK[a.name] for a in cotangents if a.name in GREEK}
    return [d for d, _ in used], replace(names, symbols=greek)


def _numbered(used: Mapping[Definition, tuple[str, int]], taken: set[str]) -> dict[Definition, str]:
    """z, or z1, z2, …; another letter where an argument has that name."""
    chosen: dict[Definition, str] = {}
    numbers = {
        k: sorted({n for letter, n in used.values() if letter in k}) for k in ("za", "p", "s")
    }
    for definition, (letter, number) in used.items():
        own = next(ns for k, ns in numbers.items() if letter in k)
        suffix = "" if len(own) == 1 else str(own.index(number) + 1)
        clear = [c for c in LETTERS[letter] if c + suffix not in taken | set(chosen.values())]
        chosen[definition] = (clear[0] if clear else letter + "_") + suffix
    return chosen


def _entry_of(output: Quantity) -> Definition | None:
    """The definition of which the output is the entry at its own slots."""
    single = output.body.single()
    if single is None or single[1] != 1 or len(single[0]) != 1 or single[0][0][1] != 1:
        return None
    definition = getattr(single[0][0][0], "definition", None)
    same = single[0][0][0].polys == tuple(index(v) for v in output.slots)
    return definition if same else None


def _is_named(output: Quantity, names: Names) -> bool:
    definition = _entry_of(output)
    return definition is not None and names.definitions[definition] == output.name


def _definition(definition: Definition, names: Names) -> Equation:
    left = Leaf(definition, tuple(layout(index(v)) for v in definition.slots))
    return Equation(left, (layout(definition.body),), names.within(definition.slots))


def _output(output: Quantity, names: Names) -> Equation:
    return Equation(_entry(output), (layout(output.body),), names.within(output.slots))


def _entry(quantity: Quantity) -> Leaf:
    """The array at its slots; an axis of size 1 has index 0."""
    array = Array(quantity.name, tuple(v.size for v in quantity.slots))
    return Leaf(array, tuple(layout(_at(v)) for v in quantity.slots))


def _at(var: Var) -> Poly:
    return ZERO if var.size == ONE else index(var)


def _step(gradient: Quantity, output: Quantity, kernel: Poly, names: Names) -> Equation:
    """∂f[o]/∂x[i] with its deltas."""
    left = Partial(_entry(output), _entry(gradient))
    return Equation(left, (layout(kernel),), names.within((*gradient.slots, *output.slots)))


def _of(gradient: Quantity, chains: Sequence[Equation]) -> list[Equation]:
    return [e for e in chains if isinstance(e.left, Partial) and e.left.by == _entry(gradient)]


def _result(
    gradient: Quantity,
    outputs: Sequence[Quantity],
    cotangents: Sequence[Array],
    loss: str,
    names: Names,
) -> Equation:
    """∂L/∂x[i] = Σ_o ct[o] ∂f[o]/∂x[i] = the result."""
    entry = _entry(gradient)
    left = Partial(Leaf(Array(loss, ())), entry)
    used = [
        (o, ct) for o, ct in zip(outputs, cotangents, strict=True) if ct in gradient.body.arrays
    ]
    rights: tuple[Node, ...] = (layout(gradient.body),)
    if len(used) == 1:
        rights = (_chain(*used[0], entry), *rights)
    return Equation(left, rights, names.within(gradient.slots))


def _chain(output: Quantity, cotangent: Array, entry: Leaf) -> Node:
    place = _entry(output)
    term = Product(1, ((Leaf(cotangent, place.place), 1), (Partial(place, entry), 1)))
    bound = tuple(v for v in output.slots if v.size != ONE)
    return Big("sum", bound, term) if bound else term


def _matrix(equation: Equation, loss: str) -> MatrixEquation | None:
    """The last right side without indices, if it has such a form."""
    left = equation.left
    array = left.by if isinstance(left, Partial) else left
    assert isinstance(array, Leaf)
    places = [bare_index(p) for p in array.place]
    axes = [v for v in places if v is not None]
    if len(axes) != len(places):
        return None
    found = matrix.matrix(equation.rights[-1], tuple(axes))
    if found is None:
        return None
    bare = Leaf(array.of)
    shown: Node = Partial(Leaf(Array(loss, ())), bare) if isinstance(left, Partial) else bare
    return MatrixEquation(shown, found, equation.names)
