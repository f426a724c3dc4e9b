"""The benchmarks that compare and time the prover measure what they say, at tiny settings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import gradient_checks, prover_speed
from benchmarks.gradient_checks import Outcome, Settings, Tried
from tests.prove.corpus import suite
from tests.prove.corpus.mutate import mutants

CASES = {case.name: case for case in suite.cases()}
OF_EACH_KIND = {case.kind: case for case in reversed(CASES.values())}
SMALL = Settings(sizes=(4,))


def test_a_right_rule_is_accepted_and_a_wrong_one_rejected_by_both():
    case = CASES["bias over the batch"]
    outcome = gradient_checks.examine(case, suite.Selection(limit=1), SMALL)
    assert outcome.right == Tried(case.name, "bias", (False,), "proved")
    (wrong,) = outcome.wrong
    assert (wrong.rejected, wrong.verdict) == ((True,), "refuted")


@pytest.mark.parametrize("name", ["rms norm, dot product", "one-hot product, segment sum"])
def test_the_mutants_make_the_same_change_in_float32(name):
    case = CASES[name]
    made = mutants(case, 6)
    paired = gradient_checks.in_float32(case, made)
    assert [mutant for mutant, _ in paired] == made
    arguments = gradient_checks.natural(case, gradient_checks.sizes_at(case, 4, "first"), seed=0)
    cotangent = jax.tree.map(jnp.ones_like, case.f(*arguments))
    with jax.enable_x64(True), jax.disable_jit():
        wide = jax.tree.map(_widened, (*arguments, cotangent))
        exact = [jax.tree.leaves(mutant.pullback(*wide)) for mutant, _ in paired]
    for (mutant, rule), true in zip(paired, exact, strict=True):
        for narrow, x in zip(jax.tree.leaves(rule(*arguments, cotangent)), true, strict=True):
            assert narrow.dtype == jnp.float32
            scale = 1e-4 * (1 + np.max(np.abs(x)))
            np.testing.assert_allclose(narrow, x, rtol=0, atol=scale, err_msg=str(mutant))


def _widened(x):
    return jnp.asarray(np.asarray(x), jnp.float64 if x.dtype == jnp.float32 else jnp.int64)


def test_the_inputs_are_those_that_a_project_would_test():
    case = CASES["layer norm, folded scale"]
    sizes = gradient_checks.sizes_at(case, 64, "first")
    assert sizes == {"batch": 64, "n": 8}
    assert gradient_checks.sizes_at(case, 64, "last") == {"batch": 8, "n": 64}
    x, gamma, beta = gradient_checks.natural(case, sizes, seed=0)
    assert x.shape == (64, 8)
    assert x.dtype == jnp.float32
    np.testing.assert_array_equal(gamma, np.ones(8))
    np.testing.assert_array_equal(beta, np.zeros(8))


@pytest.mark.parametrize("case", OF_EACH_KIND.values(), ids=OF_EACH_KIND)
def test_the_inputs_are_inside_the_domains_and_single_precision(case):
    arguments = gradient_checks.natural(case, gradient_checks.sizes_at(case, 4, "first"), seed=0)
    for value, domain in _real_leaves(case, arguments):
        assert value.dtype == jnp.float32
        assert np.all((domain.low < value) & (value < domain.high))
        assert not (domain.nonzero and np.any(value == 0))


def _real_leaves(case, arguments):
    leaves, tree = jax.tree.flatten(case.domains, is_leaf=gradient_checks._is_domain)
    values = tree.flatten_up_to(arguments)
    return [(v, d) for v, d in zip(values, leaves, strict=True) if d.kind == "real"]


def test_an_argument_that_the_rule_does_not_differentiate_is_not_checked():
    case = CASES["one-hot product, segment sum"]
    sizes = gradient_checks.sizes_at(case, 4, "first")
    arguments = gradient_checks.natural(case, sizes, seed=0)
    f, kept = gradient_checks.registered(case, case.pullback, arguments)
    assert [v.dtype for v in kept] == [jnp.float32] * len(kept)
    assert len(kept) < len(arguments)
    assert not gradient_checks.rejected(f, kept)


def test_the_table_counts_who_rejects_what():
    right = Tried("r", "loss", (False, True), "proved")
    wrong = (
        Tried("a", "flipped sign", (True, True), "refuted"),
        Tried("b", "flipped sign", (False, False), "unknown"),
        Tried("c", "wrong axis", (False, True), "refuted"),
    )
    rows = gradient_checks.table([Outcome(right, wrong)], (4, 64)).splitlines()
    cells = {row.split("|")[1].strip(): [c.strip() for c in row.split("|")[2:-1]] for row in rows}
    assert cells["flipped sign"] == ["2", "1", "1", "1", "1", "1", "0", "1"]
    assert cells["wrong axis"] == ["1", "0", "1", "1", "1", "0", "0", "0"]
    assert cells["all wrong rules"] == ["3", "1", "2", "2", "2", "1", "0", "1"]
    assert cells["right rules"] == ["1", "0", "1", "1", "0", "0", "1", ""]
    assert gradient_checks.without_meaning([Outcome(right, wrong)], 1) == 2


def test_the_list_names_what_either_gets_wrong():
    right = Tried("r", "loss", (False, True), "proved")
    wrong = (
        Tried("a", "flipped sign", (True, True), "refuted"),
        Tried("b", "flipped sign", (False, True), "unknown"),
    )
    lines = gradient_checks.missed([Outcome(right, wrong)], Settings(sizes=(4, 64))).splitlines()
    assert lines == ["wrong: b: accepted at 4; unknown", "right: r: rejected at 64; proved"]


def test_a_theorem_is_timed_with_its_verdict():
    (built_in, *_), (rule,) = prover_speed.table_of_theorems(0), prover_speed.right_rules(1, seed=0)
    done = prover_speed.timed([built_in, rule])
    assert [t.verdict for t in done] == ["proved", "proved"]
    assert all(t.seconds > 0 for t in done)


def test_the_row_has_the_quantiles_of_the_seconds():
    done = [prover_speed.Timed(f"t{s}", "proved" if s else "unknown", s) for s in range(11)]
    assert prover_speed.row("all", done) == (
        ["all", "11", "10", "0", "1", "5.00", "9.00", "10.00", "55.00"]
    )
    assert prover_speed.remarks(done).splitlines() == [
        "slowest: t10 10.0 s, t9 9.0 s, t8 8.0 s",
        "unknown: t0",
    ]


@pytest.mark.slow
def test_the_command_prints_the_table(capsys):
    gradient_checks.main(["--mutants", "1", "--processes", "1"])
    assert "| all wrong rules | " in capsys.readouterr().out
