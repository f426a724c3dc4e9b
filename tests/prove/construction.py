"""Terms written twice: as a tree with a value of its own, and as a term of the kernel.

A tree is a nested tuple. `value` computes it from the definitions, index by index,
with exact fractions as long as it can; `built` makes the kernel's term. Neither knows of the other.
"""

import math
import random
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np

from purenet.prove.kernel import algebra, conditions, digits, functions, signs, sums
from purenet.prove.kernel.evaluate import evaluate
from purenet.prove.kernel.factors import Entry, Size
from purenet.prove.kernel.linear import add, atom, index, number
from purenet.prove.kernel.terms import Array, Poly, Var

N, M = atom(Size("n")), atom(Size("m"))
SIZES = {"n": N, "m": M, "n*m": algebra.multiply(N, M), "n+1": add(N, number(1)), "1": number(1)}
ARRAYS = {
    "x": Array("x", (N,)),
    "y": Array("y", (N,)),
    "u": Array("u", (M,)),
    "w": Array("w", (N, M)),
    "s": Array("s", (N, N)),
    "c": Array("c", ()),
    "p": Array("p", (N,), low=0.0),
    "k": Array("k", (N,), kind="integer", limit=N),
    "b": Array("b", (N,), kind="boolean"),
}
AXES = {
    "x": "n", "y": "n", "u": "m", "w": "nm", "s": "nn", "c": "", "p": "n", "k": "n", "b": "n",
}  # fmt: skip
NEAR = 1e-11


class Outside(Exception):
    """The value is not defined here: a root or a logarithm of a number that is not positive."""


def size_of(name: str, sizes: dict[str, int]) -> int:
    """A size by name at concrete sizes."""
    n, m = sizes["n"], sizes["m"]
    return {"n": n, "m": m, "n*m": n * m, "n+1": n + 1, "1": 1}[name]


# --- the value of a tree, from the definitions ----------------------------------------------------


def value(tree: Any, sizes: dict[str, int], arrays: dict[str, Any], place: dict[str, int]) -> Any:
    """The number that a tree stands for."""
    head, *parts = tree

    def of(part: Any) -> Any:
        return value(part, sizes, arrays, place)

    if head == "number":
        return parts[0]
    if head == "size":
        return size_of(parts[0], sizes)
    if head == "index":
        return place[parts[0]]
    if head == "entry":
        at = tuple(int(of(p)) for p in parts[1:])
        if any(p < 0 for p in at):
            raise IndexError(f"{parts[0]}{list(at)}")
        return arrays[parts[0]][at]
    if head == "add":
        return sum(map(of, parts))
    if head == "times":
        product: Any = 1
        for part in parts:  # a condition that does not hold spares the rest
            if product == 0:
                return 0
            product *= of(part)
        return product
    if head == "power":
        return _power(of(parts[0]), parts[1])
    if head == "call":
        return _called(parts[0], of(parts[1]))
    if head in ("quotient", "remainder"):
        whole, rest = divmod(of(parts[0]), of(parts[1]))
        return whole if head == "quotient" else rest
    if head in (">", "="):
        found = of(parts[0])
        near = abs(found) < NEAR
        return int(near if head == "=" else found > 0 and not near)
    if head in (">=", "=="):
        return int(of(parts[0]) >= 0 if head == ">=" else of(parts[0]) == 0)
    if head == "larger":
        return max(of(parts[0]), of(parts[1]))
    if head == "absolute":
        return abs(of(parts[0]))
    assert head in ("sum", "max", "argmax")
    values = [
        value(parts[2], sizes, arrays, place | {parts[0]: i})
        for i in range(size_of(parts[1], sizes))
    ]
    return {"sum": sum, "max": max, "argmax": lambda v: v.index(max(v))}[head](values)


def _power(base: Any, exponent: Any) -> Any:
    if exponent != int(exponent):
        if base < -NEAR:
            raise Outside
        base = float(base) if base > NEAR else 0
    if exponent < 0 and abs(base) < NEAR:
        return 0
    if isinstance(base, float) or exponent != int(exponent):
        return float(base) ** float(exponent)
    return Fraction(base) ** int(exponent)


