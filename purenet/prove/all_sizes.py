"""A claim about terms shown at general sizes, and again wherever sizes coincide."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from purenet.prove.coincidences import asked, coincidences
from purenet.prove.decide import Outcome
from purenet.prove.interpret.tensor import Unknown
from purenet.prove.kernel import budget, sums
from purenet.prove.kernel.calculus import NoDerivative, NotLinear
from purenet.prove.same_program import same_program
from purenet.prove.settle import NotShown
from purenet.prove.sizes import Sizes
from purenet.prove.untraceable import CannotTrace

FAILURES = (
    NotShown,
    Unknown,
    NotLinear,
    NoDerivative,
    budget.TooLarge,
    CannotTrace,
    RecursionError,
)
MOST_COINCIDENCES = 16


class Found(NamedTuple):
    """What the symbolic part came to; `reason` is empty if the claim is shown."""

    reason: str
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_differentiated: tuple[str, ...] = ()
    outcome: Outcome | None = None


Attempt = Callable[[Sizes], tuple[Any, Callable[[], Outcome]]]


def shown(prove_at: Attempt, domains: Any, sizes: Sizes, limit: float) -> Found:
    """What comes of a claim at all sizes: `prove_at` traces it at some, and can compare there."""
    with budget.limited(limit), sums.numbered():
        try:
            pair, compare = prove_at(sizes)
            general = compare()
            special, covered = _at_coincidences(prove_at, pair, domains, sizes)
        except NotShown as failure:
            return Found(_reason(failure), notes=_both_sides(failure))
        except FAILURES as failure:
            nonlinear = ("the rule is not linear in the cotangent",)
            return Found(_reason(failure), notes=nonlinear * isinstance(failure, NotLinear))
    conditions = _distinct(general.conditions, (c for o in special for c in o.conditions))
    notes = general.notes
    if covered:
        notes = (*notes, f"sizes also covered: {', '.join(covered)}")
    return Found("", conditions, notes, general.not_differentiated, general)


def _at_coincidences(
    prove_at: Attempt, general: Any, domains: Any, sizes: Sizes
) -> tuple[list[Outcome], list[str]]:
    """Again wherever the program is another one; the names of all sizes that were looked at."""
    every = coincidences(domains, sizes, every=True)
    if len(every) > MOST_COINCIDENCES:
        every = coincidences(domains, sizes)
    every += [s for t in general for s in asked(t, domains, sizes) if s not in every]
    every = list(dict.fromkeys(every))
    outcomes = []
    for special in every:  # grows: a program may ask more at special sizes
        budget.check(0)
        pair, compare = prove_at(special)
        every += [s for t in pair for s in asked(t, domains, special) if s not in every]
        if all(same_program(g, s, special) for g, s in zip(general, pair, strict=True)):
            continue
        try:
            outcomes.append(compare())
        except FAILURES as failure:
            raise NotShown(f"{failure}, at sizes where {special}") from failure
    return outcomes, [f"({s})" if "," in str(s) else str(s) for s in every]


def _distinct(general: Iterable[str], special: Iterable[str]) -> tuple[str, ...]:
    """All general conditions, and the special ones that differ from them in more than indices.

    At n = 1, `z[i] != 0` is `z[0] != 0`; what the rule gives there may be written another way.
    """
    stated = list(general)
    forms = {_form(text) for text in stated}
    return tuple(dict.fromkeys([*stated, *(t for t in special if _form(t) not in forms)]))


def _form(text: str) -> str:
    return re.sub(r"\[[^\]]*\]", "[]", text.split(" (")[0])


def _both_sides(failure: NotShown) -> tuple[str, ...]:
    if not (failure.derivative and failure.given):
        return ()
    return (f"the derivative is {failure.derivative}", f"the rule computes {failure.given}")


def _reason(failure: Exception) -> str:
    text = str(failure)
    if isinstance(failure, Unknown):
        return f"not understood: {text}"
    if isinstance(failure, NotShown):
        return f"not shown, and no counterexample found: {text}"
    if isinstance(failure, NoDerivative):
        return f"no derivative is known: {text}"
    if isinstance(failure, RecursionError):
        return "terms are nested too deeply"
    return text
