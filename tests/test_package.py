"""What `import purenet` costs and shows."""

import subprocess
import sys

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


def imported_by(program):
    """Return the names of all modules that are there after a program in a new process."""
    command = [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_purenet_imports_nothing_but_itself_and_its_four_dependencies():
    allowed = imported_by("import jax, jaxtyping, optax, safetensors")
    loaded = imported_by("import purenet")
    for name in loaded - allowed:
        top = name.partition(".")[0]
        assert top in {"purenet", "safetensors"} or top in sys.stdlib_module_names, name
    only_for_commands = {"purenet.data", "purenet.cli", "purenet.prove", "purenet.plots"}
    assert not only_for_commands & loaded
