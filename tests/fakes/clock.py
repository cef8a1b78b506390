"""A clock that only a test moves."""

from __future__ import annotations


class ManualClock:
    """Both times move together, and only by ``advance``."""

    def __init__(self, monotonic_s: float = 1000.0, wall_s: float = 1_700_000_000.0) -> None:
        self._monotonic_s = monotonic_s
        self._wall_s = wall_s

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return self._monotonic_s

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall_s

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._monotonic_s += seconds
        self._wall_s += seconds
