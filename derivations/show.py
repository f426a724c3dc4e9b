"""A derivation as a person reads it: Unicode text for a terminal, LaTeX for a page."""

import inspect
import string
import textwrap
from collections.abc import Callable

import sympy
from sympy import Derivative, Expr, Indexed, KroneckerDelta, Sum, Symbol
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from derivations import tex
from derivations.language import Definitions
from derivations.proof import Broken, Chain, Derivation, Fact, Step

WIDTH = 100
GREEK = {
    "sigma": "σ", "delta": "δ", "eta": "η", "alpha": "α", "theta": "θ", "tau": "τ", "phi": "φ",
    "Delta": "Δ", "lambda": "λ", "mu": "μ", "gamma": "γ", "epsilon": "ε", "Phi": "Φ", "pi": "π",
}  # fmt: skip
RAISED = str.maketrans("0123456789-+nkml", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿᵏᵐˡ")


def text(expression: Expr) -> str:
    """Return an expression as one line of Unicode: Σ_i x[i] w[i]."""
    return _Text().doprint(readable(expression))


def latex(expression: Expr) -> str:
    """Return an expression as LaTeX, entries of arrays as subscripts."""
    return tex.symbols(_Latex({"mul_symbol": "\\,"}).doprint(readable(expression)))


def readable(expression: Expr) -> Expr:
    """Return the expression with bound indices named by single letters that are not in use."""
    taken = {s.name for s in expression.atoms(Symbol) if not isinstance(s, sympy.Dummy)}
    return _renamed(expression, taken)


def _renamed(e: Expr, taken: set[str]) -> Expr:
    if not e.args:
        return e
    if isinstance(e, Sum):
        names = dict.fromkeys(e.variables)
        for index in e.variables:
            wanted = [index.name, *string.ascii_lowercase[8:], *string.ascii_lowercase]
            name = next(n for n in wanted if n not in taken and n.isalpha())
            names[index] = Symbol(name, integer=True, positive=True)
            taken = taken | {name}
        limits = [(names[i], low, high.xreplace(names)) for i, low, high in e.limits]
        return Sum(_renamed(e.function.xreplace(names), taken), *limits)
    if isinstance(e, Derivative):
        return Derivative(_renamed(e.expr, taken), *e.variable_count, evaluate=False)
    return e.func(*(_renamed(a, taken) for a in e.args))


class _Text(StrPrinter):
    printmethod = "_unicode_text"

    def _print_Symbol(self, e: Symbol) -> str:
        return GREEK.get(e.name, e.name)

    def _print_Indexed(self, e: Indexed) -> str:
        name = str(e.base.label)
        return f"{GREEK.get(name, name)}[{','.join(self._print(i) for i in e.indices)}]"

    def _print_Tuple(self, e: Expr) -> str:
        return ",".join(self._print(a) for a in e)

    def _print_AppliedUndef(self, e: Expr) -> str:
        name = e.func.__name__
        plain = name.rstrip("′")
        called = GREEK.get(plain, plain) + name[len(plain) :]
        return f"{called}({', '.join(self._print(a) for a in e.args)})"

    _print_Function = _print_AppliedUndef

    def _print_Sum(self, e: Sum) -> str:
        # SymPy keeps the innermost sum first.
        signs = "".join(f"Σ_{self._print(i)} " for i, _, _ in reversed(e.limits))
        inside = e.function
        if isinstance(inside, Sum) or inside.is_Mul:
            return signs + self._print(inside)
        return signs + self.parenthesize(inside, PRECEDENCE["Mul"])

    def _print_Derivative(self, e: Derivative) -> str:
        by = " ".join(f"∂{self._print(v)}" for v in e.variables)
        if e.expr.is_Symbol or isinstance(e.expr, Indexed):
            return f"∂{self._print(e.expr)}/{by}"
        return f"∂/{by} ({self._print(e.expr)})"

    def _print_KroneckerDelta(self, e: KroneckerDelta) -> str:
        return f"δ_{''.join(self._print(a) for a in e.args)}"

    def _print_exp(self, e: Expr) -> str:
        power = e.args[0]
        simple = power.is_Symbol or isinstance(power, Indexed) or power.is_Integer
        return f"e^{self._print(power)}" if simple else f"e^({self._print(power)})"

    def _print_Pow(self, e: Expr, rational: bool = False) -> str:
        if e.exp == sympy.Rational(1, 2):
            return f"√({self._print(e.base)})"
        if e.exp.is_Integer and e.exp > 0:
            base = self.parenthesize(e.base, PRECEDENCE["Pow"] + 1, strict=False)
            return base + str(e.exp).translate(RAISED)
        if e.exp.is_Integer:
            below = e.base if e.exp == -1 else sympy.Pow(e.base, -e.exp, evaluate=False)
            return f"1/{self.parenthesize(below, PRECEDENCE['Pow'], strict=True)}"
        base = self.parenthesize(e.base, PRECEDENCE["Pow"])
        power = self._print(e.exp)
        return f"{base}^{power}" if e.exp.is_Symbol else f"{base}^({power})"

    def _print_Pi(self, e: Expr) -> str:
        return "π"

    def _print_Abs(self, e: Expr) -> str:
        return f"|{self._print(e.args[0])}|"

    def _print_Max(self, e: Expr) -> str:
        return f"max({', '.join(self._print(a) for a in e.args)})"

    def _print_Min(self, e: Expr) -> str:
        return f"min({', '.join(self._print(a) for a in e.args)})"

    def _print_Relational(self, e: Expr) -> str:
        return super()._print_Relational(e).replace(">=", "≥").replace("<=", "≤")

    def _print_Mul(self, e: Expr) -> str:
        sums = [a for a in e.args if isinstance(a, Sum)]
        if len(sums) != 1 or any(a.is_Pow and a.exp.is_negative for a in e.args):
            return super()._print_Mul(e).replace("*", " ")
        # A sum reaches to the end of its product, so it is written last.
        rest = sympy.Mul(*(a for a in e.args if a is not sums[0]))
        if rest == -1:
            return f"-{self._print(sums[0])}"
        return f"{self.parenthesize(rest, PRECEDENCE['Mul'])} {self._print(sums[0])}"

    def _print_Piecewise(self, e: Expr) -> str:
        cases = [f"{self._print(v)} if {self._print(c)}" for v, c in e.args]
        return "{" + "; ".join(cases).replace(" if True", " otherwise") + "}"


class _Latex(LatexPrinter):
    def _print_Indexed(self, e: Indexed) -> str:
        # Braces: the name may have a subscript of its own.
        return f"{{{self._print(e.base.label)}}}_{{{' '.join(self._print(i) for i in e.indices)}}}"

    def _print_Function(self, e: Expr, exp: str | None = None) -> str:
        name = e.func.__name__
        if not name.endswith("′"):
            return super()._print_Function(e, exp)
        called = sympy.latex(Symbol(name.rstrip("′"))) + "'" * name.count("′")
        inside = ", ".join(self._print(a) for a in e.args)
        return f"{called}\\left({inside}\\right)" + (f"^{{{exp}}}" if exp else "")


def heading(derivation: Derivation) -> list[str]:
    """Return what stands above the proof: statement, quantifiers, intuition, definitions."""
    d = derivation
    lines = [d.title, "═" * min(len(d.title), WIDTH)]
    lines += _wrapped("for " + ", ".join(d.quantifiers))
    lines += [line for c in conditions(d) for line in _wrapped(f"where {c}")]
    if d.fixed:
        lines += _wrapped(f"at fixed sizes: {d.fixed}")
    lines += ["", *_wrapped(d.intuition), ""]
    for left, right in defined(d.definitions):
        lines.append(f"  {text(left)} = {text(right)}")
    return [*lines, ""] if d.definitions else lines


def conditions(derivation: Derivation) -> tuple[str, ...]:
    """Return the conditions of a derivation in words, those of its steps included."""
    used = [g.words for c in derivation.chains for s in c.steps for g in s.given]
    return tuple(dict.fromkeys([*derivation.conditions, *used]))


def defined(definitions: Definitions) -> list[tuple[Expr, Expr]]:
    """Return both sides of each definition, its indices called as its parameters are."""
    pairs = []
    for name, right in definitions.items():
        places = [Symbol(p, integer=True, positive=True) for p in _parameters(right)]
        pairs.append((name[tuple(places)] if places else name, right(*places)))
    return pairs


def _parameters(function: Callable) -> list[str]:
    return list(inspect.signature(function).parameters)


def opening(chain: Chain) -> list[str]:
    """Return the first lines of a chain."""
    return [f"  {chain.left}", *_line(text(chain.start), chain.reason)]


def step_lines(step: Step) -> list[str]:
    """Return the lines of one step."""
    return _line(text(step.expression), step.reason)


def box(chain: Chain) -> list[str]:
    """Return the result of a chain in a box."""
    lines = textwrap.wrap(f"{chain.left} = {text(chain.result)}", WIDTH - 8)
    width = max(map(len, lines)) + 2
    inside = [f"  │{f' {line} '.ljust(width)}│" for line in lines]
    return [f"  ┌{'─' * width}┐", *inside, f"  └{'─' * width}┘", ""]


def _line(expression: str, reason: str) -> list[str]:
    left = f"    = {expression}"
    if len(left) + 3 + len(reason) <= WIDTH:
        return [left + reason.rjust(WIDTH - len(left))]
    parts = textwrap.wrap(expression, WIDTH - 6, break_long_words=False) or [""]
    return [f"    = {parts[0]}", *(f"      {p}" for p in parts[1:]), reason.rjust(WIDTH)]


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH)


