"""A stream after its first content: bytes to the client as they come, until somebody ends it."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from gateway.core.errors import Draining, SwitchyardError, UpstreamTimeout, UpstreamUnavailable
from gateway.core.fleet import Deployment
from gateway.core.outcome import Ending, Failure
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.breaker import Permit
from gateway.execute.failures import words_of
from gateway.execute.feeds import Feed, usage_of
from gateway.execute.silence import Silence
from gateway.execute.standing import Standing
from gateway.execute.tally import Tally
from gateway.wire.dialect import Dialect

# After the dialect's proper end the HTTP body should end at once, which lets us keep the
# connection; a client is not made to wait longer for that.
END_GRACE_S: Final = 0.2
TPOT_TOKENS_MIN: Final = 8  # fewer say more about the network than about the model


class Source(msgspec.Struct, frozen=True):
    """Where a stream comes from, and what is known of it when it is handed over."""

    deployment: Deployment
    standing: Standing
    client: Dialect
    response: UpstreamResponse
    feed: Feed
    head: bytes  # what was held back until the answer began
    request_id: str
    tokens_in: int  # as decided on, for an upstream that reports none
    start_s: float  # of the attempt
    first_s: float  # when the answer began
    until_s: float  # deadline of the whole stream
    key_id: str = ""  # of the tenant's own key


class Relay:
    """
    The stream of one reply: iterate it, and ``aclose`` it in any case, also unstarted. Each piece
    is whole events, to be written and flushed at once.

    It ends with the dialect's proper end, or with an error event and never with both; the outcome
    is told by then, or by ``aclose``, which ends the upstream's call. A reader that is cancelled
    closes too: only it knows who has left.

    The mutable state: *_head*, which is still to be given, and *_over*.
    """

    def __init__(self, source: Source, tally: Tally) -> None:
        self._source = source
        self._tally = tally
        self._feed = source.feed
        self._head = source.head
        self._over = False
        self._silence = Silence(
            source.deployment.timeouts.inter_token_s,
            max(0.0, source.until_s - tally.clock.monotonic()),
        )

    def __aiter__(self) -> Relay:
        """The relay is its own iterator: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """The next whole events."""
        if self._head:
            head, self._head = self._head, b""
            return head
        while not self._over:
            piece = await self._more()
            if piece:
                return piece
        raise StopAsyncIteration

    async def aclose(self, *, draining: bool = False) -> None:
        """
        Nobody reads on: tell the upstream to stop. The client has gone, though perhaps with the
        whole answer; *draining*: we have cut it off. After the end: no effect.
        """
        if self._feed.over and not self._feed.unfinished and not self._head:
            self._end(Ending.COMPLETE)
        elif draining:
            self._end(Ending.TRUNCATED, Failure.ABANDONED, error=Draining.code)
        else:
            self._end(Ending.CLIENT_GONE, Failure.ABANDONED)

    async def _more(self) -> bytes:
        """What the client gets next; b"" when nothing of it is for the client, or at the end."""
        feed = self._feed
        try:
            if feed.over:
                await self._finish()
                return b""
            chunk = await self._silence.wait(self._source.response.read())
            piece = feed.take(chunk) if chunk else feed.close()
        except TimeoutError:
            return self._break_off(UpstreamTimeout("The provider fell silent."), Failure.LATE)
        except TransportError as error:
            words = "The provider broke off its answer."
            return self._break_off(UpstreamUnavailable(words), Failure.BROKEN, str(error))
        except SwitchyardError as error:  # an event above the limit
            return self._break_off(error, Failure.BROKEN)
        if feed.problem is not None:  # the piece ends with the upstream's own error event
            words = words_of(feed.problem)
            self._end(Ending.TRUNCATED, Failure.BROKEN, words, error="provider_error")
        elif feed.unfinished:
            return piece + self._break_off(UpstreamUnavailable(feed.unfinished), Failure.BROKEN)
        return piece

    async def _finish(self) -> None:
        """The client has the whole answer; what is left is to keep the connection."""
        try:
            async with asyncio.timeout(END_GRACE_S):
                while await self._source.response.read():
                    pass
        except (TimeoutError, TransportError):
            pass  # the answer is whole all the same
        self._end(Ending.COMPLETE)

    def _break_off(self, error: SwitchyardError, failure: Failure, words: str = "") -> bytes:
        """The last event of an answer that is not whole."""
        self._end(Ending.TRUNCATED, failure, words or error.message, error=error.code)
        return self._source.client.stream_error(error, self._source.request_id)

    def _end(
        self, ending: Ending, failure: Failure | None = None, words: str = "", *, error: str = ""
    ) -> None:
        """Let go of the upstream and tell everybody, once."""
        if self._over:
            return
        self._over = True
        source, feed, tally = self._source, self._feed, self._tally
        source.response.close()
        self._silence.stop()
        ttft_s = source.first_s - source.start_s
        usage = usage_of(feed, source.tokens_in)
        if failure is None or failure is Failure.ABANDONED:
            streamed_s = tally.clock.monotonic() - source.first_s
            known = ending is Ending.COMPLETE and usage.tokens_out >= TPOT_TOKENS_MIN
            tpot_s = streamed_s / (usage.tokens_out - 1) if known else None
            source.standing.succeeded(Permit.NORMAL, ttft_s=ttft_s, tpot_s=tpot_s)
        else:
            source.standing.failed(Permit.NORMAL, failure)
        tally.attempted(
            source.deployment,
            source.start_s,
            status=source.response.status,
            failure=failure,
            ttft_s=ttft_s,
            message=words,
            key_id=source.key_id,
        )
        tally.end(
            ending,
            status=200,
            deployment=source.deployment,
            finish=feed.finish,
            usage=usage,
            first_byte_s=source.first_s,
            error=error,
        )
