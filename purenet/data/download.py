"""One file from the first mirror that has it, kept in the user's cache folder."""

import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from purenet.data.idx import read_bytes, uncompressed
from purenet.data.sha256 import check_sha256

TIMEOUT_SECONDS = 30
# A mirror that sends more than this is not sending one of our files.
MOST_BYTES = 100 * 2**20


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/purenet`, or `~/.cache/purenet` where that is not an absolute path.

    >>> cache_dir().name
    'purenet'
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "purenet"


def fetch(name: str, mirrors: Sequence[str], sha256: str, folder: Path) -> bytes:
    """The uncompressed content of a file, from the cache or else from a mirror.

    What is in the cache is checked again each time; a damaged copy is downloaded anew. Nothing
    enters the cache before its digest was right, and it enters in one step (`os.replace`), so
    that a reader never sees half a file.

    Args:
        name: the file's name, the same in the cache and on the mirrors.
        mirrors: addresses that end in a slash, tried in this order.
        sha256: the digest of the uncompressed content.
        folder: the cache.

    Raises:
        ValueError: no mirror gave the right content (each with its reason), or the cache cannot
            be written.

    >>> import hashlib, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as base:
    ...     _ = pathlib.Path(base, "a.txt").write_bytes(b"hello")
    ...     mirror = pathlib.Path(base).as_uri() + "/"
    ...     digest = hashlib.sha256(b"hello").hexdigest()
    ...     fetch("a.txt", [mirror], digest, pathlib.Path(base, "cache"))
    b'hello'
    """
    cached = folder / name
    if cached.exists():
        try:
            return _checked(read_bytes(cached), sha256, str(cached))
        except ValueError:
            pass
    raw, content = _from_mirrors(name, mirrors, sha256)
    _write(cached, raw)
    return content


def _checked(content: bytes, sha256: str, name: str) -> bytes:
    check_sha256(content, sha256, name)
    return content


def _from_mirrors(name: str, mirrors: Sequence[str], sha256: str) -> tuple[bytes, bytes]:
    """The file as it was sent, and its uncompressed content."""
    reasons = []
    for mirror in mirrors:
        try:
            raw = _download(mirror + name)
            return raw, _checked(uncompressed(raw, mirror + name), sha256, mirror + name)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(
        f"could not download {name} ({'; '.join(reasons)}): get the files elsewhere and name "
        "their folder with --data-dir"
    )


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            content: bytes = response.read(MOST_BYTES + 1)
    except urllib.error.URLError as error:
        # An HTTPError keeps its connection open until it is closed.
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise ValueError(f"{url}: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(f"{url}: {error or type(error).__name__}") from error
    if len(content) > MOST_BYTES:
        raise ValueError(f"{url}: sends more than {MOST_BYTES} bytes")
    return content


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as error:
        raise ValueError(
            f"{path}: the cache cannot be written ({error.strerror}): set XDG_CACHE_HOME to a "
            "folder that can, or get the files elsewhere and name their folder with --data-dir"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    """Writes beside the file, then takes its place in one step."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        try:
            stream.write(content)
            stream.close()
            os.replace(stream.name, path)
        except BaseException:
            os.unlink(stream.name)
            raise
