"""The admin API over HTTP: one handler for all below /admin/api."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from gateway.admin.access import Access
from gateway.admin.api_call import (
    ApiCall,
    read_body,
    read_expected,
    read_once,
    read_query,
    segments,
)
from gateway.admin.api_route import PROJECT, ROOT, Route
from gateway.admin.api_routes import ROUTES
from gateway.admin.desk import Desk
from gateway.admin.exports import send_export
from gateway.admin.office import Office
from gateway.admin.openapi import ApiError, ErrorBody, document
from gateway.admin.roles import Operator
from gateway.core.errors import (
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    SwitchyardError,
    Unauthenticated,
    Unavailable,
)

log = logging.getLogger("switchyard")

DOCUMENT = "/admin/api/openapi.json"
JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}
HEAVY_MAX = 2  # questions at a time that read thousands of rows
RETRY_S = 5.0  # when the database may answer again
SHAPES = {
    "id": re.compile(r"[\w.@-]{1,64}", re.ASCII),
    "project": re.compile(PROJECT.strip("^$"), re.ASCII),
    "request": re.compile(r"[!-.0-~]{1,128}"),
    "version": re.compile(r"[0-9]{1,18}"),
}
TABLE: dict[int, list[tuple[list[str], Route]]] = {}
for _route in ROUTES:
    _parts = (ROOT + _route.path).split("/")
    TABLE.setdefault(len(_parts), []).append((_parts, _route))


class AdminApi:
    """One per process; ``answer`` takes what is asked below /admin/api."""

    def __init__(self, office: Office) -> None:
        self._access = office.access
        self._desk = Desk(office)
        self._heavy = asyncio.Semaphore(HEAVY_MAX)

    async def answer(self, http: web.BaseRequest) -> web.StreamResponse:
        """
        Answer one request; errors are answers too.

        Raises:
            ConnectionError: the client has gone.
        """
        try:
            return await self._dispatch(http)
        except ConnectionError:
            raise
        except SwitchyardError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours is an answer
            trace = "".join(traceback.format_tb(error.__traceback__))
            message = "admin API: %s\n%s"
            log.error(message, type(error).__name__, trace)  # noqa: TRY400 - without its message
            return refusal(InternalError("The admin API failed; the log of the gateway has more."))

    async def _dispatch(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.path == DOCUMENT and http.method in {"GET", "HEAD"}:
            described = await asyncio.to_thread(document)  # made at the first time: 50 ms
            return web.Response(body=described, content_type=JSON)
        route, names = match(http.method, segments(http))
        who = operator_of(http, self._access)
        who.check(route.role)  # before anything is said of the request
        query = None
        if route.query is not None:
            query = read_query(http, route.query)
        elif http.query:
            raise InvalidRequest("This takes no query.")
        call = ApiCall(
            desk=self._desk,
            who=who,
            names=names,
            query=query,
            body=await read_body(http, route.body),
            expected=read_expected(http) if route.versioned else None,
            once=read_once(http, needed=True) if route.once else "",
        )
        if route.export is not None:
            pieces: Iterator[bytes] = await route.run(call)
            return await send_export(http, route.export, pieces, NO_STORE, self._heavy)
        if not route.heavy:
            return success(route, await route.run(call))
        async with self._heavy:
            return success(route, await route.run(call))


def operator_of(http: web.BaseRequest, access: Access) -> Operator:
    """Who sent the request. Raises Unauthenticated, Throttled, Unavailable."""
    scheme, _, secret = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("No admin key. Send one as 'Authorization: Bearer KEY'.")
    return access.operator(secret.strip(), http.remote or "")


def match(method: str, parts: list[str]) -> tuple[Route, dict[str, str]]:
    """
    The route of a path, and the variable parts of it.

    Raises:
        NotFound: there is no such path.
        MethodNotAllowed: there is, with another method.
    """
    asked = "GET" if method == "HEAD" else method
    allowed: list[str] = []
    for pattern, route in TABLE.get(len(parts), ()):
        names = fitting(pattern, parts)
        if names is None:
            continue
        if route.method == asked:
            return route, names
        allowed += [route.method, *(["HEAD"] if route.method == "GET" else [])]
    if not allowed:
        raise NotFound(f"There is no such path; {DOCUMENT} lists those there are.")
    error = MethodNotAllowed(f"Use {', '.join(allowed)}.")
    error.allow = ", ".join(allowed)
    raise error


def fitting(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    """The variable parts where *parts* fit *pattern*, else None."""
    names: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            name = wanted.strip("{}")
            if not SHAPES[name].fullmatch(part):
                return None
            names[name] = part
        elif wanted != part:
            return None
    return names


def success(route: Route, answer: Any) -> web.Response:
    """*answer* as JSON, with its version as the ETag."""
    headers = dict(NO_STORE)
    if route.answer is None:
        return web.Response(status=route.status, headers=headers)
    version = getattr(answer, "version", None)
    if isinstance(version, int) and hasattr(answer, "value"):
        headers["ETag"] = f'"{version}"'
    body = msgspec.json.encode(answer)
    return web.Response(status=route.status, body=body, content_type=JSON, headers=headers)


def refusal(error: SwitchyardError) -> web.Response:
    """*error* as JSON."""
    headers = dict(NO_STORE)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allow
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    retry_s = error.retry_after_s
    if retry_s is None and isinstance(error, Unavailable):
        retry_s = RETRY_S
    if retry_s is not None:
        headers["Retry-After"] = str(max(1, round(retry_s)))
    body = ErrorBody(ApiError(error.code, error.message, error.param or ""))
    return web.Response(
        status=error.status, body=msgspec.json.encode(body), content_type=JSON, headers=headers
    )
