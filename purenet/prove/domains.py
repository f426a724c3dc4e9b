"""Domains: what stands for one argument in a theorem, which sizes it has and which values.

A size is a name (`batch`), a positive number, or a sum of products of them (`2*m`, `n+1`, `h*d`).
A shape is sizes between spaces; the empty text is a scalar. Where an argument is a pytree (tuple,
list, dict, NamedTuple), the same pytree of domains stands for it.
"""

import ast
import difflib
import functools
import inspect
import keyword
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax

Polynomial = dict[tuple[str, ...], int]
"""A size as {sorted names of a product: coefficient}: `2*m + 1` is `{("m",): 2, (): 1}`."""

KINDS = ("real", "label", "boolean", "distribution", "static", "function")
RESERVED = ("floordiv", "mod", "max", "min")


@dataclass(frozen=True)
class Domain:
    """The set that one argument ranges over; built by the functions below.

    Attributes:
        kind: one of `KINDS`.
        shape: canonical texts of the sizes; () is a scalar.
        low: real: low < x for every entry (an open interval).
        high: real: x < high for every entry.
        nonzero: real: no entry is 0.
        classes: label: 0 <= y < classes.
        value: static: the value, passed as it is.
        name: function: its name.

    >>> Domain("real", ("batch", "2*m"), low=0.0)
    positive("batch 2*m")
    """

    kind: str
    shape: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    nonzero: bool = False
    classes: str = ""
    value: Hashable = None
    name: str = ""

    def __repr__(self) -> str:
        """Return the words that build it, as `parse` reads them."""
        if self.kind == "static":
            return f"static({self.value!r})"
        if self.kind == "function":
            return f'function("{self.name}")'
        word, written = self.kind, []
        if self.nonzero:
            word = "nonzero"
        elif (self.low, self.high) == (0, math.inf):
            word = "positive"
        elif word == "real":
            written += [
                f"{end}={_number(value)}"
                for end, value in (("low", self.low), ("high", self.high))
                if math.isfinite(value)
            ]
        if self.classes:
            written += [f'classes="{self.classes}"']
        shape = [f'"{" ".join(self.shape)}"'] if self.shape else []
        return f"{word}({', '.join(shape + written)})"

    @property
    def is_array(self) -> bool:
        """Whether an array is passed: every kind but static and function."""
        return self.kind not in ("static", "function")


def real(shape: str = "", *, low: float | int = -math.inf, high: float | int = math.inf) -> Domain:
    """Return real arrays with low < x < high for every entry.

    Raises:
        ValueError: the shape has a size that can't be read, or the interval is empty.

    >>> real("batch 2*m", low=0, high=1).shape
    ('batch', '2*m')
    """
    if not low < high:
        raise ValueError(f"real: low={low:g} and high={high:g} leave no number between")
    return Domain("real", _shape(shape, "real"), float(low), float(high))


def positive(shape: str = "") -> Domain:
    """Return real arrays with 0 < x for every entry: `real(shape, low=0)`.

    >>> positive("n") == real("n", low=0)
    True
    """
    return Domain("real", _shape(shape, "positive"), low=0.0)


def nonzero(shape: str = "") -> Domain:
    """Return real arrays with no entry 0.

    >>> nonzero("n").nonzero
    True
    """
    return Domain("real", _shape(shape, "nonzero"), nonzero=True)


def boolean(shape: str = "") -> Domain:
    """Return arrays of True and False.

    >>> boolean("m n").shape
    ('m', 'n')
    """
    return Domain("boolean", _shape(shape, "boolean"))


def label(shape: str = "", *, classes: str | int) -> Domain:
    """Return integer arrays with 0 <= y < classes; `classes` is a size.

    >>> label("batch", classes="k")
    label("batch", classes="k")
    """
    return Domain("label", _shape(shape, "label"), classes=_size(str(classes), "label: classes"))


def distribution(shape: str) -> Domain:
    """Return real arrays whose rows (the last axis) have entries > 0 that sum to 1.

    Raises:
        ValueError: the shape has no axis for the entries of a row.

    >>> distribution("batch k")
    distribution("batch k")
    """
    sizes = _shape(shape, "distribution")
    if not sizes:
        raise ValueError('distribution: shape "" has no axis to sum over; "batch k" expected')
    return Domain("distribution", sizes)


def static(value: object) -> Domain:
    """Return the one value, passed to the function as it is: an axis, a flag, a number.

    >>> static(3).value
    3
    """
    try:
        hash(value)
    except TypeError:
        raise ValueError(
            f"static: value {value!r} can't be hashed; a number, text, tuple or None expected"
        ) from None
    return Domain("static", value=value)


