"""A download is used and kept only when its digest is right."""

import gzip
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from purenet.data import download
from purenet.data.download import cache_dir, fetch

CONTENT = b"the right content"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def mirror(tmp_path):
    """A mirror with one good file, as a file:// address."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "a.gz").write_bytes(gzip.compress(CONTENT))
    return folder.as_uri() + "/"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "mnist"


@pytest.fixture
def server():
    """An HTTP server whose every answer is `answers[path]`: (status, declared length, body).

    Status 0 sends the body alone, without the head that HTTP asks for.
    """
    answers: dict[str, tuple[int, int, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, length, body = answers.get(self.path, (404, 0, b""))
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", answers
        server.shutdown()
        thread.join()


def broken(folder: Path) -> str:
    return folder.as_uri() + "/nowhere/"


def test_the_second_mirror_is_used_when_the_first_is_broken(tmp_path, mirror, cache):
    assert fetch("a.gz", [broken(tmp_path), mirror], DIGEST, cache) == CONTENT
    assert [path.name for path in cache.iterdir()] == ["a.gz"]


def test_the_cache_is_used_without_any_mirror(mirror, cache):
    fetch("a.gz", [mirror], DIGEST, cache)
    assert fetch("a.gz", [], DIGEST, cache) == CONTENT


def test_a_wrong_digest_is_refused_and_not_cached(mirror, cache):
    with pytest.raises(ValueError, match=f"its SHA-256 is {DIGEST}, expected {'0' * 64}"):
        fetch("a.gz", [mirror], "0" * 64, cache)
    assert not cache.exists()


def test_a_mirror_with_a_wrong_file_is_passed_over(server, mirror, cache):
    address, answers = server
    answers["/a.gz"] = (200, 5, b"other")
    assert fetch("a.gz", [address, mirror], DIGEST, cache) == CONTENT


def test_a_damaged_copy_in_the_cache_is_downloaded_anew(mirror, cache):
    fetch("a.gz", [mirror], DIGEST, cache)
    whole = (cache / "a.gz").read_bytes()
    for damaged in (b"", whole[:-3], gzip.compress(b"other")):
        (cache / "a.gz").write_bytes(damaged)
        assert fetch("a.gz", [mirror], DIGEST, cache) == CONTENT
        assert (cache / "a.gz").read_bytes() == whole


def test_over_http(server, cache):
    address, answers = server
    body = gzip.compress(CONTENT)
    answers["/a.gz"] = (200, len(body), body)
    assert fetch("a.gz", [address], DIGEST, cache) == CONTENT


def test_when_all_mirrors_fail_one_line_gives_each_reason_and_the_way_out(server, tmp_path, cache):
    address, answers = server
    body = gzip.compress(CONTENT)
    answers["/short/a.gz"] = (200, len(body), body[:-5])
    answers["/odd/a.gz"] = (0, 0, b"no HTTP")
    mirrors = [
        address,
        f"{address}short/",
        f"{address}odd/",
        broken(tmp_path),
        "nonsense://x/",
        "nonsense/",
    ]
    with pytest.raises(ValueError, match=r"could not download a\.gz") as caught:
        fetch("a.gz", mirrors, DIGEST, cache)
    message = str(caught.value)
    assert "\n" not in message
    assert "--data-dir" in message
    assert f"{address}a.gz: Not Found" in message
    assert f"{address}short/a.gz: the gzip stream is cut short" in message
    assert f"{address}odd/a.gz: no HTTP" in message
    assert all(mirror in message for mirror in mirrors)
    assert not cache.exists()


def test_an_endless_file_is_refused(monkeypatch, mirror, cache):
    monkeypatch.setattr(download, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        fetch("a.gz", [mirror], DIGEST, cache)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, mirror):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match=r"file/mnist/a\.gz: the cache cannot be written"):
        fetch("a.gz", [mirror], DIGEST, tmp_path / "file" / "mnist")


def test_a_failed_write_leaves_nothing_behind(monkeypatch, mirror, cache):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download.os, "replace", fail)
    with pytest.raises(ValueError, match="No space left on device"):
        fetch("a.gz", [mirror], DIGEST, cache)
    assert list(cache.iterdir()) == []


def test_the_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "purenet"
    monkeypatch.setenv("HOME", "/home/ada")
    for ignored in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_dir() == Path("/home/ada/.cache/purenet")
