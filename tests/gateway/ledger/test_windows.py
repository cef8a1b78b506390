"""Windows: their buckets against the calendar of the standard library, and what still counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.limits import LIFETIME, NOW, Span, Window, parse_window
from gateway.ledger.windows import SLOTS, Usage, bucket_of
from tests.reference_shares import window_end

ROLLING = [Window(Span.ROLLING, seconds) for seconds in (1, 7, 60, 3600, 18_000, 30 * 86_400)]
WINDOWS = [*ROLLING, *(Window(span) for span in Span if span is not Span.ROLLING)]
TIMES = st.integers(0, 4_102_444_800_000).map(lambda at_ms: at_ms / 1000)


def at(text: str) -> float:
    """An instant of ISO 8601 in UTC, in seconds of the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("span", "last", "first", "end"),
    [
        ("minute", "2026-11-26T03:05:59.999", "2026-11-26T03:05", "2026-11-26T03:06"),
        ("hour", "2026-11-26T03:59:59.999", "2026-11-26T03:00", "2026-11-26T04:00"),
        ("day", "2024-02-29T23:59:59.999", "2024-02-29", "2024-03-01"),
        ("week", "2026-11-29T23:59:59.999", "2026-11-23", "2026-11-30"),
        ("week", "1970-01-04T23:59:59", "1969-12-29", "1970-01-05"),
        ("month", "2023-02-28T23:59:59.999", "2023-02-01", "2023-03-01"),
        ("month", "2024-02-29T23:59:59.999", "2024-02-01", "2024-03-01"),
        ("month", "2026-12-31T23:59:59.999", "2026-12-01", "2027-01-01"),
        ("month", "2100-02-28T23:59:59.999", "2100-02-01", "2100-03-01"),
    ],
)
def test_calendars_roll_at_their_ends(span: str, last: str, first: str, end: str) -> None:
    """Months of any length, leap days, weeks from Monday: to the last millisecond."""
    window = parse_window(span)

    bucket = bucket_of(window, at(last))

    assert (bucket.start_s, bucket.end_s, bucket.leaves_s) == (at(first), at(end), at(end))
    assert bucket_of(window, at(end)).start_s == at(end)


@given(window=st.sampled_from(WINDOWS), at_s=TIMES)
def test_a_bucket_holds_its_instant(window: Window, at_s: float) -> None:
    """Each instant lies in its bucket, and leaves when the naive calendar says."""
    bucket = bucket_of(window, at_s)

    assert bucket.start_s <= at_s < bucket.end_s
    leaves_s = window_end(window.span.value, window.rolling_s, at_s)
    assert bucket.leaves_s == pytest.approx(float("inf") if leaves_s is None else leaves_s)


@given(window=st.sampled_from(ROLLING), at_s=TIMES)
def test_what_is_used_counts_for_the_whole_window(window: Window, at_s: float) -> None:
    """At least as long as the window is, at most a sixtieth and a millisecond longer."""
    counts_s = bucket_of(window, at_s).leaves_s - at_s

    assert window.rolling_s <= counts_s + 1e-4
    assert counts_s <= window.rolling_s * (1 + 1 / SLOTS) + 0.002


def test_usage_is_bounded() -> None:
    """A window of a year keeps some sixty numbers, however much is used."""
    usage = Usage(Window(Span.ROLLING, 365 * 86_400))

    for hour in range(20_000):
        usage.roll(hour * 3600.0)
        usage.add(1, hour * 3600.0)

    assert len(usage.buckets()) <= SLOTS + 3
    assert 365 * 24 <= usage.used <= 365 * 24 * 61 / 60 + 1


def test_a_gauge_forgets_and_a_lifetime_does_not() -> None:
    """What a gauge counted is gone, what a lifetime counted stays."""
    gauge, life = Usage(NOW), Usage(LIFETIME)

    for usage in (gauge, life):
        usage.add(5, 0.0)
        usage.roll(1e12)

    assert (gauge.used, life.used) == (0, 5)
    assert (life.frees_s(1), life.resets_s()) == (None, None)


def test_a_clock_that_goes_back_counts_on() -> None:
    """What is used before the newest bucket began counts in it."""
    usage = Usage(Window(Span.ROLLING, 60))
    usage.add(1, 1000.0)

    usage.add(2, 900.0)

    assert usage.buckets() == [(1061.0, 3)]


def test_a_clock_that_was_far_ahead_does_not_count_for_long() -> None:
    """What was used then leaves as if it were used now; going back a bit changes nothing."""
    usage = Usage(Window(Span.ROLLING, 60))
    usage.add(1, 9000.0)
    usage.add(2, 9010.0)
    usage.roll(9009.0)
    assert usage.buckets() == [(9061.0, 1), (9071.0, 2)]

    usage.roll(1000.0)
    assert (usage.used, usage.buckets()) == (3, [(1061.0, 3)])
    usage.add(4, 1001.0)
    usage.roll(1061.0)
    assert usage.used == 4


@given(
    past=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=30),
    now_s=st.integers(150, 300),
)
def test_the_past_counts_as_if_it_had_been_seen(past: list[tuple[int, int]], now_s: int) -> None:
    """Told afterwards, in any order, or seen in time: the same counts, and leaves when it would."""
    window = Window(Span.ROLLING, 120)
    seen, told = Usage(window), Usage(window)
    past = [(at_s, amount) for at_s, amount in past if at_s <= now_s]
    for at_s, amount in sorted(past):
        seen.roll(at_s)
        seen.add(amount, at_s)

    told.merge(past, now_s)
    told.add(3, now_s)
    seen.roll(now_s)
    seen.add(3, now_s)

    assert told.used == seen.used
    for later_s in range(now_s, now_s + 130, 7):
        told.roll(later_s)
        seen.roll(later_s)
        assert told.used == seen.used
