"""What `import purenet` costs and shows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import purenet as pn

PUBLIC = {
    "Activation", "Dense", "InputScaling", "Loss", "Metric", "Network", "Run", "State",
    "activations", "by_kind", "check_gradients", "class_weights", "differentiable", "epochs",
    "evaluate", "fit", "losses", "metrics", "mlp", "objective", "predict", "stop", "sweep",
    "value_and_grad",
}  # fmt: skip


def test_the_public_names_are_there_and_explain_themselves():
    for name in PUBLIC:
        assert getattr(pn, name).__doc__, name


def test_every_public_name_is_listed_for_readers_and_for_type_checkers_alike():
    tree = ast.parse(Path(pn.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (home.module.rpartition("purenet.")[2], name.name, name.asname)
        for home in checked.body
        for name in home.names
    }
    assert {name for _, name, _ in typed} == {name for _, _, name in typed} == set(pn._names())
    assert {(module, name) for module, name, _ in typed if module != "purenet"} == {
        (module, name) for module, names in pn._PUBLIC.items() for name in names
    }
    assert set(pn._names()) == set(dir(pn))


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(AttributeError, match=r"no attribute 'mpl'; did you mean 'mlp'\?"):
        _ = pn.mpl
    assert not hasattr(pn, "_no_such_module")


def test_modules_are_there_without_an_import_of_their_own():
    program = "import purenet; print(purenet.checkpoint.save.__module__, purenet.sweep.__module__)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["purenet.checkpoint", "purenet.sweeping"]


def imported_by(program):
    """Return the names of all modules that are there after a program in a new process."""
    command = [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_purenet_imports_nothing_but_itself_and_its_four_dependencies():
    allowed = imported_by("import jax, jaxtyping, optax, safetensors")
    loaded = imported_by("import purenet\nfor n in dir(purenet): getattr(purenet, n)")
    for name in loaded - allowed:
        top = name.partition(".")[0]
        assert top in {"purenet", "safetensors"} or top in sys.stdlib_module_names, name
    only_for_commands = {"purenet.data", "purenet.cli", "purenet.prove", "purenet.plots"}
    assert not only_for_commands & loaded


def test_help_and_a_wrong_option_need_no_jax():
    for arguments in (["--help"], ["train", "--epohcs", "3"]):
        program = f"from purenet.cli import main\ntry: main({arguments})\nexcept SystemExit: pass"
        assert not {"jax", "optax"} & imported_by(program)


def test_the_package_is_a_command_whose_exit_code_is_that_of_the_process():
    command = [sys.executable, "-m", "purenet"]
    asked = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert asked.stdout.startswith("usage: purenet ")
    wrong = [*command, "train", "--data", "mnits"]
    done = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "purenet train: unknown data 'mnits'; did you mean 'mnist'?\n"
