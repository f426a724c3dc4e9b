"""Tracing at named sizes: the program, what its arrays are called, and their shapes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from purenet.prove import domains as d
from purenet.prove.opaque import Opaque
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import argument_names, trace

FREE = Sizes()


class Layer(NamedTuple):
    weight: object
    bias: object


def affine(x, params):
    return x @ params[0].weight + params[0].bias[None, :]


AFFINE = (d.real("batch i"), [Layer(d.real("i o"), d.real("o"))])


def shapes(traced):
    return [tuple(map(str, shape)) for shape in traced.out_shapes]


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
