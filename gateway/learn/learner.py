"""Keeps the quality matrix of one process fresh, beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.config.learn_schema import LearnSettings
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.learn.matrix import NO_MATRIX, QualityMatrix
from gateway.learn.refresh import Past, refresh
from gateway.record.store import Store

log = logging.getLogger(__name__)


class Learner:
    """
    *matrix* is the newest that could be read. *changed* is awaited after each one that differs, to
    compile policies by it. While the database does not answer, what was learnt stays.
    """

    def __init__(self, store: Store, clock: Clock, changed: Callable[[], Awaitable[None]]) -> None:
        self.matrix: QualityMatrix = NO_MATRIX
        self._store = store
        self._clock = clock
        self._changed = changed
        self._past: Past = {}
        self._failing = False

    async def run(self, settings: Callable[[], LearnSettings]) -> None:
        """Refresh every ``refresh_s`` seconds, for ever; *settings* are asked for each time."""
        while True:
            now = settings()
            await self.refresh(now)
            await asyncio.sleep(now.refresh_s)

    async def refresh(self, settings: LearnSettings) -> None:
        """Read the judgements again, in a thread. Never raises."""
        try:
            matrix = await asyncio.to_thread(
                refresh, self._store, settings, self._clock.wall(), self._past
            )
            if matrix.version != self.matrix.version:
                await self._use(matrix)
        except Unavailable as error:
            if not self._failing:
                log.warning("judgements cannot be read, what was learnt stays: %s", error)
            self._failing = True
        except Exception:  # a fault of ours must not end what runs well
            log.exception("learning failed, what was learnt stays")
        else:
            self._failing = False

    async def _use(self, matrix: QualityMatrix) -> None:
        """Tell of *matrix*; what nobody could use is told of again in the next round."""
        before, self.matrix = self.matrix, matrix
        try:
            await self._changed()
        except BaseException:
            self.matrix = before
            raise
