"""Tests of gateway.wire.openai_forward."""

from __future__ import annotations

import pytest

from gateway.wire.openai_forward import forward
from tests.gateway.wire import golden


def test_forward_to_the_same_model_copies_nothing() -> None:
    """The identical object goes on when nothing changes."""
    body = golden.read("openai_request.json")

    assert forward(body, model="gpt-4o") is body
    assert forward(body, model="gpt-4o", include_usage=True, keep_thinking=False) is body


def test_forward_changes_the_name_only() -> None:
    """Another model is one replaced string; every other byte stays."""
    body = golden.read("openai_request.json")

    assert forward(body, model="gpt-4o-mini") == body.replace(b'"gpt-4o"', b'"gpt-4o-mini"')


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        (
            b'{"model":"a","x":{"model":"a"},"unknown":[1]}',
            {},
            b'{"model":"b","x":{"model":"a"},"unknown":[1]}',
        ),
        (
            b'{"model":"a"}',
            {"include_usage": True},
            b'{"model":"b","stream_options":{"include_usage":true}}',
        ),
        (
            b'{"stream_options": null,"model":"a"}',
            {"include_usage": True},
            b'{"stream_options": {"include_usage":true},"model":"b"}',
        ),
        (
            b'{"stream_options":{"include_obfuscation":false},"model":"a"}',
            {"include_usage": True},
            b'{"stream_options":{"include_obfuscation":false,"include_usage":true},"model":"b"}',
        ),
        (
            b'{"stream_options":{"include_usage":false},"model":"a"}',
            {"include_usage": True},
            b'{"stream_options":{"include_usage":true},"model":"b"}',
        ),
        (
            b'{"stream_options":{},"model":"a"}',
            {"include_usage": True, "omit": ("stream_options",)},
            b'{"model":"b"}',
        ),
        (b'{"model":"a","user":"u"}', {"omit": ("user", "seed")}, b'{"model":"b"}'),
        (
            b'{"model":"a","max_tokens":5}',
            {"omit": ("max_tokens",)},
            b'{"model":"b","max_completion_tokens":5}',
        ),
        (
            b'{"model":"a","max_completion_tokens":5}',
            {"omit": ("max_completion_tokens",)},
            b'{"model":"b","max_tokens":5}',
        ),
        (
            b'{"model":"a","max_tokens":5,"max_completion_tokens":6}',
            {"omit": ("max_tokens",)},
            b'{"model":"b","max_completion_tokens":6}',
        ),
        (
            b'{"model":"a","max_tokens":5,"max_completion_tokens":null}',
            {"omit": ("max_tokens",)},
            b'{"model":"b","max_completion_tokens":5}',
        ),
        (
            b'{"model":"a","max_tokens":5}',
            {"omit": ("max_tokens", "max_completion_tokens")},
            b'{"model":"b"}',
        ),
    ],
)
def test_forward(body: bytes, options: dict[str, object], expected: bytes) -> None:
    """Only what must change is spliced; a token limit is never lost while one name is allowed."""
    assert forward(body, model="b", **options) == expected
