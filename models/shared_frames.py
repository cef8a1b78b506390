"""What gateways and the classifier process that they share say to each other: length, msgpack."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from models.opinion import Opinion

LENGTH_BYTES = 4
FRAME_BYTES_MAX = 1 << 16  # an excerpt is at most four times 3,400 bytes

T = TypeVar("T")


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """The first frame of the server. Both sides must have loaded the same encoder."""

    version: str
    device: str


class Ask(msgspec.Struct, frozen=True, array_like=True):
    """*budget_s*: after so many seconds nobody waits for the answer any more; None: any time."""

    number: int
    text: str
    budget_s: float | None


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """*opinion* is None where there will be none."""

    number: int
    opinion: Opinion | None


_encoder = msgspec.msgpack.Encoder()


def frame_of(message: Hello | Ask | Answer) -> bytes:
    """The bytes of *message* on the wire."""
    content = _encoder.encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


async def read_frame(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """
    The next message.

    Raises:
        OSError: the connection broke, or ended.
        ValueError: that was none of ours.
    """
    try:
        size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        if size > FRAME_BYTES_MAX:
            raise ValueError(f"a frame of {size} bytes, more than {FRAME_BYTES_MAX}")
        return decoder.decode(await reader.readexactly(size))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the other side has closed") from error
