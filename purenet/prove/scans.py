"""How the inputs of a `scan` equation are divided: constants, carries, and what is run through."""

from collections.abc import Mapping
from typing import Any


def divided(params: Mapping[str, Any]) -> tuple[int, int]:
    """How many constants and carries a scan has; JAX from 0.12 on says it by trees."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    given = params["ft_in"]
    if hasattr(given, "elts"):
        constants, carries, _ = (len(list(part.vals)) for part in given.elts)
    else:
        constants, carries, _ = (part.num_leaves for part in given.tree.children())
    return constants, carries
