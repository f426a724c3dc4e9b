"""The options of each command as tables; imports no JAX, so that --help is quick."""

import argparse
from typing import Any

OPTIMIZERS = ("adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop", "adagrad", "lbfgs")

Options = dict[str, dict[str, Any]]


def add_train(commands: Any, name: str) -> None:
    """Add `purenet train`."""
    train = commands.add_parser(
        name,
        help="train a network and save it",
        description="Train a dense network on digits (bundled), mnist, a CSV file or an .npz file; "
        "report the test figure once, at the end; save the model.",
    )
    for title, options in _train_options().items():
        _add(train.add_argument_group(title), options)


def add_predict(commands: Any, name: str) -> None:
    """Add `purenet predict`."""
    predict = commands.add_parser(
        name,
        help="use a saved network; writes CSV",
        description="Predict every row of a file with a model of `purenet train`. A CSV file is "
        "read by column name; the target may be absent. An .npz file holds x.",
    )
    _add(predict, PREDICT)


def add_prove(commands: Any, name: str) -> None:
    """Add `purenet prove`."""
    prove = commands.add_parser(
        name,
        help="prove gradients for every shape: the built-in ones, or yours",
        description="Without FUNCTION, prove the built-in theorems. With it, prove that its "
        "custom rule is the derivative of what it computes, for all sizes and all real inputs in "
        "the domains. Exit code 0: everything is proved; 1: something is refuted or unknown; 2: "
        "the input cannot be used.",
    )
    _add(prove, PROVE)
    _add(
        prove.add_argument_group("another claim about FUNCTION").add_mutually_exclusive_group(),
        CLAIM,
    )
    _add(prove.add_argument_group("report"), REPORT)


def _add(group: Any, options: Options) -> None:
    for flag, settings in options.items():
        told = settings.get("default")
        text = settings["help"] if told is None else f"{settings['help']} (default: %(default)s)"
        group.add_argument(flag, **{**settings, "help": text})


def _train_options() -> dict[str, Options]:
    return {
        "data": DATA,
        "network": NETWORK,
        "training": TRAINING,
        "stopping: each alone or several, the first one ends the training": STOPPING,
        "results": RESULTS,
    }


def _number(text: str, kind: type, expected: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}") from None


def _checked(value: Any, right: bool, expected: str, text: str) -> Any:
    if not right:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return value


def _count(text: str) -> int:
    expected = "a whole number of at least 1"
    value = _number(text, int, expected)
    return _checked(value, value >= 1, expected, text)


def _positive(text: str) -> float:
    expected = "a number above 0"
    value = _number(text, float, expected)
    return _checked(value, 0 < value < float("inf"), expected, text)


def _not_negative(text: str) -> float:
    expected = "a number of at least 0"
    value = _number(text, float, expected)
    return _checked(value, 0 <= value < float("inf"), expected, text)


def _fraction(text: str) -> float:
    expected = "a fraction of at least 0 and below 1"
    value = _number(text, float, expected)
    return _checked(value, 0 <= value < 1, expected, text)


def _sizes(text: str) -> tuple[int, ...]:
    expected = "whole numbers such as 128 or 64,32, or 0 for no hidden layer"
    sizes = tuple(_number(part, int, expected) for part in text.split(","))
    if sizes == (0,):
        return ()
    return _checked(sizes, min(sizes) >= 1, expected, text)


def _batch(text: str) -> int | None:
    return None if text == "all" else _count(text)


PREDICT: Options = {
    "model": {"metavar": "MODEL", "help": "the file that `purenet train` saved"},
    "file": {
        "metavar": "FILE",
        "help": "FILE.csv, FILE.npz, or digits or mnist for its test examples",
    },
    "--output": {"metavar": "FILE", "help": "where the CSV goes; without it to the screen"},
    "--data-dir": {"metavar": "FOLDER", "help": "for mnist: where its files lie"},
}

PROVE: Options = {
    "function": {
        "nargs": "?",
        "metavar": "FUNCTION",
        "help": "MODULE:FUNCTION or FILE.py:FUNCTION; the current folder is searched too",
    },
    "domains": {
        "nargs": "*",
        "metavar": "DOMAIN",
        "help": 'of each argument: real("batch features"), real("n", low=0, high=1), '
        'positive(), nonzero("n"), boolean("n"), label("batch", classes="k"), '
        'distribution("batch k"), static(3), function("sigma"); or a tuple, list or dict of them',
    },
    "--sizes": {"metavar": "TEXT", "help": 'constraints on the named sizes, as in "n >= 2"'},
    "--only": {
        "action": "append",
        "metavar": "NAME",
        "help": "this built-in theorem, in full (may be repeated)",
    },
    "--depth": {
        "type": _count,
        "metavar": "N",
        "help": "prove the gradient of networks of up to N layers",
    },
    "--processes": {
        "type": _count,
        "metavar": "N",
        "help": "that prove the built-in theorems; without it one for each core",
    },
    "--limit": {
        "type": _positive,
        "metavar": "SECONDS",
        "help": "for each theorem; what takes longer is unknown",
    },
}

CLAIM: Options = {
    "--pullback": {
        "metavar": "FUNCTION",
        "help": "pullback(*arguments, cotangent) is its vector-Jacobian product",
    },
    "--gradient": {
        "metavar": "FUNCTION",
        "help": "gradient(*arguments) is its derivative by the first argument; FUNCTION is scalar",
    },
    "--equal": {"metavar": "FUNCTION", "help": "the two are the same function of real numbers"},
    "--audit": {"action": "store_true", "help": "every custom rule inside it is right"},
}

