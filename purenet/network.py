"""A dense network as a static description, and its forward pass as pure functions.

Rows are examples: x is (batch, n_0), layer l has a weight (n_{l−1}, n_l) and a bias (n_l,), and

    a_0 = (x − offset) / scale,    z_l = a_{l−1} W_l + b_l,    a_l = σ_l(z_l).

The column form of S3 (Z = W A + b, a column per example) and the index form of S4
(z_j = Σ_k w_jk a_k + b_j) are the same numbers transposed.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Num

from purenet import activations, initializers, losses, sharding
from purenet.activations import Activation
from purenet.input_scaling import InputScaling, check_scaling
from purenet.losses import Loss, Targets, Weights
from purenet.words import did_you_mean


class Dense(NamedTuple):
    """The parameters of one layer: weight (in, out) and bias (out,)."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]


Params = tuple[Dense, ...]
COMPUTE_DTYPES = ("bfloat16", "float16", "float32", "float64")
PRECISIONS = ("default", "high", "highest", "tf32")
TF32 = jax.lax.DotAlgorithmPreset.TF32_TF32_F32
Inputs = Num[ArrayLike, "*batch in"]


@dataclasses.dataclass(frozen=True)
class Network:
    """A static, hashable description of a dense network; made by `mlp`.

    Attributes:
        sizes: (n_0, …, n_L), units per layer from the inputs to the outputs.
        hidden: σ_1 … σ_{L−1}.
        output: σ_L.
        input_scaling: the map in front of the first layer; `None` is x itself.
        compute_dtype: the dtype of the factors of every matrix product; `None`: the parameters'.
        precision: of the matrix products, forward and backward (a name; see `mlp`).
        checkpoint_every: k, if of the hidden layers only each k-th is kept for the backward pass.
        classes_at_once: the most outputs that cross-entropy computes at a time in training.
    """

    sizes: tuple[int, ...]
    hidden: tuple[Activation, ...]
    output: Activation
    input_scaling: InputScaling | None = None
    compute_dtype: np.dtype | None = None
    precision: str | jax.lax.Precision | None = None
    checkpoint_every: int | None = None
    classes_at_once: int | None = None

    @property
    def depth(self) -> int:
        """Return L, the number of layers with parameters."""
        return len(self.sizes) - 1

    def init(
        self,
        key: jax.Array,
        weights: str | initializers.Initializer | None = None,
        dtype: Any = jnp.float32,
    ) -> Params:
        """Return random weights and zero biases, a tuple of `Dense`.

        >>> params = mlp([4, 3, 2]).init(jax.random.key(0))
        >>> [layer.weight.shape for layer in params]
        [(4, 3), (3, 2)]

        Args:
            key: a key of `jax.random`.
            weights: "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "normal", or a
                function (key, shape, dtype); by default the one that fits each layer's activation.
                Formulas and papers: `purenet.initializers`.
            dtype: of the parameters.

        Raises:
            ValueError: an unknown name of an initialisation.
        """
        shapes = tuple(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        methods = tuple(
            initializers.fitting(s) if weights is None else initializers.from_name(weights)
            for s in (*self.hidden, self.output)
        )
        # The options of a program are refused inside another one.
        alone = jax.default_backend() == "cpu" and not isinstance(key, jax.core.Tracer)
        draw = _init_compiled_quickly if alone else _init
        return draw(key, shapes, methods, np.dtype(dtype))

    def logits(self, params: Params, x: Inputs) -> Float[Array, "*batch out"]:
        """Return z_L, the last weighted input, (batch, out); x as in `apply`.

        Raises:
            ValueError: the shapes of `params` or `x` do not fit the description.
        """
        x = as_inputs(x)
        check_params(self, params)
        check_features(self, x)
        a = scale_inputs(self, params, x)
        for layer, activation in zip(params[:-1], self.hidden, strict=True):
            a = activation(weighted_input(self, layer, a))
        return weighted_input(self, params[-1], a)

    def apply(self, params: Params, x: Inputs) -> Float[Array, "*batch out"]:
        """Return a_L, the activated output; x is (batch, in), or (in,) for a single example.

        >>> net = mlp([2, 3, 1], hidden="tanh")
        >>> net.apply(net.init(jax.random.key(0)), jnp.ones((5, 2))).shape
        (5, 1)

        Raises:
            ValueError: the shapes of `params` or `x` do not fit the description.
        """
        return self.output(self.logits(params, x))


def mlp(
    sizes: Sequence[int | np.integer],
    hidden: str | Activation | Sequence[str | Activation] = "relu",
    output: str | Activation = "identity",
    *,
    input_scaling: InputScaling | None = None,
    compute_dtype: Any = None,
    precision: str | jax.lax.Precision | None = None,
    checkpoint_every: int | np.integer | None = None,
    classes_at_once: int | np.integer | None = None,
) -> Network:
    """Return the description of a multi-layer perceptron.

    >>> net = mlp([784, 128, 10], hidden="relu", output="softmax")
    >>> net.depth, net.hidden[0].name
    (2, 'relu')

    Args:
        sizes: units per layer, inputs first: [784, 128, 10] has one hidden layer.
        hidden: the activation of every hidden layer, or a sequence with one per hidden layer.
        output: the activation of the last layer.
        input_scaling: the map in front of the network, so that raw data goes in everywhere.
        compute_dtype: e.g. "bfloat16": the factors of each matrix product are rounded to it, sums
            and activations stay float32, gradients have their parameter's dtype.
        precision: of the matrix products, forward and backward: "default", "high" and "highest" of
            `jax.lax.Precision`, or "tf32": the TF32 units of NVIDIA, elsewhere "high".
        checkpoint_every: keep one hidden layer in k for the backward pass, and compute the others
            a second time (`purenet.recompute`): less memory, up to one more forward pass.
        classes_at_once: with `cross_entropy`, take the outputs in pieces of at most so many
            (`purenet.pieces`): no array (batch, classes) in training, one more product of the last
            layer.

    Raises:
        ValueError: sizes are not at least two positive integers; an unknown activation, dtype or
            precision; as many
            hidden activations as hidden layers are needed; a scaling for another number of
            features; softmax over a single output, which is always 1; a compute dtype that is
            not a floating one; `checkpoint_every` or `classes_at_once` below 1, or
            `classes_at_once` without output="softmax".
    """
    sizes = _sizes(sizes)
    output = activations.from_name(output, "output")
    if output is activations.softmax and sizes[-1] == 1:
        raise ValueError(
            "output: softmax over one unit is always 1; use output='sigmoid', or one unit per class"
        )
    dtype = None if compute_dtype is None else _floating(compute_dtype)
    check_scaling(input_scaling, sizes[0])
    names = _one_per_layer(hidden, len(sizes) - 2)
    every = _positive(checkpoint_every, "checkpoint_every")
    at_once = _positive(classes_at_once, "classes_at_once")
    if at_once is not None and output is not activations.softmax:
        raise ValueError(
            f"classes_at_once: it is for output='softmax', the network has output={output.name!r}"
        )
    return Network(
        sizes, names, output, input_scaling, dtype, _precision(precision), every, at_once
    )


def objective(net: Network, loss: str | Loss) -> Callable[..., Float[Array, ""]]:
    """Return `cost(params, x, y, weights=None)`, the plain objective with no hand rule in it.

    A loss that belongs to the network's output activation is computed from the logits, every other
    from the activated output. `jax.grad` of it is the witness for `purenet.value_and_grad`.

    >>> net = mlp([2, 1], output="sigmoid")
    >>> cost = objective(net, "binary_cross_entropy")
    >>> params = net.init(jax.random.key(0), weights=jax.nn.initializers.zeros)
    >>> round(float(cost(params, jnp.ones((4, 2)), jnp.ones(4))), 6)
    0.693147

    Raises:
        ValueError: loss and output activation do not go together (the message names the right
            one); inside `cost`, shapes that do not fit.
    """
    loss = losses.from_name(loss)
    losses.check_output(loss, net.output)

    def cost(
        params: Params,
        x: Inputs,
        y: Targets,
        weights: Weights = None,
    ) -> Float[Array, ""]:
        x, y, weights = as_batch(net, x, y, weights)
        z = net.logits(params, x)
        if loss.fused is not None:
            return loss.from_logits(z, y, weights)
        return loss(net.output(z), y, weights)

    return cost


def _drawn(
    key: jax.Array,
    shapes: tuple[tuple[int, int], ...],
    methods: tuple[initializers.Initializer, ...],
    dtype: np.dtype,
) -> Params:
    keys = initializers.keys(key, len(shapes))
    return tuple(
        Dense(method(k, shape, dtype), jnp.zeros(shape[1], dtype))
        for method, k, shape in zip(methods, keys, shapes, strict=True)
    )


# One program: drawn operation by operation, a small network takes seconds of compiling. It runs
# once, for milliseconds, and the later passes of LLVM take a second for the same numbers.
_init = jax.jit(_drawn, static_argnames=("shapes", "methods", "dtype"))
_init_compiled_quickly = jax.jit(
    _drawn,
    static_argnames=("shapes", "methods", "dtype"),
    compiler_options={"xla_backend_optimization_level": 1},
)


def accumulation_dtype(params: Params) -> np.dtype:
    """Return the dtype of sums, activations and outputs: the parameters', at least float32."""
    dtype = params[0].weight.dtype
    return dtype if jnp.finfo(dtype).bits >= 32 else np.dtype(np.float32)


def compute_dtype(net: Network, params: Params) -> np.dtype:
    """Return the dtype of the factors of the matrix products."""
    return params[0].weight.dtype if net.compute_dtype is None else net.compute_dtype


def matmul(
    net: Network, params: Params, left: Float[Array, "*m k"], right: Float[Array, "k n"]
) -> Float[Array, "*m n"]:
    """Return left · right, the factors in the compute dtype, the sums in the accumulation dtype."""
    dtype = compute_dtype(net, params)
    product = functools.partial(
        jnp.matmul,
        preferred_element_type=accumulation_dtype(params),
        out_sharding=sharding.of_product(left, right),
    )
    left, right = left.astype(dtype), right.astype(dtype)
    if net.precision != "tf32":
        return product(left, right, precision=net.precision)
    high = functools.partial(product, precision="high")
    if dtype != jnp.float32:
        return high(left, right)
    on_cuda = functools.partial(product, precision=TF32)
    return jax.lax.platform_dependent(left, right, cuda=on_cuda, default=high)


def weighted_input(
    net: Network, layer: Dense, a: Float[Array, "*batch in"]
) -> Float[Array, "*batch out"]:
    """Return z = a W + b (S1-E15, S3-E20, S4-E24)."""
    z = matmul(net, (layer,), a, layer.weight)
    return z + jnp.expand_dims(layer.bias.astype(z.dtype), range(z.ndim - 1))


def scale_inputs(net: Network, params: Params, x: Num[Array, "*batch in"]) -> Array:
    """Return a_0, the scaled input in the accumulation dtype."""
    dtype = accumulation_dtype(params)
    return x.astype(dtype) if net.input_scaling is None else scaled(net.input_scaling, x, dtype)


def scaled(
    scaling: InputScaling, x: Num[Array, "*batch in"], dtype: Any
) -> Float[Array, "*batch in"]:
    """Return (x − offset) / scale in `dtype`."""
    lead = range(x.ndim - 1)
    offset, factor = (
        jnp.expand_dims(jnp.asarray(v, dtype), lead) if np.ndim(v) else jnp.asarray(v, dtype)
        for v in (np.asarray(scaling.offset), 1 / np.asarray(scaling.scale))
    )
    return (x.astype(dtype) - offset) * factor


def scaled_pullback(
    scaling: InputScaling, cotangent: Float[Array, "batch in"]
) -> Float[Array, "batch in"]:
    """Return ∂C/∂x from ∂C/∂a_0: divide by the scale."""
    factor = jnp.asarray(1 / np.asarray(scaling.scale), cotangent.dtype)
    return cotangent * (factor[None, :] if factor.ndim else factor)


def as_inputs(x: Inputs) -> Array:
    """Return x as an array of JAX; wide integers as floats, as JAX would take their low 32 bits."""
    if isinstance(x, jax.Array):
        return x
    given = np.asarray(x)
    wide = given.dtype.kind in "ui" and given.dtype.itemsize > 4
    return jnp.asarray(given.astype(np.float64) if wide else given)


def as_batch(net: Network, x: Inputs, y: Targets, weights: Weights) -> tuple:
    """Return x, y and weights with a batch axis, adding it to a single example (in,).

    Raises:
        ValueError: x is neither (batch, in) nor (in,), or empty; the batch axes of x and y differ.
    """
    x, y = as_inputs(x), jnp.asarray(y)
    weights = None if weights is None else jnp.asarray(weights)
    check_features(net, x)
    if x.ndim == 1:
        return x[None], y[None], None if weights is None else weights[None]
    if x.ndim != 2:
        raise ValueError(f"x: expected shape (batch, {net.sizes[0]}), got {x.shape}")
    if x.shape[0] == 0:
        raise ValueError(f"x: there is no example in it, shape {x.shape}")
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"x and y: as many targets as examples are expected, got x of shape {x.shape} and "
            f"y of shape {y.shape}"
        )
    return x, y, weights


