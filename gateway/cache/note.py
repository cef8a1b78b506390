"""What a reply says of the cache."""

from __future__ import annotations

import enum

import msgspec

from gateway.core.outcome import Saved


class Status(enum.StrEnum):
    """Whether the answer came from the cache."""

    HIT = "HIT"
    MISS = "MISS"
    BYPASS = "BYPASS"  # it may not come from there, nor go there


class Note(msgspec.Struct, frozen=True):
    """*reason*: of a bypass, one word. *saved*: of a hit."""

    status: Status
    reason: str = ""
    saved: Saved | None = None
