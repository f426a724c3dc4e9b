"""Training as pure functions: one update, one pass over rows of indices, one epoch.

    (θ, s) ← (θ + u, s′)   with   (u, s′) = optimizer(∂C/∂θ, s, θ)

`epoch` is a function of (state, data, order) that `jit`, `vmap` and meshes can take: a `lax.scan`
over rows of indices, one compiled program per shape, with the data as an argument. The loop around
it on the host is `purenet.fit`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int

from purenet import sharding
from purenet.backprop import value_and_grad
from purenet.batches import Data
from purenet.losses import Loss
from purenet.network import Dense, Network, Params, objective


class State(NamedTuple):
    """Everything that training goes on from: `fit(net, loss, run.state, ...)` resumes a run.

    Attributes:
        params: the parameters.
        opt_state: the optimizer's state.
        epoch: the number of epochs done, which decides the order of the next one.
    """

    params: Params
    opt_state: Any
    epoch: Int[Array, ""]


def init_state(params: Params, optimizer: optax.GradientTransformation) -> State:
    """Return the state before the first epoch."""
    return State(params, optimizer.init(params), jnp.zeros((), jnp.int32))


def epoch(
    net: Network,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    state: State,
    data: Data,
    order: Int[Array, "updates batch"] | None,
    mesh: Mesh | None = None,
) -> tuple[State, Float[Array, ""]]:
    """Return the state after one epoch and its mean training loss; a pure function.

    Args:
        net: static, as `loss` and `optimizer`.
        loss: the loss.
        optimizer: of optax.
        state: where the epoch starts.
        data: the examples.
        order: a row of indices per update, −1 for no example; `None`: one update with all.
        mesh: over which they lie, as in `one_pass`.
    """
    state, totals = one_pass(net, loss, optimizer, state, data, order, mesh)
    # Updates without any weight have cost 0.
    mass = jnp.where(totals[1] == 0, jnp.ones_like(totals[1]), totals[1])
    return state._replace(epoch=state.epoch + 1), totals[0] / mass


def one_pass(
    net: Network,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    state: State,
    data: Data,
    order: Int[Array, "updates batch"] | None,
    mesh: Mesh | None = None,
) -> tuple[State, Float[Array, "2"]]:
    """Return the state after the updates of `order`, and (Σ w ℓ, Σ w) over them.

    On a mesh, `data` and each row of `order` are split over its axis "data", and the indices of
    a device point into its own examples.
    """
    rows_of = _rows if mesh is None else _own_rows(mesh)

    def one_update(state: State, batch: Data) -> tuple[State, Array]:
        if mesh is None:
            return update(net, loss, optimizer, state, batch)
        x = sharding.keep_inputs(mesh, state.params, jnp.asarray(batch.x))
        after, totals = update(net, loss, optimizer, state, batch._replace(x=x))
        return sharding.keep(mesh, after.params, after), totals

    if order is None:
        return one_update(state, data)
    state, totals = jax.lax.scan(lambda s, row: one_update(s, rows_of(data, row)), state, order)
    return state, jnp.sum(totals, axis=0)


def update(
    net: Network,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    state: State,
    batch: Data,
) -> tuple[State, Float[Array, "2"]]:
    """Return the state after one update with the hand-derived gradient, and (Σ w ℓ, Σ w)."""
    value, grads = value_and_grad(net, loss)(state.params, *batch)
    # Optimizers of optax mix dtypes; under strict promotion they would raise.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        updates, opt_state = optax.with_extra_args_support(optimizer).update(
            grads,
            state.opt_state,
            state.params,
            value=value,
            grad=grads,
            value_fn=_cost(net, loss, batch),
        )
        params = optax.apply_updates(state.params, updates)
    total = jnp.sum(batch.weights).astype(value.dtype)
    return state._replace(params=params, opt_state=opt_state), jnp.stack([value * total, total])


def by_kind(
    *, weights: optax.GradientTransformation, biases: optax.GradientTransformation
) -> optax.GradientTransformationExtraArgs:
    """Return an optimizer with one rule for weights and one for biases (S4-C39).

    >>> optimizer = by_kind(weights=optax.sgd(0.1), biases=optax.sgd(0.01))
    """
    return optax.partition(
        {"weights": weights, "biases": biases},
        lambda params: tuple(Dense._make(("weights", "biases")) for _ in params),
    )


def _cost(net: Network, loss: Loss, batch: Data) -> Callable[[Params], Array]:
    # A line search differentiates the cost, in forward or in reverse mode. A scalar function with
    # its differential ⟨∂C/∂θ, dθ⟩ given serves both, and keeps to the hand-derived gradient.
    @jax.custom_jvp
    def cost(params: Params) -> Array:
        return objective(net, loss)(params, *batch)

    @cost.defjvp
    def differential(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
        value, grads = value_and_grad(net, loss)(*primals, *batch)
        return value, optax.tree.vdot(grads, tangents[0]).astype(value.dtype)

    return cost


def _own_rows(mesh: Mesh) -> Callable[[Data, Array], Data]:
    # Each device gathers from what it holds; left to the compiler, this would be communication.
    spec = sharding.examples(mesh).spec
    return jax.shard_map(_rows, mesh=mesh, in_specs=spec, out_specs=spec)


def _rows(data: Data, row: Int[Array, " batch"]) -> Data:
    there = row >= 0
    index = jnp.where(there, row, 0)
    x, y, w = (jnp.asarray(v).at[index].get(mode="promise_in_bounds") for v in data)
    return Data(x, y, jnp.where(there, w, jnp.zeros_like(w)))
