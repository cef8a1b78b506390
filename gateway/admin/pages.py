"""
The dashboard: pages for operators, made on the server. The tables are the whole truth; nothing
registers itself.

Reading takes a session, changing also the token that the session's own forms bring back. Browsers
say where a request comes from (Sec-Fetch-Site); one of another site changes nothing, not even by
logging in.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from urllib.parse import quote

import msgspec
from aiohttp import web
from markupsafe import escape

from gateway.admin import (
    pages_activity,
    pages_audit,
    pages_keys,
    pages_models,
    pages_overview,
    pages_playground,
    pages_policies,
    pages_provider_keys,
    pages_rules,
    pages_settings,
    pages_tenants,
)
from gateway.admin.desk import Desk
from gateway.admin.forms import Form, read_form, read_query
from gateway.admin.office import Office
from gateway.admin.pages_login import HOME, LOGIN, Door
from gateway.admin.pages_visit import HEAVY_MAX, Shared, Show, Visit, go
from gateway.admin.render import FILES, SAFE, environment, html
from gateway.admin.roles import Operator
from gateway.admin.sessions import COOKIE, PURPOSE, Session, Sessions
from gateway.admin.static_files import LASTING, PREFIX
from gateway.core.errors import (
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    SwitchyardError,
    Unauthenticated,
)
from gateway.record.recent import Recent

log = logging.getLogger("switchyard")

LOGOUT, TAIL = "/admin/logout", "/admin/tail"
TAILS_MAX = 20  # browsers that watch one replica
TRUSTED_SITES = ("", "same-origin", "none")  # "": an old browser, or no browser


class Route(msgspec.Struct, frozen=True):
    """A page. *change* answers its forms, where it has any; *tails*: the path may go on."""

    show: Show
    change: Show | None = None
    tails: bool = False


ROUTES: dict[str, Route] = {
    HOME: Route(pages_overview.show),
    "/admin/activity": Route(pages_activity.show, tails=True),
    "/admin/activity.csv": Route(pages_activity.export),
    "/admin/activity.jsonl": Route(pages_activity.export),
    "/admin/playground": Route(pages_playground.show, pages_playground.change),
    "/admin/rules": Route(pages_rules.show, pages_rules.change, tails=True),
    "/admin/models": Route(pages_models.show),
    "/admin/quality": Route(pages_models.show_quality),
    "/admin/keys": Route(pages_keys.show, pages_keys.change, tails=True),
    "/admin/tenants": Route(pages_tenants.show_tenant, pages_tenants.change_tenant, tails=True),
    "/admin/projects": Route(pages_tenants.show_project, pages_tenants.change_project, tails=True),
    "/admin/provider-keys": Route(pages_provider_keys.show, pages_provider_keys.change, tails=True),
    "/admin/policies": Route(pages_policies.show, pages_policies.change, tails=True),
    "/admin/settings": Route(pages_settings.show, pages_settings.change),
    "/admin/audit": Route(pages_audit.show),
}


class Dashboard:
    """One per process; ``answer`` takes what is asked below /admin, but for /admin/api."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._shared = Shared(
            office=office,
            desk=Desk(office),
            recent=office.recent or Recent(),
            sessions=Sessions(office.vault.derive(PURPOSE)),
            templates=environment(),
            heavy=asyncio.Semaphore(HEAVY_MAX),
        )
        self._door = Door(self._shared)
        self._tails = pages_activity.Tails(TAILS_MAX)

    async def answer(self, http: web.BaseRequest) -> web.StreamResponse:
        """
        The page that *http* asks for; errors are pages too.

        Raises:
            ConnectionError: the browser has gone.
        """
        try:
            return await self._dispatch(http)
        except ConnectionError:
            raise
        except SwitchyardError as error:
            return bare(error)
        except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours is an answer too
            trace = "".join(traceback.format_tb(error.__traceback__))
            log.error("dashboard: %s\n%s", type(error).__name__, trace)  # noqa: TRY400 - no message
            return bare(InternalError("The dashboard failed; the log of the gateway has more."))

    async def _dispatch(self, http: web.BaseRequest) -> web.StreamResponse:
        path = http.path.rstrip("/") or "/"
        if http.method not in ("GET", "HEAD", "POST"):
            raise MethodNotAllowed(f"{http.method} is not allowed here; use GET or POST.")
        if path.startswith(PREFIX):
            return static(path.removeprefix(PREFIX))
        if http.method == "POST" and http.headers.get("Sec-Fetch-Site", "") not in TRUSTED_SITES:
            raise Forbidden("Forms of other sites change nothing here.")
        if path == LOGIN or path.startswith(f"{LOGIN}/"):
            return await self._door.answer(http, path)
        inside = self._door.inside(http)
        if inside is None:
            if http.method == "POST" or path == TAIL:
                raise Unauthenticated("The session is over: log in again.")
            return go(f"{LOGIN}?next={quote(http.path_qs, safe='')}" if path != HOME else LOGIN)
        session, who = inside
        if path == LOGOUT:
            return await self._logout(http, session)
        response = await self._page(http, path, session, who)
        if not response.prepared:
            self._door.renew(http, response, session)
        return response

    async def _page(
        self, http: web.BaseRequest, path: str, session: Session, who: Operator
    ) -> web.StreamResponse:
        if path == TAIL:
            visit = Visit(http, self._shared, who, session, read_query(http), here=path)
            inside = self._door.inside
            return await pages_activity.tail(visit, self._tails, lambda: inside(http) is not None)
        here, route, tail = found(path)
        posted = http.method == "POST"
        form = await read_form(http) if posted else read_query(http)
        visit = Visit(http, self._shared, who, session, form, here=here, tail=tail)
        try:
            if not posted:
                return await route.show(visit)
            self._check_token(session, form)
            if route.change is None:
                raise MethodNotAllowed("This page changes nothing.")
            return await route.change(visit)
        except SwitchyardError as error:
            return await self._told(visit, route, error)

    async def _told(self, visit: Visit, route: Route, error: SwitchyardError) -> web.StreamResponse:
        """The page again, with what went wrong on top; alone where it cannot be shown."""
        visit.problem = error.message
        if visit.http.method == "POST" and not isinstance(error, NotFound):
            try:
                response = await route.show(visit)
            except SwitchyardError:
                pass
            else:
                if response.status == 200:  # else it leads somewhere else
                    response.set_status(error.status)
                    return response
        visit.problem = ""
        page = visit.page("error.html", heading=heading(error), message=error.message)
        page.set_status(error.status)
        return page

    def _check_token(self, session: Session, form: Form) -> None:
        if not self._shared.sessions.is_form_token(session, form.text("token")):
            raise Forbidden("The form is not of this session: load the page again.")

    async def _logout(self, http: web.BaseRequest, session: Session) -> web.StreamResponse:
        """POST /admin/logout."""
        if http.method != "POST":
            return go(HOME)
        self._check_token(session, await read_form(http))
        self._shared.sessions.close(session)
        response = go(LOGIN)
        response.del_cookie(COOKIE, path=HOME)
        return response


