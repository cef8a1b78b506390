"""The simulated provider as a transport: what ``provider`` answers, at the pace of a model."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from urllib.parse import urlsplit

from gateway.core.clock import Clock, SystemClock
from gateway.core.transport import TransportError
from gateway.simulated.pace import pace_of
from gateway.simulated.provider import reply_to
from gateway.simulated.reply import Reply

Sleep = Callable[[float], Awaitable[None]]
JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


class SimulatedTransport:
    """
    See ``Transport``; it reaches ``simulated://provider`` and nothing else, and opens no socket.

    *speed* is a factor: 1 is as fast as such models are, 2 twice as fast, 0 without any pause. It
    may be set at any time, for the answers after it.
    """

    def __init__(
        self, speed: float, clock: Clock | None = None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.speed = speed
        self._clock = clock or SystemClock()
        self._sleep = sleep

    async def send(
        self,
        method: str,
        url: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        *,
        connect_s: float,
    ) -> SimulatedResponse:
        """
        Answer after the time to the first token; a whole answer after that of all its tokens.

        There is no connection to wait for, and credentials are not looked at.
        """
        request_id = "req_" + hashlib.blake2b(body, digest_size=12).hexdigest()
        reply = reply_to(
            method, url, body, created_s=int(self._clock.wall()), request_id=request_id
        )
        pace = pace_of(urlsplit(url).netloc, reply.model)
        scale = 1 / self.speed if self.speed > 0 and reply.status == 200 else 0.0
        ttft_s, pause_s = pace.ttft_s * scale, pace.pause_s * scale
        if reply.pieces is not None:
            return SimulatedResponse(reply, request_id, (ttft_s, pause_s), self._sleep)
        if ttft_s > 0:
            await self._sleep(ttft_s + reply.tokens * pause_s)
        return SimulatedResponse(reply, request_id, (0.0, 0.0), self._sleep)


class SimulatedResponse:
    """
    See ``UpstreamResponse``: one read gives the whole answer, or one token of a stream.

    *pauses_s*: before the first read, and before each of the others.
    """

    def __init__(
        self, reply: Reply, request_id: str, pauses_s: tuple[float, float], sleep: Sleep
    ) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = {
            "content-type": JSON if reply.pieces is None else EVENTS,
            "request-id": request_id,
            "x-request-id": request_id,
            "x-simulated": "true",
        }
        self._pieces: Iterator[bytes] = reply.pieces or iter((reply.body,))
        self._pauses_s = pauses_s
        self._sleep = sleep
        self._begun = False
        self._waiting: asyncio.Future[None] | None = None
        self._closed = False

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises TransportError once closed."""
        pause_s = self._pauses_s[self._begun]
        piece = b"" if self._closed else next(self._pieces, b"")
        self._begun = True
        if piece and pause_s > 0:
            await self._wait(pause_s)
        if self._closed:
            raise TransportError("lost", "The simulated answer was closed.")
        return piece

    def close(self) -> None:
        """Stop at once, also a read that is waiting."""
        self._closed = True
        self._pieces = iter(())
        if self._waiting is not None:
            self._waiting.cancel()

    async def _wait(self, pause_s: float) -> None:
        self._waiting = asyncio.ensure_future(self._sleep(pause_s))
        try:
            await asyncio.wait((self._waiting,))
        finally:
            self._waiting.cancel()
            self._waiting = None