def check_features(net: Network, x: Array) -> None:
    """Raise a `ValueError` unless the last axis of x holds the network's inputs."""
    features = net.sizes[0]
    if x.ndim and x.shape[-1] == features:
        return
    flat = x.ndim > 2 and math.prod(x.shape[1:]) == features
    hint = f"; reshape it to ({x.shape[0]}, {features})" if flat else ""
    raise ValueError(f"x: expected shape (batch, {features}), got {x.shape}{hint}")


def check_params(net: Network, params: Params) -> None:
    """Raise a `ValueError` unless the shapes of the parameters are those of the description."""
    if not isinstance(params, tuple) or not all(isinstance(layer, Dense) for layer in params):
        kind = type(params).__name__
        raise ValueError(
            f"params: a tuple of Dense, as net.init returns it, is expected, got {kind}"
        )
    expected = [(i, o) for i, o in zip(net.sizes[:-1], net.sizes[1:], strict=True)]
    given = [tuple(layer.weight.shape) for layer in params]
    biases = [tuple(layer.bias.shape) for layer in params]
    if given != expected or biases != [(o,) for _, o in expected]:
        raise ValueError(
            f"params: the network of sizes {list(net.sizes)} has weights of shapes {expected}, "
            f"got weights {given} and biases {biases}"
        )


