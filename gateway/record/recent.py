"""The newest records of this process, for those who watch them come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from gateway.record.record import Record

KEPT = 200  # records, a few KB each


class Recent:
    """
    A ring of the newest records, each with a number that only grows. Written by the thread of the
    recorder, read by the event loop; no call takes longer than some microseconds.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._ring: deque[Record] = deque(maxlen=kept)
        self._count = 0
        self._lock = threading.Lock()

    def observe(self, records: Sequence[Record]) -> None:
        """Add *records*, the oldest first."""
        with self._lock:
            self._ring.extend(records)
            self._count += len(records)

    def after(self, number: int) -> tuple[int, list[Record]]:
        """The number of the newest record, and those after *number* that are kept."""
        with self._lock:
            new = min(self._count - number, len(self._ring)) if number <= self._count else 0
            return self._count, list(self._ring)[len(self._ring) - new :] if new else []
