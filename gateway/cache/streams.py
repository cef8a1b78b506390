"""Streams on their way into the cache, and out of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.core.pieces import Pieces
from gateway.wire.sse import Splitter

PIECE_OVERHEAD_BYTES: Final = 48  # of the object that holds one, and its place in a list
PIECE_BYTES: Final = 16_384  # whole events are written together up to about this


class Room:
    """Bytes that all streams take together while they are collected: *used* of *most*."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def take(self, size: int) -> bool:
        """Whether there were *size* more; they are then used."""
        if self.used + size > self.most:
            return False
        self.used += size
        return True

    def free(self, size: int) -> None:
        """Give *size* back."""
        self.used -= size


class Collected:
    """
    A stream that is passed on unchanged and collected on the way, while it has at most *bytes_max*
    bytes and the *room* has place for it; *body* is then None.

    The mutable state: *_pieces* so far, None when they are too many or the stream is closed, and
    the *_taken* of the room.
    """

    def __init__(self, stream: Pieces, bytes_max: int, room: Room) -> None:
        self._stream = stream
        self._bytes_max = bytes_max
        self._room = room
        self._pieces: list[bytes] | None = []
        self._taken = 0

    @property
    def body(self) -> bytes | None:
        """All that has come so far; None when that is too much."""
        return None if self._pieces is None else b"".join(self._pieces)

    def __aiter__(self) -> Collected:
        """It can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """The next whole events."""
        piece = await self._stream.__anext__()
        if self._pieces is not None:
            self._pieces.append(piece)
            size = len(piece) + PIECE_OVERHEAD_BYTES
            if self._taken + size > self._bytes_max or not self._room.take(size):
                self._forget()
            else:
                self._taken += size
        return piece

    async def aclose(self, *, draining: bool = False) -> None:
        """Close what is passed on; what was collected is then needed no more."""
        try:
            await self._stream.aclose(draining=draining)
        finally:
            self._forget()

    def _forget(self) -> None:
        self._pieces = None
        self._room.free(self._taken)
        self._taken = 0


class Replay:
    """A kept stream, event by event as it came, but without its pauses."""

    def __init__(self, body: bytes) -> None:
        self._pieces = pieces_of(body)

    def __aiter__(self) -> Replay:
        """It can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """The next whole events."""
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self, *, draining: bool = False) -> None:
        """Nothing is held."""


def pieces_of(body: bytes) -> Iterator[bytes]:
    """*body*, the events of a stream, in pieces of whole events; joined they are *body*."""
    splitter = Splitter(max(1, len(body)))
    pending: list[bytes] = []
    size = 0
    for event in (*splitter.feed(body), splitter.rest()):
        pending.append(event)
        size += len(event)
        if size >= PIECE_BYTES:
            yield b"".join(pending)
            pending, size = [], 0
    if size:
        yield b"".join(pending)
