"""The interpreter: what each primitive means, against JAX; and which programs it can read."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax

from purenet.prove import boolean, distribution, front, function, label, nonzero, positive, real
from purenet.prove.interpret import control
from purenet.prove.interpret.run import PRIMITIVES, RULES
from purenet.prove.interpret.tensor import Unknown
from purenet.prove.programs import read
from purenet.prove.selfcheck import agrees
from purenet.prove.sizes import Sizes
from purenet.prove.tracing import trace

SIZES = {"n": 2, "m": 3, "k": 4, "b": 5}
X, Y, ROW = real("n m"), real("n m"), real("n")
WHOLE, TRUTH = label("n m", classes="k"), boolean("n m")


def used(jaxpr) -> Iterator[str]:
    """The primitives of a program, and of the programs inside it."""
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        yield equation.primitive.name
        for parameter in equation.params.values():
            for part in parameter if isinstance(parameter, tuple | list) else (parameter,):
                if hasattr(part, "eqns") or hasattr(part, "jaxpr"):
                    yield from used(part)


def bound(name, *arrays, **parameters):
    """A primitive that jax.numpy has no function for, used by itself."""
    return getattr(lax, f"{name}_p").bind(*arrays, **parameters)


def loop(x):
    """The sum and the largest entry of each column, by a scan over the rows."""

    def step(carry, row):
        total, largest = carry
        return (total + row, jnp.maximum(largest, row)), row * row

    return lax.scan(step, (jnp.zeros_like(x[0]), jnp.full_like(x[0], -jnp.inf)), x)


@jax.custom_jvp
def with_jvp(x):
    return jnp.sin(x)


@jax.custom_vjp
def with_vjp(x):
    return jnp.cos(x)


with_jvp.defjvp(lambda x, t: (jnp.sin(x[0]), jnp.cos(x[0]) * t[0]))
with_vjp.defvjp(lambda x: (jnp.cos(x), x), lambda x, ct: (-ct * jnp.sin(x),))


PROGRAMS = {
    "abs": (jnp.abs, [X]),
    "add": (jnp.add, [X, Y]),
    "add_any": (lambda x: jax.vjp(lambda x: jnp.sin(x) * x, x)[1](x)[0], [X]),
    "and": (lambda x, t: (x > 0) & t, [X, TRUTH]),
    "argmax": (lambda x: jnp.argmax(x, 1), [X]),
    "argmin": (lambda x: jnp.argmin(x, 0), [X]),
    "asinh": (jnp.arcsinh, [X]),
    "atan": (jnp.arctan, [X]),
    "broadcast_in_dim": (lambda x: jnp.broadcast_to(x[:, None], (x.shape[0], 3)), [ROW]),
    "ceil": (jnp.ceil, [X]),
    "clamp": (lambda x: lax.clamp(-0.5, x, 1.0), [X]),
    "concatenate": (lambda x, y: jnp.concatenate([x, 2 * y, x], 1), [X, real("n 1")]),
    "cond": (lambda x: lax.cond(True, jnp.sin, jnp.cos, x), [X]),
    "convert_element_type": (lambda x, y: x * (y > 0).astype(x.dtype), [X, Y]),
    "copy": (lambda x: bound("copy", x), [X]),
    "cos": (jnp.cos, [X]),
    "cosh": (jnp.cosh, [X]),
    "cumsum": (lambda x: (lax.cumsum(x, 1), lax.cumsum(x, 0, reverse=True)), [X]),
    "custom_jvp_call": (with_jvp, [X]),
    "custom_vjp_call": (with_vjp, [X]),
    "digamma": (lax.digamma, [positive("n m")]),
    "dim_as_value": (lambda x: x.sum() / x.shape[0], [X]),
    "div": (jnp.divide, [X, nonzero("n m")]),
    "dot_general": (lambda x, y: jnp.einsum("bnm,bkm->bkn", x, y), [real("b n m"), real("b k m")]),
    "dynamic_slice": (lambda x: lax.dynamic_slice(x, (0, 0), (x.shape[0], 1)), [X]),
    "eq": (lambda x, y: x == y, [X, Y]),
    "erf": (lax.erf, [X]),
    "erfc": (lax.erfc, [X]),
    "exp": (jnp.exp, [X]),
    "exp2": (jnp.exp2, [X]),
    "expm1": (jnp.expm1, [X]),
    "floor": (jnp.floor, [X]),
    "gather": (lambda x, y: x[:, y], [real("n k"), label("m", classes="k")]),
    "ge": (lambda x, y: x >= y, [X, Y]),
    "gt": (lambda x, y: x > y, [X, Y]),
    "integer_pow": (lambda x: (x**3, x**-3), [nonzero("n m")]),
    "iota": (lambda x: x * jnp.arange(x.shape[0], dtype=x.dtype), [ROW]),
    "is_finite": (jnp.isfinite, [X]),
    "jit": (jax.jit(lambda x: jnp.sin(x) + 1), [X]),
    "le": (lambda x, y: x <= y, [X, Y]),
    "lgamma": (lax.lgamma, [positive("n m")]),
    "log": (jnp.log, [positive("n m")]),
    "log1p": (jnp.log1p, [real("n m", low=-1)]),
    "logistic": (lax.logistic, [X]),
    "lt": (lambda x, y: x < y, [X, Y]),
    "max": (jnp.maximum, [X, Y]),
    "min": (jnp.minimum, [X, Y]),
    "mul": (jnp.multiply, [X, Y]),
    "ne": (lambda x, y: x != y, [X, Y]),
    "neg": (jnp.negative, [X]),
    "not": (lambda t: ~t, [TRUTH]),
    "opaque": (lambda x, sigma: sigma(x) * sigma.derivative(x), [X, function("sigma")]),
    "optimization_barrier": (lambda x: lax.optimization_barrier(x), [X]),
    "or": (lambda x, t: (x > 0) | t, [X, TRUTH]),
    "pad": (lambda x: jnp.pad(x, ((1, 2), (0, 1)), constant_values=2.0), [X]),
    "pow": (lambda x, y: (x**0.3, x**y, x**1.5), [positive("n m"), Y]),
    "reduce_and": (lambda t: jnp.all(t, 1), [TRUTH]),
    "reduce_max": (lambda x: jnp.max(x, 1), [X]),
    "reduce_min": (lambda x: jnp.min(x, 0), [X]),
    "reduce_or": (lambda t: jnp.any(t, 0), [TRUTH]),
    "reduce_precision": (lambda x: lax.reduce_precision(x, 11, 52), [X]),
    "reduce_prod": (lambda x: jnp.prod(x, 1), [real("n 3")]),
    "reduce_sum": (lambda x: (jnp.sum(x, 1), jnp.sum(x)), [X]),
    "reshape": (lambda x: jnp.reshape(x, (-1, x.shape[2])), [real("n m k")]),
    "rev": (lambda x: lax.rev(x, (1,)), [X]),
    "round": (jnp.round, [X]),
    "rsqrt": (lax.rsqrt, [positive("n m")]),
    "scan": (loop, [X]),
    "scatter": (lambda x: x.at[0].set(7.0), [X]),
    "scatter-add": (lambda x, y: x.at[y].add(2.0), [real("k"), label("m", classes="k")]),
    "select_n": (lambda x, y: jnp.where(x > y, x, 2 * y), [X, Y]),
    "sign": (jnp.sign, [X]),
    "sin": (jnp.sin, [X]),
    "sinh": (jnp.sinh, [X]),
    "slice": (lambda x: lax.slice(x, (0, 1), (x.shape[0], 3)), [real("n 4")]),
    "split": (lambda x: jnp.split(x, [1, 3], 1), [real("n 4")]),
    "sqrt": (jnp.sqrt, [positive("n m")]),
    "square": (jnp.square, [X]),
    "squeeze": (lambda x: jnp.squeeze(x, 1), [real("n 1 m")]),
    "stop_gradient": (lambda x: x - lax.stop_gradient(x.sum()), [X]),
    "sub": (jnp.subtract, [X, Y]),
    "tan": (jnp.tan, [real("n m", low=-1, high=1)]),
    "tanh": (jnp.tanh, [X]),
    "transpose": (lambda x: jnp.transpose(x, (2, 0, 1)), [real("n m k")]),
    "xor": (lambda x, t: (x > 0) ^ t, [X, TRUTH]),
    "checkpoint": (jax.checkpoint(jnp.sin), [X]),
    "platform_index": (
        lambda x: lax.platform_dependent(x, cpu=jnp.sin, default=lambda x: jnp.sin(x)),
        [X],
    ),
}

SPELLED = {"checkpoint": "remat2"}  # by some versions of JAX

# A name that another JAX, or another transformation, has for what stands in the table above.
OTHER_NAMES = {
    "closed_call": "jit",
    "copy_p": "copy",
    "core_call": "jit",
    "custom_lin": "custom_vjp_call",
    "custom_vjp_call_jaxpr": "custom_vjp_call",
    "expand_dims": "broadcast_in_dim",
    "pjit": "jit",
    "real": "copy",
    "rem": None,  # refused: see below
    "remat": "checkpoint",
    "remat2": "checkpoint",
    "scatter_add": "scatter-add",
    "stack": "concatenate",
}


def test_each_primitive_of_the_interpreter_is_in_the_table():
    assert {*PROGRAMS, *OTHER_NAMES} == set(PRIMITIVES)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_primitive_means_what_jax_computes(name):
    f, domains = PROGRAMS[name]
    traced = trace(f, domains, Sizes())
    assert {name, SPELLED.get(name)} & set(used(traced.jaxpr))

    program = read(traced, Sizes())

    assert agrees(program, f, domains, SIZES, np.random.default_rng(0)) == ""


@pytest.mark.parametrize(("other", "name"), [("copy_p", "copy"), ("scatter_add", "scatter-add")])
def test_other_names_have_the_same_meaning(other, name):
    assert RULES[other] is RULES[name]


def test_programs_inside_programs_are_read():
    assert {"jit", "pjit", "checkpoint", "custom_jvp_call", "custom_vjp_call"} <= {*control.INLINED}


def test_a_loop_in_the_other_direction_and_one_that_is_unrolled():
    def suffix(x):
        return lax.scan(lambda c, row: (c + row, c), jnp.zeros_like(x[0]), x, reverse=True)

    def power(x):
        return lax.scan(lambda c, _: (c * c + x, None), x, None, length=3)[0]

    for f in (suffix, power):
        program = read(trace(f, (X,), Sizes()), Sizes())
        assert agrees(program, f, (X,), SIZES, np.random.default_rng(0)) == ""


# What is not understood is named.

NOT_UNDERSTOOD = {
    "bessel_i0e": (jax.scipy.special.i0e, [ROW]),
    "erf_inv": (lax.erf_inv, [real("n", low=-1, high=1)]),
    "sort": (jnp.sort, [ROW]),
    "while": (lambda x: lax.while_loop(lambda c: c.sum() < 9.0, lambda c: c + 1.0, x), [ROW]),
    "conv_general_dilated": (
        lambda x: jnp.convolve(x, jnp.ones(3, x.dtype), mode="valid"),
        [real("5")],
    ),
    "cumprod": (lambda x: jnp.cumprod(x), [ROW]),
    "rem": (lambda x: jnp.fmod(x, 2.0), [ROW]),
    "cond": (lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), [ROW]),
    "scan": (lambda x: lax.scan(lambda c, a: (c * a, None), jnp.ones_like(x[0]), x)[0], [ROW]),
}


@pytest.mark.parametrize("name", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_named(name):
    f, domains = NOT_UNDERSTOOD[name]
    with pytest.raises(Unknown, match=name):
        read(trace(f, domains, Sizes()), Sizes())


def test_an_unknown_primitive_makes_the_theorem_unknown():
    bessel = jax.scipy.special.i0e

    def pullback(x, ct):
        return (ct * (jax.scipy.special.i1e(x) - jnp.sign(x) * bessel(x)),)

    theorem = front.vjp(bessel, pullback, positive("n"))

    assert theorem.verdict == "unknown"
    assert "bessel_i0e" in theorem.reason


# Every differentiable function of jax.nn and optax.losses.

ROWS = real("n k")
LOGITS, TARGETS, CLASSES = real("n k"), real("n k"), label("n", classes="k")
# The size of a head is a number, as NumPy takes its root.
HEADS = [real("b n h 4"), real("b k h 4"), real("b k h 4")]

NN = {
    **{
        name: (getattr(jax.nn, name), [ROWS])
        for name in (
            "celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
            "identity", "leaky_relu", "log_sigmoid", "log_softmax", "logmeanexp", "logsumexp",
            "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_sign", "softmax", "softplus",
            "sparse_plus", "sparse_sigmoid", "squareplus", "standardize", "swish", "tanh",
        )
    },
    "log1mexp": (jax.nn.log1mexp, [positive("n k")]),
    "glu": (jax.nn.glu, [real("n 2*k")]),
    "one_hot": (lambda y: jax.nn.one_hot(y, 3, dtype=jnp.float64), [label("n", classes=3)]),
    "dot_product_attention": (jax.nn.dot_product_attention, HEADS),
}  # fmt: skip
NOT_IN_NN = {  # what is no function of real numbers that can be differentiated
    "get_scaled_dot_general_config", "scaled_dot_general", "scaled_matmul", "initializers",
}  # fmt: skip

LOSSES = {
    **{
        name: (getattr(optax.losses, name), [LOGITS, TARGETS])
        for name in (
            "binary_dice_loss", "cosine_distance", "cosine_similarity", "dice_loss", "hinge_loss",
            "huber_loss", "l2_loss", "log_cosh", "perceptron_loss",
            "poly_loss_cross_entropy", "ranking_softmax_loss",
            "safe_softmax_cross_entropy", "sigmoid_binary_cross_entropy", "sigmoid_focal_loss",
            "softmax_cross_entropy", "squared_error",
        )
    },
    **{
        name: (getattr(optax.losses, name), [LOGITS, distribution("n k")])
        for name in (
            "convex_kl_divergence", "generalized_kl_divergence", "kl_divergence",
            "kl_divergence_with_log_targets",
        )
    },
    **{
        name: (getattr(optax.losses, name), [LOGITS, CLASSES])
        for name in (
            "multiclass_perceptron_loss", "multiclass_hinge_loss", "multiclass_sparsemax_loss",
            "softmax_cross_entropy_with_integer_labels",
        )
    },
    # The number of classes is a number, as it is read as an integer.
    "multiclass_generalized_dice_loss": (
        optax.losses.multiclass_generalized_dice_loss, [real("n 3"), real("n 3")]
    ),
    "sparsemax_loss": (optax.losses.sparsemax_loss, [ROW, boolean("n")]),
    "smooth_labels": (lambda p: optax.losses.smooth_labels(p, 0.1), [distribution("n k")]),
    "triplet_margin_loss": (optax.losses.triplet_margin_loss, [LOGITS, TARGETS, ROWS]),
    "ntxent": (optax.losses.ntxent, [ROWS, label("n", classes="m")]),
    "make_fenchel_young_loss": (
        optax.losses.make_fenchel_young_loss(jax.nn.logsumexp), [ROW, real("n")]
    ),
    "ctc_loss": (optax.losses.ctc_loss, [real("b n k"), real("b n"), label("b m", classes="k"),
                                         real("b m")]),
    "ctc_loss_with_forward_probs": (
        optax.losses.ctc_loss_with_forward_probs,
        [real("b n k"), real("b n"), label("b m", classes="k"), real("b m")],
    ),
}  # fmt: skip

# Theorems about these are unknown.
NOT_COVERED = {"multiclass_sparsemax_loss": {"sort"}}


def public(module):
    return {n for n in dir(module) if not n.startswith("_") and callable(getattr(module, n))}


def test_the_tables_are_complete():
    assert public(jax.nn) - {*NN} <= NOT_IN_NN
    assert public(optax.losses) == {*LOSSES}


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", [*NN, *LOSSES])
def test_each_primitive_of_jax_nn_and_optax_losses_has_a_meaning(name):
    f, domains = {**NN, **LOSSES}[name]
    # The libraries promote dtypes and ranks themselves.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        found = set(used(trace(f, domains, Sizes()).jaxpr))
    assert found - {*PRIMITIVES} == NOT_COVERED.get(name, set())
