import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purenet.prove import domains as d
from purenet.prove import samples

SIZES = {"n": 3, "k": 4}
REALS = {
    "real": d.real("n k"),
    "above": d.real("n k", low=2),
    "below": d.real("n k", high=-1.5),
    "between": d.real("n k", low=-0.25, high=0.5),
    "positive": d.positive("n k"),
    "nonzero": d.nonzero("n k"),
    "narrow": d.real("n k", low=0.1, high=0.11),
}


@pytest.mark.parametrize("style", samples.STYLES)
@pytest.mark.parametrize("name", REALS)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_every_entry_lies_inside_the_open_domain(name, style, seed):
    domain = REALS[name]
    rng = np.random.default_rng(seed)
    (x,) = samples.sample((domain,), SIZES, rng, style, (0.0, 0.5, -1.5, 2.0))
    assert x.shape == (3, 4)
    assert x.dtype == np.float64
    assert ((domain.low < x) & (x < domain.high)).all()
    assert not (domain.nonzero and (x == 0).any())
    assert (samples.room(domain, x) > 0).all()


@pytest.mark.parametrize("style", samples.STYLES)
def test_labels_booleans_and_distributions_are_what_they_say(style):
    domains = (d.label("n", classes="k"), d.boolean("n k"), d.distribution("n k"))
    rng = np.random.default_rng(0)
    for _ in range(20):
        y, mask, p = samples.sample(domains, SIZES, rng, style)
        assert y.dtype == np.int64
        assert mask.dtype == np.bool_
        assert (y >= 0).all()
        assert (y < 4).all()
        assert (p > 0).all()
        np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-15)


def test_special_points_are_special():
    rng = np.random.default_rng(0)
    draw = {s: samples.draw([d.real("n k")], SIZES, rng, s, (0.7,), 20)[0] for s in samples.STYLES}
    assert (draw["all zeros"] == 0).all()
    assert (np.abs(draw["ones"]) == 1).all()
    assert (draw["constants"] == 0.7).all()
    assert (draw["small integers"] == np.rint(draw["small integers"])).all()
    assert all(len(np.unique(point)) <= 2 for point in draw["ties"])
    assert 0 < (draw["with zeros"] == 0).mean() < 1
    assert np.abs(draw["large"]).max() > 10
    assert np.abs(draw["normal"]).min() >= 0.05


def test_arguments_tie_with_one_another():
    rng = np.random.default_rng(0)
    pairs = [samples.sample((d.real("n"), d.real("n")), SIZES, rng, "ties") for _ in range(50)]
    assert any((x == y).all() for x, y in pairs)
    assert any((x == y).any() and (x != y).any() for x, y in pairs)


def test_static_values_functions_and_pytrees_are_filled_in():
    domains = ({"w": d.real("n"), "axis": d.static(2)}, d.function("sigma"))
    argument, sigma = samples.sample(domains, SIZES, np.random.default_rng(0), "normal")
    assert argument["axis"] == 2
    assert argument["w"].shape == (3,)
    assert sigma.name == "sigma"


def test_sizes_are_different_equal_and_one():
    found = samples.assignments((d.real("n m"),))
    assert any(s["n"] < s["m"] for s in found)
    assert any(s["n"] > s["m"] for s in found)
    assert any(s["n"] == s["m"] > 1 for s in found)
    assert {"n": 1, "m": 1} in found
    assert any(s["n"] == 1 < s["m"] for s in found)
    assert any(s["m"] == 1 < s["n"] for s in found)


def test_no_named_size_is_one_assignment():
    assert samples.assignments((d.real("3"),)) == [{}]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n >= 2", lambda n, m: n >= 2),
        ("n >= 2, n >= m", lambda n, m: n >= 2 and n >= m),
        ("mod(n, 2) == 0", lambda n, m: n % 2 == 0),
        ("2*m+1 <= n", lambda n, m: 2 * m + 1 <= n),
        ("n == 7, m > 3", lambda n, m: n == 7 and m > 3),
    ],
)
def test_constraints_hold(text, holds):
    found = samples.assignments((d.real("n m"),), text)
    assert found
    assert all(holds(**sizes) for sizes in found)
    smaller = samples.smaller((d.real("n m"),), text, found[-1])
    assert all(holds(**sizes) and sizes != found[-1] for sizes in smaller)


@pytest.mark.parametrize("text", ["n", "n >= k", "n >= ", "n >= 1.5", "print(n) > 0"])
def test_a_constraint_that_is_none_is_explained(text):
    with pytest.raises(ValueError, match=r"sizes: .* can't be read"):
        samples.assignments((d.real("n"),), text)


def test_constraints_that_nothing_satisfies():
    with pytest.raises(ValueError, match="allows no sizes"):
        samples.assignments((d.real("n"),), "n > 2, n < 2")


def test_an_unknown_style_names_the_nearest():
    with pytest.raises(ValueError, match="normal"):
        samples.sample((d.real("n"),), SIZES, np.random.default_rng(0), "normals")
