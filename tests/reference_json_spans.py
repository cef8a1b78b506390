"""Naive twin of kernels/json_spans.py: the standard library's own scanner, step by step."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring

_WHITE = re.compile(r"[ \t\r\n]*")


def member_spans(text: str) -> list[list[int]] | None:
    """
    Byte offsets of key and value of every top-level member of the JSON *text*, ends exclusive;
    None when it is no object.
    """
    at = _WHITE.match(text).end()
    if text[at] != "{":
        return None
    rows = []
    at = _WHITE.match(text, at + 1).end()
    while text[at] != "}":
        key_end = scanstring(text, at + 1)[1]
        value = _WHITE.match(text, _WHITE.match(text, key_end).end() + 1).end()
        value_end = json.JSONDecoder().raw_decode(text, value)[1]
        rows.append([len(text[:k].encode()) for k in (at, key_end, value, value_end)])
        at = _WHITE.match(text, value_end).end()
        if text[at] == ",":
            at = _WHITE.match(text, at + 1).end()
    return rows
