"""MNIST: 70,000 hand-written digits, from a folder or from a mirror, checked by SHA-256."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from purenet.data.dataset import Dataset, Examples, take
from purenet.data.download import cache_dir, fetch
from purenet.data.idx import parse_idx, read_bytes
from purenet.data.sha256 import check_sha256
from purenet.data.split import split_indices
from purenet.input_scaling import InputScaling

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

CLASS_NAMES = tuple("0123456789")


class Files(NamedTuple):
    """The names of the two parts' images and labels."""

    train_images: str = "train-images-idx3-ubyte"
    train_labels: str = "train-labels-idx1-ubyte"
    test_images: str = "t10k-images-idx3-ubyte"
    test_labels: str = "t10k-labels-idx1-ubyte"


FILES = Files()

# Of the uncompressed files.
SHA256 = {
    FILES.train_images: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    FILES.train_labels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    FILES.test_images: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    FILES.test_labels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def mnist(
    data_dir: str | os.PathLike[str] | None = None,
    validation: float | int = 0.1,
    seed: int = 0,
    mirrors: Sequence[str] = MIRRORS,
    sha256: Mapping[str, str] = SHA256,
) -> Dataset:
    """MNIST: images of 28 x 28 pixels, uint8 0 (background) to 255 (ink), as (n, 784).

    The official 10,000 test images are `test`; validation is taken from the 60,000, stratified
    by digit. Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-Based Learning
    Applied to Document Recognition, Proceedings of the IEEE 86, 1998.

    Args:
        data_dir: a folder with the four IDX files (`train-images-idx3-ubyte` and so on, plain
            or as `.gz`). Without it the files are downloaded once, to `purenet/mnist` in the
            user's cache folder ($XDG_CACHE_HOME, or ~/.cache).
        validation: fraction of the 60,000; see `split_indices`.
        seed: of the validation split.
        mirrors: where to download from, in this order; each ends in a slash.
        sha256: the digest of each uncompressed file.

    Raises:
        ValueError: a file is missing, damaged, or not the original by its SHA-256; no mirror
            gave it; the cache cannot be written.

    >>> mnist("no-such-folder")
    Traceback (most recent call last):
    ...
    ValueError: no-such-folder: there is no train-images-idx3-ubyte or ...-ubyte.gz in it
    """
    contents = {name: _content(name, data_dir, mirrors, sha256[name]) for name in FILES}
    training = _examples(FILES.train_images, FILES.train_labels, contents)
    test = _examples(FILES.test_images, FILES.test_labels, contents)
    if training.x.shape[1] != test.x.shape[1]:
        raise ValueError(
            f"mnist: training images have {training.x.shape[1]} pixels, test images "
            f"{test.x.shape[1]}"
        )
    train, held_out, _ = take(training, split_indices(training.y, validation, 0.0, seed))
    return Dataset(
        "mnist",
        "classification",
        train,
        held_out,
        test,
        class_names=CLASS_NAMES,
        input_scaling=InputScaling(0.0, 255.0),
    )


def _content(
    name: str, data_dir: str | os.PathLike[str] | None, mirrors: Sequence[str], sha256: str
) -> np.ndarray:
    """The array in one of the four files."""
    if data_dir is None:
        content = fetch(f"{name}.gz", mirrors, sha256, cache_dir() / "mnist")
        return parse_idx(content, name)
    path = _find(name, os.fspath(data_dir))
    content = read_bytes(path)
    values = parse_idx(content, path)
    check_sha256(content, sha256, path)
    return values


def _find(name: str, folder: str) -> str:
    for path in (os.path.join(folder, name), os.path.join(folder, f"{name}.gz")):
        if os.path.isfile(path):
            return path
    raise ValueError(f"{folder}: there is no {name} or {name}.gz in it")


def _examples(images: str, labels: str, contents: Mapping[str, np.ndarray]) -> Examples:
    return Examples(_pixels(images, contents[images]), _labels(labels, contents, images))


def _pixels(name: str, values: np.ndarray) -> UInt8[np.ndarray, "n pixels"]:
    if values.dtype != np.uint8 or values.ndim != 3:
        raise ValueError(
            f"{name}: expected uint8 images (n, height, width), found {values.dtype} {values.shape}"
        )
    return values.reshape(len(values), -1)


def _labels(name: str, contents: Mapping[str, np.ndarray], images: str) -> Int32[np.ndarray, " n"]:
    values, n = contents[name], len(contents[images])
    if values.dtype != np.uint8 or values.shape != (n,):
        raise ValueError(
            f"{name}: expected uint8 labels ({n},), one for each image in {images}, found "
            f"{values.dtype} {values.shape}"
        )
    if values.max() >= len(CLASS_NAMES):
        raise ValueError(f"{name}: expected labels 0 to 9, found {values.max()}")
    return values.astype(np.int32)
