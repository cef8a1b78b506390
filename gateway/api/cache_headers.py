"""
The headers that tell of the response cache: LockLLM's words, and the same in ours, with the
standard ``Age``. Nothing is said to who did not ask for it.
"""

from __future__ import annotations

from gateway.api.header_text import header_text
from gateway.cache.note import Note, Status
from gateway.core.money import usd_text

Headers = list[tuple[str, str]]

LOCKLLM_CACHE_NAMES = ("Cache-Status", "Cache-Age", "Tokens-Saved", "Cost-Saved")  # USD, seconds
OUR_CACHE_NAMES = (*LOCKLLM_CACHE_NAMES, "Cache-Reason")


def our_cache_headers(note: Note | None) -> Headers:
    """What is to be said, with the reason of a bypass."""
    if note is None:
        return []
    headers = [("X-Switchyard-Cache-Status", note.status.value)]
    if note.reason:
        headers.append(("X-Switchyard-Cache-Reason", header_text(note.reason)))
    if note.saved is not None:
        headers += _saved("X-Switchyard-", note)
        headers.append(("Age", str(int(note.saved.age_s))))
    return headers


def lockllm_cache_headers(note: Note | None) -> Headers:
    """The same for a client of LockLLM's, which knows HIT and MISS."""
    if note is None:
        return []
    status = Status.MISS if note.status is Status.BYPASS else note.status
    return [("X-LockLLM-Cache-Status", status.value), *_saved("X-LockLLM-", note)]


def _saved(prefix: str, note: Note) -> Headers:
    """Of a hit: how old it is, and what it saved."""
    if note.saved is None:
        return []
    return [
        (prefix + "Cache-Age", str(int(note.saved.age_s))),
        (prefix + "Tokens-Saved", str(note.saved.tokens)),
        (prefix + "Cost-Saved", usd_text(note.saved.cost_nano_usd)),
    ]
