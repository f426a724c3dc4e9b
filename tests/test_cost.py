"""The compiled hand gradient costs no more than what autodiff makes of the objective.

Two things that it spends are allowed for by their own count. Of silu and gelu z is kept alone:
σ(z) and all of σ′(z) are computed from it again, elementwise operations for memory. On a CPU
numbers are copied for a product in its fastest form (`purenet.products`), with two comparisons, an
"and" and a selection for each.
"""

import itertools

import jax
import jax.numpy as jnp
import pytest

import purenet as pn
from purenet import activations, products

NETWORKS = [
    ((784, 10, 10), 64),
    ((784, 30, 10), 10),
    ((784, 128, 10), 128),
    ((784, 512, 512, 10), 256),
]
NAMES = [a.name for a in activations.ACTIVATIONS.values() if a.differentiable]
FEW = [(NETWORKS[0], "relu"), (NETWORKS[1], "sigmoid"), (NETWORKS[2], "gelu")]
REST = [case for case in itertools.product(NETWORKS, NAMES) if case not in FEW]


@pytest.mark.parametrize(
    ("network", "hidden"),
    [*FEW, *(pytest.param(*case, marks=pytest.mark.slow) for case in REST)],
)
def test_the_hand_gradient_needs_no_more_operations_or_memory_than_autodiff(network, hidden):
    sizes, batch = network
    net = pn.mlp(sizes, hidden, "softmax")
    params = jax.eval_shape(net.init, jax.random.key(0))
    x = jax.ShapeDtypeStruct((batch, sizes[0]), jnp.float32)
    y = jax.ShapeDtypeStruct((batch,), jnp.int32)

    by_hand, by_autodiff = (
        jax.jit(f).lower(params, x, y).compile()
        for f in (
            pn.value_and_grad(net, "cross_entropy"),
            jax.value_and_grad(pn.objective(net, "cross_entropy")),
        )
    )
    again = sum(computed_again(batch, n, hidden) for n in sizes[1:-1])
    copied = sum(copies(batch, i, o) for i, o in itertools.pairwise(sizes))
    selected = 4 * copied
    assert operations(by_hand) <= 1.002 * operations(by_autodiff) + again + selected
    # How XLA lays out temporary buffers changes between releases: the figure is that of one.
    if jax.__version__ == "0.10.2":
        assert temporary_bytes(by_hand) <= temporary_bytes(by_autodiff) + 4 * copied


def test_the_count_is_that_of_the_matrix_products():
    net = pn.mlp((784, 512, 512, 10))
    params = jax.eval_shape(net.init, jax.random.key(0))
    x, y = (jax.ShapeDtypeStruct((256, n), jnp.float32) for n in (784, 10))
    compiled = jax.jit(pn.value_and_grad(net, "mean_squared_error")).lower(params, x, y).compile()
    layers = list(itertools.pairwise(net.sizes))
    # Forward and ∂C/∂W in every layer, ∂C/∂a in all but the first.
    products = sum(2 * 2 * 256 * i * o for i, o in layers)
    products += sum(2 * 256 * i * o for i, o in layers[1:])
    assert products <= operations(compiled) <= 1.01 * products


def copies(batch, inputs, outputs):
    """Return how many numbers one weight gradient aᵀδ copies on a CPU."""
    narrow = products.on_cpu(outputs) is products.narrow
    return (batch + inputs) * outputs if narrow else 0


def computed_again(batch, width, name):
    """Return the operations of σ and σ′ where z is kept; in tiny programs XLA makes both twice."""
    activation = activations.from_name(name)
    if activation.keeps == "output":
        return 0
    z = jax.ShapeDtypeStruct((batch, width), jnp.float32)
    both = (jax.jit(f).lower(z).compile() for f in (activation, activation.derivative))
    return 2 * sum(map(operations, both))


def operations(compiled):
    return compiled.cost_analysis()["flops"]


def temporary_bytes(compiled):
    return compiled.memory_analysis().temp_size_in_bytes
