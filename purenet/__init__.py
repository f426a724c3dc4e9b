"""Neural networks in JAX whose gradients are derived by hand and shipped as pure functions.

A name is looked up where it is first used: `purenet --help` needs no JAX, and the command line
reads data while JAX is imported.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from purenet.words import did_you_mean

if TYPE_CHECKING:
    from purenet import activations as activations
    from purenet import losses as losses
    from purenet import metrics as metrics
    from purenet import sharding as sharding
    from purenet import stop as stop
    from purenet.activations import Activation as Activation
    from purenet.backprop import differentiable as differentiable
    from purenet.backprop import value_and_grad as value_and_grad
    from purenet.batches import class_weights as class_weights
    from purenet.checking import check_gradients as check_gradients
    from purenet.evaluation import evaluate as evaluate
    from purenet.evaluation import predict as predict
    from purenet.input_scaling import InputScaling as InputScaling
    from purenet.loop import Run as Run
    from purenet.loop import epochs as epochs
    from purenet.loop import fit as fit
    from purenet.losses import Loss as Loss
    from purenet.metrics import Metric as Metric
    from purenet.network import Dense as Dense
    from purenet.network import Network as Network
    from purenet.network import mlp as mlp
    from purenet.network import objective as objective
    from purenet.sweeping import sweep as sweep
    from purenet.training import State as State
    from purenet.training import by_kind as by_kind

# The same once more, as a table of module and names.
_PUBLIC: dict[str, tuple[str, ...]] = {
    "activations": ("Activation",),
    "backprop": ("differentiable", "value_and_grad"),
    "batches": ("class_weights",),
    "checking": ("check_gradients",),
    "evaluation": ("evaluate", "predict"),
    "input_scaling": ("InputScaling",),
    "loop": ("Run", "epochs", "fit"),
    "losses": ("Loss",),
    "metrics": ("Metric",),
    "network": ("Dense", "Network", "mlp", "objective"),
    "sweeping": ("sweep",),
    "training": ("State", "by_kind"),
}
_HOME = {name: module for module, names in _PUBLIC.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for; Python calls this for a name that is not there yet."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"purenet.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if not name.startswith("_") and importlib.util.find_spec(f"purenet.{name}") is not None:
        return importlib.import_module(f"purenet.{name}")
    raise AttributeError(
        f"module 'purenet' has no attribute {name!r}{did_you_mean(name, _names())}"
    )


def __dir__() -> list[str]:
    """Return the public names, whether they were used or not."""
    return sorted(_names())


def _names() -> list[str]:
    return ["activations", "losses", "metrics", "sharding", "stop", *_HOME]
