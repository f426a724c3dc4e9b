"""Custom rules: the one registered on a function, and all of those inside a program."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr

from purenet.prove import domains as domain
from purenet.prove.decide import Outcome
from purenet.prove.explain import Derivation, Quantity, derive
from purenet.prove.interpret.tensor import Tensor
from purenet.prove.interpret.tensor import atom_of as place_of
from purenet.prove.kernel import sums
from purenet.prove.kernel.algebra import multiply
from purenet.prove.kernel.factors import Entry
from purenet.prove.kernel.linear import add, atom
from purenet.prove.kernel.terms import Array, Poly
from purenet.prove.plain import plain
from purenet.prove.sizes import Sizes
from purenet.prove.theorem import Theorem
from purenet.prove.tracing import trace

RULES = ("bwd", "jvp_jaxpr_fun", "jvp_jaxpr_thunk")
CALLS = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")


def of(
    f: Callable[..., Any], domains: tuple[Any, ...]
) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """The registered rule as a pullback, and the forward half of a `custom_vjp`.

    Raises:
        ValueError: f has no rule.
    """
    if isinstance(f, jax.custom_vjp):
        if not hasattr(f, "bwd") or getattr(f, "bwd", None) is None:
            raise ValueError(
                f"rule: {getattr(f, '__name__', f)} has no rule yet; call defvjp first"
            )
        return _of_custom_vjp(f, domains), lambda *args: f.fwd(*args)[0]
    if isinstance(f, jax.custom_jvp):
        if getattr(f, "jvp", None) is None:
            raise ValueError(f"rule: {_called(f)} has no rule yet; call defjvp first")
        return of_differentiation(f, domains), _primal_of_jvp(f, domains)
    raise ValueError(
        f"rule: {getattr(f, '__name__', f)!r} is no custom_vjp or custom_jvp function; give its "
        "backward function to prove.vjp, or look for rules inside it with prove.audit"
    )


def _called(f: Any) -> str:
    return str(getattr(f, "__name__", f))


def primal(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, without its rule."""
    inner = getattr(f, "fun", f)
    return inner if callable(inner) else f


def _of_custom_vjp(f: Any, domains: tuple[Any, ...]) -> Callable[..., Any]:
    """`bwd` applied to the residuals that `fwd` computes."""
    fixed = sorted(getattr(f, "nondiff_argnums", ()) or ())

    def pullback(*arguments: Any) -> tuple[Any, ...]:
        *args, cotangent = arguments
        pair = f.fwd(*args)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError("fwd: a pair (value, residuals) is expected")
        given = f.bwd(*(args[i] for i in fixed), pair[1], cotangent)
        if not isinstance(given, tuple | list) or len(given) != len(args) - len(fixed):
            raise ValueError(
                f"bwd: a tuple of {len(args) - len(fixed)} cotangents is expected, one per argument"
            )
        entries = iter(given)
        return tuple(None if i in fixed else next(entries) for i in range(len(args)))

    return pullback


def of_differentiation(f: Callable[..., Any], domains: tuple[Any, ...]) -> Callable[..., Any]:
    """What JAX's own reverse mode makes of f and its rules."""

    def pullback(*arguments: Any) -> tuple[Any, ...]:
        *args, cotangent = arguments
        real = [i for i, d in enumerate(domains) if _is_real(d)]

        def of_real(*values: Any) -> Any:
            filled = list(args)
            for i, value in zip(real, values, strict=True):
                filled[i] = value
            return f(*filled)

        _, back = jax.vjp(of_real, *(args[i] for i in real))
        entries = iter(back(cotangent))
        return tuple(next(entries) if i in real else None for i in range(len(args)))

    return pullback


def _primal_of_jvp(f: Callable[..., Any], domains: tuple[Any, ...]) -> Callable[..., Any]:
    """The value that a `custom_jvp` rule gives beside the tangent."""

    def value(*args: Any) -> Any:
        real = [i for i, d in enumerate(domains) if _is_real(d)]

        def of_real(*values: Any) -> Any:
            filled = list(args)
            for i, one in zip(real, values, strict=True):
                filled[i] = one
            return f(*filled)

        given = tuple(args[i] for i in real)
        return jax.jvp(of_real, given, jax.tree_util.tree_map(jax.numpy.zeros_like, given))[0]

    return value


def _is_real(of_argument: Any) -> bool:
    return all(d.kind in ("real", "distribution") for d in domain.leaves(of_argument))


class Inside(NamedTuple):
    """A custom rule found inside a program; no domains if an argument is an integer."""

    name: str
    value: Callable[..., Any]
    pullback: Callable[..., Any]
    domains: tuple[Any, ...]
    sizes: str


def inside(f: Callable[..., Any], domains: tuple[Any, ...], sizes: Sizes) -> Iterator[Inside]:
    """Every custom rule of f's program, each once."""
    seen = set()
    for number, equation in enumerate(_calls(trace(f, domains, sizes).jaxpr)):
        rule = next((equation.params[k] for k in RULES if k in equation.params), number)
        key = (equation.primitive.name, id(rule), tuple(str(v.aval) for v in equation.invars))
        if key not in seen:
            seen.add(key)
            yield _inside(equation, number, f, domains, sizes)


