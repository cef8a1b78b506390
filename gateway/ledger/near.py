"""Spend limits and balances that come near their end: operators are told, once each time."""

from __future__ import annotations

from typing import Final

from gateway.core.limits import LIFETIME, Limit, MeterState
from gateway.core.money import usd_text
from gateway.ledger.meter import Meter
from gateway.ledger.terms import BALANCE, scope_of
from gateway.state.facts import Event

NEAR_PERCENT: Final = 80  # of a spend limit


def mark_of(limit: Limit, low_balance_nano_usd: int) -> int:
    """How much of *limit* is used when operators are to know, in nano-dollars."""
    if limit.window == LIFETIME and scope_of(limit)[0] == BALANCE:
        return limit.most - low_balance_nano_usd
    return limit.most * NEAR_PERCENT // 100


def passed(meter: Meter, mark: int, booked: int, now_s: float) -> bool:
    """
    Whether *meter* has passed *mark* since it was last asked, or by the *booked* of just now.

    What had passed before *meter* was made is told by whoever counted then. Between replicas each
    tells of what it has seen.
    """
    if meter.seedable and not meter.seeded:
        return False  # nobody knows yet what was used
    used = meter.used(now_s)
    before = used - (meter.ever if meter.told is None else booked)
    told = meter.told is not False and before >= mark
    meter.told = used >= mark
    return meter.told and not told


def notice_of(state: MeterState) -> tuple[Event, str, dict[str, object]]:
    """What operators are told of a limit that stands so: event, subject and data."""
    limit, used = state.limit, state.used
    scope, name = scope_of(limit)
    if scope == BALANCE:
        left = limit.most - used
        message = f"The tenant {name} has {usd_text(left)} USD left."
        return "balance.low", name, {"message": message, "tenant": name, "left_nano_usd": left}
    spent = f"of {scope} {name} ({usd_text(limit.most)} USD, {limit.window}), {usd_text(used)} USD"
    return (
        "limit.near",
        limit.name,
        {
            "message": f"Of the spend limit {spent} are used.",
            "scope": scope,
            "name": name,
            "window": str(limit.window),
            "used_nano_usd": used,
            "most_nano_usd": limit.most,
        },
    )
