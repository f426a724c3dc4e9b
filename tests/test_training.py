"""One update and one epoch, against updates written out with `jax.grad(objective)`."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import purenet as pn
from purenet import losses, training
from purenet.batches import Data

RNG = np.random.default_rng(0)
NET = pn.mlp([3, 4, 2], hidden="tanh", output="softmax")
X = RNG.normal(size=(7, 3))
LABELS = RNG.integers(2, size=7).astype(np.int32)
WEIGHTS = RNG.random(7)
ROWS = np.array([[6, 0, 3], [1, 4, 2], [5, -1, -1]], np.int32)
LOSS = losses.cross_entropy

LINE = pn.mlp([3, 1])
Y = RNG.normal(size=(7, 1))

# In float64 the bounds are far from rounding; programs are read as they are before compiling.
pytestmark = pytest.mark.usefixtures("x64", "quick_compiling")


def initial(net=NET, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(
        pn.Dense(jnp.asarray(rng.normal(size=s)), jnp.asarray(rng.normal(size=s[1])))
        for s in pairwise(net.sizes)
    )


def all_data(x=X, y=LABELS, weights=WEIGHTS):
    return Data(jnp.asarray(x), jnp.asarray(y), jnp.asarray(weights))


update = jax.jit(training.update, static_argnums=(0, 1, 2))
epoch = jax.jit(training.epoch, static_argnums=(0, 1, 2))


cost = jax.jit(jax.value_and_grad(pn.objective(NET, LOSS)))


def by_hand(optimizer, params, batches):
    """Train on a list of batches with autodiff, one after the other, in plain Python."""
    step, opt_state = jax.jit(optimizer.update), optimizer.init(params)
    total, mass = 0.0, 0.0
    for x, y, w in batches:
        value, grads = cost(params, x, y, w)
        with jax.numpy_dtype_promotion("standard"):  # Adam of optax mixes dtypes
            updates, opt_state = step(grads, opt_state, params)
        params = jax.tree.map(lambda p, u: np.asarray(p) + np.asarray(u), params, updates)
        total, mass = total + float(value) * w.sum(), mass + w.sum()
    return params, total / mass


def pieces(rows, x=X, y=LABELS, weights=WEIGHTS):
    return [tuple(v[row[row >= 0]] for v in (x, y, weights)) for row in rows]


def moved(params, grads, rate):
    return jax.tree.map(lambda p, g: np.asarray(p) - rate * np.asarray(g), params, grads)


def assert_same(got, expected, rtol=1e-12):
    jax.tree.map(lambda g, e: np.testing.assert_allclose(g, e, rtol, 1e-14), got, expected)


def assert_equal(got, expected):
    jax.tree.map(np.testing.assert_array_equal, got, expected)


# --- One update ----------------------------------------------------------------------------------


def test_an_update_of_sgd_is_the_parameters_minus_the_rate_times_the_gradient():
    sgd, params = optax.sgd(0.3), initial()
    state = training.init_state(params, sgd)
    after, totals = update(NET, LOSS, sgd, state, all_data())
    value, grads = cost(params, *all_data())
    assert_same(after.params, moved(params, grads, 0.3))
    assert_same(totals, np.array([value * WEIGHTS.sum(), WEIGHTS.sum()]))
    assert after.epoch == 0
    assert_equal(state.params, initial())


@pytest.mark.parametrize("optimizer", [optax.sgd(0.5, momentum=0.9), optax.adam(0.1)])
def test_a_batch_without_any_weight_makes_no_nan(optimizer):
    none = all_data(weights=np.zeros(7))
    state = training.init_state(initial(), optimizer)
    after, totals = update(NET, LOSS, optimizer, state, none)
    assert_equal(after.params, state.params)
    assert totals.tolist() == [0, 0]


# --- One epoch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimizer",
    [optax.sgd(0.5, momentum=0.9), optax.adam(0.05), optax.adamw(0.05, weight_decay=0.1),
     optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(optax.linear_schedule(1.0, 0.0, 3)))],
    ids=["momentum", "adam", "adamw", "clip and schedule"],
)  # fmt: skip
def test_an_epoch_is_its_batches_one_after_the_other(optimizer):
    state = training.init_state(initial(), optimizer)
    after, loss = epoch(NET, LOSS, optimizer, state, all_data(), ROWS)
    params, mean = by_hand(optimizer, initial(), pieces(ROWS))
    assert_same(after.params, params)
    assert loss == pytest.approx(mean, rel=1e-12)
    assert after.epoch == 1


def test_the_gradient_of_a_short_batch_is_the_mean_over_the_examples_in_it():
    sgd, ones = optax.sgd(1.0), np.ones(7)
    state = training.init_state(initial(), sgd)
    rows = np.array([[5, 2, -1, -1, -1]], np.int32)
    after, _ = epoch(NET, LOSS, sgd, state, all_data(weights=ones), rows)
    (_, one), (_, other) = (cost(initial(), X[[i]], LABELS[[i]], np.ones(1)) for i in (5, 2))
    mean = jax.tree.map(lambda a, b: (np.asarray(a) + np.asarray(b)) / 2, one, other)
    assert_same(after.params, moved(initial(), mean, 1.0))


def test_what_stands_at_the_place_of_no_example_does_not_matter():
    sgd = optax.sgd(0.5)
    state = training.init_state(initial(), sgd)
    rows = np.array([[1, 2, -1]], np.int32)  # −1 reads example 0
    other = X.copy()
    other[0] = 1e3
    results = [epoch(NET, LOSS, sgd, state, all_data(x), rows)[0] for x in (X, other)]
    assert_equal(*results)


def test_example_weights_are_repetitions():
    counts = np.array([1, 3, 0, 2, 1, 1, 2])
    sgd = optax.sgd(0.5)
    state = training.init_state(initial(), sgd)
    weighted, loss = epoch(NET, LOSS, sgd, state, all_data(weights=counts * 1.0), None)
    again = np.repeat(np.arange(7), counts)
    repeated, mean = by_hand(sgd, initial(), [(X[again], LABELS[again], np.ones(len(again)))])
    assert_same(weighted.params, repeated)
    assert loss == pytest.approx(mean, rel=1e-12)


def test_no_order_is_one_update_with_all_examples():
    adam = optax.adam(0.05)
    state = training.init_state(initial(), adam)
    whole, loss = epoch(NET, LOSS, adam, state, all_data(), None)
    one_row, same_loss = epoch(NET, LOSS, adam, state, all_data(), np.arange(7)[None])
    assert_same(whole, one_row)
    assert loss == pytest.approx(float(same_loss), rel=1e-12)


def test_epochs_under_vmap_are_those_one_by_one():
    adam = optax.adam(0.05)
    states = [training.init_state(initial(seed=seed), adam) for seed in range(3)]
    orders = jnp.stack([ROWS, ROWS[:, ::-1], ROWS[::-1]])

    def one(state, order):
        return training.epoch(NET, LOSS, adam, state, all_data(), order)

    together = jax.jit(jax.vmap(one))(jax.tree.map(lambda *v: np.stack(v), *states), orders)
    alone = [epoch(NET, LOSS, adam, s, all_data(), o) for s, o in zip(states, orders, strict=True)]
    assert_same(together, jax.tree.map(lambda *v: np.stack(v), *alone))


def test_the_epoch_is_compiled_without_the_data_in_it():
    sgd, sizes = optax.sgd(0.1), []
    for n in (50, 5000):
        data = all_data(RNG.normal(size=(n, 3)), RNG.integers(2, size=n), RNG.random(n))
        traced = epoch.trace(NET, LOSS, sgd, training.init_state(initial(), sgd), data, ROWS)
        assert traced.jaxpr.consts == []
        sizes.append(len(traced.lower().as_text()))
    assert abs(sizes[1] - sizes[0]) < 500  # 20,000 numbers more are in the data


# --- Optimizers that need the value, the gradient or the function --------------------------------


def closed_form(x, y, weights):
    """Return weight and bias of the least-squares line."""
    root = np.sqrt(weights)[:, None]
    design = np.hstack([x, np.ones((len(x), 1))])
    solution = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
    return solution[:-1], solution[-1]


FULL = np.tile(np.arange(7, dtype=np.int32), (15, 1))  # 15 updates, each with all examples


def trained(optimizer, state):
    data, rows = all_data(y=Y), jnp.asarray(FULL)
    return training.epoch(LINE, losses.mean_squared_error, optimizer, state, data, rows)


def test_lbfgs_finds_the_least_squares_solutions_of_a_batch_of_networks_in_few_steps():
    lbfgs = optax.lbfgs()
    states = [training.init_state(initial(LINE, seed), lbfgs) for seed in (0, 1)]
    stacked = jax.tree.map(lambda *v: np.stack(v), *states)
    after, _ = jax.jit(jax.vmap(lambda state: trained(lbfgs, state)))(stacked)
    weight, bias = closed_form(X, Y, WEIGHTS)
    for i in (0, 1):
        np.testing.assert_allclose(after.params[0].weight[i], weight, rtol=1e-6)
        np.testing.assert_allclose(after.params[0].bias[i], bias, rtol=1e-6)


def line_search():
    return optax.chain(
        optax.sgd(1.0), optax.scale_by_backtracking_linesearch(20, decrease_factor=0.5)
    )


def test_a_backtracking_line_search_takes_a_step_that_is_too_long_back():
    far = all_data(x=30 * X, y=Y, weights=np.ones(7))
    losses_of = {}
    for name, optimizer in (("plain", optax.sgd(1.0)), ("searched", line_search())):
        state = training.init_state(initial(LINE), optimizer)
        trace = []
        for _ in range(3):
            state, loss = epoch(LINE, losses.mean_squared_error, optimizer, state, far, None)
            trace.append(float(loss))
        losses_of[name] = trace
    assert losses_of["plain"] == sorted(losses_of["plain"])
    assert losses_of["searched"] == sorted(losses_of["searched"], reverse=True)


def handed_over(loss, params):
    """Return what an optimizer gets: value, gradient, and the function's own two derivatives."""
    caught = []

    def keep(updates, state, params, *, value, grad, value_fn):
        cost, slope = jax.jvp(value_fn, (params,), (params,))
        caught.append((value, cost, grad, jax.grad(value_fn)(params), slope))
        return updates, state

    @jax.jit
    def run(params):
        optimizer = optax.GradientTransformationExtraArgs(lambda params: (), keep)
        state = training.init_state(params, optimizer)
        training.update(LINE, loss, optimizer, state, all_data(y=Y))
        return caught.pop()

    return run(params)


