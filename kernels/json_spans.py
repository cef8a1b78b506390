"""Find the members of a JSON object without building it."""

from __future__ import annotations

from kernels.jit import kernel

QUOTE, BACKSLASH, COMMA, COLON = 0x22, 0x5C, 0x2C, 0x3A
BRACE_OPEN, BRACE_CLOSE, BRACKET_OPEN, BRACKET_CLOSE = 0x7B, 0x7D, 0x5B, 0x5D
SPACE = 0x20  # JSON's white space is all at or below it, and nothing else outside strings is


@kernel("int64(Array(uint8, 1, 'C', readonly=True), int64)")
def string_end(text, start):
    """
    Offset just behind the string that opens at *start*; ``text.size`` when it never closes.
    """
    i = start + 1
    while i < text.size:
        if text[i] == QUOTE:
            return i + 1
        i += 2 if text[i] == BACKSLASH else 1
    return text.size


@kernel("int64(Array(uint8, 1, 'C', readonly=True), int64)")
def value_end(text, start):
    """
    Offset just behind the value that begins at *start*, strings and nesting skipped.
    """
    depth = 0
    i = start
    while i < text.size:
        c = text[i]
        if c == QUOTE:
            i = string_end(text, i)
            if depth == 0:
                return i
            continue
        if c in (BRACE_OPEN, BRACKET_OPEN):
            depth += 1
        elif c in (BRACE_CLOSE, BRACKET_CLOSE):
            if depth == 0:
                return i  # behind a number or literal, at the end of the object around it
            depth -= 1
            if depth == 0:
                return i + 1
        elif depth == 0 and (c == COMMA or c <= SPACE):
            return i
        i += 1
    return text.size


@kernel("int64(Array(uint8, 1, 'C', readonly=True), int64[:, ::1])")
def member_spans(text, spans):
    """
    Write the spans of the top-level members of a JSON object into *spans*.

    Args:
        text: uint8[n], read-only: the UTF-8 of one JSON value that a parser has accepted.
        spans: int64[m, 4], overwritten up to the returned row: start and end of the key with its
            quotes, start and end of the value. Ends are exclusive.

    Returns:
        How many members there are, 0 to m; -1 when there are more than m, -2 when *text* is no
        object. Text that is no JSON gives spans without meaning, but inside the text.
    """
    i = 0
    while i < text.size and text[i] <= SPACE:
        i += 1
    if i == text.size or text[i] != BRACE_OPEN:
        return -2
    members = 0
    while True:
        while i < text.size and text[i] != QUOTE and text[i] != BRACE_CLOSE:
            i += 1
        if i == text.size or text[i] == BRACE_CLOSE:
            return members
        if members == spans.shape[0]:
            return -1
        spans[members, 0] = i
        i = string_end(text, i)
        spans[members, 1] = i
        while i < text.size and (text[i] == COLON or text[i] <= SPACE):
            i += 1
        spans[members, 2] = i
        i = value_end(text, i)
        spans[members, 3] = i
        members += 1
