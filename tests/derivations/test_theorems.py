"""Every theorem holds, reads well, stands alone, and cannot be proved wrongly."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from derivations import mutants, show
from derivations.__main__ import main
from derivations.theorems import NAMES, theorem

FOLDER = Path(__file__).parents[2] / "derivations"
FILES = sorted(path.stem for path in (FOLDER / "theorems").glob("*.py") if path.stem != "__init__")


STATEMENTS = Path(__file__).parent / "statements.txt"


def test_no_statement_has_become_weaker(capsys):
    """The file holds every claim; a change of one has to be made there too, before someone's eyes.

    It is what `python -m derivations statements` prints.
    """
    assert main(["statements"]) == 0
    assert capsys.readouterr().out == STATEMENTS.read_text(encoding="utf-8")


def test_every_file_is_listed_once():
    assert sorted(NAMES) == FILES


@pytest.mark.parametrize("name", NAMES)
def test_a_theorem_says_what_for_whom_and_why(name):
    derivation = theorem(name)
    assert derivation.quantifiers
    assert len(derivation.intuition) > 40
    assert all(step.reason for chain in derivation.chains for step in chain.steps)


@pytest.mark.parametrize("name", NAMES)
def test_a_theorem_holds_and_is_printed_within_the_width_of_a_terminal(name, capsys):
    derivation = theorem(name)
    assert derivation.name == name
    assert derivation.steps > 0
    assert main([name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > show.WIDTH] == []
    assert f"{derivation.steps - len(derivation.facts)} steps hold" in lines[-1]


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_proof_differs_from_the_one_before(name):
    for chain in theorem(name).chains:
        lines = [show.text(e) for e in (chain.start, *(s.expression for s in chain.steps))]
        assert all(a != b for a, b in itertools.pairwise(lines)), chain.left


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_plain_latex(name):
    page = show.page(theorem(name))
    assert page.isascii()
    bare = page.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert page.count(r"\begin{align*}") == len(theorem(name).chains)


@pytest.mark.parametrize("name", NAMES)
def test_no_mutant_of_a_step_is_accepted(name):
    assert mutants.outcome(theorem(name), at_most=2).accepted == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_mutant_of_many_is_accepted(name):
    outcome = mutants.outcome(theorem(name), at_most=60)
    assert outcome.accepted == ()
    assert outcome.refused > 0


def test_no_derivation_imports_jax_or_purenet():
    for path in FOLDER.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (jax|purenet|numpy)", path.read_text(), re.M), path


def test_derivations_run_without_jax():
    program = (
        "import sys; sys.modules['jax'] = None; sys.modules['numpy'] = None; "
        "from derivations.__main__ import main; sys.exit(main(['delta_hidden', '--quiet']))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("delta_hidden: holds")
