import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from purenet.prove import domains as d
from purenet.prove.replay import Counterexample, check, equal_search, evaluate, search


def softmax_pullback(x, ct):
    p = jax.nn.softmax(x, axis=-1)
    return (p * (ct - (p * ct).sum(-1, keepdims=True)),)


def sinc(x):
    safe = jnp.where(x == 0, 1.0, x)
    return jnp.where(x == 0, 1.0, jnp.sin(safe) / safe)


def sinc_slope(at_zero):
    def pullback(x, ct):
        safe = jnp.where(x == 0, 1.0, x)
        return (ct * jnp.where(x == 0, at_zero, (jnp.cos(safe) - sinc(safe)) / safe),)

    return pullback


def naive_sinc(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / x)


def normalised(x):
    return x * jax.lax.rsqrt(jnp.maximum((x * x).sum(), 1e-12))


def normalised_pullback(x, ct):
    total = (x * x).sum()
    r = jax.lax.rsqrt(jnp.maximum(total, 1e-12))
    return (r * ct - jnp.where(total > 1e-12, r**3 * (x * ct).sum(), 0.0) * x,)


def masked(x, keep):
    return jax.nn.softmax(jnp.where(keep, x, -jnp.inf), axis=-1)


def masked_pullback(x, keep, ct):
    p = masked(x, keep)
    return p * (ct - (p * ct).sum(-1, keepdims=True)), None


def picked(z, y):
    return jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).sum()


def picked_pullback(z, y, ct):
    hot = jax.nn.one_hot(y, z.shape[1], dtype=z.dtype)
    return ct * (hot - jax.nn.softmax(z)), None


def dense(params, x):
    return x @ params["w"] + params["b"][None, :]


def dense_pullback(params, x, ct):
    return {"w": x.T @ ct, "b": ct.sum(0)}, ct @ params["w"].T


N = d.real("n")
DENSE = ({"w": d.real("i o"), "b": d.real("o")}, d.real("b i"))

# Right for real numbers: kinks, ties, ends of a domain, cancellation, overflow.
RIGHT = {
    "relu, 0 at the kink": (jax.nn.relu, lambda x, ct: (jnp.where(x > 0, ct, 0.0),), (N,)),
    "relu, 1 at the kink": (jax.nn.relu, lambda x, ct: (jnp.where(x >= 0, ct, 0.0),), (N,)),
    "relu both ways, whose kinks cancel in one cotangent": (
        lambda x: (jax.nn.relu(x), jax.nn.relu(-x)),
        lambda x, ct: (jnp.where(x > 0, ct[0], 0.0) - jnp.where(x < 0, ct[1], 0.0),),
        (N,),
    ),
    "abs": (jnp.abs, lambda x, ct: (ct * jnp.where(x < 0, -1.0, 1.0),), (N,)),
    "maximum with its tie on one side": (
        jnp.maximum,
        lambda x, y, ct: (jnp.where(x >= y, ct, 0.0), jnp.where(x >= y, 0.0, ct)),
        (N, N),
    ),
    "norm, nan at its kink": (
        lambda x: jnp.sqrt((x * x).sum()),
        lambda x, ct: (ct * x / jnp.sqrt((x * x).sum()),),
        (N,),
    ),
    "softmax": (lambda x: jax.nn.softmax(x, axis=-1), softmax_pullback, (d.real("b k"),)),
    "softplus by exp, which overflows": (
        lambda x: jnp.logaddexp(x, 0.0),
        lambda x, ct: (ct * jnp.exp(x) / (1 + jnp.exp(x)),),
        (N,),
    ),
    "softplus by 1 - sigmoid, which cancels": (
        lambda x: jnp.logaddexp(x, 0.0),
        lambda x, ct: (ct * (1 - jax.nn.sigmoid(-x)),),
        (N,),
    ),
    "tanh by exp": (
        jnp.tanh,
        lambda x, ct: (ct * (1 - ((jnp.exp(2 * x) - 1) / (jnp.exp(2 * x) + 1)) ** 2),),
        (N,),
    ),
    "log at the end of its domain": (jnp.log, lambda x, ct: (ct / x,), (d.positive("n"),)),
    "logit at both ends": (
        lambda x: jnp.log(x / (1 - x)),
        lambda x, ct: (ct / (x * (1 - x)),),
        (d.real("n", low=0, high=1),),
    ),
    "reciprocal": (lambda x: 1 / x, lambda x, ct: (-ct / x**2,), (d.nonzero("n"),)),
    "sinc": (sinc, sinc_slope(0.0), (N,)),
    "sinc that autodiff gets wrong": (naive_sinc, sinc_slope(0.0), (N,)),
    "identity that autodiff gets wrong at 0": (
        lambda x: jnp.where(x == 0, 0.0, x),
        lambda x, ct: (ct,),
        (N,),
    ),
    "a bend finer than the steps": (normalised, normalised_pullback, (N,)),
    "mask of -inf, with empty rows": (
        masked,
        masked_pullback,
        (d.real("b k"), d.boolean("b k")),
    ),
    "labels": (picked, picked_pullback, (d.real("b k"), d.label("b", classes="k"))),
    "entropy": (
        lambda p: -(p * jnp.log(p)).sum(),
        lambda p, ct: (-ct * (jnp.log(p) + 1),),
        (d.distribution("b k"),),
    ),
    "scalars": (
        lambda t, x: jnp.exp(t) * x,
        lambda t, x, ct: (ct * jnp.exp(t) * x, ct * jnp.exp(t)),
        (d.real(), d.positive()),
    ),
    "pytree": (dense, dense_pullback, DENSE),
    "not differentiated": (jnp.multiply, lambda x, y, ct: (ct * y, None), (N, N)),
    "any function": (
        lambda s, x: s(x),
        lambda s, x, ct: (None, ct * s.derivative(x)),
        (d.function("s"), N),
    ),
    "stop_gradient in a shift": (
        lambda x: jax.nn.logsumexp(x),
        lambda x, ct: (ct * jax.nn.softmax(x),),
        (N,),
    ),
    "integer output": (
        lambda x: (x * x, jnp.argmax(x)),
        lambda x, ct: (2 * x * ct[0],),
        (N,),
    ),
    "scan": (
        lambda x: jax.lax.scan(lambda c, r: (c * r, None), jnp.ones((), x.dtype), x)[0],
        lambda x, ct: (jax.grad(lambda y: jnp.prod(y))(x) * ct,),
        (N,),
    ),
}

