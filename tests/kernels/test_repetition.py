"""How a text repeats itself, and how requests are known again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.repetition import (
    COUNTS,
    EXACT,
    LONGEST_RUN,
    NEAR,
    REPEATED,
    RESULTS,
    SHINGLE,
    SHINGLES,
    TOP_WORD,
    WORDS,
    compare_earlier,
    count_repeated,
    mark_text,
)
from tests import reference_repetition as reference

WORDS_OF_TESTS = ["a", "The", "cat", "sat", "x9", "42", "äöü", "да", "要約", "ไทย", "-", "\n"]
sentences = st.lists(st.sampled_from(WORDS_OF_TESTS), max_size=80).map(" ".join)


def counted(utf8: bytes) -> tuple[np.ndarray, np.ndarray]:
    text = np.frombuffer(utf8, dtype=np.uint8)
    counts, marks = np.full(COUNTS, 99, dtype=np.int64), np.full(2, 99, dtype=np.uint64)
    with np.errstate(over="ignore"):  # hashes wrap; uncompiled, numpy would warn of it
        count_repeated(text, np.zeros(1 << 16, dtype=np.uint64), counts)
        mark_text(text, counts, marks)
    return counts, marks


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=300), sentences.map(str.encode)))
def test_repeated_shingles_agree_with_the_reference(text):
    """With room for every shingle, those that come again are counted exactly."""
    counts, _ = counted(text)

    assert counts[REPEATED] == reference.repeated(text, SHINGLE)
    assert counts[SHINGLES] == max(0, len(text) - SHINGLE + 1)


@settings(deadline=None, max_examples=150)
@given(sentences)
def test_marks_agree_with_the_reference(text):
    """Words, the commonest of them, the longest run and both marks are the twin's."""
    utf8 = text.encode()
    counts, marks = counted(utf8)

    words, top, exact, near = reference.mark(utf8)
    assert [counts[WORDS], counts[TOP_WORD]] == [words, top]
    assert counts[LONGEST_RUN] == reference.longest_run(utf8)
    assert [int(marks[EXACT]), int(marks[NEAR])] == [exact, near]


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=400))
def test_any_bytes_are_marked(utf8):
    """What is no UTF-8 is no error, and no count is greater than the text."""
    counts, _ = counted(utf8)

    assert all(0 <= count <= len(utf8) for count in counts)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 2), st.sampled_from([0, 1, 7, 15, 31])),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 15),
)
def test_comparison_agrees_with_the_reference(steps, start):
    """Wherever the ring begins, the same requests are found as in a plain list."""
    times, marks = np.full(16, -np.inf), np.zeros((2, 16), dtype=np.uint64)
    earlier, now, newest = [], 0.0, start
    for k, (step, exact, near) in enumerate(steps):
        now += step
        newest = (start + k) % 16
        times[newest], marks[:, newest] = now, (exact, near)
        earlier.append((now, exact, near))
    results = np.empty(RESULTS)

    compare_earlier(times, marks, newest, 60.0, 600.0, results)

    assert results.tolist() == pytest.approx(reference.compare(earlier, 60.0, 600.0))


def test_one_word_of_many_changes_few_bits():
    """A long text with another word keeps most of its near mark, and has another exact one."""
    words = [f"word{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}" for i in range(100)]
    (_, first), (_, second) = (
        counted(" ".join(text).encode()) for text in (words, [*words[:50], "other", *words[51:]])
    )

    assert first[EXACT] != second[EXACT]
    assert int(first[NEAR] ^ second[NEAR]).bit_count() < 20
