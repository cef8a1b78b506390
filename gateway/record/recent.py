"""The newest records of this process, for those who watch them come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from gateway.record.record import RECORD_BYTES, Record, client_chars

KEPT = 200  # records,
KEPT_BYTES = 4 * 2**20  # and of these as many as fit in: clients choose how long a name is


class Recent:
    """
    A ring of the newest records, each with a number that only grows. Written by the thread of the
    recorder, read by the event loop; no call takes longer than some microseconds.

    The mutable state, under one lock: the records with their sizes, the sum of these, and how many
    records there ever were.
    """

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._ring: deque[tuple[Record, int]] = deque()
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._count = 0
        self._lock = threading.Lock()

    def observe(self, records: Sequence[Record]) -> None:
        """Add *records*, the oldest first."""
        with self._lock:
            self._count += len(records)
            for record in records[-self._kept :]:
                size = RECORD_BYTES + client_chars(record)
                self._ring.append((record, size))
                self._bytes += size
            while len(self._ring) > self._kept or self._bytes > self._kept_bytes:
                self._bytes -= self._ring.popleft()[1]

    def after(self, number: int) -> tuple[int, list[Record]]:
        """The number of the newest record, and those after *number* that are kept."""
        with self._lock:
            new = min(self._count - number, len(self._ring)) if number <= self._count else 0
            kept = [record for record, _ in self._ring]
            return self._count, kept[len(kept) - new :] if new else []
