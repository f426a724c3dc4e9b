"""What the prover returns: a claim with its verdict, and everything that limits it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import jax
import numpy as np

from purenet.prove.replay import Counterexample

SCOPE = "about real numbers; float accuracy is a separate matter"

# Only a plain "left != right (remark)" is turned into its opposite; with a quantifier or a
# connective in it, the opposite would be another statement.
_INEQUALITY = re.compile(r"(?P<left>[^!=<>]+) != (?P<right>[^!=<>()]+?)(?P<remark> \(.*\))?")
_LOGIC = re.compile(r"\b(all|and|any|each|every|for|if|not|or|some|unless|where)\b")


class ProofFailed(AssertionError):
    """What `Theorem.require` raises: the theorem was refuted, or could not be decided."""


@dataclass(frozen=True, eq=False)
class Theorem:
    """A claim about functions, for all sizes and all real inputs, and whether it holds.

    Attributes:
        name: of the function.
        claim: the statement that was tried.
        verdict: `"proved"`, `"refuted"` or `"unknown"`.
        conditions: what has to hold for the claim, as in `"z[i,j] != 0 (the rule gives 0 there)"`.
        not_differentiated: the arguments for which the rule returns None; nothing is proved there.
        notes: sizes that are covered too, derivatives that are zero everywhere, and the like.
        reason: of `"unknown"`: the primitive or the step that was not understood.
        counterexample: of `"refuted"`: arrays at which float64 JAX shows the difference.
        difference: of `"refuted"`: a sentence on what is wrong, where one is found.
        seconds: that the verdict took.
        derivation: the proof as a person would write it; it has `text()` and `latex()`.
        arguments: the names of the function's arguments, for the counterexample.

    >>> relu = Theorem("relu", "pullback(z, ct) = ct relu'(z)", "proved", ("z[i] != 0",))
    >>> print(relu)
    proved with conditions: relu: pullback(z, ct) = ct relu'(z)
      except where z[i] = 0
      about real numbers; float accuracy is a separate matter
    >>> relu.require().verdict
    'proved'
    """

    name: str
    claim: str
    verdict: Literal["proved", "refuted", "unknown"]
    conditions: tuple[str, ...] = ()
    not_differentiated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    counterexample: Counterexample | None = None
    difference: str = ""
    seconds: float = 0.0
    derivation: Any = None
    arguments: tuple[str, ...] = ()

    def require(self) -> "Theorem":
        """Return the theorem if it is proved: the assertion of a test.

        Raises:
            ProofFailed: it is refuted or unknown; the message is the whole report.
        """
        if self.verdict != "proved":
            raise ProofFailed(str(self))
        return self

    def __bool__(self) -> NoReturn:
        """Refuse: an unknown theorem is neither true nor false."""
        raise TypeError("a theorem has no truth value; read .verdict, or call .require()")

    @property
    def provisos(self) -> tuple[str, ...]:
        """The conditions as they follow the word "proved".

        >>> Theorem("f", "f = g", "proved", ("n >= 2", "x[i] != 0 (f is 0 there)")).provisos
        ('if n >= 2', 'except where x[i] = 0 (f is 0 there)')
        """
        return tuple(_proviso(condition) for condition in self.conditions)

    @property
    def headline(self) -> str:
        """The verdict, which differs where there are conditions, and the name."""
        qualified = self.verdict == "proved" and self.conditions
        return f"{self.verdict}{' with conditions' if qualified else ''}: {self.name}"

    def __str__(self) -> str:
        """The report: verdict and claim, what limits it, the counterexample or the derivation."""
        details = [
            *self.provisos,
            *(f"not differentiated: {name}" for name in self.not_differentiated),
            *(f"note: {note}" for note in self.notes),
            *([f"not decided: {self.reason}"] if self.reason else []),
            *([] if self.counterexample is None else self._shown(self.counterexample)),
            *([f"the difference: {self.difference}"] if self.difference else []),
            *([] if self.derivation is None else self.derivation.text().splitlines()),
            SCOPE,
        ]
        lines = [f"{self.headline}: {self.claim}", *(f"  {detail}" for detail in details)]
        return "\n".join(line.rstrip() for line in lines)

    def latex(self) -> str:
        """The headline, the conditions and the derivation, for display mathematics."""
        rows = [
            *(rf"\text{{{_escaped(line)}}}" for line in (self.headline, *self.provisos)),
            *([] if self.derivation is None else [self.derivation.latex()]),
        ]
        return "\\begin{gathered}\n" + " \\\\\n".join(rows) + "\n\\end{gathered}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def as_json(self) -> dict[str, Any]:
        """The theorem as what JSON knows; arrays are nested lists, nan and infinities strings."""
        example = self.counterexample
        return {
            "name": self.name,
            "verdict": self.verdict,
            "claim": self.claim,
            "conditions": list(self.conditions),
            "not_differentiated": list(self.not_differentiated),
            "notes": list(self.notes),
            "reason": self.reason,
            "counterexample": None if example is None else _plain(example),
            "difference": self.difference,
            "seconds": self.seconds,
        }

    def _shown(self, example: Counterexample) -> list[str]:
        sizes = ", ".join(f"{name} = {size}" for name, size in example.sizes.items())
        lines = [f"counterexample, {sizes}:" if sizes else "counterexample:"]
        names = self.arguments or tuple(f"argument {k}" for k in range(len(example.arguments)))
        for name, argument in zip(names, example.arguments, strict=True):
            lines += _assigned(name, argument)
        # Without a cotangent, the values of two functions are compared, not derivatives.
        if example.cotangent is None:
            given, right = "the first function gives", "the second function gives"
        else:
            lines += _assigned("cotangent", example.cotangent)
            given, right = f"the rule gives for {example.path}", "the true value is"
        return lines + _assigned(given, example.rule, " ") + _assigned(right, example.true, " ")


def _proviso(condition: str) -> str:
    plain = _INEQUALITY.fullmatch(condition)
    if plain is None or _LOGIC.search(plain["left"] + " " + plain["right"]):
        return f"if {condition}"
    return f"except where {plain['left']} = {plain['right']}{plain['remark'] or ''}"


def _assigned(name: str, value: Any, sign: str = " = ") -> list[str]:
    """A line for each array of a pytree, or several for an array of several rows."""
    lines = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(value):
        start = f"  {name}{jax.tree_util.keystr(path)}{sign}"
        if isinstance(leaf, str) or not _is_array(leaf):
            lines.append(f"{start}{leaf}")
            continue
        text = np.array2string(np.asarray(leaf), precision=6, threshold=60, separator=", ")
        first, *rest = text.splitlines()
        lines += [start + first, *(" " * len(start) + row for row in rest)]
    return lines


def _is_array(leaf: object) -> bool:
    return isinstance(leaf, np.ndarray | np.generic | jax.Array | bool | int | float)


def _plain(value: Any) -> Any:
    """What JSON knows, nested as the value is; anything else is its text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if _is_array(value):
        return _plain(np.asarray(value).tolist())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if jax.tree_util.all_leaves([value]):
        return str(value)
    leaves = jax.tree_util.tree_leaves_with_path(value)
    return {jax.tree_util.keystr(path): _plain(leaf) for path, leaf in leaves}


_TEX = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_TEX |= {character: "\\" + character for character in "{}$&#%_"}


def _escaped(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)
