"""The words that proofs are written in: sizes, indices, arrays, sums, derivatives.

Two traps of SymPy are closed here. `Sum(x[i]*w[i], (i, 1, n)).diff(w[i])` differentiates by the
*bound* index and is wrong without a word: `total` binds an index that nobody else can name, so a
derivative is always by a free one. And a definition that holds a sum is unfolded by calling it, so
that each use of it has bound indices of its own.
"""

import inspect
from collections.abc import Callable, Mapping

from sympy import Derivative, Dummy, Expr, Function, Indexed, IndexedBase, Sum, Symbol, sympify

Definitions = Mapping[IndexedBase | Symbol, Callable[..., Expr]]


def sizes(names: str) -> tuple[Symbol, ...]:
    """Return symbolic sizes, integers of at least 1."""
    return tuple(Symbol(name, integer=True, positive=True) for name in names.split())


def indices(names: str) -> tuple[Symbol, ...]:
    """Return free indices, from 1 to the size that the derivation states for them."""
    return tuple(Symbol(name, integer=True, positive=True) for name in names.split())


def arrays(names: str) -> tuple[IndexedBase, ...]:
    """Return arrays of real numbers, of any number of axes."""
    return tuple(IndexedBase(name, real=True) for name in names.split())


def numbers(names: str, **assumptions: bool) -> tuple[Symbol, ...]:
    """Return real numbers, with further assumptions such as positive=True."""
    return tuple(Symbol(name, real=True, **assumptions) for name in names.split())


def functions(names: str) -> tuple[type[Function], ...]:
    """Return arbitrary differentiable functions of one real number."""
    return tuple(Function(name, real=True) for name in names.split())


def total(size: Expr, body: Callable[[Symbol], Expr], name: str | None = None) -> Expr:
    """Return Σ_{i=1}^{size} body(i), its index called as the parameter of `body` is."""
    called = name or next(iter(inspect.signature(body).parameters))
    index = Dummy(called, integer=True, positive=True)
    return Sum(body(index), (index, 1, size))


def partial(expression: Expr, variable: Expr) -> Expr:
    """Return ∂ expression / ∂ variable, not yet carried out; the variable's indices are free."""
    return Derivative(expression, variable, evaluate=False)


def unfold(expression: Expr, definitions: Definitions) -> Expr:
    """Return the expression with everything that is defined written out.

    Raises:
        ValueError: a derivative is by something that is defined; it would be 0 after unfolding.
    """
    expression = sympify(expression)
    if isinstance(expression, Indexed) and expression.base in definitions:
        return unfold(definitions[expression.base](*expression.indices), definitions)
    if isinstance(expression, Symbol) and expression in definitions:
        return unfold(definitions[expression](), definitions)
    if not expression.args or isinstance(expression, Indexed):
        return expression
    if isinstance(expression, Derivative):
        for variable in expression.variables:
            if getattr(variable, "base", variable) in definitions:
                raise ValueError(f"a derivative by {variable}, which is defined by other things")
        body = unfold(expression.expr, definitions)
        return Derivative(body, *expression.variable_count, evaluate=False)
    return expression.func(*(unfold(a, definitions) for a in expression.args))
