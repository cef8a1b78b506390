"""Personal data in one text, long ones too."""

from __future__ import annotations

import pytest

from gateway.core.findings import Finding, Severity
from gateway.scan.patterns import PatternSet, read_patterns
from gateway.scan.personal_data import PIECE_CHARS, PersonalData, pieces_of

MAIL = "jane.doe@example.org"


class Names:
    """Finds Jane, wherever she is."""

    version = "names-1"

    def spans(self, text):
        at = text.find("Jane")
        return [] if at < 0 else [(at, at + 4, "PERSON", 0.9)]


@pytest.fixture(scope="module")
def patterns():
    return PatternSet(read_patterns())


def found_in(text, patterns, names):
    """What is found in *text* by its matches."""
    return PersonalData(patterns, names).find(text, patterns.scan(text))


def test_patterns_and_names_are_found(patterns):
    """Sorted, each with its kind and who found it."""
    mail, jane = found_in(f"{MAIL} is Jane", patterns, Names())

    assert (mail.kind, mail.start, mail.end) == ("EMAIL_ADDRESS", 0, 20)
    assert jane == Finding("PERSON", "names-1", Severity.MEDIUM, 24, 28, 0.9)


def test_nothing_is_left_out_of_a_long_text(patterns):
    """Ten thousand addresses, each at its place, whatever any part keeps."""
    text = "\n".join([MAIL] * 10_000)
    found = found_in(text, patterns, None)

    assert len(found) == 10_000
    assert all(text[one.start : one.end] == MAIL for one in found)


def test_what_was_matched_is_not_looked_for_again(patterns):
    """In a long text too the caller's matches count; names are read in pieces beside them."""
    text = f"{MAIL} {'word ' * 2_000}Jane"
    jane = len(text) - 4

    assert [one.kind for one in PersonalData(patterns, None).find(text, ())] == []
    (mail, person) = found_in(text, patterns, Names())
    assert (mail.start, person.start) == (0, jane)


@pytest.mark.parametrize("at", range(PIECE_CHARS - 40, PIECE_CHARS + 8, 3))
def test_no_cut_hides_anything(patterns, at):
    """Wherever a value stands, it is found whole."""
    text = ("x " * PIECE_CHARS)[:at] + " 4242 4242 4242 4242 " + "y " * 200

    (card,) = found_in(text, patterns, None)
    assert text[card.start : card.end] == "4242 4242 4242 4242"


@pytest.mark.parametrize("text", ["", "a b", "x" * 20_000, "word " * 5_000, "\n" * 30_000])
def test_pieces_cover_the_text(text):
    """Each begins before the one before it ends, and none is longer than it may be."""
    pieces = list(pieces_of(text))
    end = 0
    for start, piece in pieces:
        assert start <= end
        assert text.startswith(piece, start)
        assert len(piece) <= PIECE_CHARS
        end = start + len(piece)

    assert end == len(text)
