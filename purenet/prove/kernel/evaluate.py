"""Terms as numbers: every term has a float64 value at concrete sizes and arrays.

Each index variable is an axis; a binder adds axes in front and reduces them. Functions are total,
as in the kernel: 0 to a negative power is 0, and a product with a factor 0 is 0 whatever the others
are, because a condition that does not hold switches its product off. The logarithm of a negative
number is a number that no rule of the kernel expects. An index outside its range is moved inside:
such an entry is multiplied by a condition that is 0.

A bound on the rounding error goes along, because terms in normal form may be large numbers that
cancel.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from purenet.prove.kernel.conditions import is_condition
from purenet.prove.kernel.factors import (
    Base,
    Binder,
    Call,
    Constant,
    Definition,
    Digit,
    Entry,
    Index,
    Iverson,
    Named,
    Size,
)
from purenet.prove.kernel.linear import MINUS_INFINITY
from purenet.prove.kernel.terms import Factor, Monomial, Poly, Var

Numbers = Any  # a NumPy array, or the NumPy number that stands for one without axes
TINY = 1e-12
EPSILON = 2.0**-52
SMALLEST = 1e-300
SENTINEL = 0.6180339887  # what a logarithm or a root of a negative number is taken to be


class Measured(NamedTuple):
    """Numbers with a bound on what rounding may have done to them; an infinite bound says that the
    number is not known."""

    value: Numbers
    error: Numbers


def evaluate(
    poly: Poly,
    sizes: Mapping[str, int],
    arrays: Mapping[str, Numbers],
    place: Mapping[Var, Numbers | int],
) -> np.ndarray:
    """The value of a term, in the common shape of the index values in `place`.

    A real term counts as 0 in `=` and `>` where it is below 1e-12 of the sum of the absolute values
    of its products, or below its rounding error: terms that are equal for real numbers differ by
    rounding, and exactly one of `>`, `=`, `<` must hold. Integer terms are exact.

    Raises:
        ValueError: a size, an array or an index variable has no value, or a function no meaning.

    >>> from purenet.prove.kernel.factors import Entry, Size
    >>> from purenet.prove.kernel.linear import atom, index
    >>> from purenet.prove.kernel.terms import Array, Var
    >>> n = atom(Size("n"))
    >>> i = Var("i", n)
    >>> x = atom(Entry(Array("x", (n,)), (index(i),)))
    >>> evaluate(x, {"n": 3}, {"x": np.array([2.0, 5.0, 7.0])}, {i: np.arange(3)})
    array([2., 5., 7.])
    """
    return measure(poly, sizes, arrays, place).value


def measure(
    poly: Poly,
    sizes: Mapping[str, int],
    arrays: Mapping[str, Numbers],
    place: Mapping[Var, Numbers | int],
) -> Measured:
    """The value of a term with a bound on its rounding error."""
    given = {var: np.asarray(value) for var, value in place.items()}
    shape = np.broadcast_shapes(*(value.shape for value in given.values()))
    with np.errstate(all="ignore"):
        value, error = _value(poly, _Scope(sizes, arrays, given, len(shape), {}, {}, None))
    error = np.where(np.isnan(value) | np.isnan(error), np.inf, error)
    return Measured(np.broadcast_to(value, shape).copy(), np.broadcast_to(error, shape).copy())


def of_tensor(tensor: Any, sizes: Mapping[str, int], arrays: Mapping[str, Numbers]) -> np.ndarray:
    """All entries of a tensor: float64, int64 or bool after its kind."""
    value = evaluate(tensor.body, sizes, arrays, grid(tensor.slots, sizes))
    if tensor.kind == "boolean":
        return value != 0
    return np.rint(value).astype(np.int64) if tensor.kind == "integer" else value


def grid(slots: tuple[Var, ...], sizes: Mapping[str, int]) -> dict[Var, np.ndarray]:
    """All values of index variables: each along its own axis."""
    counts = [size(var.size, sizes) for var in slots]
    axes = np.meshgrid(*map(np.arange, counts), indexing="ij", sparse=True) if counts else []
    return dict(zip(slots, axes, strict=True))


def size(poly: Poly, sizes: Mapping[str, int]) -> int:
    """A size as a number; a range that would be negative is empty."""
    return max(0, round(float(evaluate(poly, sizes, {}, {}))))


def is_positive(poly: Poly, *given: Any) -> np.ndarray:
    """Where a real term is above 0, as in `>`; `given` as for `evaluate`."""
    return evaluate(_condition(">", poly), *given) == 1


def is_zero(poly: Poly, *given: Any) -> np.ndarray:
    """Where a real term is 0, as in `=`."""
    return evaluate(_condition("=", poly), *given) == 1


def _condition(relation: str, poly: Poly) -> Poly:
    return Poly({((Iverson(relation, poly), 1),): 1})


class _Scope(NamedTuple):
    """What is known inside the binders around a term; what does not depend on the innermost
    binder is evaluated, once, in the scope outside of it."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Numbers]
    place: Mapping[Var, Numbers]
    rank: int
    done: dict[Factor, Measured]
    definitions: dict[Definition, Measured]
    outer: "_Scope | None"

    def inside(self, bound: tuple[Var, ...], counts: tuple[int, ...]) -> "_Scope":
        """The scope with axes for bound variables in front."""
        place, rank = dict(self.place), self.rank + len(bound)
        for axis, (var, count) in enumerate(zip(bound, counts, strict=True)):
            place[var] = np.arange(count).reshape(-1, *(1,) * (rank - 1 - axis))
        return _Scope(self.sizes, self.arrays, place, rank, {}, self.definitions, self)


