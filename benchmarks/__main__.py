"""List the benchmarks, or run one with its options.

python -m benchmarks
python -m benchmarks training --quick
"""

import ast
import subprocess
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

FOLDER = Path(__file__).parent
NOT_COMMANDS = ("__init__", "__main__", "common")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark that is named first, or list all; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("python -m benchmarks NAME [OPTION…]; --help after a name tells its options\n")
        print(listing())
        return 0
    name, *rest = arguments
    if name not in benchmarks():
        near = get_close_matches(name, benchmarks(), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(benchmarks())}"
        sys.stderr.write(f"python -m benchmarks: unknown benchmark {name!r}; {hint}\n")
        return 2
    # In a process of its own: a benchmark decides how JAX is set up before JAX is imported.
    command = [sys.executable, "-m", f"benchmarks.{name}", *rest]
    return subprocess.run(command, check=False).returncode


def benchmarks() -> list[str]:
    """Return the names: every module of this folder that is a command."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_COMMANDS)


def listing() -> str:
    """Return a line for each benchmark: its name and the first line of what its module says."""
    width = max(map(len, benchmarks()))
    return "\n".join(f"{name:<{width}}  {_first_line(name)}" for name in benchmarks())


def _first_line(name: str) -> str:
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
