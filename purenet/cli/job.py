"""From options and data to what is trained: network, loss, optimizer, targets, stop rules."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import optax

import purenet as pn
from purenet import activations, initializers, losses, metrics
from purenet.data import Dataset, Examples


class Job(NamedTuple):
    """What the options and the data come to.

    `parts` has "train" and, unless nothing was held out, "validation" and "test".
    """

    dataset: Dataset
    net: pn.Network
    loss: pn.Loss
    metric: pn.Metric
    optimizer: optax.GradientTransformation
    parts: dict[str, tuple]
    rules: list


def job(dataset: Dataset, options: argparse.Namespace) -> Job:
    """Return the job, or raise a `ValueError` that names the option that does not fit."""
    classes = dataset.task == "classification"
    loss = losses.from_name(
        options.loss or ("cross_entropy" if classes else "mean_squared_error"), "--loss"
    )
    output = activations.from_name(options.output or _output(loss, classes), "--output")
    single = classes and not loss.labels and len(dataset.class_names) == 2
    net = pn.mlp(
        [dataset.features, *options.hidden, 1 if single else dataset.outputs],
        _activations(options.activation),
        output,
        input_scaling=dataset.input_scaling,
        compute_dtype=options.compute_dtype,
        precision=options.precision,
    )
    pn.value_and_grad(net, loss)
    if options.init:
        initializers.from_name(options.init, "--init")
    parts: dict[str, tuple] = {
        name: (part.x, _targets(part, loss, single, dataset))
        for name, part in zip(("train", "validation", "test"), _parts(dataset), strict=True)
        if len(part.x)
    }
    if options.class_weights:
        parts["train"] = (*parts["train"], _class_weights(options.class_weights, dataset))
    optimizer = _optimizer(options, len(dataset.train.x))
    return Job(
        dataset,
        net,
        loss,
        _metric(options, dataset, single),
        optimizer,
        parts,
        _rules(options, "validation" in parts),
    )


def _parts(dataset: Dataset) -> tuple[Examples, Examples, Examples]:
    return dataset.train, dataset.validation, dataset.test


def _output(loss: pn.Loss, classes: bool) -> str:
    if loss.fused is not None:
        return loss.fused.output.name
    return "softmax" if classes else "identity"


def _activations(text: str) -> str | list[str]:
    names = text.split(",")
    for name in names:
        activations.from_name(name, "--activation")
    return names[0] if len(names) == 1 else names


def _targets(part: Examples, loss: pn.Loss, single: bool, dataset: Dataset) -> np.ndarray:
    """Labels for a loss of labels; else 0 and 1 for two classes, one-hot rows for more."""
    if dataset.task == "regression" or loss.labels:
        return part.y
    if single:
        return part.y.astype(np.float32)[:, None]
    return np.eye(len(dataset.class_names), dtype=np.float32)[part.y]


def _metric(options: argparse.Namespace, dataset: Dataset, single: bool) -> pn.Metric:
    classes = dataset.task == "classification"
    name = "binary_accuracy" if single else "accuracy" if classes else "r_squared"
    metric = metrics.from_name(options.metric or name, "--metric")
    if metric is not metrics.rmse or dataset.target_scaling is None:
        return metric
    # Targets are standardised for training; what people read and aim at is in their unit.
    unit = np.asarray(dataset.target_scaling.scale, np.float32)[None, :]
    return pn.Metric(
        "rmse", lambda a, y, weights: metric.value(a * unit, y * unit, weights), "lower"
    )


def _class_weights(text: str, dataset: Dataset) -> np.ndarray:
    names = dataset.class_names
    if not names:
        raise ValueError("--class-weights: only a classification has classes")
    if text == "balanced":
        return pn.class_weights(dataset.train.y, len(names))
    given: dict[int, float] = {}
    for pair in text.split(","):
        name, _, weight = pair.rpartition("=")
        if name not in names:
            known = ", ".join(names[:10])
            raise ValueError(
                f"--class-weights: 'balanced' or NAME=WEIGHT,… is expected with the class names "
                f"{known}; got {pair!r}"
            )
        try:
            given[names.index(name)] = float(weight)
        except ValueError:
            raise ValueError(f"--class-weights: the weight in {pair!r} is not a number") from None
    return pn.class_weights(dataset.train.y, len(names), given)


# Name to (usual learning rate, optimizer from learning rate and weight decay).
OPTIMIZERS: dict[str, tuple[float, Callable[[Any, float], optax.GradientTransformation]]] = {
    "adam": (2e-3, lambda rate, decay: optax.adam(rate)),
    "adamw": (2e-3, lambda rate, decay: optax.adamw(rate, weight_decay=decay)),
    "sgd": (0.1, lambda rate, decay: optax.sgd(rate)),
    "momentum": (0.05, lambda rate, decay: optax.sgd(rate, momentum=0.9)),
    "nesterov": (0.05, lambda rate, decay: optax.sgd(rate, momentum=0.9, nesterov=True)),
    "rmsprop": (1e-3, lambda rate, decay: optax.rmsprop(rate)),
    "adagrad": (0.05, lambda rate, decay: optax.adagrad(rate)),
    "lbfgs": (1.0, lambda rate, decay: optax.lbfgs(rate)),
}


def _optimizer(options: argparse.Namespace, examples: int) -> optax.GradientTransformation:
    usual, build = OPTIMIZERS[options.optimizer]
    if options.weight_decay is not None and options.optimizer != "adamw":
        raise ValueError("--weight-decay goes with --optimizer adamw")
    line_search = options.optimizer == "lbfgs"
    if line_search and (options.bias_learning_rate or options.schedule != "constant"):
        raise ValueError(
            "--optimizer lbfgs finds its step by a line search: leave out --bias-learning-rate "
            "and --schedule"
        )
    decay = 1e-4 if options.weight_decay is None else options.weight_decay
    updates = options.epochs * -(-examples // (options.batch_size or examples))

    def with_rate(rate: float) -> optax.GradientTransformation:
        cosine = options.schedule == "cosine"
        return build(optax.cosine_decay_schedule(rate, updates) if cosine else rate, decay)

    rate = options.learning_rate or usual
    if options.bias_learning_rate is None:
        return build(None, decay) if line_search and not options.learning_rate else with_rate(rate)
    return pn.by_kind(weights=with_rate(rate), biases=with_rate(options.bias_learning_rate))


def _rules(options: argparse.Namespace, validated: bool) -> list:
    for flag, given in (
        ("--patience", options.patience),
        ("--target-metric", options.target_metric),
    ):
        if given is not None and not validated:
            raise ValueError(f"{flag} needs validation examples: --validation above 0")
    rules: list = []
    if options.max_updates:
        rules.append(pn.stop.Iterations(options.max_updates))
    if options.patience:
        rules.append(pn.stop.Converged(options.tolerance, options.patience, "validation_loss"))
    if options.target_metric is not None:
        rules.append(pn.stop.Reached(options.target_metric))
    return rules
