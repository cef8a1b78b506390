"""What the first stage reads of an excerpt."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models.excerpt import join_excerpt
from models.features import ASK_HEAD_CHARS, ASK_TAIL_CHARS, VIEWS, read_features

BITS = 16


def buckets(text):
    return [(features.weight, features.ids.tolist()) for features in read_features(text, BITS)]


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=400))
def test_any_text_has_features_in_the_table(text):
    """No text raises, no group is empty, and every bucket has a row."""
    for weight, ids in buckets(text):
        assert weight > 0
        assert ids
        assert all(0 <= bucket < 1 << BITS for bucket in ids)


def test_case_and_edges_do_not_matter():
    """Shouting and stray blanks change nothing."""
    assert buckets("  SUMMARIZE This\n") == buckets("summarize this")


def test_a_text_of_blanks_has_no_features():
    """Nothing to read is nothing, not a guess."""
    assert buckets("") == buckets(" \t ") == []


def test_the_middle_of_a_long_ask_is_not_read():
    """Time is bounded: between the ends of an ask nothing counts."""
    head, tail = "a " * (ASK_HEAD_CHARS // 2), "b " * (ASK_TAIL_CHARS // 2)

    assert buckets(f"{head}{'c ' * 5_000}{tail}") == buckets(f"{head}{'d ' * 9_000}{tail}")


def test_turns_before_are_a_view_of_their_own():
    """The same words before the ask add features; those of the ask stay as they are."""
    alone, after = buckets("write it"), buckets(join_excerpt("write it", [("user", "write it")]))

    assert after[: len(alone)] == alone
    assert len(after) == len(alone) + 3


def test_views_do_not_share_seeds():
    """A word at the beginning is another feature than the word anywhere."""
    assert len({view.seed for view in VIEWS}) == len(VIEWS)
