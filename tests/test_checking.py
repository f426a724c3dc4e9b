"""The gradient check: it passes what is right, and it must not pass what is wrong."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import purenet as pn

# The check allows for rounding, many times over.
pytestmark = pytest.mark.usefixtures("quick_compiling")


def setting(hidden="tanh", output="softmax", sizes=(3, 4, 2), **options):
    net = pn.mlp(list(sizes), hidden, output, **options)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, sizes[0])).astype(np.float32)
    return net, net.init(jax.random.key(1)), x, np.array([0, 1, 1, 0, 1])


def test_right_gradients_are_equal_line_by_line():
    net, params, x, y = setting()
    report = pn.check_gradients(net, "cross_entropy", params, x, y)
    assert report.ok
    names = [line.name for line in report.lines]
    assert names == ["layer 1 weight", "layer 1 bias", "layer 2 weight", "layer 2 bias", "x"]
    assert str(report).count("equal") == 5


def test_example_weights_and_uint8_inputs_are_checked_too():
    net, params, _, y = setting(input_scaling=pn.InputScaling(0.0, 255.0))
    x = np.arange(15, dtype=np.uint8).reshape(5, 3)
    report = pn.check_gradients(net, "cross_entropy", params, x, y, np.array([1.0, 2, 0, 1, 3]))
    assert report.ok
    assert [line.name for line in report.lines][-1] == "layer 2 bias"


WRONG_DERIVATIVES = {
    "sign": lambda z: -2 * z,
    "factor": lambda z: z,
    "forgotten": lambda z: jnp.ones_like(z),
}


@pytest.mark.parametrize("wrong", WRONG_DERIVATIVES)
def test_a_wrong_activation_is_found_where_it_acts_and_below(wrong):
    square = pn.Activation("square", lambda z: z * z, WRONG_DERIVATIVES[wrong])
    net, params, x, y = setting(hidden=["tanh", square], sizes=(3, 4, 4, 2))
    report = pn.check_gradients(net, "cross_entropy", params, x, y)
    verdicts = {line.name: line.equal for line in report.lines}
    assert not report.ok
    assert verdicts["layer 3 weight"]
    assert verdicts["layer 3 bias"]
    assert not any(verdicts[n] for n in ("layer 1 weight", "layer 2 weight", "layer 2 bias", "x"))
    assert "DIFFERS" in str(report)


def test_a_wrong_loss_gradient_is_found_everywhere():
    wrong = dataclasses.replace(pn.losses.mean_squared_error, derivative=lambda a, y: a - y)
    net, params, x, _ = setting(output="identity")
    report = pn.check_gradients(net, wrong, params, x, np.ones((5, 2)))
    assert not any(line.equal for line in report.lines)


def test_central_differences_find_what_autodiff_is_told_wrongly():
    @jax.custom_jvp
    def cube(z):
        return z**3

    cube.defjvp(lambda primals, tangents: (cube(*primals), 2 * primals[0] ** 2 * tangents[0]))
    both_wrong = pn.Activation("cube", cube, lambda z: 2 * z**2)
    net, params, x, y = setting(hidden=both_wrong)
    [first, *_] = pn.check_gradients(net, "cross_entropy", params, x, y).lines
    assert first.relative < 1e-10
    assert first.central > 1e-3
    assert not first.equal


def test_the_check_leaves_the_dtype_of_everything_else_alone():
    net, params, x, y = setting()
    pn.check_gradients(net, "cross_entropy", params, x, y)
    assert jnp.asarray(1.0).dtype == jnp.float32
    assert params[0].weight.dtype == jnp.float32


def test_values_that_cannot_be_used_are_refused():
    net, params, x, y = setting()
    with pytest.raises(ValueError, match="label 7 at index 0"):
        pn.check_gradients(net, "cross_entropy", params, x, np.array([7, 0, 0, 1, 1]))
    with pytest.raises(ValueError, match=r"nan at index \(0, 0\)"):
        pn.check_gradients(net, "cross_entropy", params, x * np.nan, y)
    with pytest.raises(ValueError, match="goes with output='sigmoid'"):
        pn.check_gradients(net, "binary_cross_entropy", params, x, y)


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_data_of_any_size_is_no_reason_to_differ(size):
    rng = np.random.default_rng(0)
    x = 1.7e9 + 1e6 * rng.normal(size=(20, 3))
    net = pn.mlp([3, 4, 1], "tanh", input_scaling=pn.InputScaling(1.7e9, 1e6))
    params = net.init(jax.random.key(0))
    y = size * (10 + rng.normal(size=20))
    report = pn.check_gradients(net, "mean_squared_error", params, x, y)
    assert report.ok, report