def found(path: str) -> tuple[str, Route, str]:
    """The page of *path*, and what its path has behind that. Raises NotFound."""
    if (route := ROUTES.get(path)) is not None:
        return path, route, ""
    here, _, tail = path.rpartition("/")
    route = ROUTES.get(here)
    if route is None or not route.tails:
        raise NotFound("There is no such page.")
    return here, route, tail


def static(name: str) -> web.Response:
    """A file that is no secret. Raises NotFound."""
    file = FILES.get(name)
    if file is None:
        raise NotFound("There is no such file.")
    headers = {**SAFE, "Content-Type": file.content_type, "Cache-Control": LASTING}
    return web.Response(body=file.body, headers=headers)


def heading(error: SwitchyardError) -> str:
    """A few words for *error*."""
    if isinstance(error, NotFound):
        return "Not found"
    return "Not allowed" if isinstance(error, Forbidden) else "That did not work"


def bare(error: SwitchyardError) -> web.Response:
    """A page for those whom nothing else can be shown."""
    message = escape(error.message)
    text = f'<!doctype html><html lang="en"><title>{heading(error)} – Switchyard</title>'
    text += f'<main><h1>{heading(error)}</h1><p>{message}</p><p><a href="{HOME}">Dashboard</a></p>'
    return html(f"{text}</main></html>", error.status)
