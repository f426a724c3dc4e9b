"""The questions that a user asks, and the search for their answer.

First the symbolic comparison, at general sizes and where sizes coincide; then, in float64, a search
for a point at which the claim is wrong. Only a point that JAX itself confirms refutes.
"""

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from purenet.prove import decide, describe, equality, rules
from purenet.prove.all_sizes import FAILURES, Found, shown
from purenet.prove.decide import Outcome
from purenet.prove.kernel import budget, sums
from purenet.prove.replay import equal_search, search
from purenet.prove.samples import assignments
from purenet.prove.selfcheck import agrees
from purenet.prove.sizes import Sizes, read_sizes
from purenet.prove.theorem import Theorem
from purenet.prove.tracing import argument_names, trace

LIMIT = 60.0


def vjp(
    f: Callable[..., Any],
    pullback: Callable[..., Any],
    *domains: Any,
    sizes: str = "",
    limit: float = LIMIT,
    name: str = "",
) -> Theorem:
    """Decide whether `pullback(*args, cotangent)` is Jᵀ·cotangent of f, for all sizes and values.

    Args:
        f: a function of arrays and pytrees.
        pullback: gives a tuple, one cotangent per argument; None says "not differentiated".
        *domains: one for each argument.
        sizes: constraints on the named sizes, "n >= 2, n >= m".
        limit: seconds after which the answer is "unknown".
        name: what the theorem is called; the name of f if empty.

    Raises:
        ValueError: the domains do not fit f, or the pullback's result does not fit the arguments.

    >>> from purenet import prove
    >>> import jax.numpy as jnp
    >>> prove.vjp(jnp.sin, lambda x, ct: (ct * jnp.cos(x),), prove.real("n")).verdict
    'proved'
    """
    start = time.monotonic()
    for word, function in (("f", f), ("pullback", pullback)):
        if not callable(function):
            raise ValueError(f"{word}: {function!r} was given; a function is expected")
    if isinstance(limit, bool | str) or not limit >= 0:
        raise ValueError(f"limit: {limit!r} was given; a number of seconds is expected")
    known = read_sizes(_text(sizes), domains)
    names = argument_names(f, domains)
    claim = f"pullback({', '.join([*names, 'ct'])}) = Jᵀ ct of {_name(f)}({', '.join(names)})"
    about = _About(name or _name(f), f"{claim}, for all {_domains(names, domains)}", names, start)

    def prove_at(at: Sizes) -> tuple[Any, Callable[[], Outcome]]:
        pair = decide.traced(f, pullback, domains, at)
        return pair, lambda: decide.compare(pair, domains, at)

    found = shown(prove_at, domains, known, limit)
    if found.outcome is not None and not found.outcome.gradients:
        found = Found("nothing is differentiated", not_differentiated=found.not_differentiated)
    if found.outcome is not None:
        found = _checked(found, f, pullback, domains, known)
    most = None if found.reason else 1  # what is proved is tried once more, at one choice of sizes
    counterexample, found = _ran(
        found, search, f, pullback, domains, sizes, deadline=start + limit, most=most
    )
    if counterexample is not None:
        sentence = describe.sentence(f, pullback, domains, counterexample)
        return about.refuted(found, counterexample, sentence)
    if found.outcome is not None and rules.stops_gradients(found.outcome.program.traced.jaxpr):
        found = found._replace(notes=(*found.notes, _stopped(f, domains, known, limit)))
    return about.theorem(found)


