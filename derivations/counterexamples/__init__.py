"""Formulas of the notes with numbers in them: computed beside the truth, one module per notes."""

from collections.abc import Callable

from derivations.counterexamples import s0, s1, s2, s3, s4
from derivations.counterexamples.compare import Comparison

CHECKS: dict[str, Callable[[], Comparison]] = {
    check.__name__: check for module in (s0, s1, s2, s3, s4) for check in module.CHECKS
}
