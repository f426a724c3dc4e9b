"""The prover as a user calls it: right rules, wrong rules, conditions, what it can't decide."""

import functools
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from purenet import prove
from purenet.prove import (
    ProofFailed,
    boolean,
    decide,
    distribution,
    equality,
    function,
    label,
    nonzero,
    positive,
    real,
    static,
)
from purenet.prove.kernel.linear import scale

N = real("n")


def kinds(table, *slow):
    """The names in a table; some of them are left to the slow tests."""
    return [pytest.param(k, marks=[pytest.mark.slow] if k in slow else []) for k in table]


class Layer(NamedTuple):
    weight: object
    bias: object


def dense(params, x):
    return x @ params.weight + params.bias[None, :]


def dense_pullback(params, x, ct):
    return Layer(x.T @ ct, ct.sum(0)), ct @ params.weight.T


DENSE = (Layer(real("i o"), real("o")), real("b i"))


def softmax_pullback(z, ct):
    p = jax.nn.softmax(z)
    return (p * (ct - jnp.sum(p * ct, -1, keepdims=True)),)


def cross_entropy(z, y):
    return jax.nn.logsumexp(z) - z[y]


def cross_entropy_pullback(z, y, ct):
    return ct * (jax.nn.softmax(z) - jax.nn.one_hot(y, z.shape[0], dtype=z.dtype)), None


def one_sum(x):
    return jnp.sin(x), x.sum()


def spread(ct, x, axis):
    return jnp.broadcast_to(jnp.expand_dims(ct, axis), x.shape)


@functools.cache
def verdict_of(kind):
    f, pullback, domains = {**RIGHT, **WRONG}[kind]
    return prove.vjp(f, pullback, *domains)


# A right rule.

RIGHT = {
    "softmax": (jax.nn.softmax, softmax_pullback, [real("b k")]),
    "a NamedTuple of parameters": (dense, dense_pullback, DENSE),
    "a dict": (
        lambda p, x: p["w"] * x + p["b"],
        lambda p, x, ct: ({"w": (ct * x).sum(), "b": ct.sum()}, ct * p["w"]),
        [{"w": real(), "b": real()}, N],
    ),
    "labels": (cross_entropy, cross_entropy_pullback, [real("k"), label(classes="k")]),
    "a mask": (
        lambda x, m: jnp.where(m, x * x, 0.0),
        lambda x, m, ct: (jnp.where(m, 2 * x * ct, 0.0), None),
        [N, boolean("n")],
    ),
    "several outputs": (one_sum, lambda x, ct: (ct[0] * jnp.cos(x) + ct[1],), [N]),
    "a dict of outputs": (
        lambda x: {"sum": x.sum(), "twice": 2 * x},
        lambda x, ct: (ct["sum"] + 2 * ct["twice"],),
        [N],
    ),
    "an axis": (
        lambda x, axis: x.sum(axis),
        lambda x, axis, ct: (spread(ct, x, axis), None),
        [real("n m"), static(1)],
    ),
    "any function": (
        lambda x, sigma: sigma(x),
        lambda x, sigma, ct: (ct * sigma.derivative(x), None),
        [N, function("sigma")],
    ),
    "a constant": (jnp.ones_like, lambda x, ct: (jnp.zeros_like(x),), [N]),
    "a distribution": (
        lambda p: -(p * jnp.log(p)).sum(),
        lambda p, ct: (-ct * (1 + jnp.log(p)),),
        [distribution("k")],
    ),
}


@pytest.mark.parametrize("kind", kinds(RIGHT, "a dict", "several outputs", "a distribution"))
def test_a_right_rule_is_proved(kind):
    theorem = verdict_of(kind)
    assert theorem.verdict == "proved", str(theorem)
    assert theorem.conditions == ()
    assert theorem.counterexample is None
    assert theorem.require() is theorem


# A wrong rule: a counterexample that shows it, by running both in float64.


def clipped(x, ct):
    return (jnp.clip(ct, -1.0, 1.0),)


