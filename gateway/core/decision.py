"""The immutable result of deciding, with everything that explains it."""

from __future__ import annotations

import msgspec

from gateway.core.request import RouteAction


class Candidate(msgspec.Struct, frozen=True):
    """
    One deployment as the decision saw it. *lost* is empty when it was eligible, else the reasons it
    was not, as sentences.
    """

    deployment: str
    model: str
    provider: str
    cost_nano_usd: int
    quality: float  # 0 to 1
    latency_s: float
    lost: tuple[str, ...]


class Versions(msgspec.Struct, frozen=True):
    """What the decision was made from; the same versions and inputs give the same decision."""

    policy: str
    fleet: str
    view: str
    classifier: str


class Decision(msgspec.Struct, frozen=True):
    """
    Which deployments to try, best first, and why.

    *ranking* names deployments. The first is the answer; the rest is the order of failover.
    *would* is the model that ``observe`` would have chosen, at *would_cost_nano_usd*; both None for
    every other action.
    """

    action: RouteAction
    mode: str
    ranking: tuple[str, ...]
    model: str  # that answers if nothing fails
    provider: str
    original_model: str | None  # None: the client named a virtual model
    original_provider: str | None
    routed: bool  # another model than the client named
    reason: str
    rule: str | None
    task_type: str
    confidence: float
    complexity: float
    tier: str
    stage: str
    tokens_in: int
    tokens_out: int  # predicted
    cost_original_nano_usd: int | None  # None: nothing to compare with
    cost_nano_usd: int
    quality: float
    within_cost_limit: bool
    provider_healthy: bool
    versions: Versions
    seed: int
    would: str | None = None
    would_cost_nano_usd: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def savings_nano_usd(self) -> int:
        """What routing is expected to save; negative when the chosen model costs more."""
        if self.cost_original_nano_usd is None:
            return 0
        return self.cost_original_nano_usd - self.cost_nano_usd
