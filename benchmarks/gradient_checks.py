"""Who catches a wrong rule: `jax.test_util.check_grads` at its defaults, and `purenet.prove`.

    python benchmarks/gradient_checks.py [--mutants N | --all] [--long first|last] [--missed]

The wrong rules are mutants of the corpus in `tests/prove/corpus`, each shown to be wrong in
float64. Each is registered as a `jax.custom_vjp` and given to `check_grads(f, args, order=1,
modes=["rev"])` once, in float32, at inputs that a project would naturally test: standard normal
arrays, random labels and masks, gains of one and shifts of zero in a norm, hyperparameters at
their usual values. One named size of the rule (the first, such as the batch; or the last) is 4, 64
or 1024; the others are at most 8. The same inputs are given to the right rules.
"""

import argparse
import inspect
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import common
from benchmarks.prover_speed import machine
from purenet import prove
from purenet.prove.domains import Domain, sizes_of
from tests.prove.corpus import suite
from tests.prove.corpus.case import Case
from tests.prove.corpus.check import draw
from tests.prove.corpus.mutate import ARRAYS, Mutant, changed, generate, traced, with_constants
from tests.prove.corpus.mutations import Mutation, mutations
from tests.prove.corpus.wrongness import judge

SIZES = (4, 64, 1024)
OTHER_SIZES = 8
NORM_PARAMETERS = {
    "gamma": 1.0, "weight": 1.0, "scale": 1.0, "running_variance": 1.0,
    "beta": 0.0, "bias": 0.0, "offset": 0.0, "running_mean": 0.0,
}  # fmt: skip
HYPERPARAMETERS = {"alpha": 1.0, "beta": 1.0, "exponent": 2.0, "gamma": 2.0, "scale": 1.0}

Pullback = Callable[..., tuple[Any, ...]]


class Tried(NamedTuple):
    """One rule, right or wrong, and what was said of it."""

    rule: str
    kind: str  # of the mutation; of a right rule, of its function
    rejected: tuple[bool, ...]  # by check_grads, at each size
    verdict: str  # of purenet.prove
    reason: str = ""  # of an unknown verdict


class Outcome(NamedTuple):
    """A right rule of the corpus and the wrong rules made from it."""

    right: Tried
    wrong: tuple[Tried, ...]


class Settings(NamedTuple):
    """What is the same for every rule."""

    seed: int = 0
    sizes: tuple[int, ...] = SIZES
    long: str = "first"  # or last: the named size that becomes large


# The inputs ---------------------------------------------------------------------------------------


def natural(case: Case, sizes: dict[str, int], seed: int) -> tuple[Any, ...]:
    """Return the arguments at which a project would test this function."""
    rng = np.random.default_rng([seed, crc32(case.name.encode())])
    leaves, tree = jax.tree.flatten(case.domains, is_leaf=_is_domain)
    names = [
        name
        for name, domain in zip(inspect.signature(case.f).parameters, case.domains, strict=False)
        for _ in jax.tree.leaves(domain, is_leaf=_is_domain)
    ]
    arrays = [
        _natural_array(case.kind, name, domain, sizes, rng)
        for name, domain in zip(names, leaves, strict=True)
        if domain.kind in ARRAYS
    ]
    return with_constants(leaves, tree, arrays)


def sizes_at(case: Case, size: int, long: str) -> dict[str, int]:
    """Return `size` for the first (or last) named size, and at most `OTHER_SIZES` for the rest."""
    names = sizes_of(case.domains)
    chosen = {"first": names[:1], "last": names[-1:]}[long]
    return {name: size if name in chosen else min(size, OTHER_SIZES) for name in names}


def _natural_array(kind: str, name: str, domain: Domain, sizes: Any, rng: Any) -> jax.Array:
    with jax.enable_x64(True):
        drawn = np.asarray(draw(domain, sizes, rng))
    if domain.kind != "real":
        return jnp.asarray(drawn)
    shape, bounded = drawn.shape, np.isfinite(domain.low) and np.isfinite(domain.high)
    usual = _usual(kind, name, shape, positive=domain.low == 0 and not bounded)
    if usual is not None:
        return jnp.full(shape, usual)
    if bounded:
        return jnp.asarray(drawn)
    normal = rng.normal(size=shape)
    if domain.nonzero:
        return jnp.asarray(normal + 0.5 * np.sign(normal))
    if np.isfinite(domain.low):
        return jnp.asarray(domain.low + abs(normal) + 0.5)
    return jnp.asarray(normal)


def _usual(kind: str, name: str, shape: tuple[int, ...], positive: bool) -> float | None:
    if shape:
        of_a_norm = kind == "bias" or (kind.endswith("norm") and kind != "matrix norm")
        return NORM_PARAMETERS.get(name) if of_a_norm else None
    return HYPERPARAMETERS.get(name, 1.0 if positive else None)


