"""The response cache of one process: this process's answers, and those that replicas share."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Final

from gateway.cache.entry import Entry
from gateway.cache.key import key_of
from gateway.cache.memory import Memory
from gateway.cache.note import Status
from gateway.cache.rules import AMBIGUOUS, OFF, Wish, barred, wish_of
from gateway.cache.shared import Shared
from gateway.cache.streams import Room
from gateway.config.cache_schema import CacheSettings
from gateway.core.clock import Clock
from gateway.core.request import Request
from models.memory import Memory as Remembered

ROOM_SHARE: Final = 4  # of the memory, beside it, for streams that are being collected
LOOP_BYTES_MAX: Final = 65_536  # of a body; the key of a larger one is made in a thread
CHECKS_MAX: Final = 64  # answers that wait to be kept; what comes on top is not
NEVER_BYTES_MAX: Final = 2**20  # of remembered keys


class ResponseCache:
    """
    For one event loop. The mutable state: *settings*, swapped by a reload; *memory*, and *room* for
    streams on their way there; *never*, the keys of requests that hold personal data; *lookups* by
    their status and *stored*, since the start; *_asking*, the questions to Redis; *_checks* of what
    is about to be kept.
    """

    def __init__(self, settings: CacheSettings, clock: Clock, shared: Shared | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.memory = Memory(settings.memory_bytes_max)
        self.room = Room(settings.memory_bytes_max // ROOM_SHARE)
        self.shared = shared
        self.lookups: Counter[Status] = Counter()
        self.stored = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._checks: set[asyncio.Task[None]] = set()
        self.never: Remembered[bool] = Remembered(NEVER_BYTES_MAX)

    def use(self, settings: CacheSettings) -> None:
        """From the next request on; what is kept stays while it fits and may be kept."""
        stricter = self.settings.personal_data and not settings.personal_data
        self.settings = settings
        self.memory.limit(settings.memory_bytes_max)
        self.room.most = settings.memory_bytes_max // ROOM_SHARE
        self.never = Remembered(NEVER_BYTES_MAX)  # the scan may look for other things now
        if stricter or not settings.enabled:
            self.memory.clear()

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep *entry*, here and for the others."""
        if self.memory.put(key, entry):
            self.stored += 1
            if self.shared is not None:
                self.shared.put(key, entry)

    def ask(self, shared: Shared, key: bytes) -> asyncio.Task[None]:
        """Let what the others have under *key* come into memory, unless there is newer by then."""
        task = asyncio.create_task(self._fetch(shared, key))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    def check(self, work: Coroutine[None, None, None]) -> None:
        """Run *work*, which keeps an answer or not, beside the requests; not when there is much."""
        if len(self._checks) >= CHECKS_MAX:
            work.close()
            return
        task = asyncio.create_task(work)
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _fetch(self, shared: Shared, key: bytes) -> None:
        entry = await shared.get(key)
        if entry is not None:
            mine = self.memory.get(key, self.clock.wall())
            if mine is None or mine.stored_s < entry.stored_s:
                self.memory.put(key, entry)

    async def close(self) -> None:
        """Let go of what is shared."""
        tasks = (*self._asking, *self._checks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # each lets go of its connection
        if self.shared is not None:
            await self.shared.close()


class Look:
    """
    One look into the cache: begun when the request is known, ended when it has been decided on.
    What has come from Redis by then is in memory; nobody waits for more than the operator allows,
    and what comes later is there for the next.

    *reason*: why there is nothing to look for, "" while there is. *key*: known when ``found`` has
    been called.
    """

    def __init__(self, cache: ResponseCache, request: Request, policy: str, shown: str) -> None:
        """*policy* and *shown* as for ``key_of``."""
        self.cache = cache
        self.request = request
        self.settings = cache.settings  # a reload in between must not judge by other ones
        self.wish: Wish = wish_of(request.controls, self.settings)
        self.reason = OFF if self.wish.ttl_s == 0 else barred(request, self.settings)
        self.key: bytes | None = None
        self._hashed: asyncio.Future[bytes | None] | None = None
        self._asked: asyncio.Task[None] | None = None
        self._asked_s = 0.0
        if self.reason:
            return
        if len(request.body) > LOOP_BYTES_MAX:
            work = asyncio.to_thread(key_of, request, policy=policy, shown_model=shown)
            self._hashed = asyncio.ensure_future(work)
            self._hashed.add_done_callback(self._take_hashed)
        else:
            self._take(key_of(request, policy=policy, shown_model=shown))

    async def found(self) -> Entry | None:
        """The entry for this request that is here now; waits for its key, and shortly for Redis."""
        if self._hashed is not None:
            await asyncio.wait((self._hashed,))
            self._take_hashed(self._hashed)
        if self.reason or self.key is None:
            return None
        if self._asked is not None:
            waited_s = self.cache.clock.monotonic() - self._asked_s
            left_s = self.settings.shared_wait_ms / 1e3 - waited_s
            if left_s > 0 and not self._asked.done():
                await asyncio.wait((self._asked,), timeout=left_s)
        return self._here()

    def _take_hashed(self, hashed: asyncio.Future[bytes | None]) -> None:
        if self.key is None and not self.reason:
            failed = hashed.cancelled() or hashed.exception() is not None
            self._take(None if failed else hashed.result())

    def _take(self, key: bytes | None) -> None:
        """The key is known: ask the others for what is not here."""
        self.key = key
        if key is None:
            self.reason = AMBIGUOUS
        elif self.cache.shared is not None and self._here() is None:
            self._asked = self.cache.ask(self.cache.shared, key)
            self._asked_s = self.cache.clock.monotonic()

    def _here(self) -> Entry | None:
        now_s = self.cache.clock.wall()
        entry = None if self.key is None else self.cache.memory.get(self.key, now_s)
        if entry is None or not entry.fresh(now_s, self.wish.ttl_s):
            return None
        return entry
