"""What the prover says of every right rule of the corpus and of the wrong rules made from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from multiprocessing import get_context
from random import Random
from time import monotonic
from typing import Any

from .case import Case
from .mutate import Generated, generate
from .wrongness import Judgement, judge

MODULES = (
    "activations", "gated", "losses", "softmax", "normalisation", "dense", "attention", "indexing",
    "scalar",
)  # fmt: skip
VERDICTS = ("proved", "refuted", "unknown")

Vjp = Callable[..., Any]  # purenet.prove.vjp


@dataclass(frozen=True)
class Selection:
    """Which mutants are made: at most `limit` of a rule, or `picks` wrong ones at random."""

    limit: int | None = None
    picks: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Said:
    """A verdict of the prover on one rule."""

    rule: str
    kind: str  # of a right rule, its own; of a mutant, that of its mutation
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """One case: the verdict on the right rule, its mutants, the verdicts on the wrong ones."""

    right: Said
    distinct: int = 0
    repeated: int = 0  # changes that gave a program which was there already
    untraceable: int = 0  # changes that do not fit the shapes
    functions: int = 0  # wrong mutants that differ in value from one another
    discarded: tuple[str, ...] = ()
    wrong: tuple[Said, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def kind(self) -> str:
        return self.right.kind


def cases() -> tuple[Case, ...]:
    """Every right rule, in the order of the modules."""
    found = (import_module(f".{name}", __package__).CASES for name in MODULES)
    return tuple(case for module in found for case in module)


def examine(case: Case, selection: Selection, vjp: Vjp) -> Outcome:
    """Prove the right rule, then every mutant that float64 shows to be wrong."""
    start = monotonic()
    generated, judged = _choose(case, selection)
    wrong = judged.wrong[: selection.picks]
    return Outcome(
        _said(vjp, case, case.pullback, case.name, case.kind),
        len(generated.mutants),
        generated.repeated,
        generated.untraceable,
        len(set(judged.values[: selection.picks])),
        tuple(map(str, judged.discarded)),
        tuple(_said(vjp, case, m.pullback, str(m), m.kind) for m in wrong),
        monotonic() - start,
    )


def examine_all(
    chosen: Sequence[tuple[Case, Selection]], vjp: Vjp | None = None, processes: int = 2
) -> Iterator[Outcome]:
    """The outcome of each case in order, from several processes unless `vjp` is given."""
    if vjp is not None or processes < 2:
        prover = vjp or _prover()
        yield from (examine(case, selection, prover) for case, selection in chosen)
        return
    tasks = [(case.name, selection) for case, selection in chosen]
    # A worker is replaced after some cases: JAX keeps every program that it has compiled.
    with get_context("spawn").Pool(processes, maxtasksperchild=12) as pool:
        yield from pool.imap(_examine_by_name, tasks)


def sample(chosen: Sequence[Case], number: int, seed: int) -> list[tuple[Case, Selection]]:
    """The cases, in their order, of `number` wrong mutants drawn with a seed."""
    order, picks = Random(f"corpus {seed}"), Counter[str]()
    while picks.total() < number:
        names = order.sample([case.name for case in chosen], len(chosen))
        picks.update(names[: number - picks.total()])
    return [
        (case, Selection(picks=picks[case.name], seed=seed)) for case in chosen if picks[case.name]
    ]


def table(outcomes: Sequence[Outcome]) -> str:
    """Counts for each kind of rule, and their total."""
    kinds = list(dict.fromkeys(o.kind for o in outcomes))
    rows = [_row(kind, [o for o in outcomes if o.kind == kind]) for kind in kinds]
    head = ["kind", "rules", *VERDICTS, "mutants", "wrong", "functions", "discarded", *VERDICTS]
    return _aligned([head, *rows, _row("total", outcomes)])


def mutation_table(outcomes: Iterable[Outcome]) -> str:
    """The verdicts on the wrong mutants, for each kind of mutation."""
    counts = Counter((s.kind, s.verdict) for o in outcomes for s in o.wrong)
    kinds = sorted({kind for kind, _ in counts})
    rows = [[kind, *(str(counts[kind, v]) for v in VERDICTS)] for kind in kinds]
    return _aligned([["mutation", *VERDICTS], *rows])


def findings(outcomes: Iterable[Outcome]) -> list[str]:
    """Every right rule that is not proved, and every wrong rule that is."""
    lines = []
    for outcome in outcomes:
        if outcome.right.verdict != "proved":
            lines.append(f"right rule {outcome.right.verdict}: {outcome.right.rule}: "
                         f"{outcome.right.reason}")  # fmt: skip
        lines += [f"WRONG RULE PROVED: {s.rule}" for s in outcome.wrong if s.verdict == "proved"]
    return lines


def sound(outcomes: Iterable[Outcome]) -> bool:
    """No wrong rule is proved and no right rule refuted."""
    return all(
        o.right.verdict != "refuted" and all(s.verdict != "proved" for s in o.wrong)
        for o in outcomes
    )


def as_json(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """The outcomes as plain dictionaries, without what changes from run to run."""
    return [{k: v for k, v in asdict(o).items() if k != "seconds"} for o in outcomes]


def _choose(case: Case, selection: Selection) -> tuple[Generated, Judgement]:
    if selection.picks is None:
        generated = generate(case, selection.limit)
    else:
        order = Random(f"{case.name} {selection.seed}")
        generated = generate(case, 2 * selection.picks + 2, order)
    return generated, judge(case, generated.mutants)


def _said(vjp: Vjp, case: Case, pullback: Callable[..., Any], rule: str, kind: str) -> Said:
    try:
        theorem = vjp(case.f, pullback, *case.domains, sizes=case.sizes)
    except Exception as error:  # a defect of the prover, which the table has to show
        return Said(rule, kind, "unknown", f"raised {type(error).__name__}: {error}")
    return Said(rule, kind, theorem.verdict, theorem.reason or theorem.difference)


def _examine_by_name(task: tuple[str, Selection]) -> Outcome:
    name, selection = task
    (case,) = (case for case in cases() if case.name == name)
    return examine(case, selection, _prover())


def _prover() -> Vjp:
    from purenet import prove

    return prove.vjp


def _row(kind: str, outcomes: Sequence[Outcome]) -> list[str]:
    right = Counter(o.right.verdict for o in outcomes)
    wrong = [s for o in outcomes for s in o.wrong]
    said = Counter(s.verdict for s in wrong)
    numbers = (
        len(outcomes),
        *(right[v] for v in VERDICTS),
        sum(o.distinct for o in outcomes),
        len(wrong),
        sum(o.functions for o in outcomes),
        sum(len(o.discarded) for o in outcomes),
        *(said[v] for v in VERDICTS),
    )
    return [kind, *map(str, numbers)]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *rest = widths
    return "\n".join(
        "  ".join([row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], rest, strict=True))])
        for row in rows
    )