def _is_domain(x: Any) -> bool:
    return isinstance(x, Domain)


# The rules ----------------------------------------------------------------------------------------


def in_float32(case: Case, mutants: Sequence[Mutant]) -> list[tuple[Mutant, Pullback]]:
    """Return each mutant with a pullback that makes the same change in float32.

    The right rule is traced again in float32, where it has the same places in the same order.
    A mutant is left out if it shares its name with another one, or if its constant is of another
    kind when it is rounded: less than 1 in 500.
    """
    with jax.enable_x64(True):
        names = [_name(m) for m in _mutations(traced(case))]
    with warnings.catch_warnings():
        # The truncation of 64 bits to 32 is what is wanted here.
        warnings.filterwarnings("ignore", message="Explicitly requested dtype")
        rule = traced(case)
    changes = _mutations(rule)
    times, same = Counter(names), dict[tuple[str, str], Mutation]()
    for name, change in zip(names, changes, strict=True):
        if times[name] == 1 and change.kind == name[0]:
            same[name] = change
    found = [(m, same.get((m.kind, m.site))) for m in mutants]
    return [(m, changed(rule, change)) for m, change in found if change is not None]


def _mutations(rule: Any) -> list[Mutation]:
    first = sum(domain.kind in ARRAYS for domain in rule.domains)
    return list(mutations(rule.program, range(first, len(rule.arrays))))


def _name(mutation: Mutation) -> tuple[str, str]:
    return mutation.kind, f"{mutation.place}: {mutation.detail}".rstrip(": ")


def registered(case: Case, pullback: Pullback, arguments: tuple[Any, ...]) -> tuple[Any, list]:
    """Return a `jax.custom_vjp` of the arguments that the rule differentiates, and their values."""
    leaves, tree = jax.tree.flatten(arguments, is_leaf=callable)
    out = jax.eval_shape(lambda: case.f(*arguments))
    given = jax.eval_shape(lambda ct: case.pullback(*arguments, ct), out)
    kept = [g is not None for g in _entries(arguments, given)]

    def filled(chosen: Sequence[Any]) -> Any:
        rest = map(jnp.asarray, chosen)  # check_grads moves the arguments by NumPy
        return tree.unflatten([next(rest) if k else v for k, v in zip(kept, leaves, strict=True)])

    def bwd(residuals: Any, cotangent: Any) -> tuple[Any, ...]:
        found = _entries(arguments, pullback(*filled(residuals), cotangent))
        return tuple(g for g, k in zip(found, kept, strict=True) if k)

    f = jax.custom_vjp(lambda *chosen: case.f(*filled(chosen)))
    f.defvjp(lambda *chosen: (case.f(*filled(chosen)), chosen), bwd)
    return f, [v for v, k in zip(leaves, kept, strict=True) if k]


def _entries(arguments: tuple[Any, ...], result: tuple[Any, ...]) -> Iterator[Any]:
    """The cotangent of each leaf of the arguments; None where the rule gives none."""
    for argument, given in zip(arguments, result, strict=True):
        tree = jax.tree.structure(argument, is_leaf=callable)
        yield from [None] * tree.num_leaves if given is None else tree.flatten_up_to(given)


