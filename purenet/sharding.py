"""One mesh, many devices: which array lies where.

The axes of a mesh have two names, and either may be left out:

- "data": the examples of every batch.
- "model": the units of layer L − 1, L − 3, …, which are the columns of the weight that leads into
  them, with its bias, and the rows of the weight that leads out.

Units are split if the size of the axis divides their number; else both weights are whole on every
device. Between two such layers nothing is sent: the first product gives each device its own units,
and the second one a part of the sum over them, which one all-reduce completes. The outputs are
never split. Optimizer state lies where its parameter lies; everything else is on every device.
"""

import difflib
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

DATA, MODEL = "data", "model"


def place(mesh: Mesh, params: Any, tree: Any = None) -> Any:
    """Return the parameters laid out on the mesh; nothing that was passed in is changed.

    >>> import purenet as pn
    >>> params = pn.mlp([4, 6, 2]).init(jax.random.key(0))
    >>> mesh = jax.make_mesh((1, 1), ("data", "model"))
    >>> place(mesh, params)[0].weight.sharding.mesh.axis_names
    ('data', 'model')

    Args:
        mesh: with axes "data", "model" or both. In a program of several processes that spans
            them, each process calls this with the same values.
        params: a tuple of `Dense`.
        tree: something else to lay out beside them, as the optimizer's state; by default `params`.

    Raises:
        ValueError: the mesh has an axis of another name.
    """
    check_mesh(mesh)
    tree = params if tree is None else tree
    return jax.tree.map(_put, tree, layout(mesh, params, tree))


def gather(tree: Any) -> Any:
    """Return the tree with every array whole, in NumPy on the host.

    Arrays that are spread over several processes are sent to all of them, so each process has to
    call this, and may then go on alone. Every device needs room for one whole array at a time.
    """
    return jax.tree.map(_whole, tree)


def is_shared(tree: Any) -> bool:
    """Return whether an array of the tree lies on devices of several processes."""
    arrays = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array)]
    return any(not array.is_fully_addressable for array in arrays)


def mean_over(axis: str, tree: Any, weights: Float[Array, " batch"] | None = None) -> Any:
    """Return the mean over the devices of `axis`, for the inside of a `jax.shard_map`.

    There every device has examples of its own, and value and gradient of `purenet.value_and_grad`
    are those of its own examples alone. With v_d on device d, whose examples have weights w_d:

        Σ_d v_d Σ w_d / Σ_d Σ w_d

    Args:
        axis: the name of the axis over which the examples are split.
        tree: value, gradient, or both.
        weights: those of the device's own examples, as given to the loss; `None`: each device has
            the same number of examples, of weight 1.
    """
    if weights is None:
        return jax.lax.pmean(tree, axis)
    own = weights.sum()
    total = jax.lax.psum(own, axis)
    # No weight at all: the mean is 0, as in the losses.
    share = own / jnp.where(total == 0, jnp.ones_like(total), total)
    return jax.tree.map(lambda v: jax.lax.psum(v * share.astype(v.dtype), axis), tree)


def check_mesh(mesh: Mesh) -> None:
    """Raise a `ValueError` unless the axes of the mesh are "data", "model" or both."""
    if not isinstance(mesh, Mesh):
        raise ValueError(
            f'mesh: jax.make_mesh((4, 2), ("data", "model")) or the like, got {mesh!r}'
        )
    for name in mesh.axis_names:
        if name not in (DATA, MODEL):
            near = difflib.get_close_matches(str(name), (DATA, MODEL), n=1)
            raise ValueError(
                f'mesh: its axes are called "data" and "model", got {name!r}'
                + (f"; did you mean {near[0]!r}?" if near else "")
            )


def automatic(mesh: Mesh) -> Mesh:
    """Return the same mesh with axes of type Auto: the compiler decides what is sent."""
    return Mesh(mesh.devices, mesh.axis_names)


