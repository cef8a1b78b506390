"""Tests of gateway.simulated.completions."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Finish
from gateway.core.errors import InvalidRequest
from gateway.simulated.completions import CHOICES_MAX, MAX_TOKENS, reply_to_completion
from gateway.wire import openai_completions, sse
from gateway.wire.dialect import Mark


def body(**members: object) -> bytes:
    """A body of the legacy endpoint."""
    return json.dumps({"model": "m", "prompt": "Say hello"} | members).encode()


def whole(**members: object) -> dict[str, object]:
    """The decoded answer."""
    return json.loads(reply_to_completion(body(**members), 17).body)


def test_whole() -> None:
    """The answer has the endpoint's shape and its documented default limit."""
    answer = whole()

    assert (answer["object"], answer["model"], answer["created"]) == ("text_completion", "m", 17)
    assert "simulated" in answer["choices"][0]["text"]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == MAX_TOKENS


def test_prompts_times_n() -> None:
    """Each prompt gets n answers, with one index over all."""
    answer = whole(prompt=["One", "Two"], n=2, max_tokens=500)

    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert ["One" in choice["text"] for choice in answer["choices"]] == [True, True, False, False]
    assert len({choice["text"] for choice in answer["choices"]}) == 4


def test_echo_is_not_counted() -> None:
    """The prompt stands before its answer and costs no output."""
    plain, echoed = whole(), whole(echo=True)

    assert echoed["choices"][0]["text"] == "Say hello" + plain["choices"][0]["text"]
    assert echoed["usage"] == plain["usage"]


def test_stop() -> None:
    """A stop sequence ends the text."""
    assert whole(stop=" simulated")["choices"][0] == {
        "text": "This is a",
        "index": 0,
        "logprobs": None,
        "finish_reason": "stop",
    }


def test_token_ids_get_an_answer() -> None:
    """A prompt of token ids cannot be quoted, but is answered."""
    assert "simulated" in whole(prompt=[1, 2])["choices"][0]["text"]


@pytest.mark.parametrize("include_usage", [False, True])
def test_stream(include_usage: bool) -> None:
    """A stream says the same as the whole answer; usage comes only where it was asked for."""
    asked = {
        "stream": True,
        "echo": True,
        "n": 2,
        "stream_options": {"include_usage": include_usage},
    }
    reply = reply_to_completion(body(**asked), 17)
    assert reply.pieces is not None
    events = sse.Splitter(1 << 20).feed(b"".join(reply.pieces))
    watch = openai_completions.watch()
    for event in events:
        mark = watch.feed(event)
    chunks = [json.loads(sse.data(event)) for event in events[:-1]]

    assert mark == Mark.END
    assert watch.finish is Finish.LENGTH
    assert (watch.usage is not None) == include_usage
    for row, choice in enumerate(whole(echo=True, n=2)["choices"]):
        parts = [
            c["choices"][0] for c in chunks if c["choices"] and c["choices"][0]["index"] == row
        ]
        assert "".join(part["text"] for part in parts) == choice["text"]
        assert parts[-1]["finish_reason"] == "length"


def test_too_many_answers() -> None:
    """The work of one request has a limit, which the message names."""
    with pytest.raises(
        InvalidRequest, match=f"3 prompts, 100 answers each, are more than {CHOICES_MAX}"
    ):
        whole(prompt=["a", "b", "c"], n=100)
