"""What a client of a whole gateway sees when providers behave, and when they do not."""

from __future__ import annotations

import asyncio
import json

from tests.fakes.upstream import Cut, Wait, scripted, stream, whole

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Bonjour"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        "unknown_member": {"kept": True},
    }
).encode()


def chunk(**choice: object) -> bytes:
    """One event of a stream."""
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    return b"data: " + json.dumps({**body, "choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


HEAD = chunk(delta={"role": "assistant", "content": ""}, finish_reason=None)
WORDS = chunk(delta={"content": "Bon"}, finish_reason=None)
MORE = chunk(delta={"content": "jour"}, finish_reason=None)
STOP = chunk(delta={}, finish_reason="stop")
USAGE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[],'
    b'"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}\n\n'
)
DONE = b"data: [DONE]\n\n"


async def record_of(scene, reply):
    """The record of a request, as a client reads it."""
    request_id = reply.headers["X-Switchyard-Request-Id"]
    async with scene.http.get(f"/v1/decisions/{request_id}") as found:
        return (await found.json())["record"]


async def test_equal_dialects_pass_byte_for_byte(play):
    """An answer of the client's own dialect arrives as it was sent, and its usage is recorded."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            assert await reply.read() == ANSWER
        record = await record_of(scene, reply)

    sent = upstream.received[0]
    assert sent.headers["authorization"] == "Bearer sk-upstream"
    assert record["outcome"]["usage"]["tokens_in"] == 12
    assert record["outcome"]["cost_nano_usd"] > 0


async def test_stream_hides_the_usage_it_asked_for(play):
    """Usage is injected into the request, captured, and its chunk kept from the client."""
    async with scripted(stream(HEAD, WORDS, MORE, STOP, USAGE, DONE)) as upstream:
        scene = await play(upstream)
        async with await scene.chat(stream=True) as reply:
            text = await reply.read()
        record = await record_of(scene, reply)

    assert json.loads(upstream.received[0].body)["stream_options"] == {"include_usage": True}
    assert text == HEAD + WORDS + MORE + STOP + DONE
    assert record["outcome"]["ending"] == "complete"
    assert record["outcome"]["usage"]["tokens_out"] == 3
    assert not record["outcome"]["usage"]["estimated"]


async def test_events_leave_as_they_come(play):
    """The first words reach the client while the provider still thinks about the rest."""
    go_on = asyncio.Event()
    async with scripted(stream(HEAD, WORDS, Wait(go_on), STOP, DONE)) as upstream:
        scene = await play(upstream)
        async with await scene.chat(stream=True) as reply:
            first = await reply.content.readany()
            go_on.set()
            rest = await reply.read()

    assert first.endswith(WORDS)
    assert rest.endswith(DONE)


async def test_failover_before_the_first_content(play):
    """A provider that fails before any content is replaced, and the headers say so."""
    broken = whole(b'{"error":{"message":"boom"}}', status=500)
    async with scripted(broken) as first, scripted(whole(MESSAGE)) as second:
        scene = await play(first, second)
        async with await scene.chat("auto", **{"X-Switchyard-Prefer-Model": "gpt-4o"}) as reply:
            answer = await reply.json()

    assert reply.status == 200
    assert answer["choices"][0]["message"]["content"] == "Bonjour"
    assert first.received
    assert reply.headers["X-Switchyard-Fallback"].startswith("anthropic/claude-sonnet-4-20250514")


MESSAGE = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-20250514",
        "content": [{"type": "text", "text": "Bonjour"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 12, "output_tokens": 3},
    }
).encode()


async def test_cut_after_the_first_content_is_no_clean_end(play):
    """A stream that breaks ends with an error event and without [DONE], and is so recorded."""
    async with scripted(stream(HEAD, WORDS, Cut)) as upstream:
        scene = await play(upstream)
        async with await scene.chat(stream=True) as reply:
            text = await reply.read()
        record = await record_of(scene, reply)

    assert text.startswith(HEAD + WORDS)
    assert b'"error"' in text.removeprefix(HEAD + WORDS)
    assert DONE not in text
    assert record["outcome"]["ending"] == "truncated"
    assert record["outcome"]["usage"]["estimated"]


async def test_client_gone_cancels_the_upstream(play):
    """When the client hangs up, so do we, and what was used is recorded."""
    never = asyncio.Event()
    async with scripted(stream(HEAD, WORDS, Wait(never), DONE)) as upstream:
        scene = await play(upstream)
        reply = await scene.chat(stream=True)
        await reply.content.readany()
        reply.close()
        await asyncio.wait_for(upstream.received[0].gone.wait(), 5)
        record = await record_of(scene, reply)

    assert record["outcome"]["ending"] == "client_gone"
    assert record["outcome"]["usage"]["estimated"]


async def test_exhausted_attempts_are_not_retried_by_the_sdk(play):
    """After our own attempts the error tells the SDK to stay away."""
    async with scripted(whole(b'{"error":{"message":"boom"}}', status=500)) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            error = (await reply.json())["error"]

    assert reply.status == 502
    assert reply.headers["x-should-retry"] == "false"
    assert error["code"] == "provider_error"
    assert len(upstream.received) == 2


async def test_refusal_of_the_upstream_passes_through(play):
    """A 400 of the provider is the client's own to read, byte for byte, and is not repeated."""
    refusal = b'{"error":{"message":"too long","type":"invalid_request_error","code":"ctx"}}'
    async with scripted(whole(refusal, status=400)) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            assert await reply.read() == refusal

    assert reply.status == 400
    assert len(upstream.received) == 1


async def test_throttled_everywhere_says_when_to_come_back(play):
    """A 429 is a cooldown; when nothing else may answer the client hears how long it lasts."""
    busy = whole(b'{"error":{"message":"slow down"}}', status=429, retry_after="7")
    async with scripted(busy) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            pass

    assert reply.status == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 7
    assert reply.headers["x-should-retry"] == "true"


async def test_other_paths_of_a_provider_pass_through(play):
    """A path we know nothing of goes to the provider with its credentials, query included."""
    async with scripted(whole(b'{"data":[]}')) as upstream:
        scene = await play(upstream)
        async with scene.http.get(
            "/v1/proxy/openai/files?limit=2&key=sk-client", headers={"Authorization": "Bearer x"}
        ) as reply:
            assert await reply.json() == {"data": []}

    assert upstream.received[0].path == "/v1/files?limit=2"
    assert upstream.received[0].headers["authorization"] == "Bearer sk-upstream"


async def unlisted(play, upstream):
    """A scene whose provider serves whatever it is asked for."""
    scene = await play(upstream)
    listed = ", models: [gpt-4, gpt-4o, gpt-4o-mini]"
    scene.path.write_text(scene.path.read_text().replace(listed, ""))
    await scene.app.reload()
    return scene


async def test_a_fine_tune_is_served_as_asked(play):
    """The provider that was named knows models that the catalogue does not; the record says so."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await unlisted(play, upstream)
        async with await scene.chat("openai/ft:gpt-4o:acme::x1") as reply:
            assert await reply.read() == ANSWER
        record = await record_of(scene, reply)

    assert json.loads(upstream.received[0].body)["model"] == "ft:gpt-4o:acme::x1"
    assert record["model"] == "ft:gpt-4o:acme::x1"
    assert record["outcome"]["usage"]["tokens_in"] == 12
    assert record["outcome"]["cost_nano_usd"] == 0
    assert record["decision"]["warnings"][0].startswith("unpriced: ")


async def test_an_unknown_model_that_is_not_there_harms_nobody(play):
    """The provider's own 404 reaches its client, and however many of them close no door."""
    missing = b'{"error":{"message":"no such model","code":"model_not_found"}}'
    async with scripted(whole(missing, status=404)) as upstream:
        scene = await unlisted(play, upstream)
        for _ in range(20):
            async with await scene.chat("openai/ft:gone") as reply:
                assert (reply.status, await reply.read()) == (404, missing)

    assert len(upstream.received) == 20
