"""Values of controls, from headers and from JSON."""

from __future__ import annotations

import math

import pytest

from gateway.api.control_values import either, number, one_of, pairs, text, words


@pytest.mark.parametrize("value", ["auto", " AUTO ", "Auto"])
def test_names_are_read_in_any_case(value):
    """Headers are typed by hand, so case and surrounding spaces do not matter."""
    assert one_of({"auto": 1})(value) == 1


@pytest.mark.parametrize("value", ["", "autos", 1.0, ["auto"], {"auto": "auto"}])
def test_other_names_are_refused_with_the_allowed_ones(value):
    """The message lists what would have been right."""
    with pytest.raises(ValueError, match=r"^one of auto, off$"):
        either("auto", "off")(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.5", 0.5), (0.5, 0.5), ("1e-3", 0.001), ("0", 0.0), ("1", 1.0)],
)
def test_numbers_are_read_from_text_and_json(value, expected):
    """Both bounds belong to the range."""
    assert number(0, 1)(value) == expected


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "-0.1", "1.1", ["1"], math.nan])
def test_numbers_out_of_range_are_refused(value):
    """Neither infinity nor not-a-number is a limit."""
    with pytest.raises(ValueError, match=r"^a number from 0 to 1$"):
        number(0, 1)(value)


def test_a_number_without_an_upper_bound_is_finite():
    """A limit of infinity would be no limit, so it is a mistake."""
    with pytest.raises(ValueError, match=r"^a number, 0 or more$"):
        number(0, math.inf)("inf")


@pytest.mark.parametrize("value", ["", "  ", "x" * 257, "a\nb", "caf\udce9", 3.0, ["a"]])
def test_text_is_short_and_printable(value):
    """Bytes that are no UTF-8 arrive as lone surrogates, which no database would take."""
    with pytest.raises(ValueError, match=r"^1 to 256 printable characters$"):
        text(value)


@pytest.mark.parametrize("value", ["EU, us-east-1,", ["eu", "US-east-1", " "]])
def test_words_come_as_list_or_array(value):
    """Entries lose their case and the empty ones."""
    assert words(value) == ("eu", "us-east-1")


@pytest.mark.parametrize("value", ["", ",", [], 1.0, {"a": "b"}, ["x"] * 33])
def test_words_are_a_bounded_list(value):
    """No entry, or more than any fleet has regions, is a mistake."""
    with pytest.raises(ValueError, match="list"):
        words(value)


@pytest.mark.parametrize("value", ["team=a, url=x?y=1", {"team": "a", "url": "x?y=1"}])
def test_pairs_come_as_list_or_object(value):
    """Only the first equals sign divides."""
    assert pairs(value) == {"team": "a", "url": "x?y=1"}


@pytest.mark.parametrize("value", ["", "team", "=a", "a=", 1.0, ["a=b"], {}, {"": "b"}])
def test_malformed_pairs_are_refused(value):
    """Every pair needs a name and a value."""
    with pytest.raises(ValueError, match=r"pairs|printable"):
        pairs(value)


def test_pairs_are_bounded():
    """Records keep them, so there are no more than OpenAI allows in metadata."""
    with pytest.raises(ValueError, match="1 to 16 pairs"):
        pairs({str(i): "x" for i in range(17)})
