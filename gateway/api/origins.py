"""Browsers on other origins: only those that the operator has named."""

from __future__ import annotations

from aiohttp import web

from gateway.api.call import Call
from gateway.api.reply_headers import EXPOSED

METHODS = "GET, POST, DELETE, OPTIONS"
PREFLIGHT_S = 600  # what Firefox and Chrome allow at least


def cross_origin(call: Call, response: web.StreamResponse) -> None:
    """Let the page that sent the call read *response*, our headers included."""
    origin = call.http.headers.get("origin")
    if origin is not None and origin in call.service.settings.config.server.cors_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Vary"] = "Origin"


def preflight(call: Call) -> web.Response:
    """Answer OPTIONS: what a page may send."""
    response = web.Response(status=204)
    asked = call.http.headers.get("access-control-request-headers", "")
    cross_origin(call, response)
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response
