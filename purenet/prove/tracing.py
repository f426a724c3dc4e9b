"""Trace a function at named sizes, and again where two sizes coincide.

JAX traces with symbolic dimensions, and decides `n == 1` and `n == m` as False while it does. So a
theorem about the general program says nothing of the sizes where that is wrong: `coincidences`
lists them, and `same_program` says whether the program there is the general one all the same.
Everything is traced in float64, whatever the global flags say.
"""

import contextlib
import functools
import inspect
import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax._src.export.shape_poly import _DimExpr
from jax.extend.core import ClosedJaxpr, Literal

from purenet.prove.domains import (
    Domain,
    Polynomial,
    leaves,
    names_in,
    nearest,
    plus,
    polynomial,
    size_text,
    sizes_of,
    substitute,
    times,
)
from purenet.prove.opaque import Opaque

JAX = os.path.dirname(jax.__file__) + os.sep
DTYPES = {"real": "float64", "distribution": "float64", "label": "int64", "boolean": "bool"}


class CannotTrace(Exception):
    """The program depends on something that is not known for all sizes or all values.

    Attributes:
        reason: what it depends on, in one line, and what would help.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason, which is also the message."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Sizes:
    """Which values the named sizes take: constraints, and the names that are made equal.

    Attributes:
        constraints: as the user wrote them, "n >= 2, n >= m".
        assignment: (name, size) pairs; the sizes hold only names that are not assigned.

    >>> sizes = Sizes("n >= 2").assign("m", "n")
    >>> sizes["m"], sizes["n"], str(sizes)
    ('n', 'n', 'm = n')
    """

    constraints: str = ""
    assignment: tuple[tuple[str, str], ...] = ()

    def assign(self, name: str, size: str | int) -> "Sizes":
        """Return the sizes with one more name made equal to a size."""
        one = {name: substitute(str(size), dict(self.assignment))}
        pairs = {old: substitute(value, one) for old, value in self.assignment} | one
        return replace(self, assignment=tuple(sorted(pairs.items())))

    def of(self, size: str) -> str:
        """Return the text of a size under the assignment: `of("2*m")`."""
        return substitute(size, dict(self.assignment))

    def __getitem__(self, name: str) -> str | int:
        """Return what a name stands for: itself, another size, or a number."""
        size = self.of(name)
        return int(size) if size.isdigit() else size

    def __str__(self) -> str:
        """Return the assignment: "n = 1, m = k"."""
        return ", ".join(f"{name} = {size}" for name, size in self.assignment)


class Traced(NamedTuple):
    """A function as a program over arrays of named sizes.

    The dims of `jaxpr` and `out_shapes` are ints or JAX dimensions; `str(dim)` is the text of a
    size, which `domains.polynomial` reads (it refuses `floordiv`, `mod`, `max` and `min`).

    Attributes:
        jaxpr: the program.
        in_domains: of each input; an input that is no argument of a domain is real.
        in_paths: what each input is called: "x", "params[0].weight".
        out_tree: the structure of the output.
        out_shapes: of each output array.
        out_dtypes: of each output array.
        compared: pairs of sizes that the program asked about with ==, and got "not equal".
    """

    jaxpr: ClosedJaxpr
    in_domains: tuple[Domain, ...]
    in_paths: tuple[str, ...]
    out_tree: Any
    out_shapes: tuple[tuple[Any, ...], ...]
    out_dtypes: tuple[Any, ...]
    compared: tuple[tuple[str, str], ...] = ()

    def output(self) -> Any:
        """Return the output as a pytree of ShapeDtypeStruct; a cotangent has the same."""
        structs = map(jax.ShapeDtypeStruct, self.out_shapes, self.out_dtypes)
        return jax.tree_util.tree_unflatten(self.out_tree, list(structs))


def read_sizes(constraints: str, domains: Any) -> Sizes:
    """Return the sizes under constraints; `n == m` and `n == 4` become assignments.

    Raises:
        ValueError: a constraint can't be read, names a size that no domain has, or leaves none.

    >>> from purenet.prove.domains import real
    >>> read_sizes("n >= 2, m == n", (real("n m"),))
    Sizes(constraints='n >= 2, m == n', assignment=(('m', 'n'),))
    """
    known = sizes_of(domains)
    sizes = Sizes(constraints)
    for constraint in _parse(constraints):
        for name in constraint.names:
            if name not in known:
                raise ValueError(
                    f"sizes: {constraint.text!r} names the size {name!r}, which no domain has"
                    f"{nearest(name, known)}"
                )
        if constraint.equal and (solved := _solve(constraint, sizes, known)):
            sizes = sizes.assign(*solved)
    if _intervals(sizes) is None:
        raise ValueError(f"sizes: no sizes satisfy {constraints!r}; sizes are 1 or more")
    return sizes


def size_bounds(sizes: Sizes | str) -> dict[str, int]:
    """Return the known lower bound of each size that is constrained; of the others it is 1.

    >>> size_bounds("n >= 2, m > n")
    {'n': 2, 'm': 3}
    """
    found = _intervals(Sizes(sizes) if isinstance(sizes, str) else sizes) or {}
    return {name: low for name, (low, _) in found.items()}


def satisfied(constraints: str, values: Mapping[str, int]) -> bool:
    """Return whether numbers for all the named sizes meet the constraints.

    >>> satisfied("n >= 2, n >= m", {"n": 3, "m": 3})
    True
    """
    rests = [(c.equal, int(substitute(c.difference, values))) for c in _parse(constraints)]
    return all(rest == 0 if equal else rest >= 0 for equal, rest in rests)


def abstract(domains: Any, sizes: Sizes) -> Any:
    """Return the domains' pytree with what is passed to the function.

    An array is a ShapeDtypeStruct whose dims are ints or symbolic, a function is an `Opaque`, a
    static value is itself.
    """
    with jax.enable_x64(True):
        return jax.tree_util.tree_map(lambda domain: _spec(domain, sizes), domains)


def trace(f: Callable[..., Any], domains: Any, sizes: Sizes, extra: Any = ()) -> Traced:
    """Return the program of `f(*domains, *extra)`, in float64.

    Args:
        f: a function of arrays and pytrees.
        domains: one domain, or pytree of domains, per argument.
        sizes: what the named sizes stand for.
        extra: more arguments, of domains or ShapeDtypeStructs at the same sizes (cotangents).

    Raises:
        CannotTrace: the program depends on an array's values, or on a size in a way that JAX
            can't decide for all sizes.
        ValueError: f does not take these arguments.
    """
    given = (*domains, *extra)
    names = argument_names(f, given)
    paths, tree = jax.tree_util.tree_flatten_with_path(given)
    with jax.enable_x64(True):
        specs = [_spec(leaf, sizes) for _, leaf in paths]
        arrays = [i for i, spec in enumerate(specs) if isinstance(spec, _Struct)]

        def program(*values: Any) -> Any:
            filled = list(specs)
            for i, value in zip(arrays, values, strict=True):
                filled[i] = value
            return f(*jax.tree_util.tree_unflatten(tree, filled))

        structs = [specs[i] for i in arrays]
        try:
            with compared_sizes() as compared:
                jaxpr, output = jax.make_jaxpr(program, return_shape=True)(*structs)
        except Exception as error:
            raise _explained(error, f, program, structs, sizes, names, given) from error
    outputs, out_tree = jax.tree_util.tree_flatten(output)
    return Traced(
        jaxpr,
        tuple(_domain(paths[i][1], sizes) for i in arrays),
        tuple(names[paths[i][0][0].idx] + _suffix(paths[i][0][1:]) for i in arrays),
        out_tree,
        tuple(tuple(struct.shape) for struct in outputs),
        tuple(struct.dtype for struct in outputs),
        tuple(dict.fromkeys(compared)),
    )


@contextlib.contextmanager
def compared_sizes() -> Iterator[list[tuple[str, str]]]:
    """Inside, every `==` of a program on a symbolic size that comes out False is written down.

    JAX answers it for sizes in general; a program may go another way where the sizes are equal.
    """
    found: list[tuple[str, str]] = []
    original = _DimExpr.__eq__

    def observed(self: Any, other: Any) -> bool:
        same = original(self, other)
        asked_by = sys._getframe(1).f_code.co_filename
        if asked_by.startswith(JAX):  # JAX chooses between ways to compute the same thing
            return same
        if not same and isinstance(other, _DimExpr | int | np.integer):
            found.append((str(self), str(other)))
        return same

    _DimExpr.__eq__ = observed  # type: ignore[method-assign]
    try:
        yield found
    finally:
        _DimExpr.__eq__ = original  # type: ignore[method-assign]


def asked(traced: Traced, domains: Any, sizes: Sizes) -> list[Sizes]:
    """The sizes at which a comparison that the program made would have come out True.

    Raises:
        CannotTrace: for a comparison that can't be solved for one of the sizes.
    """
    known = sizes_of(domains)
    found = []
    for left, right in traced.compared:
        try:
            sides = (polynomial(sizes.of(side)) for side in (left, right))
            difference = plus(next(sides), times(next(sides), {(): -1}))
        except ValueError:
            continue  # floordiv and the like: JAX asks about these, and refuses to merge them
        if not difference or any(name not in known for names in difference for name in names):
            continue
        at = _where_equal(difference, sizes, known)
        if at is not None:
            found.append(at)
    return list(dict.fromkeys(found))


def _where_equal(difference: Polynomial, sizes: Sizes, known: tuple[str, ...]) -> Sizes | None:
    """The sizes with a difference of 0; None if there are none."""
    negative = times(difference, {(): -1})
    low = dict(size_bounds(sizes).items())
    if any(_least(terms, low) > 0 for terms in (difference, negative)):
        return None
    if len(difference) == 2 and () in difference and abs(difference[()]) == 1:
        (product,) = (names for names in difference if names)
        if len(product) > 1:  # a product is 1: every factor is
            for name in product:
                sizes = sizes.assign(name, 1)
            return sizes if _intervals(sizes) is not None else None
    text = f"{size_text(difference)} == 0" if difference else "0 == 0"
    solved = _solve(_Constraint(size_text(difference), True, text), sizes, known)
    if solved is None:
        raise CannotTrace(
            f"the program asks whether {size_text(difference)} is 0, for some sizes it is"
        )
    assigned = sizes.assign(*solved)
    return assigned if _intervals(assigned) is not None else None


def _least(terms: Polynomial, low: Mapping[str, int]) -> float:
    """The least value of a size expression, each product at an end of its range."""
    ends = (
        factor * math.prod(low.get(name, 1) if factor > 0 else math.inf for name in names)
        for names, factor in terms.items()
    )
    return float(sum(ends))


def argument_names(f: Callable[..., Any], given: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the names of f's first arguments; x0, x1, ... where it does not say.

    Raises:
        ValueError: f takes fewer arguments than are given, or needs more.
    """
    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError):
        return tuple(f"x{i}" for i in range(len(given)))
    try:
        signature.bind(*given)
    except TypeError as error:
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        raise ValueError(
            f"domains: {_name(f)}{inspect.Signature(bare)} can't be called with {len(given)} "
            f"argument{'s' * (len(given) != 1)} {_listed(given)}: {error}"
        ) from None
    named = [
        p.name
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return tuple(named[i] if i < len(named) else f"x{i}" for i in range(len(given)))


def coincidences(domains: Any, sizes: Sizes, *, every: bool = False) -> list[Sizes]:
    """Return the sizes where the general program may be another one.

    Each named size is 1, or equal to another, or to a number or expression among the domains'
    sizes, unless the constraints exclude it. A coincidence may be passed as `sizes` again.

    Args:
        domains: one domain, or pytree of domains, per argument.
        sizes: the general sizes.
        every: also the coincidences of coincidences, until nothing is left to assign.

    >>> from purenet.prove.domains import real
    >>> [str(s) for s in coincidences((real("n m 3"),), Sizes("n >= 2"))]
    ['n = 3', 'm = 1', 'm = n', 'm = 3']
    """
    found = dict.fromkeys(_next(domains, sizes))
    if every:
        queue = list(found)
        while queue:
            new = [s for s in dict.fromkeys(_next(domains, queue.pop(0))) if s not in found]
            found.update(dict.fromkeys(new))
            queue += new
    return list(found)


def same_program(general: Traced, special: Traced, coincidence: Sizes) -> bool:
    """Return whether the program at a coincidence is the general one with the sizes replaced.

    Primitives, parameters, constants, shapes and dtypes are compared one by one; a size that
    became a number may have become a constant. False where it is not plain to see. The derivative
    rules that `custom_jvp_call` and `custom_vjp_call` carry are not compared, only their values.
    """
    try:
        return (
            _same_closed(general.jaxpr, special.jaxpr, coincidence)
            and general.out_tree == special.out_tree
            and general.in_paths == special.in_paths
        )
    except (ValueError, TypeError, AttributeError):
        return False


# Sizes and constraints.


class _Constraint(NamedTuple):
    """`difference >= 0`, or `difference == 0`."""

    difference: str
    equal: bool
    text: str

    @property
    def names(self) -> tuple[str, ...]:
        return names_in(self.difference)


@functools.lru_cache
def _parse(constraints: str) -> tuple[_Constraint, ...]:
    return tuple(c for part in constraints.split(",") if part.strip() for c in _comparisons(part))


def _comparisons(part: str) -> Iterator[_Constraint]:
    """`1 <= n < m` is two comparisons."""
    text = part.strip()
    pieces = re.split(r"(>=|<=|==|!=|>|<|=)", text)
    if len(pieces) < 3 or {"!=", "="} & set(pieces):
        raise ValueError(f"sizes: {text!r} can't be read; n >= 2, n >= m or n == 2*m expected")
    for left, sign, right in zip(pieces[:-2:2], pieces[1::2], pieces[2::2], strict=True):
        try:
            more, less = polynomial(left.strip()), polynomial(right.strip())
        except ValueError as error:
            raise ValueError(f"sizes: in {text!r}: {error}") from None
        if sign[0] == "<":
            more, less = less, more
        strict: Polynomial = {(): -1} if sign in ("<", ">") else {}
        difference = plus(plus(more, times(less, {(): -1})), strict)
        yield _Constraint(size_text(difference), sign == "==", text)


def _solve(constraint: _Constraint, sizes: Sizes, known: tuple[str, ...]) -> tuple[str, str] | None:
    """Solve an equality for the last name of which the others make a size."""
    terms = polynomial(sizes.of(constraint.difference))
    for name in reversed(known):
        factor = terms.get((name,), 0)
        rest = {names: number for names, number in terms.items() if names != (name,)}
        solution = times(rest, {(): -factor})
        once = not any(name in names for names in rest)
        if abs(factor) == 1 and once and solution and min(solution.values()) > 0:
            return name, size_text(solution)
    return None


def _at_least_zero(sizes: Sizes) -> list[Polynomial]:
    """The constraints on the names that are left, each as a polynomial >= 0."""
    found = []
    for constraint in _parse(sizes.constraints):
        difference = polynomial(sizes.of(constraint.difference))
        found += [difference] + [times(difference, {(): -1})] * constraint.equal
    return found


@functools.lru_cache
def _intervals(sizes: Sizes) -> dict[str, tuple[int, int | float]] | None:
    """The smallest and largest value of each constrained size; None where they contradict."""
    differences = _at_least_zero(sizes)
    names = dict.fromkeys(name for d in differences for term in d for name in term)
    low = dict.fromkeys(names, 1)
    high: dict[str, int | float] = dict.fromkeys(names, math.inf)
    for _ in range(20):
        for difference in differences:
            for name in names:
                factor = difference.get((name,), 0)
                rest = {term: number for term, number in difference.items() if term != (name,)}
                most = _largest(rest, low, high)
                if factor and most < math.inf:
                    if factor > 0:
                        low[name] = max(low[name], math.ceil(-most / factor))
                    else:
                        high[name] = min(high[name], math.floor(most / -factor))
    # Two constraints may contradict with no bound on either name: n >= m + 1 and m >= n.
    sums = [plus(a, b) for a, b in itertools.combinations(differences, 2)]
    empty = any(low[name] > high[name] for name in names)
    if empty or any(_largest(terms, low, high) < 0 for terms in differences + sums):
        return None
    return {name: (low[name], high[name]) for name in names}


def _largest(
    terms: Polynomial, low: Mapping[str, int], high: Mapping[str, int | float]
) -> int | float:
    return sum(
        factor * math.prod((high if factor > 0 else low)[name] for name in names)
        for names, factor in terms.items()
    )


def _next(domains: Any, sizes: Sizes) -> Iterator[Sizes]:
    """Assign one more name; where the constraints exclude it, leave it out."""
    texts = dict.fromkeys(
        sizes.of(size)
        for domain in leaves(domains)
        for size in (*domain.shape, domain.classes)
        if size
    )
    names = list(dict.fromkeys(name for text in texts for name in names_in(text)))
    for place, name in enumerate(names):
        others = [text for text in texts if text not in names and name not in names_in(text)]
        for size in dict.fromkeys(["1", *names[:place], *others]):
            assigned = sizes.assign(name, size)
            if _intervals(assigned) is not None:
                yield assigned


# Tracing.

_Struct = jax.ShapeDtypeStruct


@functools.lru_cache
def _scope(constraints: tuple[str, ...]) -> Any:
    """One scope per set of constraints, so that JAX's caches hold from one trace to the next."""
    return export.SymbolicScope(constraints)


@functools.lru_cache
def _dim(size: str, sizes: Sizes) -> Any:
    """A size as an int or a JAX dimension, by arithmetic on the scope's names."""
    scope = _scope(tuple(filter(None, map(_inequality, _at_least_zero(sizes)))))
    total: Any = 0
    for names, factor in polynomial(sizes.of(size)).items():
        dims = (export.symbolic_shape(name, scope=scope)[0] for name in names)
        total = total + functools.reduce(lambda a, b: a * b, dims, factor)
    return total


def _inequality(difference: Polynomial) -> str:
    """`n - 2` as "n >= 2"; the empty text where no size is in it."""
    if not any(difference):
        return ""
    more = {names: factor for names, factor in difference.items() if factor > 0}
    less = {names: -factor for names, factor in difference.items() if factor < 0}
    return f"{size_text(more)} >= {size_text(less)}"


def _spec(leaf: Any, sizes: Sizes) -> Any:
    if not isinstance(leaf, Domain):
        return leaf
    if leaf.kind == "static":
        return leaf.value
    if leaf.kind == "function":
        return Opaque(leaf.name)
    return _Struct(tuple(_dim(size, sizes) for size in leaf.shape), jnp.dtype(DTYPES[leaf.kind]))


def _domain(leaf: Any, sizes: Sizes) -> Domain:
    """The domain of an array input, at the sizes."""
    if isinstance(leaf, Domain):
        classes = sizes.of(leaf.classes) if leaf.classes else ""
        return replace(leaf, shape=tuple(map(sizes.of, leaf.shape)), classes=classes)
    kind = {"b": "boolean", "i": "label", "u": "label"}.get(np.dtype(leaf.dtype).kind, "real")
    return Domain(kind, tuple(map(str, leaf.shape)))


def _suffix(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path)


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _listed(given: tuple[Any, ...]) -> str:
    return "(" + ", ".join(map(repr, given)) + ")"


def _explained(
    error: Exception,
    f: Callable[..., Any],
    program: Callable[..., Any],
    structs: list[_Struct],
    sizes: Sizes,
    names: tuple[str, ...],
    given: tuple[Any, ...],
) -> Exception:
    """Tell a program that needs more than symbolic sizes from arguments that don't fit."""
    reason = _one_line(error)
    if isinstance(error, jax.errors.InconclusiveDimensionOperation):
        return CannotTrace(f"{reason}; {_suggestion(reason)}")
    if isinstance(error, jax.errors.JAXTypeError | jax.errors.JAXIndexError):
        return CannotTrace(f"{_name(f)} depends on the values of an array in Python: {reason}")
    if "_DimExpr" in reason:
        return CannotTrace(
            f"{_name(f)} needs a size as a number ({reason}); a number in the domain makes it one"
        )
    if _runs_at_numbers(program, structs, sizes):
        return CannotTrace(f"JAX can't trace {_name(f)} for all sizes: {reason}")
    shown = ", ".join(f"{n}: {_shown(d)}" for n, d in zip(names, given, strict=True))
    return ValueError(f"domains: {_name(f)} does not take {shown}: {reason}")


def _shown(given: Any) -> str:
    return repr(jax.tree_util.tree_map(
        lambda leaf: leaf if isinstance(leaf, Domain) else _domain(leaf, Sizes()), given
    ))  # fmt: skip


def _one_line(error: Exception) -> str:
    text = re.split(r"\nThis error arises|\nThe error occurred|\nSee https|\nPlease see|\nUsing",
                    str(error) or type(error).__name__)[0]  # fmt: skip
    return " ".join(text.split()).rstrip(".")


def _suggestion(reason: str) -> str:
    """The constraint that decides a comparison; the text of a size is in quotes."""
    found = re.search(r"comparison '?(.+?)'? (>=|<=|>|<) '?(.+?)'? is inconclusive", reason)
    if "divide evenly" in reason:
        return 'name the parts of the size instead, as in real("2*m")'
    try:
        left, sign, right = found.groups()  # type: ignore[union-attr]
        step = {">": -1, "<=": -1}.get(sign, 0)
        difference = plus(polynomial(left), times(polynomial(right), {(): -1}))
        return f'try sizes="{_inequality(plus(difference, {(): step} if step else {}))}"'
    except (AttributeError, ValueError):
        return 'constrain the sizes, as in sizes="n >= 2"'


def _runs_at_numbers(program: Callable[..., Any], structs: list[_Struct], sizes: Sizes) -> bool:
    """Whether the program can be traced at some sizes that are numbers, all different."""
    texts = {str(dim) for struct in structs for dim in struct.shape}
    try:
        names = sorted({name for text in texts for name in names_in(text)})
        rest = [d for d in _at_least_zero(sizes) if any(d)]
        names = sorted({*names, *(name for d in rest for term in d for name in term)})
        for numbers in itertools.islice(itertools.permutations(range(2, 9), len(names)), 2000):
            values = dict(zip(names, numbers, strict=True))
            if all(int(substitute(size_text(d), values)) >= 0 for d in rest):
                break
        shapes = [[int(substitute(str(d), values)) for d in struct.shape] for struct in structs]
        numbered = [_Struct(s, t.dtype) for s, t in zip(shapes, structs, strict=True)]
        jax.eval_shape(program, *numbered)
    except Exception:
        return False
    return True


# Comparing programs.

RULES = {
    "custom_jvp_call": {"jvp_jaxpr_fun"},
    "custom_vjp_call": {"fwd_jaxpr_thunk", "bwd", "out_trees"},
}
"""Parameters that only differentiation by JAX would use, and that differ from trace to trace."""

_Constants = dict[Any, np.ndarray]


def _same_closed(general: Any, special: Any, sizes: Sizes) -> bool:
    """Compare two jaxprs, closed or not."""
    if general is special:
        return True
    consts = [list(getattr(closed, "consts", ())) for closed in (general, special)]
    bodies = [getattr(closed, "jaxpr", closed) for closed in (general, special)]
    return (
        len(consts[0]) == len(consts[1])
        and all(map(_same_array, *consts))
        and _same_jaxpr(bodies[0], bodies[1], sizes)
    )


def _same_jaxpr(general: Any, special: Any, sizes: Sizes) -> bool:
    """Walk both programs in step; `partner` maps each variable to that of the other program."""
    ours, our_constants = _folded(general, sizes)
    theirs, their_constants = _folded(special, sizes)
    partner: dict[Any, Any] = {}

    def bind(variables: Any, others: Any) -> bool:
        partner.update(zip(variables, others, strict=True))
        return all(
            _same_aval(a.aval, b.aval, sizes) for a, b in zip(variables, others, strict=True)
        )

    def same(atoms: Any, others: Any) -> bool:
        pairs = zip(atoms, others, strict=True)
        return all(_same_atom(a, b, partner, our_constants, their_constants) for a, b in pairs)

    return (
        bind([*general.constvars, *general.invars], [*special.constvars, *special.invars])
        and len(ours) == len(theirs)
        and all(
            a.primitive is b.primitive
            and same(a.invars, b.invars)
            and _same_params(a, b, sizes)
            and bind(a.outvars, b.outvars)
            for a, b in zip(ours, theirs, strict=True)
        )
        and same(general.outvars, special.outvars)
    )


def _folded(jaxpr: Any, sizes: Sizes) -> tuple[list[Any], _Constants]:
    """The equations that are left when sizes that are numbers are constants, and those."""
    equations, constants = [], _Constants()
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        if name == "dim_as_value" and (size := _text(eqn.params["dim"], sizes)).isdigit():
            constants[eqn.outvars[0]] = np.asarray(int(size), eqn.outvars[0].aval.dtype)
        elif (
            name == "convert_element_type"
            and (value := _constant(eqn.invars[0], constants)) is not None
            and value.shape == ()
        ):
            constants[eqn.outvars[0]] = value.astype(eqn.params["new_dtype"])
        else:
            equations.append(eqn)
    return equations, constants


def _constant(atom: Any, constants: _Constants) -> np.ndarray | None:
    if isinstance(atom, Literal):
        aval: Any = atom.aval
        return np.asarray(atom.val, aval.dtype)
    return constants.get(atom)


def _same_atom(
    atom: Any, other: Any, partner: dict[Any, Any], ours: _Constants, theirs: _Constants
) -> bool:
    value, value_there = _constant(atom, ours), _constant(other, theirs)
    if value is None or value_there is None:
        return value is None and value_there is None and partner.get(atom) is other
    return _same_array(value, value_there)


def _same_params(eqn: Any, other: Any, sizes: Sizes) -> bool:
    skipped = RULES.get(eqn.primitive.name, set())
    return eqn.params.keys() == other.params.keys() and all(
        _same_value(value, other.params[key], sizes)
        for key, value in eqn.params.items()
        if key not in skipped
    )


def _same_value(value: Any, other: Any, sizes: Sizes) -> bool:
    """Compare two parameters; what is not known to be equal is not."""
    if _is_dim(value) and _is_dim(other):
        return _text(value, sizes) == size_text(polynomial(str(other)))
    if hasattr(value, "eqns") and hasattr(other, "eqns"):
        return _same_closed(value, other, sizes)
    if type(value) is not type(other):
        return False
    if isinstance(value, tuple | list):
        pairs = zip(value, other, strict=False)
        return len(value) == len(other) and all(_same_value(a, b, sizes) for a, b in pairs)
    if isinstance(value, np.ndarray | jax.Array):
        return _same_array(value, other)
    return value is other or bool(value == other)


def _is_dim(value: Any) -> bool:
    return export.is_symbolic_dim(value) or (isinstance(value, int) and not isinstance(value, bool))


def _text(dim: Any, sizes: Sizes) -> str:
    return str(dim) if isinstance(dim, int) else _replaced(str(dim), sizes)


@functools.lru_cache(4096)
def _replaced(size: str, sizes: Sizes) -> str:
    return sizes.of(size)


def _same_aval(aval: Any, other: Any, sizes: Sizes) -> bool:
    # A weak type decides promotion while tracing; in a program that is traced it means nothing.
    return (
        aval.dtype == other.dtype
        and len(aval.shape) == len(other.shape)
        and all(map(functools.partial(_same_value, sizes=sizes), aval.shape, other.shape))
    )


def _same_array(value: Any, other: Any) -> bool:
    a, b = np.asarray(value), np.asarray(other)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
