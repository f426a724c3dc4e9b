"""The prover's check of itself: silent where the terms are the function, and not otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet.prove import domains as d
from purenet.prove import selfcheck
from purenet.prove.kernel import algebra, signs
from purenet.prove.kernel.linear import ONE, ZERO, add, index, number, scale, subtract
from purenet.prove.programs import Program, read
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import trace

SIZES = {"n": 2, "m": 3, "k": 4}
GRID, LABEL = d.real("n m"), d.label("n", classes="m")


def program(f, *domains, extra=()):
    return read(trace(f, domains, Sizes(), extra), Sizes())


def difference(terms, f, *domains):
    return selfcheck.agrees(terms, f, domains, SIZES, np.random.default_rng(0))


def with_body(terms: Program, change) -> Program:
    """The program with its output changed: what a mistake of the interpreter would give."""
    (out,) = terms.outputs
    return terms._replace(outputs=(out._replace(body=change(out.body, out)),))


RIGHT = [
    (lambda x: jnp.tanh(x.T @ x) / (1 + x.sum()), [GRID]),
    (lambda x, w: jnp.einsum("nm,mk->k", x, w), [GRID, d.real("m k")]),
    (lambda x: jax.nn.log_softmax(x, axis=0), [GRID]),
    (
        lambda x, y: -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).sum(),
        [GRID, LABEL],
    ),
    (lambda x, mask: jax.nn.softmax(jnp.where(mask, x, -jnp.inf)), [GRID, d.boolean("n m")]),
    (lambda x: jnp.where(x == 0, 7.0, 3 * x**2), [GRID]),
    (lambda x: (x > 0, jnp.argmax(x, 1), x * x), [GRID]),
    (lambda x, sigma: sigma(x) + sigma.derivative(x), [GRID, d.function("sigma")]),
    (lambda x, axis: x.sum(axis), [GRID, d.static(1)]),
    (lambda p: {"w": p["w"] @ p["b"], "none": None}, [{"w": GRID, "b": d.real("m")}]),
    (lambda q: (q * jnp.log(q)).sum(-1), [d.distribution("n m")]),
    (lambda x: x.shape[0] * x / 3.0, [d.positive("2*n")]),
]


@pytest.mark.parametrize(("f", "domains"), RIGHT)
def test_a_program_that_was_read_right_agrees(f, domains):
    assert difference(program(f, *domains), f, *domains) == ""


def test_a_rule_agrees_with_its_cotangent_as_an_argument():
    def pullback(x, cotangent):
        return (cotangent[:, None] * 2 * x,)

    row = jax.ShapeDtypeStruct(
        trace(lambda x: x.sum(1), (GRID,), Sizes()).out_shapes[0], jnp.float64
    )
    terms = program(pullback, GRID, extra=(row,))

    assert difference(terms, pullback, GRID, row) == ""
    assert "output 0 at" in difference(
        terms, lambda x, cotangent: (cotangent[:, None] * x,), GRID, row
    )


MISTAKES = [
    (lambda body, out: scale(body, -1), "the sign"),
    (lambda body, out: add(body, number(1)), "a term"),
    (lambda body, out: scale(body, 2), "a factor"),
    (lambda body, out: ZERO, "everything"),
    (
        lambda body, out: algebra.substitute(
            body, {out.slots[0]: subtract(subtract(out.shape[0], ONE), index(out.slots[0]))}
        ),
        "the direction of an axis",
    ),
    (
        lambda body, out: algebra.multiply(body, algebra.power(out.shape[0], -1)),
        "a mean for a sum",
    ),
]


@pytest.mark.parametrize(("change", "name"), MISTAKES, ids=[name for _, name in MISTAKES])
def test_a_mistake_is_found(change, name):
    def f(x):
        return jnp.exp(x) * x.sum(0, keepdims=True)

    found = difference(with_body(program(f, GRID), change), f, GRID)

    assert found.startswith("output 0 at [")
    assert "(sizes n = 2, m = 3, k = 4; normal)" in found


def test_a_mistake_at_zero_alone_is_found():
    def f(x):
        return jnp.where(x > 0, x, x**2) + jnp.where(x >= 0, 1.0, 0.0)

    def strict(body, out):
        (x,) = program(lambda x: x, GRID).outputs
        at_zero = signs.equals_zero(x.at(tuple(index(s) for s in out.slots)))
        return subtract(body, at_zero)

    found = difference(with_body(program(f, GRID), strict), f, GRID)
    assert "is 0.0 by the terms, 1.0 in JAX" in found
    assert found.endswith("with zeros)")


def test_a_transposed_output_is_found():
    terms = program(lambda x: x.T, GRID)

    assert "has shape (3, 2) by the terms, (2, 3) in JAX" in difference(terms, lambda x: x, GRID)


def test_a_wrong_second_output_is_found():
    terms = program(lambda x: (x, x > 0), GRID)

    assert difference(terms, lambda x: (x, x < 0), GRID).startswith("output 1 at [0, 0] is")


@pytest.mark.parametrize(
    "f",
    [
        jnp.log,
        jnp.sqrt,
        lambda x: 1 / x,
        lambda x: x / jnp.abs(x),
        lambda x: jnp.log(x) - jnp.log(-x),
        lambda x: jnp.where(x > 0, jnp.log(x), 0.0),
        lambda x: x / x.sum(),
        lambda x: jnp.exp(jnp.exp(jnp.exp(9 * x))),
    ],
)
def test_points_outside_the_domain_say_nothing(f):
    assert difference(program(f, GRID), f, GRID) == ""


def test_inside_the_domain_the_same_function_is_checked():
    terms = program(jnp.log, GRID)

    assert "output 0 at" in difference(terms, lambda x: 2 * jnp.log(x), GRID)


def test_a_row_without_an_entry_says_nothing():
    def f(x, mask):
        return jnp.max(jnp.where(mask, x, -jnp.inf), 1) * 0 + jnp.where(mask.any(1), 1.0, 2.0)

    assert difference(program(f, GRID, d.boolean("n m")), f, GRID, d.boolean("n m")) == ""


def test_points_lie_in_the_domains_and_differ():
    domains = (d.positive("n m"), d.real("m", low=-1, high=1), d.distribution("n k"), LABEL)
    drawn = selfcheck.drawn(domains, SIZES, np.random.default_rng(1), "normal")

    assert [x.shape for x in drawn] == [(2, 3), (3,), (2, 4), (2,)]
    assert (drawn[0] > 0).all()
    assert (np.abs(drawn[1]) < 1).all()
    assert np.allclose(drawn[2].sum(1), 1)
    assert np.unique(drawn[0]).size == 6
    assert ((drawn[3] >= 0) & (drawn[3] < 3)).all()


def test_an_option_that_the_compiler_does_not_know_is_left_out(monkeypatch):
    monkeypatch.setattr(selfcheck, "PLAIN", {"xla_cpu_no_such_option": True})
    assert selfcheck.quick.__wrapped__() == selfcheck.QUICK
    monkeypatch.setattr(selfcheck, "PLAIN", {"xla_cpu_parallel_codegen_split_count": 1})
    assert selfcheck.quick.__wrapped__() == {**selfcheck.QUICK, **selfcheck.PLAIN}