# --- polynomials ----------------------------------------------------------------------------------

ZERO: Numbers = np.float64(0)


def _value(poly: Poly, scope: _Scope) -> Measured:
    value, error, scale = _value_and_scale(poly, scope)
    return Measured(value, error + EPSILON * np.where(np.isfinite(scale), scale, 0))


def _value_and_scale(poly: Poly, scope: _Scope) -> tuple[Numbers, Numbers, Numbers]:
    """The value, its error, and the sum of the absolute values of the products.

    Conditions are added up first: where they cancel, as in where(mask, x, -oo), the rest of a
    product is not used, and may be infinite or not a number.
    """
    total = error = scale = ZERO
    for rest, switches in _by_switch(poly).items():
        parts = [_product(m, c, scope).value for m, c in switches]
        switch = sum(parts, ZERO)
        off = np.abs(switch) <= TINY * sum(map(np.abs, parts), ZERO)
        if off.all():
            continue
        part = _product(rest, 1, scope)
        value = np.where(off, 0.0, switch * part.value)
        total, scale = total + value, scale + np.abs(value)
        error = error + np.where(off | (part.error == 0), 0.0, np.abs(switch) * part.error)
    return np.asarray(total), np.asarray(error), np.asarray(scale)


def _by_switch(poly: Poly) -> dict[Monomial, list[tuple[Monomial, float]]]:
    """Each product of factors that are not conditions, with the conditions it is multiplied by."""
    found: dict[Monomial, list[tuple[Monomial, float]]] = {}
    for monomial, coefficient in poly.terms.items():
        rest = tuple(pair for pair in monomial if not is_condition(pair[0]))
        switch = tuple(pair for pair in monomial if is_condition(pair[0]))
        found.setdefault(rest, []).append((switch, float(coefficient)))
    return found


def _product(monomial: Monomial, coefficient: float | int, scope: _Scope) -> Measured:
    value: Numbers = np.float64(coefficient)
    error = ZERO
    for factor, exponent in monomial:
        base = _factor(factor, scope)
        other = base if exponent == 1 else _raised(base, float(exponent))
        zero = ((value == 0) & (error == 0)) | ((other.value == 0) & (other.error == 0))
        ours = np.where(other.error == 0, 0.0, (np.abs(value) + error) * other.error)
        theirs = np.where(error == 0, 0.0, np.abs(other.value) * error)
        value = np.where(zero, 0.0, value * other.value)
        rounding = np.where(np.isfinite(value), EPSILON * np.abs(value), 0.0)
        error = np.where(zero, 0.0, ours + theirs + rounding)
    return Measured(value, error)


def _raised(base: Measured, exponent: float) -> Measured:
    """A power; a quotient by what may be 0, or a root of what may be negative, is not known."""
    value, error = _applied(_powers(exponent), base)
    total = exponent.is_integer() and exponent > 0
    pole = (base.error > 0) & (np.abs(base.value) <= 4 * base.error) & (not total)
    return Measured(value, np.where(pole, np.inf, error))


