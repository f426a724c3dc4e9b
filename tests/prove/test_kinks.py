"""Functions made of pieces: where they have a kink, the rule may choose; elsewhere it may not."""

import jax
import jax.numpy as jnp
import pytest

from purenet import prove
from purenet.prove import nonzero, real

N = real("n")


def kinds(table, *slow):
    """The names in a table; some of them are left to the slow tests."""
    return [pytest.param(k, marks=[pytest.mark.slow] if k in slow else []) for k in table]


def cube(x):
    return x * x * x


KINKS = {  # function, rule, what is left out
    "relu": (jax.nn.relu, lambda x, ct: (jnp.where(x > 0, ct, 0.0),), ["x[i] != 0"]),
    "the other value": (jax.nn.relu, lambda x, ct: (jnp.where(x >= 0, ct, 0.0),), ["x[i] != 0"]),
    "any value": (
        jax.nn.relu,
        lambda x, ct: (jnp.where(x == 0, 7.0 * ct, jnp.where(x > 0, ct, 0.0)),),
        ["x[i] != 0"],
    ),
    "two kinks": (
        lambda x: jnp.clip(x, -1.0, 1.0),
        lambda x, ct: (jnp.where((x > -1) & (x < 1), ct, 0.0),),
        ["x[i] != -1", "x[i] != 1"],
    ),
    "none: a double zero": (
        lambda x: jnp.where(x > 0, x * x, 0.0), lambda x, ct: (jnp.where(x > 0, 2 * x * ct, 0.0),),
        [],
    ),
    "none: huber": (
        lambda x: jnp.where(jnp.abs(x) <= 1, x * x / 2, jnp.abs(x) - 0.5),
        lambda x, ct: (ct * jnp.clip(x, -1.0, 1.0),),
        [],
    ),
    "none: an even power": (lambda x: jnp.abs(x) ** 2, lambda x, ct: (2 * x * ct,), []),
    "none: guarded at 0": (
        cube, lambda x, ct: (ct * jnp.where(x == 0, 0.0, 3 * cube(x) / jnp.where(x == 0, 1.0, x)),),
        [],
    ),
}  # fmt: skip

WRONG = {  # right off a set on which the function is differentiable, wrong on it
    "cube": (cube, lambda x, ct: (ct * jnp.where(x == 0, 7.0, 3 * x * x),), N),
    "square of relu": (
        lambda x: jax.nn.relu(x) ** 2,
        lambda x, ct: (jnp.where(x > 0, 2 * x * ct, jnp.where(x == 0, ct, 0.0)),),
        N,
    ),
    "half a line": (
        jax.nn.relu,
        lambda x, ct: (jnp.where(jax.nn.relu(x) == 0, 7.0, 1.0) * ct,),
        N,
    ),
    "the wrong side": (jax.nn.relu, lambda x, ct: (jnp.where(x < 0, ct, 0.0),), N),
    "equal entries": (
        lambda x: (x * x).sum(),
        lambda x, ct: (ct * jnp.where((x == x[:1]) & (x != 0), 5.0, 2 * x),),
        real("n"),
    ),
}


@pytest.mark.parametrize("kind", kinds(KINKS, "any value", "none: huber", "none: an even power"))
def test_a_kink_is_a_condition_and_nothing_else_is(kind):
    f, pullback, left_out = KINKS[kind]
    theorem = prove.vjp(f, pullback, N)
    assert theorem.verdict == "proved", str(theorem)
    assert sorted(c.split(" (")[0] for c in theorem.conditions) == left_out


@pytest.mark.parametrize("kind", kinds(WRONG, "the wrong side", "half a line"))
def test_a_wrong_value_where_the_function_is_differentiable_is_refuted(kind):
    f, pullback, domain = WRONG[kind]
    assert prove.vjp(f, pullback, domain).verdict == "refuted"


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "value"), [("relu", "0"), ("the other value", "1")])
def test_what_the_rule_gives_on_a_kink_is_told(kind, value):
    f, pullback, _ = KINKS[kind]
    (condition,) = prove.vjp(f, pullback, N).conditions
    assert condition.startswith("x[i] != 0 (the rule gives ")
    assert value in condition.partition("gives")[2]


def test_a_threshold_that_is_off_by_little_is_not_proved():
    theorem = prove.vjp(jax.nn.relu, lambda x, ct: (jnp.where(x > 1e-3, ct, 0.0),), N)
    assert theorem.verdict != "proved"


def test_a_domain_without_the_kink_needs_no_condition():
    f, pullback, _ = KINKS["relu"]
    assert prove.vjp(f, pullback, nonzero("n")).conditions == ()


def test_a_maximum_is_a_condition_on_ties():
    def shared(x, ct):
        mask = (x == x.max()).astype(x.dtype)
        return (ct * mask / mask.sum(),)

    def to_each(x, ct):
        return (jnp.where(x == x.max(), ct, 0.0),)

    for pullback in (to_each, shared):
        assert prove.vjp(jnp.max, pullback, N).verdict != "refuted"
    assert prove.vjp(jnp.max, to_each, N).conditions == ("the maximum is attained once",)
