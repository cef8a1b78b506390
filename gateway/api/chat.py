"""The endpoints that generate: chat, legacy completions, embeddings, and counting tokens."""

from __future__ import annotations

from aiohttp import web

from gateway.api.call import Call
from gateway.api.error_response import request_ids
from gateway.api.proxy import check_allowed, relay_to
from gateway.api.read_request import read_body, read_request, request_of
from gateway.api.respond import respond
from gateway.core.errors import InvalidRequest
from gateway.core.request import Kind
from gateway.pipeline import serve
from gateway.reading import Scanning
from gateway.signals.read import read_signals
from gateway.wire import anthropic_count

ESTIMATED = {"X-Switchyard-Warnings": "approximated;estimated;input_tokens"}


async def complete(call: Call) -> web.StreamResponse:
    """POST of a dialect's own endpoint: decide, dispatch, relay."""
    request = await read_request(call)
    if call.dialect.name == "anthropic_messages" and request.chat.max_tokens is None:
        raise InvalidRequest("max_tokens: required, but missing.", param="max_tokens")
    served = await serve(request, call.service.gateway, call.bill)
    return await respond(call, request, served)


async def count_tokens(call: Call) -> web.StreamResponse:
    """
    POST /v1/messages/count_tokens: Anthropic's own count where the model is theirs, else our
    estimate, marked as one.
    """
    body = await read_body(call)
    request = request_of(call, body, call.dialect.read(body))
    scanning = Scanning(call.service.gateway.readers, request)
    await scanning.strip()
    body, chat = scanning.request.body, scanning.request.chat
    rows = call.service.gateway.routing.view.rows
    named = rows.find(chat.model, call.provider)
    for row in named.rows.tolist() if named else ():
        deployment = rows.fleet.deployments[row]
        if deployment.dialect == call.dialect.name and not deployment.simulated:
            check_allowed(call, row)
            forwarded = call.dialect.forward(body, model=deployment.upstream_model)
            return await relay_to(call, deployment, anthropic_count.path, forwarded)
    tokens_in = read_signals(chat, Kind.CHAT, None).tokens_in
    counted = anthropic_count.write_count(tokens_in)
    headers = request_ids(call) | ESTIMATED
    return web.Response(body=counted, content_type="application/json", headers=headers)
