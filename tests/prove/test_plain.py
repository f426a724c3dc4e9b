import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet.prove.plain import plain


@jax.custom_vjp
def lying(x):
    return x * x


lying.defvjp(lambda x: (x * x, x), lambda x, cotangent: (7.0 * cotangent,))


@jax.custom_jvp
def dishonest(x):
    return x * x


dishonest.defjvp(lambda primals, tangents: (dishonest(*primals), 7.0 * tangents[0]))


def stopped(x):
    return jax.lax.stop_gradient(x) * x


def in_scan(g):
    return lambda x: jax.lax.scan(lambda carry, _: (carry + g(x), None), 0.0 * x, length=1)[0]


def in_cond(g):
    return lambda x: jax.lax.cond(x > 0, g, lambda y: y, x)


WRAPPERS = {
    "alone": lambda g: g,
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "scan": in_scan,
    "cond": in_cond,
    "scan of cond of jit": lambda g: in_scan(in_cond(jax.jit(g))),
    "vmap": lambda g: lambda x: jax.vmap(g)(x[None])[0],
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("g", [lying, dishonest, stopped], ids=["vjp", "jvp", "stop_gradient"])
def test_the_derivative_is_that_of_the_value(g, wrapper):
    f = WRAPPERS[wrapper](g)
    assert float(plain(f)(jnp.float32(3.0))) == float(f(jnp.float32(3.0)))
    assert float(jax.grad(plain(f))(jnp.float32(3.0))) == pytest.approx(6.0)
    assert float(jax.grad(f)(jnp.float32(3.0))) != pytest.approx(6.0)


def test_a_body_of_a_while_loop_is_rewritten():
    def f(x):
        return jax.lax.while_loop(lambda y: y < 10, lambda y: lying(y), x)

    _, tangent = jax.jvp(plain(f), (jnp.float32(2.0),), (jnp.float32(1.0),))
    assert float(tangent) == pytest.approx(4 * 2.0**3)


def test_pytrees_go_in_and_come_out():
    def f(pair):
        return {"a": lying(pair[0]), "b": stopped(pair[1])}

    x = (jnp.float32(2.0), jnp.float32(5.0))
    out, pull = jax.vjp(plain(f), x)
    assert set(out) == {"a", "b"}
    (back,) = pull({"a": jnp.float32(1.0), "b": jnp.float32(1.0)})
    np.testing.assert_allclose(back, (4.0, 10.0))
