"""The hand gradients against autodiff, against a second forward pass, and against the notes."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import witness
from witness import relative_difference

import purenet as pn
from purenet import activations, backprop, losses
from purenet.activations import Activation

# Every bound is far from rounding; what is equal to the bit is one program or the same one.
pytestmark = pytest.mark.usefixtures("quick_compiling")

BOUND = 1e-10

sine = Activation("sine", jnp.sin, jnp.cos)
exponential = Activation("exponential", jnp.exp, jnp.exp, lambda a, g: g * a, "output")
quartic = pn.Loss(
    "quartic", lambda a, y: jnp.sum((a - y) ** 4, axis=-1), lambda a, y: 4 * (a - y) ** 3
)
poisson = pn.Loss(
    "poisson",
    lambda a, y: jnp.sum(a - y * jnp.log(a), axis=-1),
    lambda a, y: 1 - y / a,
    losses.Fused(
        exponential, lambda z, y: jnp.sum(jnp.exp(z) - y * z, axis=-1), lambda z, y: jnp.exp(z) - y
    ),
)

HIDDEN = [a for a in activations.ACTIVATIONS.values() if a.differentiable] + [sine]
SQUARED = [losses.mean_squared_error, losses.half_mean_squared_error, quartic]
PAIRS = [
    *itertools.product(HIDDEN, SQUARED),
    (activations.softmax, losses.cross_entropy),
    (activations.sigmoid, losses.binary_cross_entropy),
    (exponential, poisson),
]  # fmt: skip
# Compiling is what costs: operations are compiled once for each shape, so few shapes are used.
DEPTHS = [(3, *(4,) * hidden, 2) for hidden in range(6)]
WIDTHS = [
    (2, 3),
    (2, 5, 3),
    (4, 3, 5, 2),
    (1, 4, 2, 3, 2),
    (3, 2, 4, 1, 3, 5),
    (2, 3, 4, 3, 2, 4, 3),
]


def named(value):
    return getattr(value, "name", None)


def draw_params(net, rng):
    """Return weights of about unit gain and biases off zero, in float64."""
    return tuple(
        pn.Dense(
            jnp.asarray(rng.normal(size=(i, o)) / np.sqrt(i)), jnp.asarray(rng.normal(size=o) / 3)
        )
        for i, o in itertools.pairwise(net.sizes)
    )


def shaped(net):
    """Return parameters of ones in float32, for what does not depend on their numbers."""
    return tuple(
        pn.Dense(jnp.asarray(np.ones((i, o), np.float32)), jnp.asarray(np.ones(o, np.float32)))
        for i, o in itertools.pairwise(net.sizes)
    )


def draw_examples(net, loss, batch, rng):
    """Return x and y; distributions and probabilities are positive and do not sum to 1."""
    positive = loss.fused is not None
    x = jnp.asarray(rng.normal(size=(batch, net.sizes[0])))
    shape = (batch, net.sizes[-1])
    return x, rng.uniform(0.1, 0.9, shape) if positive else rng.normal(size=shape)


def hand(net, loss, params, x, y, weights=None):
    return pn.value_and_grad(net, loss, (0, 1))(params, x, y, weights)


def autodiff(net, loss, params, x, y, weights=None):
    return jax.value_and_grad(pn.objective(net, loss), (0, 1))(params, x, y, weights)


def second_forward_pass(net, loss, params, x, y, weights=None):
    names = [a.name for a in (*net.hidden, net.output)]
    arrays = [(np.asarray(w), np.asarray(b)) for w, b in params]
    x = np.asarray(x)
    value = witness.cost(names, loss.name, arrays, x, y, weights)
    return value, witness.gradients(names, loss.name, arrays, x, y, weights)


def assert_equal_trees(got, expected, bound=BOUND):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert relative_difference(one, other) <= bound


def mixed(sizes, shift=0):
    """Return one activation per hidden layer, a different one in each; softmax needs two units."""
    chosen = [HIDDEN[(shift + 5 * n) % len(HIDDEN)] for n in range(len(sizes) - 2)]
    return [
        sine if activation is activations.softmax and width == 1 else activation
        for activation, width in zip(chosen, sizes[1:-1], strict=True)
    ]


@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=named)
def test_every_activation_with_every_loss_equals_the_second_forward_pass(output, loss, x64):
    rng = np.random.default_rng(0)
    for hidden in HIDDEN:
        net = pn.mlp([3, 4, 2], hidden, output)
        params, weights = draw_params(net, rng), rng.uniform(0, 2, 5)
        x, y = draw_examples(net, loss, 5, rng)
        assert_equal_trees(
            hand(net, loss, params, x, y, weights),
            second_forward_pass(net, loss, params, x, y, weights),
        )


@pytest.mark.parametrize(("output", "loss"), [*PAIRS[:-3:4], *PAIRS[-3:]], ids=named)
def test_every_output_and_every_loss_equals_autodiff(output, loss, x64):
    rng = np.random.default_rng(1)
    net = pn.mlp([3, 4, 2], HIDDEN[PAIRS.index((output, loss)) % len(HIDDEN)], output)
    params, weights = draw_params(net, rng), rng.uniform(0, 2, 5)
    x, y = draw_examples(net, loss, 5, rng)
    by_autodiff = jax.jit(jax.value_and_grad(pn.objective(net, loss), (0, 1)))
    assert_equal_trees(hand(net, loss, params, x, y, weights), by_autodiff(params, x, y, weights))


@pytest.mark.parametrize(
    ("sizes", "batch"), [*((sizes, 5) for sizes in DEPTHS), (DEPTHS[0], 1), (DEPTHS[2], 1)], ids=str
)
def test_every_depth_equals_autodiff_and_the_second_forward_pass(sizes, batch, x64):
    assert_all_three_agree(sizes, batch)


def test_other_widths_equal_autodiff_and_the_second_forward_pass(x64):
    assert_all_three_agree((1, 4, 2, 3, 2), 2)


def assert_all_three_agree(sizes, batch):
    rng = np.random.default_rng(2)
    output, loss = PAIRS[-3 + len(sizes) % 3]
    net = pn.mlp(sizes, mixed(sizes, shift=batch), output)
    params = draw_params(net, rng)
    x, y = draw_examples(net, loss, batch, rng)

    @jax.jit
    def both(params, x, y):
        return [f(net, loss, params, x, y) for f in (hand, autodiff)]

    by_hand, by_autodiff = both(params, x, y)
    assert_equal_trees(by_hand, by_autodiff)
    assert_equal_trees(by_hand, second_forward_pass(net, loss, params, x, y))


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [*WIDTHS, (6, 9, 2), (5, 1, 4)], ids=str)
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=named)
def test_the_full_product_of_activations_losses_depths_widths_and_batches(output, loss, sizes, x64):
    rng = np.random.default_rng(3)
    for hidden, batch in itertools.product(HIDDEN if len(sizes) > 2 else HIDDEN[:1], (1, 7)):
        narrow = hidden is activations.softmax and 1 in sizes[1:-1]
        net = pn.mlp(sizes, mixed(sizes) if narrow else hidden, output)
        params = draw_params(net, rng)
        x, y = draw_examples(net, loss, batch, rng)
        by_hand = hand(net, loss, params, x, y)
        assert_equal_trees(by_hand, autodiff(net, loss, params, x, y))
        assert_equal_trees(by_hand, second_forward_pass(net, loss, params, x, y))


@pytest.mark.parametrize(("output", "loss"), PAIRS[-3:], ids=named)
def test_central_differences_of_the_objective_agree(output, loss, x64):
    # h² C‴ / 6 with h = 6e-6 is about 1e-11 of C and rounding is ε C / h = 4e-11 C; 1e-8 leaves
    # room for the size of C‴ and of C against the gradient.
    rng = np.random.default_rng(4)
    net = pn.mlp([3, 4, 2], "tanh", output)
    params = draw_params(net, rng)
    x, y = draw_examples(net, loss, 5, rng)
    cost, leaves = jax.jit(pn.objective(net, loss)), jax.tree.leaves(params)
    gradient = jax.tree.leaves(hand(net, loss, params, x, y)[1][0])
    for n, leaf in enumerate(leaves):

        def moved(at, n=n):
            changed = [*leaves[:n], jnp.asarray(at), *leaves[n + 1 :]]
            return float(cost(jax.tree.unflatten(jax.tree.structure(params), changed), x, y))

        difference = witness.central_difference(moved, np.asarray(leaf), 6e-6)
        assert relative_difference(gradient[n], difference) < 1e-8


def test_the_four_equations_in_index_form(x64):
    """S4: δ^L = ∂C/∂a σ′, δ^l_j = Σ_k δ^{l+1}_k w_kj σ′(z_j), ∂C/∂b_j = δ_j, ∂C/∂w_jk = δ_j a_k."""
    rng = np.random.default_rng(5)
    net = pn.mlp([3, 4, 2], "sigmoid", "sigmoid")
    params = draw_params(net, rng)
    x, y = draw_examples(net, losses.half_mean_squared_error, 5, rng)
    w = [None, *(np.asarray(layer.weight).T for layer in params)]  # w[l][j, k]: from unit k to j
    b = [None, *(np.asarray(layer.bias) for layer in params)]
    x, count = np.asarray(x), len(x)

    dw, db = [None] + [np.zeros_like(v) for v in w[1:]], [None] + [np.zeros_like(v) for v in b[1:]]
    deltas = {1: np.zeros((count, 4)), 2: np.zeros((count, 2))}
    for example in range(count):
        a, slope = {0: x[example]}, {}
        for layer in (1, 2):
            z = [
                sum(w[layer][j, k] * a[layer - 1][k] for k in range(len(a[layer - 1])))
                + b[layer][j]
                for j in range(len(b[layer]))
            ]
            a[layer] = [1 / (1 + np.exp(-z_j)) for z_j in z]
            slope[layer] = [np.exp(-z_j) / (1 + np.exp(-z_j)) ** 2 for z_j in z]
        for j in range(2):
            deltas[2][example, j] = (a[2][j] - y[example, j]) * slope[2][j] / count
        for j in range(4):
            back = sum(deltas[2][example, k] * w[2][k, j] for k in range(2))
            deltas[1][example, j] = back * slope[1][j]
        for layer in (1, 2):
            for j in range(len(b[layer])):
                db[layer][j] += deltas[layer][example, j]
                for k in range(len(a[layer - 1])):
                    dw[layer][j, k] += deltas[layer][example, j] * a[layer - 1][k]

    trace = backprop.forward(net, params, jnp.asarray(x))
    _, last = backprop.output_delta(net, losses.half_mean_squared_error, trace.z, y, None)
    assert_equal_trees(last, deltas[2])
    received = backprop.input_gradient(net, params[1], last)
    first = net.hidden[0].delta(trace.kept[1], received)
    assert_equal_trees(first, deltas[1])
    for layer, delta in ((2, last), (1, first)):
        by_hand = backprop.parameter_gradient(net, params[layer - 1], trace.kept[layer - 1], delta)
        assert_equal_trees(by_hand, pn.Dense(dw[layer].T, db[layer]))
    grads, dx = backprop.backward(net, params, trace, last)
    assert dx is None
    assert_equal_trees(grads, tuple(pn.Dense(dw[n].T, db[n]) for n in (1, 2)))


def test_the_column_layout_of_s3_is_the_same_numbers_transposed(x64):
    """S3 (with E42's g′ at Z¹): dZ² = A² − Y, dW = dZ Aᵀ/m, db = Σ dZ/m, dZ¹ = W²ᵀ dZ² ∘ g′(Z¹)."""
    rng = np.random.default_rng(6)
    net, m = pn.mlp([3, 4, 2], "relu", "softmax"), 5
    params = draw_params(net, rng)
    labels = rng.integers(0, 2, m)
    x = rng.normal(size=(m, 3))

    (w1, b1), (w2, b2) = [(np.asarray(w).T, np.asarray(b)[:, None]) for w, b in params]
    a0, one_hot = x.T, np.eye(2)[labels].T
    z1 = w1 @ a0 + b1
    a1 = np.maximum(z1, 0)
    z2 = w2 @ a1 + b2
    a2 = np.exp(z2) / np.exp(z2).sum(axis=0)
    dz2 = a2 - one_hot
    dw2, db2 = dz2 @ a1.T / m, dz2.sum(axis=1) / m
    dz1 = (w2.T @ dz2) * (z1 > 0)
    dw1, db1 = dz1 @ a0.T / m, dz1.sum(axis=1) / m

    value, grads = pn.value_and_grad(net, "cross_entropy")(params, x, labels)
    assert_equal_trees(grads, (pn.Dense(dw1.T, db1), pn.Dense(dw2.T, db2)))
    assert_equal_trees(value, -np.log((a2 * one_hot).sum(axis=0)).mean())
    assert_equal_trees(net.apply(params, x), a2.T)


@pytest.fixture
def classifier(x64):
    """A network with raw inputs on one scale per feature, its parameters and a batch."""
    rng = np.random.default_rng(7)
    scaling = pn.InputScaling((1.0, -2.0, 0.5), (2.0, 0.5, 255.0))
    net = pn.mlp([3, 4, 2], "tanh", "softmax", input_scaling=scaling)
    return net, draw_params(net, rng), jnp.asarray(rng.normal(size=(5, 3))), rng.integers(0, 2, 5)


def test_argnums_choose_the_parameters_the_inputs_or_both(classifier):
    net, params, x, y = classifier
    of_params = pn.value_and_grad(net, "cross_entropy")(params, x, y)
    of_inputs = pn.value_and_grad(net, "cross_entropy", 1)(params, x, y)
    of_both = pn.value_and_grad(net, "cross_entropy", (0, 1))(params, x, y)
    swapped = pn.value_and_grad(net, "cross_entropy", (1, 0))(params, x, y)
    only = pn.value_and_grad(net, "cross_entropy", (1,))(params, x, y)
    assert_equal_trees(of_both, (of_params[0], (of_params[1], of_inputs[1])), 0)
    assert_equal_trees(swapped[1], (of_inputs[1], of_params[1]), 0)
    assert isinstance(only[1], tuple)
    assert only[1][0].shape == x.shape


def test_the_input_gradient_passes_through_the_scaling(classifier):
    net, params, x, y = classifier
    offset, scale = (np.array(v) for v in (net.input_scaling.offset, net.input_scaling.scale))
    arrays = [(np.asarray(w), np.asarray(b)) for w, b in params]

    def cost_of_raw(x):
        scaled = (x - offset) / scale
        return witness.cost(["tanh", "softmax"], "cross_entropy", arrays, scaled, np.eye(2)[y])

    @jax.jit
    def by_hand_and_by_autodiff(*at):
        by_autodiff = jax.grad(pn.objective(net, "cross_entropy"), 1)(*at)
        return pn.value_and_grad(net, "cross_entropy", 1)(*at)[1], by_autodiff

    dx, by_autodiff = by_hand_and_by_autodiff(params, x, y)
    assert_equal_trees(dx, witness.complex_step(cost_of_raw, np.asarray(x)))
    assert_equal_trees(dx, by_autodiff)


def test_a_scalar_scaling_is_that_number_for_each_feature(x64):
    rng = np.random.default_rng(8)
    one = pn.mlp([3, 2], input_scaling=pn.InputScaling(1.0, 4.0))
    each = pn.mlp([3, 2], input_scaling=pn.InputScaling((1.0,) * 3, (4.0,) * 3))
    params = draw_params(one, rng)
    x, y = draw_examples(one, losses.mean_squared_error, 4, rng)
    loss = losses.mean_squared_error
    both = jax.jit(lambda *at: [hand(net, loss, *at) for net in (one, each)])
    assert_equal_trees(*both(params, x, y), 1e-15)


@pytest.mark.parametrize(("output", "loss"), PAIRS[-4:], ids=named)
def test_examples_of_weight_zero_change_nothing(output, loss, x64):
    rng = np.random.default_rng(9)
    net = pn.mlp([3, 4, 2], "tanh", output)
    params, weights = draw_params(net, rng), np.append(rng.uniform(0.5, 2, 3), np.zeros(2))
    x, y = draw_examples(net, loss, 5, rng)
    by_hand = hand(net, loss, params, x, y, weights)
    other = hand(net, loss, params, x.at[3:].set(7.0), np.vstack([y[:3], y[:2]]), weights)
    assert np.all(np.asarray(by_hand[1][1][3:]) == 0)
    assert_equal_trees(by_hand, other, 0)


def test_padding_with_weight_zero_is_the_batch_without_it(classifier):
    net, params, x, y = classifier
    gradient = jax.jit(pn.value_and_grad(net, "cross_entropy"))
    padded = gradient(params, x, y, np.array([1, 1, 1, 0, 0]))
    assert_equal_trees(padded, gradient(params, x[:3], y[:3]), 1e-12)


def test_equal_weights_are_no_weights_and_whole_weights_repeat_examples(classifier):
    net, params, x, y = classifier
    gradient = pn.value_and_grad(net, "cross_entropy")
    assert_equal_trees(gradient(params, x, y, np.full(5, 3.0)), gradient(params, x, y), 1e-13)
    counts = np.array([1, 0, 2, 1, 1])
    repeated = gradient(params, np.repeat(np.asarray(x), counts, axis=0), np.repeat(y, counts))
    assert_equal_trees(gradient(params, x, y, counts), repeated, 1e-13)


def test_a_single_example_is_a_batch_of_one(classifier):
    net, params, x, y = classifier
    gradient = pn.value_and_grad(net, "cross_entropy", (0, 1))

    @jax.jit
    def in_three_ways(params, x, y):
        of_one = params, x[0], y[0]
        return gradient(*of_one), gradient(params, x[:1], y[:1]), gradient(*of_one, 2.0)

    single, batch, weighted = in_three_ways(params, x, y)
    assert single[1][1].shape == (3,)
    assert_equal_trees(single[1][1], np.asarray(batch[1][1])[0], 0)
    assert_equal_trees((single[0], single[1][0]), (batch[0], batch[1][0]), 0)
    assert_equal_trees(weighted, single, 1e-15)


def test_one_output_takes_targets_of_shape_batch(x64):
    rng = np.random.default_rng(10)
    net = pn.mlp([3, 4, 1], "tanh")
    params = draw_params(net, rng)
    x, y = draw_examples(net, losses.mean_squared_error, 5, rng)
    loss = losses.mean_squared_error
    both = jax.jit(lambda *at: [hand(net, loss, *at, targets) for targets in (y[:, 0], y)])
    assert_equal_trees(*both(params, x), 0)


def test_jit_changes_nothing(classifier):
    net, params, x, y = classifier
    gradient = pn.value_and_grad(net, "cross_entropy", (0, 1))
    assert_equal_trees(jax.jit(gradient)(params, x, y), gradient(params, x, y), 1e-13)


def test_vmap_differentiates_a_batch_of_networks(classifier):
    net, _, x, y = classifier
    rng = np.random.default_rng(11)
    networks = [draw_params(net, rng) for _ in range(3)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
    gradient = pn.value_and_grad(net, "cross_entropy")
    together = jax.jit(jax.vmap(gradient, in_axes=(0, None, None)))(stacked, x, y)
    for n, params in enumerate(networks):
        one = jax.tree.map(lambda leaf, n=n: np.asarray(leaf)[n], together)
        assert_equal_trees(one, gradient(params, x, y), 1e-13)


@pytest.mark.parametrize(
    ("hidden", "output", "loss"),
    [
        (["softmax", "tanh"], *PAIRS[-3]),
        (["relu", "softplus"], *PAIRS[-2]),
        (["silu", "elu"], *PAIRS[-1]),
        (["sigmoid"], activations.softmax, losses.mean_squared_error),
        (["leaky_relu"], activations.gelu, losses.half_mean_squared_error),
    ],
)
def test_the_tangent_of_the_hand_gradient_is_the_hessian_vector_product(hidden, output, loss, x64):
    rng = np.random.default_rng(12)
    net = pn.mlp([3, *(4 for _ in hidden), 2], hidden, output)
    params, direction = draw_params(net, rng), draw_params(net, rng)
    x, y = draw_examples(net, loss, 5, rng)

    def by_hand(p):
        return pn.value_and_grad(net, loss)(p, x, y)[1]

    def by_autodiff(p):
        return jax.grad(pn.objective(net, loss))(p, x, y)

    @jax.jit
    def tangents(p, direction):
        return [jax.jvp(f, (p,), (direction,))[1] for f in (by_hand, by_autodiff)]

    assert_equal_trees(*tangents(params, direction))


def test_the_hessian_is_symmetric(classifier):
    net, params, x, y = classifier
    rng = np.random.default_rng(13)
    u, v = draw_params(net, rng), draw_params(net, rng)

    @jax.jit
    def times(direction):
        gradient = lambda p: pn.value_and_grad(net, "cross_entropy")(p, x, y)[1]  # noqa: E731
        return jax.jvp(gradient, (params,), (direction,))[1]

    def dot(a, b):
        return sum(np.vdot(s, t) for s, t in zip(*map(jax.tree.leaves, (a, b)), strict=True))

    assert dot(u, times(v)) == pytest.approx(dot(v, times(u)), rel=1e-12)


def test_the_rectifier_has_slope_zero_at_zero_and_at_nan():
    net = pn.mlp([1, 3, 1], "relu")
    first = pn.Dense(jnp.array([[1.0, 1.0, -1.0]]), jnp.array([0.0, -2.0, 3.0]))
    params = (first, pn.Dense(jnp.ones((3, 1)), jnp.zeros(1)))
    at_the_kink = jnp.array([[2.0]])  # the weighted inputs are 2, 0, 1
    gradient = jax.jit(pn.value_and_grad(net, "mean_squared_error"))
    _, grads = gradient(params, at_the_kink, jnp.zeros((1, 1)))
    assert grads[0].bias.tolist() == [6.0, 0.0, 6.0]
    broken = (pn.Dense(first.weight, jnp.array([0.0, jnp.nan, 3.0])), params[1])
    trace = jax.jit(backprop.forward, static_argnums=0)(net, broken, at_the_kink)
    assert net.hidden[0].delta(trace.kept[1], jnp.ones((1, 3))).tolist() == [[1.0, 0.0, 1.0]]
    assert np.isnan(trace.z).all()


def equations(program):
    """Yield the equations; of a product with a form per platform, those of the default form."""
    for equation in program.eqns:
        branches = equation.params.get("branches")
        inner = branches[-1] if branches else equation.params.get("jaxpr")
        yield from (equation,) if inner is None else equations(inner)


@pytest.mark.parametrize("precision", ["high", jax.lax.Precision.HIGHEST])
@pytest.mark.parametrize(("argnums", "products"), [(0, 8), ((0, 1), 9)])
def test_products_carry_the_precision_and_the_first_input_gradient_only_when_asked(
    precision, argnums, products
):
    net = pn.mlp([3, 4, 4, 2], precision=precision)
    params = jax.eval_shape(net.init, jax.random.key(0))
    gradient = pn.value_and_grad(net, "mean_squared_error", argnums)
    program = jax.make_jaxpr(gradient)(params, jnp.ones((5, 3)), jnp.ones((5, 2)))
    found = [e.params["precision"] for e in equations(program) if e.primitive.name == "dot_general"]
    expected = jax.lax.Precision(precision) if isinstance(precision, str) else precision
    assert found == [(expected, expected)] * products


def test_bfloat16_factors_leave_sums_and_gradients_in_float32():
    rng = np.random.default_rng(14)
    net = pn.mlp([6, 3], compute_dtype="bfloat16")
    params = (pn.Dense(*(jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((6, 3), (3,)))),)
    x, y = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((4, 6), (4, 3)))

    def rounded(array):
        return np.asarray(jnp.asarray(array, jnp.bfloat16), np.float64)

    gradient = jax.jit(pn.value_and_grad(net, "mean_squared_error", (0, 1)))
    value, (grads, dx) = gradient(params, x, y)
    z = rounded(x) @ rounded(params[0].weight) + np.asarray(params[0].bias, np.float64)
    delta = 2 / 4 * (z - np.asarray(y))
    assert {leaf.dtype for leaf in jax.tree.leaves((value, grads, dx))} == {np.dtype(np.float32)}
    # Products of bfloat16 are exact in float32: what is left is rounding in float32, and in δ an
    # ulp of float32 may round to the other bfloat16.
    assert_equal_trees(net.apply(params, x), z, 1e-6)
    assert relative_difference(pn.mlp([6, 3]).apply(params, x), z) > 1e-5
    assert_equal_trees(grads[0].bias, delta.sum(axis=0), 1e-6)
    assert_equal_trees(grads[0].weight, rounded(x).T @ rounded(np.float32(delta)), 2**-8)
    assert_equal_trees(dx, rounded(np.float32(delta)) @ rounded(params[0].weight).T, 2**-8)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_gradients_have_the_dtype_of_their_parameters(dtype):
    net = pn.mlp([3, 4, 2], "tanh", "softmax")
    params = jax.eval_shape(lambda: net.init(jax.random.key(0), dtype=dtype))
    x, y = jax.ShapeDtypeStruct((5, 3), dtype), jax.ShapeDtypeStruct((5,), jnp.int32)
    gradient = pn.value_and_grad(net, "cross_entropy", (0, 1))
    value, (grads, dx) = jax.eval_shape(gradient, params, x, y)
    assert {leaf.dtype for leaf in jax.tree.leaves((grads, dx))} == {jnp.dtype(dtype)}
    assert value.dtype == jax.eval_shape(net.apply, params, x).dtype == jnp.float32


def test_bytes_go_in_with_a_scaling():
    rng = np.random.default_rng(15)
    net = pn.mlp([6, 4, 3], output="softmax", input_scaling=pn.InputScaling(0, 255))
    plain = pn.mlp([6, 4, 3], output="softmax")
    params = shaped(net)
    pixels, y = rng.integers(0, 256, (5, 6)).astype(np.uint8), rng.integers(0, 3, 5)
    scaled = pixels.astype(np.float32) / np.float32(255)
    got = jax.jit(pn.value_and_grad(net, "cross_entropy"))(params, pixels, y)
    expected = jax.jit(pn.value_and_grad(plain, "cross_entropy"))(params, scaled, y)
    assert_equal_trees(got, expected, 1e-5)
    with pytest.raises(TypeError, match="∂C/∂x needs floating inputs, got uint8"):
        pn.value_and_grad(net, "cross_entropy", 1)(params, pixels, y)


@pytest.mark.parametrize("lead", [(), (2, 5)], ids=str)
def test_differentiable_is_apply_with_the_hand_backward_pass(lead, x64):
    rng = np.random.default_rng(16)
    net = pn.mlp([3, 4, 2], "silu", "softmax", input_scaling=pn.InputScaling((0.5, 0, 1), 2))
    params = draw_params(net, rng)
    x, g = jnp.asarray(rng.normal(size=(*lead, 3))), jnp.asarray(rng.normal(size=(*lead, 2)))

    def value_and_pullback(f):
        value, pull = jax.vjp(f, params, x)
        return value, pull(g)

    by_hand = jax.jit(lambda: value_and_pullback(pn.differentiable(net)))()
    assert_equal_trees(by_hand, jax.jit(lambda: value_and_pullback(net.apply))())


def test_differentiable_takes_an_empty_batch():
    net = pn.mlp([3, 4, 2])
    params = shaped(net)
    x = np.zeros((0, 3), np.float32)
    grads = jax.jit(jax.grad(lambda p: jnp.sum(pn.differentiable(net)(p, x))))(params)
    assert all(not np.any(leaf) for leaf in jax.tree.leaves(grads))


def test_differentiable_under_someone_elses_loss_is_the_fused_gradient(classifier):
    net, params, x, y = classifier
    f = pn.differentiable(net)

    def cost(p, x):
        return -jnp.mean(jnp.log(jnp.take_along_axis(f(p, x), y[:, None], axis=1)))

    assert_equal_trees(
        jax.jit(jax.value_and_grad(cost, (0, 1)))(params, x),
        pn.value_and_grad(net, "cross_entropy", (0, 1))(params, x, y),
    )


@pytest.mark.parametrize("output", [*HIDDEN, exponential], ids=named)
def test_differentiable_with_every_output_equals_autodiff(output, x64):
    rng = np.random.default_rng(17)
    net = pn.mlp([3, 4, 2], "tanh", output)
    params, x = draw_params(net, rng), jnp.asarray(rng.normal(size=(5, 3)))
    cotangent = jnp.asarray(rng.normal(size=(5, 2)))

    @jax.jit
    def pullbacks(params, x):
        return [jax.vjp(f, params, x)[1](cotangent) for f in (pn.differentiable(net), net.apply)]

    assert_equal_trees(*pullbacks(params, x))


def test_differentiable_takes_whole_numbers_and_vmap(classifier):
    net, params, _, _ = classifier
    f, pixels = pn.differentiable(net), np.arange(15).reshape(5, 3)
    # A program hands back no float0: only the gradient by the parameters is one.
    of_both = jax.grad(lambda p, x: jnp.sum(f(p, x)[:, 0]), (0, 1), allow_int=True)
    dx = jax.eval_shape(of_both, params, pixels)[1]
    assert dx.dtype == jax.dtypes.float0
    assert dx.shape == (5, 3)

    @jax.jit
    def gradients(params):
        each = jax.vmap(jax.grad(lambda p, x: f(p, x)[0]), (None, 0))(params, pixels * 1.0)
        expected = jax.grad(lambda p: jnp.sum(net.apply(p, pixels)[:, 0]))(params)
        return of_both(params, pixels)[0], each, expected

    grads, each, expected = gradients(params)
    assert_equal_trees(grads, expected)
    assert_equal_trees(jax.tree.map(lambda leaf: np.sum(leaf, axis=0), each), expected)


def test_differentiable_refuses_forward_mode(classifier):
    net, params, x, _ = classifier
    f = pn.differentiable(net)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jit(lambda p: jax.jvp(lambda p: f(p, x), (p,), (p,)))(params)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jit(jax.jacfwd(lambda p: f(p, x)))(params)


def test_forward_mode_over_the_reverse_mode_of_differentiable_is_the_hessian(classifier):
    net, params, x, _ = classifier

    def gradient(f):
        return jax.grad(lambda p: jnp.sum(jnp.sin(f(p, x))))

    @jax.jit
    def tangents(p):
        return [jax.jvp(gradient(f), (p,), (p,))[1] for f in (pn.differentiable(net), net.apply)]

    assert_equal_trees(*tangents(params))


def test_no_gradient_through_a_step():
    with pytest.raises(
        ValueError, match=r"hidden\[1\]: activation 'step' has no usable derivative"
    ):
        pn.value_and_grad(pn.mlp([2, 3, 3, 1], ["relu", "step"]), "mean_squared_error")
    with pytest.raises(ValueError, match="output: activation 'step'"):
        pn.value_and_grad(pn.mlp([2, 1], output="step"), "mean_squared_error")
    with pytest.raises(ValueError, match="output: activation 'step'"):
        pn.differentiable(pn.mlp([2, 1], output="step"))
    with pytest.raises(ValueError, match=r"hidden\[0\]: activation 'step'"):
        pn.differentiable(pn.mlp([2, 3, 1], "step"))


@pytest.mark.parametrize("argnums", [2, -1, (), (0, 2)])
def test_argnums_outside_parameters_and_inputs_are_refused(argnums):
    with pytest.raises(ValueError, match=r"argnums: 0 .* 1 .* or a tuple of them is expected, got"):
        pn.value_and_grad(pn.mlp([2, 1]), "mean_squared_error", argnums)


WRONG = {
    "features": ((5, 4), (5,), None, r"x: expected shape \(batch, 3\), got \(5, 4\)"),
    "image": ((5, 3, 1), (5,), None, r"got \(5, 3, 1\); reshape it to \(5, 3\)"),
    "axes": ((2, 5, 3), (5,), None, r"x: expected shape \(batch, 3\), got \(2, 5, 3\)"),
    "batch": ((5, 3), (4,), None, r"x of shape \(5, 3\) and y of shape \(4,\)"),
    "column": ((5, 3), (5, 1), None, r"integer labels of shape \(5,\)"),
    "weights": ((5, 3), (5,), (4,), r"weights: one number per example .* got shape \(4,\)"),
    "one weight": ((5, 3), (5,), (), r"weights: one number per example .* got shape \(\)"),
}


@pytest.mark.parametrize(("x", "y", "weights", "message"), WRONG.values(), ids=WRONG)
def test_wrong_shapes_say_what_was_expected(x, y, weights, message):
    net = pn.mlp([3, 4, 2], output="softmax")
    params = shaped(net)
    batch = np.zeros(x), np.zeros(y, np.int32), None if weights is None else np.ones(weights)
    for function in (pn.value_and_grad(net, "cross_entropy"), pn.objective(net, "cross_entropy")):
        with pytest.raises(ValueError, match=message):
            jax.eval_shape(function, params, *batch)


def test_parameters_of_another_network_are_refused():
    net, other = pn.mlp([3, 4, 2]), pn.mlp([3, 5, 2])
    params, x, y = shaped(other), jnp.ones((5, 3)), jnp.ones((5, 2))
    for function in (
        pn.value_and_grad(net, "mean_squared_error"),
        pn.objective(net, "mean_squared_error"),
        lambda params, x, y: pn.differentiable(net)(params, x),
        lambda params, x, y: jax.grad(lambda p: pn.differentiable(net)(p, x).sum())(params),
    ):
        with pytest.raises(ValueError, match=r"sizes \[3, 4, 2\] has weights of shapes .*\(3, 5\)"):
            function(params, x, y)
