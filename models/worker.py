"""The thread that owns an encoder. It holds no policy: who runs when is the queue's business."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from models.batching import BatchLimits, BatchQueue, Cost, Entry, QueueLimits, Refusal
from models.opinion import Opinion

log = logging.getLogger("switchyard")

CLOSE_S = 2.0  # for the batch that runs; many times what one takes
# The event loop goes first where both want the same core: it answers in microseconds what the
# encoder would keep waiting for milliseconds.
NICE = 5


class Load(msgspec.Struct, frozen=True):
    """How busy a worker is and has been, for metrics; *device*: "" where there is none."""

    device: str = ""
    waiting: int = 0
    batches: int = 0
    rows: int = 0


class Scoring(Protocol):
    """What a worker owns; Encoder does."""

    @property
    def batches(self) -> BatchLimits: ...

    @property
    def tokens_max(self) -> int: ...

    def read(self, texts: list[str]) -> list[Opinion]: ...

    def measure(self) -> Cost: ...

    @property
    def device(self) -> str: ...

    def describe(self) -> str: ...


class Worker:
    """
    Runs batches of an encoder in a thread of its own, for callers on one event loop at a time.

    Every entry that was let in is settled exactly once: with an opinion, or with None when its
    batch failed or the worker was closed.
    """

    def __init__(
        self,
        encoder: Scoring,
        limits: QueueLimits,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._encoder = encoder
        self._now_s = now_s
        self._queue = BatchQueue(limits, encoder.batches, encoder.measure())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    @property
    def tokens_max(self) -> int:
        """Read of one text."""
        return self._encoder.tokens_max

    @property
    def is_failing(self) -> bool:
        """Whether the last batch failed."""
        return self._failing

    @property
    def load(self) -> Load:
        """As of now."""
        with self._changed:
            queue = self._queue
            return Load(
                device=self._encoder.device,
                waiting=len(queue),
                batches=queue.batches_run,
                rows=queue.rows_run,
            )

    def describe(self) -> str:
        """Version and device."""
        return self._encoder.describe()

    def submit(self, entry: Entry, budget_s: float | None) -> Refusal | None:
        """
        Let *entry* wait for at most *budget_s* seconds, as far as one can know; None: any time.
        Called on the event loop on which it will be settled.
        """
        loop = asyncio.get_running_loop()
        with self._changed:
            if self._closed:
                return Refusal.OVERLOAD
            refusal = self._queue.offer(entry, self._now_s(), budget_s)
            if refusal is None:
                self._loop = loop
                self._changed.notify()
            return refusal

    def close(self) -> None:
        """Let the batch that runs end, settle everybody else with None, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # no such thing as a nice thread: all are alike
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while batch := self._next():
            loop = self._loop  # of those in the batch; who comes later may be on another one
            self._answer(batch, self._read(batch), loop)
        with self._changed:
            left = self._queue.empty()
        self._answer(left, [None] * len(left), self._loop)

    def _next(self) -> list[Entry]:
        """The next batch, as soon as there is one; empty when the worker was closed."""
        with self._changed:
            while not self._closed:
                if batch := self._queue.begin(self._now_s()):
                    return batch
                self._changed.wait()
            return []

    def _read(self, batch: list[Entry]) -> list[Opinion | None]:
        """Opinions on all, or None for all."""
        opinions: list[Opinion | None] = [None] * len(batch)
        try:
            opinions = [*self._encoder.read([entry.text for entry in batch])]
            self._failing = False
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
            if not self._failing:  # once, not for every prompt
                log.error("the encoder failed, the first stage answers: %r", error)  # noqa: TRY400
            self._failing = True
        with self._changed:
            self._queue.end(self._now_s())
        return opinions

    def _answer(
        self,
        batch: list[Entry],
        opinions: list[Opinion | None],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        """Hand the answers over to the event loop, all of a batch at once."""
        if batch and loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, batch, opinions)


def settle(batch: list[Entry], opinions: list[Opinion | None]) -> None:
    """Give each caller its answer."""
    for entry, one in zip(batch, opinions, strict=True):
        entry.settle(one)
