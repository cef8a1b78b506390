"""Find every name, string and long number of a JSON text without building it."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel
from kernels.json_spans import (
    BRACE_CLOSE,
    BRACE_OPEN,
    BRACKET_CLOSE,
    BRACKET_OPEN,
    COLON,
    COMMA,
    QUOTE,
    SPACE,
    string_end,
)

NAME, STRING, NUMBER, OBJECT = 0, 1, 2, 3
COLUMNS = 5
DEPTH_MAX = 512  # a schema of 60 levels is a monster
DIGITS_MIN = 7  # a shorter number says nothing about anybody
TOO_MANY, TOO_DEEP = -1, -2
NINE, ZERO, MINUS = 0x39, 0x30, 0x2D


@kernel("int64(Array(uint8, 1, 'C', readonly=True), int32[:, ::1])")
def json_tokens(text, rows):
    """
    Write the tokens of *text* that can say something, in their order.

    Args:
        text: uint8[n], read-only: the UTF-8 of one JSON value that a parser has accepted.
        rows: int32[m, COLUMNS], overwritten up to the returned row: what it is (NAME, STRING,
            NUMBER of at least DIGITS_MIN bytes, OBJECT), start and end with its quotes (end
            exclusive; of an OBJECT only its brace), the row of the object around it and that of
            the name it stands under, through any arrays. -1 where there is none. n / 2 + 1 rows
            are enough.

    Returns:
        How many rows there are; TOO_MANY, or TOO_DEEP beyond DEPTH_MAX. Text that is no JSON
        gives rows without meaning, but inside the text.
    """
    stack = np.empty((DEPTH_MAX, 3), dtype=np.int32)
    depth, count = 0, 0
    owner, name, in_object = -1, -1, 0
    wants_name = False
    i = 0
    while i < text.size:
        c = text[i]
        kind, end = -1, i + 1
        if c == QUOTE:
            end = string_end(text, i)
            kind = NAME if wants_name else STRING
        elif c == BRACE_OPEN:
            kind = OBJECT
        elif c == MINUS or (c >= ZERO and c <= NINE):
            while end < text.size and text[end] > SPACE and text[end] != COMMA:
                if text[end] == BRACE_CLOSE or text[end] == BRACKET_CLOSE:
                    break
                end += 1
            if end - i >= DIGITS_MIN:
                kind = NUMBER
        if kind >= 0:
            if count == rows.shape[0]:
                return TOO_MANY
            rows[count, 0], rows[count, 1], rows[count, 2] = kind, i, end
            rows[count, 3], rows[count, 4] = owner, (-1 if kind == NAME else name)
            count += 1
        if c in (BRACE_OPEN, BRACKET_OPEN):
            if depth == DEPTH_MAX:
                return TOO_DEEP
            stack[depth, 0], stack[depth, 1], stack[depth, 2] = owner, name, in_object
            depth += 1
            in_object = 1 if c == BRACE_OPEN else 0
            if in_object:
                owner, name, wants_name = count - 1, -1, True
            else:
                wants_name = False
        elif c in (BRACE_CLOSE, BRACKET_CLOSE) and depth > 0:
            depth -= 1
            owner, name, in_object = stack[depth, 0], stack[depth, 1], stack[depth, 2]
            wants_name = False
        elif c == COMMA:
            wants_name = in_object == 1
        elif c == COLON:
            wants_name = False
        elif kind == NAME:
            name = count - 1
        i = end
    return count