def _called(name: str, argument: Any) -> float:
    if name == "log" and argument <= NEAR:
        raise Outside
    if name == "exp" and argument > 200:
        raise Outside
    return float(CALLS[name](float(argument)))


CALLS = {
    "exp": math.exp,
    "log": math.log,
    "logistic": lambda x: 1 / (1 + math.exp(-x)) if abs(x) < 500 else float(x > 0),
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "erf": math.erf,
    "atan": math.atan,
    "asinh": math.asinh,
}


# --- the same tree as a term of the kernel --------------------------------------------------------


def built(tree: Any, place: dict[str, Var]) -> Poly:
    """The kernel's term."""
    head, *parts = tree

    def of(part: Any) -> Poly:
        return built(part, place)

    if head == "number":
        return number(parts[0])
    if head == "size":
        return SIZES[parts[0]]
    if head == "index":
        return index(place[parts[0]])
    if head == "entry":
        return conditions.piecewise_index(
            tuple(map(of, parts[1:])), lambda at: atom(Entry(ARRAYS[parts[0]], at))
        )
    if head == "add":
        return add(*map(of, parts))
    if head == "times":
        return algebra.multiply(*map(of, parts))
    if head == "power":
        return algebra.power(of(parts[0]), parts[1])
    if head == "call":
        return functions.call(parts[0], of(parts[1]))
    if head in ("quotient", "remainder"):
        return getattr(digits, head)(of(parts[0]), of(parts[1]))
    if head in (">", "=", ">=", "=="):
        return signs.holds(head, of(parts[0]))
    if head == "larger":
        return signs.maximum(of(parts[0]), of(parts[1]))
    if head == "absolute":
        return signs.absolute(of(parts[0]))
    var = sums.fresh(SIZES[parts[1]], parts[0])
    return sums.bind(head, (var,), built(parts[2], place | {parts[0]: var}))


# --- random trees ---------------------------------------------------------------------------------


