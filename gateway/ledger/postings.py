"""Double entry: what an event posts to which account (``gateway.core.accounts`` explains them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.core import accounts
from gateway.state.ledger_transaction import Hold, Spend

Entries = Counter[str]  # nano-dollars by account; they sum to zero


def hold(holds: Iterable[Hold], entries: Entries) -> None:
    """Credits are set apart for attempts in flight."""
    for one in holds:
        move(entries, accounts.available(one.tenant), accounts.held(one.tenant), one.nano_usd)


def release(holds: Iterable[Hold], entries: Entries) -> None:
    """What was held may be spent again."""
    for one in holds:
        move(entries, accounts.held(one.tenant), accounts.available(one.tenant), one.nano_usd)


def bill(spend: Spend, entries: Entries) -> None:
    """Cost and fee go from the tenant to those who earned them."""
    for (_, tenant, _, _, provider, _, on_credits), (_, cost, fee, *_) in spend.items():
        payer = accounts.available(tenant)
        move(entries, payer, accounts.FEES, fee)
        if not on_credits:
            payer = accounts.paid_by(tenant)
        move(entries, payer, accounts.provider(provider, on_credits=on_credits), cost)


def move(entries: Entries, source: str, target: str, nano_usd: int) -> None:
    """The one way in which money changes its place."""
    entries[source] -= nano_usd
    entries[target] += nano_usd
