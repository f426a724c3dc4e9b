"""`python -m derivations`: prove everything, read one proof, or look into the ledger."""

import argparse
import difflib
import os
import sys
from collections.abc import Sequence

from derivations import show
from derivations.proof import Broken, Derivation, check_fact, checked_steps, verify
from derivations.theorems import NAMES, theorem


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 only if every step held."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.name != "ledger" and (options.wrong or options.document or options.id):
        parser.error("--wrong, --document and --id go with 'ledger'")
    if options.name is None:
        return prove_all()
    if options.name == "ledger":
        from derivations.ledger import print_ledger

        return print_ledger(options)
    if options.name == "statements":
        return print_statements()
    if options.name not in NAMES:
        return _unknown(options.name)
    return read(theorem(options.name), latex=options.latex, quiet=options.quiet)


def read(derivation: Derivation, latex: bool = False, quiet: bool = False) -> int:
    """Print a proof, each step as it is checked; 0 if all of them hold."""
    if latex or quiet:
        return _verdict(derivation, show.page(derivation) if latex else "")
    print("\n".join(show.heading(derivation)))
    try:
        for chain in derivation.chains:
            print("\n".join(show.opening(chain)))
            for step in checked_steps(derivation, chain):
                print("\n".join(show.step_lines(step)))
            print("\n".join(show.box(chain)))
        for fact in derivation.facts:
            check_fact(fact)
            print("\n".join(show.fact_lines(fact)))
    except Broken as broken:
        print(show.broken(broken))
        return 1
    print("\n".join(show.closing(derivation)))
    return 0


def prove_all() -> int:
    """Prove every theorem, a line each; 0 if all of them hold."""
    failed, steps, seconds = 0, 0, 0.0
    for name in NAMES:
        derivation = theorem(name)
        try:
            took = verify(derivation)
        except Broken as broken:
            failed += 1
            print(show.broken(broken))
            continue
        steps, seconds = steps + derivation.steps, seconds + took
        print("\n".join(show.summary(derivation, took)))
    print(f"{len(NAMES) - failed} of {len(NAMES)} theorems hold: {steps} steps, {seconds:.1f} s")
    return 1 if failed else 0


def print_statements() -> int:
    """Print what every theorem claims, without the proofs."""
    for name in NAMES:
        print("\n".join(show.statement(theorem(name))), end="\n\n")
    return 0


def _verdict(derivation: Derivation, page: str) -> int:
    try:
        took = verify(derivation)
    except Broken as broken:
        print(show.broken(broken))
        return 1
    print(page or f"{derivation.name}: holds ({derivation.steps} steps, {took:.2f} s)")
    return 0


def _unknown(name: str) -> int:
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(NAMES)}"
    sys.stderr.write(f"derivations: there is no theorem {name!r}{hint}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m derivations", description=__doc__)
    parser.add_argument(
        "name", nargs="?", help="a theorem, 'ledger' or 'statements'; without it all are proved"
    )
    parser.add_argument("--latex", action="store_true", help="the proof as LaTeX")
    parser.add_argument("--quiet", action="store_true", help="the verdict alone")
    ledger = parser.add_argument_group("ledger")
    ledger.add_argument("--wrong", action="store_true", help="only what is wrong in the notes")
    ledger.add_argument("--document", metavar="S2", help="one document")
    ledger.add_argument("--id", metavar="S1-E44", help="one entry")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # The reader has left, as `head` does; the verdict would have no one to read it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
