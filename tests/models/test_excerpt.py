"""The text that classifiers read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.excerpt import ASK_MARK, GAP, join_excerpt, split_excerpt

turns = st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=900)))


@pytest.mark.parametrize(
    ("ask", "prior", "text"),
    [
        ("", [], ""),
        ("hello", [], "hello"),
        ("the second", [("assistant", "a or b?")], f"assistant: a or b?\n{ASK_MARK}the second"),
        ("ok", [("user", "u"), ("assistant", "a")], f"user: u\nassistant: a\n{ASK_MARK}ok"),
        (f"a{ASK_MARK}b", [], "a b"),
        ("x", [("user", f"{ASK_MARK}y")], f"user:  y\n{ASK_MARK}x"),
    ],
)
def test_join_excerpt(ask, prior, text):
    """The ask comes last; a mark from outside is a space."""
    assert join_excerpt(ask, prior) == text


@given(st.text(max_size=300), turns)
def test_the_ask_is_found_again(ask, prior):
    """What was joined can be split, whatever the turns hold."""
    before, found = split_excerpt(join_excerpt(ask, prior))

    assert found == ask.replace(ASK_MARK, " ")
    assert before.count("\n") >= len(prior)


def test_long_turns_keep_both_ends():
    """A turn is cut in its middle: its topic is at the beginning, its offer at the end."""
    before, _ = split_excerpt(join_excerpt("yes", [("assistant", "A" * 500 + "B" * 500)]))

    assert before == f"assistant: {'A' * 160}{GAP}{'B' * 160}\n"
