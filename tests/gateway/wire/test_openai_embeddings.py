"""Tests of gateway.wire.openai_embeddings."""

from __future__ import annotations

import json

import pytest

from gateway.core.chat import Opaque, Part, Text
from gateway.core.errors import InvalidRequest
from gateway.wire.openai_embeddings import read


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("A", (Text("A"),)),
        (["A", "B"], (Text("A"), Text("B"))),
        ([1, 2], (Opaque("tokens", b"[1,2]"),)),
    ],
)
def test_read_input(given: object, parts: tuple[Part, ...]) -> None:
    """Each text is a part of one user turn; token ids are kept unread."""
    chat = read(json.dumps({"model": "m", "input": given, "dimensions": 8}).encode())

    assert chat.turns[0].parts == parts
    assert chat.extra == {"dimensions": b"8"}


@pytest.mark.parametrize(
    ("body", "param"), [(b'{"model":"m"}', "input"), (b'{"model":"m","input":{}}', "input")]
)
def test_read_names_the_field(body: bytes, param: str) -> None:
    """A missing or mistyped input is the client's error."""
    with pytest.raises(InvalidRequest) as caught:
        read(body)

    assert caught.value.param == param
