"""Cut a text into tokens, look them up, and label them with the best path through the labels."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel
from kernels.text import CLASS_OF, DIGIT, HAN, HANGUL, KANA, LETTERS, NEWLINE, SPACE, THAI

# What a character belongs to. Runs of WORD, KATAKANA and NUMBER are one token; scripts that leave
# out spaces, or glue endings to names, have a token for each character.
BLANK, BREAK, SIGN, WORD, KATAKANA, NUMBER, IDEOGRAPH, HIRAGANA, SYLLABLE, THAI_LETTER = range(10)
DENSE = IDEOGRAPH  # kinds from here on

# Columns of a token. FIRST and LAST are the tokens at the ends of its run of capitalised words.
START, END, SHAPE, GAP, CHUNK, HASH, ENTRY, FIRST, LAST, STREET_NEAR = range(10)
COLUMNS = 10

# Shapes of a token: of a word with capitals and without, of a number by its length, of a script.
LOWER, CAPITALISED, UPPER, LETTER, MIXED, UNCASED = range(1, 7)
SCRIPT_SHAPES, NUMBER_SHAPES = 7, 12
DIGITS_MAX = 6  # a number with more has the shape of one with so many

# What lies before a token.
GLUED, SPACED, FAR, NEW_LINE, NEW_BLOCK = range(5)

# Signs in the piece of text around a token that has no blank, quote, comma or bracket in it.
HAS_AT, HAS_SLASH, HAS_CODE, HAS_DIGIT = 1, 2, 4, 8
_PIECE_ENDS = "\"'`,;()[]{}<>|、。，；（）「」：:"
_PIECE_SIGNS = {"@": HAS_AT, "/": HAS_SLASH, "_": HAS_CODE, "=": HAS_CODE, "\\": HAS_CODE}

# Bits of an entry of the lexicon. INSIDE is added to the later tokens of an entry of several.
COMMON, KNOWN, PROPER, GIVEN, FAMILY, PLACE, COMPANY, STREET = (1 << k for k in range(8))
TITLE, CALENDAR, PLACE_PART, PARTICLE, INSIDE = (1 << k for k in range(8, 13))

ENTRY_TOKENS_MAX = 4  # of an entry in a dense script; in others two words
STREET_REACH = 4  # tokens to each side
WORD_CHARS_MAX = 64  # a longer run goes on as another token: it is data, not language

SPREAD = np.uint64(0x9E3779B97F4A7C15)
STEP = np.uint64(0xD1342543DE82EF95)

DASH, DOT, AMPERSAND, QUOTE, CURLY = 0x2D, 0x2E, 0x26, 0x27, 0x2019


def _kinds():
    """uint8[65536]: what each character of the basic plane belongs to."""
    kinds = np.full(0x10000, SIGN, dtype=np.uint8)
    kinds[CLASS_OF < LETTERS] = WORD
    for group, kind in ((HAN, IDEOGRAPH), (HANGUL, SYLLABLE), (THAI, THAI_LETTER), (DIGIT, NUMBER)):
        kinds[group == CLASS_OF] = kind
    kinds[CLASS_OF == KANA] = KATAKANA
    kinds[0x3041:0x30A0] = HIRAGANA
    kinds[CLASS_OF == SPACE] = BLANK
    kinds[CLASS_OF == NEWLINE] = BREAK
    return kinds


def _lower():
    """uint16[65536]: each character of the basic plane without its capital; all digits are 0."""
    lower = np.arange(0x10000, dtype=np.uint16)
    for point in np.flatnonzero(KIND_OF == WORD).tolist():
        small = chr(point).lower()
        if len(small) == 1:
            lower[point] = ord(small)
    lower[ord("İ")] = ord("i")
    lower[KIND_OF == NUMBER] = ord("0")
    return lower


def _pieces():
    """uint8[128]: the mark of each ASCII sign on its piece; 255 where it ends one."""
    pieces = np.zeros(128, dtype=np.uint8)
    for sign in _PIECE_ENDS:
        if ord(sign) < pieces.size:
            pieces[ord(sign)] = 255
    for sign, mark in _PIECE_SIGNS.items():
        pieces[ord(sign)] = mark
    return pieces


KIND_OF = _kinds()
LOWER_OF = _lower()
PIECE_OF = _pieces()


@kernel("int64(uint32)")
def kind_of(point):
    """
    What the character *point* belongs to.
    """
    if point < 0x10000:
        return np.int64(KIND_OF[point])
    return IDEOGRAPH if 0x20000 <= point < 0x32000 else SIGN


@kernel("UniTuple(int64, 2)(Array(uint32, 1, 'C', readonly=True), int64, int64, int64)")
def shape_and_hash(points, start, end, kind):
    """
    Shape of the token from *start* to *end*, and its hash: the same one whatever its capitals.
    """
    key, capitals, small = np.uint64(kind), 0, 0
    for i in range(start, end):
        point = points[i]
        low = np.uint32(LOWER_OF[point]) if point < 0x10000 else point
        key = key * STEP + np.uint64(low)
        if low != point:
            capitals += 1
        elif point < 0x530 or 0x1E00 <= point < 0x2000:
            small += 1
    if kind == WORD:
        first = points[start]
        first_big = first < 0x10000 and LOWER_OF[first] != first
        if capitals == 0:
            shape = LOWER if small else UNCASED
        elif capitals == end - start:
            shape = LETTER if capitals == 1 else UPPER
        else:
            shape = CAPITALISED if capitals == 1 and first_big else MIXED
    elif kind == NUMBER:
        shape = NUMBER_SHAPES + min(end - start, DIGITS_MAX) - 1
    elif kind == SIGN:
        shape = 0
    else:
        shape = SCRIPT_SHAPES + (kind - IDEOGRAPH if kind >= DENSE else 4)
    return shape, np.int64(key)


@kernel("int64(Array(uint32, 1, 'C', readonly=True), int64[:, ::1])")
def split_tokens(points, tokens):
    """
    Write the tokens of a text, and return how many there are: at most tokens.shape[0].

    Args:
        points: uint32[n], read-only: the characters of the text.
        tokens: int64[m, COLUMNS], overwritten from START to HASH; what does not fit is left out.
    """
    i, count, piece, marks, blanks, breaks = 0, 0, 0, 0, 0, 2
    while i < points.size and count < tokens.shape[0]:
        kind = kind_of(points[i])
        start = i
        i += 1
        if kind <= BREAK:
            if kind == BREAK:
                breaks += 1
            elif points[start] != 0x0D:
                blanks += 2 if points[start] == 0x09 else 1
        elif kind in (WORD, KATAKANA, NUMBER):
            while i < points.size and i - start < WORD_CHARS_MAX and kind_of(points[i]) == kind:
                i += 1
            if kind == NUMBER:
                marks |= HAS_DIGIT
        sign = points[start]
        mark = PIECE_OF[sign] if kind == SIGN and sign < 128 else 0
        if kind <= BREAK or mark == 255 or kind >= DENSE:
            for k in range(piece, count):
                tokens[k, CHUNK] = marks
            marks, piece = 0, count
        else:
            marks |= mark
        if kind <= BREAK:
            continue
        if breaks:
            gap = NEW_LINE if breaks == 1 else NEW_BLOCK
        else:
            gap = GLUED if blanks == 0 else SPACED if blanks == 1 else FAR
        blanks = breaks = 0
        shape, key = shape_and_hash(points, start, i, kind)
        token = tokens[count]
        token[START], token[END], token[SHAPE], token[GAP] = start, i, shape, gap
        token[CHUNK], token[HASH] = 0, key
        count += 1
        if mark == 255 or kind >= DENSE:
            piece = count
    for k in range(piece, count):
        tokens[k, CHUNK] = marks
    return count


@kernel("int64(Array(uint32, 1, 'C', readonly=True), Array(uint16, 1, 'C', readonly=True), uint64)")
def look_up(prints, entries, key):
    """
    Bits of the entry with the hash *key*, 0 when there is none.

    Args:
        prints: uint32[2**k], read-only: fingerprints, 0 where free; one place at least is.
        entries: uint16[2**k], read-only.
        key: hash of a token, or of the tokens of an entry: the first, times STEP plus the next.
    """
    key = (key ^ key >> np.uint64(32)) * SPREAD
    key ^= key >> np.uint64(29)
    slot, fingerprint = np.int64(key >> np.uint64(34)), np.uint32(key) | np.uint32(1)
    while True:
        slot &= prints.size - 1
        if prints[slot] == 0:
            return 0
        if prints[slot] == fingerprint:
            return np.int64(entries[slot])
        slot += 1


@kernel("boolean(int64)")
def is_capital(shape):
    """
    Whether a token of this shape begins like a name.
    """
    return CAPITALISED <= shape <= MIXED


@kernel(
    "void(int64[:, ::1], int64, Array(uint32, 1, 'C', readonly=True),"
    " Array(uint16, 1, 'C', readonly=True))"
)
def look_up_all(tokens, count, prints, entries):
    """
    Write the column ENTRY of the first *count* tokens. The longest entry from a token on counts.
    """
    for i in range(count):
        tokens[i, ENTRY] = 0
    for i in range(count):
        dense = SCRIPT_SHAPES <= tokens[i, SHAPE] < NUMBER_SHAPES
        key = np.uint64(tokens[i, HASH])
        if tokens[i, SHAPE] != 0:
            tokens[i, ENTRY] |= look_up(prints, entries, key)
        longest = ENTRY_TOKENS_MAX if dense else 2 if is_capital(tokens[i, SHAPE]) else 1
        for size in range(2, min(longest, count - i) + 1):
            token = tokens[i + size - 1]
            if token[GAP] > SPACED or (dense and token[GAP] != GLUED):
                break
            key = key * STEP + np.uint64(token[HASH])
            found = look_up(prints, entries, key)
            if found:
                tokens[i, ENTRY] |= found & ~INSIDE
                for k in range(i + 1, i + size):
                    tokens[k, ENTRY] |= found | INSIDE


@kernel("boolean(int64[:, ::1], int64, Array(uint32, 1, 'C', readonly=True))")
def joins(tokens, i, points):
    """
    Whether token *i*, no capitalised word, may stand between two words of one name.
    """
    token = tokens[i]
    sign = points[token[START]]
    if token[SHAPE] == 0:
        if sign == DOT:
            return token[GAP] == GLUED and tokens[i - 1, END] - tokens[i - 1, START] <= 3
        return sign in (DASH, AMPERSAND, QUOTE, CURLY)
    return token[ENTRY] & PARTICLE != 0


@kernel("void(int64[:, ::1], int64, Array(uint32, 1, 'C', readonly=True))")
def find_runs(tokens, count, points):
    """
    Write the columns FIRST, LAST and STREET_NEAR of the first *count* tokens.

    A run is capitalised words in one line, with what joins names between them; a token outside
    of one is its own. STREET_NEAR is 0, or 1 more than the distance to the nearest street word.
    """
    i = 0
    while i < count:
        last = i
        if is_capital(tokens[i, SHAPE]):
            k = i + 1
            while k < count and tokens[k, GAP] <= SPACED:
                if is_capital(tokens[k, SHAPE]):
                    last = k
                elif k - last > 2 or not joins(tokens, k, points):
                    break
                k += 1
        for k in range(i, last + 1):
            tokens[k, FIRST], tokens[k, LAST] = i, last
        i = last + 1
    for i in range(count):
        tokens[i, STREET_NEAR] = 0
    for i in range(count):
        if tokens[i, ENTRY] & STREET:
            for k in range(max(0, i - STREET_REACH), min(count, i + STREET_REACH + 1)):
                near = abs(i - k) + 1
                if tokens[k, STREET_NEAR] == 0 or near < tokens[k, STREET_NEAR]:
                    tokens[k, STREET_NEAR] = near
