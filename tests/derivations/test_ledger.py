"""The ledger is complete, its quotations are the notes' own, and what it claims holds when run."""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from derivations import ledger
from derivations.counterexamples import CHECKS
from derivations.entries import DOCUMENTS, VERDICTS, load, parse
from derivations.ledger import objections, print_ledger
from derivations.theorems import NAMES, theorem

ENTRIES = {entry.id: entry for entry in load()}
SHARED = Path(__file__).parents[3] / "shared"
AUDIT, NOTES = SHARED / "source-audit.md", SHARED / "source-documents"
# Equations that state nothing that could be derived: they name things, or are lost. The product
# 28 · 28 = 784 is counted.
NAMING = {
    "S0-E02", "S1-E10", "S1-E35", "S3-E01", "S3-E02", "S3-E03", "S3-E04", "S3-E09", "S3-E14",
    "S3-E22", "S4-E21",
}  # fmt: skip
# S4's last two equations, stated for one example where the notes' cost is a mean over examples.
STRICTER_THAN_THE_AUDIT = {"S4-E60", "S4-E63", "S4-E66", "S4-E68"}


def options(wrong=False, document=None, id=None):
    return argparse.Namespace(wrong=wrong, document=document, id=id)


def raw(id="S1-E44"):
    entries = json.loads((Path(ledger.__file__).with_name("ledger.json")).read_text("utf-8"))
    return next(entry for entry in entries if entry["id"] == id)


def audited():
    if not AUDIT.exists():
        pytest.skip("the audit is not beside this checkout")
    rows = re.findall(
        r"^\| (S\d-[EC]\d\d) \| ([\d-]+) \| .*? \| ([^|]*?) \| (?:[^|]|\\\|)*? \| .*\|$",
        AUDIT.read_text("utf-8").split("## 2. ")[0],
        re.M,
    )
    return {id: (line, re.sub(r"\*\*| \[.*", "", verdict)) for id, line, verdict in rows}


def plain(words):
    return re.sub(r"\s+", " ", re.sub(r"[*$]|</?u>|~~", "", words)).strip()


def test_there_are_119_equations_and_158_claims():
    assert Counter(entry.id[3] for entry in ENTRIES.values()) == {"E": 119, "C": 158}
    assert Counter(entry.document for entry in ENTRIES.values()) == {
        "S0": 49, "S1": 53, "S2": 43, "S3": 63, "S4": 69,
    }  # fmt: skip


def test_the_numbers_of_a_document_run_without_a_gap():
    for document in DOCUMENTS:
        numbers = [int(id[4:]) for id in ENTRIES if id.startswith(document)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_ids_and_lines_are_the_audits():
    assert {id: line for id, (line, _) in audited().items()} == {
        id: entry.line for id, entry in ENTRIES.items()
    }


def test_the_verdicts_are_the_audits_but_for_the_stated_differences():
    rows = audited()
    differ = {id for id, entry in ENTRIES.items() if entry.verdict != rows[id][1]}
    assert differ == STRICTER_THAN_THE_AUDIT
    assert {ENTRIES[id].verdict for id in differ} == {"imprecise"}


def test_the_verdicts_count():
    assert Counter(entry.verdict for entry in ENTRIES.values()) == {
        "correct": 130, "wrong": 39, "imprecise": 47, "notation slip": 35, "OCR damage": 20,
        "n/a": 6,
    }  # fmt: skip


def test_the_page_that_explains_the_ledger_has_its_counts():
    page = Path(ledger.__file__).with_name("LEDGER.md").read_text("utf-8")
    kinds = Counter(" and ".join(entry.kind) for entry in ENTRIES.values())
    verdicts = Counter(entry.verdict for entry in ENTRIES.values())
    for name, count in (kinds | verdicts).items():
        assert f"| {name} | {count} |" in page
    for id, entry in ENTRIES.items():
        assert not entry.words or id in page


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_quotations_are_the_documents_own(document):
    if not NOTES.exists():
        pytest.skip("the source documents are not beside this checkout")
    lines = sorted(NOTES.glob("*.txt"))[int(document[1])].read_text("utf-8").split("\n")
    for entry in ENTRIES.values():
        if entry.document == document:
            first, *last = map(int, entry.line.split("-"))
            there = plain(" ".join(lines[first - 1 : (last or [first])[0]]))
            for part in entry.quotation.split(" … "):
                assert plain(part) in there, entry.id


def test_every_equation_that_states_something_has_a_derivation():
    assert {e.id for e in ENTRIES.values() if e.equation and not e.derivation} == NAMING


def test_words_alone_establish_no_equation_and_nothing_wrong():
    for entry in ENTRIES.values():
        assert not entry.words or (not entry.equation and entry.verdict != "wrong")


def test_every_derivation_that_is_named_exists():
    named = {name for entry in ENTRIES.values() for name in entry.derivation}
    assert named <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_theorem_says_it_settles_names_that_theorem(name):
    for id in theorem(name).sources:
        assert name in ENTRIES[id].derivation


def test_every_check_is_used():
    assert {entry.computed for entry in ENTRIES.values()} - {""} == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_decides_and_would_not_refute_the_right_formula(name):
    found = CHECKS[name]()
    assert found.refutes != found.confirms
    assert not found._replace(document=found.corrected).refutes
    assert not found._replace(corrected=found.document, document=found.corrected).refutes
    verdicts = {e.verdict == "correct" for e in ENTRIES.values() if e.computed == name}
    assert verdicts == {found.confirms}


def test_a_counterexample_with_the_right_formula_in_place_of_the_wrong_fails_the_ledger():
    entry, found = ENTRIES["S1-E44"], CHECKS["perceptron_weights"]()
    proved = dict.fromkeys(entry.derivation, "")
    assert not list(objections(entry, proved, {"perceptron_weights": found}))
    mutated = found._replace(document=found.corrected)
    assert list(objections(entry, proved, {"perceptron_weights": mutated})) == [
        "perceptron_weights does not refute it, though it is called wrong"
    ]


def test_a_correct_formula_that_its_check_refutes_fails_the_ledger():
    entry = parse(raw("S2-E18"))
    found = CHECKS[entry.computed]()
    wrong = found._replace(document=tuple(2 * v for v in found.document))
    assert list(objections(entry, dict.fromkeys(entry.derivation, ""), {entry.computed: wrong}))


def by(id="S1-E44", **established):
    return parse(raw(id) | {"established_by": established})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (by(computed="perceptron_weights"), "needs a derivation"),
        (by(words="no reason"), "needs a derivation"),
        (by(derivation=["sigmoid"]), "nothing computed refutes it"),
        (by(derivation=["sigmoid"], computed="perceptron_weight"), "did you mean 'perceptron_we"),
        (by(derivation=["sigmoid"], computed="pixels"), "does not refute it"),
        (by("S1-E42", derivation=["sigmoit"]), "did you mean 'sigmoid'"),
    ],
)
def test_what_does_not_hold_is_said(entry, words):
    proved, computed = ledger.check([entry])
    computed |= {"pixels": CHECKS["pixels"]()}
    assert any(words in why for why in objections(entry, proved, computed))


