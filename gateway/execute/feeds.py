"""
What a client gets of an upstream's stream: its bytes as they are, or translated.

A feed takes chunks and returns whole events, and remembers what deciding on the stream and
accounting for it need. It does no I/O and holds no more than one torn event.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import msgspec

from gateway.core.chat import (
    Ended,
    Failed,
    Finish,
    Finished,
    Started,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    Usage,
)
from gateway.scan.restore import Restorer
from gateway.wire import sse
from gateway.wire.dialect import MALFORMED, UNFINISHED, Dialect, Mark, Problem, StreamWriter

# As plain integers: one operation on the enum costs more than the rest of a loop turn.
_BEGINS: Final = int(Mark.CONTENT | Mark.FINISH)
_SPECIAL: Final = int(Mark.ERROR | Mark.END | Mark.USAGE_ONLY)
_ERROR: Final = int(Mark.ERROR)
_END: Final = int(Mark.END)

MODEL = re.compile(rb'"model":\s*"(?:[^"\\]|\\.)*"')
EVENT_END = b"\n\n"
CHARS_PER_TOKEN: Final = 4  # English prose; other scripts have fewer, and are billed too little


class Feed(Protocol):
    """
    *committed*: the answer has begun, with content or a finish. *over*: nothing more is for the
    client; then either *problem* is the upstream's error, or *unfinished* says in our words why the
    answer is not whole, or the dialect's proper end was seen.
    """

    committed: bool
    over: bool
    unfinished: str
    problem: Problem | None

    @property
    def finish(self) -> Finish | None:
        """Why the answer ended, as far as the upstream said."""

    @property
    def usage(self) -> Usage | None:
        """The last that was reported; until *usage_final* perhaps of the input only."""

    @property
    def usage_final(self) -> bool:
        """*usage* counts the whole answer so far."""

    @property
    def content_chars(self) -> int:
        """Length of the answer so far."""

    def take(self, chunk: bytes) -> bytes:
        """
        What the client gets for *chunk*: whole events, an error of the upstream included, or b"".

        Raises:
            UpstreamError: an event above the limit.
        """

    def close(self) -> bytes:
        """The upstream closed its stream: what the client still gets. Sets *over*."""


class Passed:
    """
    The same dialect on both sides: events byte for byte. *drop_usage*: we asked for usage and the
    client did not, so the event that has nothing else is not for it. *model*: the name to show.
    """

    def __init__(
        self, dialect: Dialect, event_bytes_max: int, *, drop_usage: bool, model: str | None
    ) -> None:
        self.committed = False
        self.over = False
        self.unfinished = ""
        self.problem: Problem | None = None
        self._dialect = dialect
        self._watch = dialect.watch()
        self._splitter = sse.Splitter(event_bytes_max)
        self._drop_usage = drop_usage
        self._model = None if model is None else b'"model":' + msgspec.json.encode(model)
        self._served = b""  # the member that *model* replaces, learned from the first that has it

    @property
    def finish(self) -> Finish | None:
        """See ``Feed``."""
        return self._watch.finish

    @property
    def usage(self) -> Usage | None:
        """See ``Feed``."""
        return self._watch.usage

    @property
    def usage_final(self) -> bool:
        """See ``Feed``."""
        return self._watch.usage_final

    @property
    def content_chars(self) -> int:
        """See ``Feed``."""
        return self._watch.content_chars

    def take(self, chunk: bytes) -> bytes:
        """See ``Feed``."""
        feed = self._watch.feed
        kept = []
        for event in self._splitter.feed(chunk):
            if self.over:
                break
            if not sse.well_formed(event):
                self.over, self.unfinished = True, MALFORMED
                break
            mark = feed(event)
            if mark & _BEGINS:
                self.committed = True
            if mark & _SPECIAL and not self._stays(event, mark):
                continue
            kept.append(event)
        return self._joined(kept)

    def close(self) -> bytes:
        """See ``Feed``; an end that lacks nothing but its blank line is one."""
        rest = self._splitter.rest().rstrip()
        if self.over:
            return b""
        if rest and self._watch.feed(rest + EVENT_END) & _END and self._end():
            return rest + EVENT_END
        self._end()
        return b""

    def _stays(self, event: bytes, mark: int) -> bool:
        """Whether the client gets an event that is an error, the end, or nothing but usage."""
        if mark & _ERROR:
            self.over = True
            self.problem = self._dialect.read_error(200, sse.data(event))
            return True
        return self._end() if mark & _END else not self._drop_usage

    def _end(self) -> bool:
        self.over = True
        self.unfinished = UNFINISHED if self.finish is None else ""
        self.committed |= not self.unfinished
        return not self.unfinished

    def _joined(self, events: list[bytes]) -> bytes:
        """*events* as one piece, with the name of the model that the client is to see."""
        if self._model is None:
            return events[0] if len(events) == 1 else b"".join(events)
        return b"".join([self._renamed(event, self._model) for event in events])

    def _renamed(self, event: bytes, model: bytes) -> bytes:
        if self._served and self._served in event:
            return event.replace(self._served, model, 1)
        found = MODEL.search(event)
        if found is None:
            return event
        self._served = found.group()
        return event.replace(self._served, model, 1)


class Translated:
    """
    Another dialect at the upstream than at the client, or something to put back into the answer:
    every event is read and written anew.
    """

    def __init__(
        self,
        upstream: Dialect,
        client: Dialect,
        event_bytes_max: int,
        *,
        answer_id: str,
        model: str,
        created_s: int,
        include_usage: bool,
        restorer: Restorer | None = None,
    ) -> None:
        self.committed = False
        self.over = False
        self.unfinished = ""
        self.problem: Problem | None = None
        self.finish: Finish | None = None
        self.usage: Usage | None = None
        self.usage_final = False
        self.content_chars = 0
        self._splitter = sse.Splitter(event_bytes_max)
        self._restorer = restorer
        self._reader = upstream.stream_reader()
        self._writer: StreamWriter = client.stream_writer(
            answer_id, model, created_s=created_s, include_usage=include_usage
        )

    def take(self, chunk: bytes) -> bytes:
        """See ``Feed``."""
        return b"".join([self._event(event) for event in self._splitter.feed(chunk)])

    def close(self) -> bytes:
        """See ``Feed``; an answer that has finished has ended, if only by the end of its stream."""
        rest = self._splitter.rest().rstrip()
        last = [] if self.over or not rest else self._reader.read(rest + EVENT_END)
        if not self.over and last != [Ended()]:
            last = [Ended()]
        return b"".join([self._said(event) for event in last])

    def _event(self, event: bytes) -> bytes:
        return b"".join([self._said(said) for said in self._reader.read(event)])

    def _said(self, said: StreamEvent) -> bytes:
        if self.over:
            return b""
        match said:
            case TextDelta(text=text) | ThinkingDelta(text=text) | ToolDelta(arguments=text):
                self.content_chars += len(text)
                self.committed |= bool(text)
            case ToolStarted():
                self.committed = True
            case Started(usage=usage):
                self.usage = None if usage == Usage() else usage
            case Finished(finish=finish, usage=usage):
                self._finished(finish, usage)
            case Failed(message=message, kind=kind):
                self.over = True
                self.problem = Problem(message, kind)
            case Ended():
                self.over = True
                self.unfinished = UNFINISHED if self.finish is None else ""
                if self.unfinished:
                    return b""
                self.committed = True
        if self._restorer is None:
            return self._writer.write(said)
        return b"".join([self._writer.write(one) for one in self._restorer.event(said)])

    def _finished(self, finish: Finish | None, usage: Usage | None) -> None:
        if finish is not None:
            self.finish = finish
            self.committed = True
        if usage is not None:
            self.usage = usage
            self.usage_final = True


def usage_of(feed: Feed, tokens_in: int) -> Usage:
    """
    What is billed for *feed*: as reported, or else estimated, at four characters a token of what
    was answered and *tokens_in* of the prompt, and marked so.
    """
    usage = feed.usage
    if usage is not None and feed.usage_final:
        return usage
    return estimated(usage or Usage(tokens_in=tokens_in), feed.content_chars)


def estimated(known: Usage, content_chars: int) -> Usage:
    """*known* with its answer counted from *content_chars*."""
    counted = max(known.tokens_out, -(-content_chars // CHARS_PER_TOKEN))
    return msgspec.structs.replace(known, tokens_out=counted, estimated=True)