def test_the_function_given_to_a_line_search_has_the_hand_gradient_in_both_modes():
    """A loss whose hand derivative is made twice too large shows whose gradient is used."""
    honest = losses.mean_squared_error
    doubled = pn.Loss("doubled", honest.value, lambda a, y: 4 * (a - y))
    params = initial(LINE)
    value, gradient = jax.jit(jax.value_and_grad(pn.objective(LINE, honest)))(
        params, *all_data(y=Y)
    )
    slope = sum(
        np.vdot(g, p) for g, p in zip(*map(jax.tree.leaves, (gradient, params)), strict=True)
    )
    twice = jax.tree.map(lambda g: 2 * np.asarray(g), gradient)
    assert_same(handed_over(honest, params), (value, value, gradient, gradient, slope))
    assert_same(handed_over(doubled, params), (value, value, twice, twice, 2 * slope))


def test_reduce_on_plateau_sees_the_value():
    plateau = optax.contrib.reduce_on_plateau(factor=0.5, patience=2, rtol=1e-12)
    frozen = optax.chain(optax.sgd(0.0), plateau)  # nothing moves, so every epoch is a plateau
    moving = optax.chain(optax.sgd(0.01), plateau)
    scales = {}
    for name, optimizer in (("frozen", frozen), ("moving", moving)):
        state = training.init_state(initial(LINE), optimizer)
        for _ in range(8):
            state, _ = epoch(LINE, losses.mean_squared_error, optimizer, state, all_data(y=Y), None)
        scales[name] = float(state.opt_state[1].scale)
    assert scales["frozen"] < 1 == scales["moving"]


# --- Two learning rates --------------------------------------------------------------------------


def test_weights_and_biases_have_rates_of_their_own():
    optimizer = pn.by_kind(weights=optax.sgd(0.5), biases=optax.sgd(0.02))
    params = initial()
    state, _ = update(NET, LOSS, optimizer, training.init_state(params, optimizer), all_data())
    _, grads = cost(params, *all_data())
    fast, slow = moved(params, grads, 0.5), moved(params, grads, 0.02)
    assert_same(
        state.params, tuple(pn.Dense(f.weight, s.bias) for f, s in zip(fast, slow, strict=True))
    )


def test_the_biases_can_be_held_while_adam_moves_the_weights():
    optimizer = pn.by_kind(weights=optax.adam(0.05), biases=optax.set_to_zero())
    state = training.init_state(initial(), optimizer)
    after, _ = epoch(NET, LOSS, optimizer, state, all_data(), ROWS)
    for layer, before in zip(after.params, initial(), strict=True):
        np.testing.assert_array_equal(layer.bias, before.bias)
        assert np.all(np.asarray(layer.weight) != np.asarray(before.weight))
