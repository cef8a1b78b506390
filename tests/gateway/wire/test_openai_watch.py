"""Tests of gateway.wire.openai_watch."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Finish, Usage
from gateway.wire import openai_completions, sse
from gateway.wire.dialect import Mark
from gateway.wire.openai_watch import OpenAIWatch
from tests.gateway.wire import golden

COUNTS = {"prompt_tokens": 3, "completion_tokens": 2}


def watched(*events: bytes) -> tuple[OpenAIWatch, list[Mark]]:
    """A watch that has seen *events*, and its marks."""
    watch = OpenAIWatch()
    return watch, [Mark(watch.feed(event)) for event in events]


def chunk(delta: dict[str, object] | None = None, **members: object) -> bytes:
    """One event with one choice, written compactly."""
    body = {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": None}]} | members
    return sse.event_of(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("name", "finish", "usage", "chars"),
    [
        ("openai_text.sse", Finish.STOP, Usage(21, 9, 16), 63),  # 57, and its escapes twice
        ("openai_tools.sse", Finish.TOOL_CALLS, Usage(55, 24), 21),
        ("openai_usage_beside_finish.sse", Finish.STOP, Usage(8, 2), 4),
        ("groq_text.sse", Finish.LENGTH, Usage(14, 6), 12),
        ("openrouter_crlf.sse", Finish.STOP, Usage(21, 9, 16), 3),
    ],
)
def test_watch_clean_streams(name: str, finish: Finish, usage: Usage, chars: int) -> None:
    """Finish, usage and the length of the answer are known at the end of a clean stream."""
    watch, marks = watched(*golden.events(name))

    assert marks[-1] == Mark.END
    assert (watch.finish, watch.usage, watch.usage_final) == (finish, usage, True)
    assert watch.content_chars == chars


@pytest.mark.parametrize("name", golden.OPENAI_CLEAN)
def test_watch_sees_no_end_before_the_end(name: str) -> None:
    """No event of a stream but its last is a proper end."""
    _, marks = watched(*golden.events(name)[:-1])

    assert not any(mark & Mark.END for mark in marks)


@pytest.mark.parametrize(("name", "error"), [("openai_error.sse", True), ("openai_cut.sse", False)])
def test_watch_broken_streams(name: str, error: bool) -> None:
    """A stream that fails or breaks off has an error, or no finish, even if [DONE] follows."""
    watch, marks = watched(*golden.events(name), b"data: [DONE]\n\n")

    assert any(mark & Mark.ERROR for mark in marks) is error
    assert error or watch.finish is None


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (b": keep-alive\n\n", Mark.NONE),
        (chunk({"role": "assistant", "content": ""}), Mark.NONE),
        (chunk({"content": "A"}), Mark.CONTENT),
        (chunk({"content": "A"}, usage=None), Mark.CONTENT),
        (chunk({"content": None, "reasoning": "A"}), Mark.CONTENT),
        (chunk({"reasoning_content": "A"}), Mark.CONTENT),
        (chunk({"refusal": "A"}), Mark.CONTENT),
        (chunk({"content": [{"type": "text", "text": "A"}]}), Mark.CONTENT),
        (chunk({"tool_calls": [{"index": 0, "id": "c"}]}), Mark.CONTENT),
        (chunk({"tool_calls": []}), Mark.NONE),
        (b'data: {"choices": [{"delta": {"content": "A"}}]}\n\n', Mark.CONTENT),
        (chunk(choices=[{"delta": {}, "finish_reason": "stop"}]), Mark.FINISH),
        (
            chunk(choices=[{"delta": {"content": "A"}, "finish_reason": "stop"}], usage=COUNTS),
            Mark.CONTENT | Mark.FINISH | Mark.USAGE,
        ),
        (chunk(choices=[{"delta": {}, "usage": COUNTS}]), Mark.USAGE),
        (chunk(x_groq={"usage": COUNTS}), Mark.USAGE),
        (chunk(choices=[], usage=COUNTS), Mark.USAGE | Mark.USAGE_ONLY),
        (chunk(choices=None, usage=COUNTS), Mark.USAGE | Mark.USAGE_ONLY),
        (chunk(choices=[], usage={"prompt_tokens": 0}), Mark.USAGE_ONLY),
        (chunk(choices=[], usage=None, prompt_filter_results=[]), Mark.NONE),
        (b'data: {"error":{"message":"Busy"}}\n\n', Mark.ERROR),
        (b'data: {"error": null,"choices":[]}\n\n', Mark.NONE),
        (b'data: {"choices":[{"finish_reason":5}]}\n\n', Mark.NONE),
        (b"data: [DONE]\n\n", Mark.END),
        (b"data:[DONE]\r\n\r\n", Mark.END),
    ],
)
def test_marks(event: bytes, mark: Mark) -> None:
    """Every event carries what it carries."""
    assert watched(event)[1] == [mark]


@pytest.mark.parametrize(
    "words",
    [
        'The member "usage": {"prompt_tokens": 1, "completion_tokens": 1} counts.',
        '"finish_reason":"stop"',
        '{"error":{"message":"no"}}',
        '\\"error\\": \\\\"usage\\\\": {}',
        "data: [DONE]",
        "[DONE]",
        "usage",
        "error",
    ],
)
@pytest.mark.parametrize("member", ["content", "reasoning", "refusal"])
def test_watch_is_not_fooled_by_words(member: str, words: str) -> None:
    """Words of the answer that look like members are content and nothing else."""
    watch, marks = watched(chunk({member: words}))

    assert marks == [Mark.CONTENT]
    assert (watch.usage, watch.finish) == (None, None)


def test_watch_keeps_the_last_usage() -> None:
    """Usage may come with every chunk; the last one holds."""
    watch, _ = watched(
        chunk(usage=COUNTS), chunk(usage={"prompt_tokens": 3, "completion_tokens": 9})
    )

    assert watch.usage == Usage(3, 9)


@pytest.mark.parametrize(
    ("words", "chars"), [("abc", 3), ("Grüße", 5), ("好", 1), ('a"b', 4), ("\u0007", 1), ("", 0)]
)
def test_content_chars(words: str, chars: int) -> None:
    """Characters are counted, not bytes; an escaped one counts about as one."""
    assert watched(chunk({"content": words}))[0].content_chars == chars


def test_watch_completions() -> None:
    """The legacy endpoint has its words in another member, and the same end."""
    watch = openai_completions.watch()
    for event in (
        b'data: {"choices":[{"text":"Hi","finish_reason":null}]}\n\n',
        b'data: {"choices":[{"text":"","finish_reason":"length"}]}\n\n',
        b"data: [DONE]\n\n",
    ):
        mark = watch.feed(event)

    assert (mark, watch.finish, watch.content_chars) == (Mark.END, Finish.LENGTH, 2)
