"""Every other path of a provider, passed through with our credentials for it."""

from __future__ import annotations

from aiohttp import web

from gateway.api.call import Call
from gateway.api.read_request import read_body
from gateway.core.errors import NotFound


async def pass_through(call: Call) -> web.StreamResponse:
    """
    Any method on /v1/proxy/{provider}/{path}: bytes both ways, one attempt, nothing decided.
    """
    deployments = call.service.settings.fleet.deployments
    found = next((d for d in deployments if d.provider == call.provider), None)
    if found is None:
        raise NotFound(f"No credentials are configured for the provider '{call.provider}'.")
    return await relay_to(call, found, call.tail, await read_body(call))
