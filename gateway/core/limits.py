"""Limits on what a key, a project, a tenant or a provider uses: how much of what in which time."""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

# Redis counts in doubles, which hold every integer up to here: 9,007,199 USD in nano-dollars.
MOST_MAX: Final = 2**53 - 1
ROLLING_S_MAX: Final = 366 * 86_400
_LENGTHS_S: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_ROLLING: Final = re.compile(r"rolling (\d{1,40})([smhd]?)")


class Unit(enum.StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"  # in and out together
    TOKENS_IN = "tokens_in"
    TOKENS_OUT = "tokens_out"
    CONCURRENT = "concurrent"  # requests that run now: counted while held, and no longer
    NANO_USD = "nano_usd"


class Span(enum.StrEnum):
    """The kinds of windows. The calendar's are in UTC; a week begins on Monday."""

    ROLLING = "rolling"  # the last so many seconds, at every instant
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    LIFETIME = "lifetime"  # never forgets: a balance of credits
    NOW = "now"  # counts what is held, and forgets what is settled: a gauge


class Window(msgspec.Struct, frozen=True):
    """When what was used stops counting. *rolling_s* is more than 0 for a rolling window only."""

    span: Span
    rolling_s: int = 0

    def __str__(self) -> str:
        return f"rolling {self.rolling_s}s" if self.span is Span.ROLLING else self.span.value


MINUTE: Final = Window(Span.ROLLING, 60)  # of "requests per minute"
NOW: Final = Window(Span.NOW)
LIFETIME: Final = Window(Span.LIFETIME)


class Limit(msgspec.Struct, frozen=True):
    """
    At most *most* of *unit* in *window*. *name* identifies what is counted, over restarts and
    replicas, such as ``key k1 requests rolling 60s``: two limits of one name share their count,
    and a limit that was raised or lowered keeps it.
    """

    name: str
    unit: Unit
    most: int  # 0 to MOST_MAX
    window: Window


class MeterState(msgspec.Struct, frozen=True):
    """
    Where one limit stands. *used* is settled and still counts, *held* is promised to requests of
    this replica that run. *remaining* is never below 0. *reset_s*: until nothing that was used
    counts any more, 0 where nothing does, None where time alone gives nothing back.
    *stale_since_s*: since when, in seconds of the epoch, other replicas are not heard of; None
    where all is fresh.
    """

    limit: Limit
    used: int
    held: int
    remaining: int
    reset_s: float | None
    stale_since_s: float | None = None


class LimitReached(msgspec.Struct, frozen=True):
    """
    *limit* refuses *asked* more. *retry_after_s*: until that much may fit, None where waiting
    alone does not help (a lifetime, a gauge, or more asked than *most*).
    """

    limit: Limit
    asked: int
    used: int
    held: int
    retry_after_s: float | None


def parse_window(text: str) -> Window:
    """
    The window that a configuration names: ``minute``, ``hour``, ``day``, ``week``, ``month``,
    ``lifetime``, or ``rolling 3600``, ``rolling 90m``, ``rolling 5h``, ``rolling 30d``. What
    ``str`` makes of such a window is one of these, too.

    Raises:
        ValueError: it names none, or a rolling one of 0 seconds or of more than 366 days.
    """
    if found := _ROLLING.fullmatch(text):
        seconds = int(found[1]) * _LENGTHS_S[found[2]]
        if not 0 < seconds <= ROLLING_S_MAX:
            raise ValueError(
                f"a rolling window has 1 to {ROLLING_S_MAX} seconds, not {seconds}; "
                f"{ROLLING_S_MAX // 86_400} days are the most"
            )
        return Window(Span.ROLLING, seconds)
    names = [span.value for span in Span if span not in (Span.ROLLING, Span.NOW)]
    if text not in names:
        raise ValueError(
            f"{text!r} is no window: expected one of {', '.join(names)}, or rolling with a number"
            " of seconds, minutes, hours or days, such as rolling 3600, rolling 5h or rolling 30d"
        )
    return Window(Span(text))
