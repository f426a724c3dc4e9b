"""An arbitrary differentiable function: what is traced, and what is run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from purenet.prove.opaque import Opaque, opaque_p, stand_in

SIGMA = Opaque("sigma")
POINTS = np.linspace(-2.0, 2.0, 7)


def central(f, x, step=1e-5):
    return (np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * step)


@pytest.mark.parametrize("order", range(5))
def test_each_order_is_the_slope_of_the_one_below(order, x64):
    f = Opaque("sigma", order)

    assert np.allclose(f.derivative(POINTS), central(f, POINTS), rtol=1e-7, atol=1e-7)


def test_autodiff_gives_the_next_order(x64):
    for f in (SIGMA, SIGMA.derivative):
        _, pull = jax.vjp(f, POINTS)
        (slope,) = pull(np.ones_like(POINTS))

        assert np.allclose(slope, f.derivative(POINTS), rtol=1e-12)
    assert np.allclose(jax.vmap(jax.grad(jax.grad(SIGMA)))(POINTS), Opaque("sigma", 2)(POINTS))


def test_jit_and_vmap_change_nothing(x64):
    assert np.allclose(jax.jit(SIGMA)(POINTS), SIGMA(POINTS), rtol=1e-12)
    assert np.allclose(jax.vmap(SIGMA)(POINTS), SIGMA(POINTS), rtol=1e-12)


@pytest.mark.parametrize("order", range(5))
def test_numpy_gives_what_jax_gives(order, x64):
    by_numpy = stand_in(POINTS, name="sigma", order=order, by=np)

    assert isinstance(by_numpy, np.ndarray)
    assert np.allclose(by_numpy, Opaque("sigma", order)(POINTS), rtol=1e-14, atol=1e-14)


def test_two_names_are_two_functions(x64):
    assert not np.allclose(SIGMA(POINTS), Opaque("tau")(POINTS), atol=1e-2)
    assert len({SIGMA, Opaque("sigma"), Opaque("tau"), SIGMA.derivative}) == 3


def test_the_traced_program_has_one_symbol_per_order_with_symbolic_sizes(x64):
    shape = export.symbolic_shape("n, m")
    program = jax.make_jaxpr(lambda x: SIGMA(x) * SIGMA.derivative(x))(
        jax.ShapeDtypeStruct(shape, jnp.float64)
    )

    opaque = [e for e in program.eqns if e.primitive is opaque_p]
    assert [e.params for e in opaque] == [{"name": "sigma", "order": k} for k in (0, 1)]
    assert program.out_avals[0].shape == shape
    assert program.out_avals[0].dtype == np.float64


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_dtype_of_the_argument_is_kept(dtype):
    x = jnp.ones((2, 3), dtype)

    assert SIGMA(x).dtype == jax.jit(SIGMA)(x).dtype == dtype
    assert SIGMA(x).shape == (2, 3)


def test_integers_are_refused_by_name():
    with pytest.raises(ValueError, match=r"sigma': x has dtype int32; a float dtype expected"):
        SIGMA.derivative(jnp.arange(3))


def test_the_name_is_printed_with_a_prime_for_each_derivative():
    assert [str(SIGMA), str(SIGMA.derivative.derivative)] == ["sigma", "sigma''"]
