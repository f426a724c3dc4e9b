"""MNIST from a folder or from mirrors: the right four files, or an error."""

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from purenet.data import mnist
from purenet.data.mnist import FILES, SHA256

REAL = Path(
    os.environ.get("PURENET_MNIST", Path(__file__).parents[2] / ".." / "shared" / "data" / "mnist")
)
needs_mnist = pytest.mark.skipif(
    not (REAL / f"{FILES.train_images}.gz").exists() and not (REAL / FILES.train_images).exists(),
    reason=f"the four MNIST files are not in {REAL}; name their folder in PURENET_MNIST",
)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def small_files() -> dict[str, bytes]:
    """40 training and 10 test images of 2 x 3 pixels; every pixel is the image's number."""
    images = np.arange(50, dtype=np.uint8)[:, None, None].repeat(2, axis=1).repeat(3, axis=2)
    labels = np.arange(50, dtype=np.uint8) % 4
    return {
        FILES.train_images: idx(images[:40]),
        FILES.train_labels: idx(labels[:40]),
        FILES.test_images: idx(images[40:]),
        FILES.test_labels: idx(labels[40:]),
    }


def digests(contents: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


def load_changed(folder: Path, **changes: bytes):
    """`mnist` on files of which some are replaced, with digests that fit."""
    contents = small_files() | {getattr(FILES, name): value for name, value in changes.items()}
    return mnist(write(folder, contents), sha256=digests(contents))


def check_small(data):
    assert data.train.x.shape == (36, 6)
    assert data.validation.x.shape == (4, 6)
    assert data.test.x.shape == (10, 6)
    assert np.bincount(data.validation.y).tolist() == [1, 1, 1, 1]
    assert data.test.x[:, 0].tolist() == list(range(40, 50))
    for part in (data.train, data.validation, data.test):
        assert part.x.dtype == np.uint8
        assert part.y.dtype == np.int32
        assert np.array_equal(part.x[:, 0] % 4, part.y)


def test_from_a_folder_of_compressed_files(tmp_path):
    check_small(load_changed(tmp_path))


def test_from_a_folder_of_plain_files(tmp_path):
    for name, content in small_files().items():
        (tmp_path / name).write_bytes(content)
    check_small(mnist(tmp_path, sha256=digests(small_files())))


def test_downloaded_once_and_then_read_from_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mirror = write(tmp_path / "mirror", small_files())
    broken, sha256 = (tmp_path / "none").as_uri() + "/", digests(small_files())
    check_small(mnist(mirrors=[broken, mirror.as_uri() + "/"], sha256=sha256))
    check_small(mnist(mirrors=[], sha256=sha256))
    cached = sorted(path.name for path in (tmp_path / "cache" / "purenet" / "mnist").iterdir())
    assert cached == sorted(f"{name}.gz" for name in FILES)


def test_without_a_network_the_error_names_the_option(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ValueError, match=r"could not download train-images.*--data-dir"):
        mnist(mirrors=[(tmp_path / "none").as_uri() + "/"])
    assert list(tmp_path.iterdir()) == []


def test_the_seed_decides_the_validation_split(tmp_path):
    contents = small_files()
    folder, sha256 = write(tmp_path, contents), digests(contents)
    first, again, other = (mnist(folder, seed=seed, sha256=sha256) for seed in (0, 0, 1))
    assert np.array_equal(first.validation.x, again.validation.x)
    assert not np.array_equal(first.validation.x, other.validation.x)


def test_other_files_than_the_original_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"train-images.*SHA-256.*not the original"):
        mnist(write(tmp_path, small_files()))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path, name):
    contents = small_files()
    write(tmp_path, contents)
    (tmp_path / f"{name}.gz").unlink()
    with pytest.raises(ValueError, match=f"there is no {name} or {name}.gz in it"):
        mnist(tmp_path, sha256=digests(contents))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b"\1" + b[1:]])
def test_a_damaged_file_is_named(tmp_path, name, damage):
    contents = small_files()
    damaged = contents | {name: damage(contents[name])}
    with pytest.raises(ValueError, match=f"{name}.gz: .*found"):
        mnist(write(tmp_path, damaged), sha256=digests(damaged))


PIXELS = np.zeros((10, 2, 3), np.uint8)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"test_images": idx(PIXELS[0])}, "expected uint8 images"),
        ({"test_images": idx(PIXELS[:, :1])}, "training images have 6 pixels, test images 3"),
        ({"test_images": idx(PIXELS[:9])}, r"expected uint8 labels \(9,\)"),
        ({"test_labels": idx(np.full(10, 10, np.uint8))}, "expected labels 0 to 9, found 10"),
        ({"train_labels": idx(np.zeros((40, 1), np.uint8))}, r"expected uint8 labels \(40,\)"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(tmp_path, changes, reason):
    with pytest.raises(ValueError, match=reason):
        load_changed(tmp_path, **changes)


@needs_mnist
def test_the_real_files():
    data = mnist(REAL, validation=1 / 12)
    assert [len(part.x) for part in (data.train, data.validation, data.test)] == [
        55000,
        5000,
        10000,
    ]
    assert data.features == 784
    assert data.outputs == 10
    # The counts that Y. LeCun's page of the data set gives for the test part.
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(data.test.y).tolist() == counts
    shares = np.bincount(data.validation.y) * 12 - np.bincount(
        np.concatenate([data.train.y, data.validation.y])
    )
    assert (np.abs(shares) < 12).all()
    assert data.train.x.max() == 255
    assert data.input_scaling.scale == 255.0


@needs_mnist
def test_one_wrong_byte_in_a_real_file_is_found(tmp_path):
    for name in FILES:
        source = REAL / f"{name}.gz"
        content = gzip.decompress(source.read_bytes()) if source.exists() else None
        content = content or (REAL / name).read_bytes()
        if name == FILES.test_labels:
            content = content[:-1] + bytes([content[-1] ^ 1])
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{FILES.test_labels}: its SHA-256 is"):
        mnist(tmp_path)


def test_every_file_has_a_digest():
    assert set(SHA256) == set(FILES)
    assert all(len(digest) == 64 for digest in SHA256.values())
