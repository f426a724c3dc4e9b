"""The ledger: every equation and claim of the five notes, and what establishes the verdict on it.

`ledger.json` holds the entries, `LEDGER.md` explains them. Here they are checked, by running what
they name, and printed.
"""

import argparse
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mpmath
from mpmath import mpf

from derivations.counterexamples import CHECKS
from derivations.counterexamples.compare import Comparison
from derivations.entries import DOCUMENTS, KINDS, VERDICTS, Entry, hint, load
from derivations.proof import Broken, verify
from derivations.theorems import NAMES, theorem

WIDTH = 100
Proved = Mapping[str, str]
Computed = Mapping[str, Comparison]


def objections(entry: Entry, proved: Proved, computed: Computed) -> Iterator[str]:
    """Return in words whatever an entry claims and does not hold.

    Args:
        entry: the entry.
        proved: for each theorem that it names, "" or why it does not hold.
        computed: the comparisons by name.
    """
    if entry.equation and not entry.derivation and not entry.definition:
        yield "an equation that states something needs a derivation"
    if entry.verdict == "wrong" and not entry.computed:
        yield "nothing computed refutes it, though it is called wrong"
    for name in entry.derivation:
        if proved[name]:
            yield f"{name}: {proved[name]}"
    if not entry.computed:
        return
    if entry.computed not in computed:
        yield f"there is no computed check {entry.computed!r}{hint(entry.computed, CHECKS)}"
    elif entry.verdict == "correct" and not computed[entry.computed].confirms:
        yield f"{entry.computed} does not confirm it, though it is called correct"
    elif entry.verdict != "correct" and not computed[entry.computed].refutes:
        yield f"{entry.computed} does not refute it, though it is called {entry.verdict}"


def check(entries: Sequence[Entry]) -> tuple[dict[str, str], dict[str, Comparison]]:
    """Verify the theorems that the entries name, and compute their comparisons."""
    names = dict.fromkeys(name for entry in entries for name in entry.derivation)
    checks = dict.fromkeys(entry.computed for entry in entries if entry.computed in CHECKS)
    return {name: _proved(name) for name in names}, {name: CHECKS[name]() for name in checks}


def print_ledger(options: argparse.Namespace) -> int:
    """Print what `wrong`, `document` and `id` select; 0 if all of it holds, 2 if there is none."""
    entries = load()
    for given, known in ((options.document, DOCUMENTS), (options.id, [e.id for e in entries])):
        if given is not None and given not in known:
            sys.stderr.write(f"ledger: there is no {given!r}{hint(given, known)}\n")
            return 2
    chosen = [entry for entry in entries if _chosen(entry, options)]
    proved, computed = check(chosen)
    for entry in chosen:
        print("\n".join(_page(entry, proved, computed) if options.id else _row(entry, options)))
    failed = [(e, why) for e in chosen for why in objections(e, proved, computed)]
    print("\n".join([*_counts(chosen, proved, computed), *(f"{e.id}: {w}" for e, w in failed)]))
    return 1 if failed else 0


def _chosen(entry: Entry, options: argparse.Namespace) -> bool:
    return (
        options.id in (None, entry.id)
        and options.document in (None, entry.document)
        and (not options.wrong or entry.verdict == "wrong")
    )


def _row(entry: Entry, options: argparse.Namespace) -> list[str]:
    text = _cut(entry.reads or entry.quotation, 42)
    row = f"{entry.id}  {entry.verdict:13}  {text:42}  {_names(entry, 33)}"
    return [row, *(_wrapped("right:", entry.right) if options.wrong else ())]


def _names(entry: Entry, width: int) -> str:
    names = [*entry.derivation, *filter(None, [entry.computed])] or [entry.kind[0]]
    for shown in range(len(names), 0, -1):
        words = ", ".join(names[:shown]) + (f" +{len(names) - shown}" if names[shown:] else "")
        if len(words) <= width:
            return words
    return _cut(names[0], width)


def _page(entry: Entry, proved: Proved, computed: Computed) -> list[str]:
    verdict = entry.verdict + (f", also {entry.also}" if entry.also else "")
    lines = [f"{entry.id}, line {entry.line} of {entry.document}: {verdict}", ""]
    lines += _wrapped("notes:", entry.quotation)
    lines += _wrapped("reads:", entry.reads) if entry.reads else []
    lines += _wrapped("right:", entry.right)
    for name in entry.derivation:
        state = proved[name] or f"holds: {theorem(name).title}"
        lines += _wrapped("proof:", f"{name} {state}")
    for kind in ("definition", "words"):
        if getattr(entry, kind):
            lines += _wrapped(f"{kind}:", getattr(entry, kind))
    if entry.computed in computed:
        found = computed[entry.computed]
        lines += _wrapped("computed:", f"{entry.computed}: {found.words}")
        lines += _wrapped("", f"the notes give {value(found.document)}")
        lines += _wrapped("", f"the right statement gives {value(found.corrected)}")
        lines += _wrapped("", f"true is {value(found.truth)}")
    return [*lines, ""]


def value(found: Any) -> str:
    """Return a computed value as a person writes it."""
    if isinstance(found, tuple):
        return f"({', '.join(map(value, found))})"
    return str(mpmath.nstr(found, 8)) if isinstance(found, mpf) else str(found)


def _counts(entries: Sequence[Entry], proved: Proved, computed: Computed) -> list[str]:
    total, equations = len(entries), sum(entry.equation for entry in entries)
    verdicts = Counter(entry.verdict for entry in entries)
    kinds = Counter(frozenset(entry.kind) for entry in entries)
    named = [(name, verdicts[name]) for name in VERDICTS]
    by = [(" and ".join(kind), kinds[frozenset(kind)]) for kind in KINDS]
    refuted = sum(comparison.refutes for comparison in computed.values())
    return [
        f"entries: {total}, of them equations {equations}, claims {total - equations}",
        "verdicts: " + ", ".join(f"{name} {count}" for name, count in named if count),
        *textwrap.wrap(
            "established by: " + ", ".join(f"{name} {count}" for name, count in by if count), WIDTH
        ),
        f"theorems that hold: {sum(not why for why in proved.values())} of {len(proved)}",
        f"computed checks: {len(computed)}, of them {refuted} refute the notes",
    ]


def _proved(name: str) -> str:
    if name not in NAMES:
        return f"there is no such theorem{hint(name, NAMES)}"
    try:
        verify(theorem(name))
    except Broken as broken:
        return f"does not hold: {broken}"
    return ""


def _wrapped(label: str, words: str) -> list[str]:
    indent = " " * 12
    return textwrap.wrap(words, WIDTH, initial_indent=f"  {label:10}", subsequent_indent=indent)


def _cut(words: str, width: int) -> str:
    return words if len(words) <= width else words[: width - 1] + "…"
