"""Turn what was served into HTTP responses: status, headers, and a body or a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.error_response import error_response, limit_headers, request_ids
from gateway.api.origins import cross_origin
from gateway.api.reply_headers import reply_headers
from gateway.core.errors import Draining
from gateway.core.limits import MeterState
from gateway.core.pieces import Pieces
from gateway.core.request import Request
from gateway.pipeline import Served
from gateway.wire.registry import DIALECTS

EVENT_STREAM = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}
BUFFERED_BYTES = 2**16  # aiohttp hands so much to the socket without waiting for the client
SLOW_CLIENT_S = 30.0  # past the deadline of the request; then a client that does not read is cut


async def respond(call: Call, request: Request, served: Served) -> web.StreamResponse:
    """Answer in the dialect of *request*, with the headers of every family the client spoke."""
    if served.reply is not None and served.reply.stream is not None:
        try:
            return await _relay(call, request, served, served.reply.stream)
        finally:  # whatever happened: this lets the upstream go and makes the record
            await served.reply.stream.aclose(draining=call.service.overdue)
    headers = request_ids(call)
    headers.update(reply_headers(request, served))
    if served.error is not None:
        return error_response(call, served.error, headers)
    reply = served.reply
    assert reply is not None  # noqa: S101 - Served holds one of the two
    headers.update(reply.headers)
    headers.update(limit_headers(call, states_of(served)))
    headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=headers)


def states_of(served: Served) -> Sequence[MeterState]:
    """Where the caller's own limits of requests and tokens stand."""
    return () if served.bill is None else served.bill.states


def json_response(call: Call, content: object, status: int = 200) -> web.Response:
    """*content* as JSON, for every endpoint that answers by itself."""
    body = msgspec.json.encode(content)
    headers = request_ids(call)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


async def send_large(call: Call, response: web.StreamResponse) -> None:
    """Write a whole *response* that is too long to leave to aiohttp, which has no deadline."""
    body = response.body if isinstance(response, web.Response) else None
    if response.prepared or not isinstance(body, bytes) or len(body) <= BUFFERED_BYTES:
        return
    timeout_s = call.service.settings.config.server.request_timeout_s
    async with writing(call, call.arrived_s + timeout_s):
        await begin(call, response)
        await response.write_eof()


async def begin(call: Call, response: web.StreamResponse) -> None:
    """Send the head of *response*. From here on an error can only cut the answer off."""
    cross_origin(call, response)
    call.begun = True
    await response.prepare(call.http)


def writing(call: Call, deadline_s: float) -> asyncio.Timeout:
    """The time that a client has to read an answer whose request had to end by *deadline_s*."""
    left_s = deadline_s - call.service.gateway.clock.monotonic()
    return asyncio.timeout(max(0.0, left_s) + SLOW_CLIENT_S)


async def _relay(
    call: Call, request: Request, served: Served, stream: Pieces
) -> web.StreamResponse:
    """Write each piece as it comes."""
    reply, service = served.reply, call.service
    assert reply is not None  # noqa: S101 - respond looked
    headers = request_ids(call)
    headers.update(reply_headers(request, served))
    headers.update(reply.headers)
    headers.update(limit_headers(call, states_of(served)))
    response = web.StreamResponse(status=reply.status, headers=headers | EVENT_STREAM)
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - handlers run in tasks
    service.streams.add(task)
    try:
        async with writing(call, request.deadline_s):
            await begin(call, response)
            async for piece in stream:
                await response.write(piece)
            await response.write_eof()
    except asyncio.CancelledError:
        if not service.overdue:
            raise  # the client has gone
        leaving = Draining("This replica is shutting down; the answer is not complete.")
        await response.write(DIALECTS[request.dialect].stream_error(leaving, call.id))
        await response.write_eof()
    finally:
        service.streams.discard(task)
    return response
