"""What `purenet train` writes on request: the history as CSV, and a picture."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

import purenet as pn
from purenet import metrics
from purenet.cli.job import Job
from purenet.loop import Run


def write_history(path: Path, trained: Run) -> None:
    """Write a row per epoch."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["epoch", *trained.history._fields])
        epochs = range(1, len(trained.history.loss) + 1)
        rows.writerows(zip(epochs, *trained.history, strict=True))


def draw_picture(path: Path, job: Job, trained: Run, params: pn.network.Params) -> None:
    """Draw learning curves, confusion matrix and, for square images, the first weights.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from purenet import plots
    except ImportError:
        raise ImportError('--plot needs matplotlib: pip install "purenet[cli]"') from None
    panels: list[Callable] = [lambda axes: plots.learning_curves(axes, trained.history)]
    if "validation" in job.parts:
        name = job.metric.name
        panels.append(lambda axes: plots.metric_curve(axes, trained.history, name))
    names = job.dataset.class_names
    if names and "test" in job.parts:
        x = job.parts["test"][0]
        a = np.asarray(pn.predict(job.net, params, x))
        counts = metrics.confusion_matrix(job.dataset.test.y, metrics.classes(a), len(names))
        panels.append(lambda axes: plots.confusion(axes, np.asarray(counts), names))
    side = round(job.net.sizes[0] ** 0.5)
    if job.dataset.train.x.dtype == np.uint8 and side * side == job.net.sizes[0]:
        panels.append(lambda axes: plots.first_layer(axes, params, (side, side)))
    drawing, places = plots.figure(len(panels))
    for draw, axes in zip(panels, places, strict=True):
        draw(axes)
    drawing.savefig(path, dpi=120)
