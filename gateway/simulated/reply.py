"""What the simulated provider answers, before it is paced."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Reply(msgspec.Struct):
    """
    A whole *body*, or the *pieces* of a stream, one token each. *tokens* of the answer take time.
    """

    model: str
    body: bytes = b""
    tokens: int = 0
    pieces: Iterator[bytes] | None = None
    status: int = 200
