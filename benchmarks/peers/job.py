"""The whole job with one peer: read, train to a target, save, and say what came of it.

    python -m benchmarks.peers.job MODULE FUNCTION DATA SEED FILE.npz SETTINGS

This is the script that `benchmarks/whole_job.py` starts for each peer. It imports NumPy and that
peer alone, reads the files while it imports, and spares Python the search for garbage among what
is imported, as `purenet train` does. DATA is a folder with the files of MNIST, or an .npz file with
x_train, y_train, x_test and y_test; a tenth of the training examples is held out to stop by.
"""

import gc
import gzip
import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.peers import Examples, Setting, initial_weights

MNIST = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


class Settings(NamedTuple):
    """What is the same for every peer: see `Setting`; the rate is AdamW's and falls as a cosine."""

    sizes: tuple[int, ...]
    batch: int
    rate: float
    epochs: int
    target: float
    weight_decay: float


def run(module: str, function: str, data: Path, seed: int, file: Path, settings: Settings) -> dict:
    """Train until the target is reached on the validation data, save, and return the figures."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(examples, data, seed)
        make = getattr(importlib.import_module(f"benchmarks.peers.{module}"), function)
    train, validation, test = reading.result()
    updates = -(-len(train.x) // settings.batch) * settings.epochs
    sizes, batch, rate, *_, weight_decay = settings
    setting = Setting(tuple(sizes), batch, "adam", rate, updates, seed, weight_decay)
    trainer = make(setting, train, initial_weights(setting))
    reached, done = 0.0, 0
    while reached < settings.target and done < settings.epochs:
        trainer.epoch(done)
        done += 1
        reached = _accuracy(trainer.predict(validation.x), validation.y)
    np.savez(file, *trainer.weights())
    return {
        "epochs": done,
        "validation": reached,
        "test": _accuracy(trainer.predict(test.x), test.y),
    }


def examples(data: Path, seed: int) -> tuple[Examples, Examples, Examples]:
    """Return training, validation and test examples."""
    x, y, *test = _arrays(data)
    rows = np.random.default_rng(seed).permutation(len(x))
    held_out, kept = rows[: len(x) // 10], rows[len(x) // 10 :]
    return Examples(x[kept], y[kept]), Examples(x[held_out], y[held_out]), Examples(*test)


def _arrays(data: Path) -> list[np.ndarray]:
    if data.suffix == ".npz":
        with np.load(data) as file:
            return [file[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    images, labels, more, their = (_idx(data / f"{name}-ubyte") for name in MNIST)
    return [images.reshape(-1, 784), labels, more.reshape(-1, 784), their]


def _idx(path: Path) -> np.ndarray:
    if path.exists():
        content = path.read_bytes()
    else:
        content = gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    labels = content[3] == 1
    values = np.frombuffer(content, np.uint8, offset=8 if labels else 16)
    return values.astype(np.int32) if labels else values


def _accuracy(labels: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(labels == y))


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 1000)
    name, loop, where, number, out, given = sys.argv[1:]
    found = run(name, loop, Path(where), int(number), Path(out), Settings(*json.loads(given)))
    print(json.dumps(found))
    gc.freeze()
