"""The compiled pass over the training data, as suits the size of the networks on a CPU.

XLA's CPU compiler gives a matrix product to one of two libraries, YNNPACK or Eigen, and takes
YNNPACK wherever that can be used. For few units it is the slower one: `a W` of 128 × 784 by
784 × 10 takes 81 µs there and 37 in Eigen. Options of the one program, not of the process, decide:

| the network and its batch | products |
|---|---|
| at most 128 units in every layer, at least 64 examples | by Eigen |
| and at most 2²² multiplications in the largest product | by Eigen, on one core |
| all others; another `compute_dtype`, platform; meshes | as the compiler has it |

`docs/performance.md` has the measurements, `benchmarks/training.py` the result.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax

from purenet.network import Network
from purenet.training import one_pass

Options = tuple[tuple[str, Any], ...]

FEW_UNITS, MANY_EXAMPLES, ONE_CORE = 128, 64, 2**22
EIGEN: Options = (("xla_cpu_experimental_ynn_fusion_type", ""),)
EIGEN_ON_ONE_CORE: Options = (*EIGEN, ("xla_cpu_multi_thread_eigen", False))


def compiled_pass(net: Network, batch: int, platform: str | None) -> Callable[..., Any]:
    """Return `training.one_pass` under `jit`, compiled as suits the network and its batch.

    The same function for the same options, so that a program is compiled once per shape.

    Args:
        net: the description of the network.
        batch: examples per update.
        platform: where the program runs, as `jax.default_backend()` says it; `None`: on a mesh,
            where each device has a part of the batch.
    """
    wanted = options(net, batch, platform)
    return _compiled(wanted if not wanted or known(wanted) else ())


def options(net: Network, batch: int, platform: str | None) -> Options:
    """Return the compiler's options, a pair (name, value) each.

    >>> from purenet.network import mlp
    >>> options(mlp([784, 128, 10]), 128, "cpu") == EIGEN
    True
    >>> options(mlp([784, 512, 10]), 128, "cpu")
    ()
    """
    if platform != "cpu" or net.compute_dtype is not None:
        return ()
    if batch < MANY_EXAMPLES or max(net.sizes[1:]) > FEW_UNITS:
        return ()
    largest = batch * max(n * m for n, m in zip(net.sizes[:-1], net.sizes[1:], strict=True))
    return EIGEN_ON_ONE_CORE if largest <= ONE_CORE else EIGEN


def in_turn(net: Network, platform: str) -> bool:
    """Return whether networks in one program train sooner one after another than side by side.

    Side by side saves what a small program costs besides its products. Products of many units take
    most of the time, and on a CPU those with an axis for the networks are the slower ones.

    >>> from purenet.network import mlp
    >>> [in_turn(mlp([784, units, 10]), "cpu") for units in (128, 512)]
    [False, True]
    """
    return platform == "cpu" and max(net.sizes[1:]) > FEW_UNITS


@functools.cache
def known(options: Options) -> bool:
    """Return whether the installed compiler knows the options: experimental ones come and go."""
    try:
        jax.jit(lambda x: x, compiler_options=dict(options)).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


@functools.cache
def _compiled(options: Options) -> Callable[..., Any]:
    return jax.jit(
        one_pass,
        static_argnames=("net", "loss", "optimizer", "mesh"),
        compiler_options=dict(options) or None,
    )
