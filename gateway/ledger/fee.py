"""
The routing fee: a share of what routing is estimated to save, and nothing where it saves nothing.

Worked example, a share of 5 %: the client's model 0.50 USD, the chosen one 0.05 USD. Savings 0.45,
fee 0.0225, total 0.0725; the client keeps 0.4275, which is 85 % of what it would have paid.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from gateway.core.decision import Decision
from gateway.core.request import RouteAction

PPM = 1_000_000  # a rate in parts per million is exact down to 0.0001 %


class Fee(msgspec.Struct, frozen=True):
    """
    *savings_nano_usd* is what the fee was taken from, 0 where there is none; *reason* says why it
    is charged or why it is not.
    """

    amount_nano_usd: int
    savings_nano_usd: int
    reason: str


def routing_fee(savings_nano_usd: int, rate: float, *, action: RouteAction, routed: bool) -> Fee:
    """
    The fee for one decision.

    Args:
        savings_nano_usd: estimated cost of the client's model less that of the chosen one;
            negative when the chosen one is dearer.
        rate: share of the savings, 0 to 1.
        action: what routing was asked for.
        routed: another model answers than the client named.
    """
    free = free_reason(savings_nano_usd, action=action, routed=routed)
    if free:
        return Fee(amount_nano_usd=0, savings_nano_usd=0, reason=free)
    ppm = round(Decimal(str(rate)) * PPM)
    return Fee(
        amount_nano_usd=(savings_nano_usd * ppm + PPM // 2) // PPM,
        savings_nano_usd=savings_nano_usd,
        reason=f"{ppm / 10_000:g} % of the estimated savings",
    )


def free_reason(savings_nano_usd: int, *, action: RouteAction, routed: bool) -> str:
    """Why there is no fee, "" when there is one."""
    if action is RouteAction.DISABLED:
        return "Free: routing is off"
    if action is RouteAction.OBSERVE:
        return "Free: observed without effect"
    if not routed:
        return "Free: the client's own model answers"
    if savings_nano_usd == 0:
        return "Free: the chosen model costs the same"
    return "Free: the chosen model costs more" if savings_nano_usd < 0 else ""


def fee_of(decision: Decision, rate: float) -> Fee:
    """
    The fee for *decision*. Where no model was named, and no baseline is here to compare with,
    there is nothing to take it from.
    """
    if decision.cost_original_nano_usd is None:
        return Fee(amount_nano_usd=0, savings_nano_usd=0, reason="Free: nothing to compare with")
    return routing_fee(
        decision.savings_nano_usd, rate, action=decision.action, routed=decision.routed
    )
