"""Turn what was served into HTTP responses: status, headers, and a body or a stream."""

from __future__ import annotations

import asyncio

from aiohttp import web

from gateway.api.call import Call
from gateway.api.error_response import error_response, request_ids
from gateway.api.origins import cross_origin
from gateway.api.reply_headers import reply_headers
from gateway.core.errors import Draining
from gateway.core.request import Request
from gateway.execute.reply import Reply
from gateway.pipeline import Served
from gateway.wire.registry import DIALECTS

EVENT_STREAM = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}
SLOW_CLIENT_S = 30.0  # past the deadline of the request; then a client that does not read is cut


async def respond(call: Call, request: Request, served: Served) -> web.StreamResponse:
    """Answer in the dialect of *request*, with the headers of every family the client spoke."""
    headers = request_ids(call)
    headers.update(reply_headers(request, served))
    if served.error is not None:
        return error_response(call, served.error, headers)
    reply = served.reply
    assert reply is not None  # noqa: S101 - Served holds one of the two
    headers.update(reply.headers)
    if reply.stream is None:
        headers["Content-Type"] = reply.content_type
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    return await _relay(call, request, reply, headers)


async def _relay(
    call: Call, request: Request, reply: Reply, headers: dict[str, str]
) -> web.StreamResponse:
    """
    Write each piece as it comes. The stream is closed whatever happens: that lets the upstream go
    and makes the record.
    """
    stream, service = reply.stream, call.service
    assert stream is not None  # noqa: S101 - respond looked
    response = web.StreamResponse(status=reply.status, headers=headers | EVENT_STREAM)
    cross_origin(call, response)
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - handlers run in tasks
    service.streams.add(task)
    try:
        async with asyncio.timeout_at(request.deadline_s + SLOW_CLIENT_S):
            await response.prepare(call.http)
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
        await stream.aclose(draining=service.overdue)
    return response
