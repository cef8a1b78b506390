"""Tests of gateway.simulated.words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chat import Finish
from gateway.simulated.words import about, cut, quoted, tokens_of


def test_about_says_that_it_is_simulated() -> None:
    """The first words say what this is, in whose name, and about what."""
    text = about("gpt-4o-mini", "You asked", "Say hello in French.")

    assert text.startswith(
        "This is a simulated answer from gpt-4o-mini. You asked: “Say hello in French.”."
    )


def test_about_grows_with_the_request() -> None:
    """A longer request gets a longer answer, the same request the same one."""
    short, long = (about("m", "You asked", "word " * words) for words in (3, 60))

    assert len(short) < len(long)
    assert short == about("m", "You asked", "word " * 3)
    assert about("m", "You asked", "hi", 0) != about("m", "You asked", "hi", 1)


def test_about_nothing() -> None:
    """Without any words there is nothing to quote."""
    assert "You asked" not in about("m", "You asked", " ")


@pytest.mark.parametrize(
    ("words", "quote"),
    [
        (["a", "b"], "a b"),
        (["a"] * 13, "a a a a a a a a a a a a…"),
        (["好" * 200], "好" * 120 + "…"),
    ],
)
def test_quoted(words: list[str], quote: str) -> None:
    """A quote has a limit in words and in characters."""
    assert quoted(words) == quote


@given(st.text(max_size=60))
def test_tokens_are_the_text(text: str) -> None:
    """Joined, the tokens are the text."""
    assert "".join(tokens_of(text)) == text


@given(
    st.text("ab #", max_size=40),
    st.lists(st.text("ab #", max_size=2), max_size=3),
    st.none() | st.integers(0, 8),
)
def test_cut(text: str, stops: list[str], tokens_max: int | None) -> None:
    """No stop sequence and no token too many is left, and the reason says which it was."""
    said = cut(text, stops, tokens_max)

    assert text.startswith(said.text)
    assert not any(stop in said.text for stop in stops if stop)
    assert tokens_max is None or len(said.tokens) <= tokens_max
    if said.finish is Finish.LENGTH:
        assert (len(said.tokens), said.stop_sequence) == (tokens_max, None)
    elif said.stop_sequence is None:
        assert said.text == text
    else:
        assert text.startswith(said.text + said.stop_sequence)
