"""Shares that all replicas of a test keep in its process, and that can fail to answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from gateway.core.errors import Unavailable
from gateway.state.shares import Claim, Share, Shared
from tests.reference_shares import ReferenceShares


class TwinShares:
    """
    The naive twin as one replica sees it. *deaf*: nothing arrives; *mute*: it arrives and counts,
    and its answer is lost.
    """

    def __init__(self, twin: ReferenceShares) -> None:
        self.deaf = False
        self.mute = False
        self._twin = twin
        self._replica = secrets.token_hex(4)

    async def exchange(self, claims: Sequence[Claim]) -> Shared:
        """As the twin answers."""
        if self.deaf:
            raise Unavailable("a test is deaf")
        shares, replicas, short = self._twin.exchange(self._replica, claims)
        if self.mute:
            raise Unavailable("a test is mute")
        return Shared(tuple(Share(**share) for share in shares), replicas, tuple(short))

    async def close(self) -> None:
        """Nothing to give back."""
