"""Words that errors share."""

import pytest

from purenet.words import count, did_you_mean, look_up

TABLE = {"relu": 1, "gelu": 2}


def test_a_name_gives_its_entry_and_a_value_of_the_kind_itself():
    assert look_up("gelu", TABLE, int, "activation", "hidden") == 2
    assert look_up(7, TABLE, int, "activation", "hidden") == 7


@pytest.mark.parametrize(
    ("given", "end"), [("RELU ", "did you mean 'relu'?"), ("xyz", "choose from 'relu', 'gelu'")]
)
def test_an_unknown_name_is_answered_with_what_is_near_or_with_the_list(given, end):
    with pytest.raises(ValueError, match=f"hidden: unknown activation '{given}'") as raised:
        look_up(given, TABLE, int, "activation", "hidden")
    assert str(raised.value).endswith(end)


@pytest.mark.parametrize("given", ["price", "PRICE", "prcie", "Pricee"])
def test_letter_case_and_small_slips_do_not_hide_a_name(given):
    assert did_you_mean(given, ["area", "Price"]) == "; did you mean 'Price'?"


def test_a_long_list_is_cut():
    assert did_you_mean("?", [str(n) for n in range(100, 120)]).endswith("'109', …")


def test_a_noun_has_its_plural():
    assert [count(n, "class") for n in (0, 1, 2)] == ["0 classes", "1 class", "2 classes"]