def test_a_theorem_that_does_not_hold_fails_the_ledger(monkeypatch, capsys):
    monkeypatch.setattr(ledger, "verify", broken)
    assert print_ledger(options(id="S1-E42")) == 1
    assert "S1-E42: sigmoid: does not hold: step 1" in capsys.readouterr().out


def broken(derivation):
    raise ledger.Broken("step 1", 0, 1, "on purpose")


def test_one_entry_is_printed_with_what_establishes_it(capsys):
    assert print_ledger(options(id="S0-E03")) == 0
    out = capsys.readouterr().out
    for words in ("notation slip", r"\sum_{i=1}^n", "one bias per unit", "weighted_input holds",
                  "the notes give 12", "true is 23/2"):  # fmt: skip
        assert words in out


def test_the_wrong_ones_of_a_document_are_printed_with_what_is_right(capsys):
    assert print_ledger(options(wrong=True, document="S4")) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^S\d-[EC]\d\d", out, re.M) == ["S4-E05", "S4-C14", "S4-C29", "S4-C46"]
    assert out.count("right:") == 4
    assert max(map(len, out.splitlines())) <= 100
    assert "verdicts: wrong 4\n" in out


@pytest.mark.slow
def test_the_whole_ledger_holds(capsys):
    assert print_ledger(options()) == 0
    out = capsys.readouterr().out
    assert "entries: 277, of them equations 119, claims 158" in out
    assert max(map(len, out.splitlines())) <= 100
    for verdict in VERDICTS:
        assert verdict in out


@pytest.mark.parametrize(
    ("given", "near"),
    [({"id": "S1-E4"}, "S1-E4"), ({"document": "s2"}, "'S2'"), ({"document": "S22"}, "'S2'")],
)
def test_what_is_not_in_the_ledger_ends_with_2_and_the_nearest(given, near, capsys):
    assert print_ledger(options(**given)) == 2
    err = capsys.readouterr().err
    assert "did you mean" in err
    assert near in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "wrongg"}, "verdict is 'wrongg'; expected 'wrong'"),
        ({"also": "ocr"}, "also is 'ocr'"),
        ({"id": "S1-44"}, "id is 'S1-44'"),
        ({"document": "S2"}, "document is 'S2'; expected S1"),
        ({"line": 97}, "line is 97; expected a string"),
        ({"line": "97,98"}, "line is '97,98'"),
        ({"quotation": ""}, "quotation is ''"),
        ({"right": ""}, "right is ''"),
        ({"reads": ""}, "reads is ''; expected the equation in Unicode"),
        ({"remark": "more"}, "its fields is"),
        ({"established_by": {}}, "established_by is {}; expected one of derivation;"),
        ({"established_by": {"words": "w", "computed": "pixels"}}, "established_by is"),
        ({"established_by": {"derivation": "sigmoid"}}, "derivation is 'sigmoid'"),
        ({"established_by": {"derivation": []}}, "derivation is []"),
        ({"established_by": {"derivation": ["sigmoid", "sigmoid"]}}, "derivation is"),
        ({"established_by": {"definition": ""}}, "definition is ''"),
        ({"established_by": ["derivation"]}, "established_by is ['derivation']"),
    ],
)
def test_a_malformed_entry_is_refused(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        parse(raw() | change)


def test_what_is_no_entry_is_refused():
    with pytest.raises(ValueError, match="expected an object"):
        parse("S1-E44")


def test_an_id_that_occurs_twice_is_refused(tmp_path):
    file = tmp_path / "ledger.json"
    file.write_text(json.dumps([raw(), raw()]), encoding="utf-8")
    with pytest.raises(ValueError, match="S1-E44 occurs twice"):
        load(file)
