"""Initialisation: the variance of each method, which one fits, and keys that stay."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import purenet as pn
from purenet import activations, initializers

FAN_IN, FAN_OUT = 400, 250
DRAWS = FAN_IN * FAN_OUT

# method: its variance, its kurtosis E[w⁴] / E[w²]², the largest |w| in standard deviations
TRUNCATED = 2 / 0.87962566103423978  # two deviations before the variance is set right
METHODS = {
    "he_normal": (2 / FAN_IN, 2.37, TRUNCATED),
    "he_uniform": (2 / FAN_IN, 1.8, np.sqrt(3)),
    "glorot_normal": (2 / (FAN_IN + FAN_OUT), 2.37, TRUNCATED),
    "glorot_uniform": (2 / (FAN_IN + FAN_OUT), 1.8, np.sqrt(3)),
    "normal": (1.0, 3.0, np.inf),
}


@pytest.mark.parametrize("method", METHODS)
def test_weights_have_the_mean_variance_and_range_of_the_method(method):
    variance, kurtosis, widest = METHODS[method]
    init = initializers.from_name(method)
    weight = np.asarray(init(jax.random.key(1), (FAN_IN, FAN_OUT), jnp.float32), np.float64)
    # The mean of n draws has deviation √(v/n), their mean square v √((κ − 1)/n); five deviations
    # are exceeded once in two million.
    assert abs(weight.mean()) < 5 * np.sqrt(variance / DRAWS)
    assert abs((weight**2).mean() / variance - 1) < 5 * np.sqrt((kurtosis - 1) / DRAWS)
    assert np.abs(weight).max() <= widest * np.sqrt(variance) * (1 + 1e-6)


def test_the_methods_are_these():
    assert set(initializers.INITIALIZERS) == set(METHODS)


@pytest.mark.parametrize("activation", activations.ACTIVATIONS.values(), ids=lambda a: a.name)
def test_rectifiers_get_he_and_the_others_glorot(activation):
    rectifier = activation.name in {"relu", "leaky_relu", "elu", "silu", "gelu", "softplus"}
    method = "he_normal" if rectifier else "glorot_uniform"
    assert initializers.fitting(activation) is initializers.INITIALIZERS[method]


def test_each_layer_gets_what_fits_its_own_activation():
    net, key = pn.mlp([400, 250, 250], "relu"), jax.random.key(0)
    params = net.init(key)
    keys = initializers.keys(key, 2)
    he, glorot = initializers.from_name("he_normal"), initializers.from_name("glorot_uniform")
    np.testing.assert_array_equal(params[0].weight, he(keys[0], (400, 250), jnp.float32))
    np.testing.assert_array_equal(params[1].weight, glorot(keys[1], (250, 250), jnp.float32))


def test_a_layer_keeps_its_key_whatever_stands_above_it():
    key = jax.random.key(7)
    shallow, deep = pn.mlp([3, 4, 5]).init(key), pn.mlp([3, 4, 5, 6]).init(key)
    np.testing.assert_array_equal(shallow[0].weight, deep[0].weight)
    data = np.asarray(jax.random.key_data(initializers.keys(key, 20)))
    assert len({tuple(row) for row in data.tolist()}) == 20


def test_the_same_key_gives_the_same_weights_and_another_key_others():
    net = pn.mlp([3, 4])
    first, again, other = (net.init(jax.random.key(k))[0].weight for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.any(np.asarray(first) == np.asarray(other))


def test_an_own_initializer_is_called_with_key_shape_and_dtype():
    def constant(key, shape, dtype):
        return jnp.full(shape, shape[0], dtype)

    params = pn.mlp([3, 4, 2]).init(jax.random.key(0), weights=constant, dtype=jnp.bfloat16)
    assert [layer.weight.dtype for layer in params] == [jnp.bfloat16] * 2
    assert [float(layer.weight[0, 0]) for layer in params] == [3, 4]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"weights: unknown .*'he_norml'.* mean 'he_normal'"):
        pn.mlp([3, 2]).init(jax.random.key(0), weights="he_norml")


@pytest.mark.parametrize("weights", ["he_normal", "he_uniform"])
def test_weights_are_the_same_bits_alone_inside_a_program_and_mapped(weights):
    net, key = pn.mlp([40, 30, 10]), jax.random.key(3)
    draw = functools.partial(net.init, weights=weights)
    alone, inside = draw(key), jax.jit(draw)(key)
    mapped = jax.tree.map(lambda v: v[0], jax.vmap(draw)(key[None]))
    for one, *others in zip(*map(jax.tree.leaves, (alone, inside, mapped)), strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)
