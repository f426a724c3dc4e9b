"""Many networks are one program, whose work is that of the networks and no more."""

import functools

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import evaluation, losses, many, metrics
from purenet.batches import Data

# Bounds are far from rounding; programs are counted, and read as they are before compiling.
pytestmark = pytest.mark.usefixtures("quick_compiling")

N, BATCH = 20, 8
NET = pn.mlp([3, 4, 2], hidden="tanh", output="softmax")
LOSS, METRIC = losses.cross_entropy, metrics.accuracy
KEY = jax.random.key(7)
ROWS = jnp.zeros((3, BATCH), jnp.int32)


def examples(n):
    x = np.linspace(-1, 1, 3 * n, dtype=np.float32).reshape(n, 3)
    return Data(jnp.asarray(x), jnp.arange(n) % 2, jnp.ones(n))


def beginning(networks):
    """Return so many networks and their learning rates."""
    rates = (jnp.full(networks, 0.1),)
    return many.begin(NET, None, optax.sgd, jax.random.split(KEY, networks), rates, True), rates


def test_a_network_that_has_diverged_has_no_better_epoch_later():
    data, (networks, rates) = examples(N), beginning(3)
    networks = networks._replace(alive=jnp.array([True, False, True]))
    after, _ = many.train_epoch(NET, LOSS, METRIC, optax.sgd, networks, rates, data, ROWS, data)
    assert after.alive.tolist() == [True, False, True]
    assert after.top.epoch.tolist() == [0, -1, 0]


def test_the_merit_is_higher_for_the_better_value():
    for metric, better, worse in [(metrics.accuracy, 0.9, 0.1), (metrics.rmse, 0.1, 0.9)]:
        assert many.merit(metric, better) > many.merit(metric, worse)


def test_groups_are_joined_without_what_filled_the_last():
    groups = [
        many.Trained((), (), jnp.array(epochs), jnp.zeros((2, 1, 3))) for epochs in ([4, 7], [5, 5])
    ]
    assert many.joined(groups, 3).best_epochs.tolist() == [4, 7, 5]


def test_in_turn_and_side_by_side_train_the_same():
    data, found = examples(N), []
    for turns in (False, True):
        networks, rates = beginning(3)
        found.append(
            many.train_epoch(NET, LOSS, METRIC, optax.sgd, networks, rates, data, ROWS, data, turns)
        )
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), *found)


# --- One program ---------------------------------------------------------------------------------


def programs():
    compiled = many.begin, many.train_epoch, many.joined, many.one_network
    return [function._cache_size() for function in compiled]


def test_other_numbers_of_the_same_shape_compile_nothing():
    traced = []

    def optimizer(learning_rate, weight_decay):
        traced.append(learning_rate)
        return optax.adamw(learning_rate, weight_decay=weight_decay)

    def sweep(**numbers):
        data = examples(N)[:2]
        pn.sweep(NET, LOSS, data, optimizer, epochs=3, batch_size=BATCH, validation=data, **numbers)

    before = programs()
    sweep(learning_rates=[0.1, 0.2], weight_decays=[0.1])
    once = programs()
    assert [now - then for now, then in zip(once[:2], before[:2], strict=True)] == [1, 1]
    sweep(seeds=[3, 4], learning_rates=[0.4], weight_decays=[0.01])
    assert programs() == once
    # Twice by the check on the host, of which each sweep has one; else while tracing.
    assert [isinstance(rate, float) for rate in traced].count(True) == 2


def traced(networks, turns=False):
    """Return the program of an epoch of so many networks, traced."""
    data, (start, rates) = examples(N), beginning(networks)
    arguments = NET, LOSS, METRIC, optax.sgd, start, rates, data, ROWS, data, turns
    return many.train_epoch.trace(*arguments)


def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.extend.core.jaxprs_in_params(equation.params):
            yield from equations(inner)


def test_a_batch_is_gathered_once_and_multiplied_once_for_all_networks():
    found = list(equations(traced(5).jaxpr.jaxpr))
    gathered = [e.outvars[0].aval.shape for e in found if e.primitive.name == "gather"]
    assert (BATCH, 3) in gathered
    assert (5, BATCH, 3) not in gathered
    # The first layer: one batch (8, 3) with the weights (5, 3, 4) of all networks.
    products = [
        [v.aval.shape for v in e.invars] for e in found if e.primitive.name == "dot_general"
    ]
    assert [(BATCH, 3), (5, 3, 4)] in [sorted(shapes, key=len) for shapes in products]


def test_products_in_turn_have_no_axis_for_the_networks():
    found = equations(traced(5, turns=True).jaxpr.jaxpr)
    products = [e for e in found if e.primitive.name == "dot_general"]
    assert products
    assert all(v.aval.ndim == 2 for e in products for v in e.invars)


def test_wide_networks_train_in_turn_on_a_cpu(monkeypatch):
    seen, train_epoch = [], many.train_epoch

    def watched(*arguments):
        seen.append(arguments[-1])
        return train_epoch(*arguments)

    monkeypatch.setattr(many, "train_epoch", watched)
    for units in (128, 129):
        net, data = pn.mlp([3, units, 2], output="softmax"), examples(N)[:2]
        pn.sweep(net, LOSS, data, optax.sgd, learning_rates=[0.1], epochs=1)
    assert seen == [False, True]


def test_the_operations_are_those_of_the_networks():
    one, five = (traced(n).lower().cost_analysis()["flops"] for n in (1, 5))
    assert five <= 5 * one


# --- Validation data -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows", [4, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (1, 9))]
)
def test_validation_in_pieces_of_networks_is_that_of_each(rows, monkeypatch):
    monkeypatch.setattr(many, "ROWS_AT_ONCE", rows)  # 8 times as many rows fit
    params = jax.vmap(NET.init)(jax.random.split(KEY, 6))
    data = examples(9)
    got = jax.jit(functools.partial(many.measure, NET, LOSS, METRIC))(params, data)
    for index in range(6):
        one = many.one_network(params, index)
        expected = evaluation.scores(NET, LOSS, METRIC, one, Data(*map(np.asarray, data)))
        np.testing.assert_allclose([of_all[index] for of_all in got], expected, 1e-5)
