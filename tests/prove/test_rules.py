"""Registered rules: both halves of a custom_vjp, a custom_jvp, and all of those in a program."""

import functools

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from purenet import prove
from purenet.prove import function, label, real, rules, static
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import trace

N = real("n")


def ruled(f, fwd, bwd, **settings):
    rule = jax.custom_vjp(f, **settings)
    rule.defvjp(fwd, bwd)
    return rule


def square(x):
    return x * x


def differentiated(f, rate):
    """A custom_jvp function: `rate(x, tangent)` gives the value and the tangent of the output."""
    rule = jax.custom_jvp(f)
    rule.defjvp(lambda primals, tangents: rate(primals[0], tangents[0]))
    return rule


sine = differentiated(jnp.sin, lambda x, t: (jnp.sin(x), jnp.cos(x) * t))


# Both halves of a custom_vjp count.


def test_a_right_pair_is_proved():
    rule = ruled(square, lambda x: (x * x, 2 * x), lambda twice, ct: (twice * ct,))
    theorem = prove.rule(rule, N)
    assert (theorem.verdict, theorem.name) == ("proved", "square")


def test_the_residuals_that_fwd_saves_are_the_ones_that_bwd_is_given():
    rule = ruled(square, lambda x: (x * x, 2 * x), lambda x, ct: (2 * x * ct,))
    theorem = prove.rule(rule, N)
    assert theorem.verdict == "refuted"
    assert theorem.difference == "off by the factor 2"


def test_a_forward_half_with_another_value_is_refuted():
    rule = ruled(square, lambda x: (x * x + 1, x), lambda x, ct: (2 * x * ct,))
    theorem = prove.rule(rule, N)
    example = theorem.counterexample
    assert theorem.verdict == "refuted"
    assert theorem.difference == "the forward half does not give the value"
    assert (example.true == example.rule + 1).all() or (example.rule + 1 == example.true).all()
    (x,) = example.arguments
    assert (example.rule == x * x).all()


def test_a_static_argument_is_not_differentiated():
    rule = ruled(
        lambda x, k: k * x, lambda x, k: (k * x, None), lambda k, _, ct: (k * ct,),
        nondiff_argnums=(1,),
    )  # fmt: skip
    assert prove.rule(rule, N, static(3.0)).verdict == "proved"


def applied(bwd):
    return ruled(lambda f, x: f(x), lambda f, x: (f(x), x), bwd, nondiff_argnums=(0,))


def test_a_function_as_an_argument_is_any_function():
    right = applied(lambda f, x, ct: (ct * f.derivative(x),))
    wrong = applied(lambda f, x, ct: (ct * f(x),))
    assert prove.rule(right, function("f"), N).verdict == "proved"
    assert prove.rule(wrong, function("f"), N).verdict == "refuted"


def test_a_custom_jvp_is_proved_by_what_jax_makes_of_it():
    wrong = differentiated(jnp.sin, lambda x, t: (jnp.sin(x), jnp.sin(x) * t))
    assert prove.rule(sine, N).verdict == "proved"
    assert prove.rule(wrong, N).verdict == "refuted"


def test_a_custom_jvp_with_another_value_is_refuted():
    wrong = differentiated(jnp.sin, lambda x, t: (jnp.sin(x) + 1, jnp.cos(x) * t))
    assert prove.rule(wrong, N).verdict == "refuted"


