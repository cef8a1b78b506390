"""Personal data and secrets in a whole gateway: who sees placeholders, and who the values."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.scan.scanner import Scanner
from tests.fakes.stage import (
    CLAUDE,
    GPT,
    MESSAGE,
    Stage,
    anthropic_stream,
    choices_of,
    dump,
    events_of,
    running_stage,
)
from tests.fakes.upstream import DONE, ROLE, USAGE, chat_answer, chat_event

pytestmark = pytest.mark.asyncio(loop_scope="module")


STRIP = {"X-Switchyard-PII-Action": "strip"}
MAIL, PHONE = "anna.berger@acme-tools.com", "+44 20 7946 0958"
CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
TOKEN = "ghp_" + "R4nd0mLook1ngT0kenV4lue9Zx8Yw7Vu6Ts5"
VALUES = (MAIL, PHONE, CARD, IBAN, TOKEN)
CALL = {"type": "function", "function": {"name": "send", "arguments": json.dumps({"to": MAIL})}}
# One value in every place that a model reads.
OPENAI_TURNS = [
    {"role": "system", "content": f"You help Anna Berger. Her mail is {MAIL}."},
    {"role": "user", "content": f"My card is {CARD}, my IBAN is {IBAN}."},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", **CALL}]},
    {"role": "tool", "tool_call_id": "call_1", "content": f"sent to {MAIL}, token {TOKEN}"},
    {"role": "user", "content": [{"type": "text", "text": f"Now call {PHONE}, then {MAIL}."}]},
]
ANTHROPIC_TURNS = [
    {"role": "user", "content": f"My card is {CARD}, my IBAN is {IBAN}."},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "call_1", "name": "send", "input": {"to": MAIL}}],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "call_1",
                "content": f"sent to {MAIL}, token {TOKEN}",
            },
            {"type": "text", "text": f"Now call {PHONE}, then {MAIL}."},
        ],
    },
]
SPLIT = ("I wrote to <EM", "AIL", "_1", "> and <PHONE_1>; a < b, <b>, <EMAIL_9>", " and <EMA")
RESTORED = f"I wrote to {MAIL} and {PHONE}; a < b, <b>, <EMAIL_9> and <EMA"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway of all tests here."""
    async with running_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(running: Stage) -> AsyncIterator[Stage]:
    """The gateway as configured at its start, in front of an upstream that says Hello."""
    running.play(whole_body=chat_answer())
    running.upstream.received.clear()
    yield running
    await running.set()


@pytest.mark.parametrize("streaming", [False, True])
async def test_strip_in_openais_dialect(stage, streaming):
    """The upstream sees placeholders in every turn, part and tool argument, and no value."""
    if streaming:
        stage.play(ROLE, chat_event("Hello"), chat_event(finish="stop"), USAGE, DONE)
    reply, _ = await stage.chat(*OPENAI_TURNS, more={"stream": streaming}, **STRIP)
    sent = json.loads(stage.sent)["messages"]

    assert reply.status == 200
    assert [value for value in VALUES if value in stage.sent] == []
    assert sent[0]["content"].endswith("Her mail is <EMAIL_1>.")
    assert sent[1]["content"] == "My card is <CARD_1>, my IBAN is <IBAN_1>."
    assert json.loads(sent[2]["tool_calls"][0]["function"]["arguments"]) == {"to": "<EMAIL_1>"}
    assert sent[3]["content"].startswith("sent to <EMAIL_1>, token <")
    assert sent[4]["content"][0]["text"] == "Now call <PHONE_1>, then <EMAIL_1>."
    assert int(reply.headers["X-Switchyard-Redacted"]) >= 8


@pytest.mark.parametrize("streaming", [False, True])
async def test_strip_in_anthropics_dialect(stage, streaming):
    """The same for Anthropic: system prompt, tool input, tool result."""
    stage.play(*anthropic_stream("Hello"))
    if not streaming:
        stage.play(whole_body=json.dumps(MESSAGE).encode())
    system = f"You help Anna Berger. Her mail is {MAIL}."
    more = {"stream": streaming}
    reply, _ = await stage.message(*ANTHROPIC_TURNS, system=system, more=more, **STRIP)
    sent = json.loads(stage.sent)

    assert reply.status == 200
    assert [value for value in VALUES if value in stage.sent] == []
    assert "EMAIL_1>" in json.dumps(sent["system"])
    assert sent["messages"][1]["content"][0]["input"] == {"to": "<EMAIL_1>"}
    assert "<CARD_1>" in json.dumps(sent["messages"][0])


