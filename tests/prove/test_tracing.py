"""Tracing at named sizes: the program, the sizes where it may be another, and the comparison."""

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from purenet.prove import domains as d
from purenet.prove.opaque import Opaque
from purenet.prove.tracing import (
    CannotTrace,
    Sizes,
    abstract,
    argument_names,
    coincidences,
    read_sizes,
    same_program,
    satisfied,
    size_bounds,
    trace,
)

FREE = Sizes()


class Layer(NamedTuple):
    weight: object
    bias: object


def affine(x, params):
    return x @ params[0].weight + params[0].bias[None, :]


AFFINE = (d.real("batch i"), [Layer(d.real("i o"), d.real("o"))])


def shapes(traced):
    return [tuple(map(str, shape)) for shape in traced.out_shapes]


def compare(f, domains, coincidence, sizes=FREE):
    """Whether f's program at one coincidence, `("n", "1")`, is its general one."""
    special = sizes.assign(*coincidence)
    return same_program(trace(f, domains, sizes), trace(f, domains, special), special)


# The program.


def test_inputs_have_the_names_of_the_arguments_and_the_path_in_them():
    traced = trace(affine, AFFINE, FREE)

    assert traced.in_paths == ("x", "params[0].weight", "params[0].bias")
    assert traced.in_domains == tuple(d.leaves(AFFINE))
    assert shapes(traced) == [("batch", "o")]
    assert traced.out_dtypes == (np.float64,)
    assert [str(a.dtype) for a in traced.jaxpr.in_avals] == ["float64"] * 3


def test_the_output_keeps_its_structure_and_is_a_cotangent_to_trace_with():
    def f(x):
        return {"sum": x.sum(), "twice": (2.0 * x, None)}

    def pullback(x, cotangent):
        return (cotangent["sum"] + 2.0 * cotangent["twice"][0],)

    output = trace(f, (d.real("n"),), FREE).output()
    traced = trace(pullback, (d.real("n"),), FREE, (output,))

    assert jax.tree_util.tree_structure(output) == jax.tree_util.tree_structure(
        {"sum": 0, "twice": (0, None)}
    )
    assert traced.in_paths == ("x", "cotangent['sum']", "cotangent['twice'][0]")
    assert traced.in_domains == (d.real("n"), d.real(), d.real("n"))
    assert shapes(traced) == [("n",)]


def test_static_values_and_functions_are_closed_over():
    seen = []

    def f(x, axis, sigma, flag):
        seen.append((axis, sigma, flag))
        return sigma(x).sum(axis)

    domains = (d.real("n m"), d.static(1), d.function("sigma"), d.static(None))
    traced = trace(f, domains, FREE)

    assert seen == [(1, Opaque("sigma"), None)]
    assert traced.in_paths == ("x",)
    assert traced.jaxpr.eqns[0].params == {"name": "sigma", "order": 0}


def test_each_kind_has_its_dtype():
    domains = (d.real("n"), d.label("n", classes="k"), d.boolean(), d.distribution("n k"))

    structs = abstract(domains, FREE)
    assert [str(s.dtype) for s in structs] == ["float64", "int64", "bool", "float64"]
    assert [tuple(map(str, s.shape)) for s in structs] == [("n",), ("n",), (), ("n", "k")]
    assert abstract((d.static(3), d.function("f")), FREE) == (3, Opaque("f"))


def test_a_size_may_be_an_expression_or_be_assigned():
    domains = (d.real("2*m n+1 h*d 3"), d.label("m", classes="n+1"))
    special = FREE.assign("m", 1).assign("n", "d")

    traced = trace(lambda x, y: x, domains, FREE)
    assert [d.polynomial(s) for s in shapes(traced)[0]] == list(map(d.polynomial, domains[0].shape))
    there = trace(lambda x, y: x, domains, special)
    assert [d.polynomial(s) for s in shapes(there)[0]] == list(
        map(d.polynomial, ("2", "d+1", "d*h", "3"))
    )
    assert there.in_domains == (d.real("2 d+1 h*d 3"), d.label("1", classes="d+1"))


def test_names_fall_back_where_the_function_does_not_say():
    assert argument_names(lambda a, *rest: 0, (1, 2, 3)) == ("a", "x1", "x2")
    assert argument_names(lambda *args: 0, (1, 2)) == ("x0", "x1")
    assert argument_names(jnp.exp, (1,)) == ("x",)


def test_the_global_flag_is_left_alone():
    trace(jnp.sin, (d.real("n"),), FREE)
    assert not jax.config.jax_enable_x64


# What can't be traced.


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


