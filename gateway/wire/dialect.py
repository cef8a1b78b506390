"""What every dialect offers, and the few values that only dialects speak of."""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from gateway.core.chat import Answer, Chat, Finish, StreamEvent, Usage
from gateway.core.errors import SwitchyardError

UNFINISHED = "The provider ended its stream without a finish reason."
MALFORMED = "The provider sent a malformed event."
TOO_LONG = "context_length_exceeded"  # OpenAI's code, which the others' words are read as


class Mark(enum.IntFlag):
    """What a watched stream event carries."""

    NONE = 0
    CONTENT = 1  # words, reasoning or part of a tool call
    FINISH = 2  # why the answer ended
    USAGE = 4
    USAGE_ONLY = 8  # nothing but usage: not for a client that did not ask for it
    ERROR = 16
    END = 32  # the dialect's proper end


class Problem(msgspec.Struct, frozen=True):
    """An upstream's error body, understood. *kind* and *code* are its own words, "" if none."""

    message: str
    kind: str = ""
    code: str = ""


class Losses:
    """
    Collects what a translation could not carry over, as ``severity;reason;field``.

    Severities: ``dropped``, ``approximated``. Reasons: ``unsupported`` (the dialect has no such
    thing), ``omitted`` (this provider rejects it), ``model_bound`` (means nothing to another
    model), ``exclusive`` (not beside another field), ``clamped``, ``converted``, ``moved``.
    """

    def __init__(self) -> None:
        self._found: dict[str, None] = {}  # a set that keeps its order

    def dropped(self, field: str, reason: str = "unsupported") -> None:
        """The upstream will know nothing of *field*."""
        self._found[f"dropped;{reason};{field}"] = None

    def approximated(self, field: str, reason: str) -> None:
        """The upstream gets something that is not quite *field*."""
        self._found[f"approximated;{reason};{field}"] = None

    def named(self) -> tuple[str, ...]:
        """All losses, each once, in the order they were met."""
        return tuple(self._found)


class Watch(Protocol):
    """
    Looks at the events of a stream that is passed through, without building them.

    *usage* is the last that was reported; until *usage_final* it may be of the input only.
    *content_chars* is the length of the answer so far, to estimate usage when none is reported.
    """

    usage: Usage | None
    usage_final: bool
    finish: Finish | None
    content_chars: int

    def feed(self, event: bytes) -> int:
        """Look at one whole event; returns the bits of ``Mark``."""


class StreamReader(Protocol):
    """Events of this dialect to canonical events."""

    def read(self, event: bytes) -> list[StreamEvent]:
        """The canonical events of one whole event; a malformed one reads as Failed."""


class StreamWriter(Protocol):
    """Canonical events to events of this dialect."""

    def write(self, event: StreamEvent) -> bytes:
        """
        Zero or more whole events. Ended without a finish reason before it writes an error: a
        stream never ends cleanly unless the answer did. After an error everything is empty.
        """


class Dialect(Protocol):
    """
    One wire format: stateless, and shared by every request. A module is one.

    Dialects of the same *family* share keys and error bodies, so a deployment of one serves
    endpoints of the other.
    """

    name: str
    family: str
    path: str  # below the provider's base URL

    def credentials(self, api_key: str | None) -> tuple[tuple[str, str], ...]:
        """Headers that authenticate us; those the client sent to forward win over them."""

    def read(self, body: bytes) -> Chat:
        """Raises InvalidRequest, whatever the bytes; ``param`` names the field."""

    def write(
        self, chat: Chat, *, model: str, max_tokens: int, omit: tuple[str, ...] = ()
    ) -> tuple[bytes, tuple[str, ...]]:
        """
        Translate *chat* into this dialect: the body and what was lost, see ``Losses``.

        *max_tokens* is the longest answer of the deployment: it limits the client's wish, and
        stands in for it where the dialect demands one. *omit* names members to leave out.
        """

    def forward(
        self,
        body: bytes,
        *,
        model: str,
        include_usage: bool = False,
        omit: tuple[str, ...] = (),
        keep_thinking: bool = True,
    ) -> bytes:
        """
        Splice *body*, which is of this dialect, for another model; the identical object when
        nothing changes. *include_usage* asks for usage in the stream. Without *keep_thinking*
        reasoning in the history is removed, because its signatures are bound to a model family.
        """

    def read_answer(self, body: bytes) -> Answer:
        """Raises UpstreamError when the body is no answer."""

    def write_answer(self, answer: Answer, model: str) -> bytes:
        """A whole answer; *model* is the name to show."""

    def read_usage(self, body: bytes) -> Usage | None:
        """Usage of a whole answer, decoding nothing else; None when there is none."""

    def watch(self) -> Watch:
        """For a stream that is passed through."""

    def stream_reader(self) -> StreamReader:
        """For a stream that is translated from this dialect."""

    def stream_writer(
        self, answer_id: str, model: str, *, created_s: int, include_usage: bool
    ) -> StreamWriter:
        """For a stream that is translated to this dialect."""

    def error_body(self, error: SwitchyardError, request_id: str) -> tuple[int, bytes]:
        """HTTP status and body; the upstream's own body where the error carries it."""

    def stream_error(self, error: SwitchyardError, request_id: str) -> bytes:
        """The event that ends a stream which has begun; nothing may follow it."""

    def read_error(self, status: int, body: bytes) -> Problem:
        """Understand an upstream's error body; never raises."""
