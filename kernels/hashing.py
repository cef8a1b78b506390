"""Hash the words and character n-grams of a text, in one pass over its UTF-8."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel
from kernels.text import (
    CLASS_OF,
    CLASSES,
    DIGIT,
    HAN,
    HANGUL,
    INVALID,
    KANA,
    LETTERS,
    SPACE,
    THAI,
    wide_character,
)

# What a character belongs to. Scripts that hold a word in one to three characters, or leave out
# spaces, are DENSE: every character there is worth a feature of its own.
BLANK, WORD, DENSE, SIGN = range(4)

RUN_CHARS_MAX = 64  # a longer word or run goes on as another one: it is data, not language
SIGNS_MAX = 3  # "---" and "-----" are the same sign
FIRST, LAST = 2, 3  # stand for the edges of a word; no text has these control characters
WORD_CHARS_MIN, WORD_CHARS_MAX, DENSE_CHARS_MAX = 3, 5, 3  # of an n-gram

WORDS, PAIRS, NGRAMS = range(3)  # kinds of features
KINDS = 3

# Odd 64-bit numbers without structure; any would do, but changing one voids every trained table.
SPREAD = np.uint64(0x9E3779B97F4A7C15)
STEP = np.uint64(0xD1342543DE82EF95)
SALT_WORD, SALT_PAIR, SALT_SEED = np.uint64(0x51), np.uint64(0xA7), np.uint64(0xC3)


def _groups():
    """uint8[CLASSES]: what the characters of each class belong to."""
    groups = np.full(CLASSES, SIGN, dtype=np.uint8)
    groups[:LETTERS] = WORD
    groups[[HAN, KANA, HANGUL, THAI]] = DENSE
    groups[DIGIT] = WORD
    groups[[SPACE, INVALID]] = BLANK
    return groups


GROUP_OF = _groups()


@kernel("Tuple((int64, int64, uint64))(Array(uint8, 1, 'C', readonly=True), int64)", inline=True)
def read_character(text, i):
    """
    Group, length in bytes and key of the character that begins at *i*.

    The key is the character's bytes as one number, and the same one for all digits: what a number
    is says less than that there is one.
    """
    c = text[i]
    if c < 0x80:
        kind = np.int64(CLASS_OF[c])
        return np.int64(GROUP_OF[kind]), 1, np.uint64(0x30 if kind == DIGIT else c)
    kind, width = wide_character(text, i)
    if kind == DIGIT:
        return WORD, width, np.uint64(0x30)
    key = np.uint64(c)
    for k in range(1, width):
        key = key << np.uint64(8) | np.uint64(text[i + k])
    return np.int64(GROUP_OF[kind]), width, key


@kernel("int64(uint64, int64, uint64[::1], int32[::1], int64)", inline=True)
def put(key, bits, seen, ids, count):
    """
    Append the bucket of *key* to the first *count* of *ids*, unless it is seen or ids is full;
    returns how many there are then.

    Whether it is seen no processor can predict, so it is written at any rate, and counted or not.
    """
    if count >= ids.size:
        return count
    key ^= key >> np.uint64(32)
    key *= SPREAD
    bucket = key >> np.uint64(64 - bits)
    cell, place = bucket >> np.uint64(6), bucket & np.uint64(63)
    before = seen[cell]
    seen[cell] = before | np.uint64(1) << place
    ids[np.uint64(count)] = np.int32(bucket)
    return count + 1 - np.int64(before >> place & np.uint64(1))


@kernel(
    "int64(uint64[::1], int64, int64, int64, uint64, int64, uint64[::1], int32[::1], int64)",
    inline=True,
)
def put_ngrams(run, size, shortest, longest, salt, bits, seen, ids, count):
    """
    ``put`` for all n-grams of the first *size* keys of *run*.
    """
    for first in range(size - shortest + 1):
        key = salt
        for k in range(min(longest, size - first)):
            key = key * STEP + run[np.uint64(first + k)]
            if k + 1 >= shortest:
                count = put(key, bits, seen, ids, count)
    return count


@kernel(
    "UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64, int64, uint64[::1])",
    inline=True,
)
def read_run(text, i, group, run):
    """
    Write the keys of the characters of *group* from *i* on into *run*; returns how many, and where
    they end. Of signs only equal ones are a run.
    """
    size = 0
    while i < text.size and size < RUN_CHARS_MAX:
        found, width, key = read_character(text, i)
        if found != group or (group == SIGN and size > 0 and key != run[0]):
            break
        run[size] = key
        size += 1
        i += width
    return size, i


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64, int64, int32[:, ::1], int64[::1])")
def hash_text(text, seed, bits, ids, counts):
    """
    Write the distinct features of *text*: row k of *ids* holds the counts[k] features of kind k.

    Kinds are WORDS (and signs, which are words of punctuation), PAIRS of neighbouring words, and
    NGRAMS: 3 to 5 characters of a word with its edges, 1 to 3 of a dense script. They stay apart
    because each kind is normalised by its own count.

    Args:
        text: uint8[n], read-only: lowercase UTF-8. Invalid bytes count as blank, never an error.
        seed: makes the same features other ones: one seed for each part of a prompt.
        bits: logarithm of the number of buckets, 6 to 31.
        ids: int32[KINDS, m], written up to the counts, and perhaps one place more: buckets, 0 to
            2**bits - 1, in the order of the text. What does not fit is left out.
        counts: int64[KINDS], overwritten, 0 to m.

    A feature counts once however often it occurs: what a text asks for is said once, what it is
    about many times. *seen* is a bit for each bucket, cheaper than sorting.
    """
    seen = np.zeros((1 << bits) >> 6, dtype=np.uint64)
    run = np.empty(RUN_CHARS_MAX + 2, dtype=np.uint64)
    salt = (np.uint64(seed) + SALT_SEED) * STEP
    ids_words, ids_pairs, ids_ngrams = ids[WORDS], ids[PAIRS], ids[NGRAMS]
    keys, words, pairs, ngrams = run[1:], 0, 0, 0
    i, before = 0, np.uint64(0)
    while i < text.size:
        group, width, _ = read_character(text, i)
        if group == BLANK:
            i += width
            continue
        size, i = read_run(text, i, group, keys)
        if group == DENSE:
            ngrams = put_ngrams(
                keys, size, 1, DENSE_CHARS_MAX, salt, bits, seen, ids_ngrams, ngrams
            )
            before = np.uint64(0)
            continue
        token = salt
        for k in range(1, (min(size, SIGNS_MAX) if group == SIGN else size) + 1):
            token = token * STEP + run[k]
        words = put(token * STEP + SALT_WORD, bits, seen, ids_words, words)
        pairs = put((before * STEP + token) * STEP + SALT_PAIR, bits, seen, ids_pairs, pairs)
        before = token
        if group == WORD:
            run[0], run[size + 1] = FIRST, LAST
            least, most = WORD_CHARS_MIN, WORD_CHARS_MAX
            ngrams = put_ngrams(run, size + 2, least, most, salt, bits, seen, ids_ngrams, ngrams)
    counts[WORDS], counts[PAIRS], counts[NGRAMS] = words, pairs, ngrams
