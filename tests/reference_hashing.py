"""Naive twin of kernels/hashing: Python strings and unbounded integers. Imports nothing of ours."""

from __future__ import annotations

import itertools

WRAP = (1 << 64) - 1
SPREAD, STEP = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95
DENSE_RANGES = (("一", "鿿"), ("ぁ", "ヿ"), ("가", "힣"), ("ก", "๛"))


def group_of(character: str) -> str:
    """blank, dense, word, or the sign itself, for the characters that the tests use."""
    if any(first <= character <= last for first, last in DENSE_RANGES):
        return "dense"
    if character.isalnum():
        return "word"
    return "blank" if character in " \t\u3000" else character


def keys_of(characters: str) -> list[int]:
    """A number for each character, one number for all digits."""
    return [0x30 if c.isdigit() else int.from_bytes(c.encode(), "big") for c in characters]


def folded(start: int, keys: list[int]) -> int:
    """A polynomial of the keys, modulo 2**64."""
    for key in keys:
        start = (start * STEP + key) & WRAP
    return start


def hash_text(text: str, seed: int, bits: int) -> list[list[int]]:
    """Distinct buckets of words, pairs and n-grams, each in order of first appearance."""
    seen: set[int] = set()
    kinds: list[list[int]] = [[], [], []]

    def put(kind: int, value: int) -> None:
        value ^= value >> 32
        bucket = ((value * SPREAD) & WRAP) >> (64 - bits)
        if bucket not in seen:
            seen.add(bucket)
            kinds[kind].append(bucket)

    salt = ((seed + 0xC3) * STEP) & WRAP
    before = 0
    for group, characters in itertools.groupby(text, key=group_of):
        if group == "blank":
            continue
        whole = keys_of("".join(characters))
        for run in (whole[i : i + 64] for i in range(0, len(whole), 64)):
            edged = [2, *run, 3]
            if group == "dense":
                ngrams, before = [run[i:j] for i, j in spans(len(run), 1, 3)], 0
            else:
                token = folded(salt, run if group == "word" else run[:3])
                put(0, folded(token, [0x51]))
                put(1, folded(before, [token, 0xA7]))
                before = token
                sizes = (3, 5) if group == "word" else (1, 0)
                ngrams = [edged[i:j] for i, j in spans(len(edged), *sizes)]
            for ngram in ngrams:
                put(2, folded(salt, ngram))
    return kinds


def spans(length: int, shortest: int, longest: int) -> list[tuple[int, int]]:
    """All spans of shortest to longest, by start and then by length."""
    return [
        (first, first + size)
        for first in range(length)
        for size in range(shortest, longest + 1)
        if first + size <= length
    ]
