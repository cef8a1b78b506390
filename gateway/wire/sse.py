"""Server-sent events as bytes: split a stream into whole events, look into one, format one."""

from __future__ import annotations

import re

from gateway.core.errors import UpstreamError

# A line ends in CRLF, LF or CR, an event in two line ends. A CR counts only when the next byte is
# known, because an LF there belongs to it.
TERMINATOR = re.compile(rb"(?:\r\n|\n|\r(?=[^\n])){2}")
TERMINATOR_BYTES_MAX = 4
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OBJECT_ENDS = (b"}\n\n", b"}\r\n\r\n")
NAME_BYTES = 64  # where data begins behind an event's name; one with more is only slower to check


class EventTooLarge(UpstreamError):
    """An upstream sent an event above the limit; the message carries both numbers."""

    code = "event_too_large"


class Splitter:
    """
    Splits a stream of chunks into events, each with its terminator; joined they are the stream.

    The mutable state is what came since the last terminator, as pieces, so that tiny chunks cost
    their own length only.
    """

    def __init__(self, event_bytes_max: int) -> None:
        self._limit = event_bytes_max
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._tail = b""  # last bytes of the pieces: a terminator may span chunks

    def feed(self, chunk: bytes) -> list[bytes]:
        """
        The events that *chunk* completes, in order.

        Raises:
            EventTooLarge: an event, complete or not, has more than ``event_bytes_max`` bytes.
        """
        whole = chunk.endswith(b"\n\n") and not chunk.endswith(b"\n\n\n")  # no half terminator
        if whole and not self._pieces and b"\r" not in chunk:
            return self._whole(chunk)
        window = self._tail + chunk
        if TERMINATOR.search(window) is None:
            self._keep(chunk, window)
            return []
        begin = max(0, self._bytes - len(self._tail))
        text = b"".join((*self._pieces, chunk)) if self._pieces else chunk
        return self._cut(text, begin)

    def _whole(self, chunk: bytes) -> list[bytes]:
        """The events of a chunk that holds whole ones only, the usual case."""
        if chunk.find(b"\n\n") == len(chunk) - 2:
            return [self._checked(chunk)]
        return [self._checked(event + b"\n\n") for event in chunk[:-2].split(b"\n\n")]

    def rest(self) -> bytes:
        """
        What came since the last complete event. At the end of the stream that is a torn event, or
        a whole one whose last line ends in CR, as an LF might have followed.
        """
        return b"".join(self._pieces)

    def _cut(self, text: bytes, begin: int) -> list[bytes]:
        events: list[bytes] = []
        start = 0
        for found in TERMINATOR.finditer(text, begin):
            events.append(self._checked(text[start : found.end()]))
            start = found.end()
        self._pieces, self._bytes, self._tail = [], 0, b""
        if start < len(text):
            self._keep(text[start:], text[start:])
        return events

    def _keep(self, piece: bytes, window: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._bytes += len(piece)
            self._tail = window[1 - TERMINATOR_BYTES_MAX :]
            if self._bytes > self._limit:
                raise self._too_large(self._bytes)

    def _checked(self, event: bytes) -> bytes:
        if len(event) > self._limit:
            raise self._too_large(len(event))
        return event

    def _too_large(self, size: int) -> EventTooLarge:
        return EventTooLarge(
            f"The upstream sent an event of at least {size} bytes; the limit is {self._limit}."
        )


def data(event: bytes) -> bytes:
    """The ``data`` of *event*, its lines joined by LF; empty for a comment."""
    if event.startswith(b"data: ") and b"\r" not in event:
        line_end = event.find(b"\n")
        if line_end == len(event) - 2:
            return event[6:line_end]
    return b"\n".join(_values(event, b"data"))


def well_formed(event: bytes) -> bool:
    """
    Whether the data of *event*, where it has any, is an object or the sentinel [DONE]. That is told
    by its first and its last byte: a torn object fails, but only a decoder finds every fault.
    """
    if event.endswith(OBJECT_ENDS) and (
        event.startswith(b"data: {") or event.find(b"\ndata: {", 0, NAME_BYTES) > 0
    ):
        return True
    payload = data(event).strip()
    return not payload or payload.startswith(b"[DONE]") or payload[:1] + payload[-1:] == b"{}"


def name(event: bytes) -> str:
    """The ``event`` of *event*, "" without one."""
    values = _values(event, b"event")
    return values[-1].decode("utf-8", "replace") if values else ""


def event_of(payload: bytes, event_name: str = "") -> bytes:
    """Format one event; *payload* has no line end, as JSON without indentation has none."""
    if event_name:
        return b"event: %b\ndata: %b\n\n" % (event_name.encode(), payload)
    return b"data: %b\n\n" % payload


def _values(event: bytes, field: bytes) -> list[bytes]:
    prefix = field + b":"
    return [
        line[len(prefix) :].removeprefix(b" ")
        for line in event.removeprefix(BYTE_ORDER_MARK).splitlines()
        if line.startswith(prefix)
    ]
