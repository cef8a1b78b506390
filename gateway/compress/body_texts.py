"""
Find the texts of a request's body that may be rewritten, and put others in their place.

Texts are found by their offsets, so that every other byte of the body stays as the client sent it.
Left alone are what the assistant said, tool calls, images, ids, and everything up to the last
cache mark: another prefix would be paid for anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from gateway.wire.members import name_of, spans
from kernels.json_spans import value_end

INSTRUCTING = frozenset({"system", "developer", "user"})
ANSWERING = frozenset({"tool", "function"})
_BETWEEN = b" \t\r\n,"
_STRING, _ARRAY, _OBJECT = b'"', b"[", b"{"

Members = dict[str, tuple[int, int]]  # where the value of each member is


class Place(msgspec.Struct, frozen=True):
    """
    One text: the JSON string from byte *start* to *end*. *turn* numbers the message, 0 for the
    system prompt; *tool_result*: a tool answered it.
    """

    start: int
    end: int
    text: str
    turn: int
    tool_result: bool


def places_in(body: bytes, dialect: str, *, even_cached: bool = False) -> list[Place]:
    """
    The texts of *body*, a request that *dialect* has read, in the order of the prompt.

    *even_cached* finds those before a cache mark too. A dialect that has no texts has no places.

    Raises:
        InvalidRequest: an object with more members than ``gateway.wire.members`` reads.
    """
    finder = _Finder(body)
    if dialect == "anthropic_messages":
        finder.read_anthropic()
    elif dialect == "openai_chat":
        finder.read_messages(finder.members(0, len(body)))
    elif dialect == "openai_completions":
        finder.read_content(finder.members(0, len(body)).get("prompt"), 1)
    return finder.places if even_cached else finder.places[finder.cached :]


def replaced(body: bytes, texts: Mapping[int, str], places: list[Place]) -> bytes:
    """*body* with ``texts[k]`` instead of the text of ``places[k]``."""
    pieces: list[bytes] = []
    here = 0
    for row, place in enumerate(places):
        if row in texts:
            pieces += (body[here : place.start], msgspec.json.encode(texts[row]))
            here = place.end
    return b"".join((*pieces, body[here:]))


class _Finder:
    """Walks a body; *cached* is how many of *places* lie before or at the last cache mark."""

    def __init__(self, body: bytes) -> None:
        self.places: list[Place] = []
        self.cached = 0
        self._body = body
        self._bytes = np.frombuffer(body, np.uint8)

    def read_anthropic(self) -> None:
        """The system prompt, then the messages. A mark on the whole request marks its end."""
        request = self.members(0, len(self._body))
        self.read_content(request.get("system"), 0)
        self.read_messages(request)
        self._mark(request)

    def read_messages(self, request: Members) -> None:
        """The messages of a *request*."""
        for turn, (start, end) in enumerate(self._elements(request.get("messages")), 1):
            message = self.members(start, end)
            role = self._string(message.get("role"))
            content = message.get("content")
            if role in INSTRUCTING or role in ANSWERING:
                self.read_content(content, turn, tool_result=role in ANSWERING)
            else:
                for block in self._elements(content):
                    self._mark(self.members(*block))
            self._mark(message)

    def read_content(
        self, content: tuple[int, int] | None, turn: int, *, tool_result: bool = False
    ) -> None:
        """A string, or an array of strings and blocks, of which those with text count."""
        if content is None:
            return
        self._add(content, turn, tool_result=tool_result)
        for start, end in self._elements(content):
            self._add((start, end), turn, tool_result=tool_result)
            block = self.members(start, end)
            kind = self._string(block.get("type"))
            if kind == "text" and "text" in block:
                self._add(block["text"], turn, tool_result=tool_result)
            elif kind == "tool_result":
                self.read_content(block.get("content"), turn, tool_result=True)
            self._mark(block)

    def members(self, start: int, end: int) -> Members:
        """The members of the object there, none where there is another value."""
        if not self._body[start:end].lstrip().startswith(_OBJECT):
            return {}
        part = self._body[start:end]
        return {name_of(part, row): (start + row[2], start + row[3]) for row in spans(part)}

    def _elements(self, value: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
        """Where the elements of the array there are; none where there is another value."""
        if value is None or self._body[value[0] : value[0] + 1] != _ARRAY:
            return
        here, last = value[0] + 1, value[1] - 1
        while True:
            while here < last and self._body[here] in _BETWEEN:
                here += 1
            if here >= last:
                return
            end = int(value_end(self._bytes, here))
            yield here, end
            here = max(end, here + 1)

    def _add(self, value: tuple[int, int], turn: int, *, tool_result: bool) -> None:
        text = self._string(value)
        if text:
            self.places.append(Place(*value, text, turn, tool_result))

    def _string(self, value: tuple[int, int] | None) -> str:
        """The string there, "" where there is another value."""
        if value is None or self._body[value[0] : value[0] + 1] != _STRING:
            return ""
        return msgspec.json.decode(self._body[value[0] : value[1]], type=str)

    def _mark(self, owner: Members) -> None:
        mark = owner.get("cache_control")
        if mark is not None and self._body[mark[0] : mark[1]] != b"null":
            self.cached = len(self.places)