# Sizes.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batsh >= 2", r"'batsh >= 2' names the size 'batsh'.*did you mean \"batch\"\?"),
        ("batch", r"'batch' can't be read; n >= 2, n >= m or n == 2\*m expected"),
        ("batch = 2", r"'batch = 2' can't be read"),
        ("batch != 1", r"'batch != 1' can't be read"),
        ("batch >= two two", r"in 'batch >= two two': size 'two two' can't be read"),
        ("batch >= 2, batch <= 1", r"no sizes satisfy"),
        ("batch > m, m > batch", r"no sizes satisfy"),
        ("batch < 1", r"no sizes satisfy"),
        ("batch == 2, batch == 3", r"no sizes satisfy"),
    ],
)
def test_a_wrong_constraint_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        read_sizes(text, (d.real("batch m"),))


def test_equalities_become_assignments():
    domains = (d.real("n m"), d.real("k"))

    assert str(read_sizes("n == m", domains)) == "m = n"
    assert str(read_sizes("n == 4, m == n", domains)) == "m = 4, n = 4"
    assert str(read_sizes("2*n == k", domains)) == "k = 2*n"
    assert shapes(trace(lambda x, y: y, domains, read_sizes("k == n+m", domains)))[0] == ("n + m",)
    assert str(read_sizes("2*n == 3*m", domains)) == ""


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("n >= 2", {"n": 2}),
        ("n > 2, m >= n", {"n": 3, "m": 3}),
        ("2*n >= 5", {"n": 3}),
        ("2 <= n <= 5", {"n": 2}),
        ("n + m >= 9, n <= 4", {"n": 1, "m": 5}),
        ("n == 4", {"n": 4}),
        ("", {}),
    ],
)
def test_bounds_follow_from_the_constraints(text, bounds):
    assert size_bounds(text) == bounds


CONSTRAINTS = st.lists(
    st.builds("{}{}*{}{}{}".format, st.sampled_from(["", "m+"]), st.integers(1, 3),
              st.sampled_from("nm"), st.sampled_from([" >= ", " <= ", " > ", " < ", " == "]),
              st.sampled_from(["1", "2", "5", "n", "m", "n+1"])),
    min_size=1, max_size=3).map(", ".join)  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(CONSTRAINTS)
def test_no_size_that_satisfies_the_constraints_is_excluded(text):
    domains = (d.real("n m"),)
    allowed = [(n, m) for n, m in itertools.product(range(1, 8), repeat=2)
               if satisfied(text, {"n": n, "m": m})]  # fmt: skip
    if not allowed:
        return
    sizes = read_sizes(text, domains)
    bounds = size_bounds(text)
    covered = [sizes, *coincidences(domains, sizes, every=True)]
    for n, m in allowed:
        values = {"n": n, "m": m}
        assert all(values[name] >= low for name, low in bounds.items())
        # The most special of the assignments that hold at (n, m) says all that is special there.
        holds = [
            c
            for c in covered
            if all(int(d.substitute(c.of(x), values)) == values[x] for x in values)
        ]
        assert holds
        most = max(holds, key=lambda c: len(c.assignment))
        for x, y in itertools.permutations("nm"):
            assert (values[x] == 1) <= (most[x] == 1)
            assert (values[x] == values[y]) <= (most[x] == most[y])


def test_each_size_is_one_and_each_pair_equal():
    domains = (d.real("n m"), d.real("k"))

    assert [str(c) for c in coincidences(domains, FREE)] == [
        "n = 1", "m = 1", "m = n", "k = 1", "k = n", "k = m",
    ]  # fmt: skip


def test_coincidences_of_coincidences_are_all_partitions():
    def partitions(count):
        # Each size is 1 or in a block: the Bell number of count + 1, less the general case.
        return {1: 1, 2: 4, 3: 14}[count]

    for count in (1, 2, 3):
        found = coincidences((d.real(" ".join("nmk"[:count])),), FREE, every=True)
        assert len(found) == len(set(found)) == partitions(count)


def test_a_number_or_an_expression_of_the_domains_coincides_too():
    assert [str(c) for c in coincidences((d.real("n 3"),), FREE)] == ["n = 1", "n = 3"]
    assert "n = 2*m" in [str(c) for c in coincidences((d.real("n"), d.real("2*m")), FREE)]


@pytest.mark.parametrize(
    ("constraints", "left"),
    [
        ("n >= 2", ["m = 1", "m = n"]),
        ("n >= m+1", ["m = 1"]),
        ("n > m, m >= 2", []),
        ("n >= m", ["n = 1", "m = 1", "m = n"]),
        ("m == 2", ["n = 1", "n = 2"]),
    ],
)
def test_a_coincidence_that_a_constraint_excludes_is_left_out(constraints, left):
    domains = (d.real("n m"),)
    sizes = read_sizes(constraints, domains)

    found = [dict(c.assignment) for c in coincidences(domains, sizes)]
    new = [f"{k} = {v}" for f in found for k, v in f.items() if dict(sizes.assignment).get(k) != v]
    assert new == left


