"""Errors of the Anthropic family: ours as their bodies, theirs understood."""

from __future__ import annotations

import msgspec

from gateway.core.errors import Draining, Overloaded, SwitchyardError
from gateway.wire import openai_errors, sse
from gateway.wire.dialect import TOO_LONG, Problem

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
SAYS_TOO_LONG = "prompt is too long"  # what OpenAI has a code for


def status_of(error: SwitchyardError) -> int:
    """HTTP status on this surface: ours for "come back later" is 529, for spent money 402."""
    if isinstance(error, Overloaded | Draining):
        return 529
    if error.code == "insufficient_quota":
        return 402
    return error.status


def error_body(error: SwitchyardError, request_id: str) -> tuple[int, bytes]:
    """HTTP status and body; the upstream's own body where the error carries it."""
    if error.body is not None:
        return error.status, error.body
    return status_of(error), _body(error, request_id)


def stream_error(error: SwitchyardError, request_id: str) -> bytes:
    """The event that ends a stream which has begun."""
    return sse.event_of(_body(error, request_id), "error")


def _body(error: SwitchyardError, request_id: str) -> bytes:
    status = status_of(error)
    kind = TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    detail = {"type": kind, "message": error.message}
    return msgspec.json.encode({"type": "error", "error": detail, "request_id": request_id})


def read_error(status: int, body: bytes) -> Problem:
    """Understand an upstream's error body; never raises."""
    problem = openai_errors.read_error(status, body)
    if problem.message.startswith(SAYS_TOO_LONG):
        return Problem(problem.message, problem.kind, TOO_LONG)
    return problem
