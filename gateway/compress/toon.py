"""
JSON to TOON, a notation with fewer quotes, braces and repeated names (toonformat.dev).

A list of like objects becomes a table with its names said once. Nothing is lost: what comes back
out is compared with what went in, and a text that TOON cannot carry whole stays as it is.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import toon_format

JSON_CHARS_MAX = 524_288  # 0.2 s to write and to read again; a longer text stays as it is


def to_toon(text: str) -> str | None:
    """
    *text*, one JSON object or array with white space around it or none, in TOON; None when it is
    no such thing, when it is empty or too long, or when TOON would not give back the same value.

    The value is what counts, as in JSON: ``1.0`` may come out as ``1``, but a number that a float
    cannot hold, or a name that occurs twice in one object, leaves the text untouched.
    """
    trimmed = text.strip()
    if not trimmed.startswith(("{", "[")) or len(trimmed) > JSON_CHARS_MAX:
        return None
    try:
        value = _DECODER.decode(trimmed)
        written = toon_format.encode(value)
        same = bool(written) and toon_format.decode(written) == value
    except (ValueError, RecursionError):  # no JSON, nested too deeply, a lone surrogate
        return None
    return written if same else None


def _exact(digits: str) -> float:
    """The float that *digits* spell. Raises ValueError where it is another number."""
    value = float(digits)
    if Decimal(digits) != Decimal(repr(value)):
        raise ValueError(digits)
    return value


def _constant(name: str) -> float:
    """Raises ValueError: NaN and Infinity are not JSON."""
    raise ValueError(name)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its *members*. Raises ValueError when a name occurs twice."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a name occurs twice")
    return found


_DECODER = json.JSONDecoder(parse_float=_exact, parse_constant=_constant, object_pairs_hook=_unique)
