"""One HTTP request on its way through the endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.api.auth import Keyring
from gateway.api.controls import ControlReader
from gateway.charging import Bill
from gateway.config.settings import Settings
from gateway.core.errors import Overloaded
from gateway.core.request import Principal
from gateway.pipeline import Gateway
from gateway.record.metrics import Metrics
from gateway.state.facts import GatewayKey, Tell, tell_nobody
from gateway.wire.dialect import Dialect

RETRY_AFTER_S = 1.0  # when shed: by then a good part of what was in flight has finished


Operators = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Service:
    """
    What the endpoints share; one per process.

    The mutable state: *settings* and what is made of it, *controls* and *provider_names*, swapped
    by a reload; *keyring*, swapped whenever a key is made or revoked; *in_flight* and
    *bodies_bytes*, the admitted requests; *streams*, the tasks that relay one; *draining* and
    *overdue*, set on the way out.
    """

    settings: Settings
    controls: ControlReader
    provider_names: frozenset[str]

    def __init__(
        self,
        settings: Settings,
        gateway: Gateway,
        metrics: Metrics,
        keyring: Keyring,
        stale_s: Callable[[], float],
    ) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.stale_s = stale_s  # of the facts that the keyring was made of
        self.operators: Operators | None = None  # who answer below /admin
        self.tell: Tell = tell_nobody
        self.metrics = metrics
        self.in_flight = 0
        self.bodies_bytes = 0  # of these, see Call.held_bytes
        self.streams: set[asyncio.Task[object]] = set()
        self.draining = False
        self.idle = asyncio.Event()  # draining, and nothing is in flight any more
        self.overdue = False  # the time to drain is over: streams end with an error event
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Serve by *settings* from the next request on."""
        self.settings = settings
        self.provider_names = settings.provider_names
        self.controls = ControlReader(settings.config.routing.modes)


class Call:
    """
    An HTTP request with what its path and its sender say. *spoken* are the header families that
    the path itself speaks; *provider* is pinned by the path, *tail* what is left of it.
    """

    bill: Bill  # once admitted; settled by whoever answers, else dropped

    __slots__ = (
        "arrived_s",
        "begun",
        "bill",
        "dialect",
        "held_bytes",
        "http",
        "id",
        "key",
        "principal",
        "provider",
        "service",
        "spoken",
        "tail",
    )

    def __init__(
        self,
        http: web.BaseRequest,
        service: Service,
        *,
        request_id: str,
        arrived_s: float,
        dialect: Dialect,
    ) -> None:
        self.http = http
        self.service = service
        self.id = request_id
        self.arrived_s = arrived_s
        self.dialect = dialect
        self.begun = False  # a byte of the answer may have left: an error can only cut it off
        self.held_bytes = 0  # of the body: announced, or read where nothing was
        self.principal = Principal()
        self.key: GatewayKey | None = None  # of the principal, where operators made it
        self.provider: str | None = None
        self.spoken: tuple[str, ...] = ()
        self.tail = ""

    def hold(self, size: int) -> None:
        """
        Count *size* more bytes of the body among those in flight, until the call ends.

        Raises:
            Overloaded: these would be too many.
        """
        service = self.service
        most = service.settings.config.server.bodies_bytes_max
        if service.bodies_bytes + size > most:
            raise Overloaded(
                f"The requests in flight have {service.bodies_bytes} bytes, with this one more "
                f"than the limit of {most}.",
                retry_after_s=RETRY_AFTER_S,
            )
        service.bodies_bytes += size
        self.held_bytes += size
