"""
The only HTTP client: HTTP/1.1 with keep-alive, TLS and a limit of connections per origin.

It parses with aiohttp's C parser and leaves out the rest of a client: no redirects, cookies,
decompression or traces. A request on a connection that was idle may meet an upstream that closed
it at that moment: lost before any byte of an answer, and within STALE_S, it is sent once more on a
new connection. That is no second attempt: the upstream dropped an idle connection, not a request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from gateway.core.clock import Clock
from gateway.core.header_value import fits_header
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.connection import Connection, Response
from gateway.execute.endpoint_guard import EndpointGuard, EndpointRefused
from gateway.execute.origin import Address, Origin

CONNECTIONS_MAX: Final = 256  # per origin; the openai SDK allows itself 1000, with 100 idle
IDLE_S: Final = 55.0  # upstreams close after 60 s and more (nginx 75, AWS 60): we go first
STALE_S: Final = 1.0  # a close that crosses our request arrives within a round trip
PORTS: Final = {"http": 80, "https": 443}


class Pool:
    """
    A ``Transport`` over TCP. *limits* are connections by origin (``https://host:port``), for those
    other than *connections_max*. Belongs to one event loop; ``close`` it at the end.

    With a *guard* it dials only what that allows: a pool for the endpoints of tenants, which share
    no connection with those of the operator.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        limits: Mapping[str, int] | None = None,
        connections_max: int = CONNECTIONS_MAX,
        idle_s: float = IDLE_S,
        tls: ssl.SSLContext | None = None,
        guard: EndpointGuard | None = None,
    ) -> None:
        self._clock = clock
        self._limits = {origin_of(url): limit for url, limit in (limits or {}).items()}
        self._connections_max = connections_max
        self._idle_s = idle_s
        self._tls = tls
        self._guard = guard
        self._origins: dict[str, Origin] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Pool {' '.join(map(repr, self._origins.values()))}>"

    @property
    def open(self) -> int:
        """Connections that are open, idle or not."""
        return sum(len(origin.connections) for origin in self._origins.values())

    @property
    def idle(self) -> int:
        """Connections that are open and unused."""
        return sum(origin.idle for origin in self._origins.values())

    async def send(
        self,
        method: str,
        url: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        *,
        connect_s: float,
    ) -> UpstreamResponse:
        """See ``Transport``; waiting for a free connection counts towards *connect_s*."""
        origin, target = self._find(url)
        head = head_of(method, target, origin.address.host_header, headers, len(body))
        connection = await self._acquire(origin, connect_s)
        fresh = connection.exchanges == 0
        sent_s = self._clock.monotonic()
        try:
            return await self._exchange(origin, connection, method, head, body)
        except TransportError as error:
            late = self._clock.monotonic() - sent_s > STALE_S
            if fresh or connection.heard or late or error.kind != "lost":
                raise
        origin.drop_idle()  # of the same age or older
        connection = await self._acquire(origin, connect_s)
        return await self._exchange(origin, connection, method, head, body)

    async def close(self) -> None:
        """Close every connection; what is being read breaks off."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for origin in self._origins.values():
            origin.shut()
        if self._guard is not None:
            self._guard.close()
        await asyncio.sleep(0)  # lets the transports close their sockets

    def expire(self) -> None:
        """Close what was idle for too long, and look again later while anything is idle."""
        for origin in self._origins.values():
            origin.expire(self._clock.monotonic(), self._idle_s)
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(self._idle_s, self.expire) if self.idle else None

    async def _exchange(
        self, origin: Origin, connection: Connection, method: str, head: bytes, body: bytes
    ) -> UpstreamResponse:
        try:
            message, stream = await connection.exchange(head, body, bodiless=method == "HEAD")
        except BaseException:
            origin.drop(connection)
            raise

        def done(connection: Connection) -> None:
            self._put_back(origin, connection)

        return Response(message, stream, connection, done)

    async def _acquire(self, origin: Origin, connect_s: float) -> Connection:
        if self._closed:
            raise TransportError("connect", "The gateway is shutting down.")
        if (connection := origin.take(self._clock.monotonic(), self._idle_s)) is not None:
            return connection
        until_s = asyncio.get_running_loop().time() + connect_s
        if not origin.take_slot():
            try:
                async with asyncio.timeout_at(until_s):
                    waited = await origin.wait()
            except TimeoutError:
                message = f"No connection became free in {connect_s:g} s: {origin!r}"
                raise TransportError("busy", message) from None
            if waited is not None:
                return waited
        return await self._connect(origin, until_s)

    async def _connect(self, origin: Origin, until_s: float) -> Connection:
        """Fill the slot that the caller has taken."""
        address = origin.address
        try:
            async with asyncio.timeout_at(until_s):
                connection = await self._dial(origin)
        except BaseException as error:
            origin.free_slot()
            if isinstance(error, TimeoutError):
                message = f"No connection to {address.host_header} in time."
                raise TransportError("late", message) from None
            if isinstance(error, EndpointRefused):
                raise TransportError("forbidden", f"{address.host_header}: {error}") from None
            # TLS, DNS and bad names are among these.
            if isinstance(error, OSError | UnicodeError):
                raise TransportError("connect", f"{address.host_header}: {error}") from None
            raise
        if not connection.connected:
            origin.free_slot()
            raise TransportError("connect", f"{address.host_header} closed the connection at once.")
        origin.add(connection)
        return connection

    async def _dial(self, origin: Origin) -> Connection:
        """Open a connection; behind a guard to the very addresses that it has judged."""
        address = origin.address
        if self._guard is None:
            return await self._open(origin, address.host)
        scheme = "https" if address.tls else "http"
        *hosts, last = await self._guard.addresses(f"{scheme}://{address.host_header}")
        for host in hosts:
            with contextlib.suppress(OSError):
                return await self._open(origin, host)
        return await self._open(origin, last)

    async def _open(self, origin: Origin, host: str) -> Connection:
        """A connection to *host*, who must prove to be the host of *origin*."""
        address = origin.address
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(loop, origin.drop),
            host,
            address.port,
            ssl=self._context() if address.tls else None,
            server_hostname=address.host if address.tls else None,
        )
        return connection

    def _put_back(self, origin: Origin, connection: Connection) -> None:
        origin.put_back(connection, self._clock.monotonic())
        if self._sweep is None and origin.idle and not self._closed:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_s, self.expire)

    def _find(self, url: str) -> tuple[Origin, str]:
        """The origin of *url* and the target of the request; a URL seen before is only cut."""
        slash = url.find("/", 8)  # behind "https://"
        base, target = (url, "/") if slash < 0 else (url[:slash], url[slash:])
        if not fits_header(target) or " " in target:
            raise ValueError("The path of the URL is not properly quoted.")
        origin = self._origins.get(base)
        if origin is None:
            if self._guard is not None:  # tenants may name a new one every day
                self._forget_unused()
            limit = self._limits.get(origin_of(base), self._connections_max)
            origin = self._origins[base] = Origin(address_of(base), limit)
        return origin, target

    def _forget_unused(self) -> None:
        self._origins = {url: one for url, one in self._origins.items() if not one.unused}

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def address_of(url: str) -> Address:
    """
    Where *url* leads.

    Raises:
        ValueError: no http or https URL, or one with credentials in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("The URL of an upstream is http:// or https:// and a host.")
    port = parts.port or PORTS[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    header = host if port == PORTS[parts.scheme] else f"{host}:{port}"
    return Address(parts.hostname, port, parts.scheme == "https", header)


def origin_of(url: str) -> str:
    """Scheme, host and port of *url*, the port always there."""
    address = address_of(url)
    return f"{'https' if address.tls else 'http'}://{address.host}:{address.port}"


def head_of(
    method: str, target: str, host: str, headers: tuple[tuple[str, str], ...], body_bytes: int
) -> bytes:
    """
    The head of a request. Answers are asked for as they are: we forward bytes, and an upstream
    that compresses also holds back.

    Raises:
        ValueError: a header that would end its line, or is not latin-1.
    """
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", "accept-encoding: identity"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body_bytes or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"content-length: {body_bytes}")
    head = "\r\n".join(lines)
    ends = len(lines) - 1
    if head.count("\n") != ends or head.count("\r") != ends or "\0" in head:
        raise ValueError("A header holds a line break.")
    return f"{head}\r\n\r\n".encode("latin-1")
