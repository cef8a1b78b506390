"""
The routing fee: a share of what routing saves, and nothing where it saves nothing. It is reserved
on the estimate before the answer, and settled on the usage that was billed.

Worked example, a share of 5 %: the client's model 0.50 USD, the chosen one 0.05 USD. Savings 0.45,
fee 0.0225, total 0.0725; the client keeps 0.4275, which is 85 % of what it would have paid.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision
from gateway.core.fleet import Price
from gateway.core.outcome import Outcome
from gateway.core.request import RouteAction
from gateway.ledger.usage_cost import cost_nano_usd

PPM = 1_000_000  # a rate in parts per million is exact down to 0.0001 %


class Fee(msgspec.Struct, frozen=True):
    """*reason* says why it is charged or why it is not."""

    amount_nano_usd: int
    reason: str


class Settled(msgspec.Struct, frozen=True):
    """What one answer really saved, negative where it cost more, and the fee for it."""

    savings_nano_usd: int = 0
    fee_nano_usd: int = 0


def routing_fee(savings_nano_usd: int, rate: float, *, action: RouteAction, routed: bool) -> Fee:
    """
    The fee for one decision.

    Args:
        savings_nano_usd: cost of the client's model less that of the chosen one; negative when
            the chosen one is dearer.
        rate: share of the savings, 0 to 1.
        action: what routing was asked for.
        routed: another model answers than the client named.
    """
    free = free_reason(savings_nano_usd, action=action, routed=routed)
    if free:
        return Fee(amount_nano_usd=0, reason=free)
    ppm = round(rate * PPM)
    return Fee(
        amount_nano_usd=(savings_nano_usd * ppm + PPM // 2) // PPM,
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
        return Fee(amount_nano_usd=0, reason="Free: nothing to compare with")
    return routing_fee(
        decision.savings_nano_usd, rate, action=decision.action, routed=decision.routed
    )


def settle(decision: Decision, outcome: Outcome, original: Price | None, rate: float) -> Settled:
    """
    Savings and fee of one answer: what its tokens would have cost at the price of the *original*,
    less what they are billed at. Nothing where routing had no effect, nobody answered, or nobody
    knows that price.

    Another model takes other tokens for the same answer; how many, nobody can know.
    """
    idle = decision.action in (RouteAction.DISABLED, RouteAction.OBSERVE)
    if idle or outcome.usage is None or original is None:
        return Settled()
    savings = cost_nano_usd(outcome.usage, original) - outcome.cost_nano_usd
    fee = routing_fee(savings, rate, action=decision.action, routed=decision.routed)
    return Settled(savings_nano_usd=savings, fee_nano_usd=fee.amount_nano_usd)
