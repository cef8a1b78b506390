"""Tests of gateway.wire.openai_completions."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Opaque, Part, Text
from gateway.core.errors import InvalidRequest
from gateway.wire.openai_completions import read


def body(**members: object) -> bytes:
    """A body of the legacy endpoint."""
    return json.dumps({"model": "m"} | members).encode()


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("A", (Text("A"),)),
        (["A", "B"], (Text("A"), Text("B"))),
        ([1, 2], (Opaque("tokens", b"[1,2]"),)),
        ([[1], [2]], (Opaque("tokens", b"[[1],[2]]"),)),
        (None, ()),
    ],
)
def test_read_prompts(prompt: object, parts: tuple[Part, ...]) -> None:
    """Each text is a part of one user turn; token ids are kept unread."""
    assert read(body(prompt=prompt)).turns[0].parts == parts


def test_read_members() -> None:
    """Members with a meaning are read, the others kept as they came."""
    chat = read(
        body(
            prompt="A",
            stream=True,
            stream_options={"include_usage": True},
            stop="x",
            n=2,
            max_tokens=0,
        ).rstrip(b"}")
        + b',"echo":true}'
    )

    assert (chat.stream, chat.include_usage, chat.stop, chat.n) == (True, True, ("x",), 2)
    assert (chat.max_tokens, chat.extra) == (0, {"echo": b"true"})


@pytest.mark.parametrize(
    ("members", "param"),
    [({"prompt": 5}, "prompt"), ({"prompt": [None]}, "prompt[0]"), ({"n": 129}, "n")],
)
def test_read_names_the_field(members: dict[str, object], param: str) -> None:
    """A wrong type is the client's error, with the path of the field."""
    with pytest.raises(InvalidRequest) as caught:
        read(body(**members))

    assert caught.value.param == param
