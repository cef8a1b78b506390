"""Streams: what is committed, what breaks off, who leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from gateway.config.schema import Server
from gateway.core.chat import Finish, Usage
from gateway.core.errors import UpstreamRefused, UpstreamUnavailable
from gateway.core.outcome import Ending, Failure
from gateway.wire.dialect import MALFORMED
from tests.fakes.upstream import (
    DONE,
    ERROR,
    ROLE,
    USAGE,
    Cut,
    Stall,
    Wait,
    chat_event,
    scripted,
    silence,
    stream,
    whole,
)
from tests.gateway.execute.samples import (
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

GOLDEN = Path(__file__).parents[2] / "contracts" / "golden"
HELLO = (ROLE, chat_event("Hel"), chat_event("lo"), chat_event(finish="stop"))
GOOD = stream(*HELLO, USAGE, DONE)
SHOWN = b"".join(HELLO) + DONE


async def test_relay_of_a_whole_stream() -> None:
    """The client gets the upstream's bytes, less the usage that only we asked for."""
    scene = stream(*HELLO, USAGE, DONE, X_Request_Id="up-1")
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        assert b.outcomes == []
        assert reply.content_type == "text/event-stream; charset=utf-8"
        assert dict(reply.headers) == {"x-upstream-request-id": "up-1"}

        assert await read_all(reply) == SHOWN
        outcome = b.outcome
        assert outcome.ending is Ending.COMPLETE
        assert outcome.finish is Finish.STOP
        assert outcome.usage == Usage(tokens_in=11, tokens_out=7)
        assert outcome.cost_nano_usd == 25_000
        assert outcome.ttft_s is not None
        assert outcome.attempts[0].ttft_s is not None
        assert b.pool.idle == 1  # the connection is kept
        health = b.upstreams.health()["a/1"]
        assert (health.requests, health.error_share) == (1, 0.0)
        assert health.ttft_s_p50 is not None


async def test_relay_gives_each_event_at_once() -> None:
    """Nothing is held back once the answer has begun."""
    go_on = asyncio.Event()
    scene = stream(ROLE, chat_event("a"), Wait(go_on), chat_event("b", "stop"), DONE)
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        assert reply.stream is not None
        assert await anext(reply.stream) == ROLE + chat_event("a")
        go_on.set()

        assert await read_all(reply) == chat_event("b", "stop") + DONE


async def test_relay_shows_the_model_that_was_asked_for() -> None:
    """On wish, in every event."""
    async with (
        scripted(GOOD) as upstream,
        bench(deployment("a/1", upstream.url), show="asked") as b,
    ):
        reply = await b.ask(request(ASK_STREAM))

        assert await read_all(reply) == SHOWN.replace(b"served-1", b"asked-1")


async def test_relay_translates() -> None:
    """A stream of the other dialect becomes one of the client's."""
    events = (GOLDEN / "anthropic_text.sse").read_bytes()
    async with (
        scripted(stream(events)) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages")) as b,
    ):
        shown = await read_all(await b.ask(request(ASK_STREAM)))

        assert shown.endswith(DONE)
        assert b'"model":"upstream-a/1"' in shown
        assert b.outcome.ending is Ending.COMPLETE
        assert b.outcome.usage is not None
        assert not b.outcome.usage.estimated


@pytest.mark.parametrize(
    ("scene", "failures"),
    [
        (stream(ROLE, Cut), [Failure.BROKEN, None]),
        (stream(ROLE), [Failure.BROKEN, None]),
        (stream(ROLE, DONE), [Failure.BROKEN, None]),
        (stream(ROLE, ERROR), [Failure.BROKEN, None]),
        (stream(chat_event("x") + ERROR), [Failure.BROKEN, None]),
        (stream(b"not an event"), [Failure.BROKEN, None]),
        (stream(ROLE, b'data: {"cho\n\n'), [Failure.BROKEN, None]),
        (stream(chat_event("x") + b"data: <html>\n\n"), [Failure.BROKEN, None]),
        (whole(b'{"id":1}'), [Failure.BROKEN, None]),
        (stream(chat_event("x" * 3000)), [Failure.BROKEN, None]),  # too large
        (stream(b'data: {"error":{"type":"overloaded_error"}}\n\n'), [Failure.THROTTLED, None]),
        (stream(ROLE, Stall), [Failure.LATE, None]),
        (silence(), [Failure.LATE, None]),
        (whole(status=429), [Failure.THROTTLED, None]),
    ],
)
async def test_relay_fails_over_before_the_first_content(
    scene: object, failures: list[Failure | None]
) -> None:
    """Until the client has read a byte, another deployment can answer as if nothing had been."""
    async with (
        scripted(scene) as bad,
        scripted(GOOD) as good,
        bench(
            deployment("a/1", bad.url, timeouts=QUICK),
            deployment("b/1", good.url),
            server=Server(event_bytes_max=1024),
        ) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))

        assert await read_all(reply) == SHOWN
        assert b.failures() == failures
        assert [attempt.failure for attempt in reply.attempts] == failures[:-1]


