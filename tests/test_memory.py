"""One array per hidden layer, fewer with checkpoints; of many classes one array, in pieces none.

How XLA lays out temporary buffers may change between releases. These are the figures of those that
the project is tested with; a release that needs more is one to look at.
"""

import jax
import jax.numpy as jnp
import pytest

import purenet as pn
from benchmarks import memory
from benchmarks.memory import by_autodiff, by_hand, cost, deep

WIDTH, BATCH = 64, 256
FEW = ("relu", "gelu")


@pytest.mark.parametrize(
    "activation",
    [
        name if name in FEW else pytest.param(name, marks=pytest.mark.slow)
        for name in memory.ACTIVATIONS
    ],
    ids=lambda a: getattr(a, "name", a),
)
def test_one_array_per_hidden_layer_is_the_floor(activation):
    found = memory.per_hidden_layer(by_hand, activation, WIDTH, BATCH, (4, 6))
    assert found.temporary == pytest.approx(1, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("activation", memory.ACTIVATIONS, ids=lambda a: getattr(a, "name", a))
def test_autodiff_needs_as_much_or_more(activation):
    theirs, ours = (
        memory.per_hidden_layer(gradient, activation, WIDTH, BATCH, (4, 6))
        for gradient in (by_autodiff, by_hand)
    )
    assert ours.temporary <= theirs.temporary


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_the_floor_holds_in_a_compiled_loop_over_batches(activation):
    def epoch(net):
        def step(params, batch):
            value, grads = by_hand(net)(params, *batch)
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), value

        return lambda params, x, y: jax.lax.scan(
            step, params, (jnp.stack([x, x + 1]), jnp.stack([y, y]))
        )

    nets = [deep(WIDTH, hidden, activation) for hidden in (4, 8)]
    few, many = (cost(epoch(net), net.sizes, BATCH).temporary for net in nets)
    # An array per layer, and the old parameters beside the new ones at most.
    assert many - few <= 4 * 4 * (BATCH * WIDTH + 2 * WIDTH * (WIDTH + 1)) * 1.01


@pytest.mark.parametrize("every", [3, pytest.param(2, marks=pytest.mark.slow)])
def test_checkpoints_keep_a_layer_in_k_and_a_run_of_k(every):
    hidden = 9
    plain, thin = (deep(WIDTH, hidden, "relu", checkpoint_every=k) for k in (None, every))
    before, after = (cost(by_hand(net), net.sizes, BATCH) for net in (plain, thin))
    array = 4 * BATCH * WIDTH
    # Two more are at work at any time: what arrives from above and what goes below.
    assert after.temporary <= (hidden // every + every + 2) * array * 1.01
    assert after.temporary < before.temporary - 2 * array
    # What lies between two kept layers runs twice; the last run is there already.
    again = (hidden // every) * (every - 1)
    product = 2 * BATCH * WIDTH * WIDTH
    assert again * product <= after.flops - before.flops <= again * product * 1.1


def test_pieces_need_no_array_of_all_classes():
    classes, batch, width, at_once = 5000, 128, 8, 500
    sizes = (width, width, classes)
    whole, in_pieces = (
        cost(by_hand(pn.mlp(sizes, output="softmax", classes_at_once=c)), sizes, batch).temporary
        for c in (None, at_once)
    )
    by_jax = cost(by_autodiff(pn.mlp(sizes, output="softmax")), sizes, batch).temporary
    array = 4 * batch * classes
    assert in_pieces <= 3 * array * at_once / classes
    assert whole <= by_jax


@pytest.mark.parametrize(
    "labels", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["labels", "distributions"]
)
def test_many_classes_need_one_array(labels):
    classes, batch, width = 8192, 512, 8
    sizes = (width, width, classes)
    needed = cost(by_hand(pn.mlp(sizes, output="softmax")), sizes, batch, labels).temporary
    array = 4 * batch * classes
    assert needed <= 1.1 * array


# The last test here: only the words are looked at, and what is above needs every optimization.
def test_the_command_prints_its_tables(quick_compiling, capsys):
    options = "--width 8 --batch 64 --layers 1 2 --hidden relu --every 2 --classes 40 --at-once 10"
    memory.main(options.split())
    printed = capsys.readouterr().out
    first = [line.split("|")[1].strip() for line in printed.splitlines() if line.startswith("|")]
    assert first == [
        *("activation", "----------", "relu"),
        *("checkpoint_every", "----------------", "autodiff", "none", "2"),
        *("classes_at_once", "---------------", "autodiff", "none", "10"),
    ]
    assert f"jax {jax.__version__}" in printed
