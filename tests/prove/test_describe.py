import jax
import jax.numpy as jnp
import pytest

from purenet.prove import domains as d
from purenet.prove.describe import sentence
from purenet.prove.replay import search

N = d.real("n")


def ones(x, ct):
    return ct * jnp.ones_like(x)


def picked(z, y):
    return jnp.take_along_axis(z, y[:, None], axis=1).sum()


def picked_pullback(z, y, ct):
    return ct * jax.nn.one_hot(y, z.shape[1], dtype=z.dtype) * (y != 0)[:, None], None


SENTENCES = {
    "off by the factor n": (jnp.mean, lambda x, ct: (ones(x, ct),), (N,)),
    "off by the factor 1/n": (jnp.sum, lambda x, ct: (ones(x, ct) / x.shape[0],), (N,)),
    "off by the factor n/(n-1)": (
        jnp.var,
        lambda x, ct: (ct * 2 * (x - x.mean()) / max(x.shape[0] - 1, 1),),
        (N,),
    ),
    "off by the factor 1/(b*k)": (
        jnp.sum,
        lambda x, ct: (ones(x, ct) / x.size,),
        (d.real("b k"),),
    ),
    "off by the factor 1/2": (lambda x: (x * x).sum(), lambda x, ct: (ct * x,), (N,)),
    "sign": (jnp.cos, lambda x, ct: (ct * jnp.sin(x),), (N,)),
    "off by the factor -2": (jnp.cos, lambda x, ct: (ct * 2 * jnp.sin(x),), (N,)),
    "off by the factor 3, right for n = 1 only": (
        jnp.sum,
        lambda x, ct: (ones(x, ct) * (1.0 if x.shape[0] == 1 else 3.0),),
        (N,),
    ),
    "right for n = 1 only": (
        lambda x: x / x.sum(),
        lambda x, ct: (0 * x,),
        (d.positive("n"),),
    ),
    "it is 0 where the derivative is not": (jnp.sin, lambda x, ct: (0 * x,), (N,)),
    "the cotangent is not used": (jnp.sin, lambda x, ct: (jnp.cos(x),), (N,)),
    "the cotangent is used twice": (jnp.sin, lambda x, ct: (jnp.cos(x) * ct * ct,), (N,)),
    "the term of the second cotangent is missing": (
        lambda x: (jnp.sin(x), x**3),
        lambda x, ct: (jnp.cos(x) * ct[0],),
        (N,),
    ),
    "transposed": (
        lambda x, w: x @ w,
        lambda x, w, ct: (ct @ w.T, ct.T @ x),
        (d.real("b i"), d.real("i o")),
    ),
    "its shape is (2,) where (2, 3) is expected": (
        lambda x: (x * x).sum(),
        lambda x, ct: (2 * ct * x.sum(1),),
        (d.real("b k"),),
    ),
    "right except where x == 0": (
        lambda x: x**3,
        lambda x, ct: (ct * jnp.where(x == 0, 7.0, 3 * x**2),),
        (N,),
    ),
    "right except where x == y": (
        lambda x, y: x * y,
        lambda x, y, ct: (ct * jnp.where(x == y, 7.0, y), ct * x),
        (N, N),
    ),
    "right except where x < 0": (
        jnp.sin,
        lambda x, ct: (ct * jnp.where(x < 0, 0.0, jnp.cos(x)),),
        (N,),
    ),
    "right except where y == 0": (
        picked,
        picked_pullback,
        (d.real("b k"), d.label("b", classes="k")),
    ),
    "it is the entry of y": (
        lambda x, y: x * y**2,
        lambda x, y, ct: (2 * ct * x * y, 2 * ct * x * y),
        (N, N),
    ),
    "the factor x is missing": (lambda x: x**3, lambda x, ct: (ct * 3 * x,), (N,)),
    "the factor (1 - output) is missing": (
        jax.nn.sigmoid,
        lambda x, ct: (ct * jax.nn.sigmoid(x),),
        (N,),
    ),
    "the term cotangent is too many": (
        lambda x: x * x,
        lambda x, ct: (ct * (2 * x + 1),),
        (N,),
    ),
    "reversed along axis 0": (
        lambda x: (jnp.arange(x.shape[0], dtype=x.dtype) * x).sum(),
        lambda x, ct: (ct * jnp.arange(x.shape[0], dtype=x.dtype)[::-1],),
        (d.real("n"),),
    ),
    "": (jnp.sin, lambda x, ct: (ct * jnp.exp(-x * x),), (N,)),
}


@pytest.fixture(autouse=True)
def as_users_run():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.mark.parametrize("said", SENTENCES)
def test_the_difference_is_put_in_words(said):
    f, pullback, domains = SENTENCES[said]
    found = search(f, pullback, domains)
    assert sentence(f, pullback, domains, found) == said


def test_constraints_are_kept():
    def pullback(x, ct):
        return (ct * jnp.ones_like(x) * (5.0 if x.shape[0] == 2 else 2.0),)

    found = search(jnp.sum, pullback, (N,), "n >= 3")
    assert sentence(jnp.sum, pullback, (N,), found, "n >= 3") == "off by the factor 2"
