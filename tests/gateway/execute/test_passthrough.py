"""Any other endpoint of a provider."""

from __future__ import annotations

import pytest

from gateway.config.secrets import Secret
from gateway.core.clock import SystemClock
from gateway.core.errors import (
    InvalidRequest,
    SwitchyardError,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.core.outcome import Failure
from gateway.execute.credentials import ProviderKey
from gateway.execute.passthrough import Raw, RawReply, passthrough
from tests.fakes.upstream import Cut, Stall, scripted, silence, stream, whole
from tests.gateway.execute.samples import QUICK, Bench, bench, deployment, soon


def raw(path: str = "/files?limit=2", method: str = "GET", **headers: str) -> Raw:
    deadline_s = SystemClock().monotonic() + 10.0
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Raw(method, path, named, b"{}" if method == "POST" else b"", deadline_s)


async def ask(b: Bench, request: Raw) -> RawReply:
    return await passthrough(request, b.upstreams.fleet.deployments[0], b.upstreams)


async def test_passthrough_relays_both_ways() -> None:
    """Path, query, body and headers go; status, headers and body come back as they are."""
    scene = whole(b"nope", 404, X_A="1", Set_Cookie="s=1", Etag="e")
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", f"{upstream.url}/v1")) as b,
    ):
        request = raw(method="POST", Content_Type="text/plain", Authorization="Bearer gateway-key")
        reply = await ask(b, request)

        headers = dict(reply.headers)
        assert reply.status == 404
        assert (headers["x-a"], headers["etag"], headers["content-length"]) == ("1", "e", "4")
        assert "set-cookie" not in headers
        assert b"".join([piece async for piece in reply]) == b"nope"
        received = upstream.received[0]
        assert (received.method, received.path, received.body) == (
            "POST",
            "/v1/files?limit=2",
            b"{}",
        )
        assert received.headers["content-type"] == "text/plain"
        assert received.headers["authorization"] == "Bearer key-of-a/1"
        assert b.pool.idle == 1


async def test_passthrough_of_a_head() -> None:
    """A length, and no body."""
    async with (
        scripted(whole(b"12345")) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await ask(b, raw(method="HEAD"))

        assert dict(reply.headers)["content-length"] == "5"
        assert [piece async for piece in reply] == []


@pytest.mark.parametrize(
    "path",
    ["files", "//../admin", "/../admin", "/a/..", "/%2e%2E/admin", "/a/.%2e/b", "/a/./b", "/..;/x"],
)
async def test_passthrough_does_not_climb(path: str) -> None:
    """What lies beside the base URL was not offered."""
    async with bench(deployment("a/1", "http://127.0.0.1:9/v1")) as b:
        with pytest.raises(InvalidRequest, match="dot segments"):
            await ask(b, raw(path))


@pytest.mark.parametrize("path", ["/a b", "/a\r\nx: y", "/ä"])
async def test_passthrough_sends_no_raw_characters(path: str) -> None:
    """A path cannot smuggle another request."""
    async with bench(deployment("a/1", "http://127.0.0.1:9")) as b:
        with pytest.raises(InvalidRequest, match="quoted"):
            await ask(b, raw(path))


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET /x"])
async def test_passthrough_sends_no_other_method(method: str) -> None:
    """Tunnels above all."""
    async with bench(deployment("a/1", "http://127.0.0.1:9")) as b:
        with pytest.raises(InvalidRequest, match="must be one of"):
            await ask(b, raw(method=method))


@pytest.mark.parametrize("dots", ["/files/a..b", "/v1/models/x.y", "/files?path=../x", "/.well"])
async def test_passthrough_takes_other_dots(dots: str) -> None:
    """Dots in names are no dot segments."""
    async with (
        scripted(whole()) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await ask(b, raw(dots))
        await reply.aclose()

        assert upstream.received[0].path == dots


@pytest.mark.parametrize(
    ("scene", "error"),
    [
        (stream(b"abc", Cut), UpstreamUnavailable),
        (stream(b"abc", Stall), UpstreamTimeout),
    ],
)
async def test_passthrough_breaks_off(scene: object, error: type[SwitchyardError]) -> None:
    """What breaks off at the provider must break off at the client too."""
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url, timeouts=QUICK)) as b,
    ):
        reply = await ask(b, raw())

        assert await anext(reply) == b"abc"
        with pytest.raises(error):
            await anext(reply)


