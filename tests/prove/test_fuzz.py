"""Random programs: what the kernel says of them agrees with JAX, and its normal form is one."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from random_programs import RandomProgram, random_program

from purenet.prove import samples, selfcheck
from purenet.prove.domains import Domain
from purenet.prove.interpret.tensor import Tensor, Unknown
from purenet.prove.kernel import algebra, budget, calculus, evaluate, sums
from purenet.prove.kernel.factors import Binder
from purenet.prove.kernel.linear import ONE, add, atom, index, scale, subtract
from purenet.prove.kernel.terms import Array, Factor, Poly, Var
from purenet.prove.plain import plain
from purenet.prove.programs import Program, read
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import trace

Check = Callable[[RandomProgram, int], str]
NO_CLAIM = "not understood"
NOT_UNDERSTOOD = (Unknown, budget.TooLarge, calculus.NoDerivative)
SECONDS = 10.0


def disagreement(program: RandomProgram, seed: int) -> str:
    """Where the values or the derivative of a program's terms are not those of JAX; "" if nowhere.

    The derivative is taken along one real argument, at a point where no two entries are equal and
    none is 0; values are compared there and where many are 0.

    Raises:
        Unknown, TooLarge, NoDerivative: the kernel does not claim to understand it.
    """
    rng = np.random.default_rng(seed)
    sizes = dict(zip(("n", "m", "k"), map(int, _numbers(rng)), strict=True))
    with budget.limited(SECONDS):
        terms = read(trace(program.function(), program.domains, Sizes()), Sizes())
        (out,) = terms.outputs
        real = [i for i, one in enumerate(program.domains) if one.kind == "real"]
        along = int(rng.choice([i for i in real if terms.inputs[i] in out.body.arrays] or real))
        run = _run(program.function(), along)
        x = terms.inputs[along]
        for style in selfcheck.STYLES:
            arrays = _points(program.domains, sizes, rng, style)
            given = {a.name: v for a, v in zip(terms.inputs, arrays, strict=True)}
            given["change"] = rng.normal(size=arrays[along].shape)
            value, expected = run(arrays, given["change"])
            found = _difference(out, out.body, value, sizes, given)
            if found:
                return f"value{found} ({sizes}, {style})"
            if style == "normal" and out.kind == "real":
                tangent = calculus.tangent(out.body, x, Array("change", x.shape))
                smooth = frozenset(need._replace(smooth=False) for need in out.needs)
                expected = np.where(np.isfinite(value), expected, np.nan)
                found = _difference(out._replace(needs=smooth), tangent, expected, sizes, given)
                if found:
                    return f"tangent along {x.name}{found} ({sizes})"
    return ""


def _run(f: Callable[..., Any], along: int) -> Callable[..., Any]:
    """The value of f in JAX, and its change with one argument."""

    def both(arrays, change):
        def moved(x):
            return plain(f)(*arrays[:along], x, *arrays[along + 1 :])

        return jax.jvp(moved, (arrays[along],), (change,))

    jitted = jax.jit(both, compiler_options=selfcheck.QUICK)

    def run(arrays, change):
        with jax.enable_x64(True):
            return [np.asarray(leaf) for leaf in jitted(arrays, change)]

    return run


def _points(domains, sizes, rng, style):
    drawn = selfcheck.drawn(domains, sizes, rng, style)
    if style != "normal":
        return drawn
    return [_generic(a, one, rng) for a, one in zip(drawn, domains, strict=True)]


def _generic(x: np.ndarray, one: Domain, rng: np.random.Generator) -> np.ndarray:
    if one.kind != "real":
        return x
    moved = np.asarray(x + 0.05 * rng.uniform(-1, 1, x.shape))
    return np.where(samples.inside(one, moved), moved, x)


def _difference(out: Tensor, poly: Poly, expected: np.ndarray, sizes, given) -> str:
    place = evaluate.grid(out.slots, sizes)
    found, error = evaluate.measure(poly, sizes, given, place)
    wrong = selfcheck.differs(found, error, expected) & selfcheck.allowed(out, sizes, given)
    if not wrong.any():
        return ""
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f" at {list(where)} is {found[where]}, {expected[where]} in JAX"


def instability(program: RandomProgram, seed: int) -> str:
    """A term of the program that is another one when it is built again; "" if there is none."""
    with budget.limited(SECONDS):
        terms = read(trace(program.function(), program.domains, Sizes()), Sizes())
        return _unstable(terms, np.random.default_rng(seed))


def _numbers(rng: np.random.Generator) -> np.ndarray:
    """Distinct sizes, and now and then any: 1 and equal ones."""
    return rng.permutation([2, 3, 4]) if rng.random() < 0.7 else rng.integers(1, 4, 3)


# --- the normal form ------------------------------------------------------------------------------


def _unstable(terms: Program, rng: np.random.Generator) -> str:
    for tensor in terms.outputs:
        body = tensor.body
        if algebra.rewrite(body, lambda _: None).digest != body.digest:
            return f"rewriting nothing changes {body}"
        again = rebuilt(body, rng)
        if again.digest != body.digest:
            return f"built again, {body}\n is {again}"
        renamed, back = _renamed(body, tensor.slots)
        if algebra.substitute(renamed, back).digest != body.digest:
            return f"renamed and back, {body}\n is {algebra.substitute(renamed, back)}"
    return ""


def rebuilt(poly: Poly, rng: np.random.Generator) -> Poly:
    """The same term made anew: products and sums in another order, bound variables renamed."""
    rows = list(poly.terms.items())
    parts = []
    for row in rng.permutation(len(rows)):
        monomial, coefficient = rows[row]
        factors = [monomial[i] for i in rng.permutation(len(monomial))]
        powers = [algebra.power(_rebuilt(f, rng), e) for f, e in factors]
        parts.append(scale(algebra.multiply(*powers), coefficient))
    return add(*parts)


def _rebuilt(factor: Factor, rng: np.random.Generator) -> Poly:
    if isinstance(factor, Binder):
        bound, body = sums.opened(factor)
        order = tuple(bound[i] for i in rng.permutation(len(bound)))
        return sums.bind(factor.tag, order, rebuilt(body, rng))
    if not factor.polys:
        return atom(factor)
    return algebra.build(factor, tuple(rebuilt(p, rng) for p in factor.polys))


def _renamed(body: Poly, slots: tuple[Var, ...]) -> tuple[Poly, dict[Var, Poly]]:
    new = [sums.fresh(v.size, "a") for v in slots]
    there = {v: index(w) for v, w in zip(slots, new, strict=True)}
    return algebra.substitute(body, there), {w: index(v) for v, w in zip(slots, new, strict=True)}


# --- tests ----------------------------------------------------------------------------------------


def outcome(check: Check, seed: int, steps: int = 6) -> str:
    """The shortest program of a seed that fails, with what is wrong; else "" or `NO_CLAIM`."""
    program = random_program(seed, steps)
    first = _outcome(check, program, seed)
    if not first or first == NO_CLAIM:
        return first
    for shorter in program.prefixes():
        found = _outcome(check, shorter, seed)
        if found and found != NO_CLAIM:
            return f"seed {seed}\n{shorter.source()}{found}"
    return f"seed {seed}\n{program.source()}{first}"


def _outcome(check: Check, program: RandomProgram, seed: int) -> str:
    try:
        return check(program, seed)
    except NOT_UNDERSTOOD:
        return NO_CLAIM
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"


def failures(check: Check, seeds: range) -> tuple[str, int]:
    """What fails, and how many programs were understood."""
    found = [outcome(check, seed) for seed in seeds]
    return "\n\n".join(text for text in found if text not in ("", NO_CLAIM)), found.count("")


def test_random_programs_agree_with_jax():
    wrong, understood = failures(disagreement, range(12))

    assert not wrong, wrong
    assert understood >= 8


def test_terms_of_random_programs_are_the_same_when_built_again():
    wrong, understood = failures(instability, range(8))

    assert not wrong, wrong
    assert understood >= 5


@pytest.mark.slow
@pytest.mark.parametrize("check", [disagreement, instability])
@pytest.mark.parametrize("block", range(30))
def test_many_random_programs(check, block):
    wrong, understood = failures(check, range(1000 + 100 * block, 1100 + 100 * block))

    assert not wrong, wrong
    assert understood > 60


@pytest.mark.parametrize(
    "mistake", [lambda p: scale(p, -1), lambda p: scale(p, 2), lambda p: subtract(p, ONE)]
)
def test_a_mistake_in_the_tangent_is_found(mistake, monkeypatch):
    right = calculus.tangent
    monkeypatch.setattr(calculus, "tangent", lambda *given: mistake(right(*given)))

    assert "tangent along x" in outcome(disagreement, 4)


def test_a_seed_is_a_program():
    assert random_program(7) == random_program(7)
    assert random_program(7) != random_program(8)
