"""Headers of SDKs, and what goes on to an upstream."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from gateway.api.client_headers import (
    client_retry,
    client_timeout_s,
    forwarded,
    passed_through,
)

SENT = CIMultiDict(
    [
        ("Host", "gateway"),
        ("Authorization", "Bearer secret"),
        ("X-API-Key", "secret"),
        ("Api-Key", "secret"),
        ("X-Goog-Api-Key", "secret"),
        ("Cookie", "session=secret"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Accept-Encoding", "gzip"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Stainless-Retry-Count", "0"),
        ("X-Switchyard-Mode", "eco"),
        ("X-LockLLM-Scan-Action", "block"),
        ("X-Prism-Mode", "eco"),
        ("OpenAI-Organization", "org"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "files"),
        ("traceparent", "00-1-2-01"),
        ("Content-Type", "application/json"),
    ]
)


def test_each_family_gets_its_own_headers():
    """An organisation at OpenAI is nothing that Anthropic should learn."""
    assert forwarded(SENT, "openai") == (
        ("OpenAI-Organization", "org"),
        ("OpenAI-Beta", "assistants=v2"),
        ("traceparent", "00-1-2-01"),
    )
    assert forwarded(SENT, "anthropic") == (
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "files"),
        ("traceparent", "00-1-2-01"),
    )


def test_an_unknown_family_gets_the_trace_only():
    """What we do not know we do not pass on."""
    assert forwarded(SENT, "gemini") == (("traceparent", "00-1-2-01"),)


def test_passing_through_withholds_secrets_controls_and_hops():
    """All the rest is the client's business with the provider."""
    assert passed_through(SENT) == (
        ("OpenAI-Organization", "org"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "files"),
        ("traceparent", "00-1-2-01"),
        ("Content-Type", "application/json"),
    )


@pytest.mark.parametrize(
    ("value", "count"), [("0", 0), ("2", 2), ("-1", 0), ("x", 0), ("²", 0), ("999", 100)]
)
def test_retry_count(value, count):
    """What is no count is none."""
    assert client_retry(CIMultiDict({"X-Stainless-Retry-Count": value})) == count


def test_no_retry_count():
    """Clients that are no SDK do not say."""
    assert client_retry(CIMultiDict()) == 0


@pytest.mark.parametrize(
    ("headers", "timeout_s"),
    [
        ({}, None),
        ({"x-stainless-read-timeout": "600.0"}, 600.0),
        ({"X-Stainless-Timeout": "60"}, 60.0),
        ({"x-stainless-read-timeout": "NOT_GIVEN", "x-stainless-timeout": "5"}, 5.0),
        ({"x-stainless-timeout": "inf"}, None),
        ({"x-stainless-timeout": "nan"}, None),
        ({"x-stainless-timeout": "0"}, None),
        ({"x-stainless-timeout": "-3"}, None),
    ],
)
def test_timeout(headers, timeout_s):
    """The Python SDKs say how long a read may take, the others how long the request may."""
    assert client_timeout_s(CIMultiDict(headers)) == timeout_s
