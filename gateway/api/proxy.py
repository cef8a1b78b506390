"""Every other path of a provider, passed through with our credentials for it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateway.api.call import Call
from gateway.api.client_headers import passed_through
from gateway.api.error_response import request_ids
from gateway.api.read_request import read_body
from gateway.core.errors import NotFound
from gateway.core.fleet import Deployment
from gateway.execute.passthrough import Raw, passthrough

KEY_PARAMETERS = frozenset({"key", "api_key", "api-key"})  # a gateway key must not leave


async def pass_through(call: Call) -> web.StreamResponse:
    """Any method on /v1/proxy/{provider}/{path}: bytes both ways, one attempt, nothing decided."""
    deployments = call.service.settings.fleet.deployments
    found = next((d for d in deployments if d.provider == call.provider), None)
    if found is None:
        raise NotFound(f"No credentials are configured for the provider '{call.provider}'.")
    return await relay_to(call, found, path_below(call.tail, found.base_url), await read_body(call))


def path_below(tail: str, base_url: str) -> str:
    """*tail* below *base_url*, which may end in the version that clients write too."""
    if base_url.rstrip("/").endswith("/v1"):
        tail = tail.removeprefix("v1/")
    return f"/{tail}"


async def relay_to(
    call: Call, deployment: Deployment, path: str, body: bytes
) -> web.StreamResponse:
    """Send *body* to *path* of the deployment's provider, and its answer to the client."""
    http, service = call.http, call.service
    asked = parse_qsl(http.query_string, keep_blank_values=True)
    query = urlencode([(name, value) for name, value in asked if name not in KEY_PARAMETERS])
    raw = Raw(
        method=http.method,
        path=f"{path}?{query}" if query else path,
        headers=passed_through(http.headers),
        body=body,
        deadline_s=call.arrived_s + service.settings.config.server.request_timeout_s,
    )
    reply = await passthrough(raw, deployment, service.gateway.upstreams)
    response = web.StreamResponse(
        status=reply.status, headers=dict(reply.headers) | request_ids(call)
    )
    try:
        await response.prepare(http)
        async for piece in reply:
            await response.write(piece)
        await response.write_eof()
    finally:
        await reply.aclose()
    return response