REPORT: Options = {
    "--latex": {"action": "store_true", "help": "print the derivation as LaTeX"},
    "--json": {"action": "store_true", "help": "print one JSON document"},
}

DATA: Options = {
    "--data": {
        "default": "digits",
        "metavar": "DATA",
        "help": "digits, mnist, FILE.csv or FILE.npz",
    },
    "--data-dir": {
        "metavar": "FOLDER",
        "help": "for mnist: where its four files lie, compressed or not; without it they are "
        "downloaded once and kept",
    },
    "--target": {
        "metavar": "COLUMN",
        "help": "CSV: the column to predict; without it the last one",
    },
    "--task": {
        "choices": ("classification", "regression"),
        "help": "CSV: without it classification if the target has text, or at most 20 distinct "
        "integers that are fewer than half the rows; else regression",
    },
    "--drop": {
        "action": "append",
        "metavar": "COLUMN",
        "help": "CSV: a column to leave out (may be repeated)",
    },
    "--text": {
        "action": "append",
        "metavar": "COLUMN",
        "help": "CSV: a column of numbers to read as text (may be repeated)",
    },
    "--validation": {
        "type": _fraction,
        "metavar": "FRACTION",
        "help": "held out to choose by; without it the usual share of the source",
    },
    "--test": {
        "type": _fraction,
        "metavar": "FRACTION",
        "help": "held out for the final figure; likewise",
    },
    "--seed": {
        "type": int,
        "default": 0,
        "metavar": "N",
        "help": "of the split, the weights and the order of the examples",
    },
}

NETWORK: Options = {
    "--hidden": {
        "type": _sizes,
        "default": "256",
        "metavar": "N[,N…]",
        "help": "units of the hidden layers, as in 128 or 64,32; 0 for none",
    },
    "--activation": {
        "default": "relu",
        "metavar": "NAME[,NAME…]",
        "help": "of the hidden layers, one for all or one each",
    },
    "--output": {
        "metavar": "NAME",
        "help": "the output activation; without it the loss's own, else softmax for classes and "
        "identity for numbers",
    },
    "--loss": {
        "metavar": "NAME",
        "help": "without it cross_entropy for classes, mean_squared_error for numbers",
    },
    "--init": {
        "metavar": "NAME",
        "help": "initialisation of the weights; without it the one that fits the activation",
    },
    "--compute-dtype": {
        "choices": ("bfloat16", "float16", "float32"),
        "metavar": "DTYPE",
        "help": "of the factors of matrix products: bfloat16, float16 or float32; sums and "
        "outputs stay float32",
    },
    "--precision": {
        "choices": ("default", "high", "highest", "tf32"),
        "help": "of matrix products on accelerators; tf32 is of NVIDIA, and high elsewhere",
    },
}

TRAINING: Options = {
    "--optimizer": {"choices": OPTIMIZERS, "default": "adam", "help": "of optax"},
    "--learning-rate": {
        "type": _positive,
        "metavar": "RATE",
        "help": "without it one that suits the optimizer",
    },
    "--bias-learning-rate": {
        "type": _positive,
        "metavar": "RATE",
        "help": "of the biases, if they have one of their own",
    },
    "--schedule": {
        "choices": ("constant", "cosine"),
        "default": "constant",
        "help": "of the learning rate, from the first to the last epoch",
    },
    "--weight-decay": {"type": _not_negative, "metavar": "DECAY", "help": "for adamw"},
    "--epochs": {"type": _count, "default": 40, "metavar": "N", "help": "how many at most"},
    "--batch-size": {
        "type": _batch,
        "default": "32",
        "metavar": "N",
        "help": "examples per update, or 'all'",
    },
    "--class-weights": {
        "metavar": "WEIGHTS",
        "help": "'balanced', or weights by class name as in cat=2,dog=0.5",
    },
    "--stream-above": {
        "type": _count,
        "default": 1024,
        "metavar": "MIB",
        "help": "inputs of more MiB stay on the host and go to the device in pieces",
    },
}

STOPPING: Options = {
    "--max-updates": {"type": _count, "metavar": "N", "help": "after exactly N updates"},
    "--patience": {
        "type": _count,
        "metavar": "EPOCHS",
        "help": "when the validation loss has not fallen for so long",
    },
    "--tolerance": {
        "type": _not_negative,
        "default": 1e-4,
        "metavar": "T",
        "help": "by which it has to fall, relative to max(1, loss)",
    },
    "--target-metric": {
        "type": float,
        "metavar": "VALUE",
        "help": "when the metric on the validation data is this good",
    },
    "--metric": {
        "metavar": "NAME",
        "help": "accuracy, balanced_accuracy, binary_accuracy, rmse or r_squared; without it "
        "accuracy for classes, r_squared for numbers",
    },
}

RESULTS: Options = {
    "--keep": {
        "choices": ("best", "last"),
        "default": "best",
        "help": "the epoch that is best on the validation data, or the last",
    },
    "--save": {"metavar": "FILE", "help": "the model file; without it DATA.safetensors, here"},
    "--history": {"metavar": "FILE.csv", "help": "write a row per epoch"},
    "--plot": {
        "metavar": "FILE.png",
        "help": "draw learning curves, confusion matrix and first weights",
    },
    "--quiet": {"action": "store_true", "help": "no bar and no line per epoch"},
}
