"""The HTTP front: one handler for every request, from its first byte to its last."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage

from gateway.api.auth import check_route
from gateway.api.call import RETRY_AFTER_S, Call, Service
from gateway.api.connection import Connection
from gateway.api.error_response import error_response
from gateway.api.origins import check_sender, cross_origin, preflight
from gateway.api.respond import send_large
from gateway.api.routes import Match, dialect_of, match, spoken_by
from gateway.config.schema import Server as ServerSettings
from gateway.core.errors import Draining, InternalError, Overloaded, SwitchyardError
from gateway.core.ids import request_id
from gateway.wire.registry import DIALECTS

log = logging.getLogger("switchyard")

HEADERS_MAX = 128  # aiohttp's own default; SDKs send about 20
ADMIN = "/admin"
LOW_SHARE = 0.8  # of the requests in flight, above which those of low priority are shed
UNCOUNTED = ("GET", "HEAD")  # look-ups: no limit of requests counts them
KEEPALIVE_S = 75.0  # nginx's default; longer than the 60 s idle time of common load balancers


class Server(web.Server):
    """aiohttp's, with connections of ours within the *limits*."""

    limits: ServerSettings

    def __call__(self) -> web.RequestHandler:
        """A new connection."""
        return Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # as aiohttp documents
            keepalive_timeout=KEEPALIVE_S,
            max_line_size=self.limits.header_bytes_max,
            max_field_size=self.limits.header_bytes_max,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
        )


def make_server(service: Service) -> Server:
    """The server of *service*; it cancels the handler of a client that has gone."""
    limits = service.settings.config.server

    def make_request(
        message: RawRequestMessage, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            protocol._loop,  # noqa: SLF001 - what aiohttp's own factory passes
            client_max_size=limits.body_bytes_max,
        )

    async def handle(http: web.BaseRequest) -> web.StreamResponse:
        return await answer(http, service)

    server = Server(handle, request_factory=make_request, handler_cancellation=True)
    server.limits = limits
    return server


async def answer(http: web.BaseRequest, service: Service) -> web.StreamResponse:
    """Answer one HTTP request; an error becomes the body that its dialect prescribes."""
    clock = service.gateway.clock
    call = Call(
        http,
        service,
        request_id=request_id(clock.wall()),
        arrived_s=clock.monotonic(),
        dialect=DIALECTS["openai_chat"],
    )
    try:
        response = await _dispatch(call)
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours is an answer too
        response = _refusal(call, error)
    if not response.prepared and "origin" in http.headers:
        cross_origin(call, response)
    return response


def _refusal(call: Call, error: Exception) -> web.StreamResponse:
    """
    The answer to a request that ended in *error*.

    Raises:
        ConnectionError: the client has gone, or its answer has begun and is cut off.
    """
    if isinstance(error, ConnectionError) and (call.begun or call.http.transport is None):
        raise error
    if call.begun and isinstance(error, TimeoutError):
        raise cut_off(call) from None  # the client does not read
    if not isinstance(error, SwitchyardError):
        error = fault_of_ours(call, error)
    if call.begun:
        raise cut_off(call) from None
    response = error_response(call, error)
    call.service.metrics.count_refused(call.dialect.name, response.status)
    return response


def cut_off(call: Call) -> ConnectionResetError:
    """End the connection: a torn answer must not look like a whole one, nor hold another."""
    if call.http.transport is not None:
        call.http.transport.abort()
    return ConnectionResetError("The answer broke off.")


def fault_of_ours(call: Call, error: Exception) -> InternalError:
    """Log *error* without its message, which may repeat what a client sent."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("request %s: %s\n%s", call.id, type(error).__name__, trace)
    return InternalError(f"The gateway failed; its log has {call.id}.")


async def _dispatch(call: Call) -> web.StreamResponse:
    http, service = call.http, call.service
    if service.operators is not None and is_admin(http.path):
        return await service.operators(http)
    if http.method == "OPTIONS":
        return preflight(call)
    call.spoken = spoken_by(http.path)
    call.dialect = DIALECTS[dialect_of(http.path, http.headers)]
    found = match(http.method, http.path, service.provider_names)
    call.dialect = DIALECTS[found.route.dialect]
    call.provider, call.tail = found.provider, found.tail
    if found.route.keyless:
        return await found.route.endpoint(call)
    check_sender(call)
    grace_s = service.settings.config.state.grace_s
    bearer = service.keyring.bearer(http.headers, service.stale_s(), grace_s)
    check_route(bearer.key, http.path)
    call.principal, call.key = bearer.principal, bearer.key
    return await _admitted(call, found)


def is_admin(path: str) -> bool:
    """Whether operators are asked for, who have a front of their own."""
    return path == ADMIN or path.startswith(ADMIN + "/")


async def _admitted(call: Call, found: Match) -> web.StreamResponse:
    """Run the endpoint, unless we are full or leaving."""
    service = call.service
    if service.draining:
        raise Draining("This replica is shutting down.", retry_after_s=RETRY_AFTER_S)
    limit = service.settings.config.server.requests_max
    if call.key is not None and call.key.priority == "low":
        limit = int(limit * LOW_SHARE)
    if service.in_flight >= limit:
        raise Overloaded(
            f"{service.in_flight} requests are in flight; the limit is {limit}.",
            retry_after_s=RETRY_AFTER_S,
        )
    call.hold(call.http.content_length or 0)
    service.in_flight += 1
    call.bill = service.gateway.charging.bill(call.principal)
    try:
        if call.http.method not in UNCOUNTED:
            await call.bill.hold_flow()
        response = await found.route.endpoint(call)
        await send_large(call, response)
        return response
    finally:
        call.bill.drop()
        service.in_flight -= 1
        service.bodies_bytes -= call.held_bytes
        if service.draining and service.in_flight == 0:
            service.idle.set()
