"""What a client is told of its upstream's headers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.core.header_value import fits_header
from gateway.execute.call import Headers

# Of an upstream's headers those that its own client would look at; each gets this prefix, because
# the plain names on our replies are about our limits and our request id.
PREFIX: Final = "x-upstream-"
RATE_LIMITS: Final = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit-")
REQUEST_IDS: Final = ("x-request-id", "request-id", "apim-request-id")


def reply_headers(upstream: Mapping[str, str]) -> Headers:
    """What to tell of the *upstream*'s headers: its request id and its rate limits."""
    headers: list[tuple[str, str]] = []
    for name, value in upstream.items():
        if name.startswith(RATE_LIMITS) and fits_header(value):
            headers.append((PREFIX + name.removeprefix("x-"), value))
    for name in REQUEST_IDS:
        value = upstream.get(name, "")
        if value and fits_header(value):
            headers.append((f"{PREFIX}request-id", value))
            break
    return tuple(headers)