async def test_strip_when_the_dialect_changes(stage):
    """A chat of OpenAI's that Anthropic answers is stripped before it is translated."""
    stage.play(whole_body=json.dumps(MESSAGE).encode())
    reply, text = await stage.chat(*OPENAI_TURNS, model=CLAUDE, **STRIP)

    assert reply.status == 200
    assert stage.upstream.received[-1].path == "/v1/messages"
    assert [value for value in VALUES if value in stage.sent] == []
    assert json.loads(text)["choices"][0]["message"]["content"] == "I wrote to <EMAIL_1>."


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
async def test_strip_of_other_kinds(stage, path):
    """A legacy prompt and a text to embed are stripped too."""
    word = "prompt" if path.endswith("completions") else "input"
    await stage.post(path, {"model": GPT, word: f"Mail {MAIL}"}, **STRIP)

    assert all(MAIL not in one.body.decode() for one in stage.upstream.received)


async def test_counting_tokens_does_not_leak(stage):
    """What is stripped from a message is stripped where its tokens are counted."""
    stage.play(whole_body=b'{"input_tokens":11}')
    body = {"model": CLAUDE, "messages": [{"role": "user", "content": f"Mail {MAIL}"}]}
    await stage.post("/v1/messages/count_tokens", body, **STRIP)

    assert all(MAIL not in one.body.decode() for one in stage.upstream.received)


async def test_strip_of_a_path_that_is_passed_through(stage):
    """A path that no dialect of ours reads has a JSON body all the same; or it is refused."""
    await stage.set("scan: {enforce: true, personal_action: strip}")
    stage.play(whole_body=b"{}")
    await stage.post("/v1/proxy/openai/responses", {"model": GPT, "input": f"Mail {MAIL}"})

    assert all(MAIL not in one.body.decode() for one in stage.upstream.received)


async def test_values_come_back(stage):
    """With restore the client reads its own values, in words and in tool arguments."""
    await stage.set("scan: {restore: true, personal_action: strip}")
    answer = json.loads(chat_answer("I wrote to <EMAIL_1>."))
    call = {"id": "call_2", "type": "function"}
    call["function"] = {"name": "send", "arguments": '{"to": "<EMAIL_1>", "cc": "<EMAIL_2>"}'}
    answer["choices"][0]["message"]["tool_calls"] = [call]
    stage.play(whole_body=json.dumps(answer).encode())
    _, text = await stage.chat(f"Write to {MAIL}.")
    message = json.loads(text)["choices"][0]["message"]

    assert MAIL not in stage.sent
    assert message["content"] == f"I wrote to {MAIL}."
    arguments = json.loads(message["tool_calls"][0]["function"]["arguments"])
    assert arguments == {"to": MAIL, "cc": "<EMAIL_2>"}


async def test_values_come_back_in_a_stream_of_openai(stage):
    """A placeholder that the deltas split is put together; what only looks like one stays."""
    await stage.set("scan: {restore: true}")
    deltas = [chat_event(delta) for delta in SPLIT]
    stage.play(ROLE, *deltas, chat_event(finish="stop"), USAGE, DONE)
    turns = (f"Write to {MAIL}, call {PHONE}.",)
    _, text = await stage.chat(*turns, more={"stream": True}, **STRIP)

    assert "".join(one["delta"].get("content") or "" for one in choices_of(text)) == RESTORED
    assert text.rstrip().endswith("data: [DONE]")
    assert MAIL not in stage.sent


async def test_placeholders_stay_in_a_stream_of_several_choices(stage):
    """Two answers to one prompt keep apart, and none gets lost, but nothing is put back."""
    await stage.set("scan: {restore: true}")
    second = b'"index":1'
    deltas = [ROLE, chat_event("to <EMA"), chat_event("IL_1>"), chat_event(finish="stop")]
    both = [one for delta in deltas for one in (delta, delta.replace(b'"index":0', second))]
    stage.play(*both, USAGE, DONE)
    _, text = await stage.chat(f"Write to {MAIL}.", more={"stream": True, "n": 2}, **STRIP)
    said = {0: "", 1: ""}
    for choice in choices_of(text):
        said[choice["index"]] += choice["delta"].get("content") or ""

    assert said == {0: "to <EMAIL_1>", 1: "to <EMAIL_1>"}