def function(name: str) -> Domain:
    """Return an arbitrary differentiable function of one number, applied to each entry.

    >>> function("sigma").name
    'sigma'
    """
    if not (isinstance(name, str) and name.isidentifier()):
        raise ValueError(f'function: name {name!r} is not a word; a name such as "sigma" expected')
    return Domain("function", name=name)


WORDS: dict[str, Callable[..., Domain]] = {
    "real": real, "positive": positive, "nonzero": nonzero, "boolean": boolean, "label": label,
    "distribution": distribution, "static": static, "function": function,
}  # fmt: skip


def parse(text: str) -> Any:
    """Return the domain, or the tuple, list or dict of domains, that the text says.

    The words are the functions of this module, written as in Python; nothing is evaluated.

    Raises:
        ValueError: the text is not such an expression; the message has the nearest word.

    >>> parse('(real("batch k", low=0), label("batch", classes="k"))')
    (positive("batch k"), label("batch", classes="k"))
    """
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        raise ValueError(
            f"domain: {text!r} can't be read; something like 'real(\"batch features\")' expected"
        ) from None


def leaves(domains: Any) -> list[Domain]:
    """Return the domains of a pytree (or of a tuple of them, one per argument), in JAX's order.

    Raises:
        ValueError: a leaf is not a domain.

    >>> leaves((real("n"), {"b": real(), "a": static(2)}))
    [real("n"), static(2), real()]
    """
    found = jax.tree_util.tree_leaves(domains)
    for leaf in found:
        if not isinstance(leaf, Domain):
            hint = f"parse({leaf!r})" if isinstance(leaf, str) else f"static({leaf!r})"
            raise ValueError(f'domains: {leaf!r} is no domain; real("n") or {hint} expected')
    return found


def sizes_of(domains: Any) -> tuple[str, ...]:
    """Return the named sizes, in order of appearance.

    >>> sizes_of((real("batch 2*m"), label("batch", classes="k")))
    ('batch', 'm', 'k')
    """
    return tuple(dict.fromkeys(
        name for domain in leaves(domains) for size in (*domain.shape, domain.classes) if size
        for name in names_in(size)
    ))  # fmt: skip


@functools.lru_cache(4096)
def names_in(size: str) -> tuple[str, ...]:
    """Return the names in a size, in order of appearance.

    >>> names_in("h*d + 1")
    ('h', 'd')
    """
    nodes = ast.walk(ast.parse(size.replace("^", "**").strip(), mode="eval"))
    found = sorted((n.col_offset, n.id) for n in nodes if isinstance(n, ast.Name))
    return tuple(dict.fromkeys(name for _, name in found))


def polynomial(size: str) -> Polynomial:
    """Return a size, or the text of a JAX dimension, as a polynomial in the named sizes.

    Raises:
        ValueError: the text is not made of names, integers, `+`, `-`, `*` and powers.

    >>> polynomial("n^2 - 3*m + 1")
    {('n', 'n'): 1, ('m',): -3, (): 1}
    """
    return dict(_read_size(size))


@functools.lru_cache(4096)
def _read_size(size: str) -> Polynomial:
    try:
        return _polynomial(ast.parse(size.replace("^", "**").strip(), mode="eval").body)
    except (SyntaxError, TypeError):
        raise ValueError(
            f"size {size!r} can't be read; a name, a positive number, "
            "or a sum of products such as 2*m or n+1 expected"
        ) from None


def size_text(size: Polynomial) -> str:
    """Return the canonical text of a polynomial: higher products first, then by name.

    >>> size_text({(): 1, ("m", "n"): 2, ("n",): -1})
    '2*m*n-n+1'
    """
    terms = sorted(size.items(), key=lambda term: (-len(term[0]), term[0]))
    signed = [
        f"{'-' if factor < 0 else '+'}"
        + "*".join([str(abs(factor))] * (abs(factor) != 1 or not names) + list(names))
        for names, factor in terms
        if factor
    ]
    return "".join(signed).removeprefix("+") or "0"


def substitute(size: str, values: Mapping[str, str | int]) -> str:
    """Return the canonical text of a size in which names are replaced by sizes.

    >>> substitute("2*m + n", {"m": "n", "n": "n"}), int(substitute("2*m", {"m": 3}))
    ('3*n', 6)
    """
    return _substituted(size, tuple(values.items()))


