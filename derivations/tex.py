"""Words and names with Unicode mathematics in them, as LaTeX for pdflatex and for MathJax."""

import re

MATHEMATICS = {
    "α": r"\alpha", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta", "θ": r"\theta",
    "λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi",
    "ω": r"\omega", "Δ": r"\Delta", "Σ": r"\Sigma", "Φ": r"\Phi", "ℓ": r"\ell", "∂": r"\partial",
    "γ": r"\gamma", "ρ": r"\rho", "∘": r"\circ", "·": r"\cdot", "×": r"\times", "−": "-",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "∞": r"\infty", "√": r"\surd",
    "½": r"\tfrac12", "¼": r"\tfrac14", "±": r"\pm", "→": r"\to", "∈": r"\in", "′": "'",
    "…": r"\ldots", "ŷ": r"\hat{y}", "‖": r"\|", "₄": "_{4}",
    "ŝ": r"\hat{s}",
}  # fmt: skip
RAISED = dict(zip("ᵀᵗᴸᵏⁿ⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "TtLkn+-0123456789", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₜ", "0123456789+-t", strict=True))
SPECIAL = {c: f"\\{c}" for c in "_&%#${}"} | {"^": r"\textasciicircum{}"}
# A name with a subscript, as Σ_i or δ_iq.
SUBSCRIPT = re.compile(r"([^\W\d_]['′]?)_([A-Za-z0-9]+|\([^)]*\))")
BESIDE = re.compile(f"[{''.join([*MATHEMATICS, *RAISED, *LOWERED])}]+")
RUNS = re.compile(f"[{''.join(RAISED)}]+|[{''.join(LOWERED)}]+|.")


def words(text: str) -> str:
    """Return words as the inside of a \\text, the mathematics in them between dollar signs.

    >>> words("Σ_i with δ_iq keeps i = q")
    '$\\\\Sigma _{i}$ with $\\\\delta _{iq}$ keeps i = q'
    """
    pieces, end = [], 0
    for found in SUBSCRIPT.finditer(text):
        pieces += [_plain(text[end : found.start()]), _subscripted(*found.groups())]
        end = found.end()
    return "".join([*pieces, _plain(text[end:])])


def symbols(mathematics: str) -> str:
    """Return LaTeX mathematics in which Unicode symbols are commands.

    >>> symbols("σ + z₊")
    '\\\\sigma  + z_{+}'
    """
    return BESIDE.sub(_commands, mathematics)


def _subscripted(name: str, index: str) -> str:
    return f"${symbols(name)}_{{{symbols(index.strip('()'))}}}$"


def _plain(text: str) -> str:
    escaped = "".join(SPECIAL.get(c, c) for c in text)
    return BESIDE.sub(lambda found: f"${_commands(found)}$", escaped)


def _commands(found: re.Match) -> str:
    return "".join(_command(run) for run in RUNS.findall(found[0]))


def _command(run: str) -> str:
    if run[0] in RAISED:
        return f"^{{{''.join(RAISED[c] for c in run)}}}"
    if run[0] in LOWERED:
        return f"_{{{''.join(LOWERED[c] for c in run)}}}"
    command = MATHEMATICS[run]
    # A command that ends in a letter would swallow a letter that follows.
    return f"{command} " if command.startswith("\\") and command[-1].isalpha() else command
