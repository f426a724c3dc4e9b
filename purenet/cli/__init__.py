"""The command line: `purenet train`, `purenet predict` and `purenet prove`.

What can't be used (an option, a file, a row of it) gives one line on standard error that says what
and where, and exit code 2; never a traceback.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from purenet.cli import options

# The module of each command is imported when it runs: --help needs no JAX.
COMMANDS = {
    "train": options.add_train,
    "predict": options.add_predict,
    "prove": options.add_prove,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 for what can't be used, 1 for not proved."""
    parsed = parser().parse_args(arguments)
    try:
        code = importlib.import_module(f"purenet.cli.{parsed.command}").run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has left, as `head` does; nothing is wrong with the command.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, ImportError) as error:
        sys.stderr.write(f"purenet {parsed.command}: {_one_line(error)}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"purenet {parsed.command}: interrupted\n")
        return 130
    return code or 0


def process() -> NoReturn:
    """Run a command as a process of its own: `main`, and what only a process may do.

    The collector of garbage looks through all that JAX imports, again and again, and at the end
    once more: half a second of a command. What is imported stays, so it is asked to look seldom.
    """
    gc.set_threshold(100_000, 50, 1000)
    code = main()
    gc.freeze()
    sys.exit(code)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = _Parser(
        prog="purenet",
        description="Train dense networks with hand-derived gradients, and prove gradients.",
    )
    commands = whole.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Command
    )
    for name, add in COMMANDS.items():
        add(commands, name)
    return whole


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _Command(_Parser):
    """The parser of one command: options may stand between its arguments."""

    _reading = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # argparse reads intermixed arguments by this method too, and knows it not for subcommands.
        if self._reading:
            return super().parse_known_args(args, namespace)
        self._reading = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._reading = False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
