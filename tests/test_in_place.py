"""The output delta by blocks of rows is the output delta, in one array, on one device or many."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P
from witness import relative_difference

import purenet as pn
from purenet import backprop, in_place, losses
from purenet.network import weighted_input

BATCH, CLASSES = 16, 7
OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
SHARES = [0, 1, 1, 1, 0, 1, 1]
TARGETS = {
    "labels": lambda rng: rng.integers(-1, CLASSES + 1, BATCH).astype(np.int32),
    "distributions": lambda rng: rng.uniform(0, 1, (BATCH, CLASSES)) * SHARES,
}
CASES = [
    ("cross_entropy", "labels"),
    ("cross_entropy", "distributions"),
    ("binary_cross_entropy", "distributions"),
]
SIZES = (3, 4, CLASSES)


def network(loss="cross_entropy", **options):
    return pn.mlp(SIZES, "tanh", OUTPUTS[loss], **options)


def whole(net, loss, layer, a, y, weights):
    return backprop.output_delta(net, loss, weighted_input(net, layer, a), y, weights)


def layer_and_input(rng, dtype=float):
    weight, bias, a = (
        jnp.asarray(rng.normal(size=s), dtype) for s in [(4, CLASSES), (CLASSES,), (BATCH, 4)]
    )
    return pn.Dense(weight, bias), a


def assert_close(got, expected, bound):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert relative_difference(one, other) <= bound


@pytest.fixture
def small(monkeypatch):
    """Blocks also where they do not pay, 8 rows of 16 each."""
    for name, value in {"ARRAY": 0, "SMALLEST": 0, "FEWEST": 2, "BLOCKS": 2}.items():
        monkeypatch.setattr(in_place, name, value)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "targets"), CASES)
def test_any_block_gives_the_delta_of_the_whole_batch(name, targets, weighted, x64):
    rng, net, loss = np.random.default_rng(0), network(name), losses.from_name(name)
    given = (*layer_and_input(rng), jnp.asarray(TARGETS[targets](rng)))
    weights = jnp.asarray(rng.uniform(0, 2, BATCH)) if weighted else None
    expected = whole(net, loss, *given, weights)
    for size in (1, 4):
        assert_close(in_place.output_delta(net, loss, size, *given, weights), expected, 1e-14)


def test_float32_is_the_same_to_the_last_place():
    net, loss, rng = network(), losses.cross_entropy, np.random.default_rng(1)
    layer, a = layer_and_input(rng, jnp.float32)
    y = jnp.asarray(TARGETS["labels"](rng))
    value, delta = in_place.output_delta(net, loss, 4, layer, a, y, None)
    assert (value.dtype, delta.dtype) == (jnp.float32, jnp.float32)
    assert_close((value, delta), whole(net, loss, layer, a, y, None), 2 * np.finfo("f4").eps)


def test_a_row_that_is_not_finite_stays_in_its_row(x64):
    net, loss, rng = network(), losses.cross_entropy, np.random.default_rng(2)
    layer, a = layer_and_input(rng)
    a = a.at[3].set(jnp.nan).at[5].set(jnp.inf)
    y = jnp.asarray(TARGETS["labels"](rng))
    _, delta = in_place.output_delta(net, loss, 4, layer, a, y, None)
    np.testing.assert_allclose(delta, whole(net, loss, layer, a, y, None)[1], rtol=1e-14)
    assert np.isnan(delta[3]).all()
    assert np.isfinite(np.delete(delta, [3, 5], axis=0)).all()


@pytest.mark.parametrize("compute_dtype", [None, "bfloat16"])
def test_the_gradient_of_a_network_is_the_same(compute_dtype, small, monkeypatch):
    net, rng = network(compute_dtype=compute_dtype), np.random.default_rng(3)
    params, x = net.init(jax.random.key(0)), jnp.asarray(rng.normal(size=(BATCH, 3)), jnp.float32)
    given = (params, x, jnp.asarray(TARGETS["labels"](rng)))
    by_rows = program(net, *given)
    assert loops(by_rows) == 1
    monkeypatch.setattr(in_place, "ARRAY", 2**40)
    at_once = program(net, *given)
    assert loops(at_once) == 0
    assert_close(by_rows(*given), at_once(*given), 1e-6)


def test_it_works_under_vmap_and_gives_hessian_vector_products(small, x64):
    net, rng = network(), np.random.default_rng(4)
    params = jax.tree.map(lambda p: p.astype(float), net.init(jax.random.key(0)))
    x, y = jnp.asarray(rng.normal(size=(BATCH, 3))), jnp.asarray(TARGETS["labels"](rng))
    both = jax.tree.map(lambda p: jnp.stack([p, jnp.sin(3 * p)]), params)
    direction = jax.tree.map(jnp.cos, params)

    def of(function):
        each = jax.vmap(lambda p: function(p, x, y))(both)
        return each, jax.jvp(lambda p: function(p, x, y), (params,), (direction,))

    ours = jax.jit(lambda: of(pn.value_and_grad(net, "cross_entropy")))
    theirs = jax.jit(lambda: of(jax.value_and_grad(pn.objective(net, "cross_entropy"))))
    assert_close(ours(), theirs(), 1e-12)


# --- When ----------------------------------------------------------------------------------------


def rows_of(batch, classes, loss=losses.cross_entropy):
    layer = pn.Dense(jnp.zeros((1, classes)), jnp.zeros(classes))
    return in_place.rows_at_once(loss, layer, jnp.zeros((batch, 1)))


@pytest.mark.parametrize(
    ("batch", "classes", "devices", "rows"),
    [
        (512, 50_000, 1, 8),
        (4096, 1024, 1, 64),
        (509, 50_000, 1, 1),
        (500, 50_000, 1, 5),
        (512, 50_000, 8, 8),
        (4096, 50_000, 8, 8),
        (4096, 50_000, 3, None),
        (600, 50_000, 3, 6),
        (512, 8191, 1, None),
        (9973, 1000, 1, None),
        (4, 2**21, 1, None),
    ],
)
def test_blocks_are_small_and_pay_and_have_rows_for_every_device(
    batch, classes, devices, rows, monkeypatch
):
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    assert rows_of(batch, classes) == rows


def test_an_own_loss_is_left_alone():
    own = losses.Loss("own", *[losses.cross_entropy.value] * 2, losses.cross_entropy.fused)
    assert rows_of(512, 50_000, own) is None
    assert rows_of(512, 50_000, losses.mean_squared_error) is None
    assert rows_of(512, 50_000, losses.binary_cross_entropy) == 8


def test_another_platform_takes_the_whole_batch():
    net = pn.mlp((2, 4, 2**14), output="softmax")
    given = (jax.eval_shape(net.init, jax.random.key(0)), *shapes(512, 2))
    traced = jax.jit(pn.value_and_grad(net, "cross_entropy")).trace(*given)
    cpu, cuda = (traced.lower(lowering_platforms=(p,)).as_text() for p in ("cpu", "cuda"))
    assert "stablehlo.while" in cpu
    assert "stablehlo.while" not in cuda


# --- Memory and what is sent ---------------------------------------------------------------------


def shapes(batch, inputs):
    x = jax.ShapeDtypeStruct((batch, inputs), jnp.float32)
    return x, jax.ShapeDtypeStruct((batch,), jnp.int32)


def program(net, *given):
    return jax.jit(pn.value_and_grad(net, "cross_entropy")).lower(*given).compile()


def loops(compiled):
    return compiled.as_text().count(" while(")


def test_nothing_is_sent_but_the_gradient():
    batch, classes = 512, 2**14
    net = pn.mlp((2, 4, classes), output="softmax")
    devices = jax.device_count()
    mesh = jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,))
    params = jax.tree.map(
        lambda p: jax.ShapeDtypeStruct(p.shape, p.dtype, sharding=NamedSharding(mesh, P())),
        jax.eval_shape(net.init, jax.random.key(0)),
    )
    split = NamedSharding(mesh, P("data"))
    x, y = (jax.ShapeDtypeStruct(v.shape, v.dtype, sharding=split) for v in shapes(batch, 2))
    compiled = program(net, params, x, y)
    text = compiled.as_text()
    assert loops(compiled) == 1
    assert not any(word in text for word in ("all-gather", "all-to-all", "collective-permute"))
    own = 4 * batch * classes / devices
    assert compiled.memory_analysis().temp_size_in_bytes < 1.5 * own


def test_a_mesh_that_has_to_be_told_takes_the_whole_batch():
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Explicit,))
    layer, a = pn.Dense(jnp.zeros((1, 50_000)), jnp.zeros(50_000)), jnp.zeros((512, 1))
    rows = functools.partial(in_place.rows_at_once, losses.cross_entropy)
    assert rows(layer, a) == 8
    layer, a = jax.device_put((layer, a), NamedSharding(mesh, P()))
    assert rows(layer, a) is None


def test_a_block_costs_what_the_whole_batch_costs():
    # One block of all rows, as the compiler counts the inside of a loop once.
    batch, inputs, classes = 64, 8, 4096
    net, loss = pn.mlp((inputs, classes), output="softmax"), losses.cross_entropy
    (layer,) = jax.eval_shape(net.init, jax.random.key(0))
    given = (layer, *shapes(batch, inputs), None)
    forms = (in_place.output_delta, batch), (whole,)
    by_rows, at_once = (
        jax.jit(functools.partial(form, net, loss, *size)).lower(*given).compile().cost_analysis()
        for form, *size in forms
    )
    assert by_rows["flops"] <= 1.001 * at_once["flops"]
    assert by_rows["bytes accessed"] <= 1.01 * at_once["bytes accessed"]


# --- Refused -------------------------------------------------------------------------------------

WRONG = {
    "labels": ((BATCH, 1), np.int32, None, r"y: .* takes integer labels of shape \(16,\)"),
    "classes": ((BATCH, 6), np.float32, None, r"y: .* with outputs of shape \(16, 7\)"),
    "weights": ((BATCH,), np.int32, (8,), r"weights: one .* shape \(16,\), got shape \(8,\)"),
}


@pytest.mark.parametrize(("shape", "dtype", "weights", "message"), WRONG.values(), ids=WRONG)
def test_wrong_targets_are_refused_by_the_shape_of_the_batch(shape, dtype, weights, message, small):
    params, x = network().init(jax.random.key(0)), jnp.ones((BATCH, 3))
    weights = None if weights is None else np.ones(weights, np.float32)
    with pytest.raises(ValueError, match=message):
        pn.value_and_grad(network(), "cross_entropy")(params, x, np.zeros(shape, dtype), weights)
