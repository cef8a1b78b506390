"""Tests of gateway/compress/compact_pieces.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compress import compact_pieces
from gateway.compress.compact_pieces import Rank, cut, terms_of


def ranks(text: str) -> dict[str, Rank]:
    """Rank of every word of *text*."""
    pieces = cut(text, "")
    return {t.strip(" .,"): r for t, r in zip(pieces.texts, pieces.ranks, strict=True)}


@given(st.text(max_size=300))
def test_nothing_is_lost(text: str) -> None:
    """The pieces joined are the text, and sentences cover all that may be dropped."""
    pieces = cut(text, "")
    assert "".join(pieces.texts) == text
    covered = {i for s in pieces.sentences for i in range(s.first, s.end)}
    assert all(i in covered for i, rank in enumerate(pieces.ranks) if rank < Rank.KEPT)


def test_ranks_words() -> None:
    """Grammar, courtesy, content and names are told apart."""
    found = ranks("Birds of the northern coast really like Lake Ladoga in May.")
    assert found["of"] is Rank.FUNCTION
    assert found["really"] is Rank.FILLER
    assert found["coast"] is Rank.CONTENT
    assert found["Birds"] is Rank.CONTENT  # any word opens a sentence with a capital
    assert found["Lake"] is found["Ladoga"] is found["May"] is Rank.KEPT


def test_a_first_word_that_is_a_name() -> None:
    """A capital at the start counts when the word has one elsewhere."""
    assert ranks("Paris was cold. We left Paris early.")["Paris"] is Rank.KEPT


@pytest.mark.parametrize("word", ["not", "must", "hadn't", "nicht", "нельзя"])
def test_negations_and_modals_take_words_along(word: str) -> None:
    """What must or must not be stays beside the word that says so, with the grammar between."""
    found = ranks(f"Letters {word} be in boxes of paper behind houses.")
    assert all(found[kept] is Rank.KEPT for kept in (word, "be", "in", "boxes", "of", "paper"))
    assert found["behind"] is found["houses"] is Rank.CONTENT


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One went. Two came! Three.", 3),
        ("He met Dr. Smith at 5 p.m. today.", 1),
        ("A line\nthat goes on.", 1),
        ("A line\nAnother line", 2),
        ("一个。两个！", 2),
    ],
)
def test_sentences(text: str, sentences: int) -> None:
    """Sentences end at their sign or at a line that another does not go on from."""
    assert len(cut(text, "").sentences) == sentences


def test_what_is_asked_stays_whole() -> None:
    """Sentences of the ask are marked, like questions."""
    marked = [
        s.asks for s in cut("The text of it. Some facts. Why so?", "The text of it.").sentences
    ]
    assert marked == [True, False, True]


def test_terms() -> None:
    """Terms are beginnings of words with content, and pairs of signs where words have no spaces."""
    assert terms_of("The competition of Competitors") == ["compet", "compet"]
    assert terms_of("素数的") == ["素数", "数的"]


def test_reading_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the last sentence that is read stays whole."""
    monkeypatch.setattr(compact_pieces, "SENTENCES_MAX", 2)
    pieces = cut("One of it. Two of it. Three of it.\nFour of it.\n```x```", "")
    assert "".join(pieces.texts).endswith("Three of it.\nFour of it.\n```x```")
    assert set(pieces.ranks[pieces.sentences[1].end :]) <= {Rank.KEPT, Rank.BREAK}
