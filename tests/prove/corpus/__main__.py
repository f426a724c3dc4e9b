"""`python -m tests.prove.corpus`: the counts of right and wrong rules, proved or refuted."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from . import suite


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    start = monotonic()
    chosen = [c for c in suite.cases() if options.kind is None or c.kind == options.kind]
    if not chosen:
        kinds = ", ".join(dict.fromkeys(c.kind for c in suite.cases()))
        _parser().error(f"--kind is {options.kind!r}, expected one of: {kinds}")
    if options.sample is not None:
        tasks = suite.sample(chosen, options.sample, options.seed)
    else:
        limit = options.limit or None
        tasks = [(case, suite.Selection(limit=limit, seed=options.seed)) for case in chosen]
    outcomes = []
    for outcome in suite.examine_all(tasks, processes=options.processes):
        outcomes.append(outcome)
        if options.verbose:
            print(f"{outcome.seconds:6.1f} s  {outcome.right.rule}", file=sys.stderr, flush=True)
    _report(outcomes, options)
    print(f"\n{monotonic() - start:.0f} s")
    return 0 if suite.sound(outcomes) else 1


def _report(outcomes: list[suite.Outcome], options: argparse.Namespace) -> None:
    print(suite.table(outcomes), suite.mutation_table(outcomes), sep="\n\n")
    print("\n" + "\n".join(suite.findings(outcomes)))
    repeated, other = (sum(getattr(o, n) for o in outcomes) for n in ("repeated", "untraceable"))
    print(f"changes dropped: {repeated} that repeat a program, {other} that do not fit the shapes")
    if options.unknown:
        lines = (s for o in outcomes for s in o.wrong if s.verdict == "unknown")
        print("\n" + "\n".join(f"unknown: {s.rule}: {s.reason}" for s in lines))
    if options.discarded:
        print("\n" + "\n".join(f"discarded: {name}" for o in outcomes for name in o.discarded))
    if options.json:
        text = json.dumps(suite.as_json(outcomes), indent=1, ensure_ascii=False)
        Path(options.json).write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.prove.corpus", description=__doc__)
    add = parser.add_argument
    add("--sample", type=int, metavar="N", help="N wrong rules at random, and their right rules")
    add("--seed", type=int, default=0, metavar="S", help="of the sample (default 0)")
    add("--limit", type=int, default=6, metavar="N",
        help="mutants of one rule, of every kind in turn (default 6; 0 for all)")  # fmt: skip
    add("--kind", metavar="KIND", help="rules of one kind only")
    add("--json", metavar="FILE", help="write every verdict as JSON")
    add("--discarded", action="store_true", help="list the mutants not known to be wrong")
    add("--unknown", action="store_true", help="list the wrong rules that are unknown")
    add("--processes", type=int, default=2, metavar="N")
    add("--verbose", action="store_true", help="print each rule as it is done")
    return parser


if __name__ == "__main__":
    sys.exit(main())
