"""Weight initialisation: the table of methods, and which one fits which activation.

With fan-in n_l and fan-out n_{l+1} of a weight matrix (in, out), and N truncated at two standard
deviations and rescaled so that the stated variance is exact:

| method | weights | paper |
|---|---|---|
| he_normal | N(0, 2 / fan_in) | He et al. 2015 |
| he_uniform | U(±√(6 / fan_in)) | He et al. 2015 |
| glorot_normal | N(0, 2 / (fan_in + fan_out)) | Glorot & Bengio 2010 |
| glorot_uniform | U(±√(6 / (fan_in + fan_out))) | Glorot & Bengio 2010 |
| normal | N(0, 1), not truncated | S4-C27 |

He's variance keeps the size of the signal through units that pass half of their input (relu and
its relatives), Glorot's through units that are close to the identity at 0 (tanh, sigmoid up to its
slope).
"""

from collections.abc import Callable
from types import FunctionType

import jax
from jax.nn import initializers
from jaxtyping import Array

from purenet.activations import Activation
from purenet.words import look_up

Initializer = Callable[..., Array]

INITIALIZERS: dict[str, Initializer] = {
    "he_normal": initializers.he_normal(),
    "he_uniform": initializers.he_uniform(),
    "glorot_normal": initializers.glorot_normal(),
    "glorot_uniform": initializers.glorot_uniform(),
    "normal": initializers.normal(1.0),
}

RECTIFIERS = frozenset({"relu", "leaky_relu", "elu", "silu", "gelu", "softplus"})


def fitting(activation: Activation) -> Initializer:
    """Return He's normal before a rectifier, Glorot's uniform before everything else."""
    name = "he_normal" if activation.name in RECTIFIERS else "glorot_uniform"
    return INITIALIZERS[name]


def from_name(method: str | Initializer, argument: str = "weights") -> Initializer:
    """Return one of the table by its name; a function `(key, shape, dtype) -> array` as it is.

    Raises:
        ValueError: the name is unknown; the message has the nearest known one.
    """
    return (
        method
        if callable(method)
        else look_up(method, INITIALIZERS, FunctionType, "initialisation", argument)
    )


def keys(key: jax.Array, count: int) -> jax.Array:
    """Return one key per layer, the same for a layer whatever stands above it.

    >>> a, b = keys(jax.random.key(0), 2), keys(jax.random.key(0), 3)
    >>> bool((jax.random.key_data(a) == jax.random.key_data(b[:2])).all())
    True
    """
    return jax.vmap(lambda layer: jax.random.fold_in(key, layer))(jax.numpy.arange(count))
