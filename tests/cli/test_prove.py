"""`purenet prove` as a user types it: the table, the theorems about a user's code, the refusals."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest

from purenet import prove
from purenet.cli import main
from purenet.prove import builtin
from purenet.prove.theorem import Theorem

RULES = """
import jax
import jax.numpy as jnp

half = 0.5


def value(z):
    e = jnp.exp(z - jax.lax.stop_gradient(jnp.max(z, axis=-1, keepdims=True)))
    return e / jnp.sum(e, axis=-1, keepdims=True)


def textbook(z):
    return jnp.exp(z) / jnp.sum(jnp.exp(z), axis=-1, keepdims=True)


def pullback(z, cotangent):
    p = value(z)
    return (p * (cotangent - jnp.sum(p * cotangent, axis=-1, keepdims=True)),)


def diagonal(z, cotangent):
    p = value(z)
    return (p * (1 - p) * cotangent,)


def ruled(name, f, back):
    rule = jax.custom_vjp(f)
    rule.defvjp(lambda z: (f(z), z), back)
    rule.__name__ = name
    return rule


def bessel_back(z, cotangent):
    i0e, i1e = jax.scipy.special.i0e(z), jax.scipy.special.i1e(z)
    return (cotangent * (i1e - jnp.sign(z) * i0e),)


softmax = ruled("softmax", value, pullback)
square = ruled("square", lambda z: z * z, lambda z, ct: (2 * z * ct,))
softmax_diagonal = ruled("softmax_diagonal", value, diagonal)
fast = jax.jit(square)
relu = ruled("relu", lambda z: jnp.maximum(z, 0.0), lambda z, ct: (jnp.where(z > 0, ct, 0.0),))
bessel = ruled("bessel", jax.scipy.special.i0e, bessel_back)
needs_two = ruled("needs_two", lambda z: z @ z, lambda z, ct: (ct,))


square_half = ruled("square_half", lambda z: z * z, lambda z, ct: (z * ct,))


def both(z):
    return square(z) + square_half(z)


def energy(x):
    return jnp.sum(x * x) / 2


def energy_gradient(x):
    return x


def energy_pullback(x, cotangent):
    return (cotangent * x,)


def energy_doubled(x, cotangent):
    return (cotangent * 2 * x,)


def energy_in_other_words(x):
    return jnp.mean(x * x) * x.size / 2


def dense(x, weight, bias=0.0):
    return x @ weight + bias


class Layer:
    square = square
