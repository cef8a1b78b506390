"""Every other path of a provider, passed through with our credentials for it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateway.api.call import Call
from gateway.api.client_headers import passed_through
from gateway.api.error_response import request_ids
from gateway.api.read_request import read_body
from gateway.api.respond import begin, writing
from gateway.core.errors import Forbidden, InvalidRequest, NotFound
from gateway.core.fleet import Deployment
from gateway.decide.lack import Lack
from gateway.execute.passthrough import DOTS, Raw, passthrough

UNLAWFUL = int(Lack.DENIED | Lack.NOT_ALLOWED | Lack.REGION)
ODD_PATH = re.compile(r"^/|//|[?#]")  # the upstream might read another path than we judged
KEY_PARAMETERS = frozenset({"key", "api_key", "api-key"})  # a gateway key must not leave


async def pass_through(call: Call) -> web.StreamResponse:
    """Any method on /v1/proxy/{provider}/{path}: bytes both ways, one attempt, nothing decided."""
    fleet = call.service.gateway.routing.view.rows.fleet
    rows = [row for row, d in enumerate(fleet.deployments) if d.provider == call.provider]
    if not rows:
        raise NotFound(f"No credentials are configured for the provider '{call.provider}'.")
    tail = quoted_tail(call)
    check_scan(call)
    check_money(call)
    for row in rows:  # which model such a path reaches, nobody can tell: all must be allowed
        check_allowed(call, row)
    found = fleet.deployments[rows[0]]
    return await relay_to(call, found, path_below(tail, found.base_url), await read_body(call))


def check_scan(call: Call) -> None:
    """
    Hold what the client and the operator want of the scan against a path that nobody can scan.

    Raises:
        Forbidden: something is to be blocked or stripped, which cannot be done here.
    """
    scanner = call.service.gateway.readers.scanner
    if scanner is None or call.http.method in {"GET", "HEAD", "DELETE"}:
        return
    controls = call.service.controls.read(call.http.headers)
    wishes = scanner.wishes(controls, call.principal.project)
    if wishes.action == "block" or wishes.personal_action in {"strip", "block"}:
        raise Forbidden(
            "This path is passed through as it is: nothing on it is scanned, so nothing can be"
            " blocked or stripped, as your headers or the operator want. Use an endpoint that the"
            " gateway speaks, see GET /."
        )


def check_money(call: Call) -> None:
    """
    Hold the caller's limits of money against a path whose cost nobody can know.

    Raises:
        Forbidden: there are some.
    """
    terms = call.bill.terms
    if (terms.money or terms.credits) and call.http.method not in {"GET", "HEAD", "DELETE"}:
        raise Forbidden(
            "This path is passed through as it is, so what it costs cannot be held against the"
            " spend limits or credits of this key. Use an endpoint that the gateway speaks, see"
            " GET /."
        )


def quoted_tail(call: Call) -> str:
    """
    The tail of the call's path as it came, so that a quoted slash stays one.

    Raises:
        InvalidRequest: it might reach another path than the one we judged.
    """
    path = call.http.path.rstrip("/")
    before = path.removesuffix(call.tail)
    tail = call.http.rel_url.raw_path.removeprefix(before)
    if f"{before}{tail}" != call.http.rel_url.raw_path:
        raise InvalidRequest("The path quotes what stands before the provider's own part.")
    if ODD_PATH.search(call.tail) or ODD_PATH.search(tail):
        raise InvalidRequest("The path has an empty segment, or a quoted ? or #.")
    if DOTS.search(f"/{call.tail}"):
        raise InvalidRequest("The path must have no dot segments.")
    return tail


def check_allowed(call: Call, row: int) -> None:
    """
    Hold the policy of the caller's project against one deployment of the fleet.

    Raises:
        Forbidden: its model, its provider or its region is not allowed.
    """
    policies = call.service.gateway.routing.policies
    if int(policies.for_project(call.principal.project).lacks[row]) & UNLAWFUL:
        raise Forbidden(
            f"The policy of project '{call.principal.project}' does not allow all that the "
            f"provider '{call.provider or 'of this model'}' offers on this path."
        )


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
    reply = await passthrough(raw, deployment, service.gateway.upstreams, call.principal.tenant)
    try:
        headers = dict(reply.headers) | request_ids(call)
        response = web.StreamResponse(status=reply.status, headers=headers)
        async with writing(call, raw.deadline_s):
            await begin(call, response)
            async for piece in reply:
                await response.write(piece)
            await response.write_eof()
    finally:
        await reply.aclose()
    return response
