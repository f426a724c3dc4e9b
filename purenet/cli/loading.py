"""A user's function by its name: `MODULE:FUNCTION` or `FILE.py:FUNCTION`."""

import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from purenet.words import count, did_you_mean


def load(name: str) -> Callable[..., Any]:
    """Return the function; dots after the colon go into classes and objects.

    Raises:
        ValueError: the name has another form, or there is no such module, file or attribute,
            or the module cannot be imported, or what it names cannot be called.
    """
    module_name, colon, path = name.rpartition(":")
    if not (colon and module_name and path):
        dotted = name.strip(":").rpartition(".")
        hint = f"; did you mean {dotted[0]}:{dotted[2]}?" if dotted[0] and not colon else ""
        raise ValueError(f"expected MODULE:FUNCTION or FILE.py:FUNCTION, got {name!r}{hint}")
    found: Any = _module(module_name)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            names = [known for known in dir(found) if not known.startswith("_")]
            raise ValueError(f"{name}: there is no {attribute!r}{did_you_mean(attribute, names)}")
        found = getattr(found, attribute)
    if not callable(found):
        raise ValueError(f"{name}: expected a function, got {type(found).__name__}")
    return found


def positional(f: Callable[..., Any], given: int, name: str) -> tuple[str, ...]:
    """Return the names of the parameters that `given` positional arguments go to.

    Raises:
        ValueError: the function takes another number of arguments; the message names them.
    """
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return tuple(f"argument {k}" for k in range(given))
    empty, kinds = inspect.Parameter.empty, inspect.Parameter
    named = [
        p for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
    ]
    rest = next((p.name for p in parameters if p.kind is kinds.VAR_POSITIONAL), None)
    by_keyword = [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY and p.default is empty]
    if by_keyword:
        raise ValueError(f"{name}: domains stand for positional arguments, it needs {by_keyword}")
    needed = sum(p.default is empty for p in named)
    if given < needed or (given > len(named) and rest is None):
        shown = ", ".join(p.name if p.default is empty else f"{p.name}=…" for p in named)
        takes = f"{count(len(named), 'argument')} ({shown})"
        raise ValueError(f"{name}: takes {takes}, one domain each, got {count(given, 'domain')}")
    more = [f"{rest}[{k}]" for k in range(given - len(named))]
    return tuple([p.name for p in named[:given]] + more)


def _module(name: str) -> ModuleType:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return _from_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module that the user's own module lacks is another fault than a misspelt name.
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ValueError(f"there is no module {error.name!r}{_nearest(error.name)}") from None
        raise ValueError(f"importing {name}: {error}") from error
    except FileNotFoundError as error:
        if error.filename == name:
            raise ValueError(f"{name}: there is no such file") from None
        raise ValueError(f"importing {name}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"importing {name}: {type(error).__name__}: {error}") from error


def _nearest(name: str) -> str:
    parent, _, last = name.rpartition(".")
    folders = sys.modules[parent].__dict__.get("__path__", []) if parent else [os.getcwd()]
    there = [m.name for m in pkgutil.iter_modules(folders) if not m.name.startswith("_")]
    return did_you_mean(last, there) if there else ""


def _from_file(path: Path) -> ModuleType:
    whole = path.resolve()
    if not whole.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(whole):
        return loaded
    # A file that is called like an imported module must not take that module's place.
    name = path.stem if loaded is None else f"{path.stem} ({whole})"
    if name in sys.modules:
        return sys.modules[name]
    if str(whole.parent) not in sys.path:
        sys.path.insert(0, str(whole.parent))
    spec = importlib.util.spec_from_file_location(name, whole)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
