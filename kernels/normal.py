"""See in a few passes whether a text may be disguised, so that plain text costs next to nothing."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Classes of a byte, as bits. SWAP: a sign that stands for a letter. ESCAPE: one that begins a code.
(LETTER, DIGIT, SWAP, BASE64, HEX, MORSE, SELECTOR, ESCAPE) = (1 << k for k in range(8))
SELECTOR_SIGN = 0x7F  # stands for a variation selector, which Latin-1 has not
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
        (chr(SELECTOR_SIGN), SELECTOR),
        ("%&\\", ESCAPE),
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


@kernel("int64(Array(uint8, 1, 'C', readonly=True), uint8, int64, int64)")
def next_run(text, bit, least, begin):
    """
    Where the first run from *begin* on of at least *least* bytes of class *bit* begins; -1 without.

    Args:
        text: uint8[n], read-only: Latin-1.
        bit: one of the class bits above.
        least: 1 or more, not checked.
        begin: 0 or more, not checked.
    """
    # A run that long covers a byte whose index is least - 1 modulo least: the others need no look.
    i = begin + least - 1
    while i < text.size:
        if CLASS_OF[text[i]] & bit == 0:
            i += least
            continue
        start = i
        while start > begin and i - start < least and CLASS_OF[text[start - 1]] & bit:
            start -= 1
        end = i + 1
        while end < text.size and end - start < least and CLASS_OF[text[end]] & bit:
            end += 1
        if end - start >= least:
            return start
        i += least
    return -1


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

    One branch for each byte, and it is rarely taken: where words end no processor can predict.
    """
    counts[:] = 0
    row, last = 0, -2
    before, after = np.int64(0), np.int64(CLASS_OF[text[0]] if text.size else 0)
    for i in range(text.size):
        kind, sign = after, text[i + 1] if i + 1 < text.size else np.uint8(0)
        after = np.int64(CLASS_OF[sign])
        alone = kind & ~(before | after) & LETTER
        swap = kind & (DIGIT | SWAP) if after & LETTER else 0
        if alone | swap | kind & ESCAPE:
            if alone:
                row = row + 1 if i - last == 2 else 1
                last = i
                counts[SPACED] = max(counts[SPACED], row)
            elif swap:
                counts[IN_WORDS if before & LETTER else BEFORE_WORDS] += 1
            else:
                counts[ESCAPED] += after & (LETTER | DIGIT) != 0 or sign == 0x23 or sign == 0x7B
        before = kind


@kernel("UniTuple(int64, 3)(UniTuple(int64, 3), int64, int64)", inline=True)
def add_gain(so_far, gain, i):
    """
    The sum of a stretch that may begin anew, the best one and its end, with the *gain* of pair *i*.
    """
    total, best, end = so_far
    total = max(total + gain, 0)
    return total, max(total, best), i if total > best else end


@kernel(
    "int64(Array(uint8, 1, 'C', readonly=True), Array(int16, 2, 'C', readonly=True),"
    " int64, int64, int64)"
)
def first_of_best(text, gains, k, best, end):
    """
    Where the stretch begins that gains *best*, above 0, by the reading *k* and ends at *end*.
    """
    i, found = end, False
    while i >= 0:
        letter = np.int64(LETTER_OF[text[i]]) if i < text.size else np.int64(0)
        before = np.int64(LETTER_OF[text[i - 1]]) if i > 0 else np.int64(0)
        if found and letter | before:  # the pair in front, where the sum was nothing
            return i
        best -= np.int64(gains[k, before * PAIRS + letter]) if letter | before else 0
        found = best == 0
        i -= 1
    return 0


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

    In numbers without arrays and branches: whether a stretch goes on no processor can predict.
    """
    turned = backwards = both = (0, 0, 0)
    before = np.int64(0)
    for i in range(text.size + 1):
        letter = np.int64(LETTER_OF[text[i]]) if i < text.size else np.int64(0)
        pair = before * PAIRS + letter
        before = letter
        if pair == 0:
            continue
        turned = add_gain(turned, np.int64(gains[0, pair]), i)
        backwards = add_gain(backwards, np.int64(gains[1, pair]), i)
        both = add_gain(both, np.int64(gains[2, pair]), i)
    for k, found in enumerate((turned, backwards, both)):
        _, gain, end = found
        best[k, BEST], best[k, END] = gain, end
        best[k, START] = first_of_best(text, gains, k, gain, end) if gain > 0 else 0
