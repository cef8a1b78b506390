"""
Answers in Redis, for all replicas that share it. Its time to live ends every entry, and its own
``maxmemory`` bounds them all. Nobody waits for it, and nothing fails when it is not there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.cache.entry import Entry
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

PREFIX: Final = b"switchyard:answer:1:"  # the number is of the shape of an entry
READ_S: Final = 0.25  # the first one connects; a late answer serves the next request
WRITE_S: Final = 1.0
PAUSE_S: Final = 1.0  # after a failure nobody asks
READS_MAX: Final = 32  # at a time; connections as many, and as many again for writing
WRITES_MAX: Final = 16
WRITING_BYTES_MAX: Final = 8 * 2**20  # waiting to be written; more is not kept here

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)

Counts = Counter[tuple[str, str]]  # operation (read, write) and result -> how often


class Shared:
    """
    For one event loop. The mutable state: *counts*, *_reads* in progress, *_writes* with their
    *_writing_bytes*, and *_paused_s*, until when nobody asks.

    Results of reading: hit, miss, failed, skipped. Of writing: ok, failed, skipped.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        """
        *url* as Redis has it; nothing is connected before the first use.

        Raises:
            Unavailable: the client library is not installed, or *url* is none.
        """
        self.counts: Counts = Counter()
        self._redis = client_of(url)
        self._clock = clock
        self._reads = 0
        self._writes: set[asyncio.Task[None]] = set()
        self._writing_bytes = 0
        self._gate = asyncio.Semaphore(WRITES_MAX)
        self._paused_s = 0.0

    async def get(self, key: bytes) -> Entry | None:
        """The entry of *key*; None where there is none, or nobody knows. Never raises an error."""
        if self._reads >= READS_MAX or self._paused:
            self.counts["read", "skipped"] += 1
            return None
        self._reads += 1
        try:
            async with asyncio.timeout(READ_S):
                found = await self._redis.get(PREFIX + key)
            entry = _DECODER.decode(found) if isinstance(found, bytes) else None
        except Exception as error:  # noqa: BLE001 - whatever it is: there is no entry
            self._failed("read", error)
            return None
        finally:
            self._reads -= 1
        self.counts["read", "miss" if entry is None else "hit"] += 1
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Write *entry* in the background, unless too much waits for that."""
        if self._paused or self._writing_bytes + entry.size > WRITING_BYTES_MAX:
            self.counts["write", "skipped"] += 1
            return
        self._writing_bytes += entry.size
        task = asyncio.create_task(self._write(key, entry))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def close(self) -> None:
        """Wait a little for what is being written, and disconnect."""
        writes = tuple(self._writes)
        if writes:
            await asyncio.wait(writes, timeout=WRITE_S)
        for task in writes:
            task.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
        await self._redis.aclose()

    async def _write(self, key: bytes, entry: Entry) -> None:
        try:
            async with self._gate, asyncio.timeout(WRITE_S):
                left_ms = int((entry.until_s - self._clock.wall()) * 1000)
                if left_ms > 0:
                    await self._redis.set(PREFIX + key, _ENCODER.encode(entry), px=left_ms)
            self.counts["write", "ok"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is: nothing is kept there
            self._failed("write", error)
        finally:
            self._writing_bytes -= entry.size

    @property
    def _paused(self) -> bool:
        return self._clock.monotonic() < self._paused_s

    def _failed(self, operation: str, error: Exception) -> None:
        """Count it, and leave Redis alone for a while; one log line for each pause."""
        self.counts[operation, "failed"] += 1
        if not self._paused:
            log.warning("the shared cache: %s failed with %s", operation, type(error).__name__)
        self._paused_s = self._clock.monotonic() + PAUSE_S


def client_of(url: str) -> Redis:
    """
    A client that gives up at once: whoever asks has something better to do than to try again.

    Raises:
        Unavailable: the client library is not installed, or *url* is none.
    """
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise Unavailable("state.redis_url needs the package redis.") from None
    try:
        return Redis.from_url(
            url,
            max_connections=READS_MAX + WRITES_MAX,
            socket_connect_timeout=WRITE_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise Unavailable("state.redis_url is no URL of a Redis.") from None