def page(derivation: Derivation) -> str:
    """Return a derivation as LaTeX: an aligned block for each claim."""
    d = derivation
    parts = [
        f"\\textbf{{{tex.words(d.title)}}}",
        tex.words("for " + ", ".join(d.quantifiers)),
        *(tex.words(f"where {c}") for c in conditions(d)),
        tex.words(d.intuition),
    ]
    parts += [f"\\[ {latex(left)} = {latex(right)} \\]" for left, right in defined(d.definitions)]
    parts += [_aligned(chain) for chain in d.chains]
    return "\n\n".join([*parts, *(tex.words(f"Computed: {f.words}") for f in d.facts)])


def _aligned(chain: Chain) -> str:
    lines = [(chain.start, chain.reason), *((s.expression, s.reason) for s in chain.steps)]
    rows = [f"{latex(e)} && \\text{{{tex.words(reason)}}}" for e, reason in lines]
    body = " \\\\\n&= ".join(rows)
    left = f"& \\text{{{tex.words(chain.left)}}} \\\\"
    return f"\\begin{{align*}}\n{left}\n&= {body}\n\\end{{align*}}"


def statement(derivation: Derivation) -> list[str]:
    """Return what is claimed, without the proof; a test keeps it from being weakened."""
    d = derivation
    lines = [f"{d.name}: {d.title}", *(f"  for {q}" for q in d.quantifiers)]
    lines += [f"  where {c}" for c in conditions(d)]
    lines += [f"  at fixed sizes: {d.fixed}"] if d.fixed else []
    lines += [f"  {text(i)} from 1 to {text(n)}" for i, n in d.ranges.items()]
    lines += [f"  define {text(left)} = {text(right)}" for left, right in defined(d.definitions)]
    for chain in d.chains:
        lines.append(f"  {chain.left} = {text(chain.start)} = {text(chain.result)}")
    return [*lines, *(f"  computed: {fact.words}" for fact in d.facts)]


