"""The load generator measures what it says."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench import fake_upstream
from bench.open_loop import Connection, Run, schedule


class Deaf:
    """A transport that nobody listens to."""

    def write(self, data):
        """Into nothing."""


def connection(run):
    """A connection that has sent a request."""
    found = Connection(run)
    found.connection_made(Deaf())
    found.send(time.perf_counter(), b"")
    run.pending = 1
    return found


def stream(events):
    """The bytes of an answer with so many events."""
    event = fake_upstream.EVENT % (fake_upstream.MARK + b'%019d"' % time.monotonic_ns())
    chunks = [fake_upstream.chunk(event)] * events
    last = fake_upstream.chunk(fake_upstream.LAST) + b"0\r\n\r\n"
    return fake_upstream.STREAM_HEAD + b"".join(chunks) + last


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000])
def test_events_are_found_wherever_the_bytes_are_cut(piece):
    """Each event counts once, and the answer ends at its last chunk."""
    run, data = Run(0, []), stream(3)
    mine = connection(run)
    for at in range(0, len(data), piece):
        mine.data_received(data[at : at + piece])

    assert len(run.result.events_s) == 3
    assert len(run.result.latencies_s) == len(run.result.ttfb_s) == 1
    assert run.result.failed == 0
    assert run.idle == [mine]


@pytest.mark.parametrize("piece", [1, 64, 10_000])
def test_a_whole_answer_ends_with_its_length(piece):
    """Its connection is free for the next request."""
    run = Run(0, [])
    mine = connection(run)
    for at in range(0, len(fake_upstream.WHOLE), piece):
        mine.data_received(fake_upstream.WHOLE[at : at + piece])

    assert len(run.result.latencies_s) == 1
    assert run.idle == [mine]


def test_other_statuses_are_failures():
    """A server that refuses fast is not a fast server."""
    run = Run(0, [])
    connection(run).data_received(b"HTTP/1.1 503 x\r\ncontent-length: 2\r\n\r\n{}")

    assert run.result.failed == 1
    assert run.result.latencies_s == []


def test_a_lost_connection_is_a_failure():
    """Whoever waited on it gets no answer."""
    run = Run(0, [])
    mine = connection(run)
    run.opened.add(mine)
    mine.connection_lost(None)

    assert run.result.failed == 1
    assert run.opened == set()


def test_schedules_repeat():
    """Every server gets the same bursts, at about the rate that was asked for."""
    due_s = schedule(100, 10.0)

    assert due_s == schedule(100, 10.0)
    assert due_s == sorted(due_s)
    assert 900 < len(due_s) < 1100
    assert due_s[-1] < 10.0


async def test_a_run_against_the_fake_upstream():
    """Requests go out, answers come back, and connections are used again."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(fake_upstream.Upstream, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    run = Run(port, [b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"])

    result = await run.measure([0.0, 0.0, 0.001])
    server.close()

    assert len(result.latencies_s) == 3
    assert result.failed == 0