def gradient(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    *domains: Any,
    argnums: int | tuple[int, ...] = 0,
    sizes: str = "",
    limit: float = LIMIT,
    name: str = "",
) -> Theorem:
    """Decide whether `grad(*args)` is ∂f/∂args[argnums] of a scalar function f.

    Raises:
        ValueError: as `vjp`; or f is not scalar, or argnums is out of range.

    >>> from purenet import prove
    >>> import jax.numpy as jnp
    >>> square = lambda x: jnp.sum(x**2)
    >>> prove.gradient(square, lambda x: 2 * x, prove.real("m n")).verdict
    'proved'
    """
    chosen = _argument_numbers(argnums, len(domains))
    known = read_sizes(sizes, domains)
    if trace(f, domains, known).out_shapes != ((),):
        raise ValueError(
            f"f: {_name(f)} is not scalar; a gradient is that of one number, for other functions "
            "give the pullback to prove.vjp"
        )

    def pullback(*arguments: Any) -> tuple[Any, ...]:
        *args, cotangent = arguments
        found = grad(*args)
        parts = (found,) if isinstance(argnums, int) else found
        if not isinstance(parts, tuple | list) or len(parts) != len(chosen):
            raise ValueError(
                f"grad: a tuple with one entry for each of argnums={argnums!r} is expected"
            )
        scaled = jax.tree_util.tree_map(lambda g: g * cotangent, tuple(parts))
        return tuple(scaled[chosen.index(a)] if a in chosen else None for a in range(len(args)))

    theorem = vjp(f, pullback, *domains, sizes=sizes, limit=limit, name=name or _name(f))
    names = argument_names(f, domains)
    of = ", ".join(names[a] for a in chosen)
    claim = f"{_name(grad)}({', '.join(names)}) = ∂{_name(f)}/∂({of})"
    chosen_names = {names[a] for a in chosen}
    return rules.with_claim(
        theorem,
        f"{claim}, for all {_domains(names, domains)}",
        tuple(n for n in theorem.not_differentiated if re.split(r"[.\[]", n)[0] in chosen_names),
    )


def _argument_numbers(argnums: Any, count: int) -> tuple[int, ...]:
    chosen = (argnums,) if isinstance(argnums, int) else argnums
    good = isinstance(chosen, tuple) and all(isinstance(a, int) and 0 <= a < count for a in chosen)
    if not good or len(set(chosen)) != len(chosen) or not chosen:
        raise ValueError(
            f"argnums: {argnums!r} was given; different numbers from 0 to {count - 1} are expected"
        )
    return tuple(chosen)


def rule(
    f: Callable[..., Any], *domains: Any, sizes: str = "", limit: float = LIMIT, name: str = ""
) -> Theorem:
    """Decide whether the rule of a `jax.custom_vjp` or `jax.custom_jvp` function is right.

    For a `custom_vjp` both halves count: `fwd` gives the value of f, and `bwd`, applied to the
    residuals that this `fwd` computes, gives Jᵀ·cotangent.

    Raises:
        ValueError: f has no registered rule.
    """
    pullback, forward = rules.of(f, domains)
    theorem = vjp(
        rules.primal(f), pullback, *domains, sizes=sizes, limit=limit, name=name or _name(f)
    )
    if forward is None or theorem.verdict != "proved":
        return theorem
    same = equal(rules.primal(f), forward, *domains, sizes=sizes, limit=limit)
    return rules.with_forward(theorem, same)


def audit(
    f: Callable[..., Any], *domains: Any, sizes: str = "", limit: float = LIMIT
) -> tuple[Theorem, ...]:
    """A theorem for every custom rule inside f's program, each about all real inputs.

    The rules of the functions that f calls are found too, in loops and in compiled parts.
    """
    inside = rules.inside(f, domains, read_sizes(sizes, domains))
    reports = {str(t): t for t in (_audited(found, limit) for found in inside)}
    return tuple(reports.values())


def _audited(found: rules.Inside, limit: float) -> Theorem:
    if not found.domains:
        reason = "a rule with an integer argument, whose range is not known here: use prove.rule"
        return Theorem(found.name, f"the rule of {found.name}", "unknown", reason=reason)
    return vjp(
        found.value, found.pullback, *found.domains, sizes=found.sizes, limit=limit, name=found.name
    )


def equal(
    f: Callable[..., Any],
    g: Callable[..., Any],
    *domains: Any,
    sizes: str = "",
    limit: float = LIMIT,
    name: str = "",
) -> Theorem:
    """Decide whether f and g are the same function of real numbers.

    >>> from purenet import prove
    >>> import jax, jax.numpy as jnp
    >>> naive = lambda x: jnp.exp(x) / jnp.exp(x).sum()
    >>> prove.equal(jax.nn.softmax, naive, prove.real("n")).verdict
    'proved'
    """
    start = time.monotonic()
    known = read_sizes(sizes, domains)
    names = argument_names(f, domains)
    claim = f"{_name(f)} = {_name(g)}, for all {_domains(names, domains)}"
    about = _About(name or f"{_name(f)} = {_name(g)}", claim, names, start)

    def prove_at(at: Sizes) -> tuple[Any, Callable[[], Outcome]]:
        pair = equality.traced(f, g, domains, at)
        return pair, lambda: equality.compare(pair, at)

    found = shown(prove_at, domains, known, limit)
    if found.outcome is not None:
        found = _checked(found, f, g, domains, known)
    difference, found = _ran(found, equal_search, f, g, domains, sizes, deadline=start + limit)
    if difference is not None:
        return about.refuted(found, equality.counterexample(difference), "")
    return about.theorem(found)


