"""Tests of gateway/signals/tokens.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chat import Image, Opaque
from gateway.core.request import Kind
from gateway.signals import tokens
from gateway.signals.parts import Contents

# A text, and the fewest and the most tokens that o200k_base, Tekken and DeepSeek V4 make of it.
KNOWN = [
    ("The quick brown fox jumps over the lazy dog while the farmer counts his sheep.", 16, 16),
    ("Die Gemeinde kaufte das Mühlrad zurück, nachdem der Betrieb elf Jahre geruht hatte.", 20, 22),
    ("Мельница простояла одиннадцать лет, прежде чем кто-то спросил о колесе.", 20, 24),
    ("这座磨坊闲置了十一年，才有人问起那个水车的下落。", 17, 24),
    ("def area(radius: float) -> float:\n    return 3.14159 * radius ** 2\n", 22, 26),
    ('{"type":"object","properties":{"city":{"type":"string","description":"Name"}}}', 18, 18),
    ("1234567890 + 987654321 = ?", 11, 23),
]


@pytest.mark.parametrize(("text", "fewest", "most"), KNOWN)
def test_text_tokens_of_known_texts(text, fewest, most):
    """The estimate lies within a quarter of what three vocabularies say."""
    assert 0.75 * fewest <= tokens.text_tokens(text) <= 1.25 * most


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_text_tokens_of_anything(text):
    """No text costs nothing, and every text something, also one of lone surrogates."""
    assert (tokens.text_tokens(text) > 0) == bool(text)


@pytest.mark.parametrize("text", ["\n", " ", "\n\n\n", "\u2028"])
def test_text_tokens_of_blanks(text):
    """Even a line break alone is a token."""
    assert tokens.text_tokens(text) == 1


@given(st.text(max_size=100), st.text(max_size=100))
@settings(deadline=None, max_examples=100)
def test_counts_of_texts_are_those_of_the_joined_text(first, second):
    """Texts are counted in one call, a line break between them."""
    assert (tokens.counts_of([first, second]) == tokens.counts_of([f"{first}\n{second}"])).all()


def test_counts_of_nothing():
    """No texts have no counts."""
    assert not tokens.counts_of([]).any()
    assert not tokens.counts_of([""]).any()


def test_weights_never_make_more_text_cost_less():
    """Every unit costs nothing or something."""
    assert (tokens.WEIGHTS >= 0).all()


def test_marked_letters_make_their_neighbours_dearer():
    """The letters of a text in another language than English cost more than those letters."""
    plain, marked = "raznovidnosti programa " * 20, "raznovidnostní programa " * 20

    assert tokens.text_tokens(marked) > 1.2 * tokens.text_tokens(plain)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [("low", 85), ("high", 765), ("auto", 765), (None, 765)],
)
def test_image_tokens(detail, expected):
    """Only the detail is known of a picture that nobody opens."""
    assert tokens.image_tokens(Image(url="u", detail=detail)) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Opaque("input_audio", b'{"data":"' + b"A" * 20_000 + b'"}'), 11),
        (Opaque("file", b'{"data":"data:application/pdf;base64,' + b"A" * 40_000 + b'"}'), 1_001),
    ],
)
def test_opaque_tokens_of_encoded_data(part, expected):
    """Base64 is no text: its size says how much speech or how many pages it is."""
    assert tokens.opaque_tokens(part) == expected


def test_opaque_tokens_of_a_text_document():
    """What is not encoded is read as text."""
    text = '{"type":"document","source":{"type":"text","data":"' + "Dear all, " * 100 + '"}}'

    assert tokens.opaque_tokens(Opaque("document", text.encode())) == tokens.text_tokens(text)


@pytest.mark.parametrize(
    ("kind", "frame"),
    [(Kind.CHAT, 2 * 4 + 8 + 3), (Kind.COMPLETION, 0), (Kind.EMBEDDING, 0)],
)
def test_estimate_sums_everything(kind, frame):
    """System prompt, texts, pictures and blobs, and a chat's frames around them."""
    contents = Contents(
        system=["You sell plants."],
        texts=["Which one likes shade?"],
        images=[Image(url="u", detail="low")],
        opaque=[Opaque("input_audio", b"{}")],
        turns=2,
        tools=1,
    )
    system = tokens.text_tokens("You sell plants.")
    words = tokens.text_tokens("Which one likes shade?")
    found = tokens.estimate(contents, tokens.counts_of(contents.texts), kind)

    assert found == tokens.Estimate(system + words + 85 + 1 + frame, system)
