"""
What was used and still counts. Time is wall clock seconds since the epoch, UTC.

A rolling window moves in sixtieths. What was used in a sixtieth counts until the last instant of
it has left the window: no stretch of the window's length ever holds more than was allowed, and
what was used counts up to a sixtieth longer than the window is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.core.limits import Span, Window

SLOTS: Final = 60
DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S
MONDAY_S: Final = 4 * DAY_S  # the epoch was a Thursday
_FIXED_S: Final = {Span.MINUTE: 60, Span.HOUR: 3600, Span.DAY: DAY_S}


class Bucket(msgspec.Struct, frozen=True):
    """From *start_s* to *end_s*, exclusive; what is used in it counts until *leaves_s*."""

    start_s: float
    end_s: float
    leaves_s: float


def bucket_of(window: Window, at_s: float) -> Bucket:
    """The bucket of *window* that the instant *at_s* falls into, to a millisecond."""
    if window.span is Span.ROLLING:
        length_ms, width_ms = window.rolling_s * 1000, slot_ms(window)
        start_ms = round(at_s * 1000) // width_ms * width_ms
        end_ms = start_ms + width_ms
        return Bucket(start_ms / 1000, end_ms / 1000, (end_ms + length_ms) / 1000)
    if window.span is Span.MONTH:
        day = datetime.fromtimestamp(at_s, UTC)
        first = datetime(day.year, day.month, 1, tzinfo=UTC)
        years, month = divmod(day.month, 12)
        end_s = datetime(day.year + years, month + 1, 1, tzinfo=UTC).timestamp()
        return Bucket(first.timestamp(), end_s, end_s)
    if window.span is Span.WEEK:
        start_s = (at_s - MONDAY_S) // WEEK_S * WEEK_S + MONDAY_S
        return Bucket(start_s, start_s + WEEK_S, start_s + WEEK_S)
    if width_s := _FIXED_S.get(window.span, 0):
        start_s = at_s // width_s * width_s
        return Bucket(start_s, start_s + width_s, start_s + width_s)
    return Bucket(0.0, math.inf, math.inf)


def slot_ms(window: Window) -> int:
    """The width of a bucket of a rolling *window*, in milliseconds."""
    return -(-window.rolling_s * 1000 // SLOTS)


class Usage:
    """
    What was used in one window, in at most SLOTS + 3 buckets.

    The mutable state: *used* is the sum of the buckets, each [when it leaves, amount], oldest
    first; *rolls_s* is when the oldest leaves; *end_s* is when the newest takes no more. A clock
    that goes back counts into the newest; before *back_s*, which is a bucket earlier, it was wrong,
    and all that is used counts as of now.
    """

    __slots__ = ("_buckets", "_window", "back_s", "end_s", "rolls_s", "used")

    def __init__(self, window: Window) -> None:
        self.used = 0
        self.rolls_s = math.inf
        self.end_s = self.back_s = -math.inf
        self._window = window
        self._buckets: deque[list[float]] = deque()

    def add(self, amount: int, now_s: float) -> None:
        """*amount* was used at *now_s*; 0 or more. A gauge forgets it."""
        if self._window.span is Span.NOW:
            return
        if now_s >= self.end_s:
            self._open(now_s, 0)
        self._buckets[-1][1] += amount
        self.used += amount

    def _open(self, now_s: float, amount: int) -> None:
        """A new bucket at *now_s* that has *amount*."""
        bucket = bucket_of(self._window, now_s)
        self.end_s, self.back_s = bucket.end_s, 2 * bucket.start_s - bucket.end_s
        self._buckets.append([bucket.leaves_s, amount])
        self.rolls_s = self._buckets[0][0]

    def roll(self, now_s: float) -> None:
        """Forget what has left at *now_s*."""
        if now_s < self.back_s:
            self._buckets.clear()
            self._open(now_s, self.used)
        while self._buckets and self._buckets[0][0] <= now_s:
            self.used -= int(self._buckets.popleft()[1])
        self.rolls_s = self._buckets[0][0] if self._buckets else math.inf

    def merge(self, past: Iterable[tuple[float, int]], now_s: float) -> None:
        """Add what was used earlier: instants, in seconds of the epoch, and amounts."""
        leaving: dict[float, int] = {leaves_s: int(amount) for leaves_s, amount in self._buckets}
        for at_s, amount in past:
            leaves_s = bucket_of(self._window, min(at_s, now_s)).leaves_s
            leaving[leaves_s] = leaving.get(leaves_s, 0) + amount
        self._buckets = deque([leaves_s, leaving[leaves_s]] for leaves_s in sorted(leaving))
        self.used = sum(leaving.values())
        self.end_s = self.back_s = -math.inf  # the next amount opens a bucket of its own
        self.roll(now_s)

    def frees_s(self, amount: int) -> float | None:
        """When *amount* of what is used has left; None: never."""
        for leaves_s, left in self._buckets:
            amount -= int(left)
            if amount <= 0:
                return leaves_s if leaves_s < math.inf else None
        return None

    def resets_s(self) -> float | None:
        """When all that is used has left, in the past where nothing is; None: never."""
        for leaves_s, amount in reversed(self._buckets):
            if amount:
                return leaves_s if leaves_s < math.inf else None
        return -math.inf

    def buckets(self) -> list[tuple[float, int]]:
        """When each bucket leaves, and what was used in it; oldest first."""
        return [(leaves_s, int(amount)) for leaves_s, amount in self._buckets]