def _powers(exponent: float) -> Callable[[Numbers], Numbers]:
    """x ↦ x**exponent, total."""

    def power(x: Numbers) -> Numbers:
        x = np.where((x == 0) & (exponent < 0), np.inf, x)
        return np.power(x if exponent.is_integer() else np.where(x < 0, SENTINEL, x), exponent)

    return power


def _applied(function: Callable[[Numbers], Numbers], at: Measured) -> Measured:
    """A function of numbers with errors: how much it changes within them."""
    x, error = at
    value = function(x)
    underflow = (value == 0) & (x != 0) & np.isfinite(x)
    exact = np.where(underflow, SMALLEST, np.abs(value) * 4 * EPSILON)
    exact = np.where(np.isfinite(value), exact, np.where(np.isfinite(x) & (x != 0), np.inf, 0.0))
    if not np.any(error):
        return Measured(value, exact)
    around = (np.abs(function(x + side * error) - value) for side in (1, -1))
    spread = np.maximum(*around)
    spread = np.where(np.isnan(spread), np.inf, spread)
    return Measured(value, exact + np.where(error == 0, 0.0, spread))


# --- factors --------------------------------------------------------------------------------------


def _factor(factor: Factor, scope: _Scope) -> Measured:
    while scope.outer is not None and factor.free <= scope.outer.place.keys():
        scope = scope.outer
    if factor not in scope.done:
        found = _FACTORS[type(factor)](factor, scope)
        scope.done[factor] = (
            found if isinstance(found, Measured) else Measured(np.asarray(found, float), ZERO)
        )
    return scope.done[factor]


def _size(factor: Size, scope: _Scope) -> Any:
    if factor.name not in scope.sizes:
        raise ValueError(f"sizes: no value for {factor.name!r}; given: {', '.join(scope.sizes)}")
    return scope.sizes[factor.name]


def _index(factor: Index, scope: _Scope) -> Any:
    if factor.var not in scope.place:
        raise ValueError(f"place: no value for the index {factor.var.name!r}")
    return scope.place[factor.var]


def _entry(factor: Entry, scope: _Scope) -> Any:
    name = factor.array.name
    if name not in scope.arrays:
        raise ValueError(f"arrays: no value for {name!r}; given: {', '.join(scope.arrays)}")
    return np.asarray(scope.arrays[name])[_places(np.shape(scope.arrays[name]), factor, scope)]


def _named(factor: Named, scope: _Scope) -> Any:
    definition = factor.definition
    if definition not in scope.definitions:
        place = grid(definition.slots, scope.sizes)
        inner = scope._replace(place=place, rank=len(place), done={}, outer=None)
        shape = tuple(size(v.size, scope.sizes) for v in definition.slots)
        whole = _value(definition.body, inner)
        scope.definitions[definition] = Measured(*(np.broadcast_to(a, shape) for a in whole))
    found = scope.definitions[definition]
    at = _places(found.value.shape, factor, scope)
    return Measured(found.value[at], found.error[at])


def _places(shape: tuple[int, ...], factor: Factor, scope: _Scope) -> tuple[Numbers, ...]:
    indices = (np.nan_to_num(np.rint(_value(p, scope).value)) for p in factor.polys)
    return tuple(np.clip(i, 0, n - 1).astype(np.int64) for i, n in zip(indices, shape, strict=True))


def _binder(factor: Binder, scope: _Scope) -> Any:
    counts = tuple(size(v.size, scope.sizes) for v in factor.bound)
    if 0 in counts:
        return -np.inf if factor.tag == "max" else 0
    inner = scope.inside(factor.bound, counts)
    if factor.tag == "argmax":
        return _argmax(factor.body, inner, counts)
    body = _value(factor.body, inner)
    full = np.broadcast_shapes(body.value.shape, counts + (1,) * scope.rank)
    value, error = (np.broadcast_to(a, full) for a in body)
    axes = tuple(range(len(counts)))
    if factor.tag == "sum":
        rounding = np.where(np.isfinite(value), EPSILON * np.abs(value), 0)
        return Measured(value.sum(axes), (error + rounding).sum(axes))
    return Measured(value.max(axes), error.max(axes))


