"""A proof that does not hold stops, shows both sides, and gives exit code 1."""

import dataclasses

import pytest

from derivations import __main__ as command
from derivations import proof, show
from derivations.language import arrays, indices, partial, sizes, total
from derivations.proof import Broken, Chain, Condition, Derivation, Fact, Step

(n,) = sizes("n")
(q,) = indices("q")
x, w, y = arrays("x w y")


def derivation(*steps, **more):
    start = partial(total(n, lambda i: x[i] * w[i]), w[q])
    chain = Chain("∂z/∂w[q]", start, "z = Σ_i x[i] w[i]", steps)
    return Derivation("try", "A title", ("every n",), "An intuition.", (chain,), {q: n}, **more)


def test_a_right_proof_is_verified():
    assert proof.verify(derivation(Step(x[q], "Σ_i with δ_iq keeps i = q"))) >= 0


def test_a_wrong_step_stops_the_proof_with_both_sides():
    with pytest.raises(Broken) as broken:
        proof.verify(derivation(Step(x[q], "right"), Step(-x[q], "wrong")))
    assert broken.value.where == "step 2 of ∂z/∂w[q]"
    assert (broken.value.before, broken.value.after) == (x[q], -x[q])
    assert "x[q]\n    -x[q]" in show.broken(broken.value)


def test_a_step_that_numbers_allow_but_rules_do_not_show_is_refused(monkeypatch):
    monkeypatch.setattr(proof.sums, "equal", lambda *_: False)
    with pytest.raises(Broken, match="could not be shown"):
        proof.verify(derivation(Step(x[q], "right")))


def test_a_step_that_rules_show_but_numbers_deny_is_refused(monkeypatch):
    monkeypatch.setattr(proof.sums, "equal", lambda *_: True)
    with pytest.raises(Broken, match="differ at random numbers"):
        proof.verify(derivation(Step(-x[q], "wrong")))


def impose(world):
    size = world.size(n)
    for k in range(1, size + 1):
        world.values[y, (k,)] = 1 / proof.mpmath.mpf(size)


def test_a_condition_is_used_where_it_is_named_and_nowhere_else():
    start = total(n, lambda i: y[i]) * x[q]
    given = Condition(total(n, lambda i: y[i]), 1, "y sums to 1", impose)
    chain = Chain("s", start, "start", (Step(x[q], "Σ y = 1", (given,)),))
    right = dataclasses.replace(derivation(), chains=(chain,))
    assert proof.verify(right) >= 0
    assert show.conditions(right) == ("y sums to 1",)
    without = dataclasses.replace(chain, steps=(Step(x[q], "Σ y = 1"),))
    with pytest.raises(Broken):
        proof.verify(dataclasses.replace(right, chains=(without,)))


def test_a_fact_has_to_be_what_is_computed():
    right = derivation(Step(x[q], "right"), facts=(Fact("1 + 1 = 2", lambda: (1 + 1, 2)),))
    assert proof.verify(right) >= 0
    wrong = dataclasses.replace(right, facts=(Fact("1 + 1 = 3", lambda: (1 + 1, 3)),))
    with pytest.raises(Broken, match="1 \\+ 1 = 3 does not hold"):
        proof.verify(wrong)


def test_reading_a_broken_proof_prints_up_to_the_broken_step_and_fails(capsys):
    broken = derivation(Step(x[q], "right"), Step(-x[q], "wrong"), Step(x[q], "never reached"))
    assert command.read(broken) == 1
    out = capsys.readouterr().out
    assert "✗ step 2 of ∂z/∂w[q] does not hold" in out
    assert "never reached" not in out
    assert command.read(broken, quiet=True) == 1


def test_a_right_proof_is_printed_with_its_box(capsys):
    assert command.read(derivation(Step(x[q], "Σ_i with δ_iq keeps i = q"))) == 0
    out = capsys.readouterr().out
    assert "∂/∂w[q] (Σ_i w[i] x[i])" in out
    assert "│ ∂z/∂w[q] = x[q] │" in out


def test_latex_has_every_step(capsys):
    assert command.read(derivation(Step(x[q], "kept")), latex=True) == 0
    out = capsys.readouterr().out
    assert r"\begin{align*}" in out
    assert r"\sum_{i=1}^{n}" in out
    assert r"\text{kept}" in out


def test_a_notebook_shows_latex():
    assert r"\begin{align*}" in derivation(Step(x[q], "kept"))._repr_latex_()


def test_an_unknown_name_is_answered_with_the_nearest(capsys):
    assert command.main(["delta_hiden"]) == 2
    assert "did you mean 'delta_hidden'?" in capsys.readouterr().err


def test_everything_is_proved_a_line_each(capsys, monkeypatch):
    monkeypatch.setattr(command, "NAMES", ("delta_hidden", "sigmoid"))
    assert command.main([]) == 0
    out = capsys.readouterr().out
    assert "2 of 2 theorems hold" in out
    assert "for every batch size B" in out
