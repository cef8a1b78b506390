"""Answers in this process, the longest unused go first."""

from __future__ import annotations

from collections import OrderedDict

from gateway.cache.entry import Entry


class Memory:
    """
    For one thread. The mutable state: *_entries*, the last used one last, and *size*, the bytes
    that they take. Invariant: *size* is the sum of their sizes and at most *bytes_max*.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.size = 0
        self.evicted = 0  # to make room
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} answers, {self.size} of {self.bytes_max} bytes>"

    def get(self, key: bytes, now_s: float) -> Entry | None:
        """The entry of *key*; one whose time is over at *now_s* is gone."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now_s >= entry.until_s:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> bool:
        """Keep *entry* in the place of an older one of *key*; False when it is larger than all."""
        if key in self._entries:
            self._drop(key)
        if entry.size > self.bytes_max:
            return False
        self._entries[key] = entry
        self.size += entry.size
        self.limit(self.bytes_max)
        return True

    def limit(self, bytes_max: int) -> None:
        """From now on at most so many bytes."""
        self.bytes_max = bytes_max
        while self.size > bytes_max:
            self._drop(next(iter(self._entries)))
            self.evicted += 1

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.size = 0

    def _drop(self, key: bytes) -> None:
        self.size -= self._entries.pop(key).size
