"""An arbitrary differentiable function of one number, as a JAX primitive.

A theorem about `sigma` for every sigma needs a symbol in the traced program that no other code can
look into: `opaque[name=sigma order=0]`, where the order counts derivatives. When it is run, it
stands for one fixed smooth function of its name, so that a counterexample has numbers.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

FREQUENCY = 1.3
CURVATURE = 0.2


@dataclass(frozen=True)
class Opaque:
    """The function `name`, or its derivative of some order, applied to each entry of an array.

    Run, it is sin(1.3 x + phase) + 0.2 x² and its derivatives, where the phase comes from the
    name. It works under `jit`, `vmap`, differentiation and symbolic sizes.

    Attributes:
        name: what it is called.
        order: how many times it is differentiated.

    >>> sigma = Opaque("sigma")
    >>> sigma.derivative
    Opaque(name='sigma', order=1)
    >>> x = jnp.float32(0.7)
    >>> bool(jnp.allclose(jax.grad(sigma)(x), sigma.derivative(x)))
    True
    """

    name: str
    order: int = 0

    def __call__(self, x: Any) -> jax.Array:
        """Return the function of each entry.

        Raises:
            ValueError: the array does not have real numbers.
        """
        x = jnp.asarray(x)
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise ValueError(f"{self}: x has dtype {x.dtype}; a float dtype expected")
        return opaque_p.bind(x, name=self.name, order=self.order)

    @property
    def derivative(self) -> "Opaque":
        """The derivative, a function of the same kind."""
        return Opaque(self.name, self.order + 1)

    def __str__(self) -> str:
        """Return the name with a prime for each derivative."""
        return self.name + "'" * self.order


def stand_in(x: jax.typing.ArrayLike, *, name: str, order: int, by: Any = jnp) -> Any:
    """Return the derivative of that order of sin(1.3 x + phase) + 0.2 x², by JAX or by NumPy."""
    x = by.asarray(x)
    phase = zlib.crc32(name.encode()) / 2**32 * 2 * math.pi + order * math.pi / 2
    wave = FREQUENCY**order * by.sin(FREQUENCY * x + phase)
    parabola = (CURVATURE * x * x, 2 * CURVATURE * x, 2 * CURVATURE)
    return wave + parabola[order] if order < 3 else wave


def _tangent(tangent: jax.Array, x: jax.typing.ArrayLike, *, name: str, order: int) -> jax.Array:
    return tangent * opaque_p.bind(x, name=name, order=order + 1)


opaque_p = Primitive("opaque")
opaque_p.def_abstract_eval(lambda x, *, name, order: x.update(weak_type=False))
opaque_p.def_impl(stand_in)
ad.defjvp(opaque_p, _tangent)
batching.defvectorized(opaque_p)
mlir.register_lowering(opaque_p, mlir.lower_fun(stand_in, multiple_results=False))