@pytest.mark.parametrize(
    ("pieces", "failure", "said"),
    [
        ((Cut,), Failure.BROKEN, "The provider broke off its answer."),
        ((Stall,), Failure.LATE, "The provider fell silent."),
        ((), Failure.BROKEN, "The provider ended its stream without a finish reason."),
        ((DONE,), Failure.BROKEN, "The provider ended its stream without a finish reason."),
        ((chat_event("y")[:50] + b"\n\n", DONE), Failure.BROKEN, MALFORMED),
        ((b"data: Bad Gateway\n\n" + DONE,), Failure.BROKEN, MALFORMED),
        ((chat_event("y")[:50], Cut), Failure.BROKEN, "The provider broke off its answer."),
        ((chat_event("y" * 2000),), Failure.BROKEN, "The upstream sent an event of at least"),
    ],
)
async def test_relay_breaks_off_with_an_error_event(
    pieces: tuple[object, ...], failure: Failure, said: str
) -> None:
    """After the first content there is no second attempt and no clean end."""
    async with (
        scripted(stream(ROLE, chat_event("12345678"), *pieces)) as bad,
        scripted(GOOD) as good,
        bench(
            deployment("a/1", bad.url, timeouts=QUICK),
            deployment("b/1", good.url),
            server=Server(event_bytes_max=1024),
        ) as b,
    ):
        shown = await read_all(await b.ask(request(ASK_STREAM)))

        begin, _, last = shown.partition(chat_event("12345678"))
        assert begin == ROLE
        assert last.startswith(b'data: {"error":{"message":"' + said.encode())
        assert DONE not in shown
        assert last.count(b"data:") == 1
        assert good.received == []
        assert b.outcome.ending is Ending.TRUNCATED
        assert b.failures() == [failure]
        assert b.outcome.usage == Usage(tokens_in=13, tokens_out=2, estimated=True)
        assert b.upstreams.health()["a/1"].error_share == 1.0


