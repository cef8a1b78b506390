"""Tests of gateway.scan.placeholders."""

from __future__ import annotations

import pytest

from gateway.scan.placeholders import Placeholders, name_of


def test_the_same_value_has_one_placeholder() -> None:
    """Values are numbered by type in order, and come again as what they were first."""
    known = Placeholders()

    assert known.of("EMAIL_ADDRESS", "Ann@example.org") == "<EMAIL_1>"
    assert known.of("EMAIL_ADDRESS", "bob@example.org") == "<EMAIL_2>"
    assert known.of("PERSON", "Ann") == "<PERSON_1>"
    assert known.of("EMAIL_ADDRESS", " ann@EXAMPLE.org\n") == "<EMAIL_1>"
    assert known.value("<EMAIL_1>") == "Ann@example.org"
    assert len(known) == 3


def test_case_counts_but_in_an_address() -> None:
    """Two keys that differ in case are two keys."""
    known = Placeholders()

    assert known.of("API_KEY", "sk-a") != known.of("API_KEY", "sk-A")


def test_a_type_is_part_of_the_value() -> None:
    """A number that is a card here and a phone there has two placeholders."""
    known = Placeholders()

    assert known.of("CREDIT_CARD", "4111") == "<CARD_1>"
    assert known.of("PHONE_NUMBER", "4111") == "<PHONE_1>"


def test_taken_placeholders_are_not_used() -> None:
    """What the client wrote itself must not turn into somebody's address later."""
    known = Placeholders(["<EMAIL_1>", "<EMAIL_2>"])

    assert known.of("EMAIL_ADDRESS", "ann@example.org") == "<EMAIL_3>"
    assert known.value("<EMAIL_1>") is None


def test_repr_holds_no_value() -> None:
    """Counts only: it ends up in logs and tracebacks."""
    known = Placeholders()
    known.of("EMAIL_ADDRESS", "ann@example.org")
    known.of("US_SSN", "078-05-1120")

    assert repr(known) == "Placeholders(EMAIL: 1, SSN: 1)"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("EMAIL_ADDRESS", "EMAIL"),
        ("AWS_KEY", "AWS_KEY"),
        ("our staff-id", "OUR_STAFF_ID"),
        ("Ключ", "VALUE"),
    ],
)
def test_name_of(kind: str, name: str) -> None:
    """Whatever a type is called, its placeholders can be told in any text."""
    assert name_of(kind) == name
