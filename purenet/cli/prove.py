"""`purenet prove`: the built-in theorems as a table, or the theorem about a user's function."""

import argparse
import contextlib
import functools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from purenet import prove
from purenet.cli import table
from purenet.cli.loading import load, positional
from purenet.cli.table import Report
from purenet.prove import builtin
from purenet.prove.theorem import Theorem
from purenet.words import did_you_mean

# What is claimed about the function and the one that an option names.
WITH_ANOTHER = {"pullback": prove.vjp, "gradient": prove.gradient, "equal": prove.equal}

# What has a meaning only with a function, and only without one.
OF_A_FUNCTION = (*WITH_ANOTHER, "audit", "sizes")
OF_THE_TABLE = ("only", "depth", "processes")


def run(options: argparse.Namespace) -> int:
    """Print each theorem when it is decided; 0 if all are proved, else 1.

    Raises:
        ValueError: a function, a domain or an option cannot be used; the message says why.
    """
    _check(options)
    begun = time.perf_counter()
    done: list[Report] = []
    for report in _built_in(options) if options.function is None else _asked(options):
        done.append(report)
        if not options.json:
            print(report.text, flush=True)
    seconds = time.perf_counter() - begun
    if options.json:
        print(json.dumps(document(done, seconds), indent=2, ensure_ascii=False, allow_nan=False))
    elif not options.latex and (options.function is None or len(done) > 1):
        print(summary(done, seconds))
    return 0 if all(report.verdict == "proved" for report in done) else 1


def row(theorem: Theorem, width: int) -> str:
    """A line of the table: name, verdict, seconds, and the conditions or what is wrong."""
    proved = theorem.verdict == "proved"
    remark = "; ".join(theorem.provisos) if proved else theorem.difference or theorem.reason
    line = f"{theorem.name:{width}}  {theorem.verdict:7}  {theorem.seconds:6.2f} s  {remark}"
    return line.rstrip()


def in_full(theorem: Theorem) -> str:
    """The report of one theorem that was asked for."""
    return str(theorem)


def as_latex(theorem: Theorem) -> str:
    """The derivation of one theorem."""
    return theorem.latex()


def summary(reports: Sequence[Report], seconds: float) -> str:
    """The last line: how many there are of each verdict."""
    counts = _counts(reports)
    of_each = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    with_conditions = sum(r.verdict == "proved" and bool(r.json["conditions"]) for r in reports)
    noun = "theorem" if len(reports) == 1 else "theorems"
    return f"{len(reports)} {noun}: {of_each} ({with_conditions} with conditions), {seconds:.1f} s"


def document(reports: Sequence[Report], seconds: float) -> dict[str, Any]:
    """What `--json` prints."""
    return {"theorems": [r.json for r in reports], **_counts(reports), "seconds": seconds}


def _counts(reports: Sequence[Report]) -> dict[str, int]:
    found = Counter(report.verdict for report in reports)
    return {"proved": found["proved"], "refuted": found["refuted"], "unknown": found["unknown"]}


def _check(options: argparse.Namespace) -> None:
    if options.latex and options.json:
        raise ValueError("--latex and --json: choose one of them")
    alone = options.function is None
    for name in OF_A_FUNCTION if alone else OF_THE_TABLE:
        if getattr(options, name):
            expected = "a MODULE:FUNCTION" if alone else "the built-in theorems, not a function"
            raise ValueError(f"--{name} goes with {expected}")


def _built_in(options: argparse.Namespace) -> Iterator[Report]:
    """The built-in theorems that are to be proved."""
    settings = _given(options, "depth", "limit")
    names = _chosen([name for name, _ in builtin.theorems(**settings)], options.only)
    show: table.Show = functools.partial(row, width=max(map(len, names)))
    if options.latex or options.only:
        show = as_latex if options.latex else in_full
    return table.proved(names, settings, show, table.processes(len(names), options.processes))


def _chosen(known: Sequence[str], only: Sequence[str] | None) -> Sequence[str]:
    """The names of the theorems that are to be proved."""
    for name in only or ():
        if name not in known:
            unknown = f"--only: there is no built-in theorem {name!r}"
            raise ValueError(f"{unknown}{did_you_mean(name, known)}")
    return list(dict.fromkeys(only)) if only else known


def _asked(options: argparse.Namespace) -> Iterator[Report]:
    """The theorems about the function that is named on the command line."""
    show = as_latex if options.latex else in_full
    return (table.report(theorem, show) for theorem in _theorems(options))


def _theorems(options: argparse.Namespace) -> Iterator[Theorem]:
    name, settings = options.function, _given(options, "sizes", "limit")
    f = _undisturbed(load, name)
    parameters = positional(f, len(options.domains), name)
    domains = [_domain(p, text) for p, text in zip(parameters, options.domains, strict=True)]
    other = next((flag for flag in WITH_ANOTHER if getattr(options, flag)), None)
    if options.audit:
        yield from _audited(f, name, domains, settings)
    elif other is not None:
        g = _undisturbed(load, getattr(options, other))
        claim: Any = WITH_ANOTHER[other]
        yield _traced(name, claim, f, g, *domains, **settings)
    else:
        yield _traced(name, prove.rule, _with_rule(f, name), *domains, **settings)


def _audited(f: Callable, name: str, domains: list, settings: dict) -> tuple[Theorem, ...]:
    found = _traced(name, prove.audit, f, *domains, **settings)
    if not found:
        raise ValueError(f"{name}: there is no custom rule in it, so nothing to prove")
    return found


def _with_rule(f: Callable, name: str) -> Callable:
    inner = getattr(f, "__wrapped__", None) if isinstance(f, jax.stages.Wrapped) else f
    if isinstance(inner, jax.custom_vjp | jax.custom_jvp):
        return inner
    raise ValueError(
        f"{name}: no jax.custom_vjp or jax.custom_jvp function, so it has no rule of its own; name "
        "its derivative by --pullback or --gradient, or take --audit for the rules inside it"
    )


def _domain(parameter: str, text: str) -> Any:
    try:
        return prove.parse(text)
    except ValueError as error:
        raise ValueError(f"argument {parameter}: {error}") from None


def _traced(name: str, claim: Callable, *arguments: Any, **settings: Any) -> Any:
    # JAX traces the user's code here, which may raise anything; it is told by its first line.
    try:
        return _undisturbed(claim, *arguments, **settings)
    except ValueError:
        raise
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise ValueError(f"{name}: {type(error).__name__}: {first}") from error


def _undisturbed(call: Callable, *arguments: Any, **settings: Any) -> Any:
    # What a user's module prints must not get into the JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        return call(*arguments, **settings)


def _given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that were typed; the others keep the defaults that the prover has."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}
