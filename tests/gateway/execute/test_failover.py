"""From a decision to a reply: whole answers, errors, retries and failover."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest

from gateway.config.schema import Reliability, Server
from gateway.core.chat import Finish, Usage
from gateway.core.errors import (
    InvalidRequest,
    Overloaded,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.core.outcome import Ending, Failure
from gateway.core.request import Kind
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.breaker import Permit
from tests.fakes.clock import ManualClock
from tests.fakes.upstream import (
    DONE,
    ROLE,
    Cut,
    chat_answer,
    chat_event,
    hang_up,
    raw,
    scripted,
    silence,
    stream,
    whole,
)
from tests.gateway.execute.samples import (
    ASK,
    ASK_CLAUDE,
    ASK_STREAM,
    EAGER,
    QUICK,
    bench,
    deployment,
    read_all,
    request,
    soon,
)

REFUSAL = b'{"error":{"message":"No such field: prompt words","type":"invalid_request_error"}}'
TOO_LONG = b'{"error":{"message":"Too long","code":"context_length_exceeded"}}'


async def test_execute_answers() -> None:
    """The upstream's bytes, untouched, and everything that accounting needs."""
    answer = chat_answer()
    scene = whole(answer, X_Request_Id="up-1", X_Ratelimit_Remaining_Requests="9")
    async with scripted(scene) as upstream, bench(deployment("a/1", upstream.url)) as b:
        reply = await b.ask(request())

        assert (reply.status, reply.body, reply.stream) == (200, answer, None)
        assert reply.content_type == "application/json"
        assert dict(reply.headers) == {
            "x-upstream-request-id": "up-1",
            "x-upstream-ratelimit-remaining-requests": "9",
        }
        assert reply.deployment.id == "a/1"
        outcome = b.outcome
        assert (outcome.ending, outcome.status, outcome.deployment) == (
            Ending.COMPLETE,
            200,
            "a/1",
        )
        assert outcome.usage == Usage(tokens_in=11, tokens_out=7)
        assert outcome.finish is Finish.STOP
        assert outcome.cost_nano_usd == 11 * 1000 + 7 * 2000
        assert outcome.attempts == reply.attempts
        assert [attempt.status for attempt in outcome.attempts] == [200]
        assert b.failures() == [None]


async def test_execute_shows_the_model_that_was_asked_for() -> None:
    """On wish the reply names the client's model; nothing else changes."""
    async with (
        scripted(whole(chat_answer())) as upstream,
        bench(deployment("a/1", upstream.url), show="asked") as b,
    ):
        reply = await b.ask(request())

        assert reply.body == chat_answer().replace(b"served-1", b"asked-1")


async def test_execute_translates() -> None:
    """A client of one dialect is answered by an upstream of the other, with a date of ours."""
    clock = ManualClock()
    body = (
        b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":'
        b'[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":'
        b'{"input_tokens":5,"output_tokens":2}}'
    )
    async with (
        scripted(whole(body)) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages"), clock=clock) as b,
    ):
        now_s = clock.monotonic()
        asked = request(
            ASK[:-1] + b',"logit_bias":{"1":2}}', arrived_s=now_s, deadline_s=now_s + 10.0
        )
        reply = await b.ask(asked)

        assert reply.body is not None
        said = msgspec.json.decode(reply.body)
        assert said["choices"][0]["message"]["content"] == "Hello"
        assert said["model"] == "claude-x"
        assert said["created"] == int(clock.wall())
        assert "dropped;unsupported;logit_bias" in reply.warnings
        assert b.outcome.usage == Usage(tokens_in=5, tokens_out=2)
        assert upstream.received[0].path == "/v1/messages"


