"""Words and n-grams of a text, as buckets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.hashing import KINDS, NGRAMS, PAIRS, WORDS, hash_text
from tests import reference_hashing

ALPHABET = "abcz059éßжяαعا要約をカ한글ไทย４,.?!:-{}`#\n \t\u3000"
texts = st.text(ALPHABET, max_size=200)


def buckets(utf8: bytes, seed: int = 0, bits: int = 17, room: int = 4_000) -> list[list[int]]:
    ids = np.full((KINDS, room), -1, dtype=np.int32)
    counts = np.full(KINDS, 99, dtype=np.int64)
    with np.errstate(over="ignore"):  # hashes wrap; uncompiled, numpy would warn of it
        hash_text(np.frombuffer(utf8, dtype=np.uint8), seed, bits, ids, counts)
    assert all((ids[kind, counts[kind] + 1 :] == -1).all() for kind in range(KINDS))
    return [ids[kind, : counts[kind]].tolist() for kind in range(KINDS)]


@settings(deadline=None, max_examples=100)
@given(texts, st.integers(0, 9), st.sampled_from([6, 12, 17, 20]))
def test_hashing_agrees_with_the_reference(text, seed, bits):
    """Kernel and twin find the same buckets in the same order, in every script."""
    assert buckets(text.encode(), seed, bits) == reference_hashing.hash_text(text, seed, bits)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_are_hashed(utf8):
    """What is no UTF-8 is no error, and every bucket lies in the table."""
    for kind in buckets(utf8, bits=10):
        assert all(0 <= bucket < 1024 for bucket in kind)


@settings(deadline=None, max_examples=50)
@given(texts, st.integers(0, 20))
def test_what_does_not_fit_is_left_out(text, room):
    """With little room the first features of each kind are kept; nothing is written beyond."""
    few, all_of_them = buckets(text.encode(), room=room), buckets(text.encode())

    assert [len(kind) for kind in few] == [min(room, len(kind)) for kind in all_of_them]


@pytest.mark.parametrize(
    ("text", "words", "pairs", "ngrams"),
    [
        (b"", 0, 0, 0),
        (b" \t ", 0, 0, 0),
        (b"a", 1, 1, 1),  # with its edges one n-gram of three
        (b"abc", 1, 1, 6),  # three of three, two of four, one of five
        (b"ab ab ab", 1, 2, 3),  # ab after nothing, ab after ab
        (b"12 345", 2, 2, 7),  # 00 and 000, two n-grams in common
        (b"-----", 1, 1, 0),
        ("要約".encode(), 0, 0, 3),  # 要, 約, 要約
    ],
)
def test_number_of_features(text, words, pairs, ngrams):
    """Each distinct word, pair and n-gram counts once, all digits are one, signs have none."""
    found = buckets(text)

    assert [len(found[kind]) for kind in (WORDS, PAIRS, NGRAMS)] == [words, pairs, ngrams]


def test_seeds_make_other_features():
    """The same word in another part of a prompt is another feature."""
    assert buckets(b"summarize", seed=0)[WORDS] != buckets(b"summarize", seed=1)[WORDS]
