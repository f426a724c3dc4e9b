"""Every example once per epoch, the same in pieces, and no unusable data past the door."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import purenet as pn
from purenet import batches, losses

SOFTMAX = pn.mlp([2, 3], output="softmax")
SIGMOID = pn.mlp([2, 1], output="sigmoid")
TWO_SIGMOIDS = pn.mlp([2, 2], output="sigmoid")
LINEAR = pn.mlp([2, 1])
X = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], np.float32)
LABELS = np.array([0, 2, 1, 2])
NUMBERS = np.array([0.5, -1.0, 2.0, 7.0], np.float32)
BITS = np.array([0.0, 1.0, 1.0, 0.0], np.float32)


def parse(net, loss, *data):
    return batches.parse(net, losses.from_name(loss), data)


def one(value, index, like=X):
    changed = np.array(like, np.float64)
    changed[index] = value
    return changed


# --- The order of an epoch -----------------------------------------------------------------------

sizes = st.integers(1, 150)
numbers = st.integers(0, 2**31 - 1)


@settings(deadline=None, max_examples=30)
@given(examples=sizes, batch=sizes, seed=numbers, epoch=numbers)
def test_an_epoch_has_every_example_once_and_fills_up_at_the_end_only(examples, batch, seed, epoch):
    rows = batches.order(jax.random.key(seed), epoch, examples, batch)
    assert rows.shape == (int(np.ceil(examples / batch)), batch)
    assert sorted(rows.ravel()[:examples]) == list(range(examples))
    assert (rows.ravel()[examples:] == -1).all()


@settings(deadline=None, max_examples=20)
@given(seed=numbers, epoch=numbers)
def test_the_order_is_a_function_of_key_and_epoch_alone(seed, epoch):
    here = batches.order(jax.random.key(seed), epoch, 60, 7)
    np.random.seed(0)
    batches.order(jax.random.key(seed + 1), epoch + 5, 60, 7)
    np.testing.assert_array_equal(here, batches.order(jax.random.key(seed), epoch, 60, 7))


@settings(deadline=None, max_examples=20)
@given(seed=numbers, epoch=numbers)
def test_the_next_epoch_and_the_next_key_have_another_order(seed, epoch):
    here = batches.order(jax.random.key(seed), epoch, 60, 60)
    assert (here != batches.order(jax.random.key(seed), epoch + 1, 60, 60)).any()
    assert (here != batches.order(jax.random.key(seed + 1), epoch, 60, 60)).any()


def test_the_batch_size_cuts_an_epoch_and_does_not_change_its_order():
    key = jax.random.key(3)
    whole = batches.order(key, 1, 30, 30).ravel()
    np.testing.assert_array_equal(whole, batches.order(key, 1, 30, 7).ravel()[:30])


def test_a_raw_key_has_the_order_of_the_typed_key_of_its_seed():
    typed, raw = jax.random.key(5), jax.random.PRNGKey(5)
    np.testing.assert_array_equal(batches.order(typed, 0, 20, 6), batches.order(raw, 0, 20, 6))


def test_every_position_of_an_epoch_can_hold_every_example():
    held = np.stack([batches.order(jax.random.key(0), e, 4, 4).ravel() for e in range(100)])
    assert all(set(held[:, position]) == {0, 1, 2, 3} for position in range(4))


# --- Stripes -------------------------------------------------------------------------------------

lengths = st.lists(sizes, min_size=1, max_size=6).map(tuple)


@settings(deadline=None, max_examples=30)
@given(stripes=lengths, extra=st.integers(0, 40), seed=numbers, epoch=numbers)
def test_each_batch_has_its_share_of_every_stripe_and_an_epoch_every_example(
    stripes, extra, seed, epoch
):
    batch = len(stripes) + extra
    rows = batches.order(jax.random.key(seed), epoch, stripes, batch)
    widths = batches.shares(batch, len(stripes))
    assert rows.shape == (batches.updates(stripes, batch), batch)
    assert sum(widths) == batch
    assert max(widths) - min(widths) <= 1
    starts = np.cumsum((0, *stripes))
    for n, columns in enumerate(np.split(rows, np.cumsum(widths)[:-1], axis=1)):
        flat = columns.ravel()
        assert sorted(flat[: stripes[n]]) == list(range(starts[n], starts[n + 1]))
        assert (flat[stripes[n] :] == -1).all()
        alone = batches.stripe_order(
            jax.random.key(seed), epoch, n, stripes[n], len(rows), widths[n]
        )
        np.testing.assert_array_equal(np.where(columns < 0, -1, columns - starts[n]), alone)
    assert any((columns[-1] >= 0).any() for columns in np.split(rows, batch, axis=1))


def test_one_stripe_is_no_stripe_and_two_have_orders_of_their_own():
    key = jax.random.key(1)
    np.testing.assert_array_equal(batches.order(key, 2, (30,), 7), batches.order(key, 2, 30, 7))
    first, second = np.split(batches.order(key, 2, (30, 30), 60)[0], 2)
    assert (first != second - 30).any()


# --- An epoch in pieces --------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(examples=sizes, batch=st.integers(1, 40), limit=st.integers(0, 2000), seed=numbers)
def test_pieces_hold_the_epoch_in_order_within_the_limit(examples, batch, limit, seed):
    rng = np.random.default_rng(seed)
    data = batches.Data(
        rng.normal(size=(examples, 3)).astype(np.float32),
        rng.integers(9, size=examples).astype(np.int32),
        rng.random(examples).astype(np.float32),
    )
    rows = batches.order(jax.random.key(seed), 0, examples, batch)
    pieces = list(batches.chunks(data, rows, limit))

    flat = rows[rows >= 0]
    for name in data._fields:
        streamed = np.concatenate([getattr(d, name)[local[local >= 0]] for d, local in pieces])
        np.testing.assert_array_equal(streamed, getattr(data, name)[flat])
    np.testing.assert_array_equal(np.concatenate([local for _, local in pieces]) < 0, rows < 0)
    for held, local in pieces:
        assert local.shape[1] == batch
        assert local.max() < len(held.x) == local.size
        assert held.x.nbytes <= limit or len(local) == 1


def test_pieces_keep_the_dtype_of_the_data():
    data = parse(SOFTMAX, "cross_entropy", X.astype(np.uint8), LABELS)
    rows = batches.order(jax.random.key(0), 0, 4, 2)
    for held, local in batches.chunks(data, rows, 1):
        assert held.x.dtype == np.uint8
        assert held.y.dtype == local.dtype == np.int32


# --- Data that is taken --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_dtype", "kept"),
    [("uint8", "uint8"), ("int8", "int8"), ("int32", "int32"), ("float16", "float16"),
     ("float32", "float32"), ("float64", "float64"), ("bool", "float32"),
     ("int64", "float64"), ("uint64", "float64")],
)  # fmt: skip
def test_inputs_keep_their_dtype_unless_jax_would_cut_it(given_dtype, kept):
    data = parse(LINEAR, "mean_squared_error", X.astype(given_dtype), NUMBERS)
    assert data.x.dtype == kept
    np.testing.assert_array_equal(data.x, X.astype(given_dtype))


def test_wide_integers_are_not_cut_to_32_bits():
    wide = np.array([[2**40, 2**33], [1, 2], [3, 4], [5, 6]])
    data = parse(LINEAR, "mean_squared_error", wide, NUMBERS)
    np.testing.assert_allclose(np.asarray(jnp.asarray(data.x)), wide.astype(np.float32))


def test_arrays_of_jax_and_lists_are_taken_too():
    from_jax = parse(SOFTMAX, "cross_entropy", jnp.asarray(X), jnp.asarray(LABELS))
    from_lists = parse(SOFTMAX, "cross_entropy", X.tolist(), LABELS.tolist())
    for got in (from_jax, from_lists):
        np.testing.assert_array_equal(got.x, X)
        np.testing.assert_array_equal(got.y, LABELS)
        np.testing.assert_array_equal(got.weights, np.ones(4, np.float32))


def test_bfloat16_arrays_become_float32():
    x, y, w = (jnp.asarray(v, jnp.bfloat16) for v in (X, NUMBERS, np.ones(4)))
    data = parse(LINEAR, "mean_squared_error", x, y, w)
    assert [v.dtype for v in data] == [np.float32] * 3
    np.testing.assert_array_equal(data.x, X)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "uint64"])
def test_labels_of_any_integer_dtype_become_int32(dtype):
    data = parse(SOFTMAX, "cross_entropy", X, LABELS.astype(dtype))
    assert data.y.dtype == np.int32
    np.testing.assert_array_equal(data.y, LABELS)


def test_targets_of_one_output_become_a_column():
    for net, loss, y in [
        (LINEAR, "mean_squared_error", NUMBERS),
        (LINEAR, "half_mean_squared_error", LABELS),
        (SIGMOID, "binary_cross_entropy", BITS),
        (SIGMOID, "binary_cross_entropy", BITS.astype(bool)),
        (SIGMOID, "binary_cross_entropy", BITS.astype(np.uint8)),
    ]:
        data = parse(net, loss, X, y)
        assert (data.y.shape, data.y.dtype) == ((4, 1), np.float32)
        np.testing.assert_array_equal(data.y[:, 0], y.astype(np.float32))


def test_a_distribution_is_a_target_of_cross_entropy():
    rows = np.array([[0.2, 0.3, 0.5]] * 4)
    data = parse(SOFTMAX, "cross_entropy", X, rows)
    assert data.y.dtype == np.float64
    np.testing.assert_array_equal(data.y, rows)


def test_weights_are_kept_and_1_by_default():
    weights = np.array([0.0, 1.0, 2.5, 0.0])
    assert parse(LINEAR, "mean_squared_error", X, NUMBERS).weights.tolist() == [1, 1, 1, 1]
    weighted = parse(LINEAR, "mean_squared_error", X, NUMBERS, weights)
    assert weighted.weights.tolist() == weights.tolist()


def test_the_data_of_the_caller_is_not_changed():
    x, y = X.copy(), LABELS.copy()
    parse(SOFTMAX, "cross_entropy", x, y)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, LABELS)


# --- Data that is refused ------------------------------------------------------------------------

ONE_HOT = np.eye(3)[LABELS]
OBJECTS = X.astype(object)
WORDS = np.array([["a", "b"]] * 4)

MSE, CE, BCE = "mean_squared_error", "cross_entropy", "binary_cross_entropy"

REFUSED = [
    # The container.
    (LINEAR, MSE, (X,), r"data: a tuple \(x, y\) or \(x, y, weights\)"),
    (LINEAR, MSE, (X, NUMBERS, NUMBERS, NUMBERS), r"data: a tuple \(x, y\)"),
    # Shapes.
    (LINEAR, MSE, (X[0], NUMBERS), r"data x: expected shape \(n, 2\), got \(2,\)"),
    (LINEAR, MSE, (X[:, :1], NUMBERS), r"data x: .*\(n, 2\), got \(4, 1\)"),
    (LINEAR, MSE, (X[:, None], NUMBERS), r"got \(4, 1, 2\); reshape it to"),
    (LINEAR, MSE, (np.float32(1), NUMBERS), r"data x: .*got \(\)"),
    (LINEAR, MSE, (X, NUMBERS[:3]), r"as many targets .*\(4, 2\).*\(3,\)"),
    (LINEAR, MSE, (X, np.float32(1)), r"as many targets .*\(4, 2\) and .*\(\)"),
    (LINEAR, MSE, (X, np.ones((4, 2))), r"with 1 outputs .*shape \(4, 1\)"),
    (LINEAR, MSE, (X, np.ones((4, 1, 1))), r"data y: .*\(4, 1\), got .*\(4, 1, 1\)"),
    (TWO_SIGMOIDS, BCE, (X, BITS), r"with 2 outputs takes targets .*\(4, 2\)"),
    # Nothing in it.
    (LINEAR, MSE, (X[:0], NUMBERS[:0]), r"data x: there is no example .*\(0, 2\)"),
    (LINEAR, MSE, (X, NUMBERS[:0]), "data y: there is no example"),
    # Not numbers.
    (LINEAR, MSE, (OBJECTS, NUMBERS), "data x: numbers .* got dtype object"),
    (LINEAR, MSE, (WORDS, NUMBERS), "data x: numbers .* got dtype <U1"),
    (LINEAR, MSE, (X, WORDS[:, 0]), "data y: numbers .* got dtype <U1"),
    (LINEAR, MSE, (X + 1j, NUMBERS), "data x: numbers .* got dtype complex"),
    (LINEAR, MSE, (X.astype("M8[s]"), NUMBERS), "data x: numbers .*datetime64"),
    # NaN and infinity, with their place.
    (LINEAR, MSE, (one(np.nan, (2, 1)), NUMBERS), r"data x: nan at index \(2, 1\)"),
    (LINEAR, MSE, (one(-np.inf, (1, 0)), NUMBERS), r"x: -inf at index \(1, 0\)"),
    (LINEAR, MSE, (X, one(np.nan, 3, NUMBERS)), r"data y: nan at index \(3,\)"),
    (SOFTMAX, CE, (X, one(np.inf, (0, 2), ONE_HOT)), r"y: inf at index \(0, 2\)"),
    # Labels and distributions.
    (SOFTMAX, CE, (X, [0, 3, 1, 5]), r"label 3 at index 1; .*3 outputs, .*0 … 2"),
    (SOFTMAX, CE, (X, [0, 1, -1, 1]), "data y: label -1 at index 2"),
    (SOFTMAX, CE, (X, ONE_HOT.astype(int)), r"integer labels .*\(n,\), got \(4, 3\)"),
    (SOFTMAX, CE, (X, LABELS.astype(float)), r"takes integer labels \(n,\) or targets"),
    (SOFTMAX, CE, (X, BITS.astype(bool)), r"takes integer labels .*got bool"),
    (SOFTMAX, CE, (X, ONE_HOT[:, :2]), r"shape \(4, 3\), got float64 of shape \(4, 2\)"),
    (SOFTMAX, CE, (X, ONE_HOT - 0.25), "cross_entropy takes targets .*from -0.25 to"),
    # Targets of the sigmoid.
    (SIGMOID, BCE, (X, BITS * 1.5), "targets from 0 to 1, .* from 0.0 to 1.5"),
    (SIGMOID, BCE, (X, BITS - 0.5), "targets from 0 to 1, .* from -0.5 to 0.5"),
    (SIGMOID, BCE, (X, LABELS), "targets from 0 to 1, got values from 0 to 2"),
    # Weights.
    (LINEAR, MSE, (X, NUMBERS, [1, -0.5, 1, 1]), "weights: at least 0.*got -0.5"),
    (LINEAR, MSE, (X, NUMBERS, np.zeros(4)), "weights: .*not all 0.*got 0"),
    (LINEAR, MSE, (X, NUMBERS, np.ones(3)), r"weights: .*\(4,\), got \(3,\)"),
    (LINEAR, MSE, (X, NUMBERS, np.ones((4, 1))), r"weights: .*got \(4, 1\)"),
    (LINEAR, MSE, (X, NUMBERS, [1, np.nan, 1, 1]), r"weights: nan at index \(1,\)"),
    (LINEAR, MSE, (X, NUMBERS, ["a"] * 4), "weights: numbers .* dtype <U1"),
    (LINEAR, MSE, (X, NUMBERS, []), "weights: there is no example"),
]  # fmt: skip


@pytest.mark.parametrize(("net", "loss", "data", "message"), REFUSED)
def test_unusable_data_is_refused_with_what_and_where(net, loss, data, message):
    with pytest.raises(ValueError, match=message):
        batches.parse(net, losses.from_name(loss), data)


@pytest.mark.parametrize("data", [None, X, {"x": X, "y": NUMBERS}, "xy"])
def test_what_is_no_tuple_is_refused(data):
    with pytest.raises(ValueError, match="a tuple"):
        batches.parse(LINEAR, losses.mean_squared_error, data)


def test_ragged_rows_are_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        parse(LINEAR, "mean_squared_error", [[1.0, 2.0], [3.0]], NUMBERS[:2])


def test_the_message_has_the_name_of_the_argument():
    with pytest.raises(ValueError, match=r"^validation y: label 9"):
        batches.parse(SOFTMAX, losses.cross_entropy, (X, [0, 9, 1, 1]), "validation")


# --- One class only ------------------------------------------------------------------------------

ONE_CLASS = [
    (SOFTMAX, "cross_entropy", np.full(4, 2), 2),
    (SOFTMAX, "cross_entropy", np.eye(3)[np.full(4, 1)], 1),
    (SIGMOID, "binary_cross_entropy", np.ones(4), 1),
    (SIGMOID, "binary_cross_entropy", np.zeros((4, 1)), 0),
]


@pytest.mark.parametrize(("net", "loss", "y", "label"), ONE_CLASS)
def test_examples_of_one_class_are_refused_for_training(net, loss, y, label):
    with pytest.raises(ValueError, match=f"data y: all 4 labels are class {label}"):
        batches.check_classes(losses.from_name(loss), parse(net, loss, X, y))


@pytest.mark.parametrize(
    ("net", "loss", "y"),
    [
        (SOFTMAX, "cross_entropy", LABELS),
        (SOFTMAX, "cross_entropy", ONE_HOT),
        (SOFTMAX, "cross_entropy", np.full((4, 3), 1 / 3)),  # no class, a distribution
        (SIGMOID, "binary_cross_entropy", BITS),
        (SIGMOID, "binary_cross_entropy", np.full(4, 0.5)),
        (TWO_SIGMOIDS, "binary_cross_entropy", np.tile([[1.0, 0.0]], (4, 1))),  # many labels
        (LINEAR, "mean_squared_error", np.ones(4)),  # numbers
    ],
)
def test_everything_else_is_trained_on(net, loss, y):
    batches.check_classes(losses.from_name(loss), parse(net, loss, X, y))


def test_a_single_example_is_trained_on():
    data = parse(SOFTMAX, "cross_entropy", X[:1], LABELS[:1])
    batches.check_classes(losses.cross_entropy, data)


# --- Weights of classes --------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_balanced_weights_give_each_present_class_the_same_total(labels):
    labels = np.array(labels)
    weights = pn.class_weights(labels, 5)
    present = np.unique(labels)
    totals = [weights[labels == c].sum(dtype=np.float64) for c in present]
    np.testing.assert_allclose(totals, len(labels) / 5, rtol=1e-6)


def test_given_weights_replace_1():
    weights = pn.class_weights(np.array([0, 1, 2, 1]), 3, {1: 2.5, 2: 0.0})
    assert weights.tolist() == [1.0, 2.5, 0.0, 2.5]
    assert weights.dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        ([0, 1], {3: 1.0}, "class 3 has weight 1.0; expected classes 0 … 2"),
        ([0, 1], {-1: 1.0}, "class -1"),
        ([0, 1], {1: -2.0}, "class 1 has weight -2.0"),
        ([0, 1], {1: np.inf}, "class 1 has weight inf"),
        ([0, 1], {1: np.nan}, "class 1 has weight nan"),
        ([0, 3], None, "label 3 at index 1"),
        ([0, -1], {1: 2.0}, "label -1 at index 1"),
    ],
)
def test_weights_for_classes_that_are_not_there_are_refused(labels, weights, message):
    with pytest.raises(ValueError, match=message):
        pn.class_weights(np.array(labels), 3, weights)
