"""Request ids: sortable by time, unguessable, safe in a URL and a header."""

from __future__ import annotations

import os

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u


def request_id(wall_s: float) -> str:
    """``req_`` and 26 characters: 48 bits of milliseconds, then 80 random bits (as in ULID)."""
    value = (int(wall_s * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    return "req_" + "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
