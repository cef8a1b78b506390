"""What a client is told of its upstream's headers."""

from __future__ import annotations

import pytest

from gateway.execute.upstream_headers import reply_headers


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        ({"x-request-id": "r1"}, {"x-upstream-request-id": "r1"}),
        ({"request-id": "r2"}, {"x-upstream-request-id": "r2"}),
        (
            {"x-ratelimit-limit-tokens": "5", "anthropic-ratelimit-requests-limit": "7"},
            {
                "x-upstream-ratelimit-limit-tokens": "5",
                "x-upstream-anthropic-ratelimit-requests-limit": "7",
            },
        ),
        ({"set-cookie": "s", "server": "x", "content-length": "5"}, {}),
        ({"x-request-id": "r\x80", "x-ratelimit-reset": "a\tb"}, {}),  # would break our own head
    ],
)
def test_reply_headers(upstream: dict[str, str], told: dict[str, str]) -> None:
    """Its request id and its limits under our prefix, nothing else and nothing unprintable."""
    assert dict(reply_headers(upstream)) == told