"""

Z = 'real("batch k")'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the user's module; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "rules.py").write_text(RULES)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def run(capsys, *arguments):
    code = main(["prove", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


# --- a user's function


def test_a_right_rule_is_proved(capsys):
    code, out, err = run(capsys, "rules:softmax", Z)
    assert (code, err) == (0, "")
    assert out.startswith("proved: ")


def test_a_wrong_rule_is_refuted_by_arrays_at_which_the_difference_can_be_seen(capsys):
    code, out, _ = run(capsys, "rules:softmax_diagonal", Z, "--json")
    (theorem,) = json.loads(out)["theorems"]
    example = theorem["counterexample"]
    import rules

    with jax.enable_x64(True):
        (z,), ct = (np.array(a) for a in example["arguments"]), np.array(example["cotangent"])
        (true,) = jax.vjp(rules.textbook, z)[1](ct)
        (wrong,) = rules.diagonal(z, ct)
    assert (code, theorem["verdict"]) == (1, "refuted")
    np.testing.assert_allclose(example["true"], true, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(example["rule"], wrong, rtol=1e-9, atol=1e-12)
    assert np.max(np.abs(true - wrong)) > 1e-3


def test_a_refutation_is_printed_with_both_values(capsys):
    code, out, _ = run(capsys, "rules:square_half", Z)
    assert code == 1
    assert out.startswith("refuted: ")
    assert "the rule gives for" in out
    assert "the true value is" in out


def test_a_condition_is_told_and_is_still_a_proof(capsys):
    code, out, _ = run(capsys, "rules:relu", 'real("n")')
    assert code == 0
    assert out.startswith("proved with conditions: ")
    assert "  except where " in out


def test_a_limit_that_is_too_short_is_no_proof(capsys):
    code, out, _ = run(capsys, "rules:softmax", Z, "--limit", "0.001")
    assert code == 1
    assert out.startswith("unknown: ")
    assert "limit" in out


def test_what_cannot_be_decided_is_no_proof(capsys):
    code, out, _ = run(capsys, "rules:bessel", 'real("n")')
    assert code == 1
    assert out.startswith("unknown: ")
    assert "bessel_i0e" in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["rules:energy", "--pullback", "rules:energy_pullback", Z], 0),
        (["rules:energy", Z, "--pullback", "rules:energy_doubled"], 1),
        pytest.param(
            ["--pullback", "rules:energy_pullback", "rules:energy", Z], 0, marks=pytest.mark.slow
        ),
        (["rules:energy", "--gradient", "rules:energy_gradient", 'real("m n")'], 0),
        (["rules:energy", "--equal", "rules:energy_in_other_words", Z], 0),
        pytest.param(["--audit", "rules:square", Z], 0, marks=pytest.mark.slow),
        (["rules:both", Z, "--audit"], 1),
        (["rules:fast", Z], 0),
        (["rules:Layer.square", Z], 0),
        pytest.param(["rules.py:square", Z], 0, marks=pytest.mark.slow),
        (["./rules.py:energy", "--pullback", "rules.py:energy_pullback", Z], 0),
    ],
)
def test_the_claim_is_chosen_by_an_option_anywhere_on_the_line(capsys, arguments, code):
    done, out, err = run(capsys, *arguments)
    assert (done, err) == (code, "")
    assert out


def test_an_audit_has_a_theorem_for_each_rule_and_a_last_line(capsys):
    _, out, _ = run(capsys, "--audit", "rules:both", Z)
    heads = sorted(line.split(":")[0] for line in out.splitlines() if not line.startswith(" "))
    assert heads == ["2 theorems", "proved", "refuted"]
    assert "2 theorems: 1 proved, 1 refuted, 0 unknown (0 with conditions), " in out


def test_sizes_and_limit_reach_the_prover(capsys, monkeypatch):
    seen = {}

    def rule(f, *domains, **settings):
        seen.update(settings, domains=domains)
        return Theorem("f", "claim", "proved")

    monkeypatch.setattr(prove, "rule", rule)
    run(capsys, "rules:softmax", Z, "--sizes", "k >= 2", "--limit", "5")
    assert seen == {"domains": (prove.parse(Z),), "sizes": "k >= 2", "limit": 5.0}


def test_latex_is_all_that_is_printed(capsys):
    code, out, _ = run(capsys, "rules:square", Z, "--latex")
    assert code == 0
    assert out.startswith("\\begin{gathered}\n\\text{proved: ")
    assert out.endswith("\\end{gathered}\n")


def test_what_the_module_prints_is_not_in_the_document(capsys, folder):
    (folder / "loud.py").write_text("from rules import square\nprint('hello')\n")
    code, out, err = run(capsys, "loud:square", Z, "--json")
    assert (code, err) == (0, "hello\n")
    assert json.loads(out)["proved"] == 1


def test_a_file_does_not_take_the_place_of_an_imported_module(capsys, folder):
    (folder / "json.py").write_text("from rules import square\n")
    code, _, err = run(capsys, "json.py:square", Z)
    assert (code, err) == (0, "")
    assert sys.modules["json"] is json


# --- what cannot be used

REFUSED = {
    "no colon": (["rules.softmax", Z], "MODULE:FUNCTION or FILE.py:FUNCTION, got 'rules.softmax'; "
                 "did you mean rules:softmax?"),
    "no function": (["rules:", Z], "expected MODULE:FUNCTION or FILE.py:FUNCTION, got 'rules:'"),
    "module": (["rulse:softmax", Z], "there is no module 'rulse'; did you mean 'rules'?"),
    "submodule": (["jax.nnn:relu", Z], "there is no module 'jax.nnn'; did you mean 'nn'?"),
    "no package": (["rules.inner:f", Z], "there is no module 'rules.inner'"),
    "file": (["rulse.py:softmax", Z], "rulse.py: there is no such file"),
    "attribute": (["rules:sofmax", Z], "rules:sofmax: there is no 'sofmax'; did you mean "
                  "'softmax'?"),
    "inner attribute": (["rules:Layer.relu", Z], "rules:Layer.relu: there is no 'relu'"),
    "not callable": (["rules:half", Z], "rules:half: expected a function, got float"),
    "broken import": (["broken:f", Z], "importing broken: NameError: name 'oops' is not defined"),
    "broken file": (["broken.py:f", Z], "importing broken.py: NameError: name 'oops'"),
    "syntax": (["syntax:f", Z], "importing syntax: SyntaxError: "),
    "leaves": (["leaves:f", Z], "importing leaves: SystemExit: 3"),
    "lacks": (["lacks:f", Z], "importing lacks: No module named 'purenet_absent'"),
    "reads": (["reads:f", Z], "importing reads: [Errno 2] No such file or directory: 'absent.npy'"),
    "no rule": (["rules:value", Z], "rules:value: no jax.custom_vjp or jax.custom_jvp function, so "
                "it has no rule of its own; name its derivative by --pullback or --gradient, or "
                "take --audit"),
    "no rule inside": (["--audit", "rules:value", Z], "rules:value: there is no custom rule in it"),
    "other": (["rules:value", Z, "--pullback", "rules:pulback"], "rules:pulback: there is no "
              "'pulback'; did you mean 'pullback'?"),
    "domain": (["rules:softmax", 'rael("n")'], "argument z: "),
    "domain word": (["rules:softmax", 'rael("n")'], 'did you mean "real"?'),
    "domain text": (["rules:softmax", "3 +"], "argument z: "),
    "no domain": (["rules:softmax"], "rules:softmax: takes 1 argument (z), one domain each, got 0 "
                  "domains"),
    "domains": (["rules:dense", "--equal", "rules:dense", Z], "rules:dense: takes 3 arguments (x, "
                "weight, bias=…), one domain each, got 1 domain"),
    "size": (["rules:softmax", Z, "--sizes", "k >> 2"], "k >> 2"),
    "only": (["rules:softmax", Z, "--only", "softmax"], "--only goes with the built-in theorems"),
    "depth": (["rules:softmax", Z, "--depth", "2"], "--depth goes with the built-in theorems"),
    "sizes": (["--sizes", "n >= 2"], "--sizes goes with a MODULE:FUNCTION"),
    "audit": (["--audit"], "--audit goes with a MODULE:FUNCTION"),
    "both": (["--json", "--latex"], "--latex and --json: choose one of them"),
    "unknown": (["--only", "tanh.pulback"], "there is no built-in theorem 'tanh.pulback'; did you "
                "mean 'tanh.pullback'?"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(capsys, folder, kind):
    for name, text in {
        "broken": "oops",
        "syntax": "def f(:",
        "leaves": "raise SystemExit(3)",
        "lacks": "import purenet_absent",
        "reads": "open('absent.npy')",
    }.items():
        (folder / f"{name}.py").write_text(text)
    arguments, message = REFUSED[kind]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("purenet prove: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_function_that_raises_is_told_in_one_line_or_is_unknown(capsys):
    code, out, err = run(capsys, "rules:needs_two", 'real("2 3")')
    assert code in (1, 2)
    assert out.startswith("unknown: ") if code == 1 else err.count("\n") == 1
    assert "dot_general" in out + err or "matmul" in out + err


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
@pytest.mark.parametrize("option", ["--limit", "--depth"])
def test_an_option_without_a_good_number_is_refused(capsys, option, value):
    with pytest.raises(SystemExit) as left:
        main(["prove", option, value])
    assert left.value.code == 2
    assert f"argument {option}: expected" in capsys.readouterr().err


# --- the table


def theorem(name, verdict="proved", **known):
    return Theorem(name, "claim", verdict, **known)


@pytest.fixture
def table(monkeypatch):
    """Replace the built-in theorems by given ones."""

    def replace(*theorems):
        thunks = [(shown.name, lambda shown=shown: shown) for shown in theorems]
        monkeypatch.setattr(builtin, "theorems", lambda: thunks)

    return replace


def test_the_table_has_a_line_for_each_theorem_and_a_last_one(capsys, table):
    table(
        theorem("sigmoid", seconds=0.25),
        theorem("relu", conditions=("z != 0 (the rule gives 0 there)", "n >= 2")),
    )
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    *rows, last = out.splitlines()
    assert rows == [
        "sigmoid  proved     0.25 s",
        "relu     proved     0.00 s  except where z = 0 (the rule gives 0 there); if n >= 2",
    ]
    assert last.startswith("2 theorems: 2 proved, 0 refuted, 0 unknown (1 with conditions), ")
    assert last.endswith(" s")


@pytest.mark.parametrize(
    ("verdict", "known"),
    [("refuted", {"difference": "sign"}), ("unknown", {"reason": "primitive fft"})],
)
def test_one_theorem_that_is_not_proved_is_exit_code_1_and_says_why(capsys, table, verdict, known):
    table(theorem("a"), theorem("b", verdict, **known), theorem("c"))
    code, out, _ = run(capsys)
    assert code == 1
    assert out.splitlines()[1] == f"b  {verdict}    0.00 s  {next(iter(known.values()))}"
    assert f"1 {verdict}" in out.splitlines()[-1]


def test_a_line_is_printed_before_the_next_theorem_is_begun(capsys, monkeypatch):
    printed = []

    def second():
        printed.append(capsys.readouterr().out)
        return theorem("second")

    thunks = [("first", lambda: theorem("first")), ("second", second)]
    monkeypatch.setattr(builtin, "theorems", lambda: thunks)
    main(["prove"])
    assert [text.split()[0] for text in printed] == ["first"]


def test_the_document_has_every_theorem_and_the_counts(capsys, table):
    table(theorem("a", conditions=("n >= 2",)), theorem("b", "unknown", reason="fft"))
    code, out, _ = run(capsys, "--json")
    read = json.loads(out)
    assert code == 1
    assert [(t["name"], t["verdict"], t["conditions"]) for t in read["theorems"]] == [
        ("a", "proved", ["n >= 2"]),
        ("b", "unknown", []),
    ]
    assert (read["proved"], read["refuted"], read["unknown"]) == (1, 0, 1)
    assert read["seconds"] >= 0


def test_only_the_named_theorems_are_proved_and_read_in_full(capsys, table):
    chosen, other = theorem("b", notes=("covered: n = 1",)), theorem("a")
    table(other, chosen)
    _, out, _ = run(capsys, "--only", "b")
    assert out.splitlines()[:-1] == str(chosen).splitlines()
    assert out.splitlines()[-1].startswith("1 theorem: 1 proved")


def test_depth_and_limit_reach_the_built_in_theorems(capsys, monkeypatch):
    seen = {}

    def theorems(**settings):
        seen.update(settings)
        return [("a", lambda: theorem("a"))]

    monkeypatch.setattr(builtin, "theorems", theorems)
    run(capsys, "--depth", "2", "--limit", "0.5")
    assert seen == {"depth": 2, "limit": 0.5}


def test_a_built_in_theorem_is_proved(capsys):
    name, _ = next(iter(builtin.theorems(depth=1, limit=30.0)))
    code, out, err = run(capsys, "--only", name, "--depth", "1", "--limit", "30")
    assert (code, err) == (0, "")
    assert out.startswith("proved")
    assert "1 theorem: 1 proved" in out


# --- the command as a program


def python(program):
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def test_the_options_need_neither_the_prover_nor_sympy():
    program = (
        "import sys, purenet\n"
        "from purenet import cli\n"
        "cli.parser()\n"
        "print([m for m in ('sympy', 'purenet.prove') if m in sys.modules])"
    )
    assert python(program) == (0, "[]", "")


def test_the_current_folder_is_importable_as_with_python_m():
    # An installed `purenet` has its own folder first in the path, not the current one.
    program = (
        "import os, sys\n"
        "sys.path = [folder for folder in sys.path if folder not in ('', os.getcwd())]\n"
        "from purenet.cli import main\n"
        f"sys.exit(main(['prove', 'rules:square', {Z!r}]))"
    )
    code, out, err = python(program)
    assert (code, err) == (0, "")
    assert out.startswith("proved: ")
