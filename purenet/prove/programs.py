"""Two traced programs as terms over the same arrays: the inputs of every theorem."""

from typing import Any, NamedTuple

from purenet.prove.domains import Domain
from purenet.prove.interpret.run import run
from purenet.prove.interpret.shapes import Dimensions
from purenet.prove.interpret.tensor import Tensor, places
from purenet.prove.kernel import bounds
from purenet.prove.kernel.terms import Array, Entry, Poly, atom
from purenet.prove.tracing import Sizes, Traced, size_bounds

KINDS = {"real": "real", "distribution": "real", "label": "integer", "boolean": "boolean"}


class Program(NamedTuple):
    """A traced function as terms: an array per input, a tensor per output."""

    traced: Traced
    inputs: tuple[Array, ...]
    outputs: tuple[Tensor, ...]


def read(traced: Traced, sizes: Sizes, given: tuple[Array, ...] = ()) -> Program:
    """The program of a trace; the first inputs are the arrays `given`.

    Raises:
        Unknown: for a primitive without a meaning.
    """
    dims = Dimensions(size_bounds(sizes))
    avals = traced.jaxpr.in_avals[len(given) :]
    paths = traced.in_paths[len(given) :]
    domains = traced.in_domains[len(given) :]
    own = tuple(
        _array(path, domain, aval, dims)
        for path, domain, aval in zip(paths, domains, avals, strict=True)
    )
    inputs = (*given, *own)
    outputs = run(traced.jaxpr, [_entries(a) for a in inputs], dims)
    return Program(traced, inputs, tuple(outputs))


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
    body: Poly = atom(Entry(array, place))
    return Tensor(array.shape, array.kind, slots, body, frozenset(), bounds.interval(body))
