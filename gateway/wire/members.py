"""
Edit top-level members of a JSON object by splicing bytes; everything else stays byte for byte.

A name is compared as JSON means it, not as it is written: ``"mod\\u0065l"`` is ``model``. Otherwise
a client could hide a second model behind the one that was decided on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import numpy as np

from gateway.core.errors import InvalidRequest
from kernels.json_spans import member_spans

MEMBERS_MAX = 256  # the largest documented request of any dialect has about 40

Span = list[int]  # key start, key end, value start, value end


def spans(body: bytes) -> list[Span]:
    """
    Where the members of *body*, a valid JSON object, begin and end, in order.

    Raises:
        InvalidRequest: more than MEMBERS_MAX members.
    """
    found = np.empty((MEMBERS_MAX, 4), dtype=np.int64)
    count: int = member_spans(np.frombuffer(body, dtype=np.uint8), found)
    if count == -1:
        raise InvalidRequest(f"The body has more than {MEMBERS_MAX} members.")
    if count == -2:
        raise InvalidRequest("The body must be a JSON object.")
    rows: list[Span] = found[:count].tolist()
    return rows


def name_of(body: bytes, span: Span) -> str:
    """The member's name with its escapes undone."""
    key = body[span[0] : span[1]]
    if b"\\" not in key:
        return key[1:-1].decode()
    try:
        return msgspec.json.decode(key, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest("The name of a member is not valid JSON.") from None


def unknown(body: bytes, known: Collection[str]) -> dict[str, bytes]:
    """
    The members that are not among *known*, by name, as their JSON bytes.

    Raises:
        InvalidRequest: a name occurs twice. Parsers disagree which of the two counts, so what we
            judged might not be what the upstream reads.
    """
    seen: set[str] = set()
    extra: dict[str, bytes] = {}
    for span in spans(body):
        name = name_of(body, span)
        if name in seen:
            raise InvalidRequest("A member occurs twice in the body.", param=name)
        seen.add(name)
        if name not in known:
            extra[name] = body[span[2] : span[3]]
    return extra


def edit(body: bytes, changes: Mapping[str, bytes | None], rows: list[Span] | None = None) -> bytes:
    """
    *body* with members set to JSON bytes, or removed where the change is None.

    A member that is not there is added at the end. Returns the identical object when nothing
    changes. *rows* are the spans of *body* where the caller has them already.
    """
    rows = spans(body) if rows is None else rows
    pending = dict(changes)
    pieces: list[bytes] = []
    untouched = True
    for row, span in enumerate(rows):
        name = name_of(body, span)
        value = body[span[2] : span[3]]
        if name in changes:
            new = pending.pop(name, None)  # None also for a second member of the same name
            untouched &= new == value
            if new is None:
                continue
            value = new
        if pieces:
            pieces.append(body[rows[row - 1][3] : span[0]])
        pieces += (body[span[0] : span[2]], value)
    for name, new in pending.items():
        if new is not None:
            untouched = False
            pieces += (b"," if pieces else b"", msgspec.json.encode(name), b":", new)
    if untouched:
        return body
    head, tail = _frame(body, rows)
    return b"".join((head, *pieces, tail))


def _frame(body: bytes, rows: list[Span]) -> tuple[bytes, bytes]:
    """What stands before the first member and behind the last."""
    if rows:
        return body[: rows[0][0]], body[rows[-1][3] :]
    close = body.rindex(b"}")
    return body[:close], body[close:]
