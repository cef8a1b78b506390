"""What a tagger may know of a token: itself, its neighbours and its run, as hashed features."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel
from kernels.tagger import (
    CHUNK,
    COMMON,
    END,
    ENTRY,
    FIRST,
    GAP,
    HASH,
    LAST,
    LOWER,
    LOWER_OF,
    NUMBER_SHAPES,
    SCRIPT_SHAPES,
    SHAPE,
    SPREAD,
    START,
    STEP,
    STREET_NEAR,
)

FEATURES_MAX = 64  # of a token
AFFIX_CHARS_MAX = 4
REACH = 3  # tokens to each side that are looked at
COLON, EQUALS = 0x3A, 0x3D
NOTHING = np.int64(-1)  # stands for a token beyond the ends


@kernel("int64(int64, int64, int64, int64, int32[::1], int64, int64)")
def put(kind, a, b, c, ids, size, bits):
    """
    Append the bucket of a feature to *ids*, and return the new size.
    """
    key = (np.uint64(kind) * STEP + np.uint64(a)) * STEP + np.uint64(b)
    key = key * STEP + np.uint64(c)
    key = (key ^ key >> np.uint64(32)) * SPREAD
    ids[size] = np.int32(key >> np.uint64(64 - bits))
    return size + 1


@kernel(
    "int64(Array(uint32, 1, 'C', readonly=True), int64, int64, int64, int32[::1], int64, int64)"
)
def put_affixes(points, start, end, shape, ids, size, bits):
    """
    Append the beginnings and endings of the word from *start* to *end*.
    """
    ahead, behind = np.uint64(0), np.uint64(0)
    capital = np.int64(shape != LOWER)
    for k in range(min(AFFIX_CHARS_MAX, end - start)):
        ahead = ahead * STEP + np.uint64(LOWER_OF[points[start + k] & np.uint32(0xFFFF)])
        behind = behind * STEP + np.uint64(LOWER_OF[points[end - 1 - k] & np.uint32(0xFFFF)])
        if k > 0:
            size = put(30 + k, np.int64(ahead), capital, 0, ids, size, bits)
        size = put(35 + k, np.int64(behind), capital, 0, ids, size, bits)
    return size


@kernel(
    "void(Array(uint32, 1, 'C', readonly=True), int64[:, ::1], int64, int64, int32[:, ::1],"
    " int32[::1])"
)
def read_features(points, tokens, count, bits, ids, sizes):
    """
    Write the features of the first *count* tokens.

    Args:
        points: uint32[n], read-only: the characters of the text.
        tokens: int64[m, COLUMNS], all columns written. Read only.
        count: 0 to m.
        bits: logarithm of the number of buckets, 1 to 31.
        ids: int32[m, FEATURES_MAX], overwritten up to the sizes: buckets, in a fixed order.
        sizes: int32[m], overwritten up to *count*.

    A common word in small letters is rarely part of a name, so that few features must do for it
    and for a sign: most tokens are one of these.
    """
    words = np.full(2 * REACH + 1, NOTHING, dtype=np.int64)
    shapes = np.full(2 * REACH + 1, NOTHING, dtype=np.int64)
    known = np.full(2 * REACH + 1, NOTHING, dtype=np.int64)
    head, at = np.int64(0), REACH
    for i in range(count):
        token, row, n = tokens[i], ids[i], 0
        for k in range(-REACH, REACH + 1):
            inside = 0 <= i + k < count
            words[at + k] = tokens[i + k, HASH] if inside else NOTHING
            shapes[at + k] = tokens[i + k, SHAPE] if inside else NOTHING
            known[at + k] = tokens[i + k, ENTRY] if inside else NOTHING
        word, shape, entry = token[HASH], token[SHAPE], token[ENTRY]
        gap, gap_after = token[GAP], tokens[i + 1, GAP] if i + 1 < count else 4
        if gap >= 3:
            head = np.int64(0)
        n = put(1, word, shape, 0, row, n, bits)
        n = put(2, words[at - 1], word, 0, row, n, bits)
        n = put(3, word, words[at + 1], 0, row, n, bits)
        n = put(4, shapes[at - 1], shape, shapes[at + 1], row, n, bits)
        n = put(5, known[at - 1], entry, known[at + 1], row, n, bits)
        n = put(6, gap, shape, gap_after, row, n, bits)
        n = put(7, words[at - 1], shapes[at + 1], shape, row, n, bits)
        n = put(8, token[STREET_NEAR], shape, shapes[at - 1], row, n, bits)
        n = put(9, known[at + 1], shapes[at + 1], shape, row, n, bits)
        if shape == 0 or (shape == LOWER and entry & COMMON):
            n = put(10, shapes[at - 2] << 8 | shapes[at - 1], word, shapes[at + 1], row, n, bits)
            n = put(11, words[at - 1], word, words[at + 1], row, n, bits)
            sizes[i] = n
            if shape == 0 and (points[token[START]] in (COLON, EQUALS)) and i > 0:
                head = tokens[i - 1, HASH]
            continue
        n = put(12, words[at + 1], shape, 0, row, n, bits)
        n = put(13, words[at - 1], shape, 0, row, n, bits)
        n = put(14, words[at - 2], shape, 0, row, n, bits)
        n = put(15, words[at + 2], shape, 0, row, n, bits)
        n = put(16, words[at - 2], words[at - 1], shape, row, n, bits)
        n = put(17, words[at + 1], words[at + 2], shape, row, n, bits)
        n = put(18, words[at - 1], words[at + 1], shape, row, n, bits)
        n = put(19, shapes[at - 2] << 8 | shapes[at - 1], shape, shapes[at + 1], row, n, bits)
        n = put(20, shapes[at - 1], shape, shapes[at + 1] << 8 | shapes[at + 2], row, n, bits)
        n = put(21, entry, shape, 0, row, n, bits)
        n = put(22, known[at - 1], entry, shape, row, n, bits)
        n = put(23, known[at + 2], known[at + 1], shape, row, n, bits)
        n = put(24, known[at - 2], known[at - 1], shape, row, n, bits)
        n = put(25, token[CHUNK], shape, gap << 4 | gap_after, row, n, bits)
        n = put(26, head, shape, 0, row, n, bits)
        n = put(27, words[at - 3], shape, words[at - 1], row, n, bits)
        n = put(28, token[STREET_NEAR], entry, token[CHUNK], row, n, bits)
        if SCRIPT_SHAPES <= shape < NUMBER_SHAPES:
            n = put(50, words[at - 2], words[at - 1], word, row, n, bits)
            n = put(51, word, words[at + 1], words[at + 2], row, n, bits)
            n = put(52, words[at - 1], word, words[at + 1], row, n, bits)
            n = put(53, words[at + 2], words[at + 3], 0, row, n, bits)
            n = put(54, words[at - 3], words[at - 2], 0, row, n, bits)
            n = put(55, words[at + 3], shape, 0, row, n, bits)
        elif shape < NUMBER_SHAPES:
            n = put_affixes(points, token[START], token[END], shape, row, n, bits)
            n = put(40, min(token[END] - token[START], 12), shape, entry != 0, row, n, bits)
        first, last = token[FIRST], token[LAST]
        if last > first or 2 <= shape <= 5:
            place = min(i - first, 2) << 4 | min(last - i, 2)
            before = tokens[first - 1, HASH] if first > 0 else NOTHING
            after = tokens[last + 1, HASH] if last + 1 < count else NOTHING
            n = put(41, tokens[last, HASH], i == last, 0, row, n, bits)
            n = put(42, before, place, 0, row, n, bits)
            n = put(43, after, place, 0, row, n, bits)
            n = put(44, tokens[first, ENTRY], tokens[last, ENTRY], place, row, n, bits)
            n = put(45, tokens[last, ENTRY], place, shape, row, n, bits)
            n = put(46, min(last - first, 6), place, tokens[first, GAP], row, n, bits)
        sizes[i] = n
