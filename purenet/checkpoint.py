"""Model files: parameters as safetensors, everything else as text metadata; nothing is pickled.

The arrays are `layers.<l>.weight` and `layers.<l>.bias`, in the library's layout (in, out). The
metadata is one JSON object under the key "purenet": sizes, activations, input scaling, dtypes, the
loss, class names, the scaling of regression targets, and how the columns of a table became
features.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from purenet import activations, sharding
from purenet.activations import ACTIVATIONS, Activation
from purenet.data.scaling import TargetScaling
from purenet.data.table import Table
from purenet.input_scaling import InputScaling
from purenet.network import Dense, Network, Params, check_params, mlp

FORMAT = 1


class Source(NamedTuple):
    """A data set by name, and the seed and fractions of its split."""

    name: str
    seed: int
    validation: float | None
    test: float | None


@dataclasses.dataclass(frozen=True)
class Model:
    """A trained network with all that is needed to use it on raw data.

    Attributes:
        net: the description, with the input scaling.
        params: the parameters.
        loss: the name of the loss that it was trained with.
        class_names: what label k is called; empty for regression.
        target_scaling: how regression targets were standardised; `None` if they were not.
        table: how the columns of a table become features; `None` for plain arrays.
        source: which data it was trained on and how they were split, so that its test examples
            are known; `None` if that is not.
    """

    net: Network
    params: Params
    loss: str = ""
    class_names: tuple[str, ...] = ()
    target_scaling: TargetScaling | None = None
    table: Table | None = None
    source: Source | None = None


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Write a model file.

    Parameters that several processes hold together are gathered, so every one of them calls this;
    only process 0 writes.

    Raises:
        ValueError: the parameters do not fit the network, an own activation has the name of one of
            ours, or the folder cannot be written to.
    """
    net = model.net
    check_params(net, model.params)
    _check_names(net)
    scaling = net.input_scaling
    description = {
        "format": FORMAT,
        "sizes": net.sizes,
        "hidden": [activation.name for activation in net.hidden],
        "output": net.output.name,
        "input_scaling": None if scaling is None else dataclasses.asdict(scaling),
        "compute_dtype": None if net.compute_dtype is None else net.compute_dtype.name,
        "precision": None if net.precision is None else str(net.precision),
        "loss": model.loss,
        "class_names": model.class_names,
        "target_scaling": None if model.target_scaling is None else vars(model.target_scaling),
        "table": None if model.table is None else model.table.to_json(),
        "source": None if model.source is None else model.source._asdict(),
    }
    arrays = {
        f"layers.{n}.{field}": np.ascontiguousarray(array)
        for n, layer in enumerate(sharding.gather(model.params))
        for field, array in layer._asdict().items()
    }
    if sharding.is_shared(model.params) and jax.process_index() != 0:
        return
    try:
        save_file(arrays, path, {"purenet": json.dumps(description)})
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{os.fspath(path)}: cannot be written: {error}") from error


def load(path: str | os.PathLike[str], activations: Sequence[Activation] = ()) -> Model:
    """Read a model file.

    >>> import pathlib, tempfile, jax
    >>> net = mlp([2, 3, 1], hidden="tanh")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     save(path, Model(net, net.init(jax.random.key(0))))
    ...     load(path).net == net
    True

    Args:
        path: the file.
        activations: your own that the network uses; ours are known by name.

    Raises:
        ValueError: there is no such file, it is truncated or no model file, or an activation in it
            is unknown. The message names the file and what is wrong.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise ValueError(f"{name}: there is no such file")
    try:
        with safe_open(name, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{name}: not a readable safetensors file: {error}") from error
    try:
        return _model(_description(metadata), arrays, {a.name: a for a in activations})
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{name}: not a purenet model: {_what(error)}") from error


def _check_names(net: Network) -> None:
    for own in (*net.hidden, net.output):
        if ACTIVATIONS.get(own.name, own) != own:
            raise ValueError(
                f"activation {own.name!r} is your own but has the name of one of ours, which would "
                "be read in its place; give it another name"
            )


def _description(metadata: dict[str, str]) -> dict[str, Any]:
    if "purenet" not in metadata:
        raise ValueError("its metadata has no key 'purenet'")
    described = json.loads(metadata["purenet"])
    if described["format"] != FORMAT:
        raise ValueError(f"format {described['format']}, this version reads format {FORMAT}")
    return described


def _model(
    described: dict[str, Any], arrays: dict[str, np.ndarray], own: dict[str, Activation]
) -> Model:
    def named(name: str) -> Activation:
        return own[name] if name in own else activations.from_name(name)

    scaling, targets, table = (described[k] for k in ("input_scaling", "target_scaling", "table"))
    net = mlp(
        described["sizes"],
        [named(name) for name in described["hidden"]],
        named(described["output"]),
        input_scaling=None if scaling is None else InputScaling(**scaling),
        compute_dtype=described["compute_dtype"],
        precision=described["precision"],
    )
    params = tuple(
        Dense(*(jnp.asarray(arrays[f"layers.{n}.{field}"]) for field in Dense._fields))
        for n in range(net.depth)
    )
    check_params(net, params)
    return Model(
        net,
        params,
        described["loss"],
        tuple(described["class_names"]),
        None
        if targets is None
        else TargetScaling(*(tuple(targets[k]) for k in ("offset", "scale"))),
        None if table is None else Table.from_json(table),
        None if described["source"] is None else Source(**described["source"]),
    )


def _what(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
