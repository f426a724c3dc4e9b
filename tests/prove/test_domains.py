"""Domains: the words that build them, the text that is read, and what a wrong one is told."""

import dataclasses
import math
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purenet.prove import domains as d

NAMES = ("batch", "k", "m", "n_2")
SIZES = st.sampled_from([*NAMES, "3", "2*m", "n_2+1", "m*k", "2*(m+k)", "m^2 + 1", "batch*2+k"])
SHAPES = st.lists(SIZES, max_size=3).map(lambda sizes: repr(" ".join(sizes)))
VALUES = st.one_of(st.none(), st.integers(), st.text(), st.tuples(st.booleans()))
TEXTS = st.one_of(
    st.builds("{}({})".format, st.sampled_from(["real", "positive", "nonzero", "boolean"]), SHAPES),
    st.builds("real({}, low={!r}, high={!r})".format, SHAPES, st.floats(-5, 1), st.floats(2, 5)),
    st.builds("label({}, classes={!r})".format, SHAPES, SIZES),
    st.builds("distribution('k ' {})".format, SHAPES),
    st.builds("static({!r})".format, VALUES),
    st.builds("function({!r})".format, st.sampled_from(NAMES)),
)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.one_of(
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({},)".format, inner),
        st.builds("{{{!r}: {}}}".format, st.text(), inner),
    ),
    max_leaves=4,
)


class Layer(NamedTuple):
    weight: d.Domain
    bias: d.Domain


@settings(deadline=None)
@given(TREES)
def test_domains_print_as_the_words_that_build_them(text):
    domains = d.parse(text)

    assert d.parse(repr(domains)) == domains


@settings(deadline=None)
@given(SIZES, st.fixed_dictionaries({name: st.integers(1, 9) for name in NAMES}))
def test_the_canonical_text_has_the_value_of_what_was_written(size, values):
    (canonical,) = d.real(size.replace(" ", "")).shape

    written = eval(size.replace("^", "**"), {"__builtins__": {}}, values)
    assert int(d.substitute(canonical, values)) == written
    assert eval(canonical, {"__builtins__": {}}, values) == written


@pytest.mark.parametrize(
    ("one", "other"), [("h*d", "d*h"), ("n+1", "1 + n"), ("m+m", "2*m"), ("2*(a+b)", "2*b+2*a"),
                   ("n*n", "n^2"), ("3", "1+2")],
)  # fmt: skip
def test_equal_sizes_have_one_text(one, other):
    assert d.real(one) == d.real(other)


def test_each_word_says_its_set():
    assert d.positive("n") == d.real("n", low=0)
    assert (d.real("n").low, d.real("n").high) == (-math.inf, math.inf)
    assert d.nonzero("n").nonzero
    assert d.real() == d.real("") == d.Domain("real")
    assert d.label("batch", classes=10).classes == "10"
    assert [x.kind for x in (d.real(), d.label(classes="k"), d.boolean(), d.distribution("k"),
                             d.static(0), d.function("f"))] == list(d.KINDS)  # fmt: skip
    assert [x.is_array for x in (d.real(), d.static(0), d.function("f"))] == [True, False, False]


def test_a_domain_is_immutable_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        d.real("n").kind = "label"
    assert len({d.real("n"), d.real("n"), d.real("m")}) == 2


def test_sizes_come_in_order_of_appearance_also_from_classes_and_pytrees():
    tree = (d.real("batch 2*m"), [Layer(d.real("m h*d"), d.real())], d.static("n"),
            {"y": d.label("batch", classes="k+1")})  # fmt: skip

    assert d.sizes_of(tree) == ("batch", "m", "d", "h", "k")
    assert d.sizes_of(d.real("3")) == ()


def test_the_text_of_a_jax_dimension_is_read():
    assert d.polynomial("n^2 - 3*m + 1") == {("n", "n"): 1, ("m",): -3, (): 1}
    assert d.size_text(d.polynomial("m - m")) == "0"
    assert d.substitute("2*m + n - 1", {"m": "n+1", "n": 4}) == "2*n+5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('reel("n")', r"unknown word 'reel'.*did you mean \"real\"\?"),
        ('np.real("n")', r"is no domain"),
        ('real("n", lo=3)', r"real: unknown argument 'lo'; did you mean \"low\"\?"),
        ('real("n", 3)', r"too many positional.*real\(shape='', \*, low=-inf, high=inf\) expected"),
        ('label("n")', r"label: missing a required .*argument: 'classes'"),
        ('real("n"', r"'real\(\"n\"' can't be read; something like 'real"),
        ("real", r"'real' needs its shape; real\(\) or real\(\"n\"\) expected"),
        ("3", r"'3' is no domain; choose from real, positive"),
        ("", r"can't be read"),
        ('real("n", low="a")', r"real: low='a' is no number"),
        ('real(__import__("os").name)', r"is not a literal; text or a number expected"),
        ('real(**{"shape": "n"})', r"unknown argument"),
        ('real("n-1")', r"real: shape: size 'n-1' may be below 1"),
        ('real("0")', r"size '0' may be below 1"),
        ('real("n//2")', r"size 'n//2' can't be read.*2\*m or n\+1 expected"),
        ('real("n,m")', r"size 'n,m' can't be read"),
        ('real("1.5")', r"size '1.5' can't be read"),
        ('real("n max")', r"uses the reserved name 'max'"),
        ('label("n", classes="")', r"label: classes: size '' can't be read"),
        ('distribution("")', r"has no axis to sum over"),
        ('real("n", low=1, high=1)', r"low=1 and high=1 leave no number between"),
        ('function("a b")', r"function: name 'a b' is not a word"),
        ("static([1])", r"static: value \[1\] can't be hashed"),
    ],
)
def test_a_wrong_text_is_told_what_was_expected(text, message):
    with pytest.raises(ValueError, match=message):
        d.parse(text)


def test_a_shape_that_is_no_text_is_told(unchecked):
    with pytest.raises(ValueError, match=r'real: shape 3 is not text; something like "batch 3"'):
        d.parse("real(3)")


def test_a_leaf_that_is_no_domain_is_told():
    with pytest.raises(ValueError, match=r'3 is no domain; real\("n"\) or static\(3\) expected'):
        d.leaves((d.real("n"), {"axis": 3}))
    with pytest.raises(ValueError, match=r"or parse\('real\(\)'\) expected"):
        d.sizes_of(("real()",))


def test_a_polynomial_may_be_changed_by_who_asked_for_it():
    d.polynomial("2*n").clear()
    assert d.polynomial("2*n") == {("n",): 2}
