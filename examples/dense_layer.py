"""The dense layer of S2 with its three gradients, and the classifier built from it.

In purenet's layout examples are rows. With G = ∂E/∂Y,

    Y = X W + B        ∂E/∂X = G Wᵀ,   ∂E/∂W = Xᵀ G,   ∂E/∂B = Σ over the examples of G.

S2's worked example (E14 … E20) has three outputs and puts ∂E/∂X1 where ∂Y_j/∂X1 belongs, and then
only W11 of W11, W21, W31 survives (E15). Its collected equations W·∂E/∂Y (E16) and X·∂E/∂Y (E19)
lack transposes: the script tries both in each of the four layouts that a dense layer can have.

The classifier: ReLU, then softmax e^y_i / Σ_j e^y_j (S2-E31 has the denominator alone), and the
cross-entropy of integer labels, −log ŷ_c ("sparse", S2-C33; S2-E34 is the equal one-hot form). A
step is d_1, d_2, update (S2-C36 … C39): d_2, what the layer below gets, needs the OLD W (S2-E41).
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import purenet as pn
from purenet.data import digits

relu, softmax = pn.activations.relu, pn.activations.softmax


class Worked(NamedTuple):
    """One line of S2's worked example."""

    name: str
    library: float  # purenet
    summed: float  # Σ_j ∂E/∂Y_j ∂Y_j/∂(…)
    documents: float


class Layout(NamedTuple):
    """A layout of the dense layer: errors of its gradients, and how S2's formulas fare in it."""

    forward: str
    errors: tuple[float, float, float]  # ∂E/∂X, ∂E/∂W, ∂E/∂B against autodiff
    e16: str
    e19: str


class Result(NamedTuple):
    """What the script prints."""

    worked: tuple[Worked, ...]
    layouts: tuple[Layout, ...]
    sparse: float  # cross-entropy of integer labels, and of one-hot rows
    one_hot: float
    step_difference: float  # S2's step against one update of pn.fit
    new_w_error: float  # relative error of the first layer's gradient by d_2 with the new W
    first_loss: float
    last_loss: float
    test_accuracy: float


def worked_example() -> tuple[Worked, ...]:
    """E = ½ Σ (Y − T)² with W[out, in] = [[1, 2], [3, 4], [5, 6]], X = (1, −1), B, T."""
    w = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x, b = np.array([1.0, -1.0]), np.array([0.5, 0.0, -0.5])
    t = np.array([0.0, 1.0, -2.0])
    gradient = pn.value_and_grad(pn.mlp([2, 3]), "half_mean_squared_error", argnums=(0, 1))
    _, ((layer,), dx) = jax.jit(gradient)((pn.Dense(w.T, b),), x, t)
    g = w @ x + b - t
    dx1, dw21, db1 = np.sum(g * w[:, 0]), g[1] * x[0], g[0]
    total = np.sum(g)  # each wrong line has one factor in common: (Σ_j ∂E/∂Y_j) ∂E/∂(…)
    lines = [
        ("∂E/∂X1   S2-E14", dx[0], dx1, total * dx1),
        ("∂E/∂X1   S2-E15", dx[0], dx1, w[0, 0] * g[0]),
        ("∂E/∂W21  S2-E17", layer.weight[0, 1], dw21, total * dw21),
        ("∂E/∂B1   S2-E20", layer.bias[0], db1, total * db1),
    ]
    return tuple(Worked(name, float(a), float(b), float(c)) for name, a, b, c in lines)


class Convention(NamedTuple):
    """Where the examples and the weights stand, and what follows for the three gradients."""

    name: str
    rows: bool  # examples are rows
    in_out: bool  # the weight is (in, out)
    forward: Callable
    gradients: Callable


CONVENTIONS = (
    Convention("columns  Y = W X + B", False, False,
               lambda X, W, B: W @ X + B,
               lambda X, W, G: (W.T @ G, G @ X.T, G.sum(1, keepdims=True))),
    Convention("columns  Y = Wᵀ X + B", False, True,
               lambda X, W, B: W.T @ X + B,
               lambda X, W, G: (W @ G, X @ G.T, G.sum(1, keepdims=True))),
    Convention("rows     Y = X W + B", True, True,
               lambda X, W, B: X @ W + B,
               lambda X, W, G: (G @ W.T, X.T @ G, G.sum(0, keepdims=True))),
    Convention("rows     Y = X Wᵀ + B", True, False,
               lambda X, W, B: X @ W.T + B,
               lambda X, W, G: (G @ W, G.T @ X, G.sum(0, keepdims=True))),
)  # fmt: skip


def layout(rule: Convention, rng: np.random.Generator) -> Layout:
    """The three gradients in one convention, 4 inputs, 3 outputs, 5 examples, against autodiff."""
    x, b, g = (rng.normal(size=(rows, n)) for rows, n in ((5, 4), (1, 3), (5, 3)))
    W = rng.normal(size=(4, 3) if rule.in_out else (3, 4))
    X, B, G = (v if rule.rows else v.T for v in (x, b, g))
    error = jax.jit(jax.grad(lambda *args: jnp.sum(G * rule.forward(*args)), argnums=(0, 1, 2)))
    truth = [np.asarray(t) for t in error(X, W, B)]
    pairs = zip(rule.gradients(X, W, G), truth, strict=True)
    errors = tuple(float(np.abs(ours - t).max()) for ours, t in pairs)
    return Layout(rule.name, errors, verdict(W, G, truth[0]), verdict(X, G, truth[1]))


