"""Two traced programs as terms over the same arrays: the inputs of every theorem."""

from typing import Any, NamedTuple

from purenet.prove.domains import Domain
from purenet.prove.interpret.run import noted_conditions, run
from purenet.prove.interpret.shapes import Dimensions
from purenet.prove.interpret.tensor import Tensor, places
from purenet.prove.kernel import bounds
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import ZERO, atom
from purenet.prove.kernel.terms import Array, Poly
from purenet.prove.sizes import Sizes, size_bounds
from purenet.prove.tracing import Traced

KINDS = {"real": "real", "distribution": "real", "label": "integer", "boolean": "boolean"}


class Program(NamedTuple):
    """A traced function as terms: an array per input, a tensor per output."""

    traced: Traced
    inputs: tuple[Array, ...]
    outputs: tuple[Tensor, ...]
    conditions: frozenset[Poly] = frozenset()  # the P > 0 and P = 0 that it asks about


def read(traced: Traced, sizes: Sizes, given: tuple[Array, ...] = ()) -> Program:
    """The program of a trace; the first inputs are the arrays `given`.

    Raises:
        Unknown: for a primitive without a meaning.
    """
    dims = Dimensions(size_bounds(sizes))
    avals = traced.jaxpr.in_avals[len(given) :]
    paths = _distinct(traced.in_paths)[len(given) :]
    domains = traced.in_domains[len(given) :]
    own = tuple(
        _array(path, domain, aval, dims)
        for path, domain, aval in zip(paths, domains, avals, strict=True)
    )
    inputs = (*given, *own)
    with noted_conditions() as found:
        outputs = run(traced.jaxpr, [_entries(a) for a in inputs], dims)
    return Program(traced, inputs, tuple(outputs), frozenset(found))


def _distinct(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Names by which arrays can be told apart: f(x1, *args) may have two x1."""
    return tuple(p if paths.index(p) == k else f"{p}({k})" for k, p in enumerate(paths))


def _array(path: str, domain: Domain, aval: Any, dims: Dimensions) -> Array:
    kind = KINDS[domain.kind]
    simplex = domain.kind == "distribution"
    return Array(
        path,
        dims.shape(aval.shape),
        kind=kind,
        low=0.0 if simplex else domain.low,
        high=domain.high,
        nonzero=domain.nonzero,
        limit=dims(_dimension(domain.classes)) if domain.classes else None,
        simplex=simplex,
    )


def _dimension(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _entries(array: Array) -> Tensor:
    slots, place = places(array.shape)
    only_zero = array.limit is not None and array.limit.constant() == 1
    body: Poly = ZERO if only_zero else atom(Entry(array, place))
    return Tensor(array.shape, array.kind, slots, body, frozenset(), bounds.interval(body))
