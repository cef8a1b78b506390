"""Tests of gateway.wire.openai_errors."""

from __future__ import annotations

import json

import pytest

from gateway.core import errors
from gateway.wire.dialect import Problem
from gateway.wire.openai_errors import MESSAGE_CHARS_MAX, error_body, read_error, stream_error


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (errors.InvalidRequest("x"), 400, "invalid_request_error", "invalid_request"),
        (errors.Unauthenticated("x"), 401, "invalid_request_error", "invalid_api_key"),
        (errors.CostLimitExceeded("x"), 402, "invalid_request_error", "cost_limit_exceeded"),
        (errors.ModelNotFound("x"), 404, "invalid_request_error", "model_not_found"),
        (errors.UpstreamThrottled("x"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (
            errors.UpstreamRefused("x", status=429, code="insufficient_quota"),
            429,
            "insufficient_quota",
            "insufficient_quota",
        ),
        (errors.UpstreamUnavailable("x"), 502, "server_error", "provider_error"),
        (errors.Overloaded("x"), 503, "server_error", "overloaded"),
        (errors.UpstreamTimeout("x"), 504, "server_error", "timeout"),
    ],
)
def test_error_body(error: errors.SwitchyardError, status: int, kind: str, code: str) -> None:
    """Type and code are those that the SDKs know."""
    got, body = error_body(error, "req_1")
    detail = json.loads(body)["error"]

    assert (got, detail["type"], detail["code"]) == (status, kind, code)


def test_stream_error_is_one_event() -> None:
    """An error inside a stream has the same body, as one event."""
    event = stream_error(errors.UpstreamError("It broke."), "req_1")

    assert event.startswith(b'data: {"error":{"message":"It broke."')
    assert event.endswith(b"}\n\n")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            b'{"error":{"message":"M","type":"T","param":null,"code":"C"}}',
            Problem("M", "T", "C"),
        ),
        (b'{"error":{"message":"M","code":400,"status":"INVALID"}}', Problem("M", "", "400")),
        (b'[{"error":{"message":"M","code":400}}]', Problem("M", "", "400")),
        (b'{"error":"M"}', Problem("M")),
        (b'{"error":{}}', Problem("HTTP 418")),
        (b'{"error":[1]}', Problem("HTTP 418")),
        (b'{"object":"error","message":"M","type":"T","code":40}', Problem("M", "T", "40")),
        (b'{"message":"M"}', Problem("M")),
        (b'{"detail":"M"}', Problem("M")),
        (b'{"detail":[{"loc":["body"],"msg":"M"}]}', Problem("HTTP 418")),
        (b"{}", Problem("HTTP 418 without a message")),
        (b"[]", Problem("HTTP 418 without a readable error")),
        (b"<html>", Problem("HTTP 418 without a readable error")),
        (b"", Problem("HTTP 418 without a readable error")),
        (b"\xff", Problem("HTTP 418 without a readable error")),
        (b"[" * 100_000, Problem("HTTP 418 without a readable error")),
    ],
)
def test_read_error(body: bytes, problem: Problem) -> None:
    """Error bodies of any imitator are understood, and those that are none say so."""
    assert read_error(418, body) == problem


@pytest.mark.parametrize(
    "form", ['{"error":"%s"}', '{"message":"%s"}', '{"error":{"message":"%s"}}']
)
def test_read_error_cuts_long_messages(form: str) -> None:
    """What we repeat of an upstream's message has a limit."""
    body = (form % ("x" * 10_000)).encode()

    assert len(read_error(400, body).message) == MESSAGE_CHARS_MAX
