"""Tests of gateway.scan.body_texts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidRequest
from gateway.scan.body_texts import texts_of_body
from kernels.json_tokens import DEPTH_MAX
from tests.gateway.wire.chats import json_values


def texts(body: object) -> list[str]:
    """The texts of *body*, some JSON value."""
    return texts_of_body(json.dumps(body).encode())


def block(**members: object) -> object:
    """A body whose only message has the one content block."""
    return {"messages": [{"role": "user", "content": [members]}]}


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "prompt": "T"},
        {"input": ["T", "T"]},
        {"system": [{"type": "text", "text": "T", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": "T"}]},
        {"messages": [{"content": [{"type": "tool_result", "tool_use_id": "c", "content": "T"}]}]},
        {"messages": [{"reasoning_content": "T", "refusal": "T", "name": "ann"}]},
        block(type="image_url", image_url={"url": "T", "detail": "low"}),
        block(type="document", title="T", source={"type": "text", "data": "T"}),
        block(type="thinking", thinking="T"),
        block(type="thinking", thinking="T", signature=""),
        block(type="text", text="T", signature="what is no reasoning signs nothing"),
        {"stop": ["x"], "user": "T", "stop_sequences": ["y"], "seed": 1234567890},
        {"tools": [{"type": "function", "function": {"name": "f", "description": "T"}}]},
        {"brand_new": {"deep": [["T"]], "number": 1234567890}},
    ],
)
def test_texts_are_what_a_model_reads(body: object) -> None:
    """Every T is read, and nothing else."""
    assert set(texts(body)) == {"T"}


@pytest.mark.parametrize(
    "body",
    [
        block(type="image_url", image_url={"url": "data:image/png;base64,aWNvbg=="}),
        block(type="image_url", image_url="DATA:image/png;base64,aWNvbg=="),
        block(type="file", file={"file_data": "data:application/pdf;base64,aWNvbg=="}),
        block(type="input_audio", input_audio={"data": "aWNvbg==", "format": "wav"}),
        block(type="image", source={"data": "aWNvbg==", "type": "base64", "media_type": "x"}),
        block(type="thinking", thinking="bound", signature="by this"),
        block(signature="by this", thinking="bound", type="thinking"),
        block(type="redacted_thinking", data="blob"),
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
        {"mcp_servers": [{"url": "u", "authorization_token": "secret of the client"}]},
    ],
)
def test_what_must_stay_is_no_text(body: object) -> None:
    """Media, signed reasoning, and names that are looked up."""
    assert texts(body) == []


def test_schemas_are_read_for_what_they_say() -> None:
    """Words, examples and defaults, even of a property called type, but no types or names."""
    schema = {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "description": "A", "pattern": "^x$"},
            "card": {"type": "integer", "default": 4111111111111111, "examples": ["B", 7]},
        },
    }

    assert texts({"tools": [{"name": "f", "input_schema": schema}]}) == [
        "A", "4111111111111111", "B",
    ]  # fmt: skip


def test_arguments_are_looked_into() -> None:
    """The values of a call, of any depth, whatever their names; and a name that says something."""
    given = {"id": "A", "type": [{"role": "B"}], "n": 1234567, "ann@x": True, "f": 1.2345678}
    called = {"tool_calls": [{"id": "c", "function": {"arguments": json.dumps(given)}}]}
    used = {"content": [{"type": "tool_use", "id": "c", "name": "f", "input": given}]}

    assert texts({"messages": [called]}) == ["A", "B", "1234567", "ann@x"]
    assert texts({"messages": [used]}) == ["A", "B", "1234567", "ann@x"]


def test_arguments_that_are_no_json_are_plain_text() -> None:
    """A model may have been cut off in the middle of a call."""
    assert texts({"function_call": {"arguments": '{"a": "b'}}) == ['{"a": "b']


def test_json_in_a_string_is_looked_into_where_escapes_could_hide_something() -> None:
    """A tool's result says e-mail addresses with escapes; deeper than three levels it is text."""
    said = {"content": '{"to": "ann\\u0040example.org"}'}
    assert texts(said) == ["ann@example.org"]

    deep = "x"
    for _ in range(5):
        deep = json.dumps([deep])
    assert texts({"arguments": deep}) == ['["[\\"x\\"]"]']


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a" 1}',
        b'{"a":"\xff"}',
        b'{"content":"\\ud8zz"}',
        b'{"unknown":"a lone surrogate: \\ud800"}',
        b'{"unknown":"a lone surrogate: \\ude00"}',
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_bad_bodies_are_refused(body: bytes) -> None:
    """No other error than ours, however deep."""
    with pytest.raises(InvalidRequest):
        texts_of_body(body)


@given(st.binary(max_size=60) | json_values.map(json.dumps).map(str.encode))
def test_any_bytes(body: bytes) -> None:
    """Any bytes have texts or are refused."""
    try:
        found = texts_of_body(body)
    except InvalidRequest:
        return
    assert all(isinstance(text, str) for text in found)
