import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet.prove.opaque import Opaque
from purenet.prove.quick import evaluate

X = np.array([[0.5, -1.25, 2.0], [0.75, 0.0, -0.5]])
AT = np.array([2, 0, 1])

PROGRAMS = {
    "elementwise": lambda x: [
        jnp.exp(x), jnp.tanh(x), jax.nn.sigmoid(x), jnp.log1p(x * x), jnp.expm1(x), jnp.sign(x),
        jax.lax.erf(x), jax.lax.erfc(x), jnp.floor(x), jnp.round(x), jax.lax.rsqrt(x * x + 1), x**3,
        jnp.exp2(x), jnp.abs(x) ** 1.5, jnp.arctan2(x, x + 3), jnp.clip(x, -1, 1), x % 2,
    ],
    "not finite": lambda x: [1 / x, jnp.log(x), jnp.maximum(x, jnp.nan), x / 0, jnp.sqrt(x)],
    "reductions": lambda x: [
        x.sum(0), x.max(1), x.min(), x.prod(1), (x > 0).any(0), (x > 0).all(1), jnp.argmax(x, 1),
        jnp.argmin(x, 0), jnp.cumsum(x, 1), jax.lax.cumsum(x, 1, reverse=True), jnp.cumprod(x, 0),
        jax.lax.cummax(x, 1), jax.nn.logsumexp(x, 1),
    ],
    "shapes": lambda x: [
        x.T, x.reshape(3, 2), x[None], x[::-1], x[:, ::2], jnp.concatenate([x, x], 1),
        jnp.stack([x, x], 1), *jnp.split(x, [1], 1), jnp.pad(x, ((1, 0), (0, 2))),
        jax.lax.pad(x, 7.0, ((-1, 1, 0), (1, -1, 2))), jnp.broadcast_to(x[:, None], (2, 4, 3)),
        jnp.arange(5), jnp.eye(3), jnp.tril(x), jnp.flip(x, 1), jnp.roll(x, 1, 1), jnp.sort(x, 1),
    ],
    "products": lambda x: [
        x @ x.T, x.T @ x, jnp.einsum("bi,bj->bij", x, x), jnp.vdot(x, x), jnp.outer(x[0], x[1]),
        jnp.einsum("bi,bi->b", x, x), jnp.einsum("bij,bj->bi", x[:, None] * x[..., None], x),
    ],
    "gather and scatter": lambda x: [
        x[:, AT], x[AT % 2], x[AT % 2, AT], jnp.take_along_axis(x, AT[:2, None], 1), x[:, 1],
        x.at[:, AT].add(2.0), x.at[0, 1].set(9.0), x.at[AT % 2, AT].add(x[0]),
        jax.ops.segment_sum(x.T, AT, 3), jnp.take(x, AT * 9, axis=1, mode="clip"),
        jnp.take(x, AT * 9, axis=1, mode="fill"), jax.lax.dynamic_slice(x, (1, 2), (1, 1)),
        jax.vmap(lambda row, i: row[i])(x, AT[:2]),
        jax.grad(lambda y: (jnp.take_along_axis(y, AT[:2, None], 1) ** 2).sum())(x),
        jax.vmap(lambda row, i: row.at[i].add(row[0]))(x, AT[:2]),
    ],
    "control": lambda x: [
        jax.lax.scan(lambda c, r: (c + r, c * r), x[0], x)[1],
        jax.lax.scan(lambda c, r: (c + r, c * r), x[0], x, reverse=True)[1],
        jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x),
        jax.lax.while_loop(lambda y: y.sum() < 50, lambda y: 2 * y + 1, x),
        jnp.where(x > 0, x, 0), jax.lax.select_n(jnp.int32(2), x, x + 1, x + 2),
    ],
    "functions": lambda x: [
        jax.nn.softmax(x), jax.nn.gelu(x), jax.nn.one_hot(AT, 3), jnp.linalg.norm(x, axis=1),
        Opaque("sigma")(x), Opaque("sigma", 2)(x), jax.lax.stop_gradient(x), jnp.sinc(x),
    ],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_numpy_gives_what_jax_gives(name):
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        program = jax.make_jaxpr(PROGRAMS[name])(X)
        expected = jax.jit(PROGRAMS[name])(X)
        for given, jax_value in zip(evaluate(program, X), expected, strict=True):
            assert given.shape == jax_value.shape
            assert given.dtype == jax_value.dtype
            np.testing.assert_allclose(given, jax_value, rtol=1e-13, atol=1e-14)


def test_an_observer_sees_each_equation_inside_calls_too():
    seen = []
    with jax.enable_x64(True):
        program = jax.make_jaxpr(jax.jit(lambda x: jnp.sin(x) * 2.0))(X)
        evaluate(program, X, observe=lambda eqn, values, outs: seen.append(eqn.primitive.name))
    assert seen == ["sin", "mul"]
