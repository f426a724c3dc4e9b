"""Every command and every line of code in the README is run."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
INSTALLING = [line for line in COMMANDS if line.startswith("pip install")]
RUNNING = [line for line in COMMANDS if line not in INSTALLING and "mnist" not in line]
MNIST = [line for line in COMMANDS if "mnist" in line]
FILES = Path(os.environ.get("PURENET_MNIST", ROOT.parent / "shared" / "data" / "mnist"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder to run commands in, which sees the checkout's examples and benchmarks."""
    place = tmp_path_factory.mktemp("readme")
    for name in ("examples", "benchmarks", "derivations"):
        (place / name).symlink_to(ROOT / name)
    return place


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        shlex.split(command),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_runs_and_prints_what_it_says():
    failed, attempted = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert attempted > 20
    assert failed == 0


def test_installing_is_one_command_for_users_and_one_for_tests_which_ci_runs():
    assert INSTALLING == [
        'pip install -e ".[cli]" && purenet train',
        'pip install -e ".[cli,test]" && pytest',
    ]
    pattern = re.search(r"grep -m1 -E '(.*)' README.md", (ROOT / ".ci" / "run").read_text())[1]
    assert [c for c in COMMANDS if re.search(pattern, c)] == [INSTALLING[1]]


def test_the_main_command_ends_as_shown(folder):
    done = run("purenet train", folder)
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1].splitlines()

    def without_figures(lines):
        return [re.sub(r"\d+(\.\d+)?", "0", line) for line in lines]

    assert done.returncode == 0, done.stderr
    assert without_figures(done.stdout.splitlines()[-len(shown) :]) == without_figures(shown)


def test_the_proof_is_printed_as_shown(folder):
    shown = re.search(r"```proof\n(.*?)```", README, re.DOTALL)[1]
    assert shown in run("python -m derivations delta_hidden", folder).stdout


@pytest.mark.parametrize("command", RUNNING)
def test_a_command_runs(command, folder):
    done = run(command, folder)
    assert (done.returncode, done.stderr.replace("\n", " ")[-300:] * (done.returncode != 0)) == (
        0,
        "",
    )


@pytest.mark.slow
@pytest.mark.skipif(not FILES.is_dir(), reason="the MNIST files are not here: set PURENET_MNIST")
@pytest.mark.parametrize("command", MNIST)
def test_an_mnist_command_runs(command, folder):
    done = run(f"{command} --data-dir {FILES}", folder)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"test accuracy (\S+)", done.stdout)[1]) > 0.975
