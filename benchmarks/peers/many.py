"""The loops that train many networks: what they train, and the table of them.

All start each network of a seed from the same weights, and visit the examples in one order.
"""

from typing import Literal, NamedTuple

from benchmarks.peers import Peer


class Many(NamedTuple):
    """What is trained: a network per seed and rate, each for so many epochs.

    Attributes:
        sizes: units per layer.
        batch: examples per update.
        seeds: of the initial weights.
        rates: the learning rates.
        epochs: of one run.
        optimizer: plain SGD or Adam.
        seed: read by what sets up any loop; `seeds` decide.
    """

    sizes: tuple[int, ...]
    batch: int
    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    epochs: int = 1
    optimizer: Literal["sgd", "adam"] = "adam"
    seed: int = 0

    @property
    def name(self) -> str:
        """Return sizes, batch and number in words, as in "16 × 784-128-10 / 128"."""
        number = len(self.seeds) * len(self.rates)
        return f"{number} × {'-'.join(map(str, self.sizes))} / {self.batch}"


OURS, TORCH = ("purenet",), ("torch",)
# The sweep comes first: every ratio is to it.
LOOPS = (
    Peer("purenet", "documented", "sweep", "many_ours", "sweep", OURS),
    Peer("purenet", "documented", "fit, one by one", "many_ours", "fits", OURS),
    Peer("purenet", "best", "one compiled epoch, one by one", "many_ours", "one_epoch", OURS),
    Peer("PyTorch", "best", "eager, one by one", "many_torch", "one_after_another", TORCH),
    Peer("PyTorch", "documented", "torch.func ensemble", "many_torch", "ensemble", TORCH),
    Peer("PyTorch", "best", "torch.func, compiled", "many_torch", "compiled_ensemble", TORCH),
)
