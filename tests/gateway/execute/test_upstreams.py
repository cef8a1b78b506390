"""What outlives a request, and a reload."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.secrets import Secret
from gateway.core.health import FRESH
from gateway.core.outcome import Failure
from gateway.core.transport import TransportError
from gateway.execute import upstreams
from gateway.execute.breaker import Permit
from gateway.execute.credentials import ProviderKey
from gateway.execute.upstreams import Nowhere
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


async def test_upstreams_forget_old_endpoints_of_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant that changes its endpoint every minute does not fill our memory."""
    monkeypatch.setattr(upstreams, "ENDPOINTS_MAX", 2)
    place = deployment("a/1", "http://a")
    async with bench(place) as b:
        keys = [
            ProviderKey("k", "acme", "a", Secret("sk-secret"), base_url=f"https://{at}.example")
            for at in range(3)
        ]
        first, second, third = (b.upstreams.standing(place, key) for key in keys)

        assert b.upstreams.standing(place, keys[2]) is third
        assert b.upstreams.standing(place, keys[1]) is second
        assert b.upstreams.standing(place, keys[0]) is not first


async def test_nowhere() -> None:
    """Without a guarded transport no endpoint of a tenant is reached at all."""
    with pytest.raises(TransportError, match="not reached from here"):
        await Nowhere().send("GET", "https://a", (), b"", connect_s=1.0)
