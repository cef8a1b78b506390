"""Any other endpoint of a provider: bytes both ways, one try with each key."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import msgspec

from gateway.core.errors import (
    InvalidRequest,
    Overloaded,
    SwitchyardError,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.core.fleet import Deployment
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.call import USER_AGENT, WITHHELD, Headers, understood
from gateway.execute.credentials import KEYS_REST, ProviderKey, keys_refused
from gateway.execute.failures import KEY_STATUSES, endpoint_refused
from gateway.execute.key_mask import KeyMask
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
    on; with a content-length the body has that length, or it raises. *mask* hides the key in
    what is no answer.
    """

    def __init__(
        self, response: UpstreamResponse, silence_s: float, s_left: float, mask: KeyMask
    ) -> None:
        self.status = response.status
        self.headers: Headers = tuple(
            (name, value)
            for name, value in response.headers.items()
            if name not in DROPPED and value.isascii() and value.isprintable()
        )
        self._response = response
        self._mask = mask if response.status >= 400 else None
        self._silence = Silence(silence_s, s_left)
        self._over = False

    def __aiter__(self) -> RawReply:
        """The reply is its own iterator: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """
        The next bytes.

        Raises:
            UpstreamTimeout, UpstreamUnavailable: the answer broke off; the client's must too.
        """
        while not self._over:
            piece = await self._read()
            if not piece:
                await self.aclose()
            shown = piece if self._mask is None else self._mask.piece(piece)
            if shown:
                return shown
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Let go of the provider. Again: no effect."""
        self._over = True
        self._response.close()
        self._silence.stop()

    async def _read(self) -> bytes:
        try:
            return await self._silence.wait(self._response.read())
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError | TransportError):
                raise _error(error) from None
            raise


async def passthrough(
    raw: Raw, deployment: Deployment, upstreams: Upstreams, tenant: str = "default"
) -> RawReply:
    """
    Send *raw* to the provider of *deployment*, with a key of *tenant* where it has its own, else
    with the operator's. No failover but to another key of the tenant, and nothing is learned of
    the health of either: these endpoints take as long as they take, and a key may be good for
    chats and not for them. The heaviest key goes first, always: a file that one account uploaded
    is not there for another.

    Raises:
        InvalidRequest: a path or method that is not sent.
        UpstreamThrottled: all keys of the tenant are resting.
        UpstreamUnavailable, UpstreamTimeout, Overloaded: no answer, or its keys are refused.
    """
    if raw.method not in METHODS:
        raise InvalidRequest(f"The method must be one of {', '.join(METHODS)}.")
    if not raw.path.startswith("/") or DOTS.search(raw.path.partition("?")[0]):
        raise InvalidRequest("The path must begin with a slash and have no dot segments.")
    clock = upstreams.clock
    end_s = min(raw.deadline_s, clock.monotonic() + deployment.timeouts.total_s)
    keys = upstreams.keys(tenant, deployment)
    if not keys:
        credentials, now_s = upstreams.credentials, clock.monotonic()
        if denied := credentials.denied(tenant, deployment.provider, now_s):
            raise keys_refused(denied)
        wait_s = credentials.wait_s(tenant, deployment.provider, now_s)
        raise UpstreamThrottled(KEYS_REST, retry_after_s=wait_s)
    *others, last = keys[: upstreams.reliability.attempts_max]
    for key in others:
        reply = await _send(raw, deployment, key, upstreams, end_s)
        now_s = clock.monotonic()
        if reply.status not in KEY_STATUSES or not upstreams.budget.left(now_s):
            return reply
        upstreams.budget.withdraw(now_s)
        await reply.aclose()
    return await _send(raw, deployment, last, upstreams, end_s)


async def _send(
    raw: Raw, deployment: Deployment, key: ProviderKey | None, upstreams: Upstreams, end_s: float
) -> RawReply:
    """The answer to *raw*, asked with *key*; all of it within *end_s*."""
    reached = deployment if key is None else key.reach(deployment)
    clock = upstreams.clock
    try:
        async with asyncio.timeout(max(0.0, end_s - clock.monotonic())):
            response = await upstreams.transport(deployment, key).send(
                raw.method,
                reached.base_url.rstrip("/") + raw.path,
                _headers(reached, raw.headers),
                raw.body,
                connect_s=reached.timeouts.connect_s,
            )
    except ValueError:
        raise InvalidRequest("The path or a header is not properly quoted.") from None
    except (TimeoutError, TransportError) as error:
        raise _error(error) from None
    s_left = max(0.0, end_s - clock.monotonic())
    return RawReply(response, reached.timeouts.inter_token_s, s_left, KeyMask(reached.api_key))


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
    if error.kind == "forbidden":
        return endpoint_refused(str(error))
    return UpstreamUnavailable("The provider could not be reached, or broke off its answer.")