def verdict(left: np.ndarray, right: np.ndarray, truth: np.ndarray) -> str:
    """Whether left · right is the gradient, another array, or no product at all."""
    if left.shape[1] != right.shape[0]:
        return "shapes"
    product = left @ right
    return "right" if product.shape == truth.shape and np.allclose(product, truth) else "wrong"


class Gradients(NamedTuple):
    """What a dense layer hands back: d_1 and ∂E/∂B for its update, d_2 for the layer below."""

    d1: Float[Array, "in out"]
    db: Float[Array, " out"]
    d2: Float[Array, "batch in"]


def dense_backward(layer: pn.Dense, x: Array, g: Array) -> Gradients:
    return Gradients(x.T @ g, jnp.sum(g, axis=0), g @ layer.weight.T)


def update(layer: pn.Dense, gradients: Gradients, rate: float) -> pn.Dense:
    return pn.Dense(layer.weight - rate * gradients.d1, layer.bias - rate * gradients.db)


@jax.jit
def step(params: tuple, x: Array, labels: Array, rate: float) -> tuple[tuple, Gradients, Gradients]:
    """S2's step through both layers: the new parameters, and each layer's gradients."""
    first, second = params
    z = x @ first.weight + first.bias[None, :]
    a = relu(z)
    p = softmax(a @ second.weight + second.bias[None, :])
    upper = dense_backward(second, a, (p - jax.nn.one_hot(labels, 10)) / len(x))
    lower = dense_backward(first, x, upper.d2 * relu.derivative(z))
    return (update(first, lower, rate), update(second, upper, rate)), lower, upper


@jax.jit
def new_w_error(params: tuple, x: Array, labels: Array, rate: float) -> Array:
    """How wrong the first layer's d_1 is when d_2 uses the W that was just updated."""
    (_, updated), lower, _ = step(params, x, labels, rate)
    z = x @ params[0].weight + params[0].bias[None, :]
    p = softmax(relu(z) @ params[1].weight + params[1].bias[None, :])
    late = dense_backward(updated, relu(z), (p - jax.nn.one_hot(labels, 10)) / len(x))
    wrong = dense_backward(params[0], x, late.d2 * relu.derivative(z))
    return jnp.linalg.norm(wrong.d1 - lower.d1) / jnp.linalg.norm(lower.d1)


def classifier(epochs: int, rate: float, seed: int) -> dict[str, float]:
    data = digits()
    net = pn.mlp([64, 32, 10], output="softmax", input_scaling=data.input_scaling)
    loss, start = pn.losses.cross_entropy, net.init(jax.random.key(seed))
    x, labels = data.train.x[:100], data.train.y[:100]
    scaled = x.astype(np.float32) / 16

    moved = pn.fit(net, loss, start, (x, labels), optax.sgd(rate), epochs=1, batch_size=None)
    ours = step(start, scaled, labels, rate)[0]
    differences = jax.tree.map(lambda a, b: np.abs(np.asarray(a - b)).max(), ours, moved.params)
    trained = pn.fit(net, loss, start, data.train, optax.sgd(rate), epochs=epochs, batch_size=32)
    p = np.asarray(pn.predict(net, start, x))
    return {
        "sparse": pn.evaluate(net, loss, start, (x, labels))[0],
        "one_hot": float(-np.mean(np.sum(np.eye(10)[labels] * np.log(p), axis=1))),
        "step_difference": max(map(float, jax.tree.leaves(differences))),
        "new_w_error": float(new_w_error(start, scaled, labels, rate)),
        "first_loss": float(trained.history.loss[0]),
        "last_loss": float(trained.history.loss[-1]),
        "test_accuracy": pn.evaluate(net, loss, trained.params, data.test)[1],
    }


def show(result: Result) -> None:
    print(f"{'S2 worked example':20}{'purenet':>9}{'summed':>9}{'S2':>9}")
    for line in result.worked:
        print(f"{line.name:20}{line.library:9.2f}{line.summed:9.2f}{line.documents:9.2f}")
    print(f"\n{'largest error of':24}{'∂E/∂X':>10}{'∂E/∂W':>10}{'∂E/∂B':>10}", end="")
    print(f"{'E16: W·G':>12}{'E19: X·G':>12}")
    for row in result.layouts:
        print(f"{row.forward:24}" + "".join(f"{e:10.1e}" for e in row.errors), end="")
        print(f"{row.e16:>12}{row.e19:>12}")
    print("(shapes: there is no such product)\n\nclassifier 64-32-10 on digits")
    print(f"  cross-entropy, integer labels {result.sparse:.6f}, one-hot {result.one_hot:.6f}")
    print(f"  S2's step against pn.fit          largest difference {result.step_difference:.1e}")
    print(f"  d_2 with the new W                relative error of d_1 {result.new_w_error:.3f}")
    print(f"  training loss                     {result.first_loss:.4f} to {result.last_loss:.4f}")
    print(f"  accuracy on unseen images         {result.test_accuracy:.4f}")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rate", type=float, default=0.2, help="learning rate l")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    with jax.enable_x64(True):
        rng = np.random.default_rng(options.seed)
        exact = worked_example(), tuple(layout(rule, rng) for rule in CONVENTIONS)
    result = Result(*exact, **classifier(**vars(options)))
    show(result)
    return result


if __name__ == "__main__":
    main()
