"""Rate limits in the headers of OpenAI and Anthropic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.rate_limit_headers import (
    anthropic_headers,
    duration,
    instant,
    openai_headers,
)
from gateway.core.limits import MINUTE, Limit, MeterState, Unit

NOW_S = 1_700_000_000.2  # 2023-11-14T22:13:20.2Z


def state(unit: Unit, most: int, remaining: int, reset_s: float | None = 6.0) -> MeterState:
    """A limit of which the rest is used."""
    limit = Limit(f"k1 {unit} {most}", unit, most, MINUTE)
    return MeterState(limit, most - remaining, 0, remaining, reset_s)


def test_openai_tells_requests_and_tokens() -> None:
    """Limit, rest, and a duration until all is back; nothing of money."""
    states = [
        state(Unit.NANO_USD, 10, 1),
        state(Unit.TOKENS, 150_000, 149_984, 360.0),
        state(Unit.REQUESTS, 60, 59, 0.012),
    ]

    assert openai_headers(states) == [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ]


def test_anthropic_tells_tokens_in_and_out_too() -> None:
    """Limit, rest, and the instant at which all is back."""
    states = [state(Unit.TOKENS_OUT, 8000, 7000, 3.0), state(Unit.REQUESTS, 50, 0, 60.0)]

    assert anthropic_headers(states, NOW_S) == [
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2023-11-14T22:14:21Z"),
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "7000"),
        ("anthropic-ratelimit-output-tokens-reset", "2023-11-14T22:13:24Z"),
    ]


def test_the_tightest_limit_is_told() -> None:
    """Of a key's and a tenant's requests the caller hears what will refuse it first."""
    states = [state(Unit.REQUESTS, 1000, 3), state(Unit.REQUESTS, 10, 9)]

    assert openai_headers(states)[:2] == [
        ("x-ratelimit-limit-requests", "1000"),
        ("x-ratelimit-remaining-requests", "3"),
    ]


def test_what_never_comes_back_has_no_reset() -> None:
    """A limit for life tells no time."""
    names = [name for name, _ in openai_headers([state(Unit.REQUESTS, 10, 9, None)])]

    assert names == ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.0001, "1ms"),
        (0.9995, "1s"),
        (1.0, "1s"),
        (59.2, "1m0s"),
        (360.0, "6m0s"),
        (93_605.0, "26h0m5s"),
    ],
)
def test_durations_are_as_go_writes_them(seconds: float, text: str) -> None:
    """The largest unit first, without leading zeros, rounded up."""
    assert duration(seconds) == text


@given(seconds=st.floats(0.001, 1e7))
def test_a_reset_is_never_too_early(seconds: float) -> None:
    """An instant is at most a second after the one it tells, and not before."""
    assert instant(NOW_S + seconds) <= instant(NOW_S + seconds + 1)
    assert instant(NOW_S + seconds) >= instant(NOW_S)
