"""What `purenet train` does with the data: network, training, test figure, model file."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
from jaxtyping import ArrayLike, UInt32

import purenet as pn
from purenet import checkpoint, data, metrics
from purenet.cli import extras, notes, programs
from purenet.cli import job as build
from purenet.cli.job import Job
from purenet.data import Dataset
from purenet.loop import Epoch, Run


@programs.kept()
def run(options: argparse.Namespace, read: Callable[[], Dataset]) -> None:
    """Train as the options say on what `read` returns, and print what happened.

    Raises:
        ValueError: an option, or the data, cannot be used.
    """
    begun = time.perf_counter()
    dataset = read()
    job = build.job(dataset, options)
    paths = _writable(options, dataset)
    print(data.describe(dataset))
    print(_describe(job, options))
    notes.tell(dataset)
    with _compile_seconds() as compiling:
        trained = _fit(job, options)
        ended = time.perf_counter()
    params = trained.best if options.keep == "best" else trained.params
    model = checkpoint.Model(
        job.net,
        params,
        job.loss.name,
        dataset.class_names,
        dataset.target_scaling,
        dataset.table,
        checkpoint.Source(dataset.name, options.seed, options.validation, options.test),
    )
    replaced = " (the file that was there is replaced)" if paths["save"].exists() else ""
    checkpoint.save(paths["save"], model)
    print(_ending(trained, options, job))
    _report_test(job, params)
    total = ended - begun
    print(
        f"time {total:.1f} s: {compiling():.1f} s compiling, {total - compiling():.1f} s training"
    )
    print(f"model saved to {paths['save']}{replaced}")
    _extras(paths, job, trained, params)


PICTURES = (".png", ".pdf", ".svg", ".jpg")


def _writable(options: argparse.Namespace, dataset: Dataset) -> dict[str, Path]:
    """The files to write; a folder that cannot be written to is refused before training."""
    save = options.save or f"{Path(dataset.name).stem}.safetensors"
    given = {"save": save, "history": options.history, "plot": options.plot}
    paths = {name: Path(path) for name, path in given.items() if path}
    for name, path in paths.items():
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise ValueError(f"--{name}: {path} cannot be written")
    if "plot" in paths and paths["plot"].suffix not in PICTURES:
        raise ValueError(
            f"--plot: a file that ends in {', '.join(PICTURES)} is expected, got {paths['plot']}"
        )
    return paths


def _describe(job: Job, options: argparse.Namespace) -> str:
    net = job.net
    count = sum((n + 1) * m for n, m in zip(net.sizes[:-1], net.sizes[1:], strict=True))
    names = [activation.name for activation in (*net.hidden, net.output)]
    batch = "full batches" if options.batch_size is None else f"batches of {options.batch_size}"
    return (
        f"network {'-'.join(map(str, net.sizes))} ({', '.join(names)}), {count:,} parameters; "
        f"{job.loss.name}; {options.optimizer}; {batch}"
    )


def _fit(job: Job, options: argparse.Namespace) -> Run:
    # The 32 bits that a key is made of, where JAX has no wider integers.
    weights, order = _keys(np.uint32(options.seed % 2**32))
    with _progress(options, job.metric.name) as on_epoch:
        return pn.fit(
            job.net,
            job.loss,
            job.net.init(weights, options.init),
            job.parts["train"],
            job.optimizer,
            epochs=options.epochs,
            batch_size=options.batch_size,
            key=order,
            validation=job.parts.get("validation"),
            metric=job.metric,
            stop=job.rules,
            on_epoch=on_epoch,
            stream_above=options.stream_above * 2**20,
        )


@jax.jit
def _keys(seed: UInt32[ArrayLike, ""]) -> tuple[jax.Array, jax.Array]:
    weights, order = jax.random.split(jax.random.key(seed))
    return weights, order


@contextlib.contextmanager
def _progress(options: argparse.Namespace, metric: str) -> Iterator[Callable[[Epoch], None] | None]:
    if options.quiet:
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError('the bar needs tqdm: pip install "purenet[cli]", or --quiet') from None
    bar = tqdm(total=options.epochs, unit="epoch", leave=False, disable=not sys.stderr.isatty())

    def on_epoch(epoch: Epoch) -> None:
        history = epoch.history
        line = f"epoch {len(history.loss):>3}  loss {history.loss[-1]:.4f}"
        if np.isfinite(history.validation_loss[-1]):
            line += f"  validation loss {history.validation_loss[-1]:.4f}"
            line += f"  {metric} {history.validation_metric[-1]:.4f}"
        tqdm.write(line)
        bar.update()

    with bar:
        yield on_epoch


@contextlib.contextmanager
def _compile_seconds() -> Iterator[Callable[[], float]]:
    """Yield a function that tells how long JAX has been compiling since."""
    spent: list[float] = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event.endswith(("backend_compile_duration", "jaxpr_to_mlir_module_duration")):
            spent.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield lambda: sum(spent)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def _ending(trained: Run, options: argparse.Namespace, job: Job) -> str:
    if "validation" not in job.parts or options.keep == "last":
        return f"stopped: {trained.stopped}; the last epoch's parameters are kept"
    best = trained.best_epoch
    return (
        f"stopped: {trained.stopped}; kept: epoch {best + 1}, validation {job.metric.name} "
        f"{trained.history.validation_metric[best]:.4f}"
    )


def _report_test(job: Job, params: pn.network.Params) -> None:
    if "test" not in job.parts:
        print("no test examples were held out")
        return
    x, y = job.parts["test"]
    if job.dataset.task == "classification":
        _, value = pn.evaluate(job.net, job.loss, params, (x, y), _accuracy_of(job))
        print(f"test accuracy {value:.4f}")
        if job.metric is metrics.balanced_accuracy or len(job.parts["train"]) == 3:
            _, balanced = pn.evaluate(job.net, job.loss, params, (x, y), metrics.balanced_accuracy)
            print(f"test balanced accuracy {balanced:.4f}")
        return
    a = np.asarray(pn.predict(job.net, params, x))
    scaling = job.dataset.target_scaling
    right, predicted = (scaling.restore(v) if scaling else v for v in (y, a))
    rmse = np.sqrt(np.mean(np.square(right - predicted)))
    spread = np.sum(np.square(right - right.mean(axis=0)))
    r_squared = 1 - np.sum(np.square(right - predicted)) / spread if spread else np.nan
    print(f"test RMSE {rmse:.4g} (R² {r_squared:.4f})")


def _accuracy_of(job: Job) -> pn.Metric:
    return metrics.binary_accuracy if job.net.sizes[-1] == 1 else metrics.accuracy


def _extras(paths: dict[str, Path], job: Job, trained: Run, params: pn.network.Params) -> None:
    if "history" in paths:
        extras.write_history(paths["history"], trained)
        print(f"history written to {paths['history']}")
    if "plot" in paths:
        extras.draw_picture(paths["plot"], job, trained, params)
        print(f"picture written to {paths['plot']}")
