"""What happened at one deployment lately: counts and percentiles over a rolling window."""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import Final

SLOTS: Final = 10  # the window moves on in tenths
# Times are counted in buckets that grow by this factor, so a percentile is within 2.5 % of a
# measured value, and a window costs what it has seen at most, not one number per request.
BUCKET_RATIO: Final = 1.05
_LOG_RATIO: Final = math.log(BUCKET_RATIO)
FASTEST_S: Final = 1e-6


class Counts:
    """
    What is counted: *errors* are our view of a failing deployment, *throttled* its own wish, and
    both are attempts that produced nothing. *ttft* and *tpot* count seconds by bucket.
    """

    __slots__ = ("errors", "requests", "throttled", "tpot", "ttft")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.throttled = 0
        self.ttft: Counter[int] = Counter()
        self.tpot: Counter[int] = Counter()

    @property
    def error_share(self) -> float:
        """Share of the requests that produced nothing or broke off, 0 without any."""
        return (self.errors + self.throttled) / self.requests if self.requests else 0.0

    def add(self, other: Counts) -> None:
        """Count *other* in."""
        self.requests += other.requests
        self.errors += other.errors
        self.throttled += other.throttled
        self.ttft.update(other.ttft)
        self.tpot.update(other.tpot)

    def remove(self, other: Counts) -> None:
        """Count *other*, which was added, out again."""
        self.requests -= other.requests
        self.errors -= other.errors
        self.throttled -= other.throttled
        self.ttft -= other.ttft  # drops what is zero
        self.tpot -= other.tpot


class Window:
    """
    The last *window_s* seconds, to a tenth. Every update and expiry is O(1) amortised: a slot is
    added once and removed once.

    The mutable state: *_total* and the slots it is the sum of, with the time each began.
    """

    def __init__(self, window_s: float) -> None:
        self._slot_s = window_s / SLOTS
        self._total = Counts()
        self._slots: deque[tuple[int, Counts]] = deque()

    def total(self, now_s: float) -> Counts:
        """The sums at *now_s*; to be read only."""
        oldest = int(now_s / self._slot_s) - SLOTS
        while self._slots and self._slots[0][0] <= oldest:
            self._total.remove(self._slots.popleft()[1])
        return self._total

    def add(
        self,
        now_s: float,
        *,
        error: bool = False,
        throttled: bool = False,
        ttft_s: float | None = None,
        tpot_s: float | None = None,
    ) -> None:
        """One attempt has ended."""
        for counts in (self.total(now_s), self._newest(now_s)):
            counts.requests += 1
            counts.errors += error
            counts.throttled += throttled
            if ttft_s is not None:
                counts.ttft[bucket_of(ttft_s)] += 1
            if tpot_s is not None:
                counts.tpot[bucket_of(tpot_s)] += 1

    def _newest(self, now_s: float) -> Counts:
        slot = int(now_s / self._slot_s)
        if not self._slots or self._slots[-1][0] != slot:
            self._slots.append((slot, Counts()))
        return self._slots[-1][1]


def bucket_of(seconds: float) -> int:
    """The bucket of *seconds*."""
    return round(math.log(max(seconds, FASTEST_S)) / _LOG_RATIO)


def percentile(times: Counter[int], share: float) -> float | None:
    """The smallest time that *share* of *times* does not exceed; None without any."""
    left = math.ceil(share * times.total())
    for bucket in sorted(times):
        left -= times[bucket]
        if left <= 0:
            return float(BUCKET_RATIO**bucket)
    return None
