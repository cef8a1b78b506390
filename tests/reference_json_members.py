"""The slow and obvious twin of kernels/json_members.py."""

from __future__ import annotations

import json


def members_at_any_depth(text: bytes) -> int:
    """How many members the objects in *text* have, as a parser meets them."""
    found = 0

    def count(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found += len(pairs)

    json.loads(text, object_pairs_hook=count)
    return found
