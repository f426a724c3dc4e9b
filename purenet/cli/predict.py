"""`purenet predict`: a saved model applied to every row of a file, as CSV."""

import argparse
import csv
import sys
from typing import NamedTuple

import numpy as np

import purenet as pn
from purenet import checkpoint, data, metrics
from purenet.checkpoint import Model
from purenet.cli import programs
from purenet.data.npz import read_inputs


class _Rows(NamedTuple):
    """The features of each row, and labels or standardised numbers where the file has them."""

    x: np.ndarray
    y: np.ndarray | None


@programs.kept()
def run(options: argparse.Namespace) -> None:
    """Predict and write CSV; notes go to standard error.

    Raises:
        ValueError: the model or the file cannot be used; the message says what is wrong where.
    """
    model = checkpoint.load(options.model)
    rows = _rows(model, options)
    a = np.asarray(pn.predict(model.net, model.params, rows.x))
    table = _table(model, a)
    if options.output is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows(table)
    else:
        with open(options.output, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(table)
        _note(f"{len(a)} predictions written to {options.output}")
    if rows.y is not None:
        _note(_score(model, a, rows.y))


def _note(text: str) -> None:
    sys.stderr.write(f"purenet predict: {text}\n")


def _rows(model: Model, options: argparse.Namespace) -> _Rows:
    file = options.file
    if file in ("digits", "mnist"):
        return _known(model, file, options.data_dir)
    if options.data_dir is not None:
        raise ValueError("--data-dir goes with mnist")
    if file.lower().endswith(".npz"):
        if model.table is not None:
            raise ValueError(f"{file}: the model was trained on a CSV file; give it one")
        return _Rows(_wide(model, read_inputs(file), file), None)
    records = data.read_records(file)
    if model.table is not None:
        encoded = data.encode_records(model.table, records)
        for column, count in encoded.unseen.items():
            unseen = f"column {column!r}: {count} of {len(encoded.x)} values"
            _note(f"{unseen} are unknown from training and count as no category")
        return _Rows(encoded.x, encoded.y)
    x = np.stack([records.numbers(name) for name in records.columns], axis=1)
    return _Rows(_wide(model, x.astype(np.float32), file), None)


def _known(model: Model, name: str, data_dir: str | None) -> _Rows:
    source = model.source
    if source is None or source.name != name:
        raise ValueError(
            f"{name}: the model was not trained on {name}, so nobody knows which of its examples "
            "are test examples to it; give it a file"
        )
    dataset = data.load(
        name, data_dir=data_dir, seed=source.seed, validation=source.validation, test=source.test
    )
    x = _wide(model, dataset.test.x, name)
    return _Rows(x, dataset.test.y if model.class_names == dataset.class_names else None)


def _wide(model: Model, x: np.ndarray, file: str) -> np.ndarray:
    if x.shape[1] != model.net.sizes[0]:
        raise ValueError(
            f"{file}: {x.shape[1]} features in each row, the model takes {model.net.sizes[0]}"
        )
    return x


def _table(model: Model, a: np.ndarray) -> list[list[str]]:
    """Return the header and a row for each prediction."""
    if model.class_names:
        header = ["prediction", *(f"p({name})" for name in _columns(model, a))]
        names = [model.class_names[label] for label in metrics.classes(a)]
        rows = [[f"{p:.6g}" for p in row] for row in a]
        return [header, *([name, *row] for name, row in zip(names, rows, strict=True))]
    values = a if model.target_scaling is None else model.target_scaling.restore(a)
    outputs = values.shape[1]
    header = ["prediction"] if outputs == 1 else [f"prediction {k}" for k in range(outputs)]
    return [header, *([f"{value:.8g}" for value in row] for row in values)]


def _columns(model: Model, a: np.ndarray) -> tuple[str, ...]:
    # A single sigmoid unit is the probability of the second class.
    return model.class_names[1:] if a.shape[1] == 1 else model.class_names


def _score(model: Model, a: np.ndarray, y: np.ndarray) -> str:
    if model.class_names:
        accuracy = np.mean(metrics.classes(a) == y)
        return f"accuracy {accuracy:.4f} on the {len(y)} rows, whose class is known"
    values, right = (
        v if model.target_scaling is None else model.target_scaling.restore(v) for v in (a, y)
    )
    rmse = np.sqrt(np.mean(np.square(values - right)))
    return f"RMSE {rmse:.4g} on the {len(y)} rows, whose target is known"
