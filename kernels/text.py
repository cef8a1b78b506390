"""Count what a text is made of, in one pass over its UTF-8."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel

# Every character has one class. Column k of the counts holds the characters of class k, column
# RUNS + k the runs (of letters, digits, white space or signs) that begin with one.
(LATIN, LATIN_UPPER, LATIN_MARKED, CYRILLIC, GREEK, HAN, KANA, HANGUL, ARABIC, HEBREW) = range(10)
(DEVANAGARI, BENGALI, THAI, OTHER_LETTER, SPACE, PUNCTUATION, QUESTION) = range(10, 17)
(CODE, SYMBOL, INVALID, DIGIT, NEWLINE, MATH) = range(17, 23)
CLASSES = 23  # MATH holds + * ^ = \\ too, INVALID bytes that are no UTF-8
RUNS = CLASSES
(DIGIT_GROUPS, OPERATORS, CODE_LINES, INDENTED_LINES) = range(46, 50)
(FENCES, LIST_ITEMS, ARITHMETIC, TEX_COMMANDS) = range(50, 54)
COLUMNS = 54

LETTERS = OTHER_LETTER + 1  # classes below are letters
EVENTFUL = DIGIT  # classes from here on are looked at one by one, with their neighbours
PAIRS = 32  # row length of the table of neighbouring classes: a power of two above CLASSES
INDENT_MAX = 64  # bytes read of an indentation

# First and last code point of each range; later rows win. Blocks as in Unicode's Blocks.txt.
_RANGES = (
    (0x00, 0xFFFF, SYMBOL),
    (0x00, 0x20, SPACE),
    (0x0A, 0x0A, NEWLINE),
    (0x21, 0x7E, PUNCTUATION),
    (0x30, 0x39, DIGIT),
    (0x41, 0x5A, LATIN_UPPER),
    (0x61, 0x7A, LATIN),
    (0xA0, 0xA0, SPACE),
    (0xA1, 0xBB, PUNCTUATION),
    (0xAA, 0xAA, LATIN_MARKED),
    (0xBA, 0xBA, LATIN_MARKED),
    (0xB5, 0xB5, GREEK),
    (0xB1, 0xB3, MATH),
    (0xC0, 0x36F, LATIN_MARKED),  # with IPA, modifiers and combining accents
    (0xD7, 0xD7, MATH),
    (0xF7, 0xF7, MATH),
    (0x370, 0x3FF, GREEK),
    (0x400, 0x52F, CYRILLIC),
    (0x530, 0x58F, OTHER_LETTER),  # Armenian
    (0x590, 0x5FF, HEBREW),
    (0x600, 0x6FF, ARABIC),
    (0x700, 0x74F, OTHER_LETTER),
    (0x750, 0x77F, ARABIC),
    (0x780, 0x8FF, OTHER_LETTER),
    (0x900, 0x97F, DEVANAGARI),
    (0x980, 0x9FF, BENGALI),
    (0xA00, 0xDFF, OTHER_LETTER),  # Gurmukhi to Sinhala
    (0xE00, 0xE7F, THAI),
    (0xE80, 0x10FF, OTHER_LETTER),  # Lao to Georgian
    (0x1100, 0x11FF, HANGUL),
    (0x1200, 0x1C7F, OTHER_LETTER),  # Ethiopic, Cherokee, Khmer, Mongolian and others
    (0x1C80, 0x1C8F, CYRILLIC),
    (0x1C90, 0x1CFF, OTHER_LETTER),
    (0x1D00, 0x1EFF, LATIN_MARKED),  # Vietnamese is here
    (0x1F00, 0x1FFF, GREEK),
    (0x2000, 0x200A, SPACE),
    (0x2010, 0x2027, PUNCTUATION),
    (0x2028, 0x2029, NEWLINE),
    (0x202F, 0x202F, SPACE),
    (0x2030, 0x205E, PUNCTUATION),
    (0x2070, 0x209F, MATH),  # superscripts and subscripts
    (0x2200, 0x22FF, MATH),
    (0x2A00, 0x2AFF, MATH),
    (0x2E80, 0x2FDF, HAN),
    (0x3000, 0x3000, SPACE),
    (0x3001, 0x303F, PUNCTUATION),
    (0x3005, 0x3007, HAN),
    (0x3040, 0x30FF, KANA),
    (0x3100, 0x312F, HAN),  # Bopomofo
    (0x3130, 0x318F, HANGUL),
    (0x31F0, 0x31FF, KANA),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xA000, 0xABFF, OTHER_LETTER),
    (0xA640, 0xA69F, CYRILLIC),
    (0xA720, 0xA7FF, LATIN_MARKED),
    (0xAC00, 0xD7FF, HANGUL),
    (0xF900, 0xFAFF, HAN),
    (0xFB00, 0xFB1C, LATIN_MARKED),
    (0xFB1D, 0xFB4F, HEBREW),
    (0xFB50, 0xFDFF, ARABIC),
    (0xFE10, 0xFE1F, PUNCTUATION),
    (0xFE30, 0xFE6F, PUNCTUATION),
    (0xFE70, 0xFEFE, ARABIC),
    (0xFF01, 0xFF0F, PUNCTUATION),
    (0xFF10, 0xFF19, DIGIT),
    (0xFF1A, 0xFF20, PUNCTUATION),
    (0xFF21, 0xFF3A, LATIN_MARKED),
    (0xFF41, 0xFF5A, LATIN_MARKED),
    (0xFF65, 0xFF9F, KANA),
)
_CODE = "{};<>|&_[]`~"
_MATH = "+*^=\\"
# Latin, full width, Arabic, Greek (as an escape: editors make it a semicolon), Armenian, Spanish,
# Ethiopic, doubled, interrobang, small
_QUESTIONS = "?？؟\u037e՞¿፧⁇⁈⁉‽﹖"
_ANCHOR = {DIGIT: 1, SPACE: 2, NEWLINE: 2}  # group of a class; letters are group 0, signs 3


def _class_table():
    """uint8[65536]: class of each code point of the basic plane."""
    table = np.empty(0x10000, dtype=np.uint8)
    for first, last, kind in _RANGES:
        table[first : last + 1] = kind
    for sign in _CODE:
        table[ord(sign)] = CODE
    for sign in _MATH:
        table[ord(sign)] = MATH
    for sign in _QUESTIONS:
        table[ord(sign)] = QUESTION
    return table


CLASS_OF = _class_table()
GROUP_OF = np.array(
    [0 if k < LETTERS else _ANCHOR.get(k, 3) for k in range(CLASSES)], dtype=np.uint8
)


@kernel("UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64)", inline=True)
def wide_character(text, i):
    """
    Class and length in bytes of the character that begins at *i* with a byte above 0x7F.

    Lone surrogates and overlong forms pass as what they spell; what else is no UTF-8 is INVALID,
    one byte long.
    """
    lead, left = np.int64(text[i]), text.size - i
    if lead < 0xC2 or lead > 0xF4 or left < 2 or text[i + 1] & 0xC0 != 0x80:
        return INVALID, 1
    point = np.int64(text[i + 1] & 0x3F)
    if lead < 0xE0:
        return np.int64(CLASS_OF[(lead & 0x1F) << 6 | point]), 2
    if left < 3 or text[i + 2] & 0xC0 != 0x80:
        return INVALID, 1
    point = point << 6 | np.int64(text[i + 2] & 0x3F)
    if lead < 0xF0:
        return np.int64(CLASS_OF[(lead & 0x0F) << 12 | point]), 3
    if left < 4 or text[i + 3] & 0xC0 != 0x80:
        return INVALID, 1
    point = (lead & 0x07) << 18 | point << 6 | np.int64(text[i + 3] & 0x3F)
    if point < 0x10000:  # overlong
        return np.int64(CLASS_OF[point]), 4
    if 0x1D400 <= point < 0x1D800:  # mathematical alphabets
        return MATH, 4
    return (HAN if 0x20000 <= point < 0x40000 else SYMBOL), 4


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64, int64[::1])")
def count_line_start(text, i, counts):
    """
    Add what the line that begins at *i* opens with: indentation, a fence, a list item.
    """
    start = i
    while i < text.size and i - start < INDENT_MAX and (text[i] == 0x20 or text[i] == 0x09):
        i += 1
    if i + 1 >= text.size or text[i] <= 0x20:
        return  # blank, or indented beyond reading
    if i - start >= 2 or (i > start and text[start] == 0x09):
        counts[INDENTED_LINES] += 1
    c = text[i]
    if (c == 0x60 or c == 0x7E) and i + 2 < text.size and text[i + 1] == c and text[i + 2] == c:
        counts[FENCES] += 1
        return
    if c == 0x2D or c == 0x2A or c == 0x2B:  # - * +
        counts[LIST_ITEMS] += text[i + 1] == 0x20
        return
    if c == 0xE2 and i + 2 < text.size and text[i + 1] == 0x80 and text[i + 2] == 0xA2:  # bullet
        counts[LIST_ITEMS] += 1
        return
    digits = 0
    while i < text.size and digits < 3 and 0x30 <= text[i] <= 0x39:
        i += 1
        digits += 1
    if digits > 0 and i + 1 < text.size and (text[i] == 0x2E or text[i] == 0x29):
        counts[LIST_ITEMS] += text[i + 1] == 0x20


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64, int64[::1])")
def count_sign(text, i, counts):
    """
    Add what the MATH sign at *i* means together with its neighbours.
    """
    c = text[i]
    if c == 0x5C:  # backslash
        if i + 2 < text.size:
            second, third = text[i + 1] | 0x20, text[i + 2] | 0x20
            letters = 0x61 <= second <= 0x7A and 0x61 <= third <= 0x7A
            counts[TEX_COMMANDS] += letters or text[i + 1] == 0x28 or text[i + 1] == 0x5B
        return
    before, after = i - 1, i + 1
    while after < text.size and text[after] & 0xC0 == 0x80:
        after += 1
    before -= before > 0 and text[before] == 0x20
    after += after < text.size and text[after] == 0x20
    counts[ARITHMETIC] += before >= 0 and 0x30 <= text[before] <= 0x39
    counts[ARITHMETIC] += after < text.size and 0x30 <= text[after] <= 0x39
    # The block of operators, and the mathematical alphabets: the superscript of m² is neither.
    counts[ARITHMETIC] += c == 0xF0 or (c == 0xE2 and 0x88 <= text[i + 1] <= 0x8B)


@kernel("void(int32[::1], int64[::1])")
def add_pairs(pairs, counts):
    """
    Turn counts of neighbouring classes into characters, runs and operators.
    """
    half = PAIRS * PAIRS
    for before in range(CLASSES):
        for kind in range(CLASSES):
            n = np.int64(pairs[before * PAIRS + kind] + pairs[half + before * PAIRS + kind])
            counts[kind] += n
            if GROUP_OF[before] != GROUP_OF[kind]:
                counts[RUNS + kind] += n
            if kind in (CODE, MATH) and before in (CODE, MATH, PUNCTUATION):
                counts[OPERATORS] += n


@kernel("float64(int64[::1], Array(float64, 1, 'C', readonly=True))")
def weighted_sum(counts, weights):
    """
    Sum of the *counts*, int64[n], each times its weight, float64[n].
    """
    total = 0.0
    for k in range(counts.size):
        total += counts[k] * weights[k]
    return total


@kernel("void(Array(uint8, 1, 'C', readonly=True), int64[::1])")
def count_text(text, counts):
    """
    Add the counts of one text to *counts*.

    Adding makes the counts of several texts one call each; a run never goes on in the next text.

    Args:
        text: uint8[n], read-only: UTF-8. Invalid bytes are counted as INVALID, never an error.
        counts: int64[COLUMNS], added to. Characters and runs of every class, then
            DIGIT_GROUPS: digits in threes, as vocabularies cut them;
            OPERATORS: a code or MATH sign right behind one, or behind punctuation;
            CODE_LINES: lines that end in ; { or }, with a line break behind it;
            INDENTED_LINES, FENCES, LIST_ITEMS: what lines begin with;
            ARITHMETIC: digits beside + * ^ = or a mathematical sign, a space between or none, and
            mathematical operators and letters themselves;
            TEX_COMMANDS: a backslash before two letters or a bracket.
    """
    # One branch for each byte, because where words end no processor can predict; the two halves
    # of the table keep neighbouring bytes from waiting for the same cell.
    pairs = np.zeros(2 * PAIRS * PAIRS, dtype=np.int32)  # of a text below 2 GiB
    i = 0
    previous, digits = np.uint64(NEWLINE), 0
    count_line_start(text, 0, counts)
    while i < text.size:
        c = text[np.uint64(i)]
        width = 1
        if c < 0x80:
            kind = np.uint64(CLASS_OF[np.uint64(c)])
        else:
            wide, width = wide_character(text, i)
            kind = np.uint64(wide)
        pairs[np.uint64(i & 1) << np.uint64(10) | previous << np.uint64(5) | kind] += 1
        if kind >= EVENTFUL:
            if kind == DIGIT:
                digits = digits + 1 if previous == DIGIT else 1
                counts[DIGIT_GROUPS] += digits % 3 == 1
            elif kind == NEWLINE:
                counts[CODE_LINES] += i > 0 and (text[i - 1] in (0x3B, 0x7B, 0x7D))
                count_line_start(text, i + width, counts)
            else:
                count_sign(text, i, counts)
        previous = kind
        i += width
    add_pairs(pairs, counts)
