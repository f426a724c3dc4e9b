"""What `import purenet` costs and shows."""

import subprocess
import sys

import purenet as pn

PUBLIC = {
    "Activation", "Dense", "InputScaling", "Loss", "Metric", "Network", "Run", "State",
    "activations", "by_kind", "check_gradients", "class_weights", "differentiable", "epochs",
    "evaluate", "fit", "losses", "metrics", "mlp", "objective", "predict", "stop",
    "value_and_grad",
}  # fmt: skip


def test_the_public_names_are_there_and_explain_themselves():
    for name in PUBLIC:
        assert getattr(pn, name).__doc__, name


def test_importing_purenet_imports_nothing_that_only_a_command_needs():
    heavy = "sympy", "matplotlib", "sklearn", "tqdm", "scipy.stats", "purenet.data", "purenet.cli"
    program = f"import sys, purenet; print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
