"""Settings that every test runs under, made before anything imports purenet.

JAX refuses silent changes of dtype and rank, matrix products are exact float32, the CPU stands for
eight devices, and every annotation of the package is checked when a function is called.
"""

import gc
import sys
from pathlib import Path

import jax
import jaxtyping
import pytest

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_default_matmul_precision", "highest")
ROOT = Path(__file__).parents[1]
# A program of its own, which starts JAX in its own way when it is read.
collect_ignore = ["distributed_worker.py"]
# Everything that takes arrays. The prover works on terms, which mypy checks, and calls its small
# functions a million times.
CHECKED = [
    f"purenet.{path.stem}"
    for path in (ROOT / "purenet").iterdir()
    if path.stem not in ("prove", "__init__", "__main__") and not path.name.startswith("__py")
]
jaxtyping.install_import_hook(CHECKED, "beartype.beartype")

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


def pytest_collection_finish():
    """What has been imported stays to the end: each full collection would walk all of it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def x64():
    """Run the test in float64."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def unchecked():
    """Run the test without the check of annotations, as a user runs purenet.

    Only for arguments of a wrong *type*, where purenet's own message is tested. Wrong shapes and
    dtypes of arrays have to reach purenet's checks with the annotations checked too.
    """
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def quick_compiling():
    """Compile with half the effort: most of the time goes into programs that run for an instant.

    For modules that look at words, or at numbers within a bound that is far from rounding. Not
    where programs are read or counted, bits are compared across programs, or rounding is measured.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    # The other modules of this process compile for themselves.
    jax.clear_caches()


@pytest.fixture
def optimized(quick_compiling):
    """Compile as a user does, for a long run or for rounding in a module that compiles quickly."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Commands keep compiled programs in the user's cache folder: here a temporary one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.getbasetemp().resolve() / "cache"
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder
