"""Count the members of every object in a JSON text, nested ones too."""

from __future__ import annotations

from kernels.jit import kernel
from kernels.json_spans import COLON, QUOTE, string_end


@kernel("int64(Array(uint8, 1, 'C', readonly=True))")
def members_at_any_depth(text):
    """
    How many members the objects in *text* have, all together.

    A parser that keeps one of two members of the same name hides the other; comparing this count
    with that of what the parser gave shows that there were two.

    Args:
        text: uint8[n], read-only: the UTF-8 of one JSON value that a parser has accepted.

    Returns:
        The colons outside strings, 0 to n. Text that is no JSON gives a count without meaning.
    """
    colons = 0
    i = 0
    while i < text.size:
        if text[i] == QUOTE:
            i = string_end(text, i)
            continue
        if text[i] == COLON:
            colons += 1
        i += 1
    return colons
