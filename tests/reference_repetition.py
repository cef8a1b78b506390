"""Naive twin of kernels/repetition: sets and unbounded integers. Imports nothing of ours."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections import Counter

WRAP = (1 << 64) - 1
MIX, STEP, SALT = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95, 0xC3
WORD = re.compile(rb"[\xe0-\xff][\x80-\xbf]*|[0-9A-Za-z\x80-\xdf]+")


def repeated(text: bytes, length: int) -> int:
    """How many of the overlapping shingles were there before."""
    shingles = [text[i : i + length] for i in range(len(text) - length + 1)]
    return len(shingles) - len(set(shingles))


def key_of(word: bytes) -> int:
    """A mixed polynomial of the bytes of a word in lower case, modulo 2**64."""
    key = 0
    for byte in word.lower():
        key = (key * STEP + byte) & WRAP
    return ((key ^ (key >> 32)) * MIX) & WRAP


def chained(keys: list[int]) -> int:
    """A number for keys in this order."""
    mark = 0
    for key in keys:
        mark = ((mark ^ key) * STEP + SALT) & WRAP
    return mark


def mark(text: bytes) -> tuple[int, int, int, int]:
    """Words without digits, the commonest cell of 1024, and the two marks."""
    found = WORD.findall(text)
    keys = [key_of(word) for word in found]
    plain = [key for key, word in zip(keys, found, strict=True) if not re.search(rb"[0-9]", word)]
    exact = chained(keys if len(plain) < 8 else plain)
    near = exact
    if len(plain) >= 24:
        pairs = [
            ((before * STEP + key) * MIX) & WRAP
            for before, key in zip([0, *plain], plain, strict=False)
        ]
        pairs = [pair ^ (pair >> 29) for pair in pairs]
        near = sum(
            1 << bit
            for bit in range(64)
            if 2 * sum((pair >> bit) & 1 for pair in pairs) > len(pairs)
        )
    top = max(Counter(key >> 54 for key in plain).values(), default=0)
    return len(plain), top, exact, near


def longest_run(text: bytes) -> int:
    """Longest run of visible ASCII, where a word of other letters is a gap."""
    gaps = re.sub(rb"[\x80-\xff]+", b" ", text)
    return max((len(run) for run in re.findall(rb"[^\x00-\x20]+", gaps)), default=0)


def compare(
    earlier: list[tuple[float, int, int]], short_s: float, long_s: float
) -> tuple[int, int, int, float]:
    """The requests (time, exact, near), oldest first, against the last of them."""
    now, exact, near = earlier[-1]
    same = [at for at, mark, _ in earlier if mark == exact and now - at <= long_s]
    short = sum(now - at <= short_s for at in same)
    alike = sum(
        now - at <= short_s and mark != exact and (other ^ near).bit_count() <= 3
        for at, mark, other in earlier
    )
    gaps = [later - before for before, later in itertools.pairwise(same)]
    if len(gaps) < 2 or sum(gaps) == 0:
        return short, alike, len(same), math.inf
    return short, alike, len(same), statistics.pstdev(gaps) / statistics.fmean(gaps)
