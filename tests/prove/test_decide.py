"""The comparison at one assignment of sizes: what is matched, what is left, what is needed."""

import jax
import jax.numpy as jnp
import pytest

from purenet import prove
from purenet.prove import decide, label, positive, real, static
from purenet.prove.kernel.calculus import NotLinear
from purenet.prove.settle import NotShown
from purenet.prove.sizes import Sizes

N = real("n")


def outcome(f, pullback, *domains):
    return decide.compare(decide.traced(f, pullback, domains, Sizes()), domains, Sizes())


def test_the_outcome_has_the_jacobian_of_every_array():
    found = outcome(
        lambda p, x: p["w"] @ x + p["b"],
        lambda p, x, ct: ({"w": jnp.outer(ct, x), "b": ct}, p["w"].T @ ct),
        {"w": real("m n"), "b": real("m")},
        N,
    )
    assert [g.path for g in found.gradients] == ["p['b']", "p['w']", "x"]
    assert [len(g.slots) for g in found.gradients] == [1, 2, 1]
    assert found.conditions == found.notes == found.not_differentiated == ()


def test_labels_and_static_values_have_no_gradient():
    found = outcome(
        lambda x, y, k: k * x[y],
        lambda x, y, k, ct: (jnp.zeros_like(x).at[y].add(k * ct), None, None),
        N,
        label("b", classes="n"),
        static(3.0),
    )
    assert [g.path for g in found.gradients] == ["x"]
    assert found.not_differentiated == ()


@pytest.mark.parametrize(
    ("f", "pullback", "message"),
    [
        (jnp.sin, lambda x, ct: (ct * jnp.sin(x),), "the derivative for x"),
        (jnp.sum, lambda x, ct: (ct,), "another shape"),
        (lambda x: x, lambda x, ct: (ct * (x / x),), r"defined everywhere|where x\[i\] = 0"),
        (lambda x: x, lambda x, ct: (ct + 0 * jnp.log(x),), "defined everywhere"),
    ],
)
def test_what_is_left_is_told(f, pullback, message):
    with pytest.raises(NotShown, match=message):
        outcome(f, pullback, N)


def test_a_term_without_the_cotangent_is_not_linear():
    with pytest.raises(NotLinear, match="not linear in the cotangent"):
        outcome(jnp.sin, lambda x, ct: (ct * jnp.cos(x) + 1,), N)


def test_both_sides_of_a_difference_are_kept():
    with pytest.raises(NotShown) as failure:
        outcome(jnp.sin, lambda x, ct: (2 * ct * jnp.cos(x),), N)
    assert failure.value.derivative in ("[i = j]·cos(x[i])", "[i = j]·cos(x[j])")
    assert failure.value.given in ("2·[i = j]·cos(x[i])", "2·[i = j]·cos(x[j])")


def test_each_output_has_its_own_cotangent():
    def f(x):
        return jnp.sin(x), jnp.cos(x)

    def swapped(x, ct):
        return (ct[1] * jnp.cos(x) - ct[0] * jnp.sin(x),)

    with pytest.raises(NotShown, match="the derivative for x"):
        outcome(f, swapped, N)


def test_a_sum_that_is_constant_does_not_hide_a_wrong_rule():
    def wrong(z, ct):
        return (jax.nn.softmax(z) * (ct - ct.sum()),)

    with pytest.raises(NotShown):
        outcome(jax.nn.softmax, wrong, N)


NEEDS = {
    "1 / x": (lambda x: 1 / x, lambda x, ct: (-ct / x**2,), "x[i] != 0"),
    "1 / xy": (
        lambda x: 1 / (x * x.sum()),
        lambda x, ct: (-ct / (x * x * x.sum()) - (ct / x).sum() / x.sum() ** 2,),
        "x[i]",
    ),
    "log": (jnp.log, lambda x, ct: (ct / x,), "x[i] > 0"),
    "log of twice": (lambda x: jnp.log(2 * x), lambda x, ct: (ct / x,), "x[i] > 0"),
    "x ** -2": (lambda x: x**-2, lambda x, ct: (-2 * ct / x**3,), "x[i] != 0"),
    "under a root": (
        lambda x: jnp.sqrt(1 - x * x), lambda x, ct: (-ct * x / jnp.sqrt(1 - x * x),), "x[i]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NEEDS)
def test_where_a_function_is_not_defined_is_a_condition(kind):
    f, pullback, need = NEEDS[kind]
    found = outcome(f, pullback, N)
    assert any(need in condition for condition in found.conditions), found.conditions


def test_a_need_that_the_domain_meets_is_none():
    assert outcome(jnp.log, lambda x, ct: (ct / x,), positive("n")).conditions == ()


def test_an_argument_without_an_entry_is_not_differentiated():
    found = outcome(lambda x, y: x * y, lambda x, y, ct: (None, ct * x), N, N)
    assert found.not_differentiated == ("x",)
    assert [g.path for g in found.gradients] == ["y"]


def test_a_swapped_pair_of_entries_is_refuted():
    theorem = prove.vjp(jnp.divide, lambda x, y, ct: (-ct * x / y**2, ct / y), N, positive("n"))
    assert theorem.verdict == "refuted"