def stops_gradients(jaxpr: Any) -> bool:
    """Whether stop_gradient is used anywhere in a program."""
    return any(
        equation.primitive.name == "stop_gradient"
        or any(stops_gradients(part) for part in _programs(equation))
        for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns
    )


def _programs(equation: Any) -> Iterator[Any]:
    for parameter in equation.params.values():
        for part in parameter if isinstance(parameter, tuple | list) else (parameter,):
            if isinstance(part, ClosedJaxpr) or hasattr(part, "eqns"):
                yield part


def _calls(jaxpr: Any) -> Iterator[Any]:
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        if equation.primitive.name in CALLS:
            yield equation
        for part in _programs(equation):
            yield from _calls(part)


def _value(equation: Any) -> Any:
    return equation.params.get("call_jaxpr") or equation.params.get("fun_jaxpr")


def _inside(
    equation: Any, number: int, f: Callable[..., Any], domains: tuple[Any, ...], sizes: Sizes
) -> Inside:
    shapes = [v.aval.shape for v in equation.invars]

    def call(*values: Any) -> Any:
        own = equation
        if any(v.shape != s for v, s in zip(values, shapes, strict=True)):
            at = _sizes_of(values, shapes, sizes)
            own = list(_calls(trace(f, domains, at).jaxpr))[number]
        found = own.primitive.get_bind_params(own.params)
        functions, parameters = ((), found) if isinstance(found, dict) else found
        result = own.primitive.bind(*functions, *values, **parameters)
        return result[0] if len(result) == 1 else tuple(result)

    given = tuple(_domain(v.aval) for v in equation.invars)
    if None in given:
        return Inside(_rule_name(equation), plain(call), call, (), "")
    names = set(domain.sizes_of(given))
    constraints = ", ".join(
        part.strip()
        for part in sizes.constraints.split(",")
        if part.strip() and set(domain.names_in(part)) <= names
    )
    value, name = plain(call), _rule_name(equation)
    value.__name__ = name
    return Inside(name, value, of_differentiation(call, given), given, constraints)


def _sizes_of(values: Any, shapes: Any, sizes: Sizes) -> Sizes:
    """The sizes at which the equation's arguments have the shapes of `values`."""
    for value, shape in zip(values, shapes, strict=True):
        for dim, size in zip(shape, value.shape, strict=True):
            if str(dim).isidentifier() and str(dim) != str(size):
                sizes = sizes.assign(str(dim), str(size))
    return sizes


def _domain(aval: Any) -> Any:
    shape = " ".join(str(d).replace(" ", "") for d in aval.shape)
    if aval.dtype == bool:
        return domain.boolean(shape)
    return None if aval.dtype.kind in "iu" else domain.real(shape)


def _rule_name(equation: Any) -> str:
    inner = _value(equation)
    debug = getattr(getattr(inner, "jaxpr", inner), "debug_info", None)
    found = str(equation.params.get("name") or getattr(debug, "func_name", "") or "rule")
    return found.split(".")[-1]


def with_claim(theorem: Theorem, claim: str, not_differentiated: tuple[str, ...]) -> Theorem:
    """The same result about a claim in other words."""
    return dataclasses.replace(theorem, claim=claim, not_differentiated=not_differentiated)


def with_forward(theorem: Theorem, same: Theorem) -> Theorem:
    """A right backward half, together with what is known of the forward half's value."""
    claim = f"{theorem.claim}; its forward half gives the value of the function"
    if same.verdict == "proved":
        conditions = tuple(dict.fromkeys([*theorem.conditions, *same.conditions]))
        return dataclasses.replace(
            theorem, claim=claim, conditions=conditions, seconds=theorem.seconds + same.seconds
        )
    return dataclasses.replace(
        same,
        name=theorem.name,
        claim=claim,
        difference="the forward half does not give the value" if same.counterexample else "",
        seconds=theorem.seconds + same.seconds,
        arguments=theorem.arguments,
    )


def derivation(outcome: Outcome) -> Derivation | None:
    """The proof for reading: f's outputs, and Σ_o ct[o] ∂f[o]/∂x[i] for each argument x."""
    if not outcome.gradients:
        return None
    outputs = outcome.program.outputs
    names = ["f"] if len(outputs) == 1 else [f"f{k}" for k in range(len(outputs))]
    quantities = [Quantity(n, o.slots, o.body) for n, o in zip(names, outputs, strict=True)]
    given = [
        Array(f"ct{k}" if len(outputs) > 1 else "ct", c.shape)
        for k, c in enumerate(outcome.cotangents)
    ]
    gradients = [
        Quantity(g.path, g.slots, _contracted(g.jacobian, outputs, given))
        for g in outcome.gradients
    ]
    return derive(quantities, given, gradients, list(outcome.program.inputs))


def _contracted(
    jacobian: tuple[Poly, ...], outputs: tuple[Tensor, ...], given: list[Array]
) -> Poly:
    real = [(o, c) for o, c in zip(outputs, given, strict=True) if o.kind == "real"]
    return add(
        *(
            sums.total(o.slots, multiply(k, atom(Entry(c, tuple(map(place_of, o.slots))))))
            for k, (o, c) in zip(jacobian, real, strict=True)
        )
    )
