"""How bytes reach an upstream: what real and simulated providers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class TransportError(Exception):
    """
    An upstream could not be reached, or its answer broke off.

    *kind*: ``connect`` (nothing was sent), ``late`` (no connection in time, nothing was sent),
    ``lost`` (the connection broke), ``malformed`` (no HTTP), ``busy`` (all connections that we
    allow ourselves were in use), ``forbidden`` (tenants may not lead us there; nothing was sent).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class UpstreamResponse(Protocol):
    """Status, headers (names in lower case) and body of an answer, piece by piece."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The next bytes as they came, b"" at the proper end. Raises TransportError."""

    def close(self) -> None:
        """
        Let go, more than once without harm: an answer read to its end gives its connection back,
        any other ends it, which tells the upstream to stop.
        """


class Transport(Protocol):
    """Sends one HTTP request; never repeats, redirects, decodes or waits without a limit."""

    async def send(
        self,
        method: str,
        url: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        *,
        connect_s: float,
    ) -> UpstreamResponse:
        """
        Send, and return when the headers of the answer are there. The caller bounds the wait.

        Raises:
            TransportError: no connection within *connect_s*, or no HTTP answer.
        """
