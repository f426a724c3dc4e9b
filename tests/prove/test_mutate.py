"""The mutation engine, the float64 judge and the table, on small rules whose mutants are known."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from corpus import suite
from corpus.case import Case
from corpus.mutate import UNCHANGED, changed, generate, mutants, solve, traced
from corpus.mutations import KINDS
from corpus.wrongness import judge
from jax import export, lax

from purenet.prove import domains as d


@pytest.fixture(autouse=True)
def _float64(x64):
    return


def mean_square(x):
    return jnp.sum(x * x, axis=0) / x.shape[0]


def mean_square_pullback(x, ct):
    return (2.0 * x * ct / x.shape[0],)


MEAN_SQUARE = Case("mean square", "test", mean_square, mean_square_pullback, (d.real("batch"),))
X, CT = np.asarray([1.0, -2.0, 4.0]), np.asarray(3.0)


def values(case, *arguments):
    """What each mutant gives: {(kind, first output as a tuple)}."""
    return {(m.kind, tuple(np.asarray(m.pullback(*arguments)[0]).tolist())) for m in mutants(case)}


def test_the_mutants_of_a_rule_are_the_wrong_formulas_that_its_kinds_name():
    x, ct, n = np.asarray(X), 3.0, 3
    expected = {
        "forgotten cotangent": 2 * x / n,
        "forgotten chain factor": 2 * x / n + 0 * ct,
        "1/n against 1/(n-1)": 2 * x * ct / (n - 1),
        "sum for mean": 2 * x * ct,
        "flipped sign": -2 * x * ct / n,
        "wrong constant": x * ct / n,
        "dropped term": 0 * x,
    }
    found = values(MEAN_SQUARE, X, CT)
    for kind, formula in expected.items():
        assert any(k == kind and np.allclose(v, formula) for k, v in found), kind


def test_a_mutant_changes_the_same_place_at_every_size():
    (mutant,) = [m for m in mutants(MEAN_SQUARE) if m.site.endswith("n - 1")]
    for n in (1, 2, 5):
        x = jnp.arange(1.0, n + 1)
        with np.errstate(divide="ignore"):
            expected = np.asarray(2 * x * CT) / (n - 1)
        np.testing.assert_allclose(mutant.pullback(x, CT)[0], expected)


def test_a_mutant_traces_with_symbols_of_another_scope_and_under_jit():
    (n,) = export.symbolic_shape("n")
    for mutant in mutants(MEAN_SQUARE):
        x = jax.ShapeDtypeStruct((n,), jnp.float64)
        out = jax.eval_shape(mutant.pullback, x, jax.ShapeDtypeStruct((), jnp.float64))
        assert out[0].shape == (n,)
        np.testing.assert_allclose(
            jax.jit(mutant.pullback)(X, CT)[0], mutant.pullback(X, CT)[0], rtol=1e-12
        )


def scanned(x, ct):
    total, steps = lax.scan(lambda c, v: (c + v * ct, c * v), jnp.zeros_like(ct), x)
    low = lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 0.5), (0, total))[1]
    return (jax.nn.relu(x) * total + steps + lax.cond(ct > 0, jnp.sin, jnp.cos, low),)


def pytree(arguments, power, ct):
    left, right = arguments["left"], arguments["right"][0]
    joined = jax.nn.softmax(jnp.concatenate([left, right]) ** power) * ct
    return {"left": joined[: left.shape[0]], "right": (joined[left.shape[0] :],)}, None


ALIKE = (
    Case("scan", "test", lambda x: jnp.sum(x), scanned, (d.real("n"),)),
    Case(
        "pytree",
        "test",
        lambda a, power: jnp.concatenate([a["left"], a["right"][0]]),
        pytree,
        ({"left": d.real("n"), "right": (d.real("2*m"),)}, d.static(3)),
    ),
)
POINTS = {
    "scan": (X, np.asarray(0.7)),
    "pytree": (
        {"left": X, "right": (np.asarray([0.5, -1.0]),)},
        3,
        np.asarray([1.0, 2.0, -1.0, 0.3, 0.1]),
    ),
}


@pytest.mark.parametrize("case", ALIKE, ids=lambda case: case.name)
def test_without_a_change_the_program_computes_what_the_rule_does(case):
    same = changed(traced(case), UNCHANGED)
    expected = case.pullback(*POINTS[case.name])
    found = same(*POINTS[case.name])
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-14), found, expected)


def test_equations_in_a_loop_are_places_too():
    sites = [m.site for m in mutants(ALIKE[0])]
    assert any(".0." in site and "mul" in site for site in sites)


def test_mutants_are_distinct_and_a_limit_keeps_every_kind():
    found = generate(MEAN_SQUARE)
    names = [str(m) for m in found.mutants]
    assert len(names) == len(set(names))
    kinds = {m.kind for m in found.mutants}
    assert {m.kind for m in mutants(MEAN_SQUARE, len(kinds))} == kinds <= set(KINDS)


def test_programs_that_say_the_same_count_once():
    def doubled(x, ct):
        return (x * ct + x * ct,)

    case = Case("doubled", "test", lambda x: x * x, doubled, (d.real("n"),))
    assert generate(case).repeated > 0


def test_changes_that_do_not_fit_the_shapes_are_counted_apart():
    def pulled(x, ct):
        rows = jnp.sum(x, axis=1, keepdims=True)
        return ((jnp.tanh(rows) + jnp.max(x, axis=1, keepdims=True)[:, 0][:, None]) * ct,)

    case = Case("m by n", "test", lambda x: x, pulled, (d.real("m n"),))
    found = generate(case)
    assert found.untraceable == 1  # the maximum along the other axis; the sum along it fits
    assert sum(m.kind == "wrong axis" for m in found.mutants) == 1


@pytest.mark.parametrize(
    ("rank", "kind", "site"),
    [
        ("n n", "missing transpose", "operand 1"),
        ("m n", "mean for sum", "dot_general"),
    ],
)
def test_matrix_products(rank, kind, site):
    def pulled(w, ct):
        return (w @ (w.T @ ct) + ct,)

    case = Case("product", "test", lambda w: w, pulled, (d.real(rank),))
    assert any(m.kind == kind and site in m.site for m in mutants(case))


def test_axis_of_a_kept_sum():
    def pulled(x, ct):
        p = jax.nn.softmax(x, axis=-1)
        return (p * (ct - jnp.sum(p * ct, axis=-1, keepdims=True)),)

    case = Case("softmax", "test", lambda x: jax.nn.softmax(x, -1), pulled, (d.real("m n"),))
    x, ct = jnp.asarray([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), jnp.arange(6.0).reshape(2, 3)
    p = np.asarray(jax.nn.softmax(x, axis=-1))
    wrong = p * (np.asarray(ct) - np.sum(p * ct, axis=0, keepdims=True))
    found = [m.pullback(x, ct)[0] for m in mutants(case) if m.kind == "wrong axis"]
    assert any(np.allclose(value, wrong) for value in found)


def test_sizes_are_solved_from_products_and_sums():
    shape = export.symbolic_shape("n, 2*m + n, h*m")
    assert solve([shape], [(3, 11, 20)]) == {"n": 3, "m": 4, "h": 5}


# The judge ----------------------------------------------------------------------------------------


def wrong_sites(case):
    judged = judge(case, mutants(case))
    assert not {str(m) for m in judged.wrong} & {str(m) for m in judged.discarded}
    return {m.site for m in judged.wrong}, {m.site for m in judged.discarded}


def relu_pullback(x, ct):
    return (jnp.where(x > 0, ct, 0.0),)


RELU = Case("relu", "test", lambda x: jnp.maximum(x, 0), relu_pullback, (d.real("n"),))


def test_a_value_at_a_kink_is_nobodys_fault():
    wrong, discarded = wrong_sites(RELU)
    assert any(site.endswith("gt: ge") for site in discarded)
    assert any(site.endswith("gt: lt") for site in wrong)


def test_a_wrong_value_at_one_point_where_the_derivative_exists_is_seen():
    def pulled(x, ct):
        return (jnp.where(x == 0, 0.0, 3 * x * x) * ct,)

    case = Case("cube", "test", lambda x: x**3, pulled, (d.real("n"),))
    wrong, _ = wrong_sites(case)
    assert any("1 for 0" in site and ("broadcast" in site or "convert" in site) for site in wrong)


def test_an_eps_is_seen_where_it_matters():
    def f(x):
        return x * lax.rsqrt(jnp.sum(x * x) + 1e-10)

    def pulled(x, ct):
        r = lax.rsqrt(jnp.sum(x * x) + 1e-10)
        return (r * ct - x * jnp.sum(x * ct) * r**3,)

    case = Case("normalise", "test", f, pulled, (d.real("n"),))
    eps = {m.site for m in mutants(case) if m.kind == "misplaced eps"}
    wrong, _ = wrong_sites(case)
    assert len(eps) == 3
    assert eps <= wrong


def test_a_change_that_changes_no_value_is_discarded():
    def pulled(x, ct):
        shifted = x - jnp.max(x)
        p = jnp.exp(shifted) / jnp.sum(jnp.exp(shifted))
        return (p * (ct - jnp.sum(p * ct)),)

    case = Case("shifted", "test", jax.nn.softmax, pulled, (d.real("n"),))
    _, discarded = wrong_sites(case)
    assert any(site.endswith("reduce_max: min") for site in discarded)


def test_an_overflow_of_a_mutant_that_is_right_is_not_held_against_it():
    def masked(x):
        return jax.nn.softmax(jnp.where(x > 0, x, jnp.finfo(x.dtype).min))

    def pulled(x, ct):
        filled = jnp.where(x > 0, x, jnp.finfo(x.dtype).min)
        p = jnp.exp(filled - jnp.max(filled))
        p = p / jnp.sum(p)
        return (jnp.where(x > 0, p * (ct - jnp.sum(p * ct)), 0.0),)

    case = Case("masked", "test", masked, pulled, (d.real("n"),))
    wrong, discarded = wrong_sites(case)
    assert any(site.endswith("reduce_max: sum") for site in discarded)
    assert any(site.startswith("output 0") for site in wrong)


# The table ----------------------------------------------------------------------------------------


def by_running(f, pullback, *domains, sizes):
    """A stand-in for the prover that compares with autodiff at one point."""
    x = jnp.asarray([0.3, -1.7, 2.1])
    out, vjp = jax.vjp(f, x)
    ct = jnp.asarray(np.linspace(0.5, 1.5, out.size).reshape(out.shape))
    same = np.allclose(pullback(x, ct)[0], vjp(ct)[0])
    verdict = "proved" if same else "refuted"
    return SimpleNamespace(verdict=verdict, reason="", difference="")


def test_the_table_counts_right_and_wrong_rules():
    chosen = [(case, suite.Selection()) for case in (MEAN_SQUARE, RELU)]
    outcomes = list(suite.examine_all(chosen, by_running))
    assert suite.sound(outcomes)
    assert suite.findings(outcomes) == []
    total = suite.table(outcomes).splitlines()[-1].split()
    wrong = sum(len(o.wrong) for o in outcomes)
    assert total[:5] == ["total", "2", "2", "0", "0"]
    assert total[6] == total[10] == str(wrong)
    assert outcomes == list(suite.examine_all(chosen, by_running))


def test_a_prover_that_believes_everything_is_found_out():
    def believes(*_, sizes):
        return SimpleNamespace(verdict="proved", reason="", difference="")

    (outcome,) = suite.examine_all([(RELU, suite.Selection(limit=3))], believes)
    assert not suite.sound([outcome])
    assert len(suite.findings([outcome])) == len(outcome.wrong) > 0


def test_an_exception_of_the_prover_is_unknown_with_its_words():
    def raises(*_, sizes):
        raise RuntimeError("no such thing")

    (outcome,) = suite.examine_all([(RELU, suite.Selection(limit=1))], raises)
    assert outcome.right.verdict == "unknown"
    assert outcome.right.reason == "raised RuntimeError: no such thing"


def test_a_sample_has_its_number_of_wrong_rules_and_depends_on_the_seed_alone():
    chosen = suite.sample((MEAN_SQUARE, RELU), 5, seed=1)
    outcomes = list(suite.examine_all(chosen, by_running))
    assert sum(len(o.wrong) for o in outcomes) == 5
    assert outcomes == list(suite.examine_all(suite.sample((MEAN_SQUARE, RELU), 5, 1), by_running))
