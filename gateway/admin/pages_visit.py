"""One request of a browser on its way through the pages, and what the pages share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from jinja2 import Environment

from gateway.admin.desk import Desk
from gateway.admin.forms import Form
from gateway.admin.office import Office
from gateway.admin.render import html, span
from gateway.admin.roles import Operator
from gateway.admin.sessions import Session, Sessions
from gateway.core.errors import InvalidRequest
from gateway.record.recent import Recent

MENU = (
    ("/admin", "Overview"),
    ("/admin/activity", "Activity"),
    ("/admin/playground", "Playground"),
    ("/admin/rules", "Rules"),
    ("/admin/models", "Models and providers"),
    ("/admin/keys", "Keys and tenants"),
    ("/admin/policies", "Policies"),
    ("/admin/quality", "Quality matrix"),
    ("/admin/settings", "Settings"),
    ("/admin/audit", "Audit log"),
)
# Pages that are not in the menu, and the one that leads to them.
UNDER = {
    "/admin/tenants": "/admin/keys",
    "/admin/projects": "/admin/keys",
    "/admin/provider-keys": "/admin/keys",
}
STALE_S = 10.0  # above it a page says how old the facts are
# What a page may be told to say after a redirect; nothing else of the URL is shown as its words.
DONE = {
    "saved": "Saved.",
    "created": "Created.",
    "deleted": "Deleted.",
    "published": "Published. The rules hold from now on.",
    "restored": "An earlier version is published again.",
    "discarded": "The draft is discarded.",
    "inserted": "The rules of the template are in the draft. Publish it to let them hold.",
    "revoked": "Revoked. The key opens nothing any more.",
    "tested": "A test event is on its way. If nobody takes it, the log of the gateway says so.",
    "topped_up": "The credits are added.",
}
SLOW_S = 30.0  # for a browser to take one piece of a stream
HEAVY_MAX = 2  # questions to the database at a time that read thousands of rows


class Shared(msgspec.Struct, frozen=True):
    """What all visits share."""

    office: Office
    desk: Desk
    recent: Recent
    sessions: Sessions
    templates: Environment
    heavy: asyncio.Semaphore


class Visit:
    """
    A request of an operator who is logged in. *form* holds the fields of its body, of its query
    where it has none; *tail* is what its path has behind that of the page. *problem* is told on
    top of the page.
    """

    def __init__(
        self,
        http: web.BaseRequest,
        shared: Shared,
        who: Operator,
        session: Session,
        form: Form,
        *,
        here: str,
        tail: str = "",
    ) -> None:
        self.http = http
        self.shared = shared
        self.office = shared.office
        self.desk = shared.desk
        self.who = who
        self.session = session
        self.form = form
        self.here = here
        self.tail = tail
        self.problem = ""

    @property
    def now_s(self) -> float:
        """Wall clock."""
        return self.office.clock.wall()

    def page(self, template: str, **values: Any) -> web.Response:
        """The page that *template* makes of *values*."""
        return html(self.render(template, **values))

    def render(self, template: str, **values: Any) -> str:
        """The text that *template* makes of *values*."""
        return self.shared.templates.get_template(template).render(
            who=self.who,
            may=self.who.roles(),
            menu=MENU,
            here=UNDER.get(self.here, self.here),
            form=self.form,
            form_token=self.shared.sessions.form_token(self.session),
            problem=self.problem,
            done=DONE.get(self.form.text("done"), ""),
            stale=self._stale(),
            now_s=self.now_s,
            **values,
        )

    async def heavy(self, work: Callable[[], Any]) -> Any:
        """What *work*, which reads many rows, returns; in a thread, and a few at a time."""
        async with self.shared.heavy:
            return await asyncio.to_thread(work)

    def _stale(self) -> str:
        stale_s = self.office.replica.stale_s
        if stale_s == float("inf"):
            return "The database has not answered yet: keys, rules and tenants may be missing here."
        if stale_s > STALE_S:
            return f"The database does not answer: this is what was known {span(stale_s)} ago."
        return ""


Show = Callable[[Visit], Awaitable[web.StreamResponse]]


async def write(response: web.StreamResponse, piece: bytes) -> None:
    """
    Send *piece* of a streamed answer.

    Raises:
        ConnectionResetError: the browser has gone, or does not read.
    """
    try:
        async with asyncio.timeout(SLOW_S):
            await response.write(piece)
    except TimeoutError:
        raise ConnectionResetError("The browser does not read.") from None


def go(path: str, done: str = "") -> web.Response:
    """Send the browser to *path*, which then says *done*, a key of DONE."""
    return web.Response(status=303, headers={"Location": f"{path}?done={done}" if done else path})


async def do(visit: Visit, verbs: Mapping[str, Show]) -> web.StreamResponse:
    """The verb that the field ``do`` names. Raises InvalidRequest where there is no such."""
    verb = verbs.get(visit.form.text("do"))
    if verb is None:
        raise InvalidRequest("The page does not know what to do with this form.", param="do")
    return await verb(visit)
