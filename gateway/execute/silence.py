"""Bounds the waits of one exchange, with one timer for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Silence:
    """
    Waits at most *silence_s* each time, and *s_left* in all. What passes between two waits does
    not count as silence: a slow client is not a silent upstream.

    ``asyncio.timeout`` costs 9 µs, more than all else that is done for an event of a stream. Here
    a timer that fires looks whether it fires too early, so that most waits start none.

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

    async def wait(self, awaited: Awaitable[T]) -> T:
        """
        What *awaited* gives.

        Raises:
            TimeoutError: not in time; *awaited* was cancelled.
        """
        task = asyncio.current_task()
        cancels = 0 if task is None else task.cancelling()
        self._until_s = min(self._loop.time() + self._silence_s, self._end_s)
        self._task = task
        if self._timer is None:
            self._timer = self._loop.call_at(self._until_s, self._check)
        try:
            return await awaited
        except asyncio.CancelledError:
            if self._expired and task is not None and task.uncancel() <= cancels:
                raise TimeoutError from None
            raise
        finally:
            self._task = None

    def stop(self) -> None:
        """No more waits will come."""
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