async def test_values_come_back_in_the_arguments_of_a_stream(stage):
    """Arguments that the deltas split stay JSON, also for a value that JSON must escape."""
    await stage.set("scan: {restore: true}")
    pieces = ('{"to": "<EMA', 'IL_1>", "b', '": "<PHONE_1', '>"}')
    head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "send"}}
    calls = [head, *({"index": 0, "function": {"arguments": piece}} for piece in pieces)]
    deltas = [
        chat_event("X").replace(b'"content":"X"', b'"tool_calls":[%b]' % dump(c)) for c in calls
    ]
    stage.play(ROLE, *deltas, chat_event(finish="tool_calls"), USAGE, DONE)
    _, text = await stage.chat(f"Mail {MAIL}, call {PHONE}.", more={"stream": True}, **STRIP)
    told = [call for one in choices_of(text) for call in one["delta"].get("tool_calls") or ()]

    arguments = "".join(call["function"].get("arguments", "") for call in told)
    assert json.loads(arguments) == {"to": MAIL, "b": PHONE}


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
async def test_values_come_back_in_a_stream_of_anthropic(stage, dialect):
    """The same from Anthropic, for a client of either dialect."""
    await stage.set("scan: {restore: true}")
    stage.play(*anthropic_stream(*SPLIT))
    turn, more = f"Write to {MAIL}, call {PHONE}.", {"stream": True}
    if dialect == "anthropic":
        _, text = await stage.message(turn, more=more, **STRIP)
    else:
        _, text = await stage.chat(turn, model=CLAUDE, more=more, **STRIP)
    if dialect == "anthropic":
        said = [one["delta"].get("text", "") for one in events_of(text) if "delta" in one]
    else:
        said = [one["delta"].get("content") or "" for one in choices_of(text)]

    assert "".join(said) == RESTORED


async def test_an_allowed_address_is_not_stripped(stage):
    """What the operator allows is no personal data either."""
    await stage.set(f'scan: {{allow: [{{phrase: "{MAIL}"}}]}}')
    await stage.chat(f"Write to {MAIL}, call {PHONE}.", **STRIP)

    assert json.loads(stage.sent)["messages"][0]["content"] == f"Write to {MAIL}, call <PHONE_1>."


async def test_a_wish_that_no_scan_fulfils_is_told(stage):
    """Who wants values stripped where nothing is scanned is told that they were not."""
    await stage.set("scan: {enabled: false}")
    reply, _ = await stage.chat(f"Write to {MAIL}.", **{"X-LockLLM-PII-Action": "strip"})

    assert reply.status >= 400 or "PII-Action" in reply.headers["X-Switchyard-Warnings"]


async def test_a_strip_that_fails_sends_nothing(stage, monkeypatch, caplog):
    """What could not be stripped is not sent, whatever a missing verdict means."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError(MAIL)

    monkeypatch.setattr(Scanner, "strip", fail)
    reply, text = await stage.chat(f"Write to {MAIL}.", **STRIP)

    assert reply.status == 500
    assert stage.upstream.received == []
    assert MAIL not in caplog.text + text


@pytest.mark.parametrize("keep", ["true", "false"])
async def test_nothing_private_is_written(stage, caplog, keep):
    """After strip no value is in logs, records or headers, also where the text is kept."""
    await stage.set("scan: {restore: true}", text=keep)
    caplog.set_level(logging.DEBUG)
    reply, _ = await stage.chat(*OPENAI_TURNS, **STRIP, **{"X-LockLLM-Route-Action": "auto"})
    record = json.dumps(await stage.record(reply))
    written = record + caplog.text + str(reply.headers)

    assert reply.status == 200
    assert [value for value in (*VALUES, "sk-upstream") if value in written] == []
    assert ("<PHONE_1>" in record) == (keep == "true")


async def test_routing_reads_the_stripped_text(stage):
    """What was stripped is routed, scanned and answered like any other prompt."""
    asked = f"Write a polite mail to {MAIL} that declines the invitation."
    reply, _ = await stage.chat(asked, **STRIP, **{"X-Switchyard-Route-Action": "auto"})
    record = await stage.record(reply)

    assert reply.headers["X-Switchyard-Route-Enabled"] == "true"
    assert record["decision"]["task_type"]
    assert record["verdict"]["stripped"]
    assert record["verdict"]["personal"][0]["kind"] == "EMAIL_ADDRESS"
    assert MAIL not in stage.sent
