"""A rule of the corpus is right: its pullback is `jax.vjp` of its function, in float64."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from purenet.prove.domains import Domain

from .case import Case

DIFFERENTIABLE = ("real", "distribution")
CONCRETE = ((3, 4, 5, 2, 6), (5, 2, 3, 4, 7), (4, 5, 6, 3, 8), (6, 3, 2, 5, 4), (2, 1, 3, 4, 5))


def check(case: Case, seed: int = 0, tolerance: float = 1e-9) -> None:
    """Raise AssertionError with the case's name unless the rule agrees at two sets of sizes.

    Both functions must also trace where every size is symbolic.
    """
    try:
        traces(case)
        for sizes in assignments(case)[:2]:
            agrees(case, sizes, np.random.default_rng(seed), tolerance)
    except Exception as error:
        raise AssertionError(f"{case.name}: {error}") from error


def agrees(case: Case, sizes: dict[str, int], rng: np.random.Generator, tolerance: float) -> None:
    """Compare the pullback with `jax.vjp` at one random point of the domains."""
    with jax.enable_x64(True):
        leaves, tree = jax.tree.flatten(case.domains, is_leaf=_is_domain)
        values = [draw(domain, sizes, rng) for domain in leaves]
        arrays = [value for value, domain in zip(values, leaves, strict=True) if _is_array(domain)]
        out = jax.eval_shape(lambda *a: case.f(*_arguments(leaves, tree, a)), *arrays)
        cotangent = jax.tree.map(lambda o: jnp.asarray(rng.normal(size=o.shape), o.dtype), out)

        def both(arrays: list[Any], cotangent: Any) -> Any:
            arguments = _arguments(leaves, tree, arrays)
            return case.pullback(*arguments, cotangent), _vjp(case, arguments, cotangent)

        rule, true = jax.jit(both)(arrays, cotangent)
        for index, (domain, r, t) in enumerate(zip(case.domains, rule, true, strict=True)):
            _compare(f"argument {index} at {sizes}", domain, r, t, tolerance)


def traces(case: Case) -> None:
    """Trace the function and the pullback with a symbol for every size."""
    with jax.enable_x64(True):
        scope = export.SymbolicScope([c.strip() for c in case.sizes.split(",") if c.strip()])
        leaves, tree = jax.tree.flatten(case.domains, is_leaf=_is_domain)
        arrays = [_symbolic(domain, scope) for domain in leaves if _is_array(domain)]
        out = jax.eval_shape(lambda *a: case.f(*_arguments(leaves, tree, a)), *arrays)
        jax.make_jaxpr(lambda a, ct: case.pullback(*_arguments(leaves, tree, a), ct))(arrays, out)


def assignments(case: Case) -> list[dict[str, int]]:
    """Concrete sizes that fulfil the constraints of the case, some of them for each name."""
    leaves = jax.tree.leaves(case.domains, is_leaf=_is_domain)
    texts = [text for leaf in leaves for text in (*leaf.shape, leaf.classes) if text]
    names = sorted({word for text in texts for word in _words(text)})
    constraints = [c for c in case.sizes.split(",") if c.strip()]
    orders = itertools.chain(CONCRETE, itertools.product(range(1, 7), repeat=len(names)))
    choices = [dict(zip(names, order, strict=False)) for order in orders]
    return [sizes for sizes in choices if all(_evaluate(c, sizes) for c in constraints)]


def draw(domain: Domain, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """One random value of the domain, inside its open bounds."""
    shape = tuple(_evaluate(text, sizes) for text in domain.shape)
    if domain.kind == "label":
        return jnp.asarray(rng.integers(_evaluate(domain.classes, sizes), size=shape), jnp.int_)
    if domain.kind == "boolean":
        return jnp.asarray(rng.random(size=shape) < 0.6)
    if domain.kind == "distribution":
        entries = rng.exponential(size=shape) + 0.05
        return jnp.asarray(entries / entries.sum(-1, keepdims=True))
    if domain.kind == "real":
        return jnp.asarray(_between(domain.low, domain.high, shape, rng))
    return None


def _between(low: float, high: float, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * rng.uniform(0.02, 0.98, size=shape)
    if np.isfinite(low):
        return low + rng.exponential(size=shape) + 0.01
    if np.isfinite(high):
        return high - rng.exponential(size=shape) - 0.01
    return 1.5 * rng.normal(size=shape)


def _vjp(case: Case, arguments: tuple[Any, ...], cotangent: Any) -> tuple[Any, ...]:
    leaves, tree = jax.tree.flatten(case.domains, is_leaf=_is_domain)
    kept = [domain.kind in DIFFERENTIABLE for domain in leaves]
    values = tree.flatten_up_to(arguments)

    def of_the_real_leaves(real: list[Any]) -> Any:
        rest = iter(real)
        return case.f(
            *tree.unflatten([next(rest) if k else v for k, v in zip(kept, values, strict=True)])
        )

    real = [v for k, v in zip(kept, values, strict=True) if k]
    (pulled,) = jax.vjp(of_the_real_leaves, real)[1](cotangent)
    rest = iter(pulled)
    return tree.unflatten([next(rest) if k else None for k in kept])


def _compare(where: str, domain: Any, rule: Any, true: Any, tolerance: float) -> None:
    leaves, tree = jax.tree.flatten(domain, is_leaf=_is_domain)
    if rule is None:
        return
    pairs = zip(leaves, tree.flatten_up_to(rule), tree.flatten_up_to(true), strict=True)
    for leaf, r, t in pairs:
        if leaf.kind not in DIFFERENTIABLE:
            assert r is None, f"{where}: {leaf.kind} takes None"
        elif r is not None:
            assert r.shape == t.shape, f"{where}: shape {r.shape}, not {t.shape}"
            assert r.dtype == t.dtype, f"{where}: dtype {r.dtype}, not {t.dtype}"
            np.testing.assert_allclose(r, t, tolerance, 1e-3 * tolerance, err_msg=where)


def _arguments(leaves: list[Domain], tree: Any, arrays: Any) -> tuple[Any, ...]:
    rest = iter(arrays)
    return tree.unflatten([next(rest) if _is_array(leaf) else _constant(leaf) for leaf in leaves])


def _constant(domain: Domain) -> Any:
    if domain.kind == "static":
        return domain.value
    from purenet.prove.opaque import Opaque

    return Opaque(domain.name)


def _symbolic(domain: Domain, scope: export.SymbolicScope) -> jax.ShapeDtypeStruct:
    dtypes = {"label": jnp.int_, "boolean": jnp.bool_}
    shape = export.symbolic_shape(", ".join(domain.shape), scope=scope) if domain.shape else ()
    return jax.ShapeDtypeStruct(shape, dtypes.get(domain.kind, jnp.float64))


def _is_domain(x: Any) -> bool:
    return isinstance(x, Domain)


def _is_array(domain: Domain) -> bool:
    return domain.kind in ("real", "distribution", "label", "boolean")


def _words(text: str) -> list[str]:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
    return [word for word in words if not word.isdigit()]


def _evaluate(text: str, sizes: dict[str, int]) -> Any:
    return eval(text, {"__builtins__": {}}, sizes)
