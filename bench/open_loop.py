"""
An open-loop load generator: requests leave when they are due, whether or not answers came back.

Latency counts from the time a request was due, so a server that stalls is charged for everybody
whom it kept waiting (a closed loop would politely stop asking). The schedule is drawn once from a
seed: every server gets the same bursts.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast

from bench.fake_upstream import MARK

CONNECTIONS_MAX = 256  # beyond it requests wait, and their waiting counts
DRAIN_S = 10.0  # after the last request was due; what is open then has failed
DIGITS = 19


@dataclass
class Result:
    """What one run saw. Times in seconds; *events* are delays of stream events."""

    latencies_s: list[float] = field(default_factory=list)  # to the last byte
    ttfb_s: list[float] = field(default_factory=list)  # to the first byte of the body
    events_s: list[float] = field(default_factory=list)
    failed: int = 0
    elapsed_s: float = 0.0


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.due_s = 0.0
        self.transport: asyncio.Transport
        self._reset()

    def _reset(self) -> None:
        self.busy = False
        self.head = b""
        self.status = 0
        self.missing: int | None = None  # bytes of a body of known length, None: chunked
        self.tail = b""
        self.first_byte_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.lost(self, failed=self.busy)

    def send(self, due_s: float, request: bytes) -> None:
        """Send *request*, which was due at *due_s*."""
        self._reset()
        self.busy = True
        self.due_s = due_s
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if not self.busy:
            return
        now_s = time.perf_counter()
        if not self.status:
            self.head += data
            head, found, data = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            self._read_head(head.lower())
        if data and self.first_byte_s is None:
            self.first_byte_s = now_s
        if self._feed(data):
            self.run.answered(self, now_s)

    def _read_head(self, head: bytes) -> None:
        self.status = int(head[9:12])
        at = head.find(b"\r\ncontent-length:")
        self.missing = None if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])

    def _feed(self, data: bytes) -> bool:
        """Take in a piece of the body; True at its end."""
        if self.missing is not None:
            self.missing -= len(data)
            return self.missing <= 0
        self._find_events(data)
        return self.tail.endswith(b"\r\n0\r\n\r\n")

    def _find_events(self, data: bytes) -> None:
        """Note how long ago each event in *data* was sent; *tail* holds what may be half of one."""
        text, now_ns = self.tail + data, time.monotonic_ns()
        at, done = text.find(MARK), 0
        while at >= 0 and len(text) >= at + len(MARK) + DIGITS:
            done = at + len(MARK) + DIGITS
            sent_ns = int(text[done - DIGITS : done])
            self.run.result.events_s.append((now_ns - sent_ns) / 1e9)
            at = text.find(MARK, done)
        self.tail = text[max(done, len(text) - len(MARK) - DIGITS) :]


class Run:
    """The mutable state of one run: idle connections, waiting requests, results."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.requests = requests
        self.result = Result()
        self.idle: list[Connection] = []
        self.opened: set[Connection] = set()
        self.opening = 0
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()
        self.pending = 0
        self.done = asyncio.Event()

    async def measure(self, due_s: list[float]) -> Result:
        """Send a request at each of *due_s*, seconds from now."""
        loop = asyncio.get_running_loop()
        begun_s = time.perf_counter()
        ahead_s = begun_s - loop.time()  # the two clocks may be the same, or not
        self.pending = len(due_s)
        for row, at_s in enumerate(due_s):
            request = self.requests[row % len(self.requests)]
            loop.call_at(begun_s + at_s - ahead_s, self.send, begun_s + at_s, request)
        try:
            async with asyncio.timeout(due_s[-1] + DRAIN_S):
                await self.done.wait()
        except TimeoutError:
            self.result.failed += self.pending
        self.result.elapsed_s = time.perf_counter() - begun_s
        self.close()
        return self.result

    def send(self, due_s: float, request: bytes) -> None:
        """Send now, on an idle connection or a new one; wait when there are too many."""
        if self.idle:
            self.idle.pop().send(due_s, request)
            return
        self.waiting.append((due_s, request))
        if len(self.opened) + self.opening < CONNECTIONS_MAX:
            self.opening += 1
            task = asyncio.get_running_loop().create_task(self._open())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self), "127.0.0.1", self.port
            )
        except OSError:
            if self.waiting:
                self.waiting.popleft()
                self._ended(failed=True)
            return
        finally:
            self.opening -= 1
        self.opened.add(connection)
        self._next(connection)

    def answered(self, connection: Connection, now_s: float) -> None:
        """A whole answer is there."""
        if connection.status == 200:
            self.result.latencies_s.append(now_s - connection.due_s)
            if connection.first_byte_s is not None:
                self.result.ttfb_s.append(connection.first_byte_s - connection.due_s)
        connection.busy = False
        self._ended(failed=connection.status != 200)
        self._next(connection)

    def lost(self, connection: Connection, *, failed: bool) -> None:
        """A connection has closed; whoever used it has failed."""
        self.opened.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)
        if failed:
            self._ended(failed=True)

    def _next(self, connection: Connection) -> None:
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.idle.append(connection)

    def _ended(self, *, failed: bool) -> None:
        self.result.failed += failed
        self.pending -= 1
        if self.pending == 0:
            self.done.set()

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self.opened):
            connection.busy = False
            connection.transport.abort()


def schedule(rate_per_s: float, seconds: float, seed: int = 1) -> list[float]:
    """When requests are due: independent arrivals at *rate_per_s*, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - load, not secrets
    at_s, due_s = 0.0, list[float]()
    while True:
        at_s += draw.expovariate(rate_per_s)
        if at_s >= seconds:
            return due_s or [0.0]
        due_s.append(at_s)


def run(port: int, requests: list[bytes], rate_per_s: float, seconds: float) -> Result:
    """
    Load the server at *port* for *seconds*, sending *requests* in turn.

    The loop waits in select(), because epoll and uvloop round timers up to a millisecond.
    """
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(_measure(port, requests, schedule(rate_per_s, seconds)))


async def _measure(port: int, requests: list[bytes], due_s: list[float]) -> Result:
    return await Run(port, requests).measure(due_s)
