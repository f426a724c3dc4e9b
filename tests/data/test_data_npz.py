"""An .npz file is read without pickle, and every damaged one is a ValueError."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purenet.data import read_npz

X = np.arange(24.0).reshape(12, 2)
Y = np.arange(12) % 2


@pytest.fixture
def save(tmp_path):
    def save(**arrays: np.ndarray):
        path = tmp_path / "data.npz"
        np.savez(path, allow_pickle=True, **arrays)
        return path

    return save


def read(path):
    return read_npz(path, validation=0, test=0.25)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_x_and_y(tmp_path, write):
    write(tmp_path / "data.npz", x=X, y=Y, note=np.array("ignored"))
    data = read(tmp_path / "data.npz")
    assert data.name == "data.npz"
    assert (len(data.train.x), len(data.validation.x), len(data.test.x)) == (9, 0, 3)


def test_the_layout_with_parts(save):
    data = read_npz(save(x_train=X, y_train=Y, x_test=X + 100, y_test=1 - Y), validation=0)
    assert np.array_equal(data.train.x, X)
    assert np.array_equal(data.test.x, X + 100)
    assert np.array_equal(data.test.y, 1 - Y)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("", "found none"),
        ("x", "expected the keys x and y.*found x"),
        ("y", "found y"),
        ("images labels", "found images, labels"),
        ("x_train", "found x_train"),
        ("x_test y_test", "found x_test, y_test"),
        ("x_train y_train x_test", "found x_train, y_train, x_test"),
        ("x y x_train y_train", "found x, y, x_train, y_train"),
        ("x y x_test y_test", "found x, y, x_test, y_test"),
        ("x_train y_train x_val y_val", "unknown key 'x_val'; choose from 'x', 'y', 'x_train'"),
    ],
)
def test_wrong_keys_are_listed(save, keys, reason):
    with pytest.raises(ValueError, match=rf"data\.npz: .*{reason}"):
        read(save(**{key: Y if key.startswith("y") else X for key in keys.split()}))


@pytest.mark.parametrize("key", ["x", "y"])
def test_python_objects_are_refused_with_the_reason(save, key):
    arrays = {"x": X, "y": Y} | {key: np.array([{}] * 12)}
    with pytest.raises(ValueError, match=f"{key} holds Python objects.*pickle"):
        read(save(**arrays))


def test_errors_in_the_arrays_name_the_file(save):
    with pytest.raises(ValueError, match=r"data\.npz: x has 12 examples and y 11"):
        read(save(x=X, y=Y[:-1]))


def test_a_member_that_is_no_array(tmp_path):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"text")
        archive.writestr("y", b"text")
    with pytest.raises(ValueError, match="x is not a NumPy array"):
        read(path)


def test_an_impossible_shape_is_a_value_error(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**55,)}
    )
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(ValueError, match=r"data\.npz: x is damaged"):
        read(path)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)]
)
def test_what_is_no_archive(tmp_path, content):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"data\.npz: (not an \.npz file|.*found none|.*damaged)"):
        read(path)


def test_a_single_array_is_no_archive(tmp_path):
    path = tmp_path / "data.npz"
    with path.open("wb") as stream:
        np.save(stream, X)
    with pytest.raises(ValueError, match=r"not an \.npz file"):
        read(path)


def test_a_path_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.npz: cannot be read"):
        read(tmp_path / "missing.npz")
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path)


def archive_bytes(write) -> bytes:
    buffer = io.BytesIO()
    write(buffer, x=X, y=Y)
    return buffer.getvalue()


ARCHIVES = {"plain": archive_bytes(np.savez), "compressed": archive_bytes(np.savez_compressed)}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_no_shortened_file_is_accepted(tmp_path, kind):
    path, content = tmp_path / "data.npz", ARCHIVES[kind]
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"data\.npz: "):
            read(path)


@settings(max_examples=200)
@given(st.sampled_from(sorted(ARCHIVES)), st.data())
def test_a_changed_byte_is_harmless_or_a_value_error(tmp_path_factory, kind, data):
    """The archive has checksums for the numbers: they are right, or the file is refused."""
    content = bytearray(ARCHIVES[kind])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    path.write_bytes(content)
    found, error = found_or_error(path)
    assert error is None or "data.npz: " in error
    assert found is None or np.array_equal(found.train.x, X)
    assert found is None or np.array_equal(found.train.y, Y)


def found_or_error(path):
    try:
        return read_npz(path, validation=0, test=0), None
    except ValueError as error:
        return None, str(error)
