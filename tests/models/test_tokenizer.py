"""Text to token ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artefact import ArtefactError
from models.excerpt import ASK_MARK, join_excerpt
from models.tokenizer import Tokenizer, ends_of
from tests.models.artefacts import FIRST, LAST, MARK, TOKENS_MAX, tiny_words

A, B = 5, 6


def tokenizer():
    return Tokenizer(tiny_words(), TOKENS_MAX, FIRST, LAST, MARK)


def test_both_ends_are_marked():
    """Every text starts and ends with the same tokens, and keeps its order in the list."""
    read = tokenizer().read(["a b", "b"])

    assert [one.ids for one in read] == [[FIRST, A, B, LAST], [FIRST, B, LAST]]
    assert not any(one.truncated for one in read)


def test_of_a_long_text_both_ends_are_read():
    """The middle is missing, the ask's last words are not, and the caller is told."""
    (read,) = tokenizer().read(["a " * 100 + "b"])

    assert len(read.ids) == TOKENS_MAX
    assert read.ids[1] == A
    assert read.ids[-2:] == [B, LAST]
    assert read.truncated


def test_the_turns_before_give_way_to_the_ask():
    """A long history leaves the ask whole."""
    (read,) = tokenizer().read([join_excerpt("b b b", [("user", "a " * 50)])])

    assert read.ids[-5:] == [MARK, B, B, B, LAST]
    assert read.truncated


@given(st.text())
def test_any_text_can_be_read(text):
    """Whatever characters it holds, half surrogate pairs too: between two tokens and the most."""
    (read,) = tokenizer().read([text + "\ud800"])

    assert 2 <= len(read.ids) <= TOKENS_MAX


@given(st.text(max_size=1_500), st.lists(st.text(max_size=200), max_size=2))
def test_what_the_gateway_makes_is_read_as_it_is(ask, turns):
    """Only texts longer than any excerpt are cut before they are tokenized."""
    text = join_excerpt(ask, [("user", turn) for turn in turns])

    assert ends_of(text) == text


def test_of_an_endless_text_only_the_ends_are_tokenized():
    """A megabyte costs no more than an excerpt, and keeps its mark."""
    cut = ends_of("x" * 1_000_000 + ASK_MARK + "a" + "y" * 1_000_000 + "b")

    assert len(cut) < 4_000
    assert cut.count(ASK_MARK) == 1
    assert cut.endswith("b")
    assert len(ends_of("z" * 1_000_000)) < 4_000


def test_what_is_no_tokenizer_is_refused():
    """With a sentence that says what to do."""
    with pytest.raises(ArtefactError, match=r"the tokenizer cannot be read: .*; restore"):
        Tokenizer(b"{}", TOKENS_MAX, FIRST, LAST, MARK)
