"""The response cache in a whole gateway: who is asked, and who is answered from memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fakes.stage import CLAUDE, GPT, MESSAGE, Stage, anthropic_stream, running_stage
from tests.fakes.upstream import DONE, ROLE, USAGE, Cut, chat_answer, chat_event, stream, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

CACHE = {"X-Switchyard-Cache": "true"}
HELLO = "Say hello in French."
MAIL = "anna.berger@acme-tools.com"
TOOL = {"type": "function", "function": {"name": "send", "parameters": {}}}
STREAM = (ROLE, chat_event("Bon"), chat_event("jour"), chat_event(finish="stop"), USAGE, DONE)
STATUS = "X-Switchyard-Cache-Status"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway of all tests here."""
    async with running_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: Stage) -> AsyncIterator[Stage]:
    """The gateway as configured at its start, with an empty cache and an upstream of no calls."""
    running.play(whole_body=chat_answer("Bonjour"))
    running.upstream.received.clear()
    running.app.gateway.cache.memory.clear()
    yield running
    await running.set()


def calls(stage: Stage) -> int:
    """How often the upstream was asked."""
    return len(stage.upstream.received)


async def twice(stage: Stage, *turns: object, **options: object) -> tuple[str, str]:
    """What two identical chats say of the cache."""
    said = []
    for _ in range(2):
        reply, _ = await stage.chat(*(turns or (HELLO,)), **{**CACHE, **options})
        assert reply.status == 200
        said.append(reply.headers.get(STATUS, ""))
    return said[0], said[1]


async def test_a_second_request_asks_nobody(stage):
    """The same bytes, and headers that say what they are and what they saved."""
    first, said = await stage.chat(HELLO, **CACHE)
    second, again = await stage.chat(HELLO, **CACHE)
    told = second.headers

    assert (first.headers[STATUS], told[STATUS]) == ("MISS", "HIT")
    assert again == said
    assert calls(stage) == 1
    assert told["Content-Type"] == first.headers["Content-Type"]
    assert told["X-Switchyard-Attempts"] == "0"
    assert told["X-Switchyard-Selected-Model"] == GPT
    assert told["X-Switchyard-Tokens-Saved"] == "18"
    assert told["X-Switchyard-Cost-Saved"] == "0.0000975"
    assert told["Age"] == told["X-Switchyard-Cache-Age"] == "0"
    assert told["x-request-id"] != first.headers["x-request-id"]


async def test_a_hit_is_recorded_and_costs_nothing(stage):
    """What it saved is in the record; nothing is billed, and no fee taken for routing."""
    auto = {**CACHE, "X-Switchyard-Route-Action": "auto"}
    first, _ = await stage.chat(HELLO, model="gpt-4", **auto)
    second, _ = await stage.chat(HELLO, model="gpt-4", **auto)
    billed, record = await stage.record(first), await stage.record(second)
    outcome = record["outcome"]

    assert second.headers[STATUS] == "HIT"
    assert second.headers["X-Switchyard-Task-Type"] == first.headers["X-Switchyard-Task-Type"]
    assert second.headers["X-Switchyard-Routing-Fee-Reserved"] == "0"
    assert (outcome["ending"], outcome["status"], outcome["attempts"]) == ("complete", 200, [])
    assert (outcome["cost_nano_usd"], outcome["usage"]) == (0, None)
    assert (record["fee_nano_usd"], record["fee_settled_nano_usd"]) == (0, 0)
    assert record["model"] == billed["model"]
    saved = outcome["saved"]
    assert saved["usage"]["tokens_in"] == 11
    assert saved["cost_nano_usd"] == billed["outcome"]["cost_nano_usd"] > 0
    assert billed["outcome"]["saved"] is None


async def test_who_does_not_ask_gets_a_fresh_answer(stage):
    """And no word of a cache."""
    for _ in range(2):
        reply, _ = await stage.chat(HELLO)
        assert not [name for name in reply.headers if "Cache-S" in name or name == "Age"]

    assert calls(stage) == 2


async def test_false_neither_reads_nor_writes(stage):
    """Also where the operator caches for everybody."""
    await stage.set("cache: {default: always}")
    no = {"X-Switchyard-Cache": "false"}

    await stage.chat(HELLO, **no)
    assert (await stage.chat(HELLO))[0].headers[STATUS] == "MISS"
    assert STATUS not in (await stage.chat(HELLO, **no))[0].headers
    assert (await stage.chat(HELLO))[0].headers[STATUS] == "HIT"
    assert calls(stage) == 3


async def test_the_body_may_ask(stage):
    """The member leaves the body before anybody else sees it."""
    more = {"switchyard": {"cache": True, "cache_ttl": 60}}
    said = [(await stage.chat(HELLO, more=more))[0].headers[STATUS] for _ in range(2)]

    assert said == ["MISS", "HIT"]
    assert "switchyard" not in stage.sent


