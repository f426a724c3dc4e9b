"""On a mesh of any shape the same parameters as on one device, and nothing sent but what has to."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

import purenet as pn
from benchmarks import scaling
from purenet import checkpoint, compiling, evaluation, losses, sharding, stop, training

RNG = np.random.default_rng(0)
# 10 units of the second layer and 37 examples: no axis of 4 or 8 divides them.
NET = pn.mlp([6, 10, 8, 4], "tanh", "softmax")
N, BATCH = 37, 10
X = RNG.normal(size=(N, 6)).astype(np.float32)
LABELS = RNG.integers(4, size=N).astype(np.int32)
WEIGHTS = RNG.random(N).astype(np.float32)
HELD_OUT = (RNG.normal(size=(13, 6)).astype(np.float32), RNG.integers(4, size=13))
PARAMS = NET.init(jax.random.key(0))
ADAM = optax.adam(0.05)
BOTH = ("data", "model")


def mesh_of(shape, axes=BOTH, kind=AxisType.Explicit):
    devices = jax.devices()[: int(np.prod(shape))]
    return jax.make_mesh(shape, axes, axis_types=(kind,) * len(shape), devices=devices)


def fit(params=PARAMS, data=(X, LABELS, WEIGHTS), optimizer=ADAM, net=NET, **options):
    options = {"epochs": 2, "batch_size": BATCH, "validation": HELD_OUT, **options}
    return pn.fit(net, "cross_entropy", params, data, optimizer, **options)


def assert_close(got, expected, rtol=1e-4, atol=1e-5):
    jax.tree.map(lambda g, e: np.testing.assert_allclose(g, e, rtol, atol), got, expected)


def assert_same_run(got, expected):
    assert_close(
        (got.state, got.best, got.history), (expected.state, expected.best, expected.history)
    )
    assert (got.best_epoch, got.stopped) == (expected.best_epoch, expected.stopped)


# --- Training on a mesh is training on one device ------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axes", "kind"),
    [
        ((8, 1), BOTH, AxisType.Explicit),
        ((1, 8), BOTH, AxisType.Auto),
        ((2, 4), BOTH, AxisType.Explicit),
        pytest.param((2, 4), BOTH, AxisType.Auto, marks=pytest.mark.slow),
        pytest.param((8,), ("data",), AxisType.Explicit, marks=pytest.mark.slow),
        pytest.param((2,), ("model",), AxisType.Explicit, marks=pytest.mark.slow),
        pytest.param((2, 4), ("model", "data"), AxisType.Auto, marks=pytest.mark.slow),
        pytest.param((1, 1), BOTH, AxisType.Explicit, marks=pytest.mark.slow),
    ],
)
def test_a_mesh_trains_what_one_device_trains(shape, axes, kind):
    assert_same_run(fit(mesh=mesh_of(shape, axes, kind)), fit())


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"batch_size": None}, marks=pytest.mark.slow),
        pytest.param({"stream_above": 400}, marks=pytest.mark.slow),
        pytest.param({"stripes": [20, 9, 8]}, marks=pytest.mark.slow),
        pytest.param({"batch_size": 3}, marks=pytest.mark.slow),
        pytest.param({"stop": [stop.Iterations(6)]}, marks=pytest.mark.slow),
    ],
    ids=["full batch", "streamed", "stripes", "batch below places", "cut short"],
)
def test_however_the_data_go_over_a_mesh_trains_the_same(options):
    assert_same_run(fit(mesh=mesh_of((4, 2)), **options), fit(**options))


@pytest.mark.parametrize("rows_at_once", [pytest.param(2, marks=pytest.mark.slow), 8192])
def test_a_metric_sees_the_examples_and_not_what_fills_up(monkeypatch, rows_at_once):
    monkeypatch.setattr(evaluation, "ROWS_AT_ONCE", rows_at_once)
    worst = pn.Metric("worst", lambda a, y, w: jnp.max(jnp.sum(a * a, -1)), "lower")
    on_mesh = fit(mesh=mesh_of((8, 1)), metric=worst, epochs=1)
    monkeypatch.undo()
    assert_close(on_mesh.history, fit(metric=worst, epochs=1).history)


@pytest.mark.slow
@pytest.mark.parametrize(
    "search",
    [optax.lbfgs(), optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15))],
    ids=["L-BFGS", "backtracking"],
)
def test_a_line_search_sees_the_examples_of_all_devices(search):
    options = {"optimizer": search, "batch_size": None, "validation": None}
    assert_same_run(fit(mesh=mesh_of((4, 2)), **options), fit(**options))


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [optax.sgd(0.5, momentum=0.9), optax.adafactor(0.01), optax.lamb(0.01), optax.sm3(0.1),
     pn.by_kind(weights=optax.adamw(0.05), biases=optax.sgd(0.1)),
     optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(optax.linear_schedule(1.0, 0.0, 3)))],
    ids=["momentum", "adafactor", "lamb", "sm3", "by kind", "clip and schedule"],
)  # fmt: skip
def test_every_optimizer_trains_the_same_on_a_mesh(optimizer):
    assert_same_run(fit(mesh=mesh_of((2, 4)), optimizer=optimizer), fit(optimizer=optimizer))


def test_a_run_goes_on_from_another_mesh():
    whole = fit(epochs=2)
    begun = fit(epochs=1, mesh=mesh_of((2, 4)))
    on_other = fit(begun.state, epochs=1, mesh=mesh_of((8, 1)))
    assert_close(on_other.state, whole.state)
    on_one = fit(jax.tree.map(jnp.asarray, sharding.gather(begun.state)), epochs=1)
    assert_close(on_one.state, whole.state)


@pytest.mark.slow
def test_a_mesh_that_the_caller_has_set_changes_nothing():
    mesh = mesh_of((2, 4))
    with jax.set_mesh(mesh):
        within = fit(mesh=mesh)
    assert_same_run(within, fit())


@pytest.mark.slow
def test_what_is_passed_in_stays_as_it_is():
    mesh = mesh_of((2, 4))
    placed = sharding.place(mesh, PARAMS)
    state = fit(placed, mesh=mesh).state
    before = jax.tree.map(np.array, (placed, state))
    fit(state, mesh=mesh)
    jax.tree.map(np.testing.assert_array_equal, (placed, state), before)


# --- What lies where -----------------------------------------------------------------------------


def specs(sizes, shape=(2, 4), axes=BOTH):
    params = tuple(pn.Dense(np.zeros(s), np.zeros(s[1])) for s in pairwise(sizes))
    placed = sharding.place(mesh_of(shape, axes), params)
    return [v.sharding.spec for v in jax.tree.leaves(placed)]


COLUMNS = [P(None, "model"), P("model")]
ROWS = [P("model"), P()]
WHOLE = [P(), P()]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([6, 8, 4], COLUMNS + ROWS),
        ([6, 8, 5, 12, 3], COLUMNS + ROWS + COLUMNS + ROWS),
        ([8, 4, 8, 4], ROWS + COLUMNS + ROWS),
        ([6, 4, 8, 4], WHOLE + COLUMNS + ROWS),  # 4 does not divide 6 features
        ([6, 10, 4], WHOLE + WHOLE),
        ([8, 4], ROWS),
        ([6, 8, 4, 10, 4], COLUMNS + ROWS + WHOLE + WHOLE),
    ],
)
def test_every_second_layer_of_units_is_split_where_the_axis_divides_it(sizes, expected):
    assert specs(sizes) == expected
    assert specs(sizes, (8,), ("data",)) == WHOLE * (len(sizes) - 1)


def state_of(optimizer):
    return fit(optimizer=optimizer, mesh=mesh_of((2, 4)), epochs=1).state


@pytest.mark.parametrize(
    "optimizer",
    [
        ADAM,
        pytest.param(
            pn.by_kind(weights=optax.adam(0.1), biases=optax.sgd(0.1)), marks=pytest.mark.slow
        ),
    ],
    ids=["adam", "by kind"],
)
def test_the_state_of_an_optimizer_lies_where_its_parameter_lies(optimizer):
    state, mesh = state_of(optimizer), sharding.automatic(mesh_of((2, 4)))
    expected = sharding.layout(mesh, state.params, state)
    for leaf, where in zip(jax.tree.leaves(state), jax.tree.leaves(expected), strict=True):
        assert leaf.sharding == where
    (moment,) = (
        leaf
        for path, leaf in jax.tree.leaves_with_path(state.opt_state)
        if jax.tree_util.keystr(path).endswith("mu[1].weight")
    )
    assert moment.addressable_shards[0].data.shape == (10, 2)


def test_history_of_a_parameter_is_split_behind_its_own_axes():
    mesh = sharding.automatic(mesh_of((2, 4)))
    state = jax.eval_shape(optax.lbfgs(memory_size=3).init, PARAMS)
    found = sharding.layout(mesh, PARAMS, state)[0].diff_params_memory
    assert found[1].weight.spec == P(None, None, "model")
    assert found[1].bias.spec == P(None, "model")
    factors = jax.eval_shape(optax.adafactor(0.1, min_dim_size_to_factor=1).init, PARAMS)
    assert sharding.layout(mesh, PARAMS, factors)[0].v_row[1].weight.spec == P()


def test_a_run_on_a_mesh_is_used_as_any_other(tmp_path):
    run, one = fit(mesh=mesh_of((2, 4))), fit()
    assert_close(pn.predict(NET, run.params, X), pn.predict(NET, one.params, X))
    assert_close(
        pn.evaluate(NET, "cross_entropy", run.params, HELD_OUT),
        pn.evaluate(NET, "cross_entropy", one.params, HELD_OUT),
    )
    checkpoint.save(tmp_path / "model", checkpoint.Model(NET, run.params))
    assert_close(checkpoint.load(tmp_path / "model").params, one.params)
    on_last = jax.device_put(run.params, jax.devices()[-1])
    x = jax.device_put(X, jax.devices()[-1])
    assert_close(jax.jit(NET.apply)(on_last, x), pn.predict(NET, one.params, X))
    assert all(isinstance(v, np.ndarray) for v in jax.tree.leaves(sharding.gather(run.params)))
    assert_close(sharding.gather(run.params), one.params)


# --- The compiled program ------------------------------------------------------------------------


def test_a_mesh_has_one_program_for_all_epochs_and_runs():
    mesh, optimizer = mesh_of((2, 4)), optax.adam(0.02)
    compiled = compiling.compiled_pass(NET, BATCH, None)
    before = compiled._cache_size()
    run = fit(mesh=mesh, optimizer=optimizer, epochs=3)
    fit(run.state, mesh=mesh, optimizer=optimizer, epochs=2, key=jax.random.key(5))
    assert compiled._cache_size() == before + 1


BYTES = 4


@pytest.mark.parametrize(
    "shape", [*(pytest.param(s, marks=pytest.mark.slow) for s in [(8, 1), (1, 8)]), (2, 4)]
)
def test_an_epoch_sends_gradients_and_sums_of_units_and_nothing_else(shape):
    """Per update: one all-reduce of all gradients over "data", one per whole layer over "model"."""
    sizes, batch, (data, model) = (32, 64, 48, 16), 64, shape
    net, mesh = pn.mlp(sizes, "tanh", "softmax"), sharding.automatic(mesh_of(shape))
    found = scaling.collectives(epoch_program(net, mesh, batch).as_text())
    assert {c.name for c in found} <= {"all-reduce"}
    done = scaling.work(sizes, batch, data, model)
    large = sorted((c.bytes, c.devices) for c in found if c.bytes > 4 * BYTES)
    expected = [(size, model) for size in done.units] + [(done.gradient, data)] * (data > 1)
    assert [devices for _, devices in large] == [devices for _, devices in sorted(expected)]
    np.testing.assert_allclose([s for s, _ in large], [s for s, _ in sorted(expected)], atol=8)
    # What else there is are sums of weights and of losses.
    assert len(found) - len(large) <= 2 * (data > 1)


def epoch_program(net, mesh, batch):
    params = jax.eval_shape(net.init, jax.random.key(0))
    state = jax.eval_shape(lambda p: training.init_state(p, ADAM), params)
    state = with_shardings(state, sharding.layout(mesh, params, state))
    places, rows = mesh.shape["data"], np.zeros((3, batch), np.int32)
    x = np.zeros((places * 50, net.sizes[0]), np.float32)
    examples = training.Data(x, np.zeros(len(x), np.int32), np.ones(len(x), np.float32))
    data = with_shardings(examples, sharding.examples(mesh))
    rows = with_shardings(rows, sharding.examples(mesh, 1))
    compiled = jax.jit(training.one_pass, static_argnums=(0, 1, 2, 6))
    return compiled.lower(net, losses.cross_entropy, ADAM, state, data, rows, mesh).compile()


def with_shardings(tree, shardings):
    if isinstance(shardings, NamedSharding):
        shardings = jax.tree.map(lambda _: shardings, tree)
    return jax.tree.map(
        lambda v, s: jax.ShapeDtypeStruct(v.shape, v.dtype, sharding=s), tree, shardings
    )


# --- The gradient on its own ---------------------------------------------------------------------

COST = jax.jit(jax.value_and_grad(pn.objective(NET, "cross_entropy")))


def over_data(mesh, *arrays):
    """Return the arrays with their rows split over "data"."""
    return [jax.device_put(v, NamedSharding(mesh, P("data"))) for v in arrays]


@pytest.mark.parametrize(
    "kind", [pytest.param(AxisType.Auto, marks=pytest.mark.slow), AxisType.Explicit]
)
def test_the_gradient_of_split_arrays_is_laid_out_like_the_parameters(kind):
    mesh = mesh_of((2, 4), kind=kind)
    params = sharding.place(mesh, PARAMS)
    rows = over_data(mesh, X[:36], LABELS[:36], WEIGHTS[:36])
    value, grads = jax.jit(pn.value_and_grad(NET, "cross_entropy"))(params, *rows)
    assert_close((value, grads), COST(PARAMS, X[:36], LABELS[:36], WEIGHTS[:36]))
    for got, like in zip(jax.tree.leaves(grads), jax.tree.leaves(params), strict=True):
        assert got.sharding.is_equivalent_to(like.sharding, got.ndim)


@pytest.mark.slow
def test_every_loss_and_activation_takes_arrays_of_an_explicit_mesh():
    mesh = mesh_of((2, 4))
    x, y = over_data(mesh, X[:36], X[:36, :2] > 0)
    pairs = {"identity": "mean_squared_error", "sigmoid": "binary_cross_entropy",
             "softmax": "half_mean_squared_error"}  # fmt: skip
    for hidden in ("relu", "gelu", "elu", "silu"):
        for output, loss in pairs.items():
            net = pn.mlp([6, 8, 2], hidden, output)
            params = net.init(jax.random.key(1))
            got = jax.jit(pn.value_and_grad(net, loss, (0, 1)))(sharding.place(mesh, params), x, y)
            expected = pn.value_and_grad(net, loss, (0, 1))(params, X[:36], X[:36, :2] > 0)
            assert_close(got, expected)


@pytest.mark.parametrize(
    "kind", [pytest.param(AxisType.Auto, marks=pytest.mark.slow), AxisType.Explicit]
)
def test_inside_shard_map_gradients_are_local_and_have_a_weighted_mean(kind):
    mesh = mesh_of((8,), ("data",), kind)
    weights = np.where(np.arange(32) % 5 < 2, 0, WEIGHTS[:32]).astype(np.float32)

    def of_own_examples(params, x, y, w):
        local = pn.value_and_grad(NET, "cross_entropy")(params, x, y, w)
        return sharding.mean_over("data", local, w)

    rows = P("data")
    step = jax.shard_map(
        of_own_examples, mesh=mesh, in_specs=(P(), rows, rows, rows), out_specs=P()
    )
    params = sharding.place(mesh, PARAMS)
    got = jax.jit(step)(params, *over_data(mesh, X[:32], LABELS[:32], weights))
    assert_close(got, COST(PARAMS, X[:32], LABELS[:32], weights))
    nothing = jax.jit(step)(params, *over_data(mesh, X[:32], LABELS[:32], 0 * weights))
    assert_close(nothing, jax.tree.map(np.zeros_like, got))


@pytest.mark.slow
def test_inside_shard_map_equal_shares_without_weights_have_a_plain_mean():
    def of_own_examples(params, x, y):
        return sharding.mean_over("data", pn.value_and_grad(NET, "cross_entropy")(params, x, y))

    mesh, rows = mesh_of((8,), ("data",)), P("data")
    step = jax.shard_map(of_own_examples, mesh=mesh, in_specs=(P(), rows, rows), out_specs=P())
    got = jax.jit(step)(sharding.place(mesh, PARAMS), *over_data(mesh, X[:32], LABELS[:32]))
    assert_close(got, COST(PARAMS, X[:32], LABELS[:32]))


# --- What cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (("batch", "model"), 'axes are called "data" and "model", got \'batch\''),
        (("dat", "model"), "got 'dat'; did you mean 'data'"),
        (("x", "model"), "got 'x'$"),
    ],
)
def test_axes_of_another_name_are_refused(axes, message):
    with pytest.raises(ValueError, match=message):
        fit(mesh=mesh_of((2, 4), axes))


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_mesh_is_refused():
    with pytest.raises(ValueError, match=r"mesh: jax\.make_mesh"):
        fit(mesh=8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stripes": 0}, "stripes: a number of stripes, or lengths .* 37, got 0"),
        ({"stripes": [30, 8]}, "whose sum is the number of examples, 37"),
        ({"stripes": [37, 0]}, "lengths of at least 1"),
        ({"stripes": 11}, "batch_size: each batch has examples of all 11 stripes, got 10"),
        ({"stripes": 38, "batch_size": None}, "lengths of at least 1"),
    ],
)
def test_stripes_that_do_not_hold_the_data_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(**options)


@pytest.mark.slow
def test_a_mesh_of_some_devices_is_one_too():
    devices = np.array(jax.devices()[3:6])
    assert_same_run(fit(mesh=Mesh(devices, ("data",))), fit())
