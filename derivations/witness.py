"""The second opinion: an expression as a number, at random sizes and random entries.

Nothing of `derivations.sums` or `derivations.calculus` is used: sums are added up one by one, and
a derivative is a central difference with 60 digits, right to about 30 of them.
"""

import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import mpmath
import sympy
from sympy import Expr, Indexed, IndexedBase, Sum, Symbol
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

DIGITS = 60
STEP = mpmath.mpf(10) ** -20
AGREES = mpmath.mpf(10) ** -25

Number = Any


@dataclass
class World:
    """Random values for everything that an expression leaves open, drawn when first asked for."""

    random: random.Random
    smallest: int = 1
    values: dict[Any, Number] = field(default_factory=dict)

    def size(self, symbol: Symbol) -> int:
        """The value of a size: at most 4."""
        return self.values.setdefault(symbol, self.random.randint(self.smallest, 4))

    def number(self, symbol: Symbol) -> Number:
        """The value of a number, in keeping with what is assumed of it."""
        if symbol.is_integer:
            return self.size(symbol)
        return self.values.setdefault(symbol, self._draw(symbol))

    def entry(self, base: IndexedBase, place: tuple[int, ...]) -> Number:
        """The value of an entry of an array."""
        return self.values.setdefault((base, place), self._draw(base.label))

    def function(self, name: str) -> Callable[[Number], Number]:
        """An arbitrary smooth function, and its derivative under the name with ′."""
        plain = name.rstrip("′")
        draw = [mpmath.mpf(self.random.uniform(0.5, 1.5)) for _ in range(3)]
        a, b, c = self.values.setdefault(("function", plain), draw)
        order = len(name) - len(plain)
        if order == 0:
            return lambda t: a * mpmath.sin(b * t + c) + t * t / 3
        if order == 1:
            return lambda t: a * b * mpmath.cos(b * t + c) + 2 * t / 3
        raise ValueError(f"no value for {name}")

    def _draw(self, symbol: Symbol) -> Number:
        drawn = mpmath.mpf(self.random.uniform(0.2, 2))
        up = symbol.is_nonnegative or (not symbol.is_nonpositive and self.random.random() < 0.5)
        return drawn if up else -drawn


def value(e: Expr, world: World) -> Number:
    """Return the number that an expression is in a world."""
    if isinstance(e, Sum):
        return _sum(e, world)
    if isinstance(e, sympy.Derivative):
        return _difference(e, world)
    if isinstance(e, Indexed):
        return world.entry(e.base, tuple(int(value(i, world)) for i in e.indices))
    if isinstance(e, Symbol):
        return world.values[e] if e in world.values else world.number(e)
    if isinstance(e, sympy.Piecewise):
        return next(value(v, world) for v, c in e.args if _holds(c, world))
    if isinstance(e, AppliedUndef) and len(e.args) == 1:
        return world.function(e.func.__name__)(value(e.args[0], world))
    if isinstance(e, sympy.Product):
        return _product(e, world)
    arguments = [value(a, world) for a in e.args]
    if not arguments:
        return mpmath.mpf(e.p) / e.q if e.is_Rational else mpmath.mpf(sympy.N(e, DIGITS))
    return _function(e)(*arguments)


def agree(left: Expr, right: Expr, worlds: list[World]) -> World | None:
    """Return the first world in which two expressions differ, or None if they agree in all."""
    sides = sympy.sympify(left), sympy.sympify(right)
    with mpmath.workdps(DIGITS):
        for world in worlds:
            a, b = (value(side, world) for side in sides)
            if not abs(a - b) <= AGREES * max(1, abs(a), abs(b)):
                return world
    return None


def _sum(e: Sum, world: World) -> Number:
    (index, low, high), *rest = reversed(e.limits)
    inner = Sum(e.function, *reversed(rest)) if rest else e.function
    return mpmath.fsum(_over(inner, index, low, high, world))


def _product(e: sympy.Product, world: World) -> Number:
    [(index, low, high)] = e.limits
    return reduce(operator.mul, _over(e.function, index, low, high, world), mpmath.mpf(1))


def _over(e: Expr, index: Symbol, low: Expr, high: Expr, world: World) -> list[Number]:
    """The values of an expression while an index runs from low to high."""
    places = range(int(value(low, world)), int(value(high, world)) + 1)
    hidden = world.values.get(index)
    found = []
    for place in places:
        world.values[index] = place
        found.append(value(e, world))
    world.values.pop(index, None)
    if hidden is not None:
        world.values[index] = hidden
    return found


def _difference(e: sympy.Derivative, world: World) -> Number:
    (variable, count), *rest = e.variable_count
    inner = e.expr if count == 1 and not rest else None
    if inner is None:
        raise ValueError(f"one derivative at a time, got {e}")
    key: Any = variable
    if isinstance(variable, Indexed):
        key = (variable.base, tuple(int(value(i, world)) for i in variable.indices))
    here = value(variable, world)
    ends = []
    for end in (here + STEP, here - STEP):
        world.values[key] = end
        ends.append(value(inner, world))
    world.values[key] = here
    return (ends[0] - ends[1]) / (2 * STEP)


def _holds(condition: Any, world: World) -> bool:
    if isinstance(condition, Relational):
        left, right = (value(a, world) for a in condition.args)
        return bool(RELATIONS[condition.rel_op](left, right))
    if isinstance(condition, sympy.And):
        return all(_holds(c, world) for c in condition.args)
    return bool(condition)


RELATIONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

FUNCTIONS: dict[type, Callable[..., Number]] = {
    sympy.Add: lambda *a: mpmath.fsum(a),
    sympy.Mul: lambda *a: mpmath.fprod(a),
    sympy.Pow: mpmath.power,
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.tanh: mpmath.tanh,
    sympy.cosh: mpmath.cosh,
    sympy.sinh: mpmath.sinh,
    sympy.erf: mpmath.erf,
    sympy.Max: max,
    sympy.Min: min,
    sympy.Abs: abs,
    sympy.sign: mpmath.sign,
    sympy.KroneckerDelta: lambda a, b: mpmath.mpf(int(a == b)),
}


def _function(e: Expr) -> Callable[..., Number]:
    if e.func not in FUNCTIONS:
        raise ValueError(f"no numeric meaning is given to {e.func.__name__}")
    return FUNCTIONS[e.func]