async def test_relay_passes_an_error_of_the_upstream_on() -> None:
    """Its own error event is what the client gets; a [DONE] behind it is not."""
    go_on = asyncio.Event()
    scene = stream(chat_event("x"), Wait(go_on), ERROR + DONE)
    async with (
        scripted(scene) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        go_on.set()

        assert await read_all(reply) == chat_event("x") + ERROR
        assert b.outcome.ending is Ending.TRUNCATED
        assert b.outcome.error == "provider_error"


async def test_relay_breaks_off_in_the_dialect_of_the_client() -> None:
    """Anthropic's clients get Anthropic's error event."""
    begin = (GOLDEN / "anthropic_text.sse").read_bytes().partition(b"event: message_delta")[0]
    asked = request(ASK_CLAUDE[:-1] + b',"stream":true}', "anthropic_messages")
    async with (
        scripted(stream(begin, Cut)) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages")) as b,
    ):
        shown = await read_all(await b.ask(asked))

        assert shown.startswith(begin)
        assert shown[len(begin) :].startswith(b"event: error\ndata: ")
        assert b"message_stop" not in shown


async def test_relay_breaks_off_a_translated_stream() -> None:
    """Translated or not, an answer that is not whole does not end as one."""
    events = (GOLDEN / "anthropic_cut.sse").read_bytes()
    async with (
        scripted(stream(events)) as upstream,
        bench(deployment("a/1", upstream.url, dialect="anthropic_messages")) as b,
    ):
        shown = await read_all(await b.ask(request(ASK_STREAM)))

        assert b'"error"' in shown
        assert DONE not in shown
        assert b.outcome.ending is Ending.TRUNCATED


async def test_relay_estimates_usage_that_is_missing() -> None:
    """A whole stream without usage is billed by its characters, and marked."""
    async with (
        scripted(stream(*HELLO, DONE)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        await read_all(await b.ask(request(ASK_STREAM)))

        assert b.outcome.ending is Ending.COMPLETE
        assert b.outcome.usage == Usage(tokens_in=13, tokens_out=2, estimated=True)


async def test_relay_takes_usage_beside_a_choice() -> None:
    """Wherever a provider puts it."""
    events = (GOLDEN / "openai_usage_beside_finish.sse").read_bytes()
    async with (
        scripted(stream(events)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        assert await read_all(await b.ask(request(ASK_STREAM))) == events
        assert b.outcome.usage is not None
        assert not b.outcome.usage.estimated


@pytest.mark.parametrize("leave", ["aclose", "cancel", "unread"])
async def test_relay_tells_the_upstream_that_the_client_left(leave: str) -> None:
    """However the client goes, generation stops, and what was made of it is booked."""
    async with (
        scripted(stream(ROLE, chat_event("12345678"), Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        assert reply.stream is not None
        if leave != "unread":
            await anext(reply.stream)
        if leave == "cancel":
            task = asyncio.ensure_future(anext(reply.stream))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await reply.stream.aclose()
        await reply.stream.aclose()

        await soon(upstream.received[0].gone)
        assert b.outcome.ending is Ending.CLIENT_GONE
        assert b.outcome.usage == Usage(tokens_in=13, tokens_out=2, estimated=True)
        assert b.failures() == [Failure.ABANDONED]
        assert b.upstreams.health()["a/1"].error_share == 0.0
        assert [piece async for piece in reply.stream] in ([], [ROLE + chat_event("12345678")])
        assert b.pool.open == 0


async def test_relay_that_we_cut_off() -> None:
    """A stream that outlives our own shutdown is not whole, and not the client's doing."""
    async with (
        scripted(stream(ROLE, chat_event("12345678"), Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        assert reply.stream is not None
        await anext(reply.stream)

        await reply.stream.aclose(draining=True)

        assert (b.outcome.ending, b.outcome.error) == (Ending.TRUNCATED, "draining")
        assert b.failures() == [Failure.ABANDONED]
        assert b.upstreams.health()["a/1"].error_share == 0.0
        await soon(upstream.received[0].gone)


async def test_relay_of_a_client_that_leaves_with_everything() -> None:
    """Who has read the end has the whole answer, even if it is gone before we are done."""
    async with (
        scripted(stream(*HELLO, DONE, Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        assert reply.stream is not None
        shown = b""
        while not shown.endswith(DONE):
            shown += await anext(reply.stream)
        await reply.stream.aclose()

        assert b.outcome.ending is Ending.COMPLETE
        await soon(upstream.received[0].gone)


async def test_relay_does_not_wait_for_the_end_of_the_body() -> None:
    """After the dialect's own end the upstream has a moment to end its HTTP body, no more."""
    async with (
        scripted(stream(*HELLO, DONE, Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        async with asyncio.timeout(3.0):
            assert await read_all(await b.ask(request(ASK_STREAM))) == SHOWN

        assert b.outcome.ending is Ending.COMPLETE
        assert b.pool.open == 0


async def test_relay_commits_when_too_much_is_held() -> None:
    """An upstream that sends anything but content cannot make us hold it for ever."""
    reliability = msgspec.structs.replace(EAGER, precommit_bytes_max=100)
    go_on = asyncio.Event()
    async with (
        scripted(stream(b": " + b"x" * 200 + b"\n\n", Wait(go_on), *HELLO, DONE)) as upstream,
        bench(deployment("a/1", upstream.url), reliability=reliability) as b,
    ):
        reply = await b.ask(request(ASK_STREAM))
        go_on.set()

        assert (await read_all(reply)).endswith(SHOWN)


async def test_relay_ends_at_the_deadline() -> None:
    """A stream may not outlive the request, however lively it is."""
    async with (
        scripted(stream(chat_event("x"), Stall)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        asked = request(ASK_STREAM)
        asked = msgspec.structs.replace(asked, deadline_s=asked.arrived_s + 0.7)
        shown = await read_all(await b.ask(asked))

        assert b'"error"' in shown
        assert b.outcome.ending is Ending.TRUNCATED
        assert b.failures() == [Failure.LATE]


async def test_relay_gives_up_when_no_stream_begins() -> None:
    """What the client gets is an error with a status, not a stream that fails."""
    async with (
        scripted(stream(ROLE, ERROR)) as upstream,
        bench(deployment("a/1", upstream.url)) as b,
    ):
        with pytest.raises(UpstreamUnavailable, match="2 attempts"):
            await b.ask(request(ASK_STREAM))

        assert b.outcome.ending is Ending.FAILED


async def test_relay_passes_a_refusal_inside_a_stream_on() -> None:
    """Some providers say 200 first and refuse then."""
    refusal = b'data: {"error":{"message":"No","type":"invalid_request_error"}}\n\n'
    async with (
        scripted(stream(refusal)) as upstream,
        bench(deployment("a/1", upstream.url), deployment("b/1", upstream.url)) as b,
    ):
        with pytest.raises(UpstreamRefused, match="No") as caught:
            await b.ask(request(ASK_STREAM))

        assert caught.value.status == 400
        assert len(upstream.received) == 1
