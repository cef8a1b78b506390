"""Tests of gateway.wire.sse."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import sse
from gateway.wire.sse import EventTooLarge, Splitter
from tests.gateway.wire import golden

LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
LINES = st.sampled_from([b"", b"data: x", b"data:y", b": note", b"event: e", b"data: \xc3\xa9"])


def split(chunks: list[bytes], limit: int = 1 << 20) -> tuple[list[bytes], bytes]:
    """The events of a stream that came as *chunks*, and what was torn at its end."""
    splitter = Splitter(limit)
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events, splitter.rest()


@pytest.mark.parametrize("name", golden.STREAMS)
def test_split_at_every_point(name: str) -> None:
    """Wherever a stream is cut in two, the events are the same, and joined they are the stream."""
    stream = golden.read(name)
    whole = split([stream])

    for at in range(len(stream) + 1):
        assert split([stream[:at], stream[at:]]) == whole
    assert b"".join(whole[0]) + whole[1] == stream


@pytest.mark.parametrize("name", golden.STREAMS)
def test_split_byte_by_byte(name: str) -> None:
    """Single bytes, the smallest chunks there are, give the same events."""
    stream = golden.read(name)

    assert split([bytes([byte]) for byte in stream]) == split([stream])


@given(st.lists(st.tuples(LINES, LINE_ENDS), max_size=12), st.data())
def test_split_is_independent_of_chunks(
    lines: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    """Any mixture of line ends in any chunks gives the events of the whole stream."""
    stream = b"".join(line + end for line, end in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    bounds = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(bounds)]

    events, rest = split(chunks)

    assert (events, rest) == split([stream])
    assert b"".join(events) + rest == stream


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_split_knows_every_line_end(end: bytes) -> None:
    """LF, CR and CRLF end lines alike; a CR counts as soon as something follows."""
    stream = b"data: a" + 2 * end + b"data: b" + 2 * end + b":"

    assert split([stream]) == ([b"data: a" + 2 * end, b"data: b" + 2 * end], b":")


def test_split_leaves_a_last_carriage_return_open() -> None:
    """An LF may still follow the last CR, so the event stays in the rest."""
    assert split([b"data: a\r\r"]) == ([], b"data: a\r\r")


def test_split_keeps_a_torn_event() -> None:
    """What has no terminator is no event, but is not lost."""
    assert split([b"data: a\n\nda", b"ta: b\n"]) == ([b"data: a\n\n"], b"data: b\n")


@pytest.mark.parametrize(
    "chunks", [[b"data: 123456\n\n"], [b"data: 1", b"23456"], [b"data: 123456"]]
)
def test_split_refuses_a_large_event(chunks: list[bytes]) -> None:
    """An event above the limit is an error, whether it is complete or not, in one chunk or many."""
    with pytest.raises(EventTooLarge, match=r"an event of at least 1[24] bytes; the limit is 10\."):
        split(chunks, limit=10)


def test_split_takes_an_event_of_the_limit() -> None:
    """The limit itself is allowed, however many such events one chunk holds."""
    assert split([b"data: 12\n\n" * 3], limit=10)[0] == [b"data: 12\n\n"] * 3


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: x\r\n\r\n", b"x"),
        (b"data: x\r\r", b"x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data: a\rdata: b\n\n", b"a\nb"),
        (b"event: e\ndata: x\n\n", b"x"),
        (b"\xef\xbb\xbfdata: x\n\n", b"x"),
        (b"\ndata: x\n\n", b"x"),
        (b": keep-alive\n\n", b""),
        (b"database: x\n\n", b""),
        (b"", b""),
    ],
)
def test_data(event: bytes, data: bytes) -> None:
    """The data lines of an event joined by LF, one space behind the colon removed."""
    assert sse.data(event) == data


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (b"event: ping\ndata: {}\n\n", "ping"),
        (b"data: {}\nevent:ping\n\n", "ping"),
        (b"\xef\xbb\xbfevent: ping\r\n\r\n", "ping"),
        (b"event: a\nevent: b\n\n", "b"),
        (b"event: \xff\n\n", "\ufffd"),
        (b"data: event: x\n\n", ""),
    ],
)
def test_name(event: bytes, name: str) -> None:
    """The last event line counts, wherever it stands."""
    assert sse.name(event) == name


def test_event_of_reads_back() -> None:
    """What is formatted is one event with the same name and data."""
    event = sse.event_of(b'{"a":1}', "ping")

    assert split([event]) == ([event], b"")
    assert (sse.name(event), sse.data(event)) == ("ping", b'{"a":1}')
    assert sse.event_of(b"x") == b"data: x\n\n"


@pytest.mark.parametrize(
    ("event", "well"),
    [
        (b'data: {"a":1}\n\n', True),
        (b"data:{}\n\n", True),
        (b"data: {}\r\n\r\n", True),
        (b"data: {} \n\n", True),
        (b"event: ping\ndata: {}\n\n", True),
        (b"data: {}\nid: 7\n\n", True),
        (b'data: {"a":\ndata: 1}\n\n', True),
        (b"\xef\xbb\xbfdata: {}\n\n", True),
        (b"data: [DONE]\n\n", True),
        (b": keep-alive\n\n", True),
        (b"event: ping\n\n", True),
        (b'data: {"a":1\n\n', False),
        (b'data: {"a"\n\n', False),
        (b"data: a}\n\n", False),
        (b"data: {\n\n", False),
        (b"data: []\n\n", False),
        (b"data: Bad Gateway\n\n", False),
        (b'event: x\ndata: "a"\n\n', False),
    ],
)
def test_well_formed(event: bytes, well: bool) -> None:
    """Data is an object as far as its first and last byte tell, the sentinel, or not there."""
    assert sse.well_formed(event) is well