async def test_passthrough_tells_a_client_that_left() -> None:
    """Closing ends the provider's work."""
    async with (
        scripted(stream(b"abc", Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await ask(b, raw())
        await reply.aclose()

        await soon(upstream.received[0].gone)


async def test_passthrough_without_an_answer() -> None:
    """Silence is a timeout, nobody there is unavailable."""
    async with scripted(silence()) as upstream:
        timeouts = type(QUICK)(connect_s=1.0, total_s=0.1)
        async with bench(deployment("a/1", upstream.url, timeouts=timeouts)) as b:
            with pytest.raises(UpstreamTimeout):
                await ask(b, raw())
    async with bench(deployment("a/1", upstream.url)) as b:
        with pytest.raises(UpstreamUnavailable):
            await ask(b, raw())


def own(id_: str, **more: object) -> ProviderKey:
    return ProviderKey(id_, "acme", "a", Secret(f"sk-secret-of-{id_}"), **more)


async def ask_as_acme(b: Bench) -> RawReply:
    return await passthrough(raw(), b.upstreams.fleet.deployments[0], b.upstreams, "acme")


async def test_passthrough_uses_the_key_of_the_tenant() -> None:
    """The heaviest, always; others have the operator's."""
    place = deployment("a/1", "http://127.0.0.1:1")
    async with scripted(whole(b"{}")) as upstream:
        keys = [own("k1"), own("k2", weight=2.0, base_url=f"{upstream.url}/own")]
        async with bench(place, keys=keys) as b:
            for _ in range(5):
                reply = await ask_as_acme(b)
                assert [piece async for piece in reply] == [b"{}"]
            with pytest.raises(UpstreamUnavailable):
                await ask(b, raw())

            assert {one.headers["authorization"] for one in upstream.received} == {
                "Bearer sk-secret-of-k2"
            }
            assert upstream.received[0].path == "/own/files?limit=2"


async def test_passthrough_tries_the_next_key() -> None:
    """What refuses one key is asked with the next; nothing is held against either."""
    async with (
        scripted(whole(b"no", 401), whole(b"{}")) as upstream,
        bench(deployment("a/1", upstream.url), keys=[own("k1"), own("k2")]) as b,
    ):
        reply = await ask_as_acme(b)
        assert (reply.status, [piece async for piece in reply]) == (200, [b"{}"])

        assert len(b.upstreams.credentials.ready("acme", "a", 0.0)) == 2
        upstream.scenes[:] = [whole(b"no", 403)]
        reply = await ask_as_acme(b)
        assert (reply.status, [piece async for piece in reply]) == (403, [b"no"])
        assert len(upstream.received) == 4
        while b.upstreams.budget.left(b.upstreams.clock.monotonic()):
            b.upstreams.budget.withdraw(b.upstreams.clock.monotonic())
        await (await ask_as_acme(b)).aclose()
        assert len(upstream.received) == 5


async def test_passthrough_with_keys_that_rest() -> None:
    """The tenant is told when to come back; the operator's key is not its."""
    async with bench(deployment("a/1", "http://127.0.0.1:1"), keys=[own("k1")]) as b:
        now_s = b.upstreams.clock.monotonic()
        b.upstreams.credentials.refused(own("k1"), Failure.THROTTLED, 60.0, now_s)

        with pytest.raises(UpstreamThrottled, match="No key of yours") as caught:
            await ask_as_acme(b)
        assert caught.value.retry_after_s == pytest.approx(60.0, abs=5.0)


async def test_passthrough_with_a_refused_key_or_endpoint() -> None:
    """The tenant is told which of its own it is, and no client comes again."""
    inside = own("k1", base_url="http://localhost:1")
    async with bench(deployment("a/1", "http://127.0.0.1:1"), keys=[inside]) as b:
        with pytest.raises(UpstreamUnavailable, match=r"server\.endpoint_hosts"):
            await ask_as_acme(b)
        now_s = b.upstreams.clock.monotonic()
        b.upstreams.credentials.refused(inside, Failure.DENIED, None, now_s)
        with pytest.raises(UpstreamUnavailable, match=r"refused by the provider: k1 \(a\)\."):
            await ask_as_acme(b)


@pytest.mark.parametrize(
    ("status", "seen"), [(401, b"bad: **********."), (200, b"bad: key-of-a/1.")]
)
async def test_passthrough_hides_the_key_in_errors(status: int, seen: bytes) -> None:
    """Wherever the upstream cuts its body; an answer is relayed as it is."""
    scene = stream(b"bad: key-o", b"f-a/1.", status=status)
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await ask(b, raw())

        pieces = [piece async for piece in reply]
        assert b"".join(pieces) == seen
        assert b"" not in pieces
