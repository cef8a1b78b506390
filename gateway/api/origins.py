"""Browsers on other origins: only those that the operator has named."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from gateway.api.call import Call
from gateway.api.reply_headers import EXPOSED
from gateway.core.errors import Forbidden

METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
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
    response = web.Response(status=204, headers={"Allow": METHODS})
    asked = call.http.headers.get("access-control-request-headers", "")
    cross_origin(call, response)
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response


def check_sender(call: Call) -> None:
    """
    Where no key protects us, refuse what a foreign web page makes a browser on this machine send: a
    request of another origin, or to a name that was rebound to our address.

    Raises:
        Forbidden: see there.
    """
    if not call.service.keyring.open:
        return
    origin = call.http.headers.get("origin")
    if origin is not None and origin not in call.service.settings.config.server.cors_origins:
        raise Forbidden(
            "Without keys no web page may call: name its origin in server.cors_origins."
        )
    if not is_loopback(call.http.host):
        raise Forbidden("Without keys only names of this machine are served, such as 127.0.0.1.")


def is_loopback(host: str) -> bool:
    """Whether a Host header, its port included, names this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
