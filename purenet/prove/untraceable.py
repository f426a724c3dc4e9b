"""Why a function can't be traced at named sizes, and what would help.

Either the program needs more than symbolic sizes, or the arguments do not fit it; which of the two
is seen by tracing it at sizes that are numbers.
"""

import itertools
import re
from collections.abc import Callable
from typing import Any

import jax
from jax import ShapeDtypeStruct

from purenet.prove.domains import Domain, names_in, plus, polynomial, size_text, substitute, times
from purenet.prove.sizes import Sizes, at_least_zero
from purenet.prove.symbolic import domain_of, inequality


class CannotTrace(Exception):
    """The program depends on something that is not known for all sizes or all values.

    Attributes:
        reason: what it depends on, in one line, and what would help.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason, which is also the message."""
        super().__init__(reason)
        self.reason = reason


def explained(
    error: Exception,
    f: Callable[..., Any],
    program: Callable[..., Any],
    structs: list[ShapeDtypeStruct],
    sizes: Sizes,
    names: tuple[str, ...],
    given: tuple[Any, ...],
) -> Exception:
    """Tell a program that needs more than symbolic sizes from arguments that don't fit."""
    reason = _one_line(error)
    if isinstance(error, jax.errors.InconclusiveDimensionOperation):
        return CannotTrace(f"{reason}; {_suggestion(reason)}")
    if isinstance(error, jax.errors.JAXTypeError | jax.errors.JAXIndexError):
        return CannotTrace(
            f"{function_name(f)} depends on the values of an array in Python: {reason}"
        )
    if "_DimExpr" in reason:
        return CannotTrace(
            f"{function_name(f)} needs a size as a number ({reason}); "
            "a number in the domain makes it one"
        )
    if _runs_at_numbers(program, structs, sizes):
        return CannotTrace(f"JAX can't trace {function_name(f)} for all sizes: {reason}")
    shown = ", ".join(f"{n}: {_shown(d)}" for n, d in zip(names, given, strict=True))
    return ValueError(f"domains: {function_name(f)} does not take {shown}: {reason}")


def function_name(f: Callable[..., Any]) -> str:
    """What a function is called in a message."""
    return getattr(f, "__name__", type(f).__name__)


def _shown(given: Any) -> str:
    return repr(jax.tree_util.tree_map(
        lambda leaf: leaf if isinstance(leaf, Domain) else domain_of(leaf, Sizes()), given
    ))  # fmt: skip


def _one_line(error: Exception) -> str:
    text = re.split(r"\nThis error arises|\nThe error occurred|\nSee https|\nPlease see|\nUsing",
                    str(error) or type(error).__name__)[0]  # fmt: skip
    return " ".join(text.split()).rstrip(".")


def _suggestion(reason: str) -> str:
    """The constraint that decides a comparison; the text of a size is in quotes."""
    found = re.search(r"comparison '?(.+?)'? (>=|<=|>|<) '?(.+?)'? is inconclusive", reason)
    if "divide evenly" in reason:
        return 'name the parts of the size instead, as in real("2*m")'
    try:
        left, sign, right = found.groups()  # type: ignore[union-attr]
        step = {">": -1, "<=": -1}.get(sign, 0)
        difference = plus(polynomial(left), times(polynomial(right), {(): -1}))
        return f'try sizes="{inequality(plus(difference, {(): step} if step else {}))}"'
    except (AttributeError, ValueError):
        return 'constrain the sizes, as in sizes="n >= 2"'


def _runs_at_numbers(
    program: Callable[..., Any], structs: list[ShapeDtypeStruct], sizes: Sizes
) -> bool:
    """Whether the program can be traced at some sizes that are numbers, all different."""
    texts = {str(dim) for struct in structs for dim in struct.shape}
    try:
        names = sorted({name for text in texts for name in names_in(text)})
        rest = [d for d in at_least_zero(sizes) if any(d)]
        names = sorted({*names, *(name for d in rest for term in d for name in term)})
        for numbers in itertools.islice(itertools.permutations(range(2, 9), len(names)), 2000):
            values = dict(zip(names, numbers, strict=True))
            if all(int(substitute(size_text(d), values)) >= 0 for d in rest):
                break
        shapes = [[int(substitute(str(d), values)) for d in struct.shape] for struct in structs]
        numbered = [ShapeDtypeStruct(s, t.dtype) for s, t in zip(shapes, structs, strict=True)]
        jax.eval_shape(program, *numbered)
    except Exception:
        return False
    return True
