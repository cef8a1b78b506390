"""What outlives a request, and a reload."""

from __future__ import annotations

import msgspec

from gateway.core.health import FRESH
from gateway.core.outcome import Failure
from gateway.execute.breaker import Permit
from tests.gateway.execute.samples import EAGER, bench, deployment, fleet


async def test_upstreams_keep_the_standing_over_a_reload() -> None:
    """A deployment whose id stays is not forgiven by a new configuration; others start fresh."""
    async with bench(deployment("a/1", "http://a"), deployment("b/1", "http://b")) as b:
        for id_ in ("a/1", "b/1"):
            b.upstreams.standings[id_].failed(Permit.NORMAL, Failure.THROTTLED, 60.0)

        b.upstreams.use(
            fleet(deployment("a/1", "http://new"), deployment("c/1", "http://c")), EAGER
        )

        health = b.upstreams.health()
        assert list(health) == ["a/1", "c/1"]
        assert health["a/1"].state == "cooldown"
        assert health["c/1"] == FRESH
        found = b.upstreams.deployment("a/1")
        assert found is not None
        assert found.base_url == "http://new"
        assert b.upstreams.deployment("b/1") is None


async def test_upstreams_apply_new_limits() -> None:
    """Also to deployments that were there before."""
    async with bench(deployment("a/1", "http://a")) as b:
        b.upstreams.use(b.upstreams.fleet, msgspec.structs.replace(EAGER, breaker_failures=1))
        b.upstreams.standings["a/1"].failed(Permit.NORMAL, Failure.BROKEN)

        assert not b.upstreams.health()["a/1"].available


async def test_upstreams_choose_the_transport() -> None:
    """Simulated deployments never reach a network."""

    class Simulated:
        pass

    simulated = Simulated()
    async with bench(
        deployment("a/1", "http://a"),
        deployment("b/1", "http://b", simulated=True),
        simulated=simulated,
    ) as b:
        real, faked = b.upstreams.fleet.deployments
        assert b.upstreams.transport(real) is b.pool
        assert b.upstreams.transport(faked) is simulated
