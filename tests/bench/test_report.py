"""The tables of a benchmark."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.report import Sample, Samples, chats_table, streams_table


def sample(target, row, *, latency_ms=1.0, cpu_us=100.0, stream=False, failed=0):
    """One measurement at 200 per second."""
    return Sample(
        target=target,
        stream=stream,
        rate_per_s=200,
        round=row,
        requests=1000,
        failed=failed,
        latency_s_p50=latency_ms / 1e3,
        latency_s_p99=latency_ms / 1e3,
        ttfb_s_p50=latency_ms / 1e3,
        ttfb_s_p99=latency_ms / 1e3,
        event_s_p50=latency_ms / 1e3,
        event_s_p99=latency_ms / 1e3,
        cpu_s=cpu_us / 1e6,
    )


def shown(table):
    """A table as text."""
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue()


ROUNDS = [
    sample(target, row, latency_ms=latency_ms + row, cpu_us=cpu_us, stream=stream)
    for row in range(3)
    for stream in (False, True)
    for target, latency_ms, cpu_us in (
        ("auto", 9.0, 240.0),
        ("disabled", 3.0, 160.0),
        ("bare", 2.0, 100.0),
        ("direct", 1.0, 10.0),
    )
]


def test_added_is_the_difference_inside_a_round():
    """A round that was slow for all says nothing about any of them."""
    samples = Samples(ROUNDS)

    added_s = samples.added("auto", 200, lambda s: s.latency_s_p50, stream=False)
    assert added_s == pytest.approx(0.008)


def test_cpu_is_a_multiple_of_the_passthrough():
    """At the same rate."""
    assert Samples(ROUNDS).cpu_ratio("auto", 200, stream=False) == pytest.approx(2.4)


def test_cpu_without_a_passthrough():
    """There is nothing to compare with."""
    samples = Samples([s for s in ROUNDS if s.target != "bare"])

    assert samples.cpu_ratio("auto", 200, stream=False) is None


def test_the_yardstick_comes_first():
    """And the upstream alone is no row: it is what all are compared with."""
    assert Samples(ROUNDS).names == ["bare", "disabled", "auto"]


def test_tables():
    """Every server has its row, with targets where they hold and failures where there are any."""
    failing = [replace(s, failed=2) for s in ROUNDS]
    chats, streams = shown(chats_table(Samples(ROUNDS))), shown(streams_table(Samples(failing)))

    assert "≤ 1.5" in chats
    assert "≤ 5" in chats
    assert "8.00" in chats
    assert " 6 │" in streams
