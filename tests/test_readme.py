"""Every command and every line of code in the README is run."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

# The code prints shapes, words and figures of a few digits; commands run as they are.
pytestmark = pytest.mark.usefixtures("quick_compiling")

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
INSTALLING = [line for line in COMMANDS if line.startswith("pip install")]
MNIST = [line for line in COMMANDS if "mnist" in line]
BEGINNING_LONG = (
    "python -m tests.prove.corpus",
    "python -m benchmarks ",
    "python benchmarks/gradient_checks.py",
    "python examples/four_equations.py",
)
LONG = [
    "purenet prove",
    "python -m derivations",
    *(line for line in COMMANDS if line.startswith(BEGINNING_LONG)),
]
RUNNING = [line for line in COMMANDS if line not in (*INSTALLING, *MNIST, *LONG)]
PRINTED = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", README)
FILES = Path(os.environ.get("PURENET_MNIST", ROOT.parent / "shared" / "data" / "mnist"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder to run commands in, which sees the checkout's examples and benchmarks."""
    place = tmp_path_factory.mktemp("readme")
    for name in ("examples", "benchmarks", "derivations", "tests"):
        (place / name).symlink_to(ROOT / name)
    return place


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        shlex.split(command, comments=True),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def slow_if_long(command):
    return pytest.mark.slow if command in LONG else ()


def without_seconds(line):
    return re.sub(r" +\d+\.\d s$| +\d+\.\d\d s(?= |$)", " 0 s", line)


def test_the_code_runs_and_prints_what_it_says(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
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


def test_rules_that_are_shown_are_those_of_the_example():
    shown = [b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if ">>>" not in b]
    assert len(shown) == 1
    assert shown[0] in (ROOT / "examples" / "rules.py").read_text()


@pytest.mark.parametrize(
    ("command", "shown"),
    [pytest.param(*printed, marks=slow_if_long(printed[0])) for printed in PRINTED],
)
def test_a_command_prints_what_is_shown_and_exits_with_the_code_that_is_shown(
    command, shown, folder
):
    done = run(command, folder)
    lines = [without_seconds(line) for line in done.stdout.splitlines()]
    parts = [
        [without_seconds(line) for line in part.splitlines()]
        for part in re.split(r"^ *…\n", shown, flags=re.MULTILINE)
    ]
    assert lines[: len(parts[0])] == parts[0]
    assert lines[len(lines) - len(parts[-1]) :] == parts[-1]
    assert len(parts) == 2 or parts == [lines]
    assert done.returncode == (1 if command.endswith("# exit code 1") else 0)


@pytest.mark.slow
@pytest.mark.parametrize("command", [line for line in LONG if line in COMMANDS])
def test_a_long_command_runs(command, folder):
    done = run(command, folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


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
