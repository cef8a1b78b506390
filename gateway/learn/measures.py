"""What each route costs, how long it takes and how good it was: the operator's figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

from gateway.core.outcome import Ending
from gateway.record.record import Record

# Durations fall into buckets that grow by this factor: a percentile is at most 5 % off, and a
# million records need no more memory than a hundred.
GROWTH = 1.1
SHORTEST_S = 0.001


class Percentiles:
    """Durations, of which only counts in growing buckets are kept."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._total = 0

    def add(self, duration_s: float) -> None:
        """Count one duration; those below a millisecond are alike."""
        bucket = math.floor(math.log(max(duration_s, SHORTEST_S) / SHORTEST_S, GROWTH))
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self._total += 1

    def at(self, share: float) -> float | None:
        """The duration, seconds, that *share* of them do not exceed; None without any."""
        passed = 0
        for bucket in sorted(self._counts):
            passed += self._counts[bucket]
            if passed >= share * self._total:
                return float(SHORTEST_S * GROWTH ** (bucket + 0.5))
        return None


class Measure(msgspec.Struct, frozen=True):
    """
    One route. Money is a mean per request; durations are to the last byte, of complete answers.
    *routed*, *escalated* (to a dearer model than the client's) and *failed* are shares of the
    requests, 0 to 1; *promised* is the mean quality that decisions expected.
    """

    route: str
    requests: int
    cost_nano_usd: float
    savings_nano_usd: float
    duration_s_p50: float | None
    duration_s_p95: float | None
    promised: float
    routed: float
    escalated: float
    failed: float


class _Sums:
    """What is added up of one route."""

    def __init__(self) -> None:
        self.requests = self.cost = self.savings = 0
        self.routed = self.escalated = self.failed = 0
        self.promised = 0.0
        self.durations = Percentiles()

    def add(self, record: Record) -> None:
        decision, outcome = record.decision, record.outcome
        self.requests += 1
        self.cost += record.cost_nano_usd
        self.savings += record.savings_nano_usd
        self.routed += decision.routed
        self.escalated += decision.routed and decision.savings_nano_usd < 0
        self.failed += outcome.ending in (Ending.FAILED, Ending.TRUNCATED)
        self.promised += decision.quality
        if outcome.ending is Ending.COMPLETE:
            self.durations.add(outcome.duration_s)

    def measure(self, route: str) -> Measure:
        n = self.requests
        return Measure(
            route=route,
            requests=n,
            cost_nano_usd=self.cost / n,
            savings_nano_usd=self.savings / n,
            duration_s_p50=self.durations.at(0.5),
            duration_s_p95=self.durations.at(0.95),
            promised=self.promised / n,
            routed=self.routed / n,
            escalated=self.escalated / n,
            failed=self.failed / n,
        )


# What a route may be, by name: how requests are put together.
ROUTES: dict[str, Callable[[Record], str]] = {
    "mode": lambda record: f"{record.decision.action.value} {record.decision.mode}",
    "tier": lambda record: record.decision.tier,
    "task": lambda record: record.decision.task_type,
    "model": lambda record: record.model or "none",  # that answered
    "rule": lambda record: record.decision.rule or "none",
}


def measures(
    records: Iterable[Record], route_of: Callable[[Record], str] = ROUTES["mode"]
) -> tuple[Measure, ...]:
    """Figures of *records* by route, in order of their names; bounded memory, any number."""
    found: dict[str, _Sums] = {}
    for record in records:
        found.setdefault(route_of(record), _Sums()).add(record)
    return tuple(sums.measure(route) for route, sums in sorted(found.items()))