def rejected(f: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Whether `check_grads` at its defaults fails."""
    try:
        check_grads(f, arguments, order=1, modes=["rev"])
    except AssertionError:
        return True
    return False


# One rule after the other -------------------------------------------------------------------------


def tried(
    case: Case, name: str, kind: str, rule: Pullback, exact: Pullback, how: Settings
) -> Tried:
    """Give one rule to both; `exact` is the same rule for float64."""
    inputs = [natural(case, sizes_at(case, s, how.long), how.seed) for s in how.sizes]
    noticed = tuple(rejected(*registered(case, rule, arguments)) for arguments in inputs)
    return Tried(name, kind, noticed, *_verdict(case, exact))


def _verdict(case: Case, pullback: Pullback) -> tuple[str, str]:
    try:
        theorem = prove.vjp(case.f, pullback, *case.domains, sizes=case.sizes)
    except Exception as error:  # a defect of the prover, which `--missed` has to show
        return "unknown", f"raised {type(error).__name__}: {error}"
    return theorem.verdict, theorem.reason


def examine(case: Case, selection: suite.Selection, how: Settings) -> Outcome:
    """Try the right rule and the wrong ones that are selected."""
    if selection.picks is None:
        made = generate(case, selection.limit)
    else:
        order = Random(f"{case.name} {selection.seed}")
        made = generate(case, 2 * selection.picks + 2, order)
    wrong = judge(case, made.mutants).wrong[: selection.picks]
    right = tried(case, case.name, case.kind, case.pullback, case.pullback, how)
    return Outcome(
        right,
        tuple(
            tried(case, str(m), m.kind, rule, m.pullback, how)
            for m, rule in in_float32(case, wrong)
        ),
    )


def examined(task: tuple[str, suite.Selection], how: Settings) -> Outcome:
    """Return the outcome of a case that is named, for another process."""
    name, selection = task
    (case,) = (case for case in suite.cases() if case.name == name)
    return examine(case, selection, how)


# The tables ---------------------------------------------------------------------------------------


def table(outcomes: Sequence[Outcome], sizes: Sequence[int] = SIZES) -> str:
    """Return who rejects how many wrong rules of each kind of mutation, and how many right ones."""
    wrong = [t for o in outcomes for t in o.wrong]
    counts = Counter(t.kind for t in wrong)
    at = [f"check_grads {size}" for size in sizes]
    head = ["rules", "number", *at, "at any", "refuted", "unknown", "proved", "by neither"]
    kinds = [_row(kind, [t for t in wrong if t.kind == kind], sizes) for kind in sorted(counts)]
    total = _row("all wrong rules", wrong, sizes)
    right = _row("right rules", [o.right for o in outcomes], sizes)
    return common.table([head, *kinds, total, [*right[:-1], ""]])


def _row(name: str, rows: Sequence[Tried], sizes: Sequence[int]) -> list[str]:
    verdicts = Counter(t.verdict for t in rows)
    numbers = (
        len(rows),
        *(sum(t.rejected[i] for t in rows) for i in range(len(sizes))),
        sum(any(t.rejected) for t in rows),
        *(verdicts[v] for v in ("refuted", "unknown", "proved")),
        sum(_missed(t) for t in rows),
    )
    return [name, *map(str, numbers)]


def _missed(t: Tried) -> bool:
    return not any(t.rejected) and t.verdict != "refuted"


def without_meaning(outcomes: Sequence[Outcome], number: int) -> int:
    """Count the wrong rules rejected at inputs where `check_grads` rejects the right rule too."""
    return sum(t.rejected[number] for o in outcomes for t in o.wrong if o.right.rejected[number])


def notes(outcomes: Sequence[Outcome], how: Settings) -> str:
    """Return what has to be known to read the table."""
    doubtful = (f"{without_meaning(outcomes, i)} at {s}" for i, s in enumerate(how.sizes))
    return (
        "Rejected by check_grads(f, args, order=1, modes=['rev']) in float32, one run at each size:"
        f" the {how.long} named\nsize of the rule, the others are at most {OTHER_SIZES}; and what"
        " purenet.prove says. Some wrong rules are rejected where\ncheck_grads rejects the right"
        f" rule too: {', '.join(doubtful)}.\n{machine()}; seed {how.seed}."
    )


def missed(outcomes: Sequence[Outcome], how: Settings) -> str:
    """Return the wrong rules that somebody accepts, and the right ones that somebody rejects."""
    lines = []
    for t in (t for o in outcomes for t in o.wrong):
        accepted = [str(s) for s, r in zip(how.sizes, t.rejected, strict=True) if not r]
        if accepted or t.verdict != "refuted":
            said = f"accepted at {', '.join(accepted)}" if accepted else "rejected at every size"
            lines.append(f"wrong: {t.rule}: {said}; {t.verdict} {t.reason}".rstrip())
    for t in (o.right for o in outcomes):
        sizes = [str(s) for s, r in zip(how.sizes, t.rejected, strict=True) if r]
        if sizes or t.verdict != "proved":
            said = f"rejected at {', '.join(sizes) or 'none'}"
            lines.append(f"right: {t.rule}: {said}; {t.verdict} {t.reason}".rstrip())
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--mutants", type=int, default=60, metavar="N", help="at random (60)")
    number.add_argument("--all", action="store_true", help="of every right rule, see --limit")
    parser.add_argument("--limit", type=int, default=6, metavar="N",
                        help="with --all: mutants of one rule (default 6; 0 for all)")  # fmt: skip
    parser.add_argument("--long", choices=("first", "last"), default="first", help="named size")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--missed", action="store_true", help="list what either gets wrong")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    options = _parser().parse_args(arguments)
    how = Settings(options.seed, long=options.long)
    if options.all:
        selection = suite.Selection(limit=options.limit or None, seed=options.seed)
        chosen = [(case, selection) for case in suite.cases()]
    else:
        chosen = suite.sample(suite.cases(), options.mutants, options.seed)
    tasks = [(case.name, selection) for case, selection in chosen]
    # A worker is replaced after some rules: JAX keeps every program that it has compiled.
    with get_context("spawn").Pool(options.processes, maxtasksperchild=12) as pool:
        outcomes = list(pool.imap(partial(examined, how=how), tasks))
    print(table(outcomes), notes(outcomes, how), sep="\n\n")
    if options.missed:
        print("\n" + missed(outcomes, how))


if __name__ == "__main__":
    main()
