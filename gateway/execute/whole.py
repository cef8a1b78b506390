"""Answers in one piece: read, understood as far as accounting needs it, translated if need be."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Answer, Finish, Text, Thinking, ToolCall, Usage
from gateway.core.errors import SwitchyardError, UpstreamUnavailable
from gateway.core.header_value import fits_header
from gateway.core.outcome import Failure
from gateway.core.transport import UpstreamResponse
from gateway.execute.call import Call, Headers
from gateway.execute.failures import Failed, failed_stream
from gateway.execute.upstream_headers import reply_headers
from gateway.scan.restore import Restorer
from gateway.wire.decode import UNREADABLE
from gateway.wire.members import edit


class Whole(msgspec.Struct, frozen=True):
    """
    *body* is in the client's dialect. *usage* is None when the upstream reported none;
    *content_chars* is then what it can be estimated from, else 0.
    """

    status: int
    content_type: str
    headers: Headers
    body: bytes
    usage: Usage | None
    finish: Finish | None
    content_chars: int


class Envelope(msgspec.Struct):
    """Some providers say 200 and mean an error; null and empty ones mean none."""

    error: object = None


UNREPORTED = Usage()
ENVELOPE = msgspec.json.Decoder(Envelope)
JSON = "application/json"


async def read_whole(
    response: UpstreamResponse,
    call: Call,
    *,
    answer_bytes_max: int,
    model: str | None,
    created_s: int,
    restorer: Restorer | None = None,
) -> Whole:
    """
    The answer that *response* is. *model*: the name to show instead of the one that served.
    *created_s* dates a translation of an answer that has no date. *restorer*: puts stripped values
    back, for which the answer is written anew.

    Raises:
        Failed: too large, no answer, or an error in its place.
        TransportError: the connection broke.
    """
    body = await _read(response, answer_bytes_max)
    answer = _answer(call, body)
    if answer is None:
        _check(call, body)
        usage = call.upstream.read_usage(body)
    else:
        usage = answer.usage if answer.usage != UNREPORTED else None
    content_type = response.headers.get("content-type", JSON)
    if not fits_header(content_type):
        content_type = JSON
    if restorer is not None and answer is not None:
        answer = restorer.whole(answer)
    if call.translated or (restorer is not None and answer is not None):
        if answer is None:
            raise _malformed(response.status)
        shown = model or answer.model or call.deployment.upstream_model
        dated = msgspec.structs.replace(answer, created_s=answer.created_s or created_s)
        body, content_type = call.client.write_answer(dated, shown), JSON
    elif model is not None:
        body = edit(body, {"model": msgspec.json.encode(model)})
    return Whole(
        status=response.status,
        content_type=content_type,
        headers=reply_headers(response.headers),
        body=body,
        usage=usage,
        finish=answer.finishes[0] if answer is not None else None,
        content_chars=0 if answer is None or usage is not None else _chars(answer),
    )


async def _read(response: UpstreamResponse, answer_bytes_max: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await response.read():
        pieces.append(piece)
        size += len(piece)
        if size > answer_bytes_max:
            message = (
                f"The provider's answer has at least {size} bytes; the limit is {answer_bytes_max}."
            )
            # Another attempt would be billed and as large.
            error = UpstreamUnavailable(message, code="answer_too_large")
            raise Failed(Failure.REFUSED, message, status=response.status, error=error)
    return b"".join(pieces)


def _answer(call: Call, body: bytes) -> Answer | None:
    """The canonical answer; None for what only passes through, and for what is no answer."""
    try:
        return call.upstream.read_answer(body)
    except SwitchyardError:
        return None


def _check(call: Call, body: bytes) -> None:
    """Raise when *body*, which does not read as an answer, cannot be one."""
    try:
        said = ENVELOPE.decode(body)
    except UNREADABLE:
        raise _malformed(200) from None
    if said.error:
        raise failed_stream(call.upstream.read_error(200, body))


def _malformed(status: int) -> Failed:
    return Failed(Failure.BROKEN, "The provider's answer is malformed.", status=status)


def _chars(answer: Answer) -> int:
    chars = 0
    for part in (part for parts in answer.choices for part in parts):
        match part:
            case Text(text=text) | Thinking(text=text) | ToolCall(arguments=text):
                chars += len(text)
    return chars
