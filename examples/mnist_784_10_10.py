"""The 784-10-10 digit network of S3 on MNIST, full batch, in S3's columns and in purenet's rows.

S3 has an example per column. With A⁰ = X (784 × m), W¹ (10 × 784), b¹ (10 × 1) and one-hot Y:

    Z¹ = W¹ A⁰ + b¹,  A¹ = ReLU(Z¹),   Z² = W² A¹ + b²,  A² = softmax(Z²)   S3-E20, E25, E31
    dZ² = A² − Y                                                             S3-E34
    dW² = (1/m) dZ² A¹ᵀ,   db² = (1/m) Σ_i dZ²_i                             S3-E36, E38
    dZ¹ = (W²ᵀ dZ²) ∘ g′(Z¹)                                                 S3-E42, corrected
    dW¹ = (1/m) dZ¹ A⁰ᵀ,   db¹ = (1/m) Σ_i dZ¹_i                             S3-E54, E55
    W ← W − α dW,  b ← b − α db                                              S3-E60 … E63

S3-E42 has g′ at dZ², which is another gradient; the script trains with both. What S3 leaves open:
the loss that makes A² − Y right is the mean cross-entropy; the sums run over the examples alone
(summed over everything db² is 0); the pixels are divided by 255 (S3-C08); He's initialisation; and
α ≈ 0.01 (S3-E56, "low is better" S3-C57) is replaced by the best of a grid on validation images.
"""

import argparse
import os
import sys
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

import purenet as pn
from purenet.data import mnist

NET = pn.mlp([784, 10, 10], hidden="relu", output="softmax")
LOSS = pn.losses.cross_entropy
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


class Columns(NamedTuple):
    """S3's parameters: W (out, in) and b (out, 1)."""

    W1: Float[Array, "hidden pixels"]
    b1: Float[Array, "hidden 1"]
    W2: Float[Array, "classes hidden"]
    b2: Float[Array, "classes 1"]


class Result(NamedTuple):
    """What the script prints."""

    differences: dict[str, float]  # S3's equations against purenet, by parameter
    wrong_error: float  # ‖dW¹ by S3-E42 − dW¹‖ / ‖dW¹‖
    right_accuracy: float  # after a short run in columns
    wrong_accuracy: float
    search: dict[float, float]  # learning rate: best validation accuracy
    rate: float
    steps: int
    reached: int | None  # first step with validation accuracy of at least 0.92
    validation_accuracy: float
    test_accuracy: float
    seconds: float


def to_columns(params: tuple[pn.Dense, ...]) -> Columns:
    first, second = params
    return Columns(first.weight.T, first.bias[:, None], second.weight.T, second.bias[:, None])


def forward(p: Columns, X: Array) -> tuple[Array, Array, Array]:
    Z1 = p.W1 @ X + p.b1
    A1 = jax.nn.relu(Z1)
    return Z1, A1, jax.nn.softmax(p.W2 @ A1 + p.b2, axis=0)


def backward(p: Columns, X: Array, Y: Array, as_written: bool = False) -> Columns:
    """S3's gradients; `as_written` takes g′ at dZ², as S3-E42 has it."""
    m = X.shape[1]
    Z1, A1, A2 = forward(p, X)
    dZ2 = A2 - Y
    slope = pn.activations.relu.derivative(dZ2 if as_written else Z1)
    dZ1 = (p.W2.T @ dZ2) * slope
    return Columns(
        dZ1 @ X.T / m,
        jnp.sum(dZ1, axis=1, keepdims=True) / m,
        dZ2 @ A1.T / m,
        jnp.sum(dZ2, axis=1, keepdims=True) / m,
    )


@jax.jit(static_argnames=("steps", "as_written"))
def descend(p: Columns, X: Array, Y: Array, rate: float, steps: int, as_written: bool) -> Columns:
    def step(_: int, p: Columns) -> Columns:
        return jax.tree.map(lambda v, g: v - rate * g, p, backward(p, X, Y, as_written))

    return jax.lax.fori_loop(0, steps, step, p)


def accuracy(p: Columns, X: Array, labels: np.ndarray) -> float:
    return float(np.mean(np.argmax(jax.jit(forward)(p, X)[2], axis=0) == labels))


def compare(
    start: tuple[pn.Dense, ...], x: np.ndarray, labels: np.ndarray
) -> tuple[dict[str, float], float]:
    """Largest differences to purenet's gradient in float64, and the error of S3-E42."""
    with jax.enable_x64(True):
        params = jax.tree.map(lambda p: jnp.asarray(np.asarray(p, np.float64)), start)
        x = x.astype(np.float64)
        rows = to_columns(jax.jit(pn.value_and_grad(NET, LOSS))(params, x, labels)[1])
        p, X, Y = to_columns(params), x.T, np.eye(10)[labels].T
        right, wrong = (jax.jit(backward, static_argnums=3)(p, X, Y, as_written)
                        for as_written in (False, True))  # fmt: skip
        differences = {
            name: float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
            for name, ours, theirs in zip(Columns._fields, rows, right, strict=True)
        }
        error = np.linalg.norm(wrong.W1 - right.W1) / np.linalg.norm(right.W1)
        return differences, float(error)