async def test_a_stream_is_replayed_as_a_stream(stage):
    """Byte for byte; a client that wants the answer whole is another matter."""
    stage.play(*STREAM)
    more = {"stream": True, "stream_options": {"include_usage": True}}
    first, said = await stage.chat(HELLO, more=more, **CACHE)
    second, again = await stage.chat(HELLO, more=more, **CACHE)
    stage.play(whole_body=chat_answer())
    third, _ = await stage.chat(HELLO, **CACHE)

    assert said == again == b"".join(STREAM).decode()
    assert [one.headers[STATUS] for one in (first, second, third)] == ["MISS", "HIT", "MISS"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["X-Switchyard-Tokens-Saved"] == "18"
    assert calls(stage) == 2


async def test_anthropics_dialect_is_cached_too(stage):
    """Whole and streamed; the answer is in the words of the client."""
    stage.play(*anthropic_stream("Bon", "jour"))
    streams = [await stage.message(HELLO, more={"stream": True}, **CACHE) for _ in range(2)]
    stage.play(whole_body=json.dumps(MESSAGE).encode())
    wholes = [await stage.message(HELLO, **CACHE) for _ in range(2)]
    chats = [await stage.chat(HELLO, model=CLAUDE, **CACHE) for _ in range(2)]

    for pair in (streams, wholes, chats):
        assert [reply.headers[STATUS] for reply, _ in pair] == ["MISS", "HIT"]
        assert pair[0][1] == pair[1][1]
    assert json.loads(wholes[1][1])["type"] == "message"
    assert json.loads(chats[1][1])["object"] == "chat.completion"
    assert calls(stage) == 3


async def test_embeddings_are_cached(stage):
    """Vectors do not change at all."""
    await stage.set("deployments: [{model: text-embedding-3-small, provider: openai}]")
    vector = {"object": "list", "data": [{"embedding": [0.5], "index": 0}], "model": "e"}
    vector["usage"] = {"prompt_tokens": 2, "total_tokens": 2}
    stage.play(whole_body=json.dumps(vector).encode())
    body = {"model": "text-embedding-3-small", "input": HELLO}
    replies = [await stage.post("/v1/embeddings", body, **CACHE) for _ in range(2)]

    assert [reply.headers[STATUS] for reply, _ in replies] == ["MISS", "HIT"]
    assert json.loads(replies[1][1]) == vector
    assert calls(stage) == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tools": [TOOL]}, "tools"),
        ({"temperature": 1.5}, "temperature"),
        ({"n": 2}, "several-choices"),
    ],
)
async def test_what_is_never_kept_says_why(stage, more, reason):
    """Each request asks the upstream, and learns the reason since it asked."""
    for count in (1, 2):
        reply, _ = await stage.chat(HELLO, more=more, **CACHE)
        assert reply.headers[STATUS] == "BYPASS"
        assert reply.headers["X-Switchyard-Cache-Reason"] == reason
        assert calls(stage) == count


async def test_personal_data_is_not_kept(stage):
    """Unless it was taken out, or the operator says so."""
    warn = {"X-Switchyard-PII-Action": "allow_with_warning"}
    strip = {"X-Switchyard-PII-Action": "strip"}
    asked = f"Write to {MAIL}."

    assert await twice(stage, asked, **warn) == ("BYPASS", "BYPASS")
    assert await twice(stage, asked, **strip) == ("MISS", "HIT")
    await stage.set("cache: {personal_data: true}")
    assert await twice(stage, asked, **warn) == ("MISS", "HIT")


@pytest.mark.parametrize("stated", [{}, {"stream": True}])
async def test_personal_data_that_nobody_was_asked_to_find_is_not_kept(stage, stated):
    """LockLLM's clients cache unasked; an answer is kept where a country is the only name."""
    if stated:
        stage.upstream.scenes[:] = [stream(*STREAM)]
    spoken = {"X-LockLLM-Route-Action": "disabled"}
    told = []
    for words in (f"I am Anna Berger, SSN 536-90-4399, {MAIL}.", "What is the capital of France?"):
        for _ in range(2):
            reply, _ = await stage.chat(words, more=stated, **spoken)
            told.append((reply.headers[STATUS], reply.headers.get("X-Switchyard-Cache-Reason")))

    assert told == [("MISS", None), ("BYPASS", "personal-data"), ("MISS", None), ("HIT", None)]
    assert calls(stage) == 3


async def test_with_the_scan_off_nothing_is_kept(stage):
    """As nobody can look for personal data, unless the operator wants it kept."""
    await stage.set("scan: {enabled: false}")
    assert await twice(stage) == ("BYPASS", "BYPASS")
    await stage.set("scan: {enabled: false}\ncache: {personal_data: true}")
    assert await twice(stage) == ("MISS", "HIT")


