"""Errors as HTTP responses, in the words of the client's dialect and product."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.core.errors import (
    AbuseBlocked,
    AttackBlocked,
    ContentError,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    PersonalDataBlocked,
    PolicyViolated,
    SwitchyardError,
    Unauthenticated,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
)
from gateway.core.families import LOCKLLM

# What LockLLM's clients look for, the first class that fits; other errors keep the dialect's body.
LOCKLLM_ERRORS: tuple[tuple[type[SwitchyardError], str, str], ...] = (
    (Unauthenticated, "authentication_error", "unauthorized"),
    (Forbidden, "authentication_error", "unauthorized"),
    (UpstreamThrottled, "rate_limit_error", "rate_limited"),
    (UpstreamRefused, "upstream_error", "provider_error"),
    (UpstreamError, "upstream_error", "provider_error"),
    (InvalidRequest, "lockllm_config_error", "invalid_request"),
    (AttackBlocked, "lockllm_security_error", AttackBlocked.code),
    (PolicyViolated, "lockllm_policy_error", PolicyViolated.code),
    (AbuseBlocked, "lockllm_abuse_error", AbuseBlocked.code),
    (PersonalDataBlocked, "lockllm_pii_error", PersonalDataBlocked.code),
)


def request_ids(call: Call) -> dict[str, str]:
    """
    The id under the name of either SDK: the client's own where it sent a printable one of at most
    128 characters, else ours.
    """
    asked = call.http.headers.get("x-request-id", "")
    usable = 0 < len(asked) <= 128 and asked.isascii() and asked.isprintable()
    shown = asked if usable else call.id
    return {"x-request-id": shown, "request-id": shown}


def error_response(
    call: Call, error: SwitchyardError, headers: dict[str, str] | None = None
) -> web.Response:
    """
    The response of *error*; *headers* are those of a decision that was made before.

    ``x-should-retry`` keeps SDKs from repeating what we have already repeated, or what fails the
    same way again.
    """
    status, body = call.dialect.error_body(error, call.id)
    ours = call.dialect.family == "openai" or isinstance(error, ContentError)
    if error.body is None and ours and LOCKLLM in call.spoken:
        body = lockllm_body(error, request_ids(call)["x-request-id"]) or body
    named = dict(headers) if headers is not None else request_ids(call)
    named["Content-Type"] = "application/json"
    named["x-should-retry"] = "true" if error.retry else "false"
    if isinstance(error, MethodNotAllowed):
        named["Allow"] = error.allow
    if error.retry_after_s is not None:
        named["retry-after"] = str(max(1, round(error.retry_after_s)))
        named["retry-after-ms"] = str(max(1, round(error.retry_after_s * 1000)))
    return web.Response(status=status, body=body, headers=named)


def lockllm_body(error: SwitchyardError, request_id: str) -> bytes | None:
    """The body that LockLLM's clients know *error* by, None where they know none."""
    for kind, named, code in LOCKLLM_ERRORS:
        if isinstance(error, kind):
            detail: dict[str, object] = {
                "message": error.message,
                "type": named,
                "code": code,
                "param": error.param,
                "request_id": request_id,
            }
            if isinstance(error, ContentError):
                detail |= error.details
            return msgspec.json.encode({"type": "error", "error": detail})
    return None
