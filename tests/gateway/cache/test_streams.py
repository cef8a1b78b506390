"""Streams into the cache and out of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.streams import PIECE_BYTES, Collected, Replay, Room, pieces_of
from tests.fakes.upstream import DONE, ROLE, chat_event


class Pieces:
    """A stream of *pieces* that knows whether it was closed, and how."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces: Iterator[bytes] = iter(pieces)
        self.closed: list[bool] = []

    def __aiter__(self):
        return self

    async def __anext__(self):
        for piece in self.pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self, *, draining=False):
        """Nobody reads on."""
        self.closed.append(draining)


async def test_a_stream_is_collected_as_it_passes():
    """Who reads it sees no difference."""
    stream = Pieces(b"a", b"b", b"c")
    room = Room(1000)
    collected = Collected(stream, 1000, room)

    assert [piece async for piece in collected] == [b"a", b"b", b"c"]
    assert collected.body == b"abc"
    assert room.used >= 3
    await collected.aclose(draining=True)
    assert stream.closed == [True]
    assert room.used == 0


@pytest.mark.parametrize(("bytes_max", "place"), [(120, 1000), (1000, 120)])
async def test_a_long_stream_passes_uncollected(bytes_max, place):
    """What is above its own limit, or that of all together, takes no memory."""
    room = Room(place)
    collected = Collected(Pieces(b"ab", b"cd", b"e" * 100), bytes_max, room)

    assert b"".join([piece async for piece in collected]) == b"abcd" + b"e" * 100
    assert collected.body is None
    assert room.used == 0
    await collected.aclose()
    assert room.used == 0


@pytest.mark.parametrize("ends", [b"\n\n", b"\r\n\r\n", b"\r\r"])
async def test_a_replay_is_the_same_events(ends):
    """All bytes, in pieces that end where an event ends."""
    event = b"data: " + b"x" * 1000
    body = (event + ends) * 50
    pieces = [piece async for piece in Replay(body)]

    assert b"".join(pieces) == body
    assert len(pieces) == 3
    assert all(len(piece) <= PIECE_BYTES + 1100 for piece in pieces)
    assert all(piece.endswith(ends) for piece in pieces)


async def test_a_closed_replay_harms_nobody():
    """There is nothing to let go of."""
    replay = Replay(ROLE + chat_event("Hello") + DONE)
    await replay.aclose()

    assert [piece async for piece in replay] == [ROLE + chat_event("Hello") + DONE]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\n\n", b"data: {}\n\n"]), max_size=20))
def test_nothing_gets_lost(parts):
    """Whatever bytes were kept."""
    body = b"".join(parts)

    assert b"".join(pieces_of(body)) == body