async def test_restored_values_are_of_one_request_alone(stage):
    """Two prompts that are one when stripped: neither client reads the other's address."""
    await stage.set("scan: {restore: true, personal_action: strip}\ncache: {personal_data: true}")
    stage.play(whole_body=chat_answer("I wrote to <EMAIL_1>."))
    texts = []
    for mail in (MAIL, "bob@acme-tools.com"):
        reply, text = await stage.chat(f"Write to {mail}.", **CACHE)
        texts.append(json.loads(text)["choices"][0]["message"]["content"])
        assert reply.headers["X-Switchyard-Cache-Reason"] == "restored-values"

    assert texts == [f"I wrote to {MAIL}.", "I wrote to bob@acme-tools.com."]


@pytest.mark.parametrize(
    "scene",
    [
        whole(chat_answer(finish="length")),
        whole(chat_answer(finish="content_filter")),
        whole(chat_answer(finish="tool_calls")),
        stream(ROLE, chat_event("Bon"), Cut),
        stream(ROLE, chat_event("Bon"), chat_event(finish="length"), USAGE, DONE),
    ],
)
async def test_what_is_no_whole_answer_is_not_kept(stage, scene):
    """Cut, filtered, or a call that was to be made."""
    stage.upstream.scenes[:] = [scene]
    more = {"stream": "stream" in scene.__qualname__}
    for _ in range(2):
        reply, _ = await stage.chat(HELLO, more=more, **CACHE)
        assert reply.headers[STATUS] == "MISS"

    assert calls(stage) == 2


async def test_an_error_is_not_kept(stage):
    """The next one may be lucky."""
    error = b'{"error":{"message":"no","type":"x","code":null}}'
    stage.upstream.scenes[:] = [whole(error, status=400), whole(chat_answer())]
    refused, _ = await stage.chat(HELLO, **CACHE)
    served, _ = await stage.chat(HELLO, **CACHE)

    assert (refused.status, served.status) == (400, 200)
    assert served.headers[STATUS] == "MISS"


async def test_an_answer_of_another_model_is_not_kept(stage):
    """A failover answers now; the model that was decided on answers next time."""
    broken = whole(b"{}", status=500)
    stage.upstream.scenes[:] = [broken, broken, whole(chat_answer()), whole(chat_answer())]
    auto = {**CACHE, "X-Switchyard-Route-Action": "auto"}
    first, _ = await stage.chat(HELLO, model="gpt-4", **auto)
    second, _ = await stage.chat(HELLO, model="gpt-4", **auto)

    assert first.headers.get("X-Switchyard-Fallback") is not None
    assert second.headers[STATUS] == "MISS"


async def test_a_change_of_rules_forgets(stage):
    """What the old policy allowed is not given under the new one."""
    assert await twice(stage) == ("MISS", "HIT")
    await stage.set("policy: {denied_providers: [anthropic]}")

    assert await twice(stage) == ("MISS", "HIT")


async def test_a_client_of_lockllm_is_cached_unasked(stage):
    """As its protocol has it, an hour long; ``false`` is no."""
    spoken = {"X-LockLLM-Route-Action": "disabled"}
    first, _ = await stage.chat(HELLO, **spoken)
    second, _ = await stage.chat(HELLO, **spoken)
    third, _ = await stage.chat(HELLO, **spoken, **{"X-LockLLM-Cache-Response": "false"})
    said = [one.headers.get("X-LockLLM-Cache-Status") for one in (first, second, third)]

    assert said == ["MISS", "HIT", None]
    assert second.headers["X-LockLLM-Tokens-Saved"] == "18"
    assert calls(stage) == 2


async def test_switched_off(stage):
    """Whoever asks learns that there is none."""
    await stage.set("cache: {enabled: false}")

    assert await twice(stage) == ("BYPASS", "BYPASS")
    assert calls(stage) == 2


async def test_metrics_count_the_cache(stage):
    """Hits, misses, and what they hold and saved."""
    await twice(stage)
    await asyncio.sleep(0.1)  # for the recorder
    async with stage.http.get("/metrics") as reply:
        lines = dict(
            line.rsplit(" ", 1)
            for line in (await reply.text()).splitlines()
            if not line.startswith("#")
        )

    assert float(lines['switchyard_cache_lookups_total{result="hit"}']) >= 1
    assert float(lines['switchyard_cache_lookups_total{result="miss"}']) >= 1
    assert float(lines["switchyard_cache_stored_total"]) >= 1
    assert float(lines["switchyard_cache_entries"]) == 1
    assert float(lines["switchyard_cache_bytes"]) > 1000
    assert float(lines["switchyard_cache_saved_tokens_total"]) >= 18
