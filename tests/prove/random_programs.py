"""Random small JAX programs with named sizes, as source text: a seed gives a program.

A program is a list of lines, each of which computes an array from earlier ones. What a line is made
of is drawn from tables of templates, so that a failure can be read, cut down and pasted.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from purenet.prove import domains as d
from purenet.prove.domains import Domain
from purenet.prove.opaque import Opaque


class Value(NamedTuple):
    """An array in a program; its sizes are Python expressions in the named sizes."""

    name: str
    shape: tuple[str, ...]
    kind: str = "real"  # real, positive, boolean, label
    classes: str = ""


class RandomProgram(NamedTuple):
    """Domains of the arguments, lines of source, and the name of the array that is returned."""

    arguments: tuple[tuple[str, Domain], ...]
    lines: tuple[tuple[str, str], ...]  # (name, expression)
    result: str

    @property
    def domains(self) -> tuple[Domain, ...]:
        return tuple(domain for _, domain in self.arguments)

    def source(self) -> str:
        """The program as Python, without the lines that the result does not need."""
        names = ", ".join(name for name, _ in self.arguments)
        body = "".join(f"    {name} = {text}\n" for name, text in self._needed())
        about = "".join(f"# {name}: {domain!r}\n" for name, domain in self.arguments)
        return f"{about}def f({names}):\n{body}    return {self.result}\n"

    def function(self) -> Callable[..., Any]:
        scope: dict[str, Any] = {"jax": jax, "jnp": jnp, "lax": jax.lax, "sigma": Opaque("sigma")}
        exec(self.source(), scope)
        return scope["f"]  # type: ignore[no-any-return]

    def prefixes(self) -> list["RandomProgram"]:
        """The programs that return an earlier array."""
        return [self._replace(result=name) for name, _ in self.lines if name.startswith("v")]

    def _needed(self) -> list[tuple[str, str]]:
        wanted, kept = {self.result}, []
        for name, text in reversed(self.lines):
            if wanted & {name, *name.split(", ")}:
                kept.append((name, text))
                wanted |= set(_words(text))
        return kept[::-1]


def random_program(seed: int, steps: int = 6) -> RandomProgram:
    """The program of a seed."""
    rng = np.random.default_rng(seed)
    values, arguments = _arguments(rng)
    lines = _sizes(values)
    made = 0
    for _ in range(20 * steps):
        if made == steps:
            break
        step = _choice(rng, STEPS)(rng, values)
        if step is None or len(step[1]) > 4:
            continue
        text, shape, kind, *classes = step
        values.append(Value(f"v{made}", tuple(shape), kind, *classes))
        lines.append((f"v{made}", text))
        made += 1
    return RandomProgram(arguments, tuple(lines), _result(values, lines))


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def _choice(rng: np.random.Generator, of: Any) -> Any:
    return of[int(rng.integers(len(of)))]


def _result(values: list[Value], lines: list[tuple[str, str]]) -> str:
    return next(v.name for v in reversed(values) if v.kind in ("real", "positive"))


# --- arguments ------------------------------------------------------------------------------------

SHAPES = ("n m", "n m", "m k", "n", "m", "", "n k m", "n n", "n m k", "m n", "2 n", "n m k", "n 1")


def _arguments(rng: np.random.Generator) -> tuple[list[Value], tuple[tuple[str, Domain], ...]]:
    texts = ["n m", *(_choice(rng, SHAPES) for _ in range(int(rng.integers(1, 3))))]
    makers = [d.real, d.real, d.real, d.positive, d.nonzero, lambda s: d.real(s, low=-1, high=1)]
    made = [(f"x{i}", _choice(rng, makers)(text)) for i, text in enumerate(texts)]
    if rng.random() < 0.15:
        made.append(("p", d.distribution("n m")))
    if rng.random() < 0.5:
        made.append(("label", d.label("n", classes="m")))
    if rng.random() < 0.4:
        made.append(("mask", d.boolean(_choice(rng, ("n m", "n", "n n")))))
    kinds = {"label": "label", "boolean": "boolean", "distribution": "positive"}
    values = [
        Value(
            name,
            domain.shape,
            kinds.get(domain.kind, "positive" if domain.low == 0 else "real"),
            domain.classes,
        )
        for name, domain in made
    ]
    return values, tuple(made)


def _sizes(values: list[Value]) -> list[tuple[str, str]]:
    """Lines that give the named sizes their Python names."""
    found: dict[str, str] = {}
    for value in values:
        for axis, name in enumerate(value.shape):
            if name.isidentifier():
                found.setdefault(name, f"{value.name}.shape[{axis}]")
    return list(found.items())


# --- steps: (expression, shape, kind) or None where nothing fits ----------------------------------

Step = Callable[[np.random.Generator, list[Value]], Any]


def _real(rng: np.random.Generator, values: list[Value], rank: int = 0) -> Value | None:
    """A real array of at least that rank: later ones more often."""
    fits = [v for v in values if v.kind in ("real", "positive") and len(v.shape) >= rank]
    return fits[-1 - min(int(rng.exponential(1.5)), len(fits) - 1)] if fits else None


def _axis(rng: np.random.Generator, value: Value) -> int:
    return int(rng.integers(len(value.shape)))


UNARY = (
    "-{0}", "{0} ** 2", "{0} ** 3", "jnp.exp(0.5 * {0})", "jnp.exp(-({0} ** 2))", "jnp.tanh({0})",
    "jax.nn.sigmoid({0})", "jnp.sin({0})", "jnp.cos({0})", "lax.erf({0})", "jnp.abs({0})",
    "jax.nn.relu({0})", "jax.nn.softplus({0})", "jax.nn.gelu({0})", "jax.nn.silu({0})",
    "jax.nn.gelu({0}, approximate=False)", "jax.nn.elu({0})", "jax.nn.selu({0})",
    "jax.nn.leaky_relu({0}, 0.1)", "jax.nn.celu({0})", "jax.nn.hard_tanh({0})",
    "jax.nn.relu6({0})", "jax.nn.hard_sigmoid({0})", "jax.nn.hard_silu({0})", "jax.nn.mish({0})",
    "jax.nn.log_sigmoid({0})", "jax.nn.soft_sign({0})", "jax.nn.squareplus({0})",
    "jax.nn.squareplus({0}, 1.0)", "jax.nn.relu({0}) ** 2", "jnp.log1p({0} ** 2)",
    "jnp.sqrt(1.0 + {0} ** 2)", "lax.rsqrt(0.5 + {0} ** 2)", "1.0 / (1.0 + {0} ** 2)",
    "0.5 * {0}", "{0} + 1.0", "2.0 - {0}", "{0} / 3.0", "jnp.arctan({0})", "jnp.arcsinh({0})",
    "jnp.sinh(0.5 * {0})", "jnp.cosh(0.5 * {0})", "jnp.expm1(0.3 * {0})", "jnp.sign({0})",
    "jnp.logaddexp({0}, 0.0)", "jnp.log(jnp.abs({0}))", "{0} ** -2", "1.0 / {0}", "sigma({0})",
    "jnp.clip({0}, -0.5, 1.5)", "jnp.maximum({0}, 0.0) - 0.1 * {0}", "jnp.where({0} > 0, {0}, 0.0)",
    "jnp.where({0} == 0, 1.0, {0})", "jnp.exp2(0.5 * {0})", "lax.stop_gradient({0}) * {0}",
    "jnp.minimum({0}, {0} ** 2)", "jnp.sqrt({0} ** 2)", "jnp.maximum({0}, 1.0 - {0})",
)  # fmt: skip
POSITIVE = (
    "jnp.log({0})", "jnp.sqrt({0})", "lax.rsqrt({0})", "1.0 / {0}", "{0} ** 1.5", "{0} ** 0.3",
    "{0} * jnp.log({0})", "lax.lgamma({0})", "lax.digamma({0})", "jnp.log1p({0})", "{0} ** -0.5",
)  # fmt: skip
ODD_ONES = ("jnp.floor({0})", "jnp.ceil({0})", "jnp.round({0})")


def _unary(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values)
    table = UNARY + (POSITIVE if value.kind == "positive" else ()) + ODD_ONES[: rng.random() < 0.1]
    text = _choice(rng, table).format(value.name)
    stays = text in (f"jnp.sqrt({value.name})", f"lax.rsqrt({value.name})", f"1.0 / {value.name}")
    made = text.startswith(("jnp.exp(", "jax.nn.sigmoid", "jnp.sqrt(1.0", "lax.rsqrt(0.5"))
    positive = made or (stays and value.kind == "positive")
    return text, value.shape, "positive" if positive else "real"


BINARY = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} * {1}", "jnp.maximum({0}, {1})",
    "jnp.minimum({0}, {1})", "{0} / (1.0 + {1} ** 2)", "{0} / {1}", "jnp.logaddexp({0}, {1})",
    "jnp.where({0} > {1}, {0} * {1}, {1})", "jnp.where({0} <= {1}, {1}, 0.5 * {0})",
    "jax.scipy.special.xlogy({0}, 1.0 + {1} ** 2)", "({0} - {1}) ** 2", "{0} * jnp.exp(-0.5 * {1})",
    "jnp.where({0} == {1}, 1.0, {0})", "jnp.abs({0} - {1})", "jnp.clip({0}, -0.5, jnp.exp({1}))",
)  # fmt: skip


def _binary(rng: np.random.Generator, values: list[Value]) -> Any:
    """Two arrays of one shape, or one of which the other's axes are a part."""
    one = _real(rng, values)
    fits = [v for v in values if v.kind in ("real", "positive") and _embeds(v.shape, one.shape)]
    other = _choice(rng, fits)
    text = other.name if other.shape == one.shape else _expanded(other, one.shape)
    pair = (one.name, text) if rng.random() < 0.7 else (text, one.name)
    return _choice(rng, BINARY).format(*pair), one.shape, "real"