def _sizes(sizes: Sequence[int | np.integer]) -> tuple[int, ...]:
    given = tuple(sizes)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in given)
    if len(given) < 2 or not whole or min(given) < 1:
        raise ValueError(
            "sizes: expected at least two positive integers, inputs first, as in [784, 128, 10]; "
            f"got {list(given)}"
        )
    return tuple(int(n) for n in given)


def _floating(dtype: Any) -> np.dtype:
    try:
        given = np.dtype(dtype)
    except TypeError:
        raise ValueError(
            f"compute_dtype: unknown dtype {dtype!r}{did_you_mean(str(dtype), COMPUTE_DTYPES)}"
        ) from None
    if not jnp.issubdtype(given, jnp.floating):
        raise ValueError(f"compute_dtype: a floating dtype is expected, got {given.name!r}")
    return given


def _precision(precision: str | jax.lax.Precision | None) -> str | None:
    if precision is None:
        return None
    name = getattr(precision, "name", precision)
    if not isinstance(name, str) or name.lower() not in PRECISIONS:
        raise ValueError(
            f"precision: unknown precision {precision!r}{did_you_mean(str(name), PRECISIONS)}"
        )
    return name.lower()


def _positive(given: int | np.integer | None, argument: str) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int | np.integer) or isinstance(given, bool) or given < 1:
        raise ValueError(f"{argument}: a positive integer or None is expected, got {given!r}")
    return int(given)


def _one_per_layer(
    hidden: str | Activation | Sequence[str | Activation], layers: int
) -> tuple[Activation, ...]:
    if isinstance(hidden, str | Activation):
        return (activations.from_name(hidden, "hidden"),) * layers
    given = tuple(activations.from_name(h, "hidden") for h in hidden)
    if len(given) != layers:
        raise ValueError(
            f"hidden: {layers} hidden layers need {layers} activations (or one for all), "
            f"got {len(given)}"
        )
    return given
