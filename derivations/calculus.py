"""Differentiation by the rules of the subject, applied to SymPy expressions.

SymPy's own `diff` is used for a function of one scalar placeholder alone (exp, log, tanh, a power,
an undefined σ); sums and arrays are differentiated here, by a variable whose indices are free.
"""

import sympy
from sympy import (
    Add,
    Derivative,
    Dummy,
    Expr,
    Function,
    Indexed,
    KroneckerDelta,
    Mul,
    Piecewise,
    Sum,
)
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef

PRIME = "′"


def differentiated(expression: Expr) -> Expr:
    """Return the expression with every derivative in it carried out, from the inside out.

    Raises:
        ValueError: a derivative is by an entry whose index is bound in what is differentiated.
    """
    if not expression.has(Derivative):
        return expression
    if not isinstance(expression, Derivative):
        return expression.func(*(differentiated(a) for a in expression.args))
    inner = differentiated(expression.expr)
    for variable, count in expression.variable_count:
        _refuse_bound(inner, variable)
        for _ in range(int(count)):
            inner = derivative(inner, variable)
    return inner


def derivative(e: Expr, v: Expr) -> Expr:
    """Return ∂e/∂v: the sum, product and chain rule, and δ for two entries of one array.

    A `Piecewise` is differentiated branch by branch, which is right away from its kinks; a theorem
    that does so says it.
    """
    if e == v:
        return sympy.S.One
    if isinstance(e, Indexed):
        return _same_entry(e, v)
    if isinstance(e, Sum):
        return Sum(derivative(e.function, v), *e.limits)
    if isinstance(e, Add):
        return Add(*(derivative(a, v) for a in e.args))
    if isinstance(e, Mul):
        others = [Mul(*e.args[:n], *e.args[n + 1 :]) for n in range(len(e.args))]
        return Add(*(derivative(a, v) * rest for a, rest in zip(e.args, others, strict=True)))
    if isinstance(e, ExprWithLimits):
        raise ValueError(f"of expressions with bounds only sums are differentiated, got {e}")
    if isinstance(e, Piecewise):
        return Piecewise(*((derivative(value, v), condition) for value, condition in e.args))
    return Add(*(_chain(e, place, v) for place in range(len(e.args)) if mentions(e.args[place], v)))


def mentions(e: Expr, v: Expr) -> bool:
    """Return whether a variable, or another entry of its array, occurs in an expression."""
    if isinstance(v, Indexed):
        return any(entry.base == v.base for entry in e.atoms(Indexed))
    return e.has(v)


def prime(function: type[Function]) -> type[Function]:
    """Return σ′, the derivative of an arbitrary function σ, as a function of its own."""
    return Function(function.__name__ + PRIME, real=True)


def _chain(e: Expr, place: int, v: Expr) -> Expr:
    inner = e.args[place]
    if isinstance(e, AppliedUndef):
        if len(e.args) != 1:
            raise ValueError(f"arbitrary functions have one argument here, got {e}")
        return prime(e.func)(inner) * derivative(inner, v)
    hole = Dummy("hole", real=True)
    outer = e.func(*e.args[:place], hole, *e.args[place + 1 :]).diff(hole)
    return outer.xreplace({hole: inner}) * derivative(inner, v)


def _same_entry(e: Indexed, v: Expr) -> Expr:
    if not isinstance(v, Indexed) or e.base != v.base:
        return sympy.S.Zero
    return Mul(*(KroneckerDelta(i, q) for i, q in zip(e.indices, v.indices, strict=True)))


def _refuse_bound(e: Expr, v: Expr) -> None:
    bound = {index for s in e.atoms(Sum) for index in s.variables}
    if bound & v.free_symbols:
        raise ValueError(f"the derivative by {v} names an index that is bound in {e}")