def layout(mesh: Mesh, params: Any, tree: Any) -> Any:
    """Return a sharding for each array of `tree`.

    What is called like a parameter and has its shape, perhaps behind other axes, is laid out like
    that parameter. That is so in the state of every optimizer of optax, whose moments are trees
    like the parameters.
    """
    specs = {
        path[-2:]: (leaf.shape, spec)
        for (path, leaf), spec in zip(
            jax.tree.leaves_with_path(params), _parameter_specs(mesh, params), strict=True
        )
    }

    def sharding(path: tuple, leaf: Any) -> NamedSharding:
        shape, spec = specs.get(path[-2:], ((), ()))
        lead = np.ndim(leaf) - len(shape)
        alike = lead >= 0 and np.shape(leaf)[lead:] == shape
        return _sharding(mesh, *[None] * lead, *spec) if alike else whole(mesh)

    return jax.tree.map_with_path(sharding, tree)


def within(mesh: Mesh | None) -> AbstractContextManager:
    """Return the context in which work on the mesh is done, whatever mesh the caller has set."""
    return nullcontext() if mesh is None else jax.set_mesh(mesh)


def keep(mesh: Mesh, params: Any, tree: Any) -> Any:
    """Return `tree` as it is, held to its layout inside a compiled function."""
    return jax.lax.with_sharding_constraint(tree, layout(mesh, params, tree))


def keep_inputs(mesh: Mesh, params: Any, x: Array) -> Array:
    """Return a batch of inputs as it is, its features split as the rows of the first weight are.

    The compiler could as well gather the weight.
    """
    rows = _parameter_specs(mesh, params)[0][0]
    return jax.lax.with_sharding_constraint(x, _sharding(mesh, DATA, rows))


def examples(mesh: Mesh, axis: int = 0) -> NamedSharding:
    """Return the sharding of an array that has examples along `axis`."""
    return _sharding(mesh, *[None] * axis, DATA)


def whole(mesh: Mesh) -> NamedSharding:
    """Return the sharding of what is on every device."""
    return NamedSharding(mesh, PartitionSpec())


def of_product(left: Array, right: Array) -> NamedSharding | None:
    """Return the sharding of left · right: rows of `left`, columns of `right`; else None.

    Only an axis of type Explicit needs to be told; there a product that sums over a split axis
    raises otherwise.
    """
    shardings = [jax.typeof(v).sharding for v in (left, right)]
    mesh = next((s.mesh for s in shardings if s.mesh.explicit_axes), None)
    if mesh is None:
        return None
    rows, columns = (s.spec for s in shardings)
    return NamedSharding(mesh, PartitionSpec(*rows[: left.ndim - 1], columns[-1]))


def _parameter_specs(mesh: Mesh, params: Any) -> list[tuple[str | None, ...]]:
    sizes = [layer.weight.shape[0] for layer in params] + [params[-1].weight.shape[1]]
    parts, depth = mesh.shape.get(MODEL, 1), len(params)
    split = [
        MODEL if (depth - k) % 2 == 1 and size % parts == 0 else None
        for k, size in enumerate(sizes)
    ]
    return [spec for a, b in pairwise(split) for spec in ((a, b), (b,))]


def _sharding(mesh: Mesh, *axes: str | None) -> NamedSharding:
    # The compiler calls shardings by the shortest name, and by another name the same one is
    # another argument to `jit`, which would compile again.
    used = [axis if axis and mesh.shape.get(axis, 1) > 1 else None for axis in axes]
    while used and used[-1] is None:
        used.pop()
    return NamedSharding(mesh, PartitionSpec(*used))


def _put(leaf: Any, sharding: NamedSharding) -> Array:
    there = getattr(leaf, "sharding", None)
    alike = isinstance(there, NamedSharding) and there.mesh == sharding.mesh
    if alike and sharding.is_equivalent_to(there, leaf.ndim):  # type: ignore[arg-type]
        return leaf
    if not sharding.is_fully_addressable and getattr(leaf, "is_fully_addressable", True):
        # What only this process knows, the others have too.
        leaf = np.asarray(leaf)
    return jax.device_put(leaf, sharding)


def _whole(leaf: Any) -> np.ndarray:
    if is_shared(leaf) and not leaf.is_fully_replicated:
        leaf = jax.device_put(leaf, whole(automatic(leaf.sharding.mesh)))
    return np.asarray(leaf)
