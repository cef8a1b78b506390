"""The HTTP front: one handler for every request, from its first byte to its last."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage

from gateway.api.call import Call, Service
from gateway.api.error_response import error_response
from gateway.api.origins import check_sender, cross_origin, preflight
from gateway.api.routes import Match, match, spoken_by
from gateway.core.errors import Draining, InternalError, Overloaded, SwitchyardError
from gateway.core.ids import request_id
from gateway.wire.registry import DIALECTS

log = logging.getLogger("switchyard")

HEADERS_MAX = 128  # aiohttp's own default; SDKs send about 20
KEEPALIVE_S = 75.0  # nginx's default; longer than the 60 s idle time of common load balancers
RETRY_AFTER_S = 1.0  # when shed: by then a good part of what was in flight has finished


def make_server(service: Service) -> web.Server:
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

    return web.Server(
        handle,
        request_factory=make_request,
        handler_cancellation=True,
        access_log=None,
        keepalive_timeout=KEEPALIVE_S,
        max_line_size=limits.header_bytes_max,
        max_field_size=limits.header_bytes_max,
        max_headers=HEADERS_MAX,
        auto_decompress=False,
    )


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
    except SwitchyardError as error:
        if call.begun:
            raise cut_off(call) from None
        response = error_response(call, error)
        service.metrics.count_refused(call.dialect.name, response.status)
    except TimeoutError:  # the client does not read what we send
        raise cut_off(call) from None
    except ConnectionError:
        raise  # the client has gone; aiohttp ends the connection
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours is an answer too
        fault = fault_of_ours(call, error)
        if call.begun:
            raise cut_off(call) from None
        response = error_response(call, fault)
        service.metrics.count_refused(call.dialect.name, response.status)
    if not response.prepared and "origin" in http.headers:
        cross_origin(call, response)
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
    if http.method == "OPTIONS":
        return preflight(call)
    found = match(http.method, http.path, service.provider_names)
    call.dialect = DIALECTS[found.route.dialect]
    call.provider, call.tail = found.provider, found.tail
    call.spoken = spoken_by(http.path)
    if found.route.keyless:
        return await found.route.endpoint(call)
    check_sender(call)
    call.principal = service.keyring.principal(http.headers)
    return await _admitted(call, found)


async def _admitted(call: Call, found: Match) -> web.StreamResponse:
    """Run the endpoint, unless we are full or leaving."""
    service = call.service
    if service.draining:
        raise Draining("This replica is shutting down.", retry_after_s=RETRY_AFTER_S)
    limit = service.settings.config.server.requests_max
    if service.in_flight >= limit:
        raise Overloaded(
            f"{service.in_flight} requests are in flight; the limit is {limit}.",
            retry_after_s=RETRY_AFTER_S,
        )
    size, most = call.http.content_length or 0, service.settings.config.server.bodies_bytes_max
    if service.bodies_bytes + size > most:
        raise Overloaded(
            f"The requests in flight have {service.bodies_bytes} bytes, with this one more than "
            f"the limit of {most}.",
            retry_after_s=RETRY_AFTER_S,
        )
    service.in_flight += 1
    service.bodies_bytes += size
    try:
        return await found.route.endpoint(call)
    finally:
        service.in_flight -= 1
        service.bodies_bytes -= size
        if service.draining and service.in_flight == 0:
            service.idle.set()
