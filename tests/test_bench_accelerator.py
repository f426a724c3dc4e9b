"""The benchmark of accelerators measures what it says, at toy sizes on a CPU."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import accelerator
from benchmarks.accelerator import Measured, Result
from benchmarks.peers import dense, dense_jax
from benchmarks.peers.dense import Contender, Large

CASE = Large(8, 2, 6)


def test_the_operations_are_those_of_the_compiled_gradient():
    import purenet as pn

    case = Large(128, 3, 48)  # a width whose weight gradient copies nothing on a CPU
    net = pn.mlp(case.sizes)
    arguments = jax.eval_shape(
        lambda: (net.init(jax.random.key(0)), *[jnp.ones((case.batch, case.width))] * 2)
    )
    gradient = jax.jit(pn.value_and_grad(net, "mean_squared_error")).lower(*arguments)
    counted = dense.operations(case.sizes, case.batch)
    assert counted <= gradient.compile().cost_analysis()["flops"] <= 1.03 * counted


@pytest.mark.parametrize("sizes", [(4, 5, 2), (3, 3), (8, 8, 8, 8)])
def test_the_products_have_the_operations_of_the_gradient(sizes):
    products = dense.products(sizes, 7)
    assert sum(2 * m * k * n for m, k, n in products) == dense.operations(sizes, 7)


@pytest.mark.parametrize(
    "precision",
    [
        "bfloat16",
        *(pytest.param(p, marks=pytest.mark.slow) for p in accelerator.PRECISIONS[1:]),
    ],
)
def test_both_updates_are_the_same_and_train(precision):
    losses = {}
    for make in (dense_jax.purenet, dense_jax.autodiff):
        contender = make(CASE, precision)
        losses[make] = [contender.loss(contender.step()) for _ in range(4)]
        contender.wait()
        assert contender.bytes > 4 * 2 * 8 * 8
    ours, theirs = losses.values()
    np.testing.assert_allclose(ours, theirs, rtol=1e-2 if "bfloat16" in precision else 1e-5)
    assert np.diff(ours).max() < 0


def test_a_chain_is_its_products_and_does_not_end_in_zeros():
    contender = dense_jax.chain((3, 4, 5), "float32")
    assert contender.operations == dense_jax.PAIRS * 2 * (2 * 3 * 4 * 5)
    first = np.asarray(contender.step())
    again = np.asarray(contender.step())
    contender.wait()
    assert first.shape == again.shape == (3, 4)
    assert (np.abs(again) > 0).all()
    assert (first != again).all()


def test_all_precisions_of_the_tables_are_known():
    assert set(accelerator.PRECISIONS) == set(dense_jax.PRECISIONS)


def test_one_that_raises_is_left_out_and_said():
    def broken():
        raise MemoryError("no room\nfor it")

    said, steps = [], []
    fine = Contender("fine", lambda: steps.append(1), lambda: None, 2.0)
    (done,) = accelerator.measure([broken, lambda: fine], 3, 0.0, said.append)
    assert said == ["left out: MemoryError: no room"]
    assert (done.name, done.operations, len(done.seconds)) == ("fine", 2.0, 3)
    assert len(steps) >= 3


def test_the_ceiling_takes_each_product_at_the_rate_of_its_quickest_chain():
    shapes = sorted(set(dense.products(CASE.sizes, CASE.batch)))
    assert shapes == [(6, 8, 8), (8, 6, 8)]
    chains = [
        Measured("JAX 6 × 8 × 8", (1.0, 2.0), 100.0),
        Measured("PyTorch 6 × 8 × 8", (9.0, 9.0), 100.0),
        Measured("JAX 8 × 6 × 8", (8.0, 8.0), 100.0),
        Measured("PyTorch 8 × 6 × 8", (4.0, 4.0), 100.0),
    ]
    # Three products (6, 8, 8) and two (8, 6, 8), each of 768 operations.
    expected = [3 * 7.68 * 1 + 2 * 7.68 * 4, 3 * 7.68 * 2 + 2 * 7.68 * 4]
    np.testing.assert_allclose(accelerator.ceiling(CASE, shapes, chains), expected)
    assert accelerator.ceiling(CASE, shapes, chains[:2]) == ()


def test_a_row_tells_the_share_of_the_ceiling():
    done = (
        Measured("purenet", (0.02, 0.02), 4e12, 2**31, 1.5),
        Measured("other", (0.04, 0.1), 4e12),
    )
    head, ours, other, alone = accelerator.rows(Result("", (0.01, 0.01), done))
    assert len(head) == len(ours) == len(other) == len(alone)
    assert ours[4:] == ("200", "50.0%", "1.00", "1.00 to 1.00", "2.00", "1.5")
    assert other[5:8] == ("17.5%", "3.50", "2.00 to 5.00")
    assert alone[0] == "products alone"
    assert alone[5] == "100.0%"
    assert accelerator.rows(Result("", (0.01,), ())) == [accelerator.HEAD]


def test_the_command_writes_a_page_and_every_number(capsys, tmp_path):
    options = ["--quick", "--runs", "2", "--precision", "bfloat16", "--without-torch"]
    assert accelerator.main([*options, "--output", str(tmp_path / "new")]) == 0
    (page,) = (tmp_path / "new").glob("*.md")
    written = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert [one["name"] for one in written["results"]] == [
        "2 layers of 32 / 16, bfloat16", "12-8-3 / 16",
    ]  # fmt: skip
    large, small = written["results"]
    assert [one["name"] for one in large["done"]] == ["purenet", "jax.value_and_grad"]
    assert [one["name"] for one in small["done"]] == ["purenet"]
    assert len(large["ceiling"]) == len(large["done"][0]["seconds"]) == 2
    printed, text = capsys.readouterr().out, page.read_text(encoding="utf-8")
    assert "jax" in text.splitlines()[0]
    for line in text.splitlines():
        assert line.startswith("#") or line in printed


def test_without_an_accelerator_only_toy_sizes_run(capsys):
    assert accelerator.main([]) == 2
    assert "--quick" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of PyTorch are not ours
@pytest.mark.parametrize("precision", accelerator.PRECISIONS)
def test_pytorch_starts_from_the_same_loss(precision):
    pytest.importorskip("torch")
    from benchmarks.peers import dense_torch

    assert set(dense_torch.PRECISIONS) == set(accelerator.PRECISIONS)
    ours, theirs = (make(CASE, precision) for make in (dense_jax.purenet, dense_torch.update))
    for _ in range(3):
        loss = theirs.loss(theirs.step())
        # With parameters of bfloat16, PyTorch keeps activations in it too.
        assert loss == pytest.approx(ours.loss(ours.step()), rel=5e-2)
    assert dense_torch.chain((3, 4, 5), precision).operations == 3 * 4 * 5 * 4 * dense_torch.PAIRS
