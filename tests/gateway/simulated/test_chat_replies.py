"""Tests of gateway.simulated.chat_replies."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Answer, Finish, Text, ToolCall
from gateway.core.errors import InvalidRequest
from gateway.simulated.chat_replies import reply_to_chat
from gateway.wire import anthropic_messages, openai_chat, sse
from gateway.wire.dialect import Dialect, Mark

DIALECTS = pytest.mark.parametrize(
    "dialect", [openai_chat, anthropic_messages], ids=lambda d: d.name
)
ROME = [{"role": "user", "content": "What is the weather in Rome?"}]
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": {"type": "object"}}


def body(**members: object) -> bytes:
    """A body that both dialects read."""
    return json.dumps({"model": "m", "messages": ROME, "max_tokens": 100} | members).encode()


def whole(dialect: Dialect, **members: object) -> Answer:
    """The whole answer, read as a client reads it."""
    return dialect.read_answer(reply_to_chat(dialect, body(**members), 17).body)


def streamed(dialect: Dialect, **members: object) -> list[bytes]:
    """The events of a streamed answer."""
    pieces = reply_to_chat(dialect, body(stream=True, **members), 17).pieces
    assert pieces is not None
    return sse.Splitter(1 << 20).feed(b"".join(pieces))


def test_whole_answers_are_of_their_dialect() -> None:
    """Each dialect gets an answer that its own reader understands, with ids as its models give."""
    openai, anthropic = whole(openai_chat), whole(anthropic_messages)

    assert openai.choices == anthropic.choices
    assert (openai.usage, openai.model) == (anthropic.usage, "m")
    assert openai.id.startswith("chatcmpl-")
    assert anthropic.id.startswith("msg_")
    assert openai.created_s == 17


@DIALECTS
def test_streams_say_the_same_as_whole_answers(dialect: Dialect) -> None:
    """A stream ends properly, with the finish and usage of the whole answer."""
    watch = dialect.watch()
    options = {"stream_options": {"include_usage": True}} if dialect is openai_chat else {}

    for event in streamed(dialect, **options):
        mark = watch.feed(event)

    answer = whole(dialect)
    said = answer.choices[0][0]
    assert mark == Mark.END
    assert (watch.finish, watch.usage) == (answer.finishes[0], answer.usage)
    assert isinstance(said, Text)
    assert watch.content_chars == len(said.text)


@DIALECTS
def test_streams_of_tool_calls(dialect: Dialect) -> None:
    """A call streams its arguments."""
    tool = OPENAI_TOOL if dialect is openai_chat else ANTHROPIC_TOOL
    watch = dialect.watch()

    for event in streamed(dialect, tools=[tool]):
        mark = watch.feed(event)

    assert mark == Mark.END
    assert watch.finish is Finish.TOOL_CALLS
    assert isinstance(whole(dialect, tools=[tool]).choices[0][0], ToolCall)


@DIALECTS
def test_streams_without_any_token(dialect: Dialect) -> None:
    """A limit of nothing gives an answer of nothing, that begins and ends all the same."""
    watch = dialect.watch()

    for event in streamed(dialect, max_tokens=0):
        mark = watch.feed(event)

    assert mark == Mark.END
    assert (watch.finish, watch.content_chars) == (Finish.LENGTH, 0)


def test_stream_is_one_token_a_piece() -> None:
    """Pieces are what is paced, so there is one for each token and one for the end."""
    reply = reply_to_chat(openai_chat, body(stream=True, max_tokens=5), 17)

    assert reply.pieces is not None
    assert (len(list(reply.pieces)), reply.tokens) == (6, 5)


def test_stream_of_several_choices() -> None:
    """Choices follow each other with their own index; usage and [DONE] come once."""
    events = streamed(openai_chat, n=2, max_tokens=2, stream_options={"include_usage": True})
    chunks = [json.loads(sse.data(event)) for event in events[:-1]]

    assert sse.data(events[-1]) == b"[DONE]"
    assert [c["choices"][0]["index"] for c in chunks[:-1]] == [0] * 4 + [1] * 4
    assert [c["choices"][0]["finish_reason"] for c in chunks[:-1]] == 2 * [
        None,
        None,
        None,
        "length",
    ]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["completion_tokens"]) == ([], 4)
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


def test_logprobs() -> None:
    """Logprobs come with every token where they were asked for, and nowhere else."""
    asked = json.loads(
        reply_to_chat(openai_chat, body(logprobs=True, top_logprobs=2, n=2), 17).body
    )
    for choice in asked["choices"]:
        content = choice["logprobs"]["content"]
        assert "".join(entry["token"] for entry in content) == choice["message"]["content"]
        assert all(entry["logprob"] <= 0 for entry in content)

    chunks = [json.loads(sse.data(e)) for e in streamed(openai_chat, logprobs=True)[:-1]]
    assert all(c["choices"][0]["logprobs"]["content"] for c in chunks[1:-1])
    assert json.loads(reply_to_chat(openai_chat, body(), 17).body)["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_top_logprobs(count: int) -> None:
    """As many alternatives as were asked for, the likeliest first, the token among them."""
    asked = reply_to_chat(openai_chat, body(logprobs=True, top_logprobs=count), 17).body
    for entry in json.loads(asked)["choices"][0]["logprobs"]["content"]:
        tops = [top["logprob"] for top in entry["top_logprobs"]]
        assert len(tops) == len({top["token"] for top in entry["top_logprobs"]}) == count
        assert tops == sorted(tops, reverse=True)


def test_thinking_is_a_signed_block() -> None:
    """Whole or streamed, a thought is a block of its own before the words."""
    enabled = {"type": "enabled", "budget_tokens": 1024}
    blocks = json.loads(reply_to_chat(anthropic_messages, body(thinking=enabled), 17).body)
    said = [json.loads(sse.data(e)) for e in streamed(anthropic_messages, thinking=enabled)]

    assert [block["type"] for block in blocks["content"]] == ["thinking", "text"]
    assert blocks["content"][0]["signature"] == "simulated"
    starts = [one["content_block"] for one in said if one["type"] == "content_block_start"]
    assert [start["type"] for start in starts] == ["thinking", "text"]
    kinds = [one["delta"]["type"] for one in said if one["type"] == "content_block_delta"]
    assert kinds[:3] == ["thinking_delta", "signature_delta", "text_delta"]
    assert said[-1]["type"] == "message_stop"


def test_a_message_demands_max_tokens() -> None:
    """As the real one, the Anthropic endpoint refuses a message without a limit."""
    with pytest.raises(InvalidRequest, match="max_tokens: required, but missing"):
        reply_to_chat(anthropic_messages, body(max_tokens=None), 17)

    assert reply_to_chat(openai_chat, body(max_tokens=None), 17).status == 200
