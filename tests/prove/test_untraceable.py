"""What can't be traced: the reason is told, and what would help."""

import jax.numpy as jnp
import pytest

from purenet.prove import domains as d
from purenet.prove.sizes import Sizes, read_sizes
from purenet.prove.tracing import trace
from purenet.prove.untraceable import CannotTrace

FREE = Sizes()


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (
            lambda x: x if x.shape[0] > 1 else -x,
            r"'n' > '1' is inconclusive; try sizes=\"n >= 2\"$",
        ),
        (lambda x: x if x.shape[0] < 3 else -x, r"try sizes=\"n >= 3\"$"),
        (lambda x: x if x.shape[0] >= x.shape[1] else -x, r"try sizes=\"n >= m\"$"),
        (lambda x: x if x.shape[0] <= x.shape[1] else -x, r"try sizes=\"n >= m\+1\"$"),
        (lambda x: jnp.reshape(x, (2, -1)), r"divide evenly.*name the parts of the size"),
        (lambda x: sum(x[i] for i in range(x.shape[0])), r"needs a size as a number"),
        (lambda x: x if x.sum() > 0 else -x, r"depends on the values of an array in Python"),
        (lambda x: x[x[:, 0] > 0], r"depends on the values of an array in Python"),
    ],
)
def test_a_program_that_needs_to_know_more_says_what(f, reason):
    with pytest.raises(CannotTrace, match=reason) as caught:
        trace(f, (d.real("n m"),), FREE)
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize("constraint", ["n >= 2", "n > 1", "1 < n", "n == 4", "n >= m, m >= 2"])
def test_the_constraint_decides(constraint):
    def f(x):
        return x if x.shape[0] > 1 else -x

    domains = (d.real("n m"),)
    assert trace(f, domains, read_sizes(constraint, domains)).jaxpr.eqns == []


def test_what_only_symbolic_sizes_forbid_is_no_fault_of_the_domains():
    def f(x):
        if not isinstance(x.shape[0], int):
            raise TypeError("numbers only")
        return x

    with pytest.raises(CannotTrace, match=r"JAX can't trace f for all sizes: numbers only"):
        trace(f, (d.real("n"),), FREE)


def test_arguments_that_do_not_fit_are_listed():
    def product(x, w):
        return x @ w

    with pytest.raises(ValueError, match=r'product does not take x: real\("n m"\), w: real\("k"\)'):
        trace(product, (d.real("n m"), d.real("k")), FREE)
    with pytest.raises(ValueError, match=r"product\(x, w\) can't be called with 1 argument "):
        trace(product, (d.real("n m"),), FREE)
    with pytest.raises(ValueError, match=r"can't be called with 3 arguments"):
        trace(product, (d.real(), d.real(), d.real()), FREE)
