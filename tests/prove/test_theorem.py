"""How a theorem reads, in each of its verdicts."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from purenet.prove.replay import Counterexample
from purenet.prove.theorem import SCOPE, ProofFailed, Theorem


class Layer(NamedTuple):
    weight: np.ndarray
    bias: np.ndarray


class Derivation:
    def text(self):
        return "∂y[b,j]/∂x[a,i]\n  = δ_ab w[i,j]"

    def latex(self):
        return r"\begin{aligned} y &= x w \end{aligned}"


def theorem(verdict="proved", **known):
    return Theorem("softmax", "pullback(z, ct) = Jᵀ ct", verdict, **known)


def refuted(**changed):
    found = {
        "arguments": (np.array([[0.0, 1.0]]),),
        "cotangent": np.array([[1.0, 0.0]]),
        "argument": 0,
        "path": "z",
        "rule": np.array([[0.25, 0.0]]),
        "true": np.array([[0.25, -0.25]]),
        "sizes": {"batch": 1, "k": 2},
    }
    example = Counterexample(**{**found, **changed})
    return theorem("refuted", counterexample=example, difference="diagonal", arguments=("z",))


def lines(report):
    return str(report).splitlines()


def test_a_proved_theorem_is_its_verdict_its_claim_and_its_scope():
    assert lines(theorem()) == ["proved: softmax: pullback(z, ct) = Jᵀ ct", f"  {SCOPE}"]


def test_a_proof_with_conditions_does_not_read_like_one_without():
    conditions = ("z[i,j] != 0 (the rule gives 0 there)", "n >= 2")
    report = lines(theorem(conditions=conditions))
    assert report[0].startswith("proved with conditions: softmax: ")
    assert report[1] == "  except where z[i,j] = 0 (the rule gives 0 there)"
    assert report[2] == "  if n >= 2"


@pytest.mark.parametrize(
    ("condition", "proviso"),
    [
        ("x[i] != y[i]", "except where x[i] = y[i]"),
        ("Σ_j x[i,j]**2 != 0 (nan there)", "except where Σ_j x[i,j]**2 = 0 (nan there)"),
        ("n >= 2", "if n >= 2"),
        ("each row keeps one entry", "if each row keeps one entry"),
        # The opposite of these is not the same with "=" in it.
        ("x[i] != 0 or y[i] != 0", "if x[i] != 0 or y[i] != 0"),
        ("x[i] != 0 for some i", "if x[i] != 0 for some i"),
        ("any x[i] != 0", "if any x[i] != 0"),
        ("|x[i]| <= 1 != y", "if |x[i]| <= 1 != y"),
    ],
)
def test_only_a_plain_inequality_is_told_as_an_exception(condition, proviso):
    assert theorem(conditions=(condition,)).provisos == (proviso,)


def test_what_is_not_differentiated_and_the_notes_are_told():
    report = lines(theorem(not_differentiated=("y",), notes=("sizes also covered: n = 1",)))
    assert "  not differentiated: y" in report
    assert "  note: sizes also covered: n = 1" in report


def test_an_unknown_theorem_says_what_was_not_understood():
    report = lines(theorem("unknown", reason="the primitive fft"))
    assert report[0].startswith("unknown: softmax: ")
    assert "  not decided: the primitive fft" in report


def test_a_refutation_shows_sizes_arrays_both_values_and_the_difference():
    assert lines(refuted())[1:-1] == [
        "  counterexample, batch = 1, k = 2:",
        "    z = [[0., 1.]]",
        "    cotangent = [[1., 0.]]",
        "    the rule gives for z [[0.25, 0.  ]]",
        "    the true value is [[ 0.25, -0.25]]",
        "  the difference: diagonal",
    ]


def test_rows_of_an_array_stand_below_one_another():
    report = lines(refuted(arguments=(np.eye(2),)))
    assert report[2:4] == ["    z = [[1., 0.],", "         [0., 1.]]"]


def test_every_array_of_a_pytree_has_its_path():
    layer = Layer(np.ones((1, 2)), np.zeros(2))
    text = str(refuted(arguments=({"first": layer},)))
    assert "z['first'].weight = [[1., 1.]]" in text
    assert "z['first'].bias = [0., 0.]" in text


def test_without_a_cotangent_the_values_of_two_functions_are_compared():
    text = str(refuted(cotangent=None))
    assert "cotangent" not in text
    assert "the first function gives [[0.25, 0.  ]]" in text
    assert "the second function gives [[ 0.25, -0.25]]" in text


def test_the_derivation_is_part_of_the_report():
    report = lines(theorem(derivation=Derivation()))
    assert report[1:3] == ["  ∂y[b,j]/∂x[a,i]", "    = δ_ab w[i,j]"]


def test_latex_has_headline_conditions_and_derivation():
    shown = theorem(conditions=("n_1 != 0",), derivation=Derivation())
    assert shown.latex().splitlines() == [
        r"\begin{gathered}",
        r"\text{proved with conditions: softmax} \\",
        r"\text{except where n\_1 = 0} \\",
        r"\begin{aligned} y &= x w \end{aligned}",
        r"\end{gathered}",
    ]
    assert shown._repr_latex_() == f"$\\displaystyle {shown.latex()}$"


@pytest.mark.parametrize("verdict", ["refuted", "unknown"])
def test_require_raises_an_assertion_with_the_whole_report(verdict):
    with pytest.raises(ProofFailed) as raised:
        theorem(verdict).require()
    assert isinstance(raised.value, AssertionError)
    assert str(raised.value) == str(theorem(verdict))


def test_require_returns_what_is_proved():
    shown = theorem(conditions=("n >= 2",))
    assert shown.require() is shown


@pytest.mark.parametrize("verdict", ["proved", "refuted", "unknown"])
def test_a_theorem_is_never_a_truth_value(verdict):
    with pytest.raises(TypeError, match=r"\.verdict"):
        bool(theorem(verdict))


def test_json_keeps_the_arrays_as_nested_lists_and_nothing_that_json_lacks():
    layer = Layer(np.array([np.inf]), np.array([True]))
    report = refuted(
        arguments=((layer, np.int64(3), None), lambda z: z), rule=np.array([[np.nan, 0.0]])
    ).as_json()
    read = json.loads(json.dumps(report, allow_nan=False))
    assert read["verdict"] == "refuted"
    assert read["counterexample"]["arguments"][0] == [{"weight": ["inf"], "bias": [True]}, 3, None]
    assert read["counterexample"]["rule"] == [["nan", 0.0]]
    assert read["counterexample"]["true"] == [[0.25, -0.25]]
    assert read["counterexample"]["sizes"] == {"batch": 1, "k": 2}


def test_json_has_every_part_of_the_report():
    assert set(theorem().as_json()) == {
        "name", "verdict", "claim", "conditions", "not_differentiated", "notes", "reason",
        "counterexample", "difference", "seconds",
    }  # fmt: skip
    assert theorem().as_json()["counterexample"] is None
