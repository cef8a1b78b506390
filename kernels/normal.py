"""See in a few passes whether a text may be disguised, so that plain text costs next to nothing."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Classes of a byte, as bits.
LETTER, DIGIT, SWAP, BASE64, HEX, MORSE = (
    1,
    2,
    4,
    8,
    16,
    32,
)  # SWAP: a sign that stands for a letter
(IN_WORDS, BEFORE_WORDS, SPACED, ESCAPED) = range(4)  # columns of count_signs
SIGNS = 4
PAIRS = 32  # row length of a table of letter pairs: 0 is anything else, 1 to 26 are a to z
READINGS = 3  # of letters: turned by 13, read backwards, both
BEST, START, END = range(3)  # columns of best_readings


def _class_table():
    """uint8[256]: class bits of each byte of Latin-1."""
    table = np.zeros(256, dtype=np.uint8)
    for signs, bit in (
        ("abcdefghijklmnopqrstuvwxyz", LETTER | BASE64),
        ("abcdefx", HEX),
        ("0123456789", DIGIT | BASE64 | HEX),
        ("@$!|+", SWAP),
        ("+/-_", BASE64),
        (" ,:;-\n\r\\|", HEX),
        (".-/|_ \n", MORSE),
        (".-\xb7", MORSE),
    ):
        for sign in signs + signs.upper():
            if ord(sign) < 256:
                table[ord(sign)] |= np.uint8(bit)
    return table


def _letter_table():
    """uint8[256]: 1 to 26 for the letters a to z of either case, 0 for other bytes."""
    table = np.zeros(256, dtype=np.uint8)
    for k in range(26):
        table[0x41 + k] = table[0x61 + k] = k + 1
    return table


CLASS_OF = _class_table()
LETTER_OF = _letter_table()


@kernel("boolean(Array(uint8, 1, 'C', readonly=True), uint8, int64)")
def has_run(text, bit, least):
    """
    Whether at least *least* bytes in a row of *text*, uint8[n] in Latin-1, are of class *bit*.

    Args:
        bit: one of the class bits above.
        least: 1 or more, not checked.
    """
    # A run that long covers a byte whose index is least - 1 modulo least: the others need no look.
    i = least - 1
    while i < text.size:
        if CLASS_OF[text[i]] & bit == 0:
            i += least
            continue
        start = i
        while start > 0 and i - start < least and CLASS_OF[text[start - 1]] & bit:
            start -= 1
        end = i + 1
        while end < text.size and end - start < least and CLASS_OF[text[end]] & bit:
            end += 1
        if end - start >= least:
            return True
        i += least
    return False


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64[::1])")
def count_signs(text, counts):
    """
    Count what a disguise leaves between letters.

    Args:
        text: uint8[n], read-only: Latin-1.
        counts: int64[SIGNS], overwritten.
            IN_WORDS: digits and signs that stand for letters, a letter on both sides;
            BEFORE_WORDS: the same, with a letter behind only;
            SPACED: the most letters in a row that have one sign between them;
            ESCAPED: percent, ampersand and backslash before a letter, a digit, # or {.
    """
    counts[:] = 0
    row, last = 0, -2
    for i in range(text.size):
        c = text[np.uint64(i)]
        kind = CLASS_OF[c]
        after = CLASS_OF[text[i + 1]] if i + 1 < text.size else np.uint8(0)
        before = CLASS_OF[text[i - 1]] if i > 0 else np.uint8(0)
        if kind & LETTER:
            if (before | after) & LETTER == 0:
                row = row + 1 if i - last == 2 else 1
                last = i
                counts[SPACED] = max(counts[SPACED], row)
        elif kind & (DIGIT | SWAP):
            if after & LETTER:
                counts[IN_WORDS if before & LETTER else BEFORE_WORDS] += 1
        elif (c == 0x25 or c == 0x26 or c == 0x5C) and i + 1 < text.size:
            counts[ESCAPED] += (
                after & (LETTER | DIGIT) != 0 or text[i + 1] == 0x23 or text[i + 1] == 0x7B
            )


@kernel(
    "void(Array(uint8, 1, 'C', readonly=True), Array(int16, 2, 'C', readonly=True), int64[:,::1])"
)
def best_readings(text, gains, best):
    """
    Find for each way of reading letters the stretch that gains most by it (Kadane's algorithm).

    Args:
        text: uint8[n], read-only: Latin-1.
        gains: int16[READINGS, PAIRS * PAIRS], read-only: what the pair of letters a, b gains, at
            ``a * PAIRS + b``. Anything but a letter is 0; a row of such counts once, as nothing.
        best: int64[READINGS, 3], overwritten: the gain, first byte and end of the stretch; zeros
            where nothing gains.
    """
    best[:] = 0
    sums = np.zeros(READINGS, dtype=np.int64)
    starts = np.zeros(READINGS, dtype=np.int64)
    before = np.int64(0)
    for i in range(text.size + 1):
        letter = np.int64(LETTER_OF[text[i]]) if i < text.size else np.int64(0)
        if letter == 0 and before == 0:
            continue
        pair = before * PAIRS + letter
        before = letter
        for k in range(READINGS):
            total = sums[k] + np.int64(gains[k, pair])
            if total <= 0:
                sums[k] = 0
                starts[k] = i
                continue
            sums[k] = total
            if total > best[k, BEST]:
                best[k, BEST] = total
                best[k, START] = starts[k]
                best[k, END] = i
