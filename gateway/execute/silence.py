"""Bounds every silence of a stream, and the stream itself, with one timer for all its reads."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.core.transport import UpstreamResponse


class Silence:
    """
    Reads from one answer, waiting at most *silence_s* for each piece and *s_left* for all of them.

    The time that the reader takes between two pieces does not count: a slow client is not a silent
    upstream. ``asyncio.timeout`` would start and cancel a timer per piece; here the one timer looks
    when it fires whether it fires too early.

    The mutable state: which task waits and until when, and whether we have cancelled it.
    """

    def __init__(self, silence_s: float, s_left: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence_s = silence_s
        self._end_s = self._loop.time() + s_left
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._until_s = 0.0
        self._expired = False

    async def read(self, response: UpstreamResponse) -> bytes:
        """
        The next piece of *response*.

        Raises:
            TimeoutError: nothing came in time.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in a task
        cancels = task.cancelling()
        self._until_s = min(self._loop.time() + self._silence_s, self._end_s)
        self._task = task
        if self._timer is None:
            self._timer = self._loop.call_at(self._until_s, self._check)
        try:
            return await response.read()
        except asyncio.CancelledError:
            if self._expired and task.uncancel() <= cancels:
                raise TimeoutError from None
            raise
        finally:
            self._task = None

    def stop(self) -> None:
        """No more reads will come."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._until_s:
            self._timer = self._loop.call_at(self._until_s, self._check)
        else:
            self._expired = True
            self._task.cancel()