# Wrong somewhere: the argument whose entry is wrong, and what has to hold of the counterexample.
WRONG = {
    "everywhere": (jnp.sin, lambda x, ct: (ct * jnp.sin(x),), (N,), "x", None),
    "only at 0": (
        lambda x: x**3,
        lambda x, ct: (ct * jnp.where(x == 0, 7.0, 3 * x**2),),
        (N,),
        "x",
        lambda c: (c.arguments[0] == 0).any(),
    ),
    "only at 0, a removable singularity": (sinc, sinc_slope(7.0), (N,), "x", None),
    "only at 0, where autodiff is nan too": (naive_sinc, sinc_slope(7.0), (N,), "x", None),
    "only at 0, as autodiff is": (
        lambda x: jnp.where(x == 0, 0.0, x),
        lambda x, ct: (jnp.where(x == 0, 0.0, ct),),
        (N,),
        "x",
        lambda c: c.true[c.arguments[0] == 0].any(),
    ),
    "nan at 0": (
        sinc,
        lambda x, ct: (ct * (jnp.cos(x) - sinc(x)) / x,),
        (N,),
        "x",
        lambda c: np.isnan(c.rule).any() and np.isfinite(c.true).all(),
    ),
    "only at a tie of two arguments": (
        lambda x, y: x * y,
        lambda x, y, ct: (jnp.where(x == y, 0.0, ct * y), ct * x),
        (N, N),
        "x",
        lambda c: (c.arguments[0] == c.arguments[1]).any(),
    ),
    "only at a tie inside": (
        lambda x: x**3,
        lambda x, ct: (ct * 3 * x**2 + (x == jnp.roll(x, 1)) * (x.shape[0] > 1),),
        (N,),
        "x",
        lambda c: c.sizes == {"n": 2},
    ),
    "only below 0": (
        lambda x: x**3,
        lambda x, ct: (ct * 3 * x * jnp.maximum(x, 0.0),),
        (N,),
        "x",
        lambda c: (c.arguments[0] < 0).any(),
    ),
    "nan below 0": (
        lambda x: jnp.abs(x) ** 3,
        lambda x, ct: (ct * 3 * jnp.sign(x) * jnp.sqrt(x) ** 4,),
        (N,),
        "x",
        lambda c: np.isnan(c.rule).any(),
    ),
    "only far out": (
        lambda x: jnp.logaddexp(x, 0.0),
        lambda x, ct: (ct * jnp.where(x > 10, 0.0, jax.nn.sigmoid(x)),),
        (N,),
        "x",
        lambda c: c.arguments[0].max() > 10,
    ),
    "only at a number that the rule mentions": (
        lambda x: x**2,
        lambda x, ct: (ct * jnp.where(x == 0.375, 0.0, 2 * x),),
        (N,),
        "x",
        lambda c: (c.arguments[0] == 0.375).any(),
    ),
    "only for n = 1": (
        jnp.sum,
        lambda x, ct: (jnp.full_like(x, 2.0 if x.shape[0] == 1 else 1.0) * ct,),
        (N,),
        "a",
        lambda c: c.sizes == {"n": 1},
    ),
    "only for n > 1": (
        jnp.mean,
        lambda x, ct: (jnp.full_like(x, 1.0) * ct,),
        (N,),
        "a",
        lambda c: c.sizes == {"n": 2} and c.true.tolist() == [0.5, 0.5],
    ),
    "only where two sizes are equal": (
        lambda x: x**2,
        lambda x, ct: (ct * 2 * x * (1.0 if x.shape[0] != x.shape[1] else 2.0),),
        (d.real("n m"),),
        "x",
        lambda c: c.sizes == {"n": 1, "m": 1},
    ),
    "only where two sizes differ": (
        lambda x: x**2,
        lambda x, ct: (ct * 2 * x * (1.0 if x.shape[0] == x.shape[1] else 2.0),),
        (d.real("n m"),),
        "x",
        lambda c: sorted(c.sizes.values()) == [1, 2],
    ),
    "only for one label": (
        picked,
        lambda z, y, ct: (
            ct * (jax.nn.one_hot(y, z.shape[1], dtype=z.dtype) - jax.nn.softmax(z))
            * (y != 1)[:, None],
            None,
        ),
        (d.real("b k"), d.label("b", classes="k")),
        "z",
        lambda c: (c.arguments[1] == 1).any(),
    ),
    "its shape": (
        lambda x, w: x @ w,
        lambda x, w, ct: (ct @ w.T, ct.T @ x),
        (d.real("b i"), d.real("i o")),
        "w",
        None,
    ),
    "a rule that raises unless two sizes are equal": (
        lambda x, w: x @ w,
        lambda x, w, ct: (ct @ w, x.T @ ct),
        (d.real("b i"), d.real("i o")),
        "x",
        lambda c: c.sizes["i"] == c.sizes["o"] > 1,
    ),
    "in a leaf of a pytree": (
        dense,
        lambda params, x, ct: ({"w": x.T @ ct, "b": ct.mean(0)}, ct @ params["w"].T),
        DENSE,
        "params['b']",
        lambda c: c.argument == 0 and c.sizes["b"] == 2,
    ),
    "the only argument that is differentiated": (
        lambda x, y: x * y,
        lambda x, y, ct: (None, ct * y),
        (N, N),
        "y",
        lambda c: c.argument == 1,
    ),
    "a scalar": (
        lambda t, x: t * x,
        lambda t, x, ct: (jnp.vdot(ct, x) * jnp.where(t == 0, 0.0, 1.0), ct * t),
        (d.real(), N),
        "t",
        lambda c: c.arguments[0] == 0 and c.rule == 0 != c.true,
    ),
    "straight through a step": (
        jnp.round,
        lambda x, ct: (ct,),
        (N,),
        None,
        lambda c: (c.true == 0).all(),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def as_users_run():
    """Rules are written as people write them, under JAX's own settings."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def find(f, pullback, domains, sizes="", **options) -> Counterexample | None:
    return search(f, pullback, domains, sizes, **options)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rule_is_never_refuted(name):
    assert find(*RIGHT[name]) is None


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_found_and_running_it_shows_it(name):
    f, pullback, domains, path, holds = WRONG[name]
    found = find(f, pullback, domains)
    assert found is not None
    assert path is None or found.path == path
    assert holds is None or holds(found)
    entry = evaluate(pullback, (*found.arguments, found.cotangent))[found.argument]
    leaves = jax.tree.leaves(entry)
    assert any(np.allclose(leaf, found.rule, 1e-12, 0.0, equal_nan=True) for leaf in leaves)
    assert found.rule.shape != found.true.shape or not np.allclose(found.rule, found.true)
    out = evaluate(f, found.arguments)
    assert jax.tree.structure(out) == jax.tree.structure(found.cotangent)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_the_answer_does_not_hang_on_the_seed(name):
    f, pullback, domains = (RIGHT | WRONG)[name][:3]
    for seed in range(1, 6):
        assert (find(f, pullback, domains, seed=seed) is None) == (name in RIGHT)


def test_the_true_value_is_what_differences_give():
    f, pullback, domains, _, _ = WRONG["everywhere"]
    found = find(f, pullback, domains)
    step = 1e-6
    ahead, behind = (np.sin(found.arguments[0] + s) for s in (step, -step))
    np.testing.assert_allclose(found.true, found.cotangent * (ahead - behind) / (2 * step), 1e-8)


def test_a_counterexample_is_small():
    found = find(*WRONG["everywhere"][:3])
    assert found.sizes == {"n": 1}
    assert found.arguments[0].tolist() == [1.0]
    assert found.cotangent.tolist() == [1.0]


def test_constraints_are_kept():
    def pullback(x, ct):
        return (jnp.full_like(x, 1.0 if x.shape[0] >= 3 else 5.0) * ct,)

    assert find(jnp.sum, pullback, (N,)) is not None
    assert find(jnp.sum, pullback, (N,), "n >= 3") is None


def test_the_cotangent_of_an_integer_output_is_jaxs_zeros():
    def f(x):
        return x * x, jnp.argmax(x)

    found = find(f, lambda x, ct: (x * ct[0],), (N,))
    assert found.cotangent[1].dtype == jax.dtypes.float0


def test_nothing_is_run_after_the_deadline():
    assert find(*WRONG["everywhere"][:3], deadline=time.monotonic() - 1) is None


def test_no_global_flag_is_changed():
    find(*WRONG["everywhere"][:3])
    assert not jax.config.jax_enable_x64


@pytest.mark.parametrize(
    ("pullback", "message"),
    [
        (lambda x, ct: ct, "a tuple of 1 entries expected"),
        (lambda x, ct: (ct, ct), "returned 2; a tuple of 1 entries expected"),
    ],
)
def test_a_result_that_is_not_like_the_arguments(pullback, message):
    with pytest.raises(ValueError, match=message):
        find(jnp.sin, pullback, (N,))


def test_an_entry_that_is_not_like_its_pytree():
    with pytest.raises(ValueError, match="entry 0 is not like argument 0"):
        find(dense, lambda params, x, ct: ((ct, ct), ct), DENSE)


def test_a_function_without_a_real_output():
    with pytest.raises(ValueError, match="no output is a real array"):
        find(jnp.argmax, lambda x, ct: (None,), (N,))


def test_what_the_rule_raises_everywhere_passes_through():
    def pullback(x, ct):
        raise TypeError("no such thing")

    with pytest.raises(TypeError, match="no such thing"):
        find(jnp.sin, pullback, (N,))


def test_a_given_point_is_checked():
    def pullback(x, ct):
        return (ct * jnp.where(x == 0.123, 0.0, jnp.cos(x)),)

    one = np.ones(1)
    assert check(jnp.sin, pullback, (N,), {"n": 1}, (np.array([0.123]),), (one,)).path == "x"
    assert check(jnp.sin, pullback, (N,), {"n": 1}, (np.array([0.124]),), (one,)) is None


EQUAL = {
    "logsumexp": (jax.nn.logsumexp, lambda x: jnp.log(jnp.exp(x).sum()), (N,)),
    "softplus": (jax.nn.softplus, lambda x: jnp.log(1 + jnp.exp(x)), (N,)),
    "variance": (jnp.var, lambda x: (x**2).mean() - x.mean() ** 2, (N,)),
    "removable singularity": (sinc, lambda x: jnp.sin(x) / x, (N,)),
    "argmax of softmax": (jnp.argmax, lambda x: jnp.argmax(jax.nn.softmax(x)), (N,)),
    "two outputs": (lambda x: (x, x + x), lambda x: (x, 2 * x), (N,)),
}
UNEQUAL = {
    "everywhere": (jnp.sin, jnp.cos, (N,), "output"),
    "at 0": (lambda x: x, lambda x: jnp.where(x == 0, 1.0, x), (N,), "output"),
    "for n > 1": (jnp.sum, jnp.mean, (N,), "output"),
    "the second output": (lambda x: (x, x), lambda x: (x, 2 * x), (N,), "output[1]"),
    "their shapes": (lambda x: x, lambda x: x[None], (N,), "output"),
    "far out": (lambda x: x, lambda x: jnp.minimum(x, 10.0), (N,), "output"),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_functions_do_not_differ(name):
    assert equal_search(*EQUAL[name]) is None


@pytest.mark.parametrize("name", UNEQUAL)
def test_a_difference_of_two_functions_is_found(name):
    f, g, domains, path = UNEQUAL[name]
    found = equal_search(f, g, domains)
    assert found.path == path
    values = [jax.tree.leaves(evaluate(h, found.arguments))[found.output] for h in (f, g)]
    assert np.array_equal(values[0], found.left)
    assert np.array_equal(values[1], found.right)
    assert found.left.shape != found.right.shape or not np.allclose(found.left, found.right)


def test_evaluate_is_float64_and_keeps_static_values():
    def f(tree, axis, name):
        assert name == "total"
        return {"out": tree["x"].sum(axis)}

    out = evaluate(f, ({"x": np.array([[1.0, 1e-12]])}, 1, "total"))
    assert out["out"].dtype == np.float64
    assert out["out"].tolist() == [1.0 + 1e-12]
