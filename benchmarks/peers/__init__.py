"""One training loop per peer, all on the same data, initial weights, order of examples and sums.

Dense layers with ReLU between them; pixels divided by 255; softmax cross-entropy, mean over the
batch; float32; plain SGD or Adam (0.9, 0.999, 1e-8), with AdamW's weight decay if asked for. The
last batch of an epoch has what is left. A loop returns the mean training loss of its epoch, which
its users print.

`PEERS` is the table of loops. Each is a function (setting, train, weights) -> `Trainer` in a module
of this package, which imports its framework; this module imports none.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

BETAS, EPSILON = (0.9, 0.999), 1e-8

Weights = list[tuple[np.ndarray, np.ndarray]]


class Setting(NamedTuple):
    """What is trained.

    Attributes:
        sizes: units per layer, inputs first.
        batch: examples per update.
        optimizer: the rule.
        rate: its learning rate.
        decay: over how many updates the rate falls to 0, as a cosine; 0 keeps it.
        seed: of the initial weights and the order of the examples.
        weight_decay: of Adam, decoupled (AdamW), on weights and biases; scikit-learn has none.
    """

    sizes: tuple[int, ...]
    batch: int
    optimizer: Literal["sgd", "adam"] = "sgd"
    rate: float = 0.1
    decay: int = 0
    seed: int = 0
    weight_decay: float = 0.0

    @property
    def name(self) -> str:
        """Return the sizes and the batch in words, as in "784-128-10 / 128"."""
        return f"{'-'.join(map(str, self.sizes))} / {self.batch}"

    def rate_at(self, update: int) -> float:
        """Return the learning rate of an update, counted from 0."""
        if not self.decay:
            return self.rate
        return self.rate * (1 + math.cos(math.pi * min(1, update / self.decay))) / 2


class Examples(NamedTuple):
    """uint8 inputs (n, features) and int32 labels (n,)."""

    x: np.ndarray
    y: np.ndarray


class Trainer(NamedTuple):
    """A network that a peer trains.

    Attributes:
        epoch: the number of an epoch to its mean training loss; all updates are done on return.
        predict: inputs (n, features) to the labels (n,) that the network gives them.
        weights: the parameters, layer by layer.
    """

    epoch: Callable[[int], float]
    predict: Callable[[np.ndarray], np.ndarray]
    weights: Callable[[], list[np.ndarray]]


class Peer(NamedTuple):
    """A line of the table of loops.

    Attributes:
        name: of the framework.
        kind: "documented", as its own guide has it, or "best", the most that a user could do.
        loop: in a few words.
        module: of this package.
        function: in that module.
        packages: what has to be installed.
    """

    name: str
    kind: Literal["documented", "best"]
    loop: str
    module: str
    function: str
    packages: tuple[str, ...]


JAX = ("jax", "optax")
EQUINOX, SKLEARN = ("equinox", *JAX), ("scikit-learn",)
# purenet comes first: every ratio is to it.
PEERS = (
    Peer("purenet", "documented", "fit", "ours", "fit", ("purenet",)),
    Peer("PyTorch", "documented", "eager, DataLoader", "pytorch", "documented", ("torch",)),
    Peer("PyTorch", "best", "eager, tensors, fused step", "pytorch", "eager", ("torch",)),
    Peer("PyTorch", "best", "compiled model, fused step", "pytorch", "compiled", ("torch",)),
    Peer("PyTorch", "best", "compiled update", "pytorch", "compiled_update", ("torch",)),
    Peer("Flax NNX", "documented", "nnx.jit step", "flax_nnx", "documented", ("flax", *JAX)),
    Peer("Flax NNX", "best", "jit and scan", "flax_nnx", "best", ("flax", *JAX)),
    Peer("Equinox", "documented", "filter_jit step", "equinox_mlp", "documented", EQUINOX),
    Peer("Equinox", "best", "jit and scan", "equinox_mlp", "best", EQUINOX),
    Peer("Keras on JAX", "documented", "model.fit", "keras_jax", "documented", ("keras", "jax")),
    Peer("Keras on JAX", "best", "stateless, scan", "keras_jax", "best", ("keras", "jax")),
    Peer("JAX and optax", "documented", "jit step", "jax_optax", "documented", JAX),
    Peer("JAX and optax", "best", "jit and scan", "jax_optax", "best", JAX),
    Peer("scikit-learn", "documented", "partial_fit", "sklearn_mlp", "documented", SKLEARN),
    Peer("scikit-learn", "best", "no input checks", "sklearn_mlp", "best", SKLEARN),
    Peer("NumPy", "documented", "as in books", "numpy_mlp", "documented", ("numpy",)),
    Peer("NumPy", "best", "in place", "numpy_mlp", "best", ("numpy",)),
)  # fmt: skip


def order(seed: int, epoch: int, examples: int) -> np.ndarray:
    """Return the order of the examples in an epoch, the one of `purenet.fit` for that seed.

    >>> sorted(order(0, 3, 4).tolist())
    [0, 1, 2, 3]
    """
    return np.random.default_rng([0, seed, epoch]).permutation(examples)


def initial_weights(setting: Setting) -> Weights:
    """Return weights (in, out) of He's variance 2 / in, and zero biases, in float32."""
    rng = np.random.default_rng(setting.seed)
    return [
        (rng.normal(0, (2 / n) ** 0.5, (n, m)).astype(np.float32), np.zeros(m, np.float32))
        for n, m in zip(setting.sizes[:-1], setting.sizes[1:], strict=True)
    ]


def scaled(x: np.ndarray) -> np.ndarray:
    """Return pixels as float32 from 0 to 1."""
    return x.astype(np.float32) * np.float32(1 / 255)