async def test_execute_estimates_usage_that_is_missing() -> None:
    """Without usage the answer's characters and the decision's estimate are billed, and marked."""
    async with (
        scripted(whole(chat_answer("123456789", usage=False))) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        await b.ask(request())

        assert b.outcome.usage == Usage(tokens_in=13, tokens_out=3, estimated=True)


async def test_execute_serves_embeddings() -> None:
    """An endpoint that is only passed through is passed through."""
    body = b'{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}'
    asked = request(b'{"model":"asked-1","input":"Hi"}', "openai_embeddings", kind=Kind.EMBEDDING)
    async with (
        scripted(whole(body)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(asked)

        assert reply.body == body
        assert upstream.received[0].path == "/embeddings"
        assert b.outcome.usage == Usage(tokens_in=4)


async def test_execute_retries_what_broke_once() -> None:
    """A 500, then an answer, at the only deployment there is."""
    async with (
        scripted(whole(status=500), whole(chat_answer())) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request())

        assert reply.body == chat_answer()
        assert b.failures() == [Failure.BROKEN, None]
        assert [attempt.deployment for attempt in b.outcome.attempts] == ["a/1", "a/1"]


@pytest.mark.parametrize(
    ("scene", "failures"),
    [
        (whole(status=500), [Failure.BROKEN, None]),
        (hang_up(), [Failure.BROKEN, None]),
        (raw(b"nonsense\r\n"), [Failure.BROKEN, None]),
        (whole(b"<html>"), [Failure.BROKEN, None]),
        (whole(b'{"error":{"message":"no","type":"x"}}'), [Failure.BROKEN, None]),
        (whole(b'{"error":{"type":"overloaded_error"}}'), [Failure.THROTTLED, None]),
        (whole(status=401), [Failure.DENIED, None]),
        (whole(status=404), [Failure.DENIED, None]),
        (whole(status=429), [Failure.THROTTLED, None]),
        (whole(status=504), [Failure.LATE, None]),
    ],
)
async def test_execute_fails_over(scene: object, failures: list[Failure | None]) -> None:
    """Every failure that another deployment need not share moves on to it."""
    async with (
        scripted(scene) as bad,
        scripted(whole(chat_answer())) as good,
        bench(deployment("a/1", bad.url), deployment("b/1", good.url)) as b,
    ):
        reply = await b.ask(request())

        assert reply.deployment.id == "b/1"
        assert b.failures() == failures
        assert b.outcome.deployment == "b/1"


async def test_execute_fails_over_from_a_refused_connection() -> None:
    """A deployment that is not there is one that broke."""
    async with scripted(whole()) as gone:
        url = gone.url
    async with (
        scripted(whole(chat_answer())) as good,
        bench(deployment("a/1", url), deployment("b/1", good.url)) as b,
    ):
        reply = await b.ask(request())

        assert reply.deployment.id == "b/1"
        assert [attempt.status for attempt in b.outcome.attempts] == [None, 200]


async def test_execute_passes_a_refusal_on() -> None:
    """The client's own fault is told in the upstream's own words, and nobody else is asked."""
    async with (
        scripted(whole(REFUSAL, 400)) as bad,
        scripted(whole(chat_answer())) as good,
        bench(deployment("a/1", bad.url), deployment("b/1", good.url)) as b,
    ):
        with pytest.raises(UpstreamRefused) as caught:
            await b.ask(request())

        error = caught.value
        assert (error.status, error.code, error.body) == (400, "invalid_request_error", REFUSAL)
        assert not error.retry
        assert good.received == []
        assert (b.outcome.ending, b.outcome.status) == (Ending.FAILED, 400)
        assert "prompt words" not in b.outcome.attempts[0].message
        assert b.upstreams.health()["a/1"].error_share == 0.0


async def test_execute_tells_a_refusal_across_dialects() -> None:
    """The body of another dialect would not be understood: its message is passed on."""
    refusal = b'{"type":"error","error":{"type":"invalid_request_error","message":"Bad tool"}}'
    async with (
        scripted(whole(refusal, 400)) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages")) as b,
    ):
        with pytest.raises(UpstreamRefused, match="Bad tool") as caught:
            await b.ask(request())

        assert caught.value.body is None


async def test_execute_asks_the_own_model_what_another_refused() -> None:
    """A refusal by a model that routing chose is not the client's fault yet."""
    async with (
        scripted(whole(REFUSAL, 400)) as routed,
        scripted(whole(chat_answer())) as own,
        bench(
            deployment("a/1", routed.url, model="cheap"),
            deployment("b/1", routed.url, model="cheaper"),
            deployment("c/1", own.url, model="asked-1"),
        ) as b,
    ):
        reply = await b.ask(request(), routed=True, original_model="asked-1")

        assert reply.deployment.id == "c/1"
        assert b.failures() == [Failure.REFUSED, None]


async def test_execute_asks_for_a_larger_context() -> None:
    """A prompt that was too long goes on to whoever can hold more, past those who cannot."""
    async with (
        scripted(whole(TOO_LONG, 400)) as small,
        scripted(whole(chat_answer())) as large,
        bench(
            deployment("a/1", small.url),
            deployment("b/1", small.url),
            deployment("c/1", large.url, context_tokens=100_000),
        ) as b,
    ):
        reply = await b.ask(request())

        assert reply.deployment.id == "c/1"
        assert len(small.received) == 1


async def test_execute_keeps_away_from_who_asked_for_it() -> None:
    """A storm of 429s reaches each deployment once; then everybody waits as long as was said."""
    clock = ManualClock()
    asked = request(arrived_s=clock.monotonic(), deadline_s=clock.monotonic() + 10.0)
    async with (
        scripted(whole(status=429, Retry_After="20")) as first,
        scripted(whole(status=429, Retry_After_Ms="5000")) as second,
        bench(deployment("a/1", first.url), deployment("b/1", second.url), clock=clock) as b,
    ):
        for _ in range(3):
            with pytest.raises(UpstreamThrottled) as caught:
                await b.ask(asked)
            assert caught.value.retry_after_s == pytest.approx(5.0)
            assert caught.value.retry

        assert (len(first.received), len(second.received)) == (1, 1)
        assert [outcome.status for outcome in b.outcomes] == [429, 429, 429]
        assert [len(outcome.attempts) for outcome in b.outcomes] == [2, 0, 0]

        second.scenes = [whole(chat_answer())]
        clock.advance(5.0)
        later = request(arrived_s=clock.monotonic(), deadline_s=clock.monotonic() + 10.0)
        assert (await b.ask(later)).deployment.id == "b/1"


async def test_execute_promises_no_longer_wait_than_the_upstream_asked_for() -> None:
    """A breaker that is open for longer is probed as the last resort: only cooldowns are kept."""
    clock = ManualClock()
    asked = request(arrived_s=clock.monotonic(), deadline_s=clock.monotonic() + 10.0)
    reliability = msgspec.structs.replace(EAGER, breaker_failures=1, breaker_open_s=20.0)
    busy = whole(status=429, Retry_After="7")
    async with (
        scripted(busy, whole(chat_answer())) as upstream,
        bench(deployment("a/1", upstream.url), clock=clock, reliability=reliability) as b,
    ):
        b.upstreams.standings["a/1"].failed(Permit.NORMAL, Failure.BROKEN)
        with pytest.raises(UpstreamThrottled) as caught:
            await b.ask(asked)
        assert caught.value.retry_after_s == pytest.approx(7.0)

        clock.advance(7.0)
        later = request(arrived_s=clock.monotonic(), deadline_s=clock.monotonic() + 10.0)
        assert (await b.ask(later)).status == 200


async def test_execute_skips_an_open_breaker() -> None:
    """A deployment that keeps failing is not asked any more while another one answers."""
    reliability = msgspec.structs.replace(EAGER, breaker_failures=2)
    async with (
        scripted(whole(status=500)) as bad,
        scripted(whole(chat_answer())) as good,
        bench(
            deployment("a/1", bad.url), deployment("b/1", good.url), reliability=reliability
        ) as b,
    ):
        for _ in range(4):
            assert (await b.ask(request())).deployment.id == "b/1"

        assert len(bad.received) == 2
        assert b.upstreams.health()["a/1"].state == "open"


async def test_execute_probes_as_the_last_resort() -> None:
    """With nobody else, an open breaker is tried again by one request at a time."""
    reliability = msgspec.structs.replace(EAGER, breaker_failures=1, attempts_max=1)
    async with (
        scripted(whole(status=500), silence(), whole(chat_answer())) as upstream,
        bench(deployment("a/1", upstream.url), reliability=reliability) as b,
    ):
        with pytest.raises(UpstreamUnavailable):
            await b.ask(request())
        upstream.arrived.clear()
        probe = asyncio.create_task(b.ask(request()))
        await soon(upstream.arrived)
        with pytest.raises(UpstreamThrottled, match="resting"):
            await b.ask(request())
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe

        await b.ask(request())
        assert b.upstreams.health()["a/1"].state == "closed"
        assert len(upstream.received) == 3


async def test_execute_stops_at_the_most_attempts() -> None:
    """However long the ranking is."""
    reliability = msgspec.structs.replace(EAGER, attempts_max=3)
    async with (
        scripted(whole(status=500)) as bad,
        bench(
            *(deployment(f"{name}/1", bad.url) for name in "abcde"), reliability=reliability
        ) as b,
    ):
        with pytest.raises(UpstreamUnavailable) as caught:
            await b.ask(request())

        message = "No answer after 3 attempts, the last at c/1: HTTP 500."
        assert caught.value.message == message
        assert not caught.value.retry
        assert len(bad.received) == 3


async def test_execute_stops_when_the_retry_budget_is_spent() -> None:
    """A storm of failures is one attempt per request, not four."""
    reliability = Reliability(backoff_s=0.0, retry_share=0.0, retry_floor_per_s=0.0)
    async with (
        scripted(whole(status=500)) as bad,
        bench(deployment("a/1", bad.url), reliability=reliability) as b,
    ):
        with pytest.raises(UpstreamUnavailable):
            await b.ask(request())

        assert len(bad.received) == 1


async def test_execute_gives_up_at_the_deadline() -> None:
    """A silent upstream costs no more than the client is willing to wait."""
    async with (
        scripted(silence()) as upstream,
        bench(deployment("a/1", upstream.url), deployment("b/1", upstream.url)) as b,
    ):
        asked = request()
        asked = msgspec.structs.replace(asked, deadline_s=asked.arrived_s + 0.1)
        with pytest.raises(UpstreamTimeout):
            await b.ask(asked)

        assert b.failures() == [Failure.LATE]
        await soon(upstream.received[0].gone)
        # A client in a hurry says nothing about the deployment.
        assert b.upstreams.health()["a/1"].requests == 0


async def test_execute_fails_over_from_a_silent_upstream() -> None:
    """Within its own time; that it kept silent is then its own fault."""
    timeouts = msgspec.structs.replace(QUICK, total_s=0.1)
    async with (
        scripted(silence()) as bad,
        scripted(whole(chat_answer())) as good,
        bench(deployment("a/1", bad.url, timeouts=timeouts), deployment("b/1", good.url)) as b,
    ):
        reply = await b.ask(request())

        assert reply.deployment.id == "b/1"
        assert b.failures() == [Failure.LATE, None]
        assert b.upstreams.health()["a/1"].error_share == 1.0


async def test_execute_refuses_an_answer_above_the_limit() -> None:
    """An answer that large would be as large again, and billed twice."""
    async with (
        scripted(whole(b"x" * 5000)) as upstream,
        bench(deployment("a/1", upstream.url), server=Server(answer_bytes_max=1024)) as b,
    ):
        with pytest.raises(UpstreamError, match="the limit is 1024") as caught:
            await b.ask(request())

        assert caught.value.code == "answer_too_large"
        assert len(upstream.received) == 1


async def test_execute_tells_of_a_client_that_left() -> None:
    """A client that leaves before the answer ends the upstream's work, and is not retried for."""
    async with (
        scripted(silence()) as upstream,
        bench(deployment("a/1", upstream.url), deployment("b/1", upstream.url)) as b,
    ):
        task = asyncio.create_task(b.ask(request()))
        await soon(upstream.arrived)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await soon(upstream.received[0].gone)
        assert len(upstream.received) == 1
        assert (b.outcome.ending, b.outcome.status) == (Ending.CLIENT_GONE, 499)
        assert b.failures() == [Failure.ABANDONED]
        assert b.outcome.usage is None
        assert b.upstreams.health()["a/1"].requests == 0


async def test_execute_blames_nobody_for_our_own_limit() -> None:
    """A full pool is overload of ours: shed, and the deployment stays in good standing."""

    class Full:
        async def send(self, *_: object, **__: object) -> UpstreamResponse:
            raise TransportError("busy", "full")

    async with bench(deployment("a/1", "http://a", simulated=True), simulated=Full()) as b:
        with pytest.raises(Overloaded):
            await b.ask(request())

        assert b.upstreams.health()["a/1"].requests == 0
        assert b.outcome.status == 503


async def test_execute_tells_the_outcome_of_our_own_faults() -> None:
    """Also a bug of ours is told once, as one."""

    class Buggy:
        async def send(self, *_: object, **__: object) -> UpstreamResponse:
            raise ZeroDivisionError

    async with bench(deployment("a/1", "http://a", simulated=True), simulated=Buggy()) as b:
        with pytest.raises(ZeroDivisionError):
            await b.ask(request())

        assert (b.outcome.status, b.outcome.error) == (500, "internal_error")
        assert b.failures() == [Failure.ABANDONED]
        assert b.upstreams.health()["a/1"].requests == 0


async def test_execute_refuses_what_has_no_translation() -> None:
    """It is found out before anybody is asked."""
    asked = request(b'{"model":"asked-1","input":"Hi"}', "openai_embeddings", kind=Kind.EMBEDDING)
    async with bench(deployment("a/1", "http://a", dialect="anthropic_messages")) as b:
        with pytest.raises(InvalidRequest):
            await b.ask(asked)

        assert b.outcome.attempts == ()
        assert b.upstreams.standings["a/1"].available


async def test_execute_of_a_ranking_that_is_gone() -> None:
    """A reload may remove every deployment between decision and dispatch."""
    async with bench(deployment("a/1", "http://a")) as b:
        with pytest.raises(UpstreamUnavailable, match="configured any more"):
            await b.ask(request(), "gone/1")

        assert b.outcome.ending is Ending.FAILED


@pytest.mark.parametrize(
    ("random", "s_left", "paused_s"), [(0.5, 10.0, 0.75), (0.0, 10.0, 0.5), (1.0, 0.6, 0.6)]
)
async def test_execute_pauses_before_a_retry(
    monkeypatch: pytest.MonkeyPatch, random: float, s_left: float, paused_s: float
) -> None:
    """The pause is jittered downwards to no less than its half, and ends with the deadline."""
    pauses = []
    clock = ManualClock()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    now_s = clock.monotonic()
    asked = request(arrived_s=now_s, deadline_s=now_s + s_left)
    async with (
        scripted(whole(status=500), whole(chat_answer())) as upstream,
        bench(
            deployment("a/1", upstream.url),
            reliability=Reliability(backoff_s=1.0),
            clock=clock,
            random=lambda: random,
        ) as b,
    ):
        monkeypatch.setattr("gateway.execute.failover.asyncio.sleep", sleep)
        await b.ask(asked)
        monkeypatch.undo()

    assert [pause for pause in pauses if pause] == [pytest.approx(paused_s)]


async def test_execute_speaks_the_other_dialect_through() -> None:
    """Anthropic's bytes to Anthropic's upstream, headers and all."""
    body = (
        b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":'
        b'[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":'
        b'{"input_tokens":5,"cache_read_input_tokens":95,"output_tokens":2}}'
    )
    asked = request(ASK_CLAUDE, "anthropic_messages", headers=(("anthropic-beta", "b1"),))
    async with (
        scripted(whole(body, Request_Id="r")) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages")) as b,
    ):
        reply = await b.ask(asked)

        assert reply.body == body
        assert upstream.received[0].headers["anthropic-beta"] == "b1"
        assert upstream.received[0].headers["x-api-key"] == "key-of-a/1"
        assert dict(reply.headers) == {"x-upstream-request-id": "r"}
        assert b.outcome.usage is not None
        assert b.outcome.usage.tokens_in == 100


async def test_execute_under_fire() -> None:
    """
    Two hundred requests at once over three bad upstreams and one good one, a third of the clients
    leaving: every outcome is told once, no probe is forgotten and no connection is left in use.
    """
    random = Random(7)
    cut = stream(ROLE, chat_event("x"), Cut)
    good = stream(chat_event("x"), chat_event(finish="stop"), DONE)
    async with (
        scripted(hang_up()) as one,
        scripted(whole(status=500)) as two,
        scripted(cut) as three,
        scripted(good) as four,
        bench(
            *(deployment(f"{i}/1", up.url) for i, up in enumerate((one, two, three, four))),
            reliability=msgspec.structs.replace(
                EAGER, breaker_failures=3, breaker_open_s=0.001, breaker_open_s_max=0.001
            ),
        ) as b,
    ):
        ids = [one.id for one in b.upstreams.fleet.deployments]

        async def client(leave: bool) -> None:
            reply = await b.ask(request(ASK_STREAM), *random.sample(ids, 4))
            assert reply.stream is not None
            if leave:
                await reply.stream.aclose()
            else:
                await read_all(reply)

        clients = [asyncio.create_task(client(random.random() < 0.2)) for _ in range(200)]
        for task in clients[::7]:
            asyncio.get_running_loop().call_later(random.random() * 0.2, task.cancel)
        await asyncio.gather(*clients, return_exceptions=True)

        assert len(b.outcomes) == 200
        assert {outcome.ending for outcome in b.outcomes} >= {Ending.COMPLETE, Ending.TRUNCATED}
        assert not any(one._breaker._probing for one in b.upstreams.standings.values())