def _argmax(body: Poly, scope: _Scope, counts: tuple[int, ...]) -> Numbers:
    """The first of the largest. What does not depend on the index was taken away, so infinity is a
    number larger than all others here: its coefficients are compared first."""
    infinite = {m: c for m, c in body.terms.items() if any(f == MINUS_INFINITY for f, _ in m)}
    rest = {m: c for m, c in body.terms.items() if m not in infinite}
    shares = {tuple(p for p in m if p[0] != MINUS_INFINITY): -c for m, c in infinite.items()}
    first, second = _value(Poly(shares), scope), _value(Poly(rest), scope)
    shape = (*counts, *(1,) * (scope.rank - len(counts)))
    masked = np.broadcast_to(first.value, np.broadcast_shapes(first.value.shape, shape))
    best = masked >= masked.max(0) - TINY
    value = np.where(best, second.value, -np.inf)
    peak = value.max(0)
    slack = second.error + TINY * np.where(np.isfinite(peak), np.abs(peak), 0)
    return (value >= peak - slack).argmax(0)


def _digit(factor: Digit, scope: _Scope) -> Any:
    flat, by = (np.rint(_value(p, scope).value) for p in factor.polys)
    return np.floor_divide(flat, by) if factor.tag == "quotient" else np.mod(flat, by)


def _iverson(factor: Iverson, scope: _Scope) -> Any:
    value, error, scale = _value_and_scale(factor.poly, scope)
    near = np.maximum(error, TINY * np.where(np.isfinite(scale), scale, 0))
    return {
        ">": value > near,
        "=": np.abs(value) <= near,
        ">=": value >= -0.5,
        "==": np.abs(value) < 0.5,
    }[factor.relation]


def _call(factor: Call, scope: _Scope) -> Any:
    if factor.order >= 0:
        return _applied(lambda x: _opaque(factor, x), _value(factor.argument, scope))
    if factor.name not in FUNCTIONS:
        raise ValueError(
            f"the function {factor.name!r} has no values; known: {', '.join(FUNCTIONS)}"
        )
    return _applied(FUNCTIONS[factor.name], _value(factor.argument, scope))


def _opaque(factor: Call, argument: Numbers) -> Numbers:
    from purenet.prove.opaque import stand_in

    return stand_in(argument, name=factor.name.removeprefix("@"), order=factor.order, by=np)


_FACTORS: dict[type, Callable[[Any, _Scope], Any]] = {
    Size: _size,
    Index: _index,
    Constant: lambda factor, _: factor.value,
    Entry: _entry,
    Named: _named,
    Binder: _binder,
    Call: _call,
    Base: lambda factor, scope: _value(factor.poly, scope),
    Digit: _digit,
    Iverson: _iverson,
}


# --- functions of one number ----------------------------------------------------------------------


def _each(function: Callable[[float], float]) -> Callable[[Numbers], Numbers]:
    def safe(x: float) -> float:
        try:
            return function(x)
        except (ValueError, OverflowError):  # a pole
            return math.inf

    return np.vectorize(safe, otypes=[np.float64])


def _digamma(x: Numbers) -> Numbers:
    """ψ by reflection, the recurrence up to 10, and the asymptotic series there."""
    low = x < 0.5
    z = np.where(low, 1 - x, x)
    shift = np.zeros_like(z)
    for _ in range(10):
        shift, z = np.where(z < 10, shift - 1 / z, shift), np.where(z < 10, z + 1, z)
    w = 1 / z**2
    series = w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132)))))
    value = shift + np.log(z) - 0.5 / z - series
    return np.where(low, value - np.pi / np.tan(np.pi * x), value)


def _log(x: Numbers) -> Numbers:
    return np.where(x < 0, SENTINEL, np.log(np.where(x < 0, 1.0, x)))


FUNCTIONS: dict[str, Callable[[Numbers], Numbers]] = {
    "exp": np.exp,
    "log": _log,
    "logistic": lambda x: np.where(
        x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))
    ),
    "tanh": np.tanh,
    "erf": _each(math.erf),
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "lgamma": _each(math.lgamma),
    "digamma": _digamma,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
}
