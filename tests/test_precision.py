"""Every matrix product of training has the precision and the dtypes that the network asks for."""

import dataclasses

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import losses, many, training
from purenet.batches import Data

NET = pn.mlp([3, 4, 4, 2], hidden="tanh", output="softmax")
LOSS = losses.cross_entropy
X, Y = np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3), np.array([0, 1, 1, 0, 1], np.int32)
BATCH = Data(jnp.asarray(X), jnp.asarray(Y), jnp.ones(5))
ROWS = jnp.array([[0, 1, 2], [3, 4, -1]], jnp.int32)
KEY = jax.random.key(0)


def gradient(net, argnums=0):
    return lambda params: pn.value_and_grad(net, LOSS, argnums)(params, X, Y)


def of_params_and_inputs(net):
    return gradient(net, (0, 1))


def inside_autodiff(net):
    total = jax.grad(lambda params, x: jnp.sum(pn.differentiable(net)(params, x)), (0, 1))
    return lambda params: total(params, BATCH.x)


def epoch_with(optimizer):
    def of(net):
        def one_epoch(params):
            state = training.init_state(params, optimizer)
            return training.epoch(net, LOSS, optimizer, state, BATCH, ROWS)

        return one_epoch

    return of


def of_a_sweep(net):
    def one_epoch(params):
        rates = (jnp.full(2, 0.1),)
        networks = many.begin(net, None, optax.sgd, jnp.stack([KEY, KEY]), rates, True)
        metric = pn.metrics.accuracy
        return many.train_epoch(net, LOSS, metric, optax.sgd, networks, rates, BATCH, ROWS, BATCH)

    return one_epoch


# The functions that train, and how many products each has: forward 3, weights 3, deltas 2. A jaxpr
# can have more, where a product has a form for each platform.
TRAINING = {
    "gradient": (gradient, 8),
    "gradient by the inputs": (of_params_and_inputs, 9),
    "differentiable": (inside_autodiff, 9),
    "epoch": (epoch_with(optax.adam(0.1)), 8),
    "sweep with validation": (of_a_sweep, 8 + 2 * 3),
}


def products(function, *arguments):
    """Return the equations of the matrix products, also those inside other equations."""

    def inside(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "dot_general":
                yield equation
            for inner in jax.extend.core.jaxprs_in_params(equation.params):
                yield from inside(inner)

    return list(inside(jax.make_jaxpr(function)(*arguments).jaxpr))


def params_of(net):
    return jax.eval_shape(net.init, KEY)


@pytest.mark.parametrize("name", TRAINING)
@pytest.mark.parametrize("precision", [None, "default", "high", "highest"])
def test_every_product_has_the_precision(name, precision):
    made, number = TRAINING[name]
    net = dataclasses.replace(NET, precision=precision)
    with jax.default_matmul_precision(None):
        found = [e.params["precision"] for e in products(made(net), params_of(net))]
    level = None if precision is None else (jax.lax.Precision(precision),) * 2
    assert len(found) >= number
    assert set(found) == {level}


@pytest.mark.parametrize("name", TRAINING)
def test_every_product_of_bfloat16_factors_has_float32_sums(name):
    made, number = TRAINING[name]
    net = dataclasses.replace(NET, compute_dtype=jnp.dtype(jnp.bfloat16))
    found = products(made(net), params_of(net))
    assert len(found) >= number
    assert {v.aval.dtype for e in found for v in e.invars} == {jnp.dtype(jnp.bfloat16)}
    assert {e.outvars[0].aval.dtype for e in found} == {jnp.dtype(jnp.float32)}


def test_a_line_search_has_the_precision_too():
    net = dataclasses.replace(NET, precision="high")
    found = products(epoch_with(optax.lbfgs())(net), params_of(net))
    # Not the inner products of vectors, which are the optimizer's own.
    found = [e for e in found if all(v.aval.ndim == 2 for v in e.invars)]
    assert len(found) > 8
    assert {e.params["precision"] for e in found} == {(jax.lax.Precision.HIGH,) * 2}


def test_weights_of_float32_keep_updates_that_bfloat16_would_lose():
    net = dataclasses.replace(NET, compute_dtype=jnp.dtype(jnp.bfloat16))
    params = jax.tree.map(jnp.ones_like, NET.init(KEY))
    tiny = optax.scale(-1e-3)  # one unit in the last place of bfloat16 at 1 is 8e-3
    update = jax.jit(training.update, static_argnums=(0, 1, 2))
    moved = update(net, LOSS, tiny, training.init_state(params, tiny), BATCH)[0].params
    assert {leaf.dtype for leaf in jax.tree.leaves(moved)} == {jnp.dtype(jnp.float32)}
    by = np.abs(np.asarray(moved[-1].bias) - 1)
    assert ((by > 0) & (by < 2e-3)).all()


# --- TF32 ----------------------------------------------------------------------------------------


def program(function, net, platform):
    """Return the lines of the lowered program that are products: no such device is needed."""
    traced = jax.jit(function).trace(params_of(net))
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    return [line for line in text.splitlines() if "stablehlo.dot_general" in line]


@pytest.mark.parametrize("name", TRAINING)
def test_tf32_is_the_algorithm_of_every_product_on_cuda(name):
    made, number = TRAINING[name]
    net = dataclasses.replace(NET, precision="tf32")
    found = program(made(net), net, "cuda")
    assert len(found) == number
    assert all("lhs_precision_type = tf32, rhs_precision_type = tf32" in line for line in found)


@pytest.mark.parametrize("platform", ["cpu", "tpu"])
def test_elsewhere_tf32_is_high(platform):
    net = dataclasses.replace(NET, precision="tf32")
    found = program(gradient(net), net, platform)
    assert len(found) == 8
    assert all("precision = [HIGH, HIGH]" in line and "tf32" not in line for line in found)


def test_tf32_leaves_no_branch_in_the_compiled_program_of_a_cpu():
    net = dataclasses.replace(NET, precision="tf32")
    compiled = jax.jit(gradient(net)).lower(params_of(net)).compile().as_text()
    assert "conditional" not in compiled


def test_factors_that_are_not_float32_have_no_tf32():
    net = dataclasses.replace(NET, precision="tf32", compute_dtype=jnp.dtype(jnp.bfloat16))
    assert not any("tf32" in line for line in program(gradient(net), net, "cuda"))


def test_tf32_is_a_precision_by_name():
    assert pn.mlp([2, 1], precision="TF32") == pn.mlp([2, 1], precision="tf32")
