"""Commands find the programs again that an earlier run compiled."""

import os
import re
import subprocess
import sys

import jax
import pytest

from purenet.cli import main, programs

OPTIONS = "--epochs", "1", "--hidden", "4", "--quiet"


def train(folder, **environment):
    """Run `purenet train` in a new process; return how many programs were compiled, not loaded."""
    program = (
        "import sys, jax; from purenet.cli import main\n"
        "jax.config.update('jax_explain_cache_misses', True)\n"
        "code = main(['train', *sys.argv[1:]])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *OPTIONS],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "test accuracy" in done.stdout
    return len(re.findall("PERSISTENT COMPILATION CACHE MISS", done.stderr))


@pytest.fixture
def hits():
    """Count the programs that are loaded from the disk."""
    found = []

    def listen(event, **_):
        if event == "/jax/compilation_cache/cache_hits":
            found.append(event)

    jax.monitoring.register_event_listener(listen)
    yield found
    jax.monitoring.unregister_event_listener(listen)


def test_a_program_is_kept_and_found_again(cache_folder, hits):
    def program(x):
        return 3 * x

    with programs.kept():
        jax.jit(lambda x: program(x))(1.0)
        assert any((cache_folder / "purenet" / "programs").iterdir())
        before = len(hits)
        jax.jit(lambda x: program(x))(1.0)
        assert len(hits) == before + 1
    jax.jit(lambda x: program(x))(1.0)
    assert len(hits) == before + 1


def test_a_run_compiles_eight_programs_and_a_second_run_none(tmp_path):
    assert train(tmp_path) == 8
    kept = (tmp_path / "cache" / "purenet" / "programs").glob("*-cache")
    names = sorted(file.name.partition("-")[0].removeprefix("jit_") for file in kept)
    # The forward pass and the scores, of validation and of test data, and four of one shape each.
    twice = ["_compiled_logits", "_scores"]
    assert names == sorted([*twice, *twice, "_compiled_state", "_drawn", "_keys", "one_pass"])
    assert train(tmp_path) == 0


@pytest.mark.slow
def test_the_settings_of_jax_go_before(tmp_path):
    train(tmp_path, JAX_ENABLE_COMPILATION_CACHE="0")
    assert not list((tmp_path / "cache" / "purenet" / "programs").iterdir())
    train(tmp_path, JAX_COMPILATION_CACHE_DIR=str(tmp_path / "own"))
    assert not list((tmp_path / "cache" / "purenet" / "programs").iterdir())


def test_the_settings_are_as_before_after_a_command(cache_folder):
    before = jax.config.jax_compilation_cache_dir
    with programs.kept():
        assert jax.config.jax_compilation_cache_dir == str(cache_folder / "purenet" / "programs")
    assert jax.config.jax_compilation_cache_dir == before


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.chdir(tmp_path)
    with programs.kept():
        assert jax.config.jax_compilation_cache_dir is None
    assert main(["train", "--data", "absent.csv"]) == 2


def test_the_oldest_programs_make_room(cache_folder, monkeypatch):
    folder = cache_folder / "purenet" / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for age, name in enumerate(("new", "middle", "old")):
        (folder / name).write_bytes(b"x" * 100)
        os.utime(folder / name, (1000 - age, 1000 - age))
    monkeypatch.setattr(programs, "MOST_BYTES", 250)
    with programs.kept():
        assert {file.name for file in folder.iterdir()} == {"new", "middle"}