def _embeds(small: tuple[str, ...], large: tuple[str, ...]) -> bool:
    left = iter(large)
    return all(size in left for size in small)


def _expanded(value: Value, shape: tuple[str, ...]) -> str:
    """value[:, None, …] with axes at the places of its sizes."""
    if not value.shape:
        return value.name
    wanted, parts = list(value.shape), []
    for size in shape:
        own = bool(wanted) and wanted[0] == size
        parts.append(":" if own else "None")
        wanted = wanted[1:] if own else wanted
    return f"{value.name}[{', '.join(parts)}]"


REDUCTIONS = (
    "jnp.sum({0}, {1})", "jnp.sum({0}, {1})", "jnp.mean({0}, {1})", "jnp.max({0}, {1})",
    "jnp.min({0}, {1})", "jnp.var({0}, {1})", "jax.nn.logsumexp({0}, {1})",
    "jnp.sqrt(0.1 + jnp.sum({0} ** 2, {1}))", "jnp.sum({0}, {1}) ** 2",
)  # fmt: skip


def _reduction(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    if value is None:
        return None
    count = int(rng.integers(1, len(value.shape) + 1))
    axes = tuple(sorted(map(int, rng.choice(len(value.shape), count, replace=False))))
    text = _choice(rng, REDUCTIONS)
    if rng.random() < 0.4:
        shape = tuple("1" if a in axes else s for a, s in enumerate(value.shape))
        inner = f"{axes}, keepdims=True"
        if rng.random() < 0.7 and "{0} ** 2" not in text and ") ** 2" not in text:
            return f"{value.name} - {text.format(value.name, inner)}", value.shape, "real"
        if "sqrt" in text or ") ** 2" in text:
            return None
        return text.format(value.name, inner), shape, "real"
    shape = tuple(s for a, s in enumerate(value.shape) if a not in axes)
    return text.format(value.name, axes), shape, "real"


ROWS = (
    "jax.nn.softmax({0}, {1})", "jax.nn.softmax({0}, {1})", "jax.nn.log_softmax({0}, {1})",
    "jnp.cumsum({0}, {1})", "jnp.flip({0}, {1})", "lax.cumsum({0}, {1}, reverse=True)",
    "jax.nn.standardize({0}, {1})", "{0} / jnp.sqrt(0.1 + jnp.sum({0} ** 2, {1}, keepdims=True))",
    "jnp.flip(jnp.cumsum(jnp.flip({0}, {1}), {1}), {1})",
)  # fmt: skip


def _row(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    if value is None:
        return None
    text = _choice(rng, ROWS).format(value.name, _axis(rng, value))
    return text, value.shape, "positive" if text.startswith("jax.nn.softmax") else "real"


def _einsum(rng: np.random.Generator, values: list[Value]) -> Any:
    """A product of two arrays: equal sizes may be one index, which is summed, kept or both."""
    one, other = _real(rng, values, 1), _real(rng, values, 1)
    if one is None or other is None:
        return None
    letters: dict[str, str] = {}
    texts = []
    for value in (one, other):
        text = ""
        for size in value.shape:
            same = [c for c, s in letters.items() if s == size and c not in text]
            letter = _choice(rng, same) if same and rng.random() < 0.8 else "abcdefgh"[len(letters)]
            letters[letter] = size
            text += letter
        texts.append(text)
    kept = [c for c in letters if rng.random() < 0.5]
    rng.shuffle(kept)
    text = f'jnp.einsum("{texts[0]},{texts[1]}->{"".join(kept)}", {one.name}, {other.name})'
    return text, tuple(letters[c] for c in kept), "real"


def _movement(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    if value is None:
        return None
    axis, rank, name, shape = _axis(rng, value), len(value.shape), value.name, list(value.shape)
    which = int(rng.integers(9))
    if which == 0 and rank > 1:
        order = tuple(map(int, rng.permutation(rank)))
        return f"jnp.transpose({name}, {order})", [shape[a] for a in order], value.kind
    if which == 1:
        new = _choice(rng, [s for v in values for s in v.shape])
        text = f"jnp.broadcast_to({name}, ({new}, *{name}.shape))"
        return text, [new, *shape], value.kind
    if which == 2 and rank > 1:
        axis = min(axis, rank - 2)
        merged = _times(shape[axis], shape[axis + 1])
        new = [*shape[:axis], merged, *shape[axis + 2 :]]
        return f"{name}.reshape({', '.join(new)})", new, value.kind
    if which == 3:
        factors = [(a, s.split("*")) for a, s in enumerate(shape) if "*" in s and "+" not in s]
        if not factors:
            return None
        at, parts = factors[0]
        new = [*shape[:at], *parts, *shape[at + 1 :]]
        return f"{name}.reshape({', '.join(new)})", new, value.kind
    if which == 4:
        fits = [
            v
            for v in values
            if v.kind in ("real", "positive")
            and len(v.shape) == rank
            and all(a == axis or s == shape[a] for a, s in enumerate(v.shape))
        ]
        other = _choice(rng, fits)
        new = [f"({s}+{other.shape[a]})" if a == axis else s for a, s in enumerate(shape)]
        return f"jnp.concatenate([{name}, {other.name}], {axis})", new, "real"
    if which == 5:
        pads = [
            (int(rng.integers(2)), int(rng.integers(2))) if a == axis else (0, 0)
            for a in range(rank)
        ]
        new = [f"({s}+{sum(p)})" if sum(p) else s for s, p in zip(shape, pads, strict=True)]
        return f"jnp.pad({name}, {pads})", new, "real"
    if which == 6 and shape[axis].startswith("(") and "+" in shape[axis]:
        first = shape[axis][1:].split("+")[0]
        if not first.isidentifier():
            return None
        new = [first if a == axis else s for a, s in enumerate(shape)]
        if shape[axis] == f"({first}+1)" and rng.random() < 0.5:
            return f"lax.slice_in_dim({name}, 1, None, axis={axis})", new, "real"
        return f"lax.slice_in_dim({name}, 0, {first}, axis={axis})", new, "real"
    if which == 7:
        index = ", ".join(_choice(rng, ("0", "-1")) if a == axis else ":" for a in range(rank))
        return f"{name}[{index}]", [s for a, s in enumerate(shape) if a != axis], value.kind
    if which == 8:
        return (
            f"jnp.stack([{name}, 0.5 * {name}], {axis})",
            [*shape[:axis], "2", *shape[axis:]],
            "real",
        )
    return None


def _times(one: str, other: str) -> str:
    parts = [s for s in (one, other) if s != "1"]
    return "*".join(parts) if parts else "1"


LOOPS = (
    ("lax.scan(lambda c, r: (c + r, 0.0), jnp.zeros_like({0}[0]), {0})[0]", False),
    ("lax.scan(lambda c, r: (c + r ** 2, c), jnp.zeros_like({0}[0]), {0})[1]", True),
    ("lax.scan(lambda c, r: (c + r, c + r), jnp.zeros_like({0}[0]), {0}, reverse=True)[1]", True),
    ("lax.scan(lambda c, r: (jnp.maximum(c, r), 0.0), {0}[0], {0})[0]", False),
    ("lax.scan(lambda c, r: (c + jnp.tanh(r), jnp.exp(-r)), {0}[0], {0})[1]", True),
    ("jax.vmap(lambda r: r - jnp.mean(r))({0})", True),
    ("lax.map(lambda r: r * 2.0, {0})", True),
)


def _loop(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    if value is None:
        return None
    text, whole = _choice(rng, LOOPS)
    return text.format(value.name), value.shape if whole else value.shape[1:], "real"


def _labelled(rng: np.random.Generator, values: list[Value]) -> Any:
    """Entries at labels: one-hot rows, gathers, sums by label."""
    labels = [v for v in values if v.kind == "label" and len(v.shape) == 1]
    if not labels:
        return None
    label = _choice(rng, labels)
    (rows,), classes, at = label.shape, label.classes, label.name
    which = int(rng.integers(7))
    if which == 0:
        return f"jax.nn.one_hot({at}, {classes})", (rows, classes), "real"
    if which == 1:
        return f"{at}.astype(float) * 0.5", (rows,), "real"
    tables = [v for v in values if v.kind in ("real", "positive") and v.shape[:1] == (classes,)]
    grids = [v for v in values if v.kind in ("real", "positive") and v.shape == (rows, classes)]
    stacks = [v for v in values if v.kind in ("real", "positive") and v.shape[:1] == (rows,)]
    if which in (2, 3) and tables:
        table = _choice(rng, tables)
        text = f"{table.name}[{at}]" if which == 2 else f"jnp.take({table.name}, {at}, axis=0)"
        return text, (rows, *table.shape[1:]), table.kind
    if which == 4 and grids:
        grid = _choice(rng, grids)
        return f"jnp.take_along_axis({grid.name}, {at}[:, None], axis=1)[:, 0]", (rows,), grid.kind
    if which == 5 and grids:
        grid = _choice(rng, grids)
        return f"{grid.name}[jnp.arange({rows}), {at}]", (rows,), grid.kind
    if which == 6 and stacks:
        stack = _choice(rng, stacks)
        shape = (classes, *stack.shape[1:])
        sizes = "".join(f"{s}, " for s in shape)
        return f"jnp.zeros(({sizes})).at[{at}].add({stack.name})", shape, "real"
    return None


WRITES = (
    "{0}.at[0].set(1.0)", "{0}.at[-1].add(2.0)", "{0}.at[0].multiply(3.0)",
    "{0}.at[..., 0].set(0.0)",
    "{0}.at[..., -1].add({0}[..., 0])",
)  # fmt: skip


def _write(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    return (_choice(rng, WRITES).format(value.name), value.shape, "real") if value else None


def _position(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values, 1)
    if value is None:
        return None
    axis, name = _axis(rng, value), _choice(rng, ("argmax", "argmin"))
    shape = tuple(s for a, s in enumerate(value.shape) if a != axis)
    return f"jnp.{name}({value.name}, {axis})", shape, "label", value.shape[axis]


def _mask(rng: np.random.Generator, values: list[Value]) -> Any:
    value = _real(rng, values)
    masks = [v for v in values if v.kind == "boolean"]
    which = int(rng.integers(6))
    if which == 0:
        return (
            _choice(rng, ("{0} > 0", "{0} >= 0.5", "{0} != 0")).format(value.name),
            value.shape,
            "boolean",
        )
    if which == 1 and value.shape:
        text = _choice(rng, ("jnp.any({0} > 0, {1})", "jnp.all({0} < 1.0, {1})"))
        axis = _axis(rng, value)
        shape = tuple(s for a, s in enumerate(value.shape) if a != axis)
        return text.format(value.name, axis), shape, "boolean"
    if which == 2 and len(value.shape) == 2 and value.shape[0] == value.shape[1]:
        return f"jnp.tril(jnp.ones({value.name}.shape, bool))", value.shape, "boolean"
    if not masks:
        return None
    mask = _choice(rng, masks)
    if which == 3:
        other = _choice(rng, masks)
        if other.shape != mask.shape:
            return f"~{mask.name}", mask.shape, "boolean"
        sign = _choice(rng, ("&", "|", "^"))
        return f"{mask.name} {sign} {other.name}", mask.shape, "boolean"
    if which == 4:
        return f"{mask.name}.astype(float)", mask.shape, "real"
    return None


CHOICES = (
    ("jnp.where({0}, {1}, 0.0)", False), ("jnp.where({0}, {1}, -{1})", False),
    ("jnp.where({0}, {1} ** 2, 1.0)", False), ("jnp.where(~{0}, jnp.exp({1}), {1})", False),
    ("jax.nn.softmax(jnp.where({0}, {1}, -jnp.inf), -1)", True),
    ("jax.nn.softmax(jnp.where({0}, {1}, -1e9), -1)", True),
    ("jnp.max(jnp.where({0}, {1}, -jnp.inf), -1, keepdims=True) * {1}", True),
    ("jax.nn.logsumexp({1}, -1, b={0}.astype(float), keepdims=True) + {1}", True),
    ("jax.nn.softmax({1}, -1, where={0})", True),
)  # fmt: skip


def _masked(rng: np.random.Generator, values: list[Value]) -> Any:
    masks = [v for v in values if v.kind == "boolean"]
    if not masks:
        return None
    mask = _choice(rng, masks)
    fits = [v for v in values if v.kind in ("real", "positive") and v.shape == mask.shape]
    if not fits:
        return None
    value, (text, rows) = _choice(rng, fits), _choice(rng, CHOICES)
    if rows and not mask.shape:
        return None
    return text.format(mask.name, value.name), value.shape, "real"


STEPS: tuple[Step, ...] = (
    *[_unary] * 5, *[_binary] * 5, *[_reduction] * 3, *[_row] * 3, *[_einsum] * 3, *[_movement] * 6,
    _loop, *[_labelled] * 3, _write, _position, *[_mask] * 2, *[_masked] * 3,
)  # fmt: skip
