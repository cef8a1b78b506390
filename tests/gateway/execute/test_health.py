"""The health of the fleet by provider and model."""

from __future__ import annotations

import pytest

from gateway.core.outcome import Failure
from gateway.execute.breaker import Permit
from gateway.execute.health import provider_health
from tests.gateway.execute.samples import bench, deployment


async def test_provider_health_merges_deployments() -> None:
    """Counts and times of one model at one provider are counted together, not averaged."""
    async with bench(
        deployment("a/1", "http://a"),
        deployment("a/2", "http://a"),
        deployment("b/1", "http://b"),
    ) as b:
        one, two = b.upstreams.standings["a/1"], b.upstreams.standings["a/2"]
        for _ in range(7):
            one.succeeded(Permit.NORMAL, ttft_s=0.1, tpot_s=0.02)
        two.succeeded(Permit.NORMAL, ttft_s=5.0)
        two.failed(Permit.NORMAL, Failure.BROKEN)
        two.failed(Permit.NORMAL, Failure.THROTTLED, 30.0)

        first, second = provider_health(b.upstreams)

        assert (first.provider, first.model, first.deployments) == ("a", "served-1", 2)
        assert first.available == 1
        assert first.states == {"a/1": "closed", "a/2": "cooldown"}
        assert first.requests == 10
        assert first.success_share == pytest.approx(0.8)
        assert first.error_share == pytest.approx(0.1)
        assert first.throttled_share == pytest.approx(0.1)
        assert first.ttft_s_p50 == pytest.approx(0.1, rel=0.03)
        assert first.ttft_s_p95 == pytest.approx(5.0, rel=0.03)
        assert first.tokens_per_s == pytest.approx(50.0, rel=0.03)
        assert first.recovery_s == 0.0
        assert (second.provider, second.success_share, second.ttft_s_p50) == ("b", None, None)
