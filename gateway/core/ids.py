"""Request ids: sortable by time, unguessable, safe in a URL and a header."""

from __future__ import annotations

import os
from typing import Final

REQUEST_ID_CHARS: Final = 36


def request_id(wall_s: float) -> str:
    """``req_``, 12 hexadecimal digits of milliseconds, 20 of random bits (as in ULID)."""
    return f"req_{int(wall_s * 1000):012x}{os.urandom(10).hex()}"
