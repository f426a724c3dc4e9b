"""IDX, the format of the MNIST files: a magic number, the sizes, and the array."""

import gzip
import math
import os
import struct
import zlib

import numpy as np
from jaxtyping import Shaped

GZIP_MAGIC = b"\x1f\x8b"

# The third byte of an IDX file names the type of its numbers, which are big-endian.
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 32


def read_idx(path: str | os.PathLike[str]) -> Shaped[np.ndarray, "..."]:
    """The array in an IDX file, plain or compressed with gzip.

    Raises:
        ValueError: the file cannot be read, its gzip stream is damaged, or `parse_idx` refuses
            what is in it.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "labels.gz")
    ...     _ = path.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7])))
    ...     read_idx(path)
    array([5, 7], dtype=uint8)
    """
    return parse_idx(read_bytes(path), os.fspath(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file, uncompressed if it is gzip, whatever its name says.

    Raises:
        ValueError: the file cannot be read, or its gzip stream is damaged.
    """
    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:
            return uncompressed(stream.read(), file)
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror})") from error


def uncompressed(content: bytes, name: str) -> bytes:
    """The content itself, or what its gzip stream holds.

    Raises:
        ValueError: the gzip stream is cut short or damaged.
    """
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name}: the gzip stream is cut short or damaged ({error})") from error


def parse_idx(content: bytes, name: str) -> Shaped[np.ndarray, "..."]:
    """The array in the bytes of an IDX file, read-only, in native byte order.

    Layout: two zero bytes, a byte for the type, a byte for the number of axes, the size of each
    axis as a big-endian uint32, then the numbers in C order and nothing else.

    Args:
        content: the uncompressed bytes.
        name: the file's name, for errors.

    Raises:
        ValueError: a wrong magic number, type or number of axes, a size of 0, or a length
            other than the sizes call for.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]), "labels")
    array([5, 7], dtype=uint8)
    """
    if len(content) < 4:
        raise ValueError(f"{name}: expected an IDX file, found {len(content)} bytes")
    zero, code, axes = struct.unpack_from(">HBB", content)
    if zero or code not in DTYPES or not 1 <= axes <= MOST_AXES:
        raise ValueError(
            f"{name}: expected the magic number of an IDX file (00 00, a type from "
            f"{', '.join(f'{c:02x}' for c in DTYPES)}, 1 to {MOST_AXES} axes), "
            f"found {content[:4].hex(' ')}"
        )
    start = 4 + 4 * axes
    if len(content) < start:
        found = len(content)
        raise ValueError(f"{name}: a header with {axes} axes has {start} bytes, found {found}")
    shape = struct.unpack_from(f">{axes}I", content, 4)
    if 0 in shape:
        raise ValueError(f"{name}: expected sizes of at least 1, found {shape}")
    dtype = np.dtype(DTYPES[code])
    length = start + math.prod(shape) * dtype.itemsize
    if len(content) != length:
        raise ValueError(
            f"{name}: an array of shape {shape} and type {dtype.newbyteorder('=').name} makes "
            f"{length} bytes, found {len(content)}"
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    native = values.astype(dtype.newbyteorder("="), copy=False)
    native.flags.writeable = False
    return native
