"""Requests of tenants with provider keys of their own."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.config.secrets import Secret
from gateway.core.errors import (
    PolicyError,
    RateLimited,
    SpendLimitReached,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)
from gateway.core.fleet import Deployment
from gateway.core.outcome import Failure
from gateway.core.request import Principal
from gateway.execute.credentials import REFUSED_S, THROTTLED_S, ProviderKey
from gateway.execute.failover import execute
from gateway.execute.reply import Reply
from tests.fakes.clock import ManualClock
from tests.fakes.upstream import (
    DONE,
    ROLE,
    Upstream,
    chat_answer,
    chat_event,
    hang_up,
    scripted,
    stream,
    whole,
)
from tests.gateway.execute.samples import (
    ASK,
    ASK_STREAM,
    EAGER,
    Bench,
    bench,
    decision,
    deployment,
    read_all,
    request,
)

ACME = Principal(tenant="acme")
ANSWER = whole(chat_answer())
REFUSED = whole(b'{"error":{"message":"Bad key","code":"invalid_api_key"}}', 401)
THROTTLED = whole(b'{"error":{"message":"Slow"}}', 429, Retry_After="7")
NO_MODEL = whole(b'{"error":{"message":"Not yours","code":"model_not_found"}}', 403)


def key(id_: str, provider: str = "a", **more: object) -> ProviderKey:
    return ProviderKey(id_, "acme", provider, Secret(f"sk-secret-of-{id_}"), **more)


def asked_with(upstream: Upstream) -> list[str]:
    """The credentials that arrived, in order."""
    sent = (received.headers["authorization"] for received in upstream.received)
    return [words.removeprefix("Bearer ").removeprefix("sk-secret-of-") for words in sent]


def key_ids(b: Bench) -> list[str]:
    return [attempt.key_id for attempt in b.outcomes[-1].attempts]


async def ask(b: Bench, body: bytes = ASK, principal: Principal = ACME) -> Reply:
    return await b.ask(request(body, principal=principal))


@pytest.mark.parametrize(
    ("refusal", "asked"),
    [(SpendLimitReached("dear"), ["a/1", "b/1"]), (RateLimited("many"), ["a/1"])],
)
async def test_only_what_another_model_may_cure_is_asked_of_another(
    refusal: PolicyError, asked: list[str]
) -> None:
    """One may be cheaper; tokens a minute are the same everywhere."""
    told: list[str] = []

    async def permit(deployment: Deployment, *, own_key: bool) -> None:
        del own_key
        told.append(deployment.id)
        if len(told) == 1:
            raise refusal

    async with (
        scripted(ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), deployment("b/1", upstream.url)) as b,
    ):
        made = decision("a/1", "b/1")
        with contextlib.suppress(RateLimited):
            await execute(made, request(), b.upstreams, b.outcomes.append, None, permit)

    assert told == asked


async def test_own_key_is_used_for_its_tenant_alone() -> None:
    """Others are served with the operator's; the record says which it was."""
    async with (
        scripted(ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1"), key("k2", "b")]) as b,
    ):
        await ask(b)
        await ask(b, principal=Principal(tenant="other"))

        assert asked_with(upstream) == ["k1", "key-of-a/1"]
        attempts = [outcome.attempts[0] for outcome in b.outcomes]
        assert [one.key_id for one in attempts] == ["k1", ""]
        assert [one.own_key for one in attempts] == [True, False]


async def test_own_key_of_a_stream() -> None:
    """The record of a stream names it too."""
    scene = stream(ROLE, chat_event("Hi"), chat_event(finish="stop"), DONE)
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1")]) as b,
    ):
        await read_all(await ask(b, ASK_STREAM))

        assert asked_with(upstream) == ["k1"]
        assert key_ids(b) == ["k1"]


async def test_own_key_is_not_sent_to_a_simulation() -> None:
    """What is simulated needs no key."""
    async with (
        scripted(ANSWER) as upstream,
        bench(deployment("a/1", upstream.url, simulated=True), keys=[key("k1")]) as b,
    ):
        await ask(b)

        assert asked_with(upstream) == ["key-of-a/1"]