# The comparison.


@pytest.mark.parametrize("coincidence", [("n", "1"), ("m", "1"), ("m", "n")])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: jax.nn.softmax(x),
        lambda x: jnp.mean(x) + jnp.var(x),
        lambda x: jax.nn.relu(x).sum(0) / x.shape[0],
        lambda x: lax.scan(lambda c, row: (c + row, c), x.sum(0), x),
        lambda x: jnp.float64(x.shape[0] * x.shape[1]) * x,
    ],
)
def test_a_program_that_is_the_same_is_recognised(f, coincidence):
    assert compare(f, (d.real("n m"),), coincidence)


@pytest.mark.parametrize(
    ("f", "coincidence"),
    [
        (lambda x: x if x.shape[0] == 1 else 2.0 * x, ("n", "1")),
        (lambda x: x * (2.0 if x.shape[0] == 1 else 3.0), ("n", "1")),
        (lambda x: x / (x.shape[0] if x.shape[0] != 1 else 2), ("n", "1")),
        (lambda x: x.sum(0 if x.shape[0] == x.shape[1] else 1), ("m", "n")),
        (lambda x: jnp.sin(x) if x.shape[0] == x.shape[1] else jnp.cos(x), ("m", "n")),
        (lambda x: -x if x.shape[1] == x.shape[0] else (x, x), ("m", "n")),
        (lambda x: (x, -x) if x.shape[0] == 1 else [x, -x], ("n", "1")),
        (lambda x: (x, -x) if x.shape[0] == 1 else (-x, x), ("n", "1")),
        (lambda x: jax.jit(lambda y: y if y.shape[0] == 1 else y * y)(x), ("n", "1")),
        (lambda x: x + np.arange(3.0 if x.shape[0] == 1 else 4.0)[-1], ("n", "1")),
        (lambda x: x + (np.arange(2.0) if x.shape[0] == 1 else np.arange(2.0) + 1)[0], ("n", "1")),
        (lambda x: x.sum() * np.asarray([1.0, 2.0] if x.shape[0] == 1 else [1.0, 3.0]), ("n", "1")),
        (lambda x: lax.cumsum(x, reverse=x.shape[0] == 1), ("n", "1")),
        (lambda x: x * x if x.shape[0] == 1 else x * x.sum(), ("n", "1")),
        (lambda x: jnp.where(x > (0 if x.shape[0] == 1 else 1), x, 0.0), ("n", "1")),
        (lambda x: -0.0 * x if x.shape[0] == 1 else 0.0 * x, ("n", "1")),
        (lambda x: x.astype(jnp.float32) if x.shape[0] == 1 else x, ("n", "1")),
        (lambda x: Opaque("f" if x.shape[0] == 1 else "g")(x), ("n", "1")),
    ],
)
def test_a_program_that_is_another_is_never_taken_for_the_same(f, coincidence):
    domains = (d.real("n m"),)
    others = [c for c in (("n", "1"), ("m", "1"), ("m", "n")) if c != coincidence]

    assert not compare(f, domains, coincidence)
    assert all(compare(f, domains, other) for other in others)


def test_a_size_is_compared_after_it_is_replaced():
    def f(x, y):
        return x.sum() * (x.shape[0] if x.shape[0] != y.shape[0] else 2 * y.shape[0])

    assert not compare(f, (d.real("n"), d.real("m")), ("m", "n"))
    assert compare(f, (d.real("n"), d.real("m")), ("n", "1"))


def test_a_dim_that_is_no_polynomial_is_in_doubt():
    assert not compare(lambda x: x[:3], (d.real("n m"),), ("m", "1"))


def test_two_traces_of_one_program_are_the_same():
    again = [trace(affine, AFFINE, FREE) for _ in range(2)]

    assert same_program(*again, FREE)
    assert not same_program(again[0], trace(lambda x, params: x, AFFINE, FREE), FREE)


@pytest.mark.parametrize("number", [1, 4])
def test_the_general_program_at_a_number_computes_what_the_special_one_does(number, x64):
    def f(x):
        return jnp.var(x, axis=0) * x.shape[0]

    special = trace(f, (d.real("n m"),), FREE.assign("n", number).assign("m", 2))
    x = np.linspace(-1.0, 2.0, 2 * number).reshape(number, 2)

    (value,) = jax.core.eval_jaxpr(special.jaxpr.jaxpr, special.jaxpr.consts, x)
    assert np.allclose(value, ((x - x.mean(0)) ** 2).sum(0), atol=1e-12)
    assert math.prod(map(int, special.out_shapes[0])) == 2