def train(rate: float, steps: int, seed: int, data: tuple, validation: tuple) -> pn.Run:
    print(f"training: α = {rate:g}, {len(data[0])} images, {steps} steps", file=sys.stderr)
    start = NET.init(jax.random.key(seed))
    return pn.fit(
        NET, LOSS, start, data, optax.sgd(rate), epochs=steps, batch_size=None,
        validation=validation,
    )  # fmt: skip


def best_accuracy(run: pn.Run) -> float:
    return float(run.history.validation_metric[run.best_epoch])


def scaled(examples: tuple[np.ndarray, np.ndarray], limit: int | None = None) -> tuple:
    x, labels = examples
    return x[:limit].astype(np.float32) / np.float32(255), labels[:limit]


def run(data_dir: str | None, steps: int, limit: int | None, rates: list[float], seed: int,
        plot: str | None) -> Result:  # fmt: skip
    begin = time.perf_counter()
    data = mnist(data_dir)
    examples, validation = scaled(data.train, limit), scaled(data.validation, limit)
    some = tuple(part[: -(-len(part) // 5)] for part in examples)

    start = NET.init(jax.random.key(seed))
    differences, wrong_error = compare(start, examples[0][:256], examples[1][:256])
    X, Y = jnp.asarray(some[0].T), jnp.asarray(np.eye(10, dtype=np.float32)[some[1]].T)
    trained = [
        descend(to_columns(start), X, Y, 0.3, min(steps, 200), wrong) for wrong in (False, True)
    ]
    held_out = jnp.asarray(validation[0].T), validation[1]
    right_accuracy, wrong_accuracy = (accuracy(p, *held_out) for p in trained)

    search = {rate: best_accuracy(train(rate, steps, seed, some, validation)) for rate in rates}
    rate = max(search, key=search.__getitem__)
    final = train(rate, steps, seed, examples, validation)
    good = np.flatnonzero(final.history.validation_metric >= 0.92)
    if plot:
        draw(plot, final.best[0].weight)
    return Result(
        differences, wrong_error, right_accuracy, wrong_accuracy, search, rate, steps,
        int(good[0]) + 1 if good.size else None, best_accuracy(final),
        pn.evaluate(NET, LOSS, final.best, scaled(data.test))[1], time.perf_counter() - begin,
    )  # fmt: skip


def draw(path: str, weight: Float[Array, "pixels hidden"]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    limit = float(jnp.max(jnp.abs(weight)))
    for unit, axes in enumerate(figure.subplots(2, 5).ravel()):
        image = axes.imshow(weight[:, unit].reshape(28, 28), cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set(title=f"hidden unit {unit}", xticks=[], yticks=[])
    figure.colorbar(image, ax=figure.axes, label="weight of the pixel")
    figure.savefig(path)


def show(result: Result) -> None:
    print("S3's equations in columns against purenet's rows, float64, 256 images:")
    for name, difference in result.differences.items():
        print(f"  d{name}  largest difference {difference:.1e}")
    print(f"\n{'g′ taken at':18}{'error of dW¹':>14}{'validation accuracy':>21}")
    print(f"{'Z¹ (right)':18}{0:14.2f}{result.right_accuracy:21.4f}")
    print(f"{'dZ² (S3-E42)':18}{result.wrong_error:14.2f}{result.wrong_accuracy:21.4f}")
    print(f"\n{'learning rate α':>16}{'validation accuracy':>21}   (a fifth of the images)")
    for rate, value in result.search.items():
        mark = "  chosen" if rate == result.rate else ""
        print(f"{rate:16g}{value:21.4f}{mark}")
    reached = f"step {result.reached}" if result.reached else "never"
    print(f"\nall images, α = {result.rate:g}, {result.steps} full-batch steps:")
    print(f"  validation accuracy {result.validation_accuracy:.4f}, 0.92 reached: {reached}")
    print(f"  test accuracy {result.test_accuracy:.4f}   ({result.seconds:.0f} s in all)")


def main(argv: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("PURENET_MNIST"),
                        help="folder with the IDX files; default $PURENET_MNIST, "
                        "else they are downloaded once")  # fmt: skip
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--limit", type=int, help="use only so many images")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, metavar="α")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE.png", help="W¹ as ten images (matplotlib)")
    result = run(**vars(parser.parse_args(argv)))
    show(result)
    return result


if __name__ == "__main__":
    main()
