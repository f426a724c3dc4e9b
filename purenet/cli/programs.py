"""Compiled programs kept on disk: the second run of a command loads what the first one compiled.

They lie in `purenet/programs` of the user's cache folder. JAX's own settings go before:
`JAX_COMPILATION_CACHE_DIR` names another folder, `JAX_ENABLE_COMPILATION_CACHE=0` keeps nothing.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

from purenet.data.download import cache_dir

MOST_BYTES = 256 * 2**20


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep the programs of this block, or none where the folder cannot be written to."""
    folder = cache_dir() / "programs"
    settings = {
        "jax_compilation_cache_dir": str(folder),
        # JAX keeps what took a second to compile; ours take less each, and more together.
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    if before["jax_compilation_cache_dir"] is not None or not _ready(folder):
        yield
        return
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def _set(settings: dict) -> None:
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def _ready(folder: Path) -> bool:
    """Make the folder, and make room in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [(file.stat(), file) for file in folder.iterdir()]
        left = sum(status.st_size for status, _ in files)
        for status, file in sorted(files, key=lambda both: both[0].st_mtime):
            if left <= MOST_BYTES:
                break
            file.unlink(missing_ok=True)
            left -= status.st_size
    except OSError:
        return False
    return True
