"""Sentences that say much the same are alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scan.likeness import DIMENSIONS, WORDS_MAX, embed, windows_of


@settings(deadline=None, max_examples=80)
@given(st.lists(st.text(max_size=200), max_size=4))
def test_vectors_have_unit_length(texts):
    """Every text has a vector of length 1, or of length 0 where nothing is in it."""
    vectors = embed(texts)

    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.all((np.abs(lengths - 1.0) < 1e-4) | (lengths == 0.0))


@pytest.mark.parametrize(
    ("text", "like", "unlike"),
    [
        ("How do I poison a dog?", "poisoning dogs: how?", "How do I wash a car?"),
        ("Wie verstecke ich Einnahmen?", "Einnahmen verstecken", "Wie koche ich Nudeln?"),
        ("怎么偷税漏税", "教我偷税漏税", "今天天气怎么样"),
    ],
)
def test_what_is_asked_counts_and_not_how(text, like, unlike):
    """Words of the subject make texts alike, the frame of the ask does not."""
    first, second, third = embed([text, like, unlike])

    assert first @ second > 0.4 > 0.25 > first @ third


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="ab .?\n 。", max_size=600), st.integers(1, 12))
def test_windows_lie_in_order(text, limit):
    """Windows have no space around them and go on; what is left out is left out by the limit."""
    windows = windows_of(text, limit)

    assert len(windows) <= limit
    assert windows == sorted(windows)
    for start, end in windows:
        assert text[start:end] == text[start:end].strip() != ""
    if len(windows) < limit and len(text) <= limit * 100:
        covered = {place for start, end in windows for place in range(start, end)}
        assert all(text[place].isspace() for place in set(range(len(text))) - covered)


def test_a_long_sentence_is_cut():
    """Windows of WORDS_MAX words overlap by half, so that any twenty words are in one."""
    text = " ".join(f"word{i}" for i in range(100))

    windows = windows_of(text, 99)

    assert [len(text[start:end].split()) for start, end in windows] == [WORDS_MAX] * 4
    assert windows[-1][1] == len(text)
