"""When two expressions with sums of any length are the same.

An expression becomes a sum of terms, each a product of factors summed over bound indices:

    Σ_i Σ_j  factor · factor · …       (a denominator, or a function with its argument, is one)

and four rules bring terms to one form:

    δ_iq with i bound, and q in the range of i, puts q for i
    an index that no factor names contributes its size
    Σ_k g(k) / Σ_j g(j) = 1, inside any other sum
    bound indices are named last, in the order that makes the term come first in the alphabet
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import sympy
from sympy import Add, Dummy, Expr, KroneckerDelta, Mul, Piecewise, Pow, Sum, Symbol, exp

from derivations.calculus import differentiated

Ranges = Mapping[Symbol, Expr]


class Term(NamedTuple):
    """The product of the factors, summed over each bound index from 1 to its size."""

    factors: tuple[Expr, ...]
    bound: dict[Symbol, Expr]


def equal(left: Expr, right: Expr, ranges: Ranges) -> bool:
    """Return whether two expressions are the same for all sizes and all real numbers.

    That is, wherever both are defined. `False` means that no proof was found. `ranges` gives free
    indices their sizes: q in 1 … n.

    Raises:
        ValueError: a sum that does not run from 1 to a size, or whose size depends on an index.
    """
    rest = canonical(left - right, ranges)
    if rest == 0:
        return True
    if _vanishes(rest):
        return True
    # Terms over the same bound indices may cancel only together, as summands.
    together: dict[tuple, list[Expr]] = {}
    for term in Add.make_args(rest):
        factor, summed = term.as_independent(Sum)
        single = isinstance(summed, Sum)
        limits = tuple(summed.limits) if single else ()
        together.setdefault(limits, []).append(factor * summed.function if single else term)
    return all(_vanishes(Add(*summands)) for summands in together.values())


def canonical(expression: Expr, ranges: Ranges) -> Expr:
    """Return the one form of an expression; derivatives in it are carried out first.

    Raises:
        ValueError: as `equal`.
    """
    return _canonical(differentiated(sympy.sympify(expression)), dict(ranges))


def _canonical(e: Expr, ranges: dict[Symbol, Expr]) -> Expr:
    total = sympy.S.Zero
    for term in _terms(e, ranges):
        total += _named(_contracted(term, ranges))
    return total


def _vanishes(e: Expr) -> bool:
    """Whether it is 0 whatever the values of the sums in it are."""
    # SymPy's simplify gets no sums to see: it has rules for them that are not ours.
    values = {s: _opaque(s) for s in _top(e)}
    plain = sympy.expand(e.xreplace(values))
    return bool(plain == 0 or sympy.simplify(sympy.together(plain)) == 0)


def _opaque(s: Sum) -> Dummy:
    """A number in the place of a sum; real only if the summand is known to be."""
    inside = s.function.xreplace({t: _opaque(t) for t in _top(s.function)})
    return Dummy("sum", real=True if inside.is_real else None)


def _top(e: Expr) -> set[Sum]:
    """The sums in an expression that are not inside another one."""
    if isinstance(e, Sum):
        return {e}
    return set().union(*(_top(a) for a in e.args)) if e.args else set()


def _terms(e: Expr, ranges: dict[Symbol, Expr]) -> list[Term]:
    if isinstance(e, Add):
        return [term for a in e.args for term in _terms(a, ranges)]
    if isinstance(e, Mul):
        return _product([_terms(a, ranges) for a in e.args])
    if (
        isinstance(e, Pow)
        and e.exp.is_Integer
        and 0 < e.exp <= 4
        and (e.base.is_Add or _sum(e.base))
    ):
        return _product([_terms(_fresh(e.base), ranges) for _ in range(int(e.exp))])
    if isinstance(e, Sum):
        return _summed(e, ranges)
    return [Term(_atom(e, ranges), {})]


def _sum(e: Expr) -> bool:
    return isinstance(e, Sum) or (e.is_Mul and e.has(Sum))


def _product(lists: list[list[Term]]) -> list[Term]:
    return [
        Term(
            tuple(f for term in choice for f in term.factors),
            {i: n for term in choice for i, n in term.bound.items()},
        )
        for choice in itertools.product(*lists)
    ]


def _summed(e: Sum, ranges: dict[Symbol, Expr]) -> list[Term]:
    function, bound = e.function, {}
    for index, low, high in e.limits:
        if low != 1:
            raise ValueError(f"sums run from 1 here, got {e}")
        if not (high.is_integer and high.is_nonnegative):
            raise ValueError(f"a size is an integer of at least 0, got {high} in {e}")
        if high.free_symbols & {*e.variables, *ranges}:
            raise ValueError(f"a size may not depend on an index, got {e}")
        fresh = Dummy(index.name, integer=True, positive=True)
        function, bound = function.xreplace({index: fresh}), {**bound, fresh: high}
    inside = _terms(function, {**ranges, **bound})
    return [Term(term.factors, {**bound, **term.bound}) for term in inside]


def _fresh(e: Expr) -> Expr:
    """The same expression with new names for its bound indices."""
    if isinstance(e, Sum):
        new = {i: Dummy(i.name, integer=True, positive=True) for i in e.variables}
        limits = [(new[i], low, high) for i, low, high in e.limits]
        return Sum(_fresh(e.function.xreplace(new)), *limits)
    return e.func(*(_fresh(a) for a in e.args)) if e.args else e


def _atom(e: Expr, ranges: dict[Symbol, Expr]) -> tuple[Expr, ...]:
    """A factor that is not multiplied out, its arguments in canonical form."""
    if isinstance(e, KroneckerDelta) or not e.args:
        return (e,)
    if isinstance(e, Piecewise):
        return (Piecewise(*((_canonical(v, ranges), c) for v, c in e.args)),)
    if isinstance(e, exp):
        power = _canonical(e.args[0], ranges)
        return tuple(exp(part) for part in Add.make_args(sympy.expand(power)))
    if isinstance(e, Pow):
        base, power = _canonical(e.base, ranges), _canonical(e.exp, ranges)
        parts = base.args if base.is_Mul and power.is_Integer else (base,)
        return tuple(Pow(part, power) for part in parts)
    if isinstance(e, sympy.Indexed):
        return (e,)
    return (e.func(*(_canonical(a, ranges) for a in e.args)),)


def _contracted(term: Term, ranges: dict[Symbol, Expr]) -> Term:
    """Apply the rules for δ, for idle indices and for g / Σ g until none applies."""
    while True:
        term = _without_repeated_deltas(term)
        for rule in (_pin, _normalise):
            changed = rule(term, ranges)
            if changed is not None:
                term = changed
                break
        else:
            return _without_idle(term)


def _without_repeated_deltas(term: Term) -> Term:
    kept: list[Expr] = []
    for f in term.factors:
        power = isinstance(f, Pow) and isinstance(f.base, KroneckerDelta) and f.exp.is_positive
        base = f.base if power else f
        if not (isinstance(base, KroneckerDelta) and base in kept):
            kept.append(base)
    return term._replace(factors=tuple(kept))


def _pin(term: Term, ranges: dict[Symbol, Expr]) -> Term | None:
    """δ_iq with i bound and q in the range of i: put q for i. Both free: put one for the other."""
    known = {**ranges, **term.bound}
    for f in term.factors:
        if not isinstance(f, KroneckerDelta):
            continue
        for i, q in (f.args, f.args[::-1]):
            inside = q in known and known.get(q) == term.bound.get(i)
            if i in term.bound and (inside or _within(q, term.bound[i])):
                rest = tuple(g.xreplace({i: q}) for g in term.factors if g != f)
                return Term(rest, {j: n for j, n in term.bound.items() if j != i})
        low, high = sorted(f.args, key=str)
        if high.is_Symbol and any(g.has(high) for g in term.factors if g != f):
            rest = tuple(g if g == f else g.xreplace({high: low}) for g in term.factors)
            return term._replace(factors=rest)
    return None


def _within(q: Expr, size: Expr) -> bool:
    return bool(q.is_Integer and size.is_Integer and 1 <= q <= size)


def _normalise(term: Term, ranges: dict[Symbol, Expr]) -> Term | None:
    """Σ_k g(k) / Σ_j g(j) = 1 for the factors g that name k."""
    for place, f in enumerate(term.factors):
        if not (isinstance(f, Pow) and f.exp.is_Integer and f.exp < 0):
            continue
        below = _terms(f.base, ranges)
        if len(below) != 1 or len(below[0].bound) != 1:
            continue
        [(j, size)] = below[0].bound.items()
        for k, n in term.bound.items():
            naming = [g for g in term.factors if g.has(k)]
            if n == size and Mul(*below[0].factors).xreplace({j: k}) == Mul(*naming):
                others = [g for p, g in enumerate(term.factors) if g not in naming and p != place]
                rest = (*others, Pow(f.base, f.exp + 1))
                return Term(rest, {i: m for i, m in term.bound.items() if i != k})
    return None


def _without_idle(term: Term) -> Term:
    idle = [i for i in term.bound if not any(f.has(i) for f in term.factors)]
    sizes = tuple(term.bound[i] for i in idle)
    return Term((*term.factors, *sizes), {i: n for i, n in term.bound.items() if i not in idle})


def _named(term: Term) -> Expr:
    """The term as an expression, its bound indices named canonically."""
    product = Mul(*term.factors)
    if not term.bound or product == 0:
        return product
    outside, inside = product.as_independent(*term.bound, as_Add=False)
    # Names above those of sums inside a factor: an outer index must not be captured by an inner.
    inner = [s.name for s in inside.atoms(Symbol) - inside.atoms(Dummy)]
    taken = [int(name[1:]) for name in inner if name.startswith("#")]
    first = max(taken, default=0) + 1
    in_order = sorted(str(n) for n in term.bound.values())
    choices = []
    for order in itertools.permutations(term.bound):
        if [str(term.bound[i]) for i in order] == in_order:
            names = {i: _name(first + place) for place, i in enumerate(order)}
            limits = [(names[i], 1, term.bound[i]) for i in order]
            choices.append((inside.xreplace(names), limits))
    summand, limits = min(choices, key=lambda choice: sympy.srepr(choice[0]))
    return outside * Sum(summand, *limits)


def _name(number: int) -> Symbol:
    return Symbol(f"#{number}", integer=True, positive=True)
