"""
Edit top-level members of a JSON object by splicing bytes; everything else stays byte for byte.

A name is compared as JSON means it, not as it is written: ``"mod\\u0065l"`` is ``model``. Otherwise
a client could hide a second model behind the one that was decided on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.core.errors import InvalidRequest
from gateway.wire.decode import decode
from kernels.json_spans import member_spans

MEMBERS_MAX = 256  # the largest documented request of any dialect has about 40

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREAD = np.empty((MEMBERS_MAX, 4), np.int64)  # where only their number is asked for

Span = list[int]  # key start, key end, value start, value end


def count(body: bytes) -> int:
    """How many members *body*, a valid JSON object, has. Raises InvalidRequest as ``spans``."""
    return _found(body, _UNREAD)


def spans(body: bytes) -> list[Span]:
    """
    Where the members of *body*, a valid JSON object, begin and end, in order.

    Raises:
        InvalidRequest: more than MEMBERS_MAX members.
    """
    found = np.empty((MEMBERS_MAX, 4), np.int64)
    rows: list[Span] = found[: _found(body, found)].tolist()
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
        InvalidRequest: a name that no parser can read, or one that occurs twice. Parsers disagree
            which of the two counts, so what we judged might not be what the upstream reads.
    """
    members = decode(OBJECT, body)
    if len(members) < count(body):
        names = [name_of(body, span) for span in spans(body)]
        twice = next(name for row, name in enumerate(names) if name in names[:row])
        raise InvalidRequest("A member occurs twice in the body.", param=twice)
    return {name: bytes(value) for name, value in members.items() if name not in known}


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


def _found(body: bytes, rows: NDArray[np.int64]) -> int:
    """Write the spans of *body* into *rows*; how many."""
    members: int = member_spans(np.frombuffer(body, np.uint8), rows)
    if members == -1:
        raise InvalidRequest(f"The body has more than {MEMBERS_MAX} members.")
    if members == -2:
        raise InvalidRequest("The body must be a JSON object.")
    return members


def _frame(body: bytes, rows: list[Span]) -> tuple[bytes, bytes]:
    """What stands before the first member and behind the last."""
    if rows:
        return body[: rows[0][0]], body[rows[-1][3] :]
    close = body.rindex(b"}")
    return body[:close], body[close:]
