"""One measurement, and the tables of many: medians over the rounds, with the targets beside."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.fake_upstream import EVENTS

DIRECT, BARE = "direct", "bare"  # the upstream itself, and the passthrough that we compare with
CPU_RATIO_MAX = {"disabled": 1.5, "auto": 2.5}  # of the bare passthrough, at the same rate
ADDED_MS_P99_MAX = 5.0
JUDGED_PER_S = 200  # the rate that the targets are for


@dataclass(frozen=True)
class Sample:
    """One target at one rate in one round. Latencies count from when a request was due."""

    target: str
    stream: bool
    rate_per_s: int
    round: int
    requests: int
    failed: int
    latency_s_p50: float
    latency_s_p99: float
    ttfb_s_p50: float  # to the first byte of the body
    ttfb_s_p99: float
    event_s_p50: float  # from the upstream's write to our read; 0 without a stream
    event_s_p99: float
    cpu_s: float  # of the server, per request


Read = Callable[[Sample], float]


class Samples:
    """The samples of one run, by target and rate."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.all = samples
        self.names = list(dict.fromkeys(s.target for s in samples if s.target != DIRECT))
        self.names.sort(key=lambda name: (name != BARE, name != "disabled", name))

    def of(self, target: str, rate_per_s: int, *, stream: bool) -> list[Sample]:
        """One for each round, in order."""
        found = [
            s
            for s in self.all
            if (s.target, s.rate_per_s, s.stream) == (target, rate_per_s, stream)
        ]
        return sorted(found, key=lambda s: s.round)

    def rates(self, *, stream: bool) -> list[int]:
        """The rates that were measured."""
        return sorted({s.rate_per_s for s in self.all if s.stream == stream})

    def median(self, target: str, rate_per_s: int, read: Read, *, stream: bool) -> float:
        """Median over the rounds."""
        return statistics.median(map(read, self.of(target, rate_per_s, stream=stream)))

    def added(self, target: str, rate_per_s: int, read: Read, *, stream: bool) -> float:
        """Median over the rounds of the difference to the upstream alone in the same round."""
        pairs = zip(
            self.of(target, rate_per_s, stream=stream),
            self.of(DIRECT, rate_per_s, stream=stream),
            strict=True,
        )
        return statistics.median(read(mine) - read(direct) for mine, direct in pairs)

    def cpu_ratio(self, target: str, rate_per_s: int, *, stream: bool) -> float | None:
        """CPU of *target* as a multiple of the bare passthrough's; None where that is missing."""
        if BARE not in self.names:
            return None
        mine, bare = (
            self.median(name, rate_per_s, lambda s: s.cpu_s, stream=stream)
            for name in (target, BARE)
        )
        return mine / bare if bare else None

    def failed(self, target: str, rate_per_s: int, *, stream: bool) -> str:
        """Failed requests of all rounds, "" for none."""
        count = sum(s.failed for s in self.of(target, rate_per_s, stream=stream))
        return f"[red]{count}[/]" if count else ""


def chats_table(samples: Samples) -> Table:
    """Whole answers."""
    table = Table(title="Whole answers: what each server adds to the upstream alone")
    for name in ("rate/s", "server", "added p50 ms", "added p99 ms", "target"):
        table.add_column(name, justify="right")
    for name in ("CPU µs/request", "× bare", "target", "failed"):
        table.add_column(name, justify="right")
    for rate in samples.rates(stream=False):
        for name in samples.names:
            p99_ms = 1e3 * samples.added(name, rate, lambda s: s.latency_s_p99, stream=False)
            table.add_row(
                str(rate),
                name,
                f"{1e3 * samples.added(name, rate, lambda s: s.latency_s_p50, stream=False):.2f}",
                f"{p99_ms:.2f}",
                _judged(name, rate, p99_ms, ADDED_MS_P99_MAX),
                f"{1e6 * samples.median(name, rate, lambda s: s.cpu_s, stream=False):.0f}",
                *_ratio(samples, name, rate, stream=False),
                samples.failed(name, rate, stream=False),
            )
        table.add_section()
    return table


def streams_table(samples: Samples) -> Table:
    """Streams."""
    table = Table(title=f"Streams of {EVENTS} events: what each server adds")
    for name in ("streams/s", "server", "TTFB p50 ms", "TTFB p99 ms", "event p50 µs"):
        table.add_column(name, justify="right")
    for name in ("event p99 µs", "CPU µs/stream", "CPU µs/event", "× bare", "failed"):
        table.add_column(name, justify="right")
    for rate in samples.rates(stream=True):
        for name in samples.names:
            cpu_us = 1e6 * samples.median(name, rate, lambda s: s.cpu_s, stream=True)
            table.add_row(
                str(rate),
                name,
                f"{1e3 * samples.added(name, rate, lambda s: s.ttfb_s_p50, stream=True):.2f}",
                f"{1e3 * samples.added(name, rate, lambda s: s.ttfb_s_p99, stream=True):.2f}",
                f"{1e6 * samples.added(name, rate, lambda s: s.event_s_p50, stream=True):.0f}",
                f"{1e6 * samples.added(name, rate, lambda s: s.event_s_p99, stream=True):.0f}",
                f"{cpu_us:.0f}",
                f"{cpu_us / EVENTS:.1f}",
                _ratio(samples, name, rate, stream=True)[0],
                samples.failed(name, rate, stream=True),
            )
    return table


def _ratio(samples: Samples, name: str, rate_per_s: int, *, stream: bool) -> tuple[str, str]:
    """CPU as a multiple of the bare passthrough's, and what it should be."""
    ratio = samples.cpu_ratio(name, rate_per_s, stream=stream)
    if ratio is None:
        return "", ""
    most = CPU_RATIO_MAX.get(name)
    return f"{ratio:.2f}", "" if most is None else _judged(name, rate_per_s, ratio, most)


def _judged(name: str, rate_per_s: int, value: float, most: float) -> str:
    """The target of a gateway row, green where it is met; only at the rate it is for."""
    if name == BARE or rate_per_s != JUDGED_PER_S:
        return ""
    return f"[{'green' if value <= most else 'red'}]≤ {most:g}[/]"
