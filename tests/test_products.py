"""aᵀ δ is the same in every form, and on CPU in the form that XLA's fast library takes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet import products

FORMS = [products.plain, products.narrow]
WIDTHS = [1, 2, products.NARROW, products.NARROW + 1]


def drawn(batch, inputs, outputs):
    rng = np.random.default_rng([batch, inputs, outputs])
    shapes = (batch, inputs), (batch, outputs)
    return [jnp.asarray(rng.normal(size=s), jnp.float32) for s in shapes]


@pytest.mark.parametrize("outputs", WIDTHS)
def test_every_form_is_the_sum_over_the_examples(outputs):
    a, delta = drawn(5, 3, outputs)
    expected = sum(np.outer(x, d) for x, d in zip(np.float64(a), np.float64(delta), strict=True))
    forms = [functools.partial(form, jnp.matmul) for form in FORMS]
    for form in (*forms, functools.partial(products.transposed_product, jnp.matmul)):
        np.testing.assert_allclose(form(a, delta), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("outputs", [3, products.NARROW + 1])
def test_it_is_mapped_and_differentiated_like_the_plain_product(outputs):
    pairs = [drawn(4 + i, 3, outputs) for i in (0, 0)]
    a, delta = (jnp.stack(arrays) for arrays in zip(*pairs, strict=True))
    shipped = functools.partial(products.transposed_product, jnp.matmul)
    plain = functools.partial(products.plain, jnp.matmul)
    np.testing.assert_allclose(jax.vmap(shipped)(a, delta), jax.vmap(plain)(a, delta), rtol=1e-5)
    primals, tangents = (a[0], delta[0]), (delta[0][:, :3], jnp.flip(delta[0]))
    for one, other in zip(
        jax.jvp(shipped, primals, tangents), jax.jvp(plain, primals, tangents), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_no_left_factor_of_a_narrow_layer_is_transposed_on_a_cpu():
    if jax.default_backend() != "cpu":
        pytest.skip("the form is that of a CPU")
    shapes = [jax.ShapeDtypeStruct((256, n), jnp.float32) for n in (784, 10)]
    shipped, plain = (
        jax.jit(functools.partial(form, jnp.matmul)).lower(*shapes).compile().as_text()
        for form in (products.transposed_product, products.plain)
    )
    # Should XLA learn the transposed form, the plain product is all that is needed.
    assert "lhs_contracting_dims={0}" in plain
    assert "lhs_contracting_dims={1}" in shipped
    assert "lhs_contracting_dims={0}" not in shipped


def test_a_batch_of_narrow_products_beside_another_product_is_compiled(x64):
    # With a barrier around the product this stopped the process (jaxlib 0.10.2).
    def both(a, delta, w):
        shared = jnp.sin(a @ w) * delta
        return products.narrow(jnp.matmul, a, shared), shared @ w.T, a.mT @ shared

    arrays = [jnp.ones((64, 2, 2)) for _ in range(3)]
    dw, _, expected = jax.jit(jax.vmap(both))(*arrays)
    np.testing.assert_allclose(dw, expected)


def test_the_form_follows_from_the_width():
    forms = [products.on_cpu(width).__name__ for width in WIDTHS]
    assert forms == ["plain", "narrow", "narrow", "plain"]


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_an_accelerator_gets_the_plain_product(platform):
    a, delta = (jax.ShapeDtypeStruct((256, n), jnp.float32) for n in (784, 10))
    shipped = jax.jit(functools.partial(products.transposed_product, jnp.matmul))
    text = shipped.trace(a, delta).lower(lowering_platforms=(platform,)).as_text()
    assert "optimization_barrier" not in text
    assert text.count("stablehlo.dot_general") == 1
