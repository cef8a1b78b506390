"""Errors of the OpenAI family: ours as their bodies, theirs understood."""

from __future__ import annotations

import msgspec

from gateway.core.errors import SwitchyardError
from gateway.wire import sse
from gateway.wire.decode import NULL, UNREADABLE, given
from gateway.wire.dialect import Problem

MESSAGE_CHARS_MAX = 2000  # of an upstream's message that we repeat
TYPES = {429: "rate_limit_error"}  # by status; otherwise whose fault it is


class Detail(msgspec.Struct):
    """The error object; *code* may be a number."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class Envelope(msgspec.Struct):
    """An error body of any imitator: nested, flat, or FastAPI's ``detail``."""

    error: msgspec.Raw = NULL
    detail: msgspec.Raw = NULL
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


DETAIL = msgspec.json.Decoder(Detail)
ENVELOPE = msgspec.json.Decoder(Envelope)
ENVELOPES = msgspec.json.Decoder(list[Envelope])  # Gemini wraps the object in an array
TEXT = msgspec.json.Decoder(str)


def error_body(error: SwitchyardError, request_id: str) -> tuple[int, bytes]:
    """HTTP status and body; the upstream's own body where the error carries it."""
    if error.body is not None:
        return error.status, error.body
    return error.status, _body(error, request_id)


def stream_error(error: SwitchyardError, request_id: str) -> bytes:
    """The event that ends a stream which has begun; no [DONE] may follow it."""
    return sse.event_of(_body(error, request_id))


def _body(error: SwitchyardError, request_id: str) -> bytes:
    fault = "server_error" if error.status >= 500 else "invalid_request_error"
    kind = TYPES.get(error.status, fault)
    if error.code == "insufficient_quota":
        kind = "insufficient_quota"
    detail = {
        "message": error.message,
        "type": kind,
        "param": error.param,
        "code": error.code,
        "metadata": {"request_id": request_id},
    }
    return msgspec.json.encode({"error": detail})


def read_error(status: int, body: bytes) -> Problem:
    """Understand an upstream's error body; never raises."""
    try:
        said = ENVELOPES.decode(body)[0] if body.lstrip()[:1] == b"[" else ENVELOPE.decode(body)
    except (*UNREADABLE, IndexError):
        return Problem(f"HTTP {status} without a readable error")
    if given(said.error):
        return problem_of(said.error, f"HTTP {status}")
    if given(said.detail) and said.message is None:
        return problem_of(said.detail, f"HTTP {status}")
    return Problem(
        (said.message or f"HTTP {status} without a message")[:MESSAGE_CHARS_MAX],
        said.type or "",
        "" if said.code is None else str(said.code),
    )


def problem_of(raw: msgspec.Raw, otherwise: str) -> Problem:
    """Understand an error object, or a string in its place."""
    try:
        if bytes(raw).lstrip()[:1] == b'"':
            return Problem(TEXT.decode(raw)[:MESSAGE_CHARS_MAX])
        said = DETAIL.decode(raw)
    except UNREADABLE:
        return Problem(otherwise)
    code = "" if said.code is None else str(said.code)
    return Problem((said.message or otherwise)[:MESSAGE_CHARS_MAX], said.type or "", code)