def by_norm(x, ct):
    return (ct * jnp.minimum(1.0, 1 / jnp.sqrt(1e-12 + (ct * ct).sum())),)


WRONG = {
    "sign": (jnp.sin, lambda x, ct: (-ct * jnp.cos(x),), [N]),
    "mean": (lambda x: jnp.mean(x * x), lambda x, ct: (2 * ct * x,), [real("m n")]),
    "bias": (dense, lambda p, x, ct: (Layer(x.T @ ct, ct.mean(0)), ct @ p.weight.T), DENSE),
    "weight": (dense, lambda p, x, ct: (Layer(2 * x.T @ ct, ct.sum(0)), ct @ p.weight.T), DENSE),
    "diagonal": (
        jax.nn.softmax,
        lambda z, ct: (jax.nn.softmax(z) * (1 - jax.nn.softmax(z)) * ct,),
        [real("k")],
    ),
    "label": (
        cross_entropy,
        lambda z, y, ct: (ct * jax.nn.softmax(z), None),
        [real("k"), label(classes="k")],
    ),
    "mask": (
        lambda x, m: jnp.where(m, x, 0.0),
        lambda x, m, ct: (jnp.where(m, 0.0, ct), None),
        [N, boolean("n")],
    ),
    "output": (one_sum, lambda x, ct: (ct[0] * jnp.cos(x),), [N]),
    "at 0": (lambda x: x**3, lambda x, ct: (ct * jnp.where(x == 0, 7.0, 3 * x * x),), [N]),
    "shape": (jnp.sum, lambda x, ct: (ct,), [N]),
    "function": (
        lambda x, sigma: sigma(x),
        lambda x, sigma, ct: (ct * sigma(x), None),
        [N, function("sigma")],
    ),
    "straight through": (jnp.round, lambda x, ct: (ct,), [N]),
    "clipped": (lambda x: x, clipped, [N]),
    "clipped by norm": (lambda x: x, by_norm, [N]),
    "reversed": (lambda x: x, lambda x, ct: (-ct,), [N]),
}

DIFFERENCE = {
    "sign": "sign",
    "mean": "off by the factor m*n",
    "bias": "off by the factor 1/b",
    "weight": "off by the factor 2",
    "output": "the term of the second cotangent is missing",
    "at 0": "right except where x == 0",
    "reversed": "sign",
}


def restored(argument, domain):
    """An argument of a counterexample as the user's functions take it."""
    if getattr(domain, "kind", "") == "function":
        from purenet.prove.opaque import Opaque

        return Opaque(domain.name)
    return jax.tree.map(jnp.asarray, argument)


@pytest.mark.parametrize(
    "kind", kinds(WRONG, "weight", "diagonal", "function", "mask", "clipped by norm", "label")
)
def test_a_wrong_rule_is_refuted_by_arrays_that_show_it(kind, x64):
    f, pullback, domains = WRONG[kind]
    theorem = verdict_of(kind)
    assert theorem.verdict == "refuted", str(theorem)
    example = theorem.counterexample

    arguments = [restored(a, d) for a, d in zip(example.arguments, domains, strict=True)]
    cotangent = jax.tree.map(jnp.asarray, example.cotangent)
    wrong = pullback(*arguments, cotangent)[example.argument]
    given = [np.asarray(leaf) for leaf in jax.tree.leaves(wrong)]
    true = by_differences(f, arguments, example.argument, cotangent)

    assert any(same(example.rule, leaf) for leaf in given)
    assert any(same(example.true, leaf) for leaf in true)
    assert example.rule.shape != example.true.shape or not np.allclose(
        example.rule, example.true, rtol=1e-4, atol=1e-4
    )


def same(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6)


