"""Two functions as the same function of real numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet import prove
from purenet.prove import distribution, label, positive, real

N = real("n")


def kinds(table, *slow):
    """The names in a table; some of them are left to the slow tests."""
    return [pytest.param(k, marks=[pytest.mark.slow] if k in slow else []) for k in table]


EQUAL = {
    "tanh": (jnp.tanh, lambda x: 2 * jax.nn.sigmoid(2 * x) - 1, [N]),
    "softplus": (jax.nn.softplus, lambda x: jnp.log(1 + jnp.exp(x)), [N]),
    "variance": (jnp.var, lambda x: jnp.mean(x * x) - jnp.mean(x) ** 2, [N]),
    "order of a product": (
        lambda a, b, c: (a @ b) @ c, lambda a, b, c: a @ (b @ c),
        [real("n m"), real("m k"), real("k n")],
    ),
    "one hot": (
        lambda x, y: x[y], lambda x, y: (x * jax.nn.one_hot(y, x.shape[0], dtype=x.dtype)).sum(),
        [real("k"), label(classes="k")],
    ),
    "a distribution": (lambda p: p.sum(-1), lambda p: jnp.ones(p.shape[:-1], p.dtype),
                       [distribution("b k")]),
    "logarithms": (lambda x: jnp.log(x * x), lambda x: 2 * jnp.log(x), [positive("n")]),
    "two outputs": (lambda x: (x.sum(), -x), lambda x: (jnp.einsum("n->", x), 0 - x), [N]),
    "pieces": (jax.nn.relu, lambda x: (x + jnp.abs(x)) / 2, [N]),
}  # fmt: skip

DIFFERENT = {
    "a term": (jnp.tanh, lambda x: 2 * jax.nn.sigmoid(2 * x), [N]),
    "a mean": (jnp.sum, jnp.mean, [N]),
    "at 0": (lambda x: x * x, lambda x: jnp.where(x == 0, 1.0, x * x), [N]),
    "on one side": (jax.nn.relu, jnp.abs, [N]),
    "transposed": (lambda x: x @ x.T, lambda x: x.T @ x, [real("n n")]),
    "the second output": (lambda x: (x, x), lambda x: (x, -x), [N]),
    "the shape": (lambda x: x.sum(), lambda x: x.sum(keepdims=True), [N]),
}


@pytest.mark.parametrize("kind", kinds(EQUAL, "order of a product", "variance", "two outputs"))
def test_equal_functions_are_proved_so(kind):
    f, g, domains = EQUAL[kind]
    theorem = prove.equal(f, g, *domains)
    assert (theorem.verdict, theorem.conditions) == ("proved", ()), str(theorem)


@pytest.mark.parametrize("kind", kinds(DIFFERENT, "a mean", "on one side", "transposed"))
def test_different_functions_are_refuted_by_arrays_that_show_it(kind, x64):
    f, g, domains = DIFFERENT[kind]
    theorem = prove.equal(f, g, *domains)
    assert theorem.verdict == "refuted", str(theorem)
    example = theorem.counterexample
    arguments = [jnp.asarray(a) for a in example.arguments]
    values = [np.asarray(jax.tree.leaves(h(*arguments))[example.argument]) for h in (f, g)]
    for given, value in zip((example.rule, example.true), values, strict=True):
        np.testing.assert_allclose(given, value, rtol=1e-9)
    assert values[0].shape != values[1].shape or not np.allclose(*values, atol=1e-4)
    assert "the first function gives" in str(theorem)


def test_functions_that_are_equal_where_both_are_defined_say_where():
    theorem = prove.equal(lambda x: jnp.exp(jnp.log(x)), lambda x: x, N)
    assert theorem.verdict in ("proved", "refuted")
    if theorem.verdict == "proved":
        assert theorem.conditions == ("x[i] > 0",)


def test_equality_at_one_size_alone_is_refuted_at_another():
    theorem = prove.equal(jnp.sum, jnp.max, N)
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.sizes["n"] >= 2


def test_what_is_not_understood_is_unknown():
    theorem = prove.equal(jax.scipy.special.i0e, lambda x: jax.scipy.special.i0e(-x), N)
    assert theorem.verdict == "unknown"
    assert "bessel_i0e" in theorem.reason


@pytest.mark.parametrize(
    ("f", "g", "message"),
    [
        (lambda x: (x,), lambda x: x, r"^equal: the functions give results of different struct"),
        (jnp.sin, jnp.multiply, r"^domains: multiply"),
    ],
)
def test_functions_that_cannot_be_compared_are_refused(f, g, message):
    with pytest.raises(ValueError, match=message):
        prove.equal(f, g, N)
