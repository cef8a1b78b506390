"""The health of the fleet by provider and model, for operators."""

from __future__ import annotations

import msgspec

from gateway.execute.upstreams import Upstreams
from gateway.execute.window import Counts, percentile


class ProviderHealth(msgspec.Struct, frozen=True):
    """
    How one model does at one provider, over the window of ``reliability.window_s``. Times are in
    seconds, None where nothing was measured; shares are 0 to 1.
    """

    provider: str
    model: str
    deployments: int
    available: int  # of them
    states: dict[str, str]  # deployment -> closed, open, half_open or cooldown
    requests: int
    success_share: float | None  # None without requests
    error_share: float
    throttled_share: float
    ttft_s_p50: float | None
    ttft_s_p95: float | None
    tpot_s_p50: float | None
    tokens_per_s: float | None
    recovery_s: float  # until the first of them may be asked again


def provider_health(upstreams: Upstreams) -> list[ProviderHealth]:
    """One entry per provider and model, in order of the fleet."""
    groups: dict[tuple[str, str], list[str]] = {}
    for deployment in upstreams.fleet.deployments:
        groups.setdefault((deployment.provider, deployment.model), []).append(deployment.id)
    return [_entry(upstreams, *group, ids) for group, ids in groups.items()]


def _entry(upstreams: Upstreams, provider: str, model: str, ids: list[str]) -> ProviderHealth:
    standings = {id_: upstreams.standings[id_] for id_ in ids}
    total = Counts()
    for standing in standings.values():
        total.add(standing.counts())
    tpot_s = percentile(total.tpot, 0.5)
    requests = max(1, total.requests)
    return ProviderHealth(
        provider=provider,
        model=model,
        deployments=len(ids),
        available=sum(standing.available for standing in standings.values()),
        states={id_: standing.health().state for id_, standing in standings.items()},
        requests=total.requests,
        success_share=1.0 - total.error_share if total.requests else None,
        error_share=total.errors / requests,
        throttled_share=total.throttled / requests,
        ttft_s_p50=percentile(total.ttft, 0.5),
        ttft_s_p95=percentile(total.ttft, 0.95),
        tpot_s_p50=tpot_s,
        tokens_per_s=1.0 / tpot_s if tpot_s else None,
        recovery_s=min(standing.recovery_s for standing in standings.values()),
    )
