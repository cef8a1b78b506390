"""Answers in one piece."""

from __future__ import annotations

import msgspec
import pytest

from gateway.execute.call import prepare
from gateway.execute.whole import Whole, read_whole
from tests.fakes.upstream import chat_answer
from tests.gateway.execute.samples import deployment, request


class Answered:
    """An upstream's answer with one header."""

    def __init__(self, body: bytes, content_type: str = "application/json") -> None:
        self.status = 200
        self.headers = {"content-type": content_type}
        self._pieces = [body]

    async def read(self) -> bytes:
        return self._pieces.pop() if self._pieces else b""

    def close(self) -> None:
        pass


async def read(answered: Answered, dialect: str = "openai_chat") -> Whole:
    """What a client of OpenAI's dialect gets of it, at the time 17."""
    call = prepare(request(), deployment("a/1", "http://a", dialect=dialect))
    return await read_whole(answered, call, answer_bytes_max=10_000, model=None, created_s=17)


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
        ("text/x\x80", "application/json"),
        ("a\tb", "application/json"),
    ],
)
async def test_read_whole_passes_a_content_type_on(content_type: str, told: str) -> None:
    """As it is, unless it would break the head of our own answer."""
    assert (await read(Answered(chat_answer(), content_type))).content_type == told


async def test_read_whole_dates_a_translation() -> None:
    """Anthropic tells no time, and OpenAI's clients expect one."""
    answer = b'{"content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn"}'

    whole = await read(Answered(answer), "anthropic_messages")

    assert msgspec.json.decode(whole.body)["created"] == 17


async def test_read_whole_keeps_a_date() -> None:
    """What passes through is the upstream's, also its date."""
    assert (await read(Answered(chat_answer()))).body == chat_answer()
