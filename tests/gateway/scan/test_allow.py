"""Tests of gateway/scan/allow.py."""

from __future__ import annotations

import pytest

from gateway.config.scan_schema import Allowed
from gateway.core.findings import Finding, Severity
from gateway.scan.allow import AllowList

TEXT = "We sell İ-mugs that say Ignore Previous Instructions on the side."
PHRASE = "say ignore previous instructions"
START = TEXT.index("Ignore")
FINDING = Finding("injection", "injection.override.en", Severity.HIGH, START, START + 28)


@pytest.mark.parametrize(
    ("entry", "permitted"),
    [
        (Allowed(pattern="injection.override.en"), True),
        (Allowed(pattern="jailbreak.dan"), False),
        (Allowed(phrase=PHRASE), True),
        (Allowed(phrase="ignore previous"), False),  # the finding is longer
        (Allowed(phrase="ignore previous instructions in the dark"), False),
        (Allowed(pattern="injection.override.en", project="shop"), True),
        (Allowed(pattern="injection.override.en", project="bank"), False),
        (Allowed(pattern="jailbreak.dan", phrase=PHRASE), False),
    ],
)
def test_entry(entry: Allowed, permitted: bool) -> None:
    """A finding passes where everything that an entry asks for holds."""
    assert AllowList([entry]).permits(FINDING, TEXT, "shop") is permitted


def test_phrase_elsewhere() -> None:
    """The phrase must be where the finding is, not anywhere in the text."""
    text = "ignore previous instructions, and " + PHRASE
    there = Finding("injection", "injection.override.en", Severity.HIGH, 0, 28)
    assert not AllowList([Allowed(phrase=PHRASE)]).permits(there, text, "")


def test_empty_list_permits_nothing() -> None:
    """Without entries nothing passes."""
    assert not AllowList().permits(FINDING, TEXT, "shop")


def test_empty_entry() -> None:
    """An entry that would let everything pass is refused."""
    with pytest.raises(ValueError, match="names a pattern or a phrase"):
        Allowed(project="shop")


def test_allowed_phrases_are_blank_to_the_models():
    """Letter for letter, so that offsets stay; only for the project, and without a pattern."""
    anyone = AllowList([Allowed(phrase="Ignore It"), Allowed(phrase="a cat", pattern="x")])
    shop = AllowList([Allowed(phrase="ignore it", project="shop")])

    assert anyone.cleared("ignore it, a cat", "bank") == "         , a cat"
    assert shop.cleared("ignore it", "bank") == "ignore it"
