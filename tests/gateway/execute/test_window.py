"""Counts and percentiles over a rolling window."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.execute.window import BUCKET_RATIO, Window, bucket_of, percentile

times_s = st.floats(0.001, 600.0)


@given(st.lists(times_s, min_size=1, max_size=50), st.sampled_from([0.5, 0.95]))
def test_percentile_agrees_with_sorting(times: list[float], share: float) -> None:
    """A percentile is within half a bucket of the one that sorting finds."""
    exact = sorted(times)[math.ceil(share * len(times)) - 1]

    found = percentile(Counter(map(bucket_of, times)), share)

    assert found == pytest.approx(exact, rel=BUCKET_RATIO**0.5 - 1 + 1e-9)


def test_percentile_of_nothing() -> None:
    """Nothing measured is None, not zero: zero would be the fastest of all."""
    assert percentile(Counter(), 0.5) is None


def test_window_counts_and_forgets() -> None:
    """What is older than the window no longer counts, times included."""
    window = Window(30.0)
    window.add(100.0, ttft_s=1.0)
    window.add(110.0, error=True)
    window.add(115.0, throttled=True)

    total = window.total(115.0)
    assert (total.requests, total.errors, total.throttled) == (3, 1, 1)
    assert total.error_share == pytest.approx(2 / 3)

    total = window.total(131.0)
    assert (total.requests, total.errors) == (2, 1)
    assert percentile(total.ttft, 0.5) is None
    assert window.total(1000.0).requests == 0
    assert window.total(1000.0).error_share == 0.0


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans(), times_s), max_size=60))
def test_window_agrees_with_counting_anew(steps: list[tuple[float, bool, float]]) -> None:
    """The running sums are those of the slots that the window still covers."""
    window, now_s, seen = Window(30.0), 0.0, []
    for pause_s, error, ttft_s in steps:
        now_s += pause_s
        window.add(now_s, error=error, ttft_s=ttft_s)
        seen.append((int(now_s / 3.0), error, bucket_of(ttft_s)))
    kept = [entry for entry in seen if entry[0] > int(now_s / 3.0) - 10]

    total = window.total(now_s)

    assert total.requests == len(kept)
    assert total.errors == sum(entry[1] for entry in kept)
    assert total.ttft == Counter(entry[2] for entry in kept)
