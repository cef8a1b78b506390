"""
What happens to the money of one attempt: reserved before it is sent, then settled or released.

These are the lines of the journal, so a member may be added at the end with a default, and none
may be moved or taken away.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Exact = Annotated[int, Meta(ge=-(2**53), le=2**53)]  # of what one attempt may hold; 9 million USD


class Reserved(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="reserved"):
    """
    An attempt is about to be sent. The amounts are predictions; nobody else may count on them
    until *lease_until_s*, a time of the wall clock after which the attempt cannot still run.
    """

    attempt_id: str
    request_id: str
    tenant: str
    project: str
    key_id: str
    provider: str
    on_credits: bool  # the operator's provider key, paid from the tenant's credits
    cost_nano_usd: Exact
    fee_nano_usd: Exact
    wall_s: float
    lease_until_s: float

    @property
    def credits_nano_usd(self) -> int:
        """What it holds of the tenant's credits."""
        return credits_nano_usd(self)


class Settled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="settled"):
    """An attempt has ended and is billed. Savings are negative where it cost more."""

    attempt_id: str
    request_id: str
    tenant: str
    project: str
    key_id: str
    provider: str
    model: str
    on_credits: bool
    cost_nano_usd: Exact
    fee_nano_usd: Exact
    savings_nano_usd: Exact
    tokens_in: Exact
    tokens_out: Exact
    estimated: bool  # the upstream reported no usage
    wall_s: float

    @property
    def credits_nano_usd(self) -> int:
        """What it takes of the tenant's credits."""
        return credits_nano_usd(self)


class Released(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="released"):
    """An attempt has ended and costs nothing; *reason* says how, in a word."""

    attempt_id: str
    wall_s: float
    reason: str


Charge = Reserved | Settled | Released


def attempt_id(request_id: str, number: int) -> str:
    """The name of attempt *number* for a request; money is reserved and settled once under it."""
    return f"{request_id}/{number}"


def credits_nano_usd(charge: Reserved | Settled) -> int:
    """What credits pay: cost and fee, or with the tenant's own provider key the fee alone."""
    return charge.fee_nano_usd + (charge.cost_nano_usd if charge.on_credits else 0)