def by_differences(f, arguments, place, cotangent):
    """⟨cotangent, f⟩ differenced in each entry of one argument, in float64."""

    def paired(leaves, tree):
        filled = list(arguments)
        filled[place] = jax.tree.unflatten(tree, leaves)
        outputs = jax.tree.leaves(f(*filled))
        return sum(
            float(jnp.sum(o * c)) for o, c in zip(outputs, jax.tree.leaves(cotangent), strict=True)
        )

    leaves, tree = jax.tree.flatten(arguments[place])
    found = []
    for number, leaf in enumerate(leaves):
        slope = np.zeros(leaf.shape)
        for where in np.ndindex(leaf.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [np.array(one) for one in leaves]
                moved[number][where] += step
                ends.append(paired(list(map(jnp.asarray, moved)), tree))
            slope[where] = (ends[0] - ends[1]) / 2e-5
        found.append(slope)
    return found


@pytest.mark.parametrize("kind", kinds(DIFFERENCE, "weight"))
def test_the_difference_is_told_in_words(kind):
    assert verdict_of(kind).difference == DIFFERENCE[kind]


def test_a_refutation_fails_a_test_with_the_whole_report():
    theorem = verdict_of("mean")
    with pytest.raises(ProofFailed) as failure:
        theorem.require()
    assert str(failure.value) == str(theorem)
    for line in ("refuted: ", "counterexample, m = ", "the rule gives for x", "the true value is"):
        assert line in str(theorem)


# What is meant to be no derivative is told as what it is.


def test_straight_through_says_what_the_derivative_is_and_what_the_rule_computes():
    notes = verdict_of("straight through").notes
    assert "the derivative is 0" in notes
    assert "the rule computes [i = j]" in notes


@pytest.mark.parametrize("kind", kinds(["clipped", "clipped by norm"], "clipped by norm"))
def test_gradient_clipping_is_said_to_be_not_linear(kind):
    assert "the rule is not linear in the cotangent" in verdict_of(kind).notes


def test_an_argument_that_is_declared_none_is_named():
    theorem = prove.vjp(dense, lambda p, x, ct: (dense_pullback(p, x, ct)[0], None), *DENSE)
    assert theorem.verdict == "proved"
    assert theorem.not_differentiated == ("x",)
    assert "not differentiated: x" in str(theorem)


def test_a_part_of_an_argument_that_is_declared_none_is_named():
    theorem = prove.vjp(dense, lambda p, x, ct: (Layer(None, ct.sum(0)), ct @ p.weight.T), *DENSE)
    assert theorem.verdict == "proved"
    assert theorem.not_differentiated == ("params.weight",)


@pytest.mark.slow
def test_a_wrong_rule_is_refuted_though_another_argument_is_none():
    theorem = prove.vjp(dense, lambda p, x, ct: (Layer(x.T @ ct, 2 * ct.sum(0)), None), *DENSE)
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.path == "params.bias"


def test_a_rule_that_declares_everything_none_proves_nothing():
    theorem = prove.vjp(jnp.sin, lambda x, ct: (None,), N)
    assert theorem.verdict != "proved"


def test_a_derivative_that_is_0_everywhere_is_noted():
    assert "the derivative for a is 0 everywhere" in verdict_of("a constant").notes


# Conditions.

CONDITIONS = {
    "relu": (jax.nn.relu, lambda x, ct: (jnp.where(x > 0, ct, 0.0),), "x[i] != 0"),
    "reciprocal": (lambda x: 1 / x, lambda x, ct: (-ct / x**2,), "x[i] != 0"),
    "log": (jnp.log, lambda x, ct: (ct / x,), "x[i] > 0"),
    "sqrt": (jnp.sqrt, lambda x, ct: (ct / (2 * jnp.sqrt(x)),), "x[i] > 0"),
    "maximum": (
        jnp.max,
        lambda x, ct: (jnp.where(x == x.max(), ct, 0.0),),
        "the maximum is attained once",
    ),
}


@pytest.mark.parametrize("kind", kinds(CONDITIONS, "sqrt"))
def test_a_rule_that_holds_under_a_condition_says_which(kind):
    f, pullback, condition = CONDITIONS[kind]
    theorem = prove.vjp(f, pullback, N)
    assert theorem.verdict == "proved"
    assert [c.split(" (")[0] for c in theorem.conditions] == [condition]
    assert str(theorem).startswith("proved with conditions: ")


@pytest.mark.parametrize(
    ("kind", "domain"), [("relu", positive("n")), ("reciprocal", nonzero("n")), ("log", positive())]
)
def test_a_domain_that_includes_the_condition_needs_none(kind, domain):
    f, pullback, _ = CONDITIONS[kind]
    theorem = prove.vjp(f, pullback, domain)
    assert (theorem.verdict, theorem.conditions) == ("proved", ())


def test_the_value_on_a_kink_is_told():
    (condition,) = prove.vjp(jnp.abs, lambda x, ct: (ct * jnp.sign(x),), N).conditions
    assert condition == "x[i] != 0 (the rule gives 0 there)"


# Sizes.


def unbiased(x, ct):
    return (ct * 2 * (x - x.mean()) / (x.shape[0] - 1),)


def test_a_constraint_on_the_sizes_is_used():
    def variance(x):
        return jnp.var(x, ddof=1)

    assert prove.vjp(variance, unbiased, N, sizes="n >= 2").verdict == "proved"


def test_a_rule_that_is_right_at_size_1_only_is_refuted():
    theorem = prove.vjp(jnp.var, unbiased, N, sizes="n >= 2")
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.sizes["n"] >= 2
    assert theorem.difference == "off by the factor n/(n-1)"


def test_sizes_where_the_program_is_another_one_are_proved_too():
    def centred(x):
        return x if x.shape[0] == 1 else x - x.mean()

    def pullback(x, ct):
        return (ct - ct.mean(),)

    theorem = prove.vjp(centred, pullback, N)
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.sizes == {"n": 1}
    assert prove.vjp(centred, pullback, N, sizes="n >= 2").verdict == "proved"


def test_equal_sizes_are_a_case_of_their_own():
    def f(x, y):
        return x.sum() * (2 if x.shape[0] == y.shape[0] else 1) + y.sum()

    def pullback(x, y, ct):
        return ct * jnp.ones_like(x), ct * jnp.ones_like(y)

    theorem = prove.vjp(f, pullback, N, real("m"))
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.sizes["n"] == theorem.counterexample.sizes["m"]


# Gradients of scalar functions.


def product(x, y):
    return jnp.sum(x * y)


@pytest.mark.parametrize(
    ("argnums", "grad"),
    [
        (1, lambda x, y: x),
        ((0, 1), lambda x, y: (y, x)),
        pytest.param(0, lambda x, y: y, marks=pytest.mark.slow),
        pytest.param((1,), lambda x, y: (x,), marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_gradient_is_proved(argnums, grad):
    theorem = prove.gradient(product, grad, N, N, argnums=argnums)
    assert theorem.verdict == "proved"
    assert theorem.not_differentiated == ()


def test_a_wrong_gradient_is_refuted():
    theorem = prove.gradient(product, lambda x, y: y, N, N, argnums=1)
    assert theorem.verdict == "refuted"
    assert theorem.counterexample.path == "y"


def test_a_gradient_of_what_is_not_scalar_is_refused():
    with pytest.raises(ValueError, match="scalar"):
        prove.gradient(jnp.sin, jnp.cos, N)


# stop_gradient is a statement about values.


def test_a_stop_gradient_without_effect_is_proved_to_be_one():
    notes = verdict_of("softmax").notes
    assert "f uses stop_gradient, which does not change its derivative (proved)" in notes


def test_a_stop_gradient_with_an_effect_is_told():
    def f(x):
        return x * lax.stop_gradient(x)

    theorem = prove.vjp(f, lambda x, ct: (2 * x * ct,), N)
    assert theorem.verdict == "proved"
    assert any("JAX's own derivative was not shown to be the same" in n for n in theorem.notes)
    assert prove.vjp(f, lambda x, ct: (x * ct,), N).verdict == "refuted"


# Unknown, with a reason; never a hang, never an exception.

UNDECIDED = {
    "primitive": (jnp.sort, lambda x, ct: (ct[jnp.argsort(jnp.argsort(x))],), "sort"),
    "branch": (lambda x: x * x if x.sum() > 0 else -x, lambda x, ct: (ct,), "values of an array"),
    "loop": (
        lambda x: lax.fori_loop(0, x.shape[0], lambda i, s: s + x[i], 0.0),
        lambda x, ct: (ct * jnp.ones_like(x),),
        "while",
    ),
}


@pytest.mark.parametrize("kind", kinds(UNDECIDED, "loop"))
def test_what_is_not_understood_is_unknown_and_says_why(kind):
    f, pullback, reason = UNDECIDED[kind]
    theorem = prove.vjp(f, pullback, N, limit=10.0)
    assert theorem.verdict == "unknown"
    assert reason in theorem.reason
    assert f"not decided: {theorem.reason}" in str(theorem)
    with pytest.raises(ProofFailed):
        theorem.require()


def test_a_random_number_in_the_function_does_no_harm():
    def f(x):
        return x * jax.random.uniform(jax.random.key(0), dtype=x.dtype)

    assert prove.vjp(f, lambda x, ct: (f(ct),), N, limit=10.0).verdict in ("unknown", "proved")


def test_a_program_with_complex_numbers_is_unknown():
    def f(x):
        return jnp.real(jnp.fft.ifft(jnp.fft.fft(x)))

    assert prove.vjp(f, lambda x, ct: (ct,), real("4"), limit=10.0).verdict == "unknown"


def test_the_limit_ends_the_attempt():
    def f(x):
        for _ in range(12):
            x = jax.nn.softmax(x @ x.T @ x)
        return x

    start = time.monotonic()
    theorem = prove.vjp(f, lambda x, ct: jax.vjp(f, x)[1](ct), real("n n"), limit=0.2)
    assert theorem.verdict == "unknown"
    assert theorem.reason
    assert time.monotonic() - start < 30  # not a hang: without the limit it is minutes


# A theorem is no truth value.


def test_a_theorem_is_not_true_or_false():
    with pytest.raises(TypeError, match=r"read \.verdict, or call \.require\(\)"):
        assert verdict_of("sign")


# The same question has the same answer.


@pytest.mark.parametrize(
    "kind", kinds(["sign", "any function", "bias", "a dict"], "bias", "a dict")
)
def test_a_second_call_gives_the_same_report(kind):
    f, pullback, domains = {**RIGHT, **WRONG}[kind]
    first, second = verdict_of(kind), prove.vjp(f, pullback, *domains)
    assert str(first) == str(second)
    assert {**first.as_json(), "seconds": 0} == {**second.as_json(), "seconds": 0}
    assert first.latex() == second.latex()


def test_the_flags_of_jax_are_left_alone():
    before = jax.config.jax_enable_x64
    verdict_of("sign")
    assert jax.config.jax_enable_x64 == before


# What cannot be used: the argument, what was given, what was expected.


def right(x, ct):
    return (ct * jnp.cos(x),)


REFUSED = {
    "an array for a tuple": (
        lambda: prove.vjp(jnp.sin, lambda x, ct: ct, N),
        r"^pullback: the result has one array; a tuple with one entry for each of the 1 arg",
    ),
    "too few entries": (
        lambda: prove.vjp(jnp.multiply, lambda x, y, ct: (ct * y,), N, N),
        r"^pullback: the result has 1 entries; a tuple with one entry for each of the 2 arguments",
    ),
    "parts of an argument": (
        lambda: prove.vjp(dense, lambda p, x, ct: (ct.sum(0), None), *DENSE),
        r"^pullback: the entry for params",
    ),
    "no domain": (lambda: prove.vjp(jnp.sin, right), "^domains: sin.* with 0 arguments"),
    "a domain too many": (lambda: prove.vjp(jnp.sin, right, N, N), "^domains: sin.* 2 arguments"),
    "text": (lambda: prove.vjp(jnp.sin, right, "real"), r"^domains: 'real' is no domain; real"),
    "a number": (lambda: prove.vjp(jnp.sum, right, N, 3), r"or static\(3\) expected"),
    "a misspelt size": (
        lambda: prove.vjp(jnp.sin, right, real("batch"), sizes="batsh >= 2"),
        r"^sizes: .*'batsh'.*did you mean \"batch\"",
    ),
    "sizes that do not fit": (
        lambda: prove.vjp(jnp.dot, lambda x, y, ct: (ct * y, ct * x), real("n"), real("m")),
        r"^domains: dot does not take",
    ),
    "a pullback without cotangent": (
        lambda: prove.vjp(jnp.sin, lambda x: (jnp.cos(x),), N), r"^pullback: .*cotangent"
    ),
    "a pullback that raises": (
        lambda: prove.vjp(jnp.sin, lambda x, ct: (x @ ct @ x,), N), r"^pullback: "
    ),
    "a pullback that is a number": (lambda: prove.vjp(jnp.sin, 3, N), r"^pullback: .*3"),
    "a function that is text": (lambda: prove.vjp("sin", right, N), r"^f: .*'sin'"),
    "sizes that are no text": (lambda: prove.vjp(jnp.sin, right, N, sizes=3), r"^sizes: .*3"),
    "a negative limit": (lambda: prove.vjp(jnp.sin, right, N, limit=-1.0), r"^limit: .*-1"),
    "a limit in words": (lambda: prove.vjp(jnp.sin, right, N, limit="1"), r"^limit: .*'1'"),
    "argnums outside": (
        lambda: prove.gradient(jnp.sum, jnp.ones_like, N, argnums=1),
        r"^argnums: 1 was given; .*numbers from 0 to 0",
    ),
    "argnums in words": (
        lambda: prove.gradient(jnp.sum, jnp.ones_like, N, argnums="x"), r"^argnums: 'x'"
    ),
    "argnums for two, one gradient": (
        lambda: prove.gradient(product, lambda x, y: y, N, N, argnums=(0, 1)), r"grad: a tuple"
    ),
    "argnums for one, two gradients": (
        lambda: prove.gradient(product, lambda x, y: (y, x), N, N), r"entry for x has 2 arrays"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_explained(kind, unchecked):
    call, message = REFUSED[kind]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("f", [jnp.sin, jax.nn.softmax])
def test_a_proved_theorem_was_searched_for_a_counterexample_too(f):
    theorem = prove.vjp(f, lambda x, ct: jax.vjp(f, x)[1](ct), N)
    assert theorem.verdict == "proved"
    assert not any("not searched" in note for note in theorem.notes)


@pytest.mark.parametrize("which", ["program", "rule"])
def test_a_program_that_was_read_wrong_is_unknown(monkeypatch, which):
    right = decide.compare

    def misread(pair, domains, sizes):
        outcome = right(pair, domains, sizes)
        read = getattr(outcome, which)
        (out,) = read.outputs
        twice = read._replace(outputs=(out._replace(body=scale(out.body, 2)),))
        return outcome._replace(**{which: twice})

    monkeypatch.setattr(decide, "compare", misread)
    theorem = prove.vjp(jnp.sin, lambda x, ct: (ct * jnp.cos(x),), prove.real("n"))
    assert theorem.verdict == "unknown"
    assert "the terms do not have the values that JAX computes: output" in theorem.reason


def test_two_functions_of_which_one_was_read_wrong_are_unknown(monkeypatch):
    right = equality.compare

    def misread(pair, sizes):
        outcome = right(pair, sizes)
        (out,) = outcome.rule.outputs
        twice = out._replace(body=scale(out.body, 2))
        return outcome._replace(rule=outcome.rule._replace(outputs=(twice,)))

    monkeypatch.setattr(equality, "compare", misread)
    theorem = prove.equal(jnp.square, lambda x: x * x, prove.real("n"))
    assert theorem.verdict == "unknown"
    assert "the terms do not have the values that JAX computes: output 1" in theorem.reason
