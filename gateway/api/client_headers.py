"""What the headers of SDKs tell us, and which of a client's headers an upstream may see."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gateway.api.families import PREFIXES
from gateway.core.header_value import fits_header

Headers = tuple[tuple[str, str], ...]

RETRIES_MAX = 100  # a count above it is no count
TIMEOUT_HEADERS = ("x-stainless-read-timeout", "x-stainless-timeout")  # Python; TypeScript, Go

TRACING = ("traceparent", "tracestate")
# What means something to the upstreams of one dialect family, as the client sent it.
FORWARDED: dict[str, tuple[str, ...]] = {
    "openai": ("OpenAI-Organization", "OpenAI-Project", "OpenAI-Beta", *TRACING),
    "anthropic": ("anthropic-version", "anthropic-beta", *TRACING),
}

HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie")
# Ours to set anew, or about the way to us: an upstream has no business with the client's network.
OWN_HOP = (
    "host",
    "content-length",
    "accept-encoding",  # we read the usage of what comes back
    "expect",
    "forwarded",
    "via",
    "x-request-id",
    "x-real-ip",
    "x-session-id",
    "x-conversation-id",
    "x-claude-code-session-id",
)
WITHHELD = frozenset(HOP_BY_HOP + CREDENTIALS + OWN_HOP)
WITHHELD_PREFIXES = (*PREFIXES, "x-forwarded-", "x-stainless-")


def forwarded(headers: Mapping[str, str], family: str) -> Headers:
    """
    The headers of a request that go with it to every upstream of the dialect *family*.

    *headers* finds names in any case. Never a credential and never a control.
    """
    return tuple(
        (name, value)
        for name in FORWARDED.get(family, TRACING)
        if (value := headers.get(name)) is not None and fits_header(value)
    )


def passed_through(headers: Mapping[str, str]) -> Headers:
    """
    The headers of a request to a path that we only pass on: all but credentials, controls, those
    of the connection (also the ones that ``Connection`` names) and of the client's network.
    """
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return tuple(
        (name, value)
        for name, value in headers.items()
        if (lower := name.lower()) not in WITHHELD
        and lower not in named
        and not lower.startswith(WITHHELD_PREFIXES)
    )


def client_retry(headers: Mapping[str, str]) -> int:
    """How often the client's SDK has sent this request before; 0 when it does not say."""
    count = headers.get("x-stainless-retry-count", "")
    return min(int(count), RETRIES_MAX) if count.isascii() and count.isdigit() else 0


def client_timeout_s(headers: Mapping[str, str]) -> float | None:
    """How long the client's SDK waits for us, in seconds; None when it does not say."""
    for name in TIMEOUT_HEADERS:
        said = headers.get(name)
        if said is None:
            continue
        try:
            timeout_s = float(said)
        except ValueError:  # NOT_GIVEN, None
            continue
        if 0 < timeout_s < math.inf:
            return timeout_s
    return None
