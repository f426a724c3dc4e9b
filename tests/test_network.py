"""The description of a network, its scaling, its forward pass, and what it refuses."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import witness
from hypothesis import given, settings
from hypothesis import strategies as st
from witness import relative_difference

import purenet as pn
from purenet import activations
from purenet.network import accumulation_dtype

widths = st.lists(st.integers(1, 2000), min_size=2, max_size=6)


def draw_params(net, seed=0):
    rng = np.random.default_rng(seed)
    shapes = itertools.pairwise(net.sizes)
    return tuple(
        pn.Dense(jnp.asarray(rng.normal(size=s)), jnp.asarray(rng.normal(size=s[1])))
        for s in shapes
    )


@given(sizes=widths)
@settings(max_examples=50, deadline=None)
def test_a_description_is_a_value(sizes):
    net, same = pn.mlp(sizes), pn.mlp(tuple(np.array(sizes)), "relu", "identity")
    assert net == same
    assert hash(net) == hash(same)
    assert net.depth == len(net.hidden) + 1 == len(sizes) - 1
    assert {net: 1}[same] == 1
    assert net != pn.mlp([*sizes, 1])
    assert net != pn.mlp(sizes, output="tanh")


def test_a_description_is_hashable_with_everything_in_it():
    def made():
        scaling = pn.InputScaling(np.zeros(3), jnp.full(3, 2.0))
        return pn.mlp([3, 4, 2], ["tanh"], "softmax", input_scaling=scaling,
                      compute_dtype=jnp.bfloat16, precision="highest")  # fmt: skip

    assert made() == made()
    assert hash(made()) == hash(made())
    assert made() != pn.mlp([3, 4, 2], ["tanh"], "softmax")


def test_one_compilation_serves_equal_descriptions():
    traced = []

    def apply(net, params, x):
        traced.append(net)
        return net.apply(params, x)

    compiled = jax.jit(apply, static_argnums=0)
    params = pn.mlp([3, 2]).init(jax.random.key(0))
    for _ in range(2):
        compiled(pn.mlp([3, 2]), params, jnp.ones((4, 3)))
    assert len(traced) == 1


@given(sizes=widths)
@settings(max_examples=20, deadline=None)
def test_parameters_have_the_shapes_of_the_sizes_and_zero_biases(sizes):
    net = pn.mlp(sizes)
    params = jax.eval_shape(net.init, jax.random.key(0))
    assert [layer.weight.shape for layer in params] == list(itertools.pairwise(sizes))
    assert [layer.bias.shape for layer in params] == [(n,) for n in sizes[1:]]
    assert not any(layer.bias.any() for layer in pn.mlp([3, 4, 2]).init(jax.random.key(0)))


def test_the_output_is_that_of_the_second_forward_pass(x64):
    net = pn.mlp([3, 4, 5, 2], ["tanh", "gelu"], "softmax")
    params, x = draw_params(net), np.random.default_rng(1).normal(size=(6, 3))
    arrays = [(np.asarray(w), np.asarray(b)) for w, b in params]
    expected = witness.output(["tanh", "gelu", "softmax"], arrays, x)
    from_logits = jax.jit(lambda params, x: activations.softmax(net.logits(params, x)))
    assert relative_difference(net.apply(params, x), expected) < 1e-13
    assert relative_difference(from_logits(params, x), expected) < 1e-13


def test_leading_axes_and_single_examples_are_rows_too(x64):
    net = pn.mlp([3, 4, 2], output="softmax", input_scaling=pn.InputScaling((1, 2, 3), 4))
    params, x = draw_params(net), np.random.default_rng(2).normal(size=(2, 5, 3))
    apply = jax.jit(net.apply)
    rows = np.asarray(apply(params, x.reshape(10, 3)))
    assert relative_difference(apply(params, x), rows.reshape(2, 5, 2)) < 1e-14
    assert relative_difference(apply(params, x[1, 2]), rows[7]) < 1e-14
    assert apply(params, np.zeros((0, 3))).shape == (0, 2)


def test_the_scaling_is_applied_once_and_to_raw_bytes():
    scaling = pn.InputScaling(offset=10, scale=(2, 5, 10))
    net, plain = pn.mlp([3, 2], input_scaling=scaling), pn.mlp([3, 2])
    params = net.init(jax.random.key(0))
    raw = np.array([[0, 10, 255], [12, 15, 20]], np.uint8)
    scaled = np.array([[-5, 0, 24.5], [1, 1, 1]], np.float32)
    np.testing.assert_allclose(net.apply(params, raw), plain.apply(params, scaled), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("compute", [None, "bfloat16", jnp.float32])
def test_outputs_are_float32_whatever_the_factors_are(dtype, compute):
    net = pn.mlp([3, 4, 2], compute_dtype=compute)
    params = jax.eval_shape(lambda: net.init(jax.random.key(0), dtype=dtype))
    x = jax.ShapeDtypeStruct((5, 3), jnp.float32)
    assert jax.eval_shape(net.apply, params, x).dtype == jnp.float32
    factors = {
        v.aval.dtype.name
        for e in jax.make_jaxpr(net.apply)(params, x).eqns
        if e.primitive.name == "dot_general"
        for v in e.invars
    }
    assert factors == {dtype if compute is None else np.dtype(compute).name}


def test_float64_parameters_give_float64(x64):
    net = pn.mlp([3, 2])
    params = net.init(jax.random.key(0), dtype=jnp.float64)
    assert accumulation_dtype(params) == np.float64
    assert net.apply(params, np.ones((1, 3), np.float32)).dtype == jnp.float64
    single = net.init(jax.random.key(0), dtype=jnp.float32)
    assert net.apply(single, np.ones((1, 3))).dtype == jnp.float32


@pytest.mark.parametrize("precision", ["high", "highest", jax.lax.Precision.HIGH])
def test_every_product_of_the_forward_pass_has_the_precision(precision):
    net = pn.mlp([3, 4, 2], precision=precision)
    params = jax.eval_shape(net.init, jax.random.key(0))
    program = jax.make_jaxpr(net.apply)(params, jnp.ones((5, 3)))
    found = [e.params["precision"] for e in program.eqns if e.primitive.name == "dot_general"]
    expected = jax.lax.Precision(precision)
    assert found == [(expected, expected)] * 2


def test_one_hidden_activation_is_for_all_and_a_sequence_one_for_each():
    assert [a.name for a in pn.mlp([1, 2, 3, 4], "tanh").hidden] == ["tanh", "tanh"]
    assert [a.name for a in pn.mlp([1, 2, 3, 4], ["tanh", "elu"]).hidden] == ["tanh", "elu"]
    own = activations.Activation("own", jnp.sin, jnp.cos)
    assert pn.mlp([1, 2, 3, 4], ("relu", own), own).hidden[1] is own
    assert pn.mlp([1, 2]).hidden == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3],), r"sizes: expected at least two positive integers, .*got \[3\]"),
        (([],), r"sizes: .*got \[\]"),
        (([3, 0, 2],), r"sizes: .*got \[3, 0, 2\]"),
        (([3, -1],), r"sizes: .*got \[3, -1\]"),
        (([3, 2.0],), r"sizes: .*got \[3, 2.0\]"),
        (([3, True],), r"sizes: .*got \[3, True\]"),
        (("32",), r"sizes: .*got \['3', '2'\]"),
        (([3, 4, 2], ["relu", "relu"]), r"hidden: 1 hidden layers need 1 activations .*got 2"),
        (([3, 4, 2], []), r"hidden: 1 hidden layers need 1 activations .*got 0"),
        (([3, 4, 2], "rleu"), r"hidden: unknown activation 'rleu'.* mean 'relu'"),
        (([3, 4, 2], ["rleu"]), r"hidden: unknown activation 'rleu'.* mean 'relu'"),
        (([3, 4, 2], "relu", "sofmax"), r"output: unknown activation 'sofmax'.* mean 'softmax'"),
        (
            ([3, 4, 1], "relu", "softmax"),
            r"output: softmax over one unit is always 1; use .*sigmoid",
        ),
    ],
)
def test_what_describes_no_network_is_refused(arguments, message, unchecked):
    with pytest.raises(ValueError, match=message):
        pn.mlp(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"compute_dtype": "int8"}, "compute_dtype: a floating dtype is expected, got 'int8'"),
        (
            {"input_scaling": pn.InputScaling((0, 1))},
            r"input_scaling.offset: 2 numbers .* 3 inputs",
        ),
        ({"input_scaling": pn.InputScaling(0, (1, 1, 1, 1))}, r"input_scaling.scale: 4 numbers"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pn.mlp([3, 2], **arguments)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 783), r"x: expected shape \(batch, 784\), got \(5, 783\)(?!;)"),
        ((5, 28, 28), r"got \(5, 28, 28\); reshape it to \(5, 784\)"),
        ((5, 28, 28, 1), r"got \(5, 28, 28, 1\); reshape it to \(5, 784\)"),
        ((28, 28), r"x: expected shape \(batch, 784\), got \(28, 28\)(?!;)"),
        ((784, 5), r"got \(784, 5\)(?!;)"),
    ],
)
def test_inputs_of_another_shape_are_refused_with_a_hint(shape, message):
    net = pn.mlp([784, 10])
    params = jax.eval_shape(net.init, jax.random.key(0))
    for function in (net.apply, net.logits):
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(function, params, jnp.zeros(shape))


def test_a_number_is_no_input(unchecked):
    net = pn.mlp([1, 1])
    with pytest.raises(ValueError, match=r"x: expected shape \(batch, 1\), got \(\)"):
        net.apply(net.init(jax.random.key(0)), 1.0)


def test_parameters_of_another_description_are_refused():
    net, key = pn.mlp([3, 4, 2]), jax.random.key(0)
    message = (
        r"params: the network of sizes \[3, 4, 2\] has weights of shapes \[\(3, 4\), \(4, 2\)\]"
    )
    good = net.init(key)
    transposed = tuple(pn.Dense(layer.weight.T, layer.bias) for layer in good)
    column_bias = tuple(pn.Dense(layer.weight, layer.bias[:, None]) for layer in good)
    for params in (
        good[:1],
        (*good, good[1]),
        pn.mlp([3, 5, 2]).init(key),
        transposed,
        column_bias,
    ):
        with pytest.raises(ValueError, match=message):
            net.apply(params, jnp.ones((5, 3)))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compute_dtype": "blfoat16"}, "unknown dtype 'blfoat16'; did you mean 'bfloat16'"),
        ({"compute_dtype": "int32"}, "a floating dtype is expected"),
        ({"precision": "hihgest"}, "unknown precision 'hihgest'; did you mean 'highest'"),
    ],
)
def test_unknown_dtypes_and_precisions_are_answered_with_the_nearest(options, message):
    with pytest.raises(ValueError, match=message):
        pn.mlp([2, 1], **options)


def test_wide_integers_keep_their_value():
    net = pn.mlp([1, 1], input_scaling=pn.InputScaling(2.0**40, 2.0**40))
    params = net.init(jax.random.key(0))
    wide = np.array([[2**40 + 2**39]])
    np.testing.assert_array_equal(net.apply(params, wide), net.apply(params, wide.astype(float)))
    np.testing.assert_array_equal(pn.predict(net, params, wide), net.apply(params, wide))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("params", [None, [], "list"])
def test_parameters_of_another_kind_are_named(params):
    net = pn.mlp([2, 1])
    given = list(net.init(jax.random.key(0))) if params == "list" else params
    with pytest.raises(ValueError, match=r"params: a tuple of Dense.* is expected, got"):
        net.apply(given, np.ones((1, 2)))