def _text(sizes: Any) -> str:
    if not isinstance(sizes, str):
        raise ValueError(f'sizes: {sizes!r} was given; a text such as "n >= 2, n >= m" is expected')
    return sizes


def _checked(
    found: Found, f: Callable[..., Any], g: Callable[..., Any], domains: Any, sizes: Sizes
) -> Found:
    """The same, if the terms of both programs have the values that JAX gives at two points."""
    outcome = found.outcome
    assert outcome is not None
    try:
        every = assignments(domains, sizes.constraints)
    except ValueError:
        return found._replace(
            notes=(*found.notes, "not run: no small sizes satisfy the constraints")
        )
    values = max(every, key=lambda a: len(set(a.values())))
    cotangent = (outcome.program.traced.output(),) if outcome.cotangents else ()
    both = outcome.rule._replace(outputs=(*outcome.program.outputs, *outcome.rule.outputs))
    count = len(domains)
    with sums.numbered():
        # One program, because compiling it is what takes the time.
        wrong = agrees(
            both,
            lambda *args: (f(*args[:count]), g(*args)),
            (*domains, *cotangent),
            values,
            np.random.default_rng(0),
        )
    if wrong:
        return Found(f"the terms do not have the values that JAX computes: {wrong}")
    return found


def _ran(
    found: Found, searching: Callable[..., Any], *given: Any, **options: Any
) -> tuple[Any, Found]:
    """What a search finds, and a note if the functions can't be run."""
    try:
        return searching(*given, **options), found
    except Exception as failure:  # whatever user code raises when it runs
        note = f"not searched for a counterexample: {type(failure).__name__}: {failure}"
        return None, found._replace(notes=(*found.notes, note.splitlines()[0][:160]))


def _stopped(f: Callable[..., Any], domains: Any, sizes: Sizes, limit: float) -> str:
    """What stop_gradient in f means for JAX's own derivative of f."""
    pullback = rules.of_differentiation(f, domains)
    with budget.limited(limit), sums.numbered():
        try:
            decide.compare(decide.traced(f, pullback, domains, sizes), domains, sizes)
        except (*FAILURES, ValueError):
            return (
                "f uses stop_gradient: the claim is about the derivative of its value; JAX's own "
                "derivative was not shown to be the same"
            )
    return "f uses stop_gradient, which does not change its derivative (proved)"


class _About(NamedTuple):
    """What a theorem says of itself."""

    name: str
    claim: str
    arguments: tuple[str, ...]
    start: float

    def theorem(self, found: Found) -> Theorem:
        """Proved or unknown."""
        return Theorem(
            self.name,
            self.claim,
            "unknown" if found.reason else "proved",
            found.conditions,
            found.not_differentiated,
            found.notes,
            reason=found.reason,
            seconds=time.monotonic() - self.start,
            derivation=found.outcome and rules.derivation(found.outcome),
            arguments=self.arguments,
        )

    def refuted(self, found: Found, counterexample: Any, sentence: str) -> Theorem:
        """Refuted by running."""
        return Theorem(
            self.name,
            self.claim,
            "refuted",
            not_differentiated=found.not_differentiated,
            notes=found.notes if found.reason else (),
            counterexample=counterexample,
            difference=sentence,
            seconds=time.monotonic() - self.start,
            arguments=self.arguments,
        )


def _name(f: Callable[..., Any]) -> str:
    inner = getattr(f, "func", f)
    found = getattr(inner, "__name__", None) or getattr(inner, "name", type(inner).__name__)
    return "f" if found == "<lambda>" else str(found).lstrip("_")


def _domains(names: tuple[str, ...], domains: tuple[Any, ...]) -> str:
    return ", ".join(f"{n}: {d!r}" for n, d in zip(names, domains, strict=True))
