"""The prover's check of itself: the terms of a program, as numbers, against the function that they
were read from.

A mistake in the interpreter or in the normal form would make a theorem about another function.
Here each output is evaluated from its terms and compared with JAX, which runs the function at
concrete sizes.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from purenet.prove import samples
from purenet.prove.domains import Domain
from purenet.prove.interpret.tensor import Need, Tensor
from purenet.prove.kernel import evaluate
from purenet.prove.kernel.evaluate import Numbers
from purenet.prove.opaque import Opaque
from purenet.prove.programs import Program

STYLES = ("normal", "with zeros")
TOLERANCE = 1e-6
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Each program runs twice, so time spent on making it fast is lost."""
PLAIN = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1}
"""Compiles in a third of the time, where jaxlib has it."""
Arrays = Mapping[str, Numbers]


def agrees(
    program: Program,
    f: Callable[..., Any],
    domains: Any,
    sizes_values: dict[str, int],
    rng: np.random.Generator,
) -> str:
    """What disagrees between a program's terms and f run by JAX in float64; "" if nothing does.

    Two points are drawn inside the domains: a generic one, and one with many entries 0. An entry
    is compared where JAX gives a finite number and the conditions of the terms hold, unless the
    terms lose all digits in floats.

    Args:
        program: f, interpreted.
        f: the function that was traced.
        domains: one domain, or pytree of domains, per argument; cotangents may be pytrees of
            ShapeDtypeStruct.
        sizes_values: a number for each size; distinct numbers show exchanged axes.
        rng: where the points come from.

    >>> from purenet.prove.domains import real
    >>> from purenet.prove.programs import read
    >>> from purenet.prove.sizes import Sizes
    >>> from purenet.prove.tracing import trace
    >>> f = lambda x: x.sum(1) * x[:, 0]
    >>> program = read(trace(f, (real("n m"),), Sizes()), Sizes())
    >>> agrees(program, f, (real("n m"),), {"n": 2, "m": 3}, np.random.default_rng(0))
    ''
    """
    run = compiled(f, domains)
    for style in STYLES:
        arrays = drawn(program.traced.in_domains, sizes_values, rng, style)
        given = {a.name: x for a, x in zip(program.inputs, arrays, strict=True)}
        for number, (tensor, expected) in enumerate(zip(program.outputs, run(arrays), strict=True)):
            found = _difference(tensor, expected, sizes_values, given)
            if found:
                at = ", ".join(f"{name} = {value}" for name, value in sizes_values.items())
                return f"output {number}{found} (sizes {at}; {style})"
    return ""


def compiled(f: Callable[..., Any], domains: Any) -> Callable[[list[Any]], list[Any]]:
    """f as a function of the array leaves of `domains`, to NumPy leaves, in float64."""
    specs, tree = jax.tree.flatten(tuple(domains))

    def of_arrays(*arrays: Any) -> Any:
        return f(*jax.tree.unflatten(tree, _filled(specs, iter(arrays))))

    jitted = jax.jit(of_arrays, compiler_options=quick())

    def run(arrays: list[Any]) -> list[Any]:
        with jax.enable_x64(True):
            return [np.asarray(leaf) for leaf in jax.tree.leaves(jitted(*arrays))]

    return run


@functools.cache
def quick() -> dict[str, Any]:
    """The compiler's options that cost the least time, as far as this jaxlib knows them."""
    try:
        jax.jit(lambda: 0, compiler_options=QUICK | PLAIN).lower().compile()
    except jax.errors.JaxRuntimeError:
        return QUICK
    return QUICK | PLAIN


def drawn(
    leaves: tuple[Domain, ...], sizes: Mapping[str, int], rng: np.random.Generator, style: str
) -> list[Numbers]:
    """An array for each domain; entries that are not 0 are moved a little, so none are equal."""
    arrays = samples.draw(leaves, sizes, rng, style)
    return [_moved(one, np.asarray(x[0]), rng) for one, x in zip(leaves, arrays, strict=True)]


def allowed(tensor: Tensor, sizes: Mapping[str, int], arrays: Arrays) -> Numbers:
    """Where the conditions under which the entries exist hold."""
    shape = tuple(evaluate.size(v.size, sizes) for v in tensor.slots)
    held = np.ones(shape, bool)
    for need in tensor.needs:
        if not need.smooth:
            held &= ~_violated(need, tensor, sizes, arrays)
    return held


def differs(found: Numbers, error: Numbers, expected: Numbers) -> Numbers:
    """Where a value is not the one that JAX gives; what JAX can't give is not compared."""
    known = np.isfinite(expected) & np.isfinite(error)
    distance = np.subtract(found, expected, where=known, out=np.zeros(found.shape))
    expected = np.where(known, expected, 0.0)
    return np.abs(distance) > TOLERANCE * (1 + np.abs(expected)) + error


def _filled(specs: list[Any], arrays: Iterator[Any]) -> list[Any]:
    """Arrays where arrays are meant; static values and functions as they are."""
    values = {"static": lambda one: one.value, "function": lambda one: Opaque(one.name)}
    return [
        values[one.kind](one) if isinstance(one, Domain) and not one.is_array else next(arrays)
        for one in specs
    ]


def _moved(one: Domain, x: Numbers, rng: np.random.Generator) -> Numbers:
    if one.kind not in ("real", "distribution"):
        return x
    moved = np.asarray(x * (1 + 0.01 * rng.uniform(-1, 1, x.shape)))
    if one.kind == "distribution":
        return np.asarray(moved / moved.sum(-1, keepdims=True))
    return np.where(samples.inside(one, moved), moved, x)


def _violated(need: Need, tensor: Tensor, sizes: Mapping[str, int], arrays: Arrays) -> Numbers:
    """Where a condition does not hold for some value of its other indices."""
    others = sorted((need.poly.free | need.guard.free) - set(tensor.slots), key=lambda v: v.name)
    given = (sizes, arrays, evaluate.grid((*tensor.slots, *others), sizes))
    zero, positive = (test(need.poly, *given) for test in (evaluate.is_zero, evaluate.is_positive))
    holds = {"!=": ~zero, ">": positive, ">=": positive | zero, "row": ~zero}[need.relation]
    used = evaluate.evaluate(need.guard, *given) != 0
    return np.any(used & ~holds, axis=tuple(range(len(tensor.slots), holds.ndim)))


def _difference(tensor: Tensor, expected: Numbers, sizes: Mapping[str, int], arrays: Arrays) -> str:
    if tensor.kind == "real":
        found, error = evaluate.measure(
            tensor.body, sizes, arrays, evaluate.grid(tensor.slots, sizes)
        )
    else:
        found, error = evaluate.of_tensor(tensor, sizes, arrays), np.float64(0)
    if found.shape != expected.shape:
        return f" has shape {found.shape} by the terms, {expected.shape} in JAX"
    wrong = differs(found, error, expected) if tensor.kind == "real" else found != expected
    wrong &= allowed(tensor, sizes, arrays)
    if not wrong.any():
        return ""
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    at = f" at {list(where)}" if where else ""
    return f"{at} is {found[where]} by the terms, {expected[where]} in JAX"
