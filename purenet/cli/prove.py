"""`purenet prove`: the built-in theorems as a table, or the theorem about a user's function."""

import argparse
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from purenet import prove
from purenet.cli.loading import load, positional
from purenet.prove import builtin
from purenet.prove.theorem import Theorem
from purenet.words import did_you_mean

# What is claimed about the function and the one that an option names.
WITH_ANOTHER = {"pullback": prove.vjp, "gradient": prove.gradient, "equal": prove.equal}

# What has a meaning only with a function, and only without one.
OF_A_FUNCTION = (*WITH_ANOTHER, "audit", "sizes")
OF_THE_TABLE = ("only", "depth")


def run(options: argparse.Namespace) -> int:
    """Print each theorem when it is decided; 0 if all are proved, else 1.

    Raises:
        ValueError: a function, a domain or an option cannot be used; the message says why.
    """
    _check(options)
    begun, width = time.perf_counter(), 0
    theorems: Iterator[Theorem]
    if options.function is None:
        chosen = _chosen(options)
        width = max(map(len, chosen))
        theorems = (_undisturbed(thunk) for thunk in chosen.values())
    else:
        theorems = _asked(options)
    done: list[Theorem] = []
    for theorem in theorems:
        done.append(theorem)
        if not options.json:
            print(_shown(theorem, width, options), flush=True)
    seconds = time.perf_counter() - begun
    if options.json:
        print(json.dumps(document(done, seconds), indent=2, ensure_ascii=False, allow_nan=False))
    elif not options.latex and (options.function is None or len(done) > 1):
        print(summary(done, seconds))
    return 0 if all(theorem.verdict == "proved" for theorem in done) else 1


def row(theorem: Theorem, width: int) -> str:
    """A line of the table: name, verdict, seconds, and the conditions or what is wrong."""
    proved = theorem.verdict == "proved"
    remark = "; ".join(theorem.provisos) if proved else theorem.difference or theorem.reason
    line = f"{theorem.name:{width}}  {theorem.verdict:7}  {theorem.seconds:6.2f} s  {remark}"
    return line.rstrip()


def summary(theorems: Sequence[Theorem], seconds: float) -> str:
    """The last line: how many there are of each verdict."""
    counts = _counts(theorems)
    of_each = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    with_conditions = sum(t.verdict == "proved" and bool(t.conditions) for t in theorems)
    noun = "theorem" if len(theorems) == 1 else "theorems"
    return f"{len(theorems)} {noun}: {of_each} ({with_conditions} with conditions), {seconds:.1f} s"


def document(theorems: Sequence[Theorem], seconds: float) -> dict[str, Any]:
    """What `--json` prints."""
    reports = [theorem.as_json() for theorem in theorems]
    return {"theorems": reports, **_counts(theorems), "seconds": seconds}


def _counts(theorems: Sequence[Theorem]) -> dict[str, int]:
    found = Counter(theorem.verdict for theorem in theorems)
    return {"proved": found["proved"], "refuted": found["refuted"], "unknown": found["unknown"]}


def _shown(theorem: Theorem, width: int, options: argparse.Namespace) -> str:
    if options.latex:
        return theorem.latex()
    in_full = options.function is not None or options.only
    return str(theorem) if in_full else row(theorem, width)


def _check(options: argparse.Namespace) -> None:
    if options.latex and options.json:
        raise ValueError("--latex and --json: choose one of them")
    alone = options.function is None
    for name in OF_A_FUNCTION if alone else OF_THE_TABLE:
        if getattr(options, name):
            expected = "a MODULE:FUNCTION" if alone else "the built-in theorems, not a function"
            raise ValueError(f"--{name} goes with {expected}")


def _chosen(options: argparse.Namespace) -> dict[str, Callable[[], Theorem]]:
    """The built-in theorems that are to be proved, by name."""
    known = dict(builtin.theorems(**_given(options, "depth", "limit")))
    for name in options.only or ():
        if name not in known:
            unknown = f"--only: there is no built-in theorem {name!r}"
            raise ValueError(f"{unknown}{did_you_mean(name, known)}")
    return {name: known[name] for name in options.only or known}


def _asked(options: argparse.Namespace) -> Iterator[Theorem]:
    """The theorems about the function that is named on the command line."""
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