@functools.lru_cache(8192)
def _substituted(size: str, pairs: tuple[tuple[str, str | int], ...]) -> str:
    values, total = dict(pairs), Polynomial()
    for names, factor in polynomial(size).items():
        product: Polynomial = {(): factor}
        for name in names:
            product = times(product, polynomial(str(values.get(name, name))))
        total = plus(total, product)
    return size_text(total)


def plus(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the sum of two polynomials, without terms that cancel."""
    total = {names: a.get(names, 0) + b.get(names, 0) for names in {**a, **b}}
    return {names: factor for names, factor in total.items() if factor}


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product of two polynomials."""
    total: Polynomial = {}
    for names, factor in a.items():
        for others, other in b.items():
            total = plus(total, {tuple(sorted(names + others)): factor * other})
    return total


def nearest(given: str, choices: Iterable[str]) -> str:
    """Return the end of an error message: the nearest choice, or all of them.

    >>> nearest("reel", ["real", "label"])
    '; did you mean "real"?'
    """
    names = list(choices)
    near = difflib.get_close_matches(given, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; choose from {', '.join(names)}"


def _shape(shape: str, word: str) -> tuple[str, ...]:
    if not isinstance(shape, str):
        raise ValueError(f'{word}: shape {shape!r} is not text; something like "batch 3" expected')
    return tuple(_size(size, f"{word}: shape") for size in _words(shape))


def _words(shape: str) -> Iterator[str]:
    """Split at spaces, but keep `n + 1` together."""
    spaced = shape
    for sign in "+*^":
        spaced = sign.join(part.strip() for part in spaced.split(sign))
    yield from spaced.split()


def _size(size: str, argument: str) -> str:
    try:
        terms = polynomial(size)
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None
    if not terms or min(terms.values()) < 0:
        raise ValueError(f"{argument}: size {size!r} may be below 1; a positive size expected")
    reserved = [name for name in names_in(size) if name in RESERVED or keyword.iskeyword(name)]
    if reserved:
        raise ValueError(f"{argument}: size {size!r} uses the reserved name {reserved[0]!r}")
    return size_text(terms)


def _polynomial(node: ast.expr) -> Polynomial:
    match node:
        case ast.Name(id=name):
            return {(name,): 1}
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return {(): number} if number else {}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return times(_polynomial(operand), {(): -1})
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return plus(_polynomial(left), _polynomial(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return plus(_polynomial(left), times(_polynomial(right), {(): -1}))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return times(_polynomial(left), _polynomial(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if power < 9:
            result: Polynomial = {(): 1}
            for _ in range(power):
                result = times(result, _polynomial(left))
            return result
    raise TypeError(node)


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Tuple(elts=items):
            return tuple(map(_read, items))
        case ast.List(elts=items):
            return list(map(_read, items))
        case ast.Dict(keys=keys, values=values):
            return {_literal(key): _read(value) for key, value in zip(keys, values, strict=True)}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="prove"), attr=word)):
            return _call(word, node)
        case ast.Call(func=ast.Name(id=word)):
            return _call(word, node)
        case ast.Name(id=word) if word in WORDS:
            raise ValueError(f'domain: {word!r} needs its shape; {word}() or {word}("n") expected')
    given = ast.unparse(node)
    raise ValueError(f"domain: {given!r} is no domain{nearest(given, WORDS)}")


def _call(word: str, node: ast.Call) -> Domain:
    if word not in WORDS:
        raise ValueError(
            f"domain: unknown word {word!r} in {ast.unparse(node)!r}{nearest(word, WORDS)}"
        )
    signature = inspect.signature(WORDS[word])
    for argument in node.keywords:
        if argument.arg not in signature.parameters:
            raise ValueError(
                f"{word}: unknown argument {argument.arg!r}"
                f"{nearest(str(argument.arg), signature.parameters)}"
            )
    positional = [_literal(argument) for argument in node.args]
    named = {str(argument.arg): _literal(argument.value) for argument in node.keywords}
    try:
        signature.bind(*positional, **named)
    except TypeError as error:
        raise ValueError(
            f"{word}: {error} in {ast.unparse(node)!r}; {word}{_plain(signature)} expected"
        ) from None
    for name in ("low", "high"):
        if not isinstance(named.get(name, 0), int | float):
            raise ValueError(f"{word}: {name}={named[name]!r} is no number")
    return WORDS[word](*positional, **named)


def _number(value: float) -> str:
    return repr(int(value) if value == int(value) else value)


def _plain(signature: inspect.Signature) -> str:
    shown = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(shown))


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        given = ast.unparse(node) if node else "**"
        raise ValueError(f"domain: {given!r} is not a literal; text or a number expected") from None
