"""Terms without indices as text and as LaTeX."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from purenet.prove import latex
from purenet.prove.kernel import show
from purenet.prove.kernel.naming import Names
from purenet.prove.kernel.terms import Number
from purenet.prove.matrix import Matrix

SUM, ENTRYWISE, MATMUL, ATOM = range(4)
LEVELS = {"sum": SUM, "entrywise": ENTRYWISE, "matmul": MATMUL, "scaled": MATMUL}


class Dialect(NamedTuple):
    """How the signs of matrix notation are written."""

    ones: str
    identity: str
    times: str
    over: str
    transposed: str
    symbol: Callable[[str, Names], str]
    function: Callable[[str, int], str]
    brackets: tuple[str, str]
    square: tuple[str, str]
    diagonal: str
    one_hot: str
    power: Callable[[str, Number], str]
    fraction: Callable[[str, list[str]], str]
    relations: dict[str, str]
    product: str


def _text_power(base: str, exponent: Number) -> str:
    plain = exponent.denominator == 1 and exponent > 0
    return f"{base}^∘{exponent}" if plain else f"{base}^∘({exponent})"


def _text_fraction(over: str, under: list[str]) -> str:
    below = "·".join(under)
    return f"{over}/{f'({below})' if len(under) > 1 else below}" if under else over


def _latex_power(base: str, exponent: Number) -> str:
    return f"{{{base}}}^{{\\circ {exponent}}}" if "^" in base else f"{base}^{{\\circ {exponent}}}"


def _latex_fraction(over: str, under: list[str]) -> str:
    return rf"\frac{{{over}}}{{{_spaced(under)}}}" if under else over


def _spaced(factors: list[str]) -> str:
    return r" \, ".join(factors)


TEXT = Dialect(
    ones="𝟏",
    identity="I",
    times=" ⊙ ",
    over=" ⊘ ",
    transposed="ᵀ",
    symbol=show.symbol,
    function=show.function,
    brackets=("(", ")"),
    square=("[", "]"),
    diagonal="diag",
    one_hot="onehot",
    power=_text_power,
    fraction=_text_fraction,
    relations=show.RELATIONS,
    product="·",
)
LATEX = Dialect(
    ones=r"\mathbf{1}",
    identity="I",
    times=r" \odot ",
    over=r" \oslash ",
    transposed=r"^{\top}",
    symbol=lambda name, names: latex.symbol(name),
    function=latex.function,
    brackets=(r"\left(", r"\right)"),
    square=(r"\left[", r"\right]"),
    diagonal=r"\operatorname{diag}",
    one_hot=r"\operatorname{onehot}",
    power=_latex_power,
    fraction=_latex_fraction,
    relations={**show.RELATIONS, **latex.RELATIONS},
    product=r" \, ",
)


def write(m: Matrix, names: Names, dialect: Dialect, level: int = SUM) -> str:
    """A matrix term; brackets where it binds less than `level`."""
    written = _written(m, names, dialect)
    own = LEVELS.get(m.kind, ATOM)
    if m.kind == "entrywise" and len(m.parts) == 1 and m.exponents != (2,):
        own = ATOM
    if m.kind == "scaled" and len(m.parts) == len(m.exponents) == 0:
        own = ATOM
    return _inside(dialect.brackets, written) if own < level else written


def _inside(brackets: tuple[str, str], written: str) -> str:
    return brackets[0] + written + brackets[1]


def _written(m: Matrix, names: Names, d: Dialect) -> str:
    def part(p: Matrix, level: int = SUM) -> str:
        return write(p, names, d, level)

    if m.kind == "symbol":
        assert m.leaf is not None
        return d.symbol(names.of(m.leaf), names)
    if m.kind == "number":
        return _number(m.coefficient, [], [], d)
    if m.kind in ("ones", "identity"):
        return d.ones if m.kind == "ones" else d.identity
    if m.kind == "one-hot":
        assert m.leaf is not None
        return d.one_hot + _inside(d.brackets, d.symbol(names.of(m.leaf), names))
    if m.kind == "apply":
        return d.function(m.name, m.order) + _inside(d.brackets, part(m.parts[0]))
    if m.kind == "diagonal":
        return _diagonal(m.parts[0], names, d)
    if m.kind == "test":
        left, right = (part(p) for p in m.parts)
        return _inside(d.square, f"{left} {d.relations[m.name]} {right}")
    if m.kind == "transposed":
        return _stroked(part(m.parts[0], ATOM), m.parts[0], d)
    if m.kind == "matmul":
        return " ".join(part(p, ATOM if p.kind == "scaled" else MATMUL) for p in m.parts)
    if m.kind == "entrywise":
        return _entrywise(m, names, d)
    if m.kind == "scaled":
        return _scaled(m, names, d)
    return _sum(m, names, d)


def _stroked(written: str, inner: Matrix, d: Dialect) -> str:
    """A superscript on what may have one already."""
    if inner.kind in ("entrywise", "apply") and not written.startswith(d.brackets[0]):
        return _inside(d.brackets, written) + d.transposed
    return ("{" + written + "}" if d is LATEX and "^" in written else written) + d.transposed


def _diagonal(inner: Matrix, names: Names, d: Dialect) -> str:
    """diag(s)^(-1/2) is the diagonal matrix of the powers."""
    power = ""
    if inner.kind == "entrywise" and len(inner.parts) == 1:
        power = d.power("", inner.exponents[0]).replace("∘", "").replace(r"\circ ", "")
        inner = inner.parts[0]
    return d.diagonal + _inside(d.brackets, write(inner, names, d)) + power


def _entrywise(m: Matrix, names: Names, d: Dialect) -> str:
    if len(m.parts) == 1 and m.exponents[0] < 0:
        return d.power(write(m.parts[0], names, d, ATOM), m.exponents[0])
    over = [_powers(p, e, names, d) for p, e in zip(m.parts, m.exponents, strict=True) if e > 0]
    under = [_powers(p, -e, names, d) for p, e in zip(m.parts, m.exponents, strict=True) if e < 0]
    above = d.times.join(over) or d.ones
    if not under:
        return above
    below = under[0] if len(under) == 1 else _inside(d.brackets, d.times.join(under))
    above = _inside(d.brackets, above) if len(over) > 1 else above
    return above + d.over + below


def _powers(m: Matrix, exponent: Number, names: Names, d: Dialect) -> str:
    base = write(m, names, d, ATOM)
    if exponent == 1:
        return base
    return base + d.times + base if exponent == 2 else d.power(base, exponent)


def _scaled(m: Matrix, names: Names, d: Dialect) -> str:
    numbers = list(zip(m.parts, m.exponents, strict=False))
    rest = m.parts[len(m.exponents) :]
    over = [_scalar(p, e, names, d) for p, e in numbers if e > 0]
    under = [_scalar(p, -e, names, d) for p, e in numbers if e < 0]
    number = _number(m.coefficient, over, under, d)
    if not rest:
        return number
    body = write(rest[0], names, d, MATMUL)
    if number in ("1", "-1"):
        return number.replace("1", "") + body
    return f"{_inside(d.brackets, number) if '/' in number else number} {body}"


def _scalar(m: Matrix, exponent: Number, names: Names, d: Dialect) -> str:
    base = write(m, names, d, ATOM)
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return f"√{base}" if d is TEXT else rf"\sqrt{{{base}}}"
    if d is TEXT and exponent in show.RAISED:
        return base + show.RAISED[int(exponent)]
    return d.power(base, exponent).replace("∘", "").replace(r"\circ ", "")


def _number(value: Number, over: list[str], under: list[str], d: Dialect) -> str:
    value = Fraction(value)
    above = ([str(abs(value.numerator))] if abs(value.numerator) != 1 or not over else []) + over
    below = ([str(value.denominator)] if value.denominator != 1 else []) + under
    sign = "-" if value < 0 else ""
    return sign + d.fraction(d.product.join(above), below)


def _sum(m: Matrix, names: Names, d: Dialect) -> str:
    parts: list[str] = []
    for term, sign in zip(m.parts, m.exponents, strict=True):
        parts += ["-" if sign < 0 else "+", write(term, names, d, ENTRYWISE)]
    first = parts[1] if parts[0] == "+" else "-" + parts[1]
    return " ".join([first, *parts[2:]])