class Draw:
    """Random trees from a seed; `kinds` are the operations that may occur."""

    def __init__(self, seed: int, kinds: tuple[str, ...]):
        self.random, self.kinds, self.names = random.Random(seed), kinds, count()

    def real(self, depth: int, scope: dict[str, str]) -> Any:
        """A real tree; `scope` gives the size of every index that may be used."""
        if depth == 0:
            return self.leaf(scope)
        kind = self.random.choice(self.kinds)
        return getattr(self, f"_{kind}")(depth - 1, scope)

    def leaf(self, scope: dict[str, str]) -> Any:
        """An entry, or a small number."""
        names = [a for a in "xyuwscp" if all(self._choices(s, scope) for s in AXES[a])]
        if self.random.random() < 0.12:
            return ("number", self.random.choice((-2, -1, Fraction(1, 2), 1, 2, 3)))
        name = self.random.choice(names)
        return ("entry", name, *(self.place(s, scope) for s in AXES[name]))

    def _choices(self, size: str, scope: dict[str, str]) -> list[str]:
        return [v for v, s in scope.items() if s == size]

    def place(self, size: str, scope: dict[str, str]) -> Any:
        """An index into an axis: a variable, from the end, or an end."""
        var = ("index", self.random.choice(self._choices(size, scope)))
        last = ("add", ("size", size), ("number", -1))
        kind = self.random.random()
        if kind < 0.7:
            return var
        if kind < 0.85:
            return ("add", last, ("times", ("number", -1), var))
        return ("number", 0) if kind < 0.95 else last

    def _add(self, depth: int, scope: dict[str, str]) -> Any:
        return ("add", self.real(depth, scope), self.real(depth, scope))

    def _times(self, depth: int, scope: dict[str, str]) -> Any:
        return ("times", self.real(depth, scope), self.real(depth, scope))

    def _sum(self, depth: int, scope: dict[str, str]) -> Any:
        size, name = self.random.choice("nnm"), f"v{next(self.names)}"
        return ("sum", name, size, self.real(depth, scope | {name: size}))

    def _max(self, depth: int, scope: dict[str, str]) -> Any:
        name = f"v{next(self.names)}"
        return ("max", name, "n", self.real(depth, scope | {name: "n"}))

    def _square(self, depth: int, scope: dict[str, str]) -> Any:
        return ("power", self.real(depth, scope), self.random.choice((2, 2, 3)))

    def _inverse(self, depth: int, scope: dict[str, str]) -> Any:
        return ("power", self.real(depth, scope), self.random.choice((-1, -1, -2)))

    def _root(self, depth: int, scope: dict[str, str]) -> Any:
        half = Fraction(self.random.choice((1, 1, -1, 3)), 2)
        return ("power", self.real(depth, scope), half)

    def _call(self, depth: int, scope: dict[str, str]) -> Any:
        return ("call", self.random.choice(sorted(CALLS)), self.real(depth, scope))

    def _exp(self, depth: int, scope: dict[str, str]) -> Any:
        return ("call", self.random.choice(("exp", "exp", "log")), self.real(depth, scope))

    def _larger(self, depth: int, scope: dict[str, str]) -> Any:
        return ("larger", self.real(depth, scope), self.real(depth, scope))

    def _absolute(self, depth: int, scope: dict[str, str]) -> Any:
        return ("absolute", self.real(depth, scope))

    def _positive(self, depth: int, scope: dict[str, str]) -> Any:
        relation = self.random.choice(">>=")
        return ("times", (relation, self.real(depth, scope)), self.real(depth, scope))

    def _flag(self, depth: int, scope: dict[str, str]) -> Any:
        flag = ("entry", "b", self.place("n", scope))
        if self.random.random() < 0.5:
            flag = ("add", ("number", 1), ("times", ("number", -1), flag))
        return ("times", flag, self.real(depth, scope))

    def _bound(self, depth: int, scope: dict[str, str]) -> Any:
        return (
            "times",
            (self.random.choice((">=", ">=", "==")), self.whole(scope)),
            self.real(depth, scope),
        )

    def whole(self, scope: dict[str, str]) -> Any:
        """An integer tree: indices, labels, sizes and small numbers."""
        parts: list[Any] = []
        for _ in range(self.random.choice((1, 2, 2, 3))):
            kind = self.random.random()
            sign = ("number", self.random.choice((1, 1, -1, -1, 2)))
            if kind < 0.6:
                parts.append(("times", sign, ("index", self.random.choice(sorted(scope)))))
            elif kind < 0.75:
                parts.append(("times", sign, ("entry", "k", self.place("n", scope))))
            elif kind < 0.85:
                parts.append(("times", sign, ("size", self.random.choice("nm"))))
            else:
                parts.append(("number", self.random.choice((-2, -1, 1))))
        return ("add", *parts)

    def _shifted(self, depth: int, scope: dict[str, str]) -> Any:
        """[i >= 1] x[i-1] or [i <= n-2] x[i+1]: a neighbour where there is one."""
        var = ("index", self.random.choice(self._choices("n", scope)))
        step = self.random.choice((-1, 1, 2))
        at = ("add", var, ("number", step))
        below = ("add", ("size", "n"), ("number", -1), ("times", ("number", -1), at))
        guard = (">=", at) if step < 0 else (">=", below)
        return ("times", guard, ("entry", self.random.choice("xy"), at), self.real(depth, scope))

    def _merged(self, depth: int, scope: dict[str, str]) -> Any:
        """Σ over an axis of n·m of an entry of w by its digits, perhaps over a part of it only."""
        name = f"v{next(self.names)}"
        high, low = ((kind, ("index", name), ("size", "m")) for kind in ("quotient", "remainder"))
        body: Any = ("entry", "w", high, low)
        if self.random.random() < 0.5:
            body = ("times", body, ("entry", "x", high))
        if self.random.random() < 0.5:
            cut = self.random.choice((1, 2))
            rest = (
                "add",
                ("size", "n*m"),
                ("number", -1 - cut),
                ("times", ("number", -1), ("index", name)),
            )
            body = ("times", (">=", rest), body)
        return ("sum", name, "n*m", body)


