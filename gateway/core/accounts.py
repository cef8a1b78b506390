"""
The chart of accounts. Every batch of entries sums to zero: money only ever changes its place.

    tenant:T/available   credits that T may spend; negative where T owes
    tenant:T/held        credits of T that are reserved for attempts in flight
    tenant:T/top-ups     what T has paid in, negative
    tenant:T/adjustments what the operator gave T or took by hand, with the sign turned
    provider:P           what P has earned on the operator's keys
    fees                 what the operator has earned by routing
    tenant:T/own         what T pays to providers by itself, negative: a memo, no credits of T
    provider:P/own       what P has earned on the keys of tenants: the other side of that memo

Worked example, in USD: T tops up 10. Its model would cost 0.50, the chosen one costs 0.05 at
provider P; the fee is 5 % of what is saved, 0.0225; T pays 0.0725 and keeps 0.4275.

                     available    held     top-ups   provider:P   fees
    top up             +10                   -10
    reserve             -0.0725  +0.0725
    settle: release     +0.0725  -0.0725
    settle: bill        -0.0725                        +0.05     +0.0225
    balance              9.9275   0          -10        0.05      0.0225

With a provider key of its own T is billed the fee alone, and 0.05 goes from ``tenant:T/own`` to
``provider:P/own``.
"""

from __future__ import annotations

FEES = "fees"
TOP_UPS = "/top-ups"
ADJUSTMENTS = "/adjustments"
TENANT = "tenant:"
AVAILABLE = "/available"
HELD = "/held"
OWN = "/own"


def available(tenant: str) -> str:
    """Credits that the tenant may spend."""
    return f"{TENANT}{tenant}{AVAILABLE}"


def held(tenant: str) -> str:
    """Credits of the tenant that are reserved."""
    return f"{TENANT}{tenant}{HELD}"


def given(tenant: str, source: str) -> str:
    """Where credits of the tenant come from: TOP_UPS or ADJUSTMENTS."""
    return f"{TENANT}{tenant}{source}"


def paid_by(tenant: str) -> str:
    """What the tenant pays to providers by itself."""
    return f"{TENANT}{tenant}{OWN}"


def provider(name: str, *, on_credits: bool) -> str:
    """What a provider has earned: on the operator's keys, or on the keys of tenants."""
    return f"provider:{name}" if on_credits else f"provider:{name}{OWN}"
