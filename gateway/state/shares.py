"""
How replicas share one limit: each holds a share of what is left, and counts it down by itself.

Amounts are cumulative since the replica started, so a report that arrives twice, or whose answer
is lost, counts once. A replica's *ceiling* is what its used and held amounts may reach together;
ceiling less used is its share. Over all replicas, what is used in the window and all shares never
pass the limit, but for what is settled above what was held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from gateway.core.limits import Window

SHARE_S: Final = 10.0  # a share not renewed for so long is taken to be a dead replica's
SHORT_S: Final = 0.5  # for so long others keep to themselves what a replica was short of
FORGET_S: Final = 3600.0  # a replica not heard of for so long has nothing left to say


class Claim(msgspec.Struct, frozen=True):
    """
    What a replica says of one limit, and asks for. *used*, *keep*, *need* and *want* are ever
    larger, and count from the replica's start. *used* was booked. *keep*: a ceiling that it has
    already, and lowers to. *need*: the ceiling that waiting requests need now. *want*: the
    ceiling that saves asking for a while.

    *base*: what of *used* was acknowledged. *anew*: the count was lost, and this is all of it that
    still counts. *points*: the rest by age, oldest first: how many
    seconds ago *used* was how much; the last is *used*. *past*: what was used before, by age, to
    be counted unless somebody did.
    """

    name: str
    most: int
    window: Window
    used: int
    keep: int
    need: int
    want: int
    held: int
    base: int
    anew: bool = False
    points: tuple[tuple[float, int], ...] = ()
    past: tuple[tuple[float, int], ...] | None = None


class Share(msgspec.Struct, frozen=True):
    """
    The answer to a claim. *ceiling*: at least its *keep*. *used*: in the window, by all replicas.
    *others*: shares of the others, of which *spare* is held by no request. *free*: what nobody
    has, negative where the limit is passed. *lost*: what this replica reported before is not
    known any more, and nothing of the claim counts unless it is sent *anew*. *since_s*: seconds
    since the count began. *seeded*: the past is counted. *frees_s*: seconds until what the claim
    lacked has left the window, None where it lacked nothing; *resets_s*: until all has. None:
    never.
    """

    ceiling: int
    used: int
    others: int
    spare: int
    free: int
    lost: bool
    since_s: float
    seeded: bool
    frees_s: float | None
    resets_s: float | None


class Shared(msgspec.Struct, frozen=True):
    """*shares* in the order of the claims; *short*: limits that a replica was short of lately."""

    shares: tuple[Share, ...]
    replicas: int  # heard of lately, this one included
    short: tuple[str, ...] = ()


class Shares(Protocol):
    """
    Where the shares are kept. One per replica; its calls come one after the other.
    """

    async def exchange(self, claims: Sequence[Claim]) -> Shared:
        """
        Report, give back and take, all at once.

        Raises:
            Unavailable: nobody answers; perhaps the claims count, perhaps they do not.
        """

    async def close(self) -> None:
        """Give the connection back."""
