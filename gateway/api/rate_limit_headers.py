"""
Where a caller's limits stand, in the headers of OpenAI and of Anthropic, which their SDKs and
many clients read. Limits in money and of concurrency have no place in them.

Of several limits of one unit, the one with the least left is told: it will be the first to
refuse. A reset is when the limit is whole again; one that time does not restore has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from gateway.core.limits import MeterState, Unit

Headers = list[tuple[str, str]]

OPENAI: Final = {Unit.REQUESTS: "requests", Unit.TOKENS: "tokens"}
ANTHROPIC: Final = {
    **OPENAI,
    Unit.TOKENS_IN: "input-tokens",
    Unit.TOKENS_OUT: "output-tokens",
}


def openai_headers(states: Sequence[MeterState]) -> Headers:
    """``x-ratelimit-{limit,remaining,reset}-{requests,tokens}``; a reset is a duration."""
    headers: Headers = []
    for name, state in tightest(states, OPENAI):
        headers.append((f"x-ratelimit-limit-{name}", str(state.limit.most)))
        headers.append((f"x-ratelimit-remaining-{name}", str(state.remaining)))
        if state.reset_s is not None:
            headers.append((f"x-ratelimit-reset-{name}", duration(state.reset_s)))
    return headers


def anthropic_headers(states: Sequence[MeterState], now_s: float) -> Headers:
    """
    ``anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}``;
    a reset is an instant (RFC 3339). *now_s* is in seconds of the epoch.
    """
    headers: Headers = []
    for name, state in tightest(states, ANTHROPIC):
        headers.append((f"anthropic-ratelimit-{name}-limit", str(state.limit.most)))
        headers.append((f"anthropic-ratelimit-{name}-remaining", str(state.remaining)))
        if state.reset_s is not None:
            headers.append((f"anthropic-ratelimit-{name}-reset", instant(now_s + state.reset_s)))
    return headers


def tightest(
    states: Sequence[MeterState], names: Mapping[Unit, str]
) -> list[tuple[str, MeterState]]:
    """For each unit that has a name, in the order of *names*, the state with the least left."""
    found: list[tuple[str, MeterState]] = []
    for unit, name in names.items():
        least: MeterState | None = None
        for state in states:
            if state.limit.unit is unit and (least is None or state.remaining < least.remaining):
                least = state
        if least is not None:
            found.append((name, least))
    return found


def duration(seconds: float) -> str:
    """Such as ``0s``, ``12ms``, ``1s``, ``6m0s`` or ``26h0m5s``; rounded up."""
    if seconds < 1:
        milliseconds = math.ceil(seconds * 1000)
        if milliseconds < 1000:
            return f"{milliseconds}ms" if milliseconds > 0 else "0s"
    minutes, rest_s = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest_s}s"
    return f"{minutes}m{rest_s}s" if minutes else f"{rest_s}s"


def instant(at_s: float) -> str:
    """An instant in seconds of the epoch as RFC 3339 in UTC, rounded up to a second."""
    return datetime.fromtimestamp(math.ceil(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
