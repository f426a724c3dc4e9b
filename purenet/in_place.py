"""The output delta in the place of the weighted input, by blocks of rows.

With many classes the arrays (batch, classes) of the last layer are the largest of all: z = a W + b,
and δ = ∂C/∂z. Row b of δ depends on row b of z alone, so δ can lie where z lay. XLA's CPU compiler
does so in a loop that updates its array:

    P ← a W                                          the one array (batch, classes)
    for each block of rows r:
        z = P[r] + b,    ℓ[r] = ℓ(z, y[r]),    P[r] ← w[r] / Σ w · ∂ℓ/∂z
    C = Σ w ℓ / Σ w,    δ = P

The bias is added inside: outside the loop, z would be a second array beside P. ℓ and ∂ℓ/∂z are the
functions of `purenet.losses`, which take each row by itself.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from purenet import losses
from purenet.losses import Loss, Targets, Weights
from purenet.network import Dense, Network, matmul
from purenet.recompute import after
from purenet.sharding import of_product

OURS = (losses.cross_entropy, losses.binary_cross_entropy)
# In numbers: below the first the array is no matter; a smaller block is more overhead than
# arithmetic, a larger one does not stay in the cache.
ARRAY, SMALLEST, LARGEST = 2**22, 2**14, 2**19
# Up to four blocks lie beside the array.
BLOCKS, FEWEST = 64, 8


def output_delta(
    net: Network,
    loss: Loss,
    size: int,
    layer: Dense,
    a: Float[Array, "batch in"],
    y: Targets,
    weights: Weights,
) -> tuple[Float[Array, ""], Float[Array, "batch classes"]]:
    """Return the cost and δ = ∂C/∂z of the last layer from its input, `size` rows at a time.

    Args:
        net: whose last layer it is.
        loss: one with a fused form.
        size: rows of a block; it divides the batch.
        layer: the last layer.
        a: its input.
        y: targets as the loss takes them.
        weights: of the examples, or `None`.

    Raises:
        ValueError: the loss has no fused form; the shape or dtype of `y` or `weights` does not fit.
    """
    product = matmul(net, (layer,), a, layer.weight)
    bias = layer.bias.astype(product.dtype)[None]
    share = losses.spread(jnp.ones_like(product[:, :1]), weights)
    each = [_split(v, size) for v in (losses.targets(loss, product, y), share)]

    def step(carry: Array, n: Int[Array, ""]) -> tuple[Array, Array]:
        z, (targets, part) = _block(carry, n) + bias, (_block(v, n) for v in each)
        terms, delta = loss.from_logits_of_each(z, targets)
        # The block is written after all that reads it: else XLA copies the array.
        delta = delta * after(part, terms[:, None])
        return lax.dynamic_update_index_in_dim(carry, delta, n, 1), terms

    steps = jnp.arange(product.shape[0] // size, dtype=jnp.int32)
    delta, terms = lax.scan(step, _split(product, size), steps)
    return losses.mean(terms.T.reshape(-1), weights), delta.reshape(product.shape)


def rows_at_once(loss: Loss, layer: Dense, a: Float[Array, "batch in"]) -> int | None:
    """Return the rows of a block, or `None` where the whole batch is to be taken at once.

    That is so where blocks do not pay; for an own loss, which might look at the whole batch; on a
    mesh of type Explicit, where each operation would have to be told how the rows are split; and in
    the prover, whose sizes are symbols.

    >>> layer = Dense(jnp.zeros((1, 50_000)), jnp.zeros(50_000))
    >>> rows_at_once(losses.cross_entropy, layer, jnp.zeros((512, 1)))
    8
    """
    batch, classes = a.shape[0], layer.weight.shape[1]
    if loss not in OURS or not (isinstance(batch, int) and isinstance(classes, int)):
        return None
    if of_product(a, layer.weight) is not None:
        return None
    devices = jax.device_count()
    most = max(devices, min(batch // BLOCKS, LARGEST // classes))
    sizes = [n for n in range(devices, most + 1, devices) if batch % n == 0]
    size = max(sizes, default=batch)
    pays = batch * classes >= ARRAY and size * classes >= SMALLEST and batch >= FEWEST * size
    return size if pays else None


def _split(array: Array, size: int) -> Array:
    # Of N blocks, block n has the rows n, n + N, n + 2 N, …: where the batch is split over devices,
    # each has as many rows of every block, and nothing is sent.
    return array.reshape(size, -1, *array.shape[1:])


def _block(array: Array, n: Int[Array, ""]) -> Array:
    return lax.dynamic_index_in_dim(array, n, axis=1, keepdims=False)
