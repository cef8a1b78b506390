"""
Extra attempts as a share of traffic.

A maximum per request does not bound a storm: when everything fails, three attempts each are three
times the load on whatever is already failing. A budget is spent by failures and earned by traffic,
so extra attempts stay below a share of it, whatever happens.
"""

from __future__ import annotations

SAVED_MAX = 100.0  # extra attempts saved up: at a share of 0.2, those of 500 requests
FLOOR_SAVED_S = 10.0  # the floor saves up no more than this many seconds' worth


class RetryBudget:
    """
    Two token buckets: *share* per request, and *floor_per_s*, so that a quiet gateway may retry.

    The mutable state is what both hold; one token is one extra attempt.
    """

    def __init__(self, share: float, floor_per_s: float) -> None:
        self._share = share
        self._floor_per_s = floor_per_s
        self._saved = 0.0
        self._floor = floor_per_s * FLOOR_SAVED_S
        self._filled_s: float | None = None  # when the floor was last filled

    def __repr__(self) -> str:
        return f"<RetryBudget {self._saved:.1f} of traffic, {self._floor:.1f} of the floor>"

    def deposit(self) -> None:
        """A request has begun."""
        self._saved = min(SAVED_MAX, self._saved + self._share)

    def left(self, now_s: float) -> bool:
        """Whether one more attempt is allowed."""
        self._fill(now_s)
        return self._floor >= 1.0 or self._saved >= 1.0

    def withdraw(self, now_s: float) -> None:
        """An extra attempt begins; the floor pays first, because it refills by itself."""
        self._fill(now_s)
        if self._floor >= 1.0:
            self._floor -= 1.0
        else:
            self._saved = max(0.0, self._saved - 1.0)

    def _fill(self, now_s: float) -> None:
        if self._filled_s is not None:
            earned = self._floor_per_s * (now_s - self._filled_s)
            self._floor = min(self._floor_per_s * FLOOR_SAVED_S, self._floor + earned)
        self._filled_s = now_s
