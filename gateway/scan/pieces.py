"""Every text of a chat that a model will read, with who wrote it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from gateway.core.chat import Chat, Opaque, Role, Text, ToolCall, ToolResult, Turn
from gateway.core.findings import Source
from gateway.scan.body_texts import texts_of_body

SOURCES = {Role.USER: Source.ASK, Role.SYSTEM: Source.SYSTEM, Role.ASSISTANT: Source.ASSISTANT}

PIECES_MAX = 512  # of a chat: each costs a look of the guard
REMEMBERED_BYTES_MAX = 16_384  # of a tool's schema, which comes again with every request


class Piece(msgspec.Struct, frozen=True):
    """
    A text, or one end of it where it is too long. *place* counts the texts of the chat in their
    order, and *offset* is where the piece begins in its text.
    """

    text: str
    source: Source
    place: int
    offset: int = 0


class Pieces(msgspec.Struct, frozen=True):
    """What is scanned, the newest first. *truncated*: not all of it, see ``pieces_of``."""

    pieces: tuple[Piece, ...]
    chars: int
    truncated: bool


def pieces_of(chat: Chat, chars_max: int) -> Pieces:
    """
    The texts of *chat*, at most *chars_max* characters: the newest go first, and of one that has no
    room both ends are kept.
    """
    texts = list(texts_of(chat))
    kept: list[Piece] = []
    left, truncated = chars_max, False
    for place in range(len(texts) - 1, -1, -1):
        text, source = texts[place]
        if len(kept) >= PIECES_MAX:
            truncated = True
            break
        if len(text) <= left:
            kept.append(Piece(text, source, place))
            left -= len(text)
            continue
        truncated = True
        half = left // 2
        if half:
            tail = len(text) - half
            kept += [Piece(text[:half], source, place), Piece(text[tail:], source, place, tail)]
            left = 0
    return Pieces(tuple(kept), chars_max - left, truncated)


def texts_of(chat: Chat) -> Iterator[tuple[str, Source]]:
    """All texts in their order: turns, then the descriptions of tools."""
    for turn in chat.turns:
        yield from _of_turn(turn)
    for tool in chat.tools:
        if tool.description:
            yield tool.description, Source.SYSTEM
        if b'"description"' in tool.parameters:
            for text in words_of(tool.parameters):
                yield text, Source.SYSTEM


def _of_turn(turn: Turn) -> Iterator[tuple[str, Source]]:
    for part in turn.parts:
        match part:
            case Text(text=text) if text:
                yield text, SOURCES[turn.role]
            case ToolCall(arguments=text) if text:
                yield text, Source.ASSISTANT
            case ToolResult(parts=parts):
                for inner in parts:
                    if isinstance(inner, Text) and inner.text:
                        yield inner.text, Source.TOOL
                    elif isinstance(inner, Opaque):
                        for text in words_of(inner.json):
                            yield text, Source.TOOL
            case Opaque(json=json):
                for text in words_of(json):
                    yield text, Source.TOOL


@functools.lru_cache(256)
def _words_of_short(json: bytes) -> tuple[str, ...]:
    return tuple(texts_of_body(json))


def words_of(json: bytes) -> tuple[str, ...]:
    """The texts in a piece of JSON that a model reads; those of a short one are remembered."""
    if len(json) <= REMEMBERED_BYTES_MAX:
        return _words_of_short(json)
    return tuple(texts_of_body(json))
