"""The benchmark of the products runs, and every column of it is the product that it names."""

import jax.numpy as jnp
import numpy as np

from benchmarks import products


def test_every_column_is_its_product():
    rng = np.random.default_rng(0)
    w, a, delta = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((3, 2), (5, 3), (5, 2)))
    by_hand = {"a W": a @ w, "δ Wᵀ": delta @ w.T}
    for name, product in products.PRODUCTS.items():
        expected = by_hand.get(name, a.T @ delta)
        np.testing.assert_allclose(product(w, a, delta), expected, rtol=1e-5, atol=1e-6)


def test_the_table_has_a_row_for_each_layer(capsys):
    assert products.main(["--quick", "--runs", "2"]) == 0
    head, row = (line for line in capsys.readouterr().out.splitlines() if " × " in line)
    assert row.split("|")[1].strip() == "8 × 16 × 4"
    assert len(row.split("|")) == len(head.split("|"))
    assert all(float(cell) > 0 for cell in row.split("|")[2:-1])
