"""IDX files are read exactly, or refused with a reason."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from purenet.data import read_idx
from purenet.data.idx import DTYPES, parse_idx

CODES = {np.dtype(name): code for code, name in DTYPES.items()}
idx_arrays = st.sampled_from(list(CODES)).flatmap(
    lambda dtype: arrays(dtype, array_shapes(max_dims=4, max_side=4))
)


def idx_bytes(values: np.ndarray) -> bytes:
    """An independent writer, straight from the description of the format."""
    header = struct.pack(f">HBB{values.ndim}I", 0, CODES[values.dtype], values.ndim, *values.shape)
    return header + values.tobytes()


GOOD = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))


@given(idx_arrays)
def test_what_is_written_is_read(values):
    read = parse_idx(idx_bytes(values), "values")
    assert read.dtype == values.dtype.newbyteorder("=")
    assert read.dtype.isnative
    assert read.shape == values.shape
    assert read.astype(values.dtype).tobytes() == values.tobytes()
    assert not read.flags.writeable


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_compression_is_recognised_by_content(tmp_path, compress, name):
    path = tmp_path / name
    path.write_bytes(compress(GOOD))
    assert read_idx(path).tolist() == [[0, 1, 2], [3, 4, 5]]


@given(idx_arrays, st.data())
def test_no_prefix_of_a_file_is_accepted(values, data):
    content = idx_bytes(values)
    length = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ValueError, match=r"values: .*found"):
        parse_idx(content[:length], "values")


@given(idx_arrays, st.binary(min_size=1, max_size=9))
def test_trailing_bytes_are_refused(values, more):
    content = idx_bytes(values)
    with pytest.raises(ValueError, match=rf"{len(content)} bytes, found {len(content + more)}"):
        parse_idx(content + more, "values")


@given(st.binary(max_size=40))
def test_any_bytes_give_an_array_or_a_value_error(content):
    values, error = parsed_or_error(content)
    if values is None:
        assert error.startswith("values: ")
    else:
        assert idx_bytes(values.astype(values.dtype.newbyteorder(">"))) == content


def parsed_or_error(content: bytes):
    try:
        return parse_idx(content, "values"), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found 0 bytes"),
        (b"\x01" + GOOD[1:], "magic number.*found 01 00 08 02"),
        (GOOD[:2] + b"\x0a" + GOOD[3:], "magic number.*found 00 00 0a 02"),
        (GOOD[:3] + b"\x00" + GOOD[4:], "at least|1 to 32 axes"),
        (GOOD[:3] + b"\xff" + GOOD[4:], "1 to 32 axes"),
        (GOOD[:3] + b"\x04" + GOOD[4:16], "a header with 4 axes has 20 bytes, found 16"),
        (GOOD[:7] + b"\x00" + GOOD[8:], r"sizes of at least 1, found \(0, 3\)"),
        (GOOD[:4] + b"\xff" * 8 + GOOD[12:], "makes 18446744065119617037 bytes, found 18"),
    ],
)
def test_the_error_says_what_was_expected_and_found(content, reason):
    with pytest.raises(ValueError, match=f"labels: .*({reason})"):
        parse_idx(content, "labels")


WHOLE = gzip.compress(GOOD)
BROKEN_STREAMS = {
    "cut": WHOLE[:-9],
    "tail lost": WHOLE[:-1],
    "header only": WHOLE[:10],
    "flipped": WHOLE[:14] + bytes([WHOLE[14] ^ 255]) + WHOLE[15:],
    "wrong checksum": WHOLE[:-8] + bytes(4) + WHOLE[-4:],
    "trailing garbage": WHOLE + b"more",
}


@pytest.mark.parametrize("what", BROKEN_STREAMS)
def test_a_broken_gzip_stream_is_a_value_error(tmp_path, what):
    content = BROKEN_STREAMS[what]
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.gz: the gzip stream is cut short or damaged"):
        read_idx(path)


def test_an_unreadable_path_is_a_value_error(tmp_path):
    with pytest.raises(ValueError, match=r"missing: cannot be read \(No such file"):
        read_idx(tmp_path / "missing")
    with pytest.raises(ValueError, match="cannot be read"):
        read_idx(tmp_path)
