"""Any other endpoint of a provider: bytes both ways under the provider's credentials, one try."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import msgspec

from gateway.core.errors import (
    InvalidRequest,
    Overloaded,
    SwitchyardError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.core.fleet import Deployment
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.call import USER_AGENT, WITHHELD, Headers, understood
from gateway.execute.silence import Silence
from gateway.execute.upstreams import Upstreams
from gateway.wire.registry import DIALECTS

# Of a reply: what belongs to one connection, and what the provider keeps at its own client.
DROPPED: Final = frozenset({
    "connection", "keep-alive", "proxy-connection", "trailer", "transfer-encoding", "upgrade",
    "set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "date", "server",
})  # fmt: skip

# A path that climbs out of the base URL would reach what the operator did not offer.
DOTS = re.compile(r"(?:^|[/\\])(?:\.|%2e){1,2}(?:$|[/\\?;]|%2f|%5c)", re.IGNORECASE)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Raw(msgspec.Struct, frozen=True):
    """
    A request as it came. *path* is below the provider's base URL, begins with a slash and has the
    query, from which the caller has removed whatever is ours, keys above all.
    """

    method: str
    path: str
    headers: Headers
    body: bytes
    deadline_s: float  # monotonic


class RawReply:
    """
    The provider's answer: iterate it, and ``aclose`` it in any case. *headers* are those to pass
    on; with a content-length the body has that length, or it raises.
    """

    def __init__(self, response: UpstreamResponse, silence_s: float, s_left: float) -> None:
        self.status = response.status
        self.headers: Headers = tuple(
            (name, value)
            for name, value in response.headers.items()
            if name not in DROPPED and value.isascii() and value.isprintable()
        )
        self._response = response
        self._silence = Silence(silence_s, s_left)

    def __aiter__(self) -> RawReply:
        """The reply is its own iterator: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """
        The next bytes.

        Raises:
            UpstreamTimeout, UpstreamUnavailable: the answer broke off; the client's must too.
        """
        try:
            piece = await self._silence.wait(self._response.read())
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError | TransportError):
                raise _error(error) from None
            raise
        if not piece:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Let go of the provider. Again: no effect."""
        self._response.close()
        self._silence.stop()


async def passthrough(raw: Raw, deployment: Deployment, upstreams: Upstreams) -> RawReply:
    """
    Send *raw* to the provider of *deployment*, under its account. No failover, and nothing is
    learned of its health: these endpoints take as long as they take.

    Raises:
        InvalidRequest: a path or method that is not sent.
        UpstreamUnavailable, UpstreamTimeout, Overloaded: no answer.
    """
    if raw.method not in METHODS:
        raise InvalidRequest(f"The method must be one of {', '.join(METHODS)}.")
    if not raw.path.startswith("/") or DOTS.search(raw.path.partition("?")[0]):
        raise InvalidRequest("The path must begin with a slash and have no dot segments.")
    timeouts = deployment.timeouts
    clock = upstreams.clock
    end_s = min(raw.deadline_s, clock.monotonic() + timeouts.total_s)
    try:
        async with asyncio.timeout(max(0.0, end_s - clock.monotonic())):
            response = await upstreams.transport(deployment).send(
                raw.method,
                deployment.base_url.rstrip("/") + raw.path,
                _headers(deployment, raw.headers),
                raw.body,
                connect_s=timeouts.connect_s,
            )
    except ValueError:
        raise InvalidRequest("The path or a header is not properly quoted.") from None
    except (TimeoutError, TransportError) as error:
        raise _error(error) from None
    return RawReply(response, timeouts.inter_token_s, max(0.0, end_s - clock.monotonic()))


def _headers(deployment: Deployment, forwarded: Headers) -> Headers:
    dialect = DIALECTS[deployment.dialect]
    headers = {"user-agent": USER_AGENT}
    headers |= dict(dialect.credentials(deployment.api_key))
    for name, value in forwarded:
        name = name.lower()
        if name not in WITHHELD and understood(name, dialect.family):
            headers[name] = value
    headers |= {name.lower(): value for name, value in deployment.headers.items()}
    return tuple(headers.items())


def _error(error: TimeoutError | TransportError) -> SwitchyardError:
    if isinstance(error, TimeoutError) or error.kind == "late":
        return UpstreamTimeout("The provider did not answer in time.")
    if error.kind == "busy":
        return Overloaded("All connections to the provider are in use.", retry_after_s=1.0)
    return UpstreamUnavailable("The provider could not be reached, or broke off its answer.")
