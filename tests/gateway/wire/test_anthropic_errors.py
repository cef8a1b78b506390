"""Tests of gateway.wire.anthropic_errors."""

from __future__ import annotations

import json

import pytest

from gateway.core import errors
from gateway.wire import sse
from gateway.wire.anthropic_errors import error_body, read_error, stream_error
from gateway.wire.dialect import Problem


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.InvalidRequest("x"), 400, "invalid_request_error"),
        (errors.Unauthenticated("x"), 401, "authentication_error"),
        (errors.CostLimitExceeded("x"), 402, "billing_error"),
        (errors.Forbidden("x"), 403, "permission_error"),
        (errors.ModelNotFound("x"), 404, "not_found_error"),
        (errors.MethodNotAllowed("x"), 405, "invalid_request_error"),
        (errors.BodyTooLarge("x"), 413, "request_too_large"),
        (errors.NoEligibleModel("x"), 422, "invalid_request_error"),
        (errors.UpstreamThrottled("x"), 429, "rate_limit_error"),
        (errors.UpstreamRefused("x", status=429, code="insufficient_quota"), 402, "billing_error"),
        (errors.InternalError("x"), 500, "api_error"),
        (errors.UpstreamUnavailable("x"), 502, "api_error"),
        (errors.Unavailable("x"), 503, "api_error"),
        (errors.UpstreamTimeout("x"), 504, "timeout_error"),
        (errors.Overloaded("x"), 529, "overloaded_error"),
        (errors.Draining("x"), 529, "overloaded_error"),
    ],
)
def test_error_body(error: errors.SwitchyardError, status: int, kind: str) -> None:
    """Status and type are those that the SDK knows."""
    got, body = error_body(error, "req_1")

    assert (got, json.loads(body)["error"]["type"]) == (status, kind)


def test_stream_error_is_named() -> None:
    """The SDK ignores events without a name, so an error has one."""
    event = stream_error(errors.UpstreamError("It broke."), "req_1")

    assert sse.name(event) == "error"
    assert json.loads(sse.data(event)) == {
        "type": "error",
        "error": {"type": "api_error", "message": "It broke."},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            b'{"type":"error","error":{"type":"rate_limit_error","message":"M"}}',
            Problem("M", "rate_limit_error"),
        ),
        (
            b'{"type":"error","error":{"type":"invalid_request_error",'
            b'"message":"prompt is too long: 9 tokens > 8 maximum"}}',
            Problem(
                "prompt is too long: 9 tokens > 8 maximum",
                "invalid_request_error",
                "context_length_exceeded",
            ),
        ),
        (b"<html>", Problem("HTTP 400 without a readable error")),
    ],
)
def test_read_error(body: bytes, problem: Problem) -> None:
    """A prompt that is too long gets the code that the other family has for it."""
    assert read_error(400, body) == problem
