"""Tests of gateway.wire.anthropic_forward."""

from __future__ import annotations

import json

import pytest

from gateway.wire.anthropic_forward import forward
from tests.gateway.wire import golden


def test_forward_to_the_same_model_copies_nothing() -> None:
    """The identical object goes on when nothing changes."""
    body = golden.read("anthropic_request.json")

    assert forward(body, model="claude-sonnet-4-5", include_usage=True) is body


def test_forward_changes_the_name_only() -> None:
    """Another model is one replaced string; every other byte stays."""
    body = golden.read("anthropic_request.json")

    assert forward(body, model="b") == body.replace(b'"claude-sonnet-4-5"', b'"b"')


def test_forward_without_thinking() -> None:
    """Reasoning goes, and manual thinking with it; everything else keeps its meaning."""
    body = golden.read("anthropic_request.json")
    expected = json.loads(body)
    del expected["messages"][1]["content"][0], expected["thinking"]

    said = json.loads(forward(body, model="claude-sonnet-4-5", keep_thinking=False))

    assert said == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # no reasoning in the history: the setting may stay
        (
            b'{"model":"b","messages":[],"thinking":{"type":"enabled"}}',
            b'{"model":"b","messages":[],"thinking":{"type":"enabled"}}',
        ),
        # a message of reasoning alone disappears
        (
            b'{"model":"b","messages":[{"role":"assistant","content":[{"type":"thinking"}]}]}',
            b'{"model":"b","messages":[]}',
        ),
        (
            b'{"model":"b","messages":[{"role":"assistant","content":[{"type":"redacted_thinking"}]},'
            b'{"role":"user","content":"x"}],"thinking":{"type":"adaptive"}}',
            b'{"model":"b","messages":[{"role":"user","content":"x"}],"thinking":{"type":"adaptive"}}',
        ),
        # clearing thinking is refused where there is none
        (
            b'{"model":"b","messages":[{"role":"assistant","content":[{"type":"thinking"}]}],'
            b'"thinking":{"type":"enabled"},"context_management":{"edits":[{"type":"clear_thinking_1"}]}}',
            b'{"model":"b","messages":[]}',
        ),
        # the word alone is no reasoning
        (
            b'{"model":"b","messages":[{"role":"user","content":"thinking"}]}',
            b'{"model":"b","messages":[{"role":"user","content":"thinking"}]}',
        ),
    ],
)
def test_forward_removes_reasoning(body: bytes, expected: bytes) -> None:
    """Reasoning of another family of models is removed, and what depends on it."""
    assert forward(body, model="b", keep_thinking=False) == expected
    assert forward(body, model="b") is body


def test_forward_omits_members() -> None:
    """Members that the provider rejects are removed."""
    assert forward(b'{"model":"a","top_k":5}', model="b", omit=("top_k",)) == b'{"model":"b"}'