@pytest.mark.parametrize("refusal", [REFUSED, THROTTLED])
async def test_own_key_that_is_refused_makes_way(refusal: object) -> None:
    """The next key serves the request and those after it; nobody else hears of it."""
    async with (
        scripted(refusal, ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1", weight=9.0), key("k2")]) as b,
    ):
        await ask(b)
        await ask(b)

        assert asked_with(upstream) == ["k1", "k2", "k2"]
        assert b.outcomes[0].attempts[0].key_id == "k1"
        assert b.outcomes[0].attempts[1].failure is None
        health = b.upstreams.health()["a/1"]
        assert (health.state, health.error_share) == ("closed", 0.0)


async def test_own_keys_count_as_attempts() -> None:
    """However many keys are bad, one request asks as often as any other may."""
    keys = [key(f"k{at}") for at in range(9)]
    async with (
        scripted(REFUSED) as upstream,
        bench(deployment("a/1", upstream.url), keys=keys) as b,
    ):
        with pytest.raises(UpstreamUnavailable, match="Your own provider key was refused"):
            await ask(b)

        assert len(upstream.received) == len(set(asked_with(upstream))) == EAGER.attempts_max


async def test_own_keys_withdraw_from_the_retry_budget() -> None:
    """Another key is an extra attempt."""
    keys = [key(f"k{at}") for at in range(9)]
    async with (
        scripted(REFUSED) as upstream,
        bench(deployment("a/1", upstream.url), keys=keys) as b,
    ):
        while b.upstreams.budget.left(b.upstreams.clock.monotonic()):
            b.upstreams.budget.withdraw(b.upstreams.clock.monotonic())
        with pytest.raises(UpstreamUnavailable):
            await ask(b)

        assert len(upstream.received) == 1


async def test_own_keys_that_all_rest_are_not_replaced_by_the_operators() -> None:
    """A tenant is told when to come back; the operator does not pay what others refuse."""
    clock = ManualClock()
    async with (
        scripted(THROTTLED) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1")], clock=clock) as b,
    ):
        now_s = clock.monotonic()
        asked = request(principal=ACME, arrived_s=now_s, deadline_s=now_s + 10.0)
        for words in ("has asked us to wait", "No key of yours"):
            with pytest.raises(UpstreamThrottled, match=words) as caught:
                await b.ask(asked)
            assert caught.value.retry_after_s == 7.0

        assert asked_with(upstream) == ["k1"]
        upstream.scenes[:] = [ANSWER]
        clock.advance(7.0)
        await b.ask(asked)
        assert asked_with(upstream) == ["k1", "k1"]


@pytest.mark.parametrize("status", [401, 403])
async def test_own_key_that_is_refused_is_what_the_tenant_hears_of(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """At once and while it rests, and no client comes again; operators read it once."""
    refusal = whole(b'{"error":{"message":"Bad sk-secret-of-k1","code":"invalid_api_key"}}', status)
    clock = ManualClock()
    async with (
        scripted(refusal) as upstream,
        bench(
            deployment("a/1", upstream.url),
            deployment("a/2", upstream.url),
            keys=[key("k1")],
            clock=clock,
        ) as b,
    ):
        now_s = clock.monotonic()
        asked = request(principal=ACME, arrived_s=now_s, deadline_s=now_s + 10.0)
        for words in (rf"k1 \(a\): HTTP {status} invalid_api_key\.", r"k1 \(a\)\."):
            with pytest.raises(UpstreamUnavailable, match=words) as caught:
                await b.ask(asked)
            error = caught.value
            assert (error.code, error.retry, error.retry_after_s) == (
                "provider_key_refused",
                False,
                None,
            )

        assert len(upstream.received) == 1
        assert b.upstreams.credentials.denied_count(clock.monotonic()) == 1
        assert caplog.text.count("refuses the provider key k1 of tenant acme") == 1
        assert "sk-secret" not in caplog.text
        clock.advance(REFUSED_S)
        assert b.upstreams.credentials.denied_count(clock.monotonic()) == 0


async def test_own_keys_of_which_one_was_only_throttled() -> None:
    """Waiting helps, so that is what the tenant hears."""
    async with (
        scripted(REFUSED, THROTTLED) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1", weight=9.0), key("k2")]) as b,
    ):
        with pytest.raises(UpstreamUnavailable, match="HTTP 429"):
            await ask(b)
        with pytest.raises(UpstreamThrottled, match="No key of yours"):
            await ask(b)


async def test_own_key_that_is_refused_moves_on_to_another_provider() -> None:
    """Where the tenant has a key too, or the operator serves."""
    async with (
        scripted(REFUSED) as bad,
        scripted(ANSWER) as good,
        bench(
            deployment("a/1", bad.url),
            deployment("a/2", bad.url),
            deployment("b/1", good.url),
            keys=[key("k1"), key("k2", "b")],
        ) as b,
    ):
        reply = await ask(b)

        assert reply.deployment.id == "b/1"
        assert key_ids(b) == ["k1", "k2"]


async def test_own_key_without_access_to_a_model_stays_in_use() -> None:
    """One model that an account may not use sets nothing aside, and blames no deployment."""
    async with (
        scripted(NO_MODEL, ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1")]) as b,
    ):
        with pytest.raises(UpstreamUnavailable):
            await ask(b)
        await ask(b)

        assert asked_with(upstream) == ["k1", "k1"]
        assert b.upstreams.health()["a/1"].requests == 1


async def test_own_key_of_a_broken_provider_is_not_to_blame() -> None:
    """A failure of the place is told of the place, and the key is asked with once more."""
    async with (
        scripted(whole(b"", 500), ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1", weight=2.0), key("k2")]) as b,
    ):
        await ask(b)

        assert asked_with(upstream) == ["k1", "k1"]
        assert b.upstreams.health()["a/1"].error_share == 0.5


async def test_own_endpoint_is_asked_instead() -> None:
    """Through the guarded pool, without the operator's headers or key."""
    place = deployment("a/1", "http://127.0.0.1:1", headers={"x-org": "operator"})
    async with scripted(ANSWER) as own:
        mine = key("k1", base_url=f"{own.url}/v1", headers={"x-mine": "1"})
        async with bench(place, keys=[mine]) as b:
            await ask(b)

            assert b.pool.open == 0
            received = own.received[0]
            assert received.path == "/v1/chat/completions"
            assert received.headers["x-mine"] == "1"
            assert "x-org" not in received.headers
            assert asked_with(own) == ["k1"]


async def test_own_endpoint_stands_for_itself() -> None:
    """What a tenant's own server does keeps nobody else away from the provider."""
    async with scripted(hang_up()) as own, scripted(ANSWER) as upstream:
        mine = key("k1", base_url=own.url)
        async with bench(deployment("a/1", upstream.url), keys=[mine]) as b:
            for _ in range(EAGER.breaker_failures):
                with pytest.raises(UpstreamUnavailable):
                    await ask(b)
            await ask(b, principal=Principal())

            assert b.upstreams.health()["a/1"].error_share == 0.0
            assert not b.upstreams.standing(deployment("a/1", ""), mine).available
            b.upstreams.use(b.upstreams.fleet, EAGER)  # a reload does not forgive
            assert not b.upstreams.standing(deployment("a/1", ""), mine).available


async def test_own_endpoint_that_breaks_makes_way_for_another() -> None:
    """Two servers of one tenant are two places; a refused request is asked once only."""
    async with scripted(hang_up()) as dead, scripted(ANSWER) as live:
        keys = [key("k1", base_url=dead.url, weight=2.0), key("k2", base_url=live.url)]
        async with bench(deployment("a/1", "http://127.0.0.1:1"), keys=keys) as b:
            await ask(b)

            assert key_ids(b) == ["k1", "k2"]
            dead.scenes[:] = [whole(b'{"error":{"message":"No such field"}}', 400)]
            with pytest.raises(UpstreamRefused):
                await ask(b)
            assert len(live.received) == 1


async def test_own_endpoint_inside_is_not_reached() -> None:
    """Not even where the row in the database says so: the address is judged when it is dialled."""
    async with scripted(ANSWER) as own:
        url = own.url.replace("127.0.0.1", "localhost")
        async with bench(deployment("a/1", own.url), keys=[key("k1", base_url=url)]) as b:
            for _ in range(EAGER.breaker_failures + 1):
                with pytest.raises(UpstreamUnavailable, match=r"server\.endpoint_hosts") as caught:
                    await ask(b)
                assert caught.value.code == "endpoint_refused"
                assert "is refused: localhost:" in caught.value.message

            assert not own.arrived.is_set()
            assert [len(outcome.attempts) for outcome in b.outcomes] == [1] * len(b.outcomes)


async def test_own_key_is_not_quoted_by_an_error() -> None:
    """Some servers repeat the key that they were asked with; the client sees none."""
    said = b'{"error":{"message":"No field x, sk-secret-of-k1","type":"invalid_request_error"}}'
    async with (
        scripted(whole(said, 400)) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1")]) as b,
    ):
        with pytest.raises(UpstreamRefused) as caught:
            await ask(b)

        assert caught.value.body == said.replace(b"sk-secret-of-k1", b"*" * 15)
        assert caught.value.message == "No field x, ***************"


async def test_own_keys_are_swapped_under_load() -> None:
    """Requests that have begun end with the key they began with."""
    async with (
        scripted(ANSWER) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1")]) as b,
    ):
        running = [asyncio.create_task(ask(b)) for _ in range(20)]
        await asyncio.sleep(0)
        b.upstreams.credentials.use([key("k2")])
        await asyncio.gather(*running)
        await ask(b)

        assert asked_with(upstream)[-1] == "k2"
        assert {outcome.attempts[0].failure for outcome in b.outcomes} == {None}


async def test_own_key_that_is_throttled_without_a_word() -> None:
    """It rests for a while of ours; a 529 is the provider's trouble, not the key's."""
    async with (
        scripted(whole(b"{}", 429), whole(b"{}", 529)) as upstream,
        bench(deployment("a/1", upstream.url), keys=[key("k1", weight=2.0), key("k2")]) as b,
    ):
        with pytest.raises(UpstreamThrottled):
            await ask(b)

        now_s = b.upstreams.clock.monotonic()
        ready = b.upstreams.credentials.ready
        assert [one.id for one in ready("acme", "a", now_s)] == ["k2"]
        assert len(ready("acme", "a", now_s + THROTTLED_S)) == 2
        assert b.upstreams.health()["a/1"].state == "cooldown"
        assert [one.failure for one in b.outcome.attempts] == [Failure.THROTTLED] * 2
