"""The corpus of right and wrong rules: a seeded sample by default, all of it in the slow tier."""

import pytest
from corpus import suite
from corpus.check import check

CASES = suite.cases()


def report(outcomes):
    return "\n".join([suite.table(outcomes), *suite.findings(outcomes)])


def test_no_wrong_rule_of_a_sample_is_proved_and_no_right_one_refuted():
    chosen = suite.sample(CASES, 5, seed=7)
    outcomes = list(suite.examine_all(chosen, processes=1))
    assert suite.sound(outcomes), report(outcomes)
    wrong = [said for o in outcomes for said in o.wrong]
    assert len(wrong) >= 4
    assert sum(said.verdict == "refuted" for said in wrong) >= len(wrong) - 1, report(outcomes)


def test_a_wrong_rule_that_is_called_proved_makes_the_suite_unsound():
    class Said:
        verdict, reason, difference = "proved", "", ""

    chosen = suite.sample(CASES, 1, seed=0)
    assert not suite.sound(list(suite.examine_all(chosen, lambda *_, **__: Said())))


def test_there_are_enough_right_rules_and_sources():
    assert len(CASES) >= 150
    assert sum(bool(case.source) for case in CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES[::41], ids=lambda c: c.name)
def test_a_rule_of_the_corpus_is_right_by_jax(case):
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_rule_of_the_corpus_is_right_by_jax(case):
    check(case)


@pytest.mark.slow
def test_the_whole_corpus():
    chosen = [(case, suite.Selection(limit=6)) for case in CASES]
    outcomes = list(suite.examine_all(chosen))
    assert suite.sound(outcomes), report(outcomes)
    right = [o.right.verdict for o in outcomes]
    assert right.count("proved") >= 0.95 * len(right), report(outcomes)
    assert sum(len(o.wrong) for o in outcomes) >= 1000