REFUSED = {
    "no rule at all": (lambda: jnp.sin, r"^rule: 'sin' is no custom_vjp or custom_jvp"),
    "defvjp was not called": (lambda: jax.custom_vjp(square), r"^rule: square.*defvjp"),
    "defjvp was not called": (lambda: jax.custom_jvp(square), r"^rule: square.*defjvp"),
    "bwd gives too many": (
        lambda: ruled(square, lambda x: (x * x, x), lambda x, ct: (2 * x * ct, ct)), "bwd"
    ),
    "bwd gives no tuple": (
        lambda: ruled(square, lambda x: (x * x, x), lambda x, ct: 2 * x * ct), "bwd"
    ),
    "bwd gives too few": (
        lambda: ruled(square, lambda x: (x * x, x), lambda x, ct: ()), "bwd"
    ),
    "fwd gives no pair": (lambda: ruled(square, square, lambda x, ct: (2 * x * ct,)), "fwd"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_rule_that_jax_refuses_is_refused(kind):
    make, message = REFUSED[kind]
    with pytest.raises(ValueError, match=message):
        prove.rule(make(), N)


# Every rule inside a program.


def verdicts(f, *domains):
    return {t.name: t.verdict for t in prove.audit(f, *domains)}


@pytest.mark.parametrize(
    ("f", "names"),
    [
        (jax.nn.relu, {"relu"}),
        (jax.nn.softplus, {"logaddexp"}),
        pytest.param(
            lambda x: jax.nn.relu(jax.nn.softplus(x)),
            {"relu", "logaddexp"},
            marks=pytest.mark.slow,
        ),
        (jax.nn.silu, set()),
        (jax.nn.logsumexp, set()),
        (jnp.sin, set()),
    ],
)
def test_the_rules_of_jax_are_found_and_proved(f, names):
    assert verdicts(f, N) == dict.fromkeys(names, "proved")


def test_a_wrong_rule_inside_is_refuted_and_the_right_one_is_proved():
    right = ruled(lambda x: x * x, lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
    wrong = ruled(lambda x: x * x, lambda x: (x * x, x), lambda x, ct: (x * ct,))
    for f in (lambda x: right(x) + wrong(x), lambda x: wrong(x) + right(x)):
        found = sorted(t.verdict for t in prove.audit(f, N))
        assert found == ["proved", "refuted"]


def test_a_rule_that_is_used_twice_is_proved_once():
    assert len(prove.audit(lambda x: sine(x) + sine(2 * x), N)) == 1


def places():
    bad = differentiated(jnp.sin, lambda x, t: (jnp.sin(x), -jnp.cos(x) * t))
    return {
        "jit": jax.jit(bad),
        "scan": lambda x: lax.scan(lambda c, a: (c + bad(a), None), jnp.zeros_like(x[0]), x)[0],
        "cond": lambda x: lax.cond(x[0] > 0, bad, lambda x: x, x),
        "vmap": jax.vmap(bad),
        "another rule": differentiated(bad, lambda x, t: (bad(x), jnp.cos(x) * t)),
    }


@pytest.mark.parametrize(
    "place",
    [
        "jit",
        "scan",
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("cond", "vmap", "another rule")),
    ],
)
def test_a_wrong_rule_is_found_wherever_it_is(place):
    assert "refuted" in verdicts(places()[place], N).values()


def test_a_rule_with_labels_does_not_hide_the_others():
    picked = ruled(
        lambda x, y: x[y],
        lambda x, y: (x[y], (x, y)),
        lambda kept, ct: (jnp.zeros_like(kept[0]).at[kept[1]].add(ct), None),
    )
    found = prove.audit(lambda x, y: picked(x, y) * sine(x), N, label("n", classes="n"))
    assert len(found) == 2
    assert all(t.reason for t in found if t.verdict == "unknown")


def test_a_theorem_of_an_audit_has_the_constraints_of_its_own_sizes():
    inside = rules.inside(
        lambda x, y: sine(x).sum() + y.sum(), (N, real("m")), Sizes("n >= 2, m >= 3")
    )
    assert [i.sizes for i in inside] == ["n >= 2"]


# What the report says.


def test_stop_gradient_is_seen_at_any_depth():
    @jax.jit
    def inner(x):
        return lax.stop_gradient(x)

    assert rules.stops_gradients(trace(lambda x: x * inner(x), (N,), Sizes()).jaxpr)
    assert not rules.stops_gradients(trace(jax.jit(jnp.sin), (N,), Sizes()).jaxpr)


def test_the_function_itself_is_without_its_rule():
    assert rules.primal(sine) is jnp.sin
    assert rules.primal(functools.partial(square)).func is square