def summary(derivation: Derivation, seconds: float) -> list[str]:
    """Return the lines of a proved theorem in the table of all of them."""
    d = derivation
    figures = f"{d.steps:>3} steps {seconds:>5.2f} s"
    return [
        f"{d.name:<28}{figures:>{WIDTH - 28}}",
        *_indented(d.title),
        *_indented("for " + ", ".join(d.quantifiers)),
    ]


def closing(derivation: Derivation) -> list[str]:
    """Return what stands below the proof."""
    d = derivation
    lines = [*_wrapped(d.remark), ""] if d.remark else []
    if d.sources:
        lines += _wrapped(f"In the notes: {', '.join(d.sources)}")
    steps = d.steps - len(d.facts)
    sizes = "at the sizes above" if d.fixed else "for all sizes"
    held = f"{steps} steps hold, {sizes} and again at random numbers"
    return [*lines, held + (f"; {count(len(d.facts), 'computed fact')}." if d.facts else ".")]


def fact_lines(fact: Fact) -> list[str]:
    """Return the lines of a computed fact."""
    return textwrap.wrap(f"computed: {fact.words}", WIDTH, initial_indent="  ",
                         subsequent_indent="            ")  # fmt: skip


def count(number: int, thing: str) -> str:
    """Return a number with its noun."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def broken(error: Broken) -> str:
    """Return both sides of what does not hold."""
    sides = [text(e) if isinstance(e, Expr) else str(e) for e in (error.before, error.after)]
    return f"  ✗ {error.where} does not hold: {error.how}\n    {sides[0]}\n    {sides[1]}"


def _indented(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent="    ", subsequent_indent="    ")
