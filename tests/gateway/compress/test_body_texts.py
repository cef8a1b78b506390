"""Tests of gateway/compress/body_texts.py."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.compress.body_texts import places_in, replaced

MARK = {"cache_control": {"type": "ephemeral"}}
TEXTS = st.text(min_size=1, max_size=12)
PARTS = st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS})
OTHERS = st.sampled_from([{"type": "image_url", "image_url": {"url": "u"}}, {"type": "x", "y": []}])
CONTENTS = TEXTS | st.lists(PARTS | OTHERS, max_size=3) | st.none()
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"])},
    optional={"content": CONTENTS, "name": TEXTS},
)


def found(request: dict[str, Any], dialect: str, *, even_cached: bool = False) -> list[str]:
    """The texts of *request*."""
    body = json.dumps(request).encode()
    return [place.text for place in places_in(body, dialect, even_cached=even_cached)]


def text(words: str, *, marked: bool = False) -> dict[str, Any]:
    """One block of text."""
    return {"type": "text", "text": words, **(MARK if marked else {})}


@given(st.lists(MESSAGES, max_size=4), st.sampled_from([None, 0, 3]), st.booleans())
def test_changes_texts_and_nothing_else(
    messages: list[dict[str, Any]], indent: int | None, escaped: bool
) -> None:
    """Every text that is found can be changed, and all other values stay."""
    request = {"messages": messages, "model": "m"}
    body = json.dumps(request, indent=indent, ensure_ascii=escaped).encode("utf-8", "replace")
    request = json.loads(body)
    places = places_in(body, "openai_chat")
    changed = json.loads(replaced(body, {k: f"new {k}" for k in range(len(places))}, places))
    numbers = iter(range(len(places)))
    for message in request["messages"]:
        if message["role"] == "assistant":
            continue
        content = message.get("content")
        if isinstance(content, str):
            message["content"] = f"new {next(numbers)}"
        for part in content if isinstance(content, list) else ():
            if part["type"] == "text":
                part["text"] = f"new {next(numbers)}"
    assert changed == request
    assert next(numbers, None) is None
    assert replaced(body, {}, places) == body


def test_anthropic() -> None:
    """System blocks, user blocks and results of tools; never thinking, tool calls or documents."""
    request = {
        "system": [text("s1"), text("s2")],
        "tools": [{"name": "t", "description": "d", **MARK}],
        "messages": [
            {"role": "user", "content": "u1"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "x"},
                    text("a"),
                    {"type": "tool_use", "id": "1", "name": "n", "input": {"text": "i"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": [text("r1")]},
                    {"type": "tool_result", "tool_use_id": "2", "content": "r2"},
                    {"type": "document", "source": {"type": "text", "data": "d"}},
                    text("u2"),
                ],
            },
        ],
    }
    assert found(request, "anthropic_messages") == ["s1", "s2", "u1", "r1", "r2", "u2"]
    places = places_in(json.dumps(request).encode(), "anthropic_messages")
    assert [place.tool_result for place in places] == [False, False, False, True, True, False]
    assert [place.turn for place in places] == [0, 0, 1, 3, 3, 3]


def test_members_in_any_order() -> None:
    """The system prompt comes first, wherever it is written."""
    request = {"messages": [{"content": "u", "role": "user"}], "system": "s"}
    assert found(request, "anthropic_messages") == ["s", "u"]


def test_cache_marks() -> None:
    """Only texts behind the last mark are found; the assistant's counts too."""
    user = {"role": "user", "content": [text("u1", marked=True), text("u2")]}
    assistant = {"role": "assistant", "content": [text("a", marked=True)]}
    last = {"role": "user", "content": "u3"}
    for dialect in ("anthropic_messages", "openai_chat"):
        assert found({"messages": [user, last]}, dialect) == ["u2", "u3"]
        assert found({"messages": [user, assistant, last]}, dialect) == ["u3"]
        everything = found({"messages": [user, assistant, last]}, dialect, even_cached=True)
        assert everything == ["u1", "u2", "u3"]
    assert found({"messages": [user, last], **MARK}, "anthropic_messages") == []
    unmarked = {"role": "user", "content": [{**text("u"), "cache_control": None}]}
    assert found({"messages": [unmarked]}, "anthropic_messages") == ["u"]


def test_completions_and_embeddings() -> None:
    """Prompts are texts, tokens are not, and embeddings have none."""
    assert found({"prompt": "p"}, "openai_completions") == ["p"]
    assert found({"prompt": ["p", "q"]}, "openai_completions") == ["p", "q"]
    assert found({"prompt": [[1, 2], [3]]}, "openai_completions") == []
    assert found({"input": "i"}, "openai_embeddings") == []
