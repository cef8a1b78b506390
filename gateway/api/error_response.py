"""Errors as HTTP responses, in the words of the client's dialect and product."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.rate_limit_headers import Headers, anthropic_headers, openai_headers
from gateway.core.errors import (
    AbuseBlocked,
    AttackBlocked,
    ContentError,
    CreditsMissing,
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    PersonalDataBlocked,
    PolicyViolated,
    RateLimited,
    SpendLimitReached,
    SwitchyardError,
    Unauthenticated,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
)
from gateway.core.families import LOCKLLM
from gateway.core.limits import MeterState
from gateway.core.money import NANO_USD_PER_USD
from gateway.state.facts import Event

# What LockLLM's clients look for, the first class that fits; other errors keep the dialect's body.
LOCKLLM_ERRORS: tuple[tuple[type[SwitchyardError], str, str], ...] = (
    (Unauthenticated, "authentication_error", "unauthorized"),
    (Forbidden, "authentication_error", "unauthorized"),
    (RateLimited, "rate_limit_error", "rate_limited"),
    (CreditsMissing, "lockllm_balance_error", ""),
    (SpendLimitReached, "lockllm_balance_error", "insufficient_credits"),
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


def limit_headers(call: Call, states: Sequence[MeterState]) -> Headers:
    """Where the caller's limits stand, as its dialect says it; nothing where it has none."""
    if not states:
        return []
    if call.dialect.family == "anthropic":
        return anthropic_headers(states, call.service.gateway.clock.wall())
    return openai_headers(states)


def error_response(
    call: Call, error: SwitchyardError, headers: dict[str, str] | None = None
) -> web.Response:
    """
    The response of *error*; *headers* are those of a decision that was made before.

    ``x-should-retry`` keeps SDKs from repeating what we have already repeated, or what fails the
    same way again.
    """
    tell_operators(call, error)
    status, body = call.dialect.error_body(error, call.id)
    ours = call.dialect.family == "openai" or isinstance(error, ContentError)
    if error.body is None and ours and LOCKLLM in call.spoken:
        body = lockllm_body(error, request_ids(call)["x-request-id"]) or body
    named = dict(headers) if headers is not None else request_ids(call)
    named["Content-Type"] = "application/json"
    named["x-should-retry"] = "true" if error.retry else "false"
    if isinstance(error, MethodNotAllowed):
        named["Allow"] = error.allow
    if isinstance(error, RateLimited):
        named.update(limit_headers(call, error.states))
    if error.retry_after_s is not None:
        named["retry-after"] = str(max(1, round(error.retry_after_s)))
        named["retry-after-ms"] = str(max(1, round(error.retry_after_s * 1000)))
    return web.Response(status=status, body=body, headers=named)


def tell_operators(call: Call, error: SwitchyardError) -> None:
    """Let them know of what their policies and limits refuse."""
    event: Event
    if isinstance(error, ContentError):
        event = "request.blocked"
    elif isinstance(error, RateLimited | SpendLimitReached | CreditsMissing):
        event = "limit.reached"
    else:
        return
    who = call.principal
    data = {
        "code": error.code,
        "message": error.message,
        "request_id": call.id,
        "tenant": who.tenant,
        "project": who.project,
        "key_id": who.key_id,
    }
    call.service.tell(event, f"{error.code} {who.tenant}/{who.key_id}", data)


def lockllm_body(error: SwitchyardError, request_id: str) -> bytes | None:
    """The body that LockLLM's clients know *error* by, None where they know none."""
    for kind, named, code in LOCKLLM_ERRORS:
        if isinstance(error, kind):
            detail: dict[str, object] = {
                "message": error.message,
                "type": named,
                "code": code or error.code,
                "param": error.param,
                "request_id": request_id,
            }
            if isinstance(error, ContentError):
                detail |= error.details
            if isinstance(error, CreditsMissing):
                detail["current_balance"] = error.balance_nano_usd / NANO_USD_PER_USD
                detail["estimated_cost"] = error.estimate_nano_usd / NANO_USD_PER_USD
            return msgspec.json.encode({"type": "error", "error": detail})
    return None
