"""The entries of the ledger: read from its file and refused, with a message, if malformed."""

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("ledger.json")
VERDICTS = ("correct", "wrong", "imprecise", "notation slip", "OCR damage", "n/a")
DOCUMENTS = ("S0", "S1", "S2", "S3", "S4")
# A computed check stands beside a derivation or a definition, or alone.
KINDS = (
    ("derivation",),
    ("derivation", "computed"),
    ("computed",),
    ("definition",),
    ("definition", "computed"),
    ("words",),
)


@dataclass(frozen=True)
class Entry:
    """One equation or claim of the notes.

    Attributes:
        id: the audit's, S<document>-E<number> for an equation, -C for a claim in words.
        document: S0 … S4.
        line: of the document, one or from-to.
        quotation: the document's own words or TeX; " … " stands for what is left out.
        reads: the quotation in Unicode, as a person reads it; "" where it reads well as it is.
        verdict: one of VERDICTS.
        also: a second verdict on the same item, or "".
        right: the right statement.
        derivation: the theorems that establish it.
        computed: the check of derivations/counterexamples that refutes or confirms the notes.
        definition: why nothing is to prove.
        words: why nothing can be computed.
    """

    id: str
    document: str
    line: str
    quotation: str
    reads: str
    verdict: str
    also: str
    right: str
    derivation: tuple[str, ...] = ()
    computed: str = ""
    definition: str = ""
    words: str = ""

    @property
    def equation(self) -> bool:
        """Whether it is an equation."""
        return self.id[3] == "E"

    @property
    def kind(self) -> tuple[str, ...]:
        """What establishes it, one of KINDS."""
        return tuple(name for name in ESTABLISHED if getattr(self, name))


ESTABLISHED = ("derivation", "definition", "words", "computed")
PLAIN = tuple(field.name for field in fields(Entry) if field.name not in ESTABLISHED)


def load(file: Path = FILE) -> tuple[Entry, ...]:
    """Return the entries of a ledger file.

    Raises:
        ValueError: an entry that is not well formed, or one id twice.
    """
    entries = tuple(parse(raw) for raw in json.loads(file.read_text(encoding="utf-8")))
    twice = [id for id, count in Counter(entry.id for entry in entries).items() if count > 1]
    if twice:
        raise ValueError(f"{file.name}: {twice[0]} occurs twice")
    return entries


def parse(raw: Any) -> Entry:
    """Return an entry from what JSON holds.

    Raises:
        ValueError: names the entry, the field, what it holds and what belongs there.
    """
    where = raw.get("id", raw) if isinstance(raw, Mapping) else raw
    _require(isinstance(raw, Mapping), where, "an entry", raw, "an object")
    _require(set(raw) == {*PLAIN, "established_by"}, where, "its fields", sorted(raw),
             f"{', '.join(PLAIN)}, established_by")  # fmt: skip
    for name in PLAIN:
        _require(isinstance(raw[name], str), where, name, raw[name], "a string")
    for name, pattern in (("id", r"S[0-4]-[EC]\d\d"), ("line", r"\d+(-\d+)?")):
        _require(re.fullmatch(pattern, raw[name]), where, name, raw[name], pattern)
    _require(raw["document"] == raw["id"][:2], where, "document", raw["document"], raw["id"][:2])
    _require(raw["verdict"] in VERDICTS, where, "verdict", raw["verdict"], _near(raw["verdict"]))
    _require(raw["also"] in ("", *VERDICTS), where, "also", raw["also"], _near(raw["also"]))
    for name in ("quotation", "right"):
        _require(raw[name], where, name, raw[name], "words")
    equation = raw["id"][3] == "E"
    _require(raw["reads"] or not equation, where, "reads", "", "the equation in Unicode")
    by = raw["established_by"]
    _require(isinstance(by, Mapping) and any(set(by) == set(kind) for kind in KINDS), where,
             "established_by", by, "one of " + "; ".join(map(" + ".join, KINDS)))  # fmt: skip
    for name, value in by.items():
        _require(_named(name, value), where, name, value, "names or words")
    given = {**by, "derivation": tuple(by.get("derivation", ()))}
    return Entry(**{name: raw[name] for name in PLAIN}, **given)


def hint(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the nearest of the names that there are, as the end of a message."""
    return f"; did you mean {difflib.get_close_matches(name, list(known), n=1, cutoff=0)[0]!r}?"


def _require(holds: Any, where: Any, name: str, given: Any, wanted: str) -> None:
    if not holds:
        raise ValueError(f"ledger: {where}: {name} is {given!r}; expected {wanted}")


def _named(name: str, value: Any) -> bool:
    if name != "derivation":
        return isinstance(value, str) and bool(value)
    listed = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return listed and len(value) == len(set(value)) > 0


def _near(verdict: str) -> str:
    near = difflib.get_close_matches(verdict, VERDICTS, n=1)
    return repr(near[0]) if near else "one of " + ", ".join(VERDICTS)