SMOOTH = ("add", "times", "sum", "square", "call", "exp", "add", "times", "sum")
EVERYTHING = (
    *SMOOTH, "inverse", "root", "larger", "absolute", "positive", "flag", "bound", "bound",
    "shifted", "merged", "max",
)  # fmt: skip


def numbers(seed: int, sizes: dict[str, int], *, small: bool) -> dict[str, Any]:
    """Arrays at concrete sizes: small integers (many are 0 or equal), or numbers in general."""
    rng = np.random.default_rng(seed)
    counts = {"n": sizes["n"], "m": sizes["m"]}

    def one(name: str) -> Any:
        shape = tuple(counts[s] for s in AXES[name])
        if name == "k":
            return rng.integers(0, sizes["n"], shape)
        if name == "b":
            return rng.integers(0, 2, shape)
        whole = rng.integers(1, 4, shape) if name == "p" else rng.integers(-2, 3, shape)
        real = rng.uniform(0.1, 2, shape) if name == "p" else rng.normal(size=shape)
        return whole if small else np.round(real, 4)

    found = {name: np.asarray(one(name)) for name in ARRAYS}
    return found


def exact(arrays: dict[str, Any]) -> dict[str, Any]:
    """The same numbers as fractions."""
    return {
        name: np.vectorize(lambda v: Fraction(str(v)), otypes=[object])(a) if a.size else a
        for name, a in arrays.items()
    }


# --- the same number written differently ----------------------------------------------------------


def rewritten(tree: Any, order: random.Random) -> Any:
    """Sums and products in another order, sums over two indices exchanged or read from the end."""
    head, *parts = tree
    new = [rewritten(p, order) if isinstance(p, tuple) else p for p in parts]
    if head in ("add", "times"):
        order.shuffle(new)
    if head == "sum" and new[2][0] == "sum" and order.random() < 0.5:
        inner = new[2]
        return ("sum", inner[1], inner[2], ("sum", new[0], new[1], inner[3]))
    return (head, *new)


SCOPE = {"i": "n", "j": "n", "l": "m"}
CONCRETE = ((1, 1), (2, 3), (3, 2), (4, 1))


def slots() -> dict[str, Var]:
    """Fresh variables for the free indices of random trees."""
    return {name: sums.fresh(SIZES[size], name) for name, size in SCOPE.items()}


def differs(tree: Any) -> str:
    """Where the kernel's term has another value than the tree; "" if nowhere it was tried."""
    place = slots()
    poly = built(tree, place)
    for seed, (n, m) in enumerate(CONCRETE):
        sizes = {"n": n, "m": m}
        for small in (True, False):
            arrays = numbers(17 * seed + small, sizes, small=small)
            at = {v: (seed + 2 * k) % size_of(s, sizes) for k, (v, s) in enumerate(SCOPE.items())}
            try:
                true = float(value(tree, sizes, exact(arrays), at))
            except (Outside, OverflowError, IndexError):
                continue
            floats = {name: np.asarray(a, float) for name, a in arrays.items()}
            found = float(evaluate(poly, sizes, floats, {place[v]: i for v, i in at.items()}))
            if not math.isnan(found) and abs(found - true) > 1e-6 * (1 + abs(true)):
                return f"{found} for {true} at {sizes} {at} {arrays}: {poly} from {tree}"
    return ""


def same_value(one: Poly, other: Poly, place: dict[str, Var] | None = None) -> bool:
    """Whether two terms have the same value at some sizes and numbers."""
    for seed, (n, m) in enumerate(CONCRETE):
        sizes, given = {"n": n, "m": m}, {}
        for name, var in (place or {}).items():
            given[var] = seed % size_of(SCOPE[name], sizes)
        arrays = numbers(seed, sizes, small=False)
        left, right = (float(evaluate(p, sizes, arrays, given)) for p in (one, other))
        if abs(left - right) > 1e-8 * (1 + abs(left)):
            return False
    return True
