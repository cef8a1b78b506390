"""Measure how a text repeats itself, and mark it so that it is known again, in one pass each."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

SHINGLE = 24  # bytes that must be the same to count as said before: more than a field of a table
REPEATED, SHINGLES, WORDS, TOP_WORD, LONGEST_RUN = range(5)
COUNTS = 5
EXACT, NEAR = range(2)  # marks
SAME, ALIKE, SAME_LONG, SPREAD_OF_INTERVALS = range(4)  # of earlier requests
RESULTS = 4

CELLS = 1024  # of the table of words: more common ones than these share few
NEAR_WORDS_MIN = 24  # of a shorter text one word is too much
NUMBERS_MATTER_BELOW = 8  # words: "What is 12 + 34?" and "What is 56 + 78?" are two asks
ALIKE_BITS = 3  # of 64 that may differ

_MIX = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xD1342543DE82EF95)
_SALT = np.uint64(0xC3)
_ONE = np.uint64(1)
_LOW_BITS = np.uint64(0x0101010101010101)  # of each byte


def _folded():
    """uint8[256]: bytes of words, in lower case; zero for white space and signs."""
    folded = np.zeros(256, dtype=np.uint8)
    for byte in range(256):
        if byte >= 0x80 or chr(byte).isalnum():
            folded[byte] = ord(chr(byte).lower()) if byte < 0x80 else byte
    return folded


FOLDED = _folded()


def _oldest_factor():
    """_STEP to the power of SHINGLE - 1, modulo 2**64: what the byte that leaves has been worth."""
    return np.uint64(pow(int(_STEP), SHINGLE - 1, 1 << 64))


_OLDEST = _oldest_factor()


@kernel("void(Array(uint8, 1, 'C', readonly=True), uint64[::1], int64[::1])")
def count_repeated(text, seen, counts):
    """
    Count the SHINGLES of *text*, overlapping runs of SHINGLE bytes, and those REPEATED in it.

    Args:
        text: uint8[n], read-only.
        seen: uint64[m], zero, m a power of two: a bit for each bucket, overwritten. With sixteen
            bits for a byte of text at most one shingle in sixteen is taken for another.
        counts: int64[COUNTS]: REPEATED and SHINGLES are overwritten.
    """
    size = np.uint64(text.size)
    length, mask = np.uint64(SHINGLE), np.uint64(seen.size - 1)
    key, repeated = np.uint64(0), np.int64(0)
    for i in range(min(size, length - _ONE)):
        key = key * _STEP + np.uint64(text[i]) + _SALT
    for i in range(length - _ONE, size):
        key = key * _STEP + np.uint64(text[i]) + _SALT
        bucket = (key ^ (key >> np.uint64(32))) * _MIX >> np.uint64(20)
        cell, bit = (bucket >> np.uint64(6)) & mask, bucket & np.uint64(63)
        repeated += np.int64((seen[cell] >> bit) & _ONE)
        seen[cell] |= _ONE << bit
        key -= (np.uint64(text[i + _ONE - length]) + _SALT) * _OLDEST
    counts[REPEATED] = repeated
    counts[SHINGLES] = max(0, text.size - SHINGLE + 1)


@kernel("Tuple((uint64, uint64, uint64))(Array(uint8, 1, 'C', readonly=True), uint64)")
def read_word(text, i):
    """
    End of the word that begins at *i*, its key, and how many of its bytes are digits.

    A word is a run of ASCII letters and digits and of characters of two bytes, or one character of
    three or four: scripts that have these put no spaces between words.
    """
    size, key, digits = np.uint64(text.size), np.uint64(text[i]), np.uint64(0)
    if text[i] >= 0xE0:
        i += _ONE
        while i < size and text[i] & 0xC0 == 0x80:
            key = key * _STEP + np.uint64(text[i])
            i += _ONE
    else:
        key = np.uint64(0)
        while i < size and FOLDED[text[i]] != 0 and text[i] < 0xE0:
            key = key * _STEP + np.uint64(FOLDED[text[i]])
            digits += np.uint64(text[i] - 0x30 < 10)
            i += _ONE
    return i, (key ^ (key >> np.uint64(32))) * _MIX, digits


@kernel("void(uint64[::1], int32[::1])")
def add_votes(lanes, votes):
    """
    Add the counts in *lanes*, uint64[8], to *votes*, int32[64], and set them to zero. Byte j of
    lane k counts bit 8 * j + k, up to 255: eight additions for a key instead of sixty-four.
    """
    for bit in range(64):
        votes[bit] += np.int32((lanes[bit & 7] >> np.uint64(bit & 56)) & np.uint64(255))
    lanes[:] = np.uint64(0)


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64[::1], uint64[::1])")
def mark_text(text, counts, marks):
    """
    Count the WORDS of *text*, how often the TOP_WORD comes, and the LONGEST_RUN without white space
    of ASCII bytes; and mark what it says.

    Case, white space and signs make no mark, nor do numbers and words with digits in a text of
    NUMBERS_MATTER_BELOW other words or more.

    Args:
        text: uint8[n], read-only: UTF-8. Other bytes are no error.
        counts: int64[COUNTS]: those three are overwritten.
        marks: uint64[2], overwritten. EXACT: another text has another one. NEAR: of texts that
            differ in few words few bits differ; the same as EXACT below NEAR_WORDS_MIN words.
    """
    votes = np.zeros(64, dtype=np.int32)
    lanes = np.zeros(8, dtype=np.uint64)
    table = np.zeros(CELLS, dtype=np.int32)
    exact, everything, before = np.uint64(0), np.uint64(0), np.uint64(0)
    words, pairs, top, longest, run = 0, 0, 0, np.int64(0), np.int64(0)
    i, size = np.uint64(0), np.uint64(text.size)
    while i < size:
        c = text[i]
        if FOLDED[c] == 0:
            run = run + 1 if c > 0x20 else np.int64(0)
            longest = max(longest, run)
            i += _ONE
            continue
        end, key, digits = read_word(text, i)
        run = run + np.int64(end - i) if c < 0x80 else np.int64(0)
        longest = max(longest, run)
        i = end
        everything = (everything ^ key) * _STEP + _SALT
        if digits:
            continue
        exact = (exact ^ key) * _STEP + _SALT
        words += 1
        cell = key >> np.uint64(54)
        table[cell] += 1
        top = max(top, table[cell])
        pair = (before * _STEP + key) * _MIX
        pair ^= pair >> np.uint64(29)
        before = key
        pairs += 1
        for lane in range(8):
            lanes[lane] += (pair >> np.uint64(lane)) & _LOW_BITS
        if pairs % 255 == 0:
            add_votes(lanes, votes)
    counts[WORDS], counts[TOP_WORD], counts[LONGEST_RUN] = words, top, longest
    marks[EXACT] = everything if words < NUMBERS_MATTER_BELOW else exact
    marks[NEAR] = marks[EXACT]
    if words >= NEAR_WORDS_MIN:
        add_votes(lanes, votes)
        marks[NEAR] = 0
        for bit in range(64):
            if 2 * votes[bit] > pairs:
                marks[NEAR] |= _ONE << np.uint64(bit)


@kernel("void(float64[::1], uint64[:, ::1], int64, float64, float64, float64[::1])")
def compare_earlier(times, marks, newest, short_s, long_s, results):
    """
    Compare the request at *newest* with those before it in a ring.

    Args:
        times: float64[n]: seconds of each request, -inf where there is none; the one behind
            *newest* is the oldest.
        marks: uint64[2, n]: of each request, EXACT and NEAR.
        newest: 0 to n - 1.
        short_s, long_s: seconds, greater than 0: how far back to look.
        results: float64[RESULTS], overwritten, itself counted: the SAME texts in *short_s*, those
            ALIKE but not the same, the SAME_LONG in *long_s*, and their SPREAD_OF_INTERVALS:
            standard deviation over mean of the seconds between them; inf below three of them.
    """
    n = times.size
    now = times[newest]
    results[:] = 0.0
    last, total, squares = -np.inf, 0.0, 0.0
    for k in range(1, n + 1):
        i = (newest + k) % n
        age = now - times[i]
        if not age <= long_s:
            continue
        if marks[EXACT, i] != marks[EXACT, newest]:
            if age <= short_s:
                differing = marks[NEAR, i] ^ marks[NEAR, newest]
                bits = 0
                while differing != 0 and bits <= ALIKE_BITS:
                    differing &= differing - _ONE
                    bits += 1
                results[ALIKE] += bits <= ALIKE_BITS
            continue
        results[SAME] += age <= short_s
        results[SAME_LONG] += 1.0
        if last > -np.inf:
            interval = times[i] - last
            total += interval
            squares += interval * interval
        last = times[i]
    intervals = results[SAME_LONG] - 1.0
    results[SPREAD_OF_INTERVALS] = np.inf
    if intervals >= 2.0 and total > 0.0:
        mean = total / intervals
        variance = max(0.0, squares / intervals - mean * mean)
        results[SPREAD_OF_INTERVALS] = np.sqrt(variance) / mean
